/* SPDX-License-Identifier: MIT
 * progress.h - how far a call that encodes has come, told to the callback of its encoder (mopd_share_options). */
#ifndef MO_MODEL_PROGRESS_H
#define MO_MODEL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fail.h"
#include "mopd/encoder.h"

/* Whom the calls of an encoder tell; fn NULL: nobody. */
typedef struct mo_progress_watcher {
    mopd_progress_fn fn;
    void *context;
} mo_progress_watcher;

/* One call's way: done of total. */
typedef struct mo_progress {
    mo_progress_watcher watcher;
    const char *what; /* "texts": for the message */
    size_t done, total;
} mo_progress;

/* A call that encodes total of something; tells that nothing is done yet.  CANCELLED. */
mopd_status mo_progress_begin(
    mo_progress *progress, mo_progress_watcher watcher, const char *what, size_t total);

/* n more are done.  CANCELLED.  NULL: nothing. */
mopd_status mo_progress_add(mo_progress *progress, size_t n);

/* Whether somebody is told, so that work is better done in small parts. */
bool mo_progress_told(const mo_progress *progress);

#endif
