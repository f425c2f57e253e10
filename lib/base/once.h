/* SPDX-License-Identifier: MIT
 * once.h - work that is done once, by whoever asks first. */
#ifndef MO_BASE_ONCE_H
#define MO_BASE_ONCE_H

#include <stdatomic.h>

#include "base/fail.h"
#include "base/os_thread.h"

/* Work that is done once, whoever asks first; a failure leaves it undone. */
typedef struct mo_once {
    mo_os_mutex lock;
    atomic_int level; /* how much is done */
} mo_once;

mopd_status mo_once_init(mo_once *once);
void mo_once_end(mo_once *once);

/* Runs fn(ctx) unless `level` is reached already; on success it is. */
mopd_status mo_once_run(mo_once *once, int level, mopd_status (*fn)(const void *ctx), const void *ctx);

#endif
