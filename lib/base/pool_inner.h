/* SPDX-License-Identifier: MIT
 * pool_inner.h - what pool_run.c and pool_lanes.c share. */
#ifndef MO_BASE_POOL_INNER_H
#define MO_BASE_POOL_INNER_H

#include <stdatomic.h>

#include "base/os_thread.h"
#include "base/pool.h"

/* Looks at a word this often, some 20 to 50 microseconds, before sleeping: the next layer comes sooner than that. */
#define MO_SPINS 1000

/* The state of a job: its round's number, CLOSED, and how many threads beside its owner are in. */
#define MO_ROUND (1ull << 32)
#define MO_CLOSED (1ull << 31)
#define MO_INSIDE (MO_CLOSED - 1)

/* A job that a thread opens to threads that have nothing else to do; its tasks are next .. end-1. */
typedef struct mo_side {
    atomic_ullong state;
    atomic_size_t next;
    size_t end;
    mo_task_fn fn;
    void *ctx;
    char apart[64 - 5 * sizeof(size_t)];
} mo_side;

/* Tasks next .. end-1 of one thread's share are not taken yet; a cache line of its own. */
typedef struct mo_share {
    atomic_size_t next;
    size_t end;
    mo_pool *pool;
    mo_os_thread thread; /* not of share 0, the caller's */
    char apart[64 - 3 * sizeof(size_t) - sizeof(mo_os_thread)];
    mo_side side;
} mo_share;

struct mo_pool {
    atomic_ullong state;
    atomic_uint sleepers; /* workers that sleep, or are about to */
    atomic_bool waiting;  /* the caller sleeps, or is about to */
    atomic_bool busy, quit;
    mo_os_mutex lock; /* for sleeping only */
    mo_os_cond wake, done;
    size_t n_workers; /* threads beside the caller */
    uint64_t owner;
    int caller_cpu; /* that workers keep off */
    mo_task_fn fn;  /* the round's job, written while it is closed and empty */
    void *ctx;
    bool lanes;               /* its tasks are lanes, */
    atomic_size_t unfinished; /* so many of them not done, */
    atomic_size_t idle;       /* so many threads without one */
    mo_share shares[];        /* of the caller, of each worker */
};

static inline void mo_pool_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb"); /* yield takes no time on most of them */
#endif
}

/* Into the round, if it is open. */
static inline bool mo_pool_join(atomic_ullong *state, unsigned long long round)
{
    unsigned long long s = atomic_load(state);
    while (s / MO_ROUND == round && !(s & MO_CLOSED))
        if (atomic_compare_exchange_weak(state, &s, s + 1)) return true;
    return false;
}

/* One task of a lanes' round, by thread `self`. */
void mo_pool_lane_run(mo_pool *pool, size_t self, size_t task);

/* Until all lanes are done: tasks of whatever side jobs the others open. */
void mo_pool_lanes_help(mo_pool *pool, size_t self);

/* In a lane of this pool: runs the tasks, with those who are idle; false elsewhere. */
bool mo_pool_lane_share(mo_pool *pool, size_t n_tasks, mo_task_fn fn, void *ctx);

#endif
