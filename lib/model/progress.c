/* SPDX-License-Identifier: MIT
 * progress.c - tells, and hears whether to go on. */
#include "model/progress.h"

static mopd_status tell(const mo_progress *p)
{
    if (!p->watcher.fn || !p->watcher.fn(p->watcher.context, p->done, p->total)) return MOPD_OK;
    return mo_fail(MOPD_E_CANCELLED, "stopped by the caller after %zu of %zu %s", p->done, p->total, p->what);
}

mopd_status mo_progress_begin(
    mo_progress *progress, mo_progress_watcher watcher, const char *what, size_t total)
{
    *progress = (mo_progress){watcher, what, 0, total};
    return tell(progress);
}

mopd_status mo_progress_add(mo_progress *progress, size_t n)
{
    if (!progress) return MOPD_OK;
    progress->done += n;
    return tell(progress);
}

bool mo_progress_told(const mo_progress *progress)
{
    return progress && progress->watcher.fn;
}
