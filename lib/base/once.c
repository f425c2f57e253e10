/* SPDX-License-Identifier: MIT
 * once.c - work that is done once, under a lock. */
#include "base/once.h"

mopd_status mo_once_init(mo_once *once)
{
    atomic_init(&once->level, 0);
    if (!mo_os_mutex_init(&once->lock)) return mo_fail(MOPD_E_NOMEM, "no memory for a lock");
    return MOPD_OK;
}

void mo_once_end(mo_once *once)
{
    mo_os_mutex_end(&once->lock);
}

mopd_status mo_once_run(mo_once *once, int level, mopd_status (*fn)(const void *ctx), const void *ctx)
{
    if (atomic_load_explicit(&once->level, memory_order_acquire) >= level) return MOPD_OK;
    mopd_status st = MOPD_OK;
    mo_os_mutex_lock(&once->lock);
    if (atomic_load_explicit(&once->level, memory_order_relaxed) < level) {
        st = fn(ctx);
        if (st == MOPD_OK) atomic_store_explicit(&once->level, level, memory_order_release);
    }
    mo_os_mutex_unlock(&once->lock);
    return st;
}
