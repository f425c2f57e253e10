/* SPDX-License-Identifier: MIT
 * os_thread_posix.c - threads by POSIX. */
#include "base/os_thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

/* -- locks --------------------------------------------------------------------------------------------------- */

bool mo_os_mutex_init(mo_os_mutex *mutex)
{
    return !pthread_mutex_init(mutex, NULL);
}

void mo_os_mutex_end(mo_os_mutex *mutex)
{
    pthread_mutex_destroy(mutex);
}

void mo_os_mutex_lock(mo_os_mutex *mutex)
{
    pthread_mutex_lock(mutex);
}

void mo_os_mutex_unlock(mo_os_mutex *mutex)
{
    pthread_mutex_unlock(mutex);
}

bool mo_os_cond_init(mo_os_cond *cond)
{
    return !pthread_cond_init(cond, NULL);
}

void mo_os_cond_end(mo_os_cond *cond)
{
    pthread_cond_destroy(cond);
}

void mo_os_cond_wait(mo_os_cond *cond, mo_os_mutex *mutex)
{
    pthread_cond_wait(cond, mutex);
}

void mo_os_cond_wake_one(mo_os_cond *cond)
{
    pthread_cond_signal(cond);
}

void mo_os_cond_wake_all(mo_os_cond *cond)
{
    pthread_cond_broadcast(cond);
}

void mo_os_once_run(mo_os_once *once, void (*fn)(void))
{
    pthread_once(once, fn);
}

/* -- threads ------------------------------------------------------------------------------------------------- */

#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
int mo_os_thread_start(mo_os_thread *thread, mo_os_thread_fn *fn, void *context)
{
    (void)thread, (void)fn, (void)context;
    return ENOSYS;
}
#elif defined(__EMSCRIPTEN__)
/* A worker that was started with the module takes the thread; where none is left over, there is no thread to be had. */
int mo_os_thread_start(mo_os_thread *thread, mo_os_thread_fn *fn, void *context)
{
    const int why = pthread_create(thread, NULL, fn, context);
    return why == EAGAIN ? ENOSYS : why;
}
#else
/* With at least MO_OS_STACK bytes of stack. */
static int start(mo_os_thread *thread, mo_os_thread_fn *fn, void *context)
{
    pthread_attr_t attr;
    size_t usual;
    int why = pthread_attr_init(&attr);
    if (why) return why;
    if (!pthread_attr_getstacksize(&attr, &usual) && usual < MO_OS_STACK)
        pthread_attr_setstacksize(&attr, MO_OS_STACK);
    why = pthread_create(thread, &attr, fn, context);
    pthread_attr_destroy(&attr);
    return why;
}

int mo_os_thread_start(mo_os_thread *thread, mo_os_thread_fn *fn, void *context)
{
    static const int own_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigset_t others, old;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof own_faults / sizeof *own_faults; i++) sigdelset(&others, own_faults[i]);
    pthread_sigmask(SIG_SETMASK, &others, &old);
    const int why = start(thread, fn, context);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return why;
}
#endif

void mo_os_thread_join(mo_os_thread thread)
{
    pthread_join(thread, NULL);
}

void mo_os_thread_yield(void)
{
    sched_yield();
}
