/* SPDX-License-Identifier: MIT
 * stop.h - whether an opening is to go on: what the caller's callback says, asked now and then by whatever reads.
 *
 * Asked are openings of a thread that has a callback, from mo_stop_begin to mo_stop_end; everything else, decoding threads
 * among it, is left in peace.  Work is counted, not time, so that the same file is always asked for at the same places. */
#ifndef MO_BASE_STOP_H
#define MO_BASE_STOP_H

#include <stddef.h>

#include "base/fail.h"
#include "mopd/runtime.h"

#define MO_STOP_STEP                                                                                         \
    ((size_t)1 << 20) /* work between two questions: bytes looked at, or what takes as long */

/* What some things count for. */
#define MO_STOP_ENTRY 512 /* a token, a row, a member of a list */
#define MO_STOP_JSON 64   /* a byte that becomes a tree */
#define MO_STOP_NAME 8192 /* a file that the system is asked about */

/* The callback of this thread; NULL: none.  STATE: it is the callback that asks. */
mopd_status mo_stop_set(mopd_stop_fn fn, void *context);

/* An opening begins; and it ends, with what came of it: CANCELLED for a failure behind a stop. */
void mo_stop_begin(void);
mopd_status mo_stop_end(mopd_status st);

/* So much work is done or about to be.  CANCELLED: the callback said stop, now or before in this opening. */
mopd_status mo_stop_check(size_t work);

#endif
