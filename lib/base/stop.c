/* SPDX-License-Identifier: MIT
 * stop.c - asks a thread's callback whether its opening goes on. */
#include "base/stop.h"

#include <stdbool.h>

static _Thread_local struct {
    mopd_stop_fn fn;
    void *context;
    size_t work; /* since the last question */
    bool opening, asking, stopped;
} own;

mopd_status mo_stop_set(mopd_stop_fn fn, void *context)
{
    if (own.asking) return mo_fail(MOPD_E_STATE, "a callback cannot be replaced while it is asked");
    own.fn = fn;
    own.context = context;
    return MOPD_OK;
}

/* What a callback opens itself is not asked for. */
void mo_stop_begin(void)
{
    if (own.asking) return;
    own.opening = own.fn != NULL;
    own.stopped = false;
    own.work = 0;
}

static mopd_status stopped(void)
{
    return mo_fail(MOPD_E_CANCELLED, "the opening was stopped by the caller");
}

mopd_status mo_stop_end(mopd_status st)
{
    if (own.asking) return st;
    own.opening = false;
    return st != MOPD_OK && own.stopped ? stopped() : st;
}

static void ask(void)
{
    own.work = 0;
    own.asking = true;
    own.stopped = own.fn(own.context) != 0;
    own.asking = false;
}

mopd_status mo_stop_check(size_t work)
{
    if (!own.opening || own.asking) return MOPD_OK;
    own.work = work < MO_STOP_STEP - own.work ? own.work + work : MO_STOP_STEP;
    if (own.work >= MO_STOP_STEP && !own.stopped) ask();
    return own.stopped ? stopped() : MOPD_OK;
}
