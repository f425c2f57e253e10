/* SPDX-License-Identifier: MIT
 * os_thread.h - threads, locks and processors of the system. */
#ifndef MO_BASE_OS_THREAD_H
#define MO_BASE_OS_THREAD_H

#include <stdbool.h>
#include <stddef.h>

#ifdef _WIN32
typedef struct mo_os_mutex {
    void *lock;
} mo_os_mutex;
typedef struct mo_os_cond {
    void *waiting;
} mo_os_cond;
typedef struct mo_os_once {
    void *done;
} mo_os_once;
typedef void *mo_os_thread;
#define MO_OS_MUTEX                                                                                          \
    {                                                                                                        \
        NULL                                                                                                 \
    }
#define MO_OS_ONCE                                                                                           \
    {                                                                                                        \
        NULL                                                                                                 \
    }
#else
#include <pthread.h>
typedef pthread_mutex_t mo_os_mutex;
typedef pthread_cond_t mo_os_cond;
typedef pthread_once_t mo_os_once;
typedef pthread_t mo_os_thread;
#define MO_OS_MUTEX PTHREAD_MUTEX_INITIALIZER
#define MO_OS_ONCE PTHREAD_ONCE_INIT
#endif

/* No thread's stack is smaller: the largest frames here are of 115 KiB, in matrix products (musl's own choice would be 128). */
#define MO_OS_STACK ((size_t)512 << 10)

bool mo_os_mutex_init(mo_os_mutex *mutex);
void mo_os_mutex_end(mo_os_mutex *mutex);
void mo_os_mutex_lock(mo_os_mutex *mutex);
void mo_os_mutex_unlock(mo_os_mutex *mutex);

bool mo_os_cond_init(mo_os_cond *cond);
void mo_os_cond_end(mo_os_cond *cond);
void mo_os_cond_wait(mo_os_cond *cond, mo_os_mutex *mutex);
void mo_os_cond_wake_one(mo_os_cond *cond);
void mo_os_cond_wake_all(mo_os_cond *cond);

/* Runs fn once in this process; whoever comes meanwhile waits. */
void mo_os_once_run(mo_os_once *once, void (*fn)(void));

/* A thread that leaves the host's signals to the host's threads, but what goes wrong in it (a page of a file that was cut
 * short, say) comes to the host's handlers.  0, or a number of errno: ENOSYS where there are no threads at all. */
typedef void *mo_os_thread_fn(void *context);
int mo_os_thread_start(mo_os_thread *thread, mo_os_thread_fn *fn, void *context);
void mo_os_thread_join(mo_os_thread thread);
void mo_os_thread_yield(void);

/* Processors that this process may run on, on Apple's systems the fast ones alone; whether this is one of them; the one that this
 * thread runs on, -1 where that is not told. */
size_t mo_os_processors(void);
bool mo_os_may_run_on(size_t processor);
int mo_os_processor(void);

/* Keeps n threads, whose handles stand `step` bytes apart, off a processor; false where that cannot be. */
bool mo_os_threads_keep_off(const mo_os_thread *first, size_t n, size_t step, int processor);

#endif
