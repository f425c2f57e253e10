/* SPDX-License-Identifier: MIT
 * pool_lanes.c - long tasks that run small ones: a thread whose lanes are done helps with the small tasks of the others'.
 *
 * Each thread has a side job, closed until it runs tasks from within a lane while somebody is idle.  Idle
 * threads go round the side jobs, join those that are open and take tasks from their counter; the owner takes
 * tasks too, closes the job and waits for those who joined. */
#include "base/pool_inner.h"

/* The lane that this thread is in. */
static _Thread_local struct {
    mo_pool *pool;
    size_t self;
} lane;

static void take(mo_side *side)
{
    while (atomic_load_explicit(&side->next, memory_order_relaxed) < side->end) {
        const size_t task = atomic_fetch_add_explicit(&side->next, 1, memory_order_relaxed);
        if (task < side->end) side->fn(side->ctx, task);
    }
}

static void look_again(int *times)
{
    if (++*times < MO_SPINS)
        mo_pool_relax();
    else
        mo_os_thread_yield();
}

void mo_pool_lane_run(mo_pool *pool, size_t self, size_t task)
{
    const mo_pool *before = lane.pool;
    const size_t was = lane.self;
    lane.pool = pool;
    lane.self = self;
    pool->fn(pool->ctx, task);
    lane.pool = (mo_pool *)before;
    lane.self = was;
    atomic_fetch_sub(&pool->unfinished, 1);
}

static bool help_one(mo_side *side)
{
    const unsigned long long state = atomic_load(&side->state);
    if (state & MO_CLOSED || !mo_pool_join(&side->state, state / MO_ROUND)) return false;
    take(side);
    atomic_fetch_sub(&side->state, 1);
    return true;
}

void mo_pool_lanes_help(mo_pool *pool, size_t self)
{
    const size_t threads = pool->n_workers + 1;
    int times = 0;
    atomic_fetch_add(&pool->idle, 1);
    while (atomic_load(&pool->unfinished)) {
        bool helped = false;
        for (size_t i = 1; i < threads; i++)
            if (help_one(&pool->shares[(self + i) % threads].side)) helped = true;
        if (helped)
            times = 0;
        else
            look_again(&times);
    }
    atomic_fetch_sub(&pool->idle, 1);
}

bool mo_pool_lane_share(mo_pool *pool, size_t n_tasks, mo_task_fn fn, void *ctx)
{
    if (!pool || lane.pool != pool) return false;
    if (n_tasks < 2 || !atomic_load(&pool->idle)) {
        for (size_t i = 0; i < n_tasks; i++) fn(ctx, i);
        return true;
    }
    mo_side *side = &pool->shares[lane.self].side;
    side->fn = fn;
    side->ctx = ctx;
    side->end = n_tasks;
    atomic_store(&side->next, 0);
    atomic_store(&side->state, (atomic_load(&side->state) / MO_ROUND + 1) * MO_ROUND);
    take(side);
    int times = 0;
    for (unsigned long long s = atomic_fetch_or(&side->state, MO_CLOSED); s & MO_INSIDE;
         s = atomic_load(&side->state))
        look_again(&times);
    return true;
}

size_t mo_pool_now(const mo_pool *pool)
{
    return pool && lane.pool == pool ? 1 + atomic_load(&pool->idle) : mo_pool_threads(pool);
}
