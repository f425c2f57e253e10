/* SPDX-License-Identifier: MIT
 * barrier.h - barriers of POSIX, which Apple's threads have not; one round. */
#ifndef MOPD_TEST_SUPPORT_DARWIN_BARRIER_H
#define MOPD_TEST_SUPPORT_DARWIN_BARRIER_H

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

typedef struct pthread_barrier {
    atomic_uint missing;
} pthread_barrier_t;

static inline int pthread_barrier_init(pthread_barrier_t *barrier, const void *how, unsigned n)
{
    (void)how;
    atomic_store(&barrier->missing, n);
    return 0;
}

static inline void pthread_barrier_wait(pthread_barrier_t *barrier)
{
    atomic_fetch_sub(&barrier->missing, 1);
    while (atomic_load(&barrier->missing)) sched_yield();
}

static inline void pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    (void)barrier;
}

#endif
