/* SPDX-License-Identifier: MIT
 * os_thread_windows.c - threads by Windows. */
#include <errno.h>
#include <process.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include "base/os_thread.h"

_Static_assert(sizeof(SRWLOCK) == sizeof(mo_os_mutex), "mo_os_mutex");
_Static_assert(sizeof(CONDITION_VARIABLE) == sizeof(mo_os_cond), "mo_os_cond");
_Static_assert(sizeof(INIT_ONCE) == sizeof(mo_os_once), "mo_os_once");

/* -- locks --------------------------------------------------------------------------------------------------- */

bool mo_os_mutex_init(mo_os_mutex *mutex)
{
    InitializeSRWLock((SRWLOCK *)mutex);
    return true;
}

void mo_os_mutex_end(mo_os_mutex *mutex)
{
    (void)mutex;
}

void mo_os_mutex_lock(mo_os_mutex *mutex)
{
    AcquireSRWLockExclusive((SRWLOCK *)mutex);
}

void mo_os_mutex_unlock(mo_os_mutex *mutex)
{
    ReleaseSRWLockExclusive((SRWLOCK *)mutex);
}

bool mo_os_cond_init(mo_os_cond *cond)
{
    InitializeConditionVariable((CONDITION_VARIABLE *)cond);
    return true;
}

void mo_os_cond_end(mo_os_cond *cond)
{
    (void)cond;
}

void mo_os_cond_wait(mo_os_cond *cond, mo_os_mutex *mutex)
{
    SleepConditionVariableSRW((CONDITION_VARIABLE *)cond, (SRWLOCK *)mutex, INFINITE, 0);
}

void mo_os_cond_wake_one(mo_os_cond *cond)
{
    WakeConditionVariable((CONDITION_VARIABLE *)cond);
}

void mo_os_cond_wake_all(mo_os_cond *cond)
{
    WakeAllConditionVariable((CONDITION_VARIABLE *)cond);
}

/* Functions and data are told apart in C, and a once's context is data. */
typedef struct once_call {
    void (*fn)(void);
} once_call;

static BOOL CALLBACK call_once(INIT_ONCE *once, void *call, void **context)
{
    (void)once, (void)context;
    ((const once_call *)call)->fn();
    return TRUE;
}

void mo_os_once_run(mo_os_once *once, void (*fn)(void))
{
    once_call call = {fn};
    InitOnceExecuteOnce((INIT_ONCE *)once, call_once, &call, NULL);
}

/* -- threads ------------------------------------------------------------------------------------------------- */

typedef struct thread_call {
    mo_os_thread_fn *fn;
    void *context;
} thread_call;

static unsigned __stdcall call_thread(void *arg)
{
    const thread_call call = *(thread_call *)arg;
    free(arg);
    call.fn(call.context);
    return 0;
}

int mo_os_thread_start(mo_os_thread *thread, mo_os_thread_fn *fn, void *context)
{
    enum { STACK = 2 * MO_OS_STACK };
    thread_call *call = malloc(sizeof *call);
    if (!call) return ENOMEM;
    *call = (thread_call){fn, context};
    *thread = (void *)_beginthreadex(NULL, STACK, call_thread, call, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (*thread) return 0;
    free(call);
    return errno ? errno : EAGAIN;
}

void mo_os_thread_join(mo_os_thread thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

void mo_os_thread_yield(void)
{
    SwitchToThread();
}

/* -- processors ---------------------------------------------------------------------------------------------- */

/* Of this process's group, which has 64 at most. */
size_t mo_os_processors(void)
{
    DWORD_PTR mine = 0, all = 0;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &mine, &all) || !mine) return 1;
    return (size_t)__builtin_popcountll(mine);
}

bool mo_os_may_run_on(size_t processor)
{
    DWORD_PTR mine = 0, all = 0;
    return processor < 8 * sizeof mine && GetProcessAffinityMask(GetCurrentProcess(), &mine, &all) &&
           mine >> processor & 1;
}

/* Windows finds a processor that is free by itself. */
int mo_os_processor(void)
{
    return -1;
}

bool mo_os_threads_keep_off(const mo_os_thread *first, size_t n, size_t step, int processor)
{
    (void)first, (void)n, (void)step, (void)processor;
    return false;
}
