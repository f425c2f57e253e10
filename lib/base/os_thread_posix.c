/* SPDX-License-Identifier: MIT
 * os_thread_posix.c - threads by POSIX. */
#define _GNU_SOURCE /* sched_getaffinity, pthread_setaffinity_np */
#include "base/os_thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

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

/* -- processors ---------------------------------------------------------------------------------------------- */

size_t mo_os_processors(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set) && CPU_COUNT(&set) > 0) return (size_t)CPU_COUNT(&set);
#endif
    return n < 1 ? 1 : (size_t)n;
}

#if defined(__linux__) && !defined(__ANDROID__)
int mo_os_processor(void)
{
    return sched_getcpu();
}

bool mo_os_threads_keep_off(const mo_os_thread *first, size_t n, size_t step, int processor)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) || CPU_COUNT(&set) < 2 || processor >= CPU_SETSIZE)
        return false;
    CPU_CLR((size_t)processor, &set);
    for (size_t i = 0; i < n; i++) {
        const mo_os_thread *thread = (const void *)((const char *)first + i * step);
        pthread_setaffinity_np(*thread, sizeof set, &set);
    }
    return true;
}
#else
int mo_os_processor(void)
{
    return -1;
}

bool mo_os_threads_keep_off(const mo_os_thread *first, size_t n, size_t step, int processor)
{
    (void)first, (void)n, (void)step, (void)processor;
    return false;
}
#endif
