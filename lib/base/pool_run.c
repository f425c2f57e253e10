/* SPDX-License-Identifier: MIT
 * pool_run.c - worker threads that begin at their own share of the tasks and then help with the others'.
 *
 * Thread i of T begins with tasks n i / T onwards, in every call: what it wrote in one layer it mostly reads
 * in the next, from its own cache.
 *
 * One word tells all: which round it is, whether workers may still join it, how many are in.  A caller writes
 * the job, opens a round, takes tasks itself, closes the round and waits for those who joined; a worker that
 * comes late, or was never given a processor, is not waited for.  Both sides look at the word for a while
 * before they sleep.  A second caller finds `busy` and runs alone. */
#include <errno.h>
#include <fenv.h>

#include "base/cores.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/pool_inner.h"
#include "base/quota.h"

#define MAX_THREADS 1024u

static atomic_uint default_threads;

/* Thread `self` takes tasks until none is left, its own first. */
static void take_tasks(mo_pool *pool, size_t self)
{
    const size_t threads = pool->n_workers + 1;
    for (size_t i = 0; i < threads; i++) {
        mo_share *s = &pool->shares[(self + i) % threads];
        while (atomic_load_explicit(&s->next, memory_order_relaxed) < s->end) {
            const size_t task = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
            if (task >= s->end) break;
            if (pool->lanes)
                mo_pool_lane_run(pool, self, task);
            else
                pool->fn(pool->ctx, task);
        }
    }
    if (pool->lanes) mo_pool_lanes_help(pool, self);
}

static bool is_new(mo_pool *pool, unsigned long long seen)
{
    return atomic_load(&pool->state) / MO_ROUND != seen || atomic_load(&pool->quit);
}

/* Returns when there is a round after `seen`, or the end. */
static void await_round(mo_pool *pool, unsigned long long seen)
{
    for (int i = 0; i < MO_SPINS; i++) {
        if (is_new(pool, seen)) return;
        mo_pool_relax();
    }
    atomic_fetch_add(&pool->sleepers, 1);
    mo_os_mutex_lock(&pool->lock);
    while (!is_new(pool, seen)) mo_os_cond_wait(&pool->wake, &pool->lock);
    mo_os_mutex_unlock(&pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
}

static void part(mo_pool *pool)
{
    const unsigned long long s = atomic_fetch_sub(&pool->state, 1);
    if ((s & MO_INSIDE) > 1 || !(s & MO_CLOSED) || !atomic_load(&pool->waiting)) return;
    mo_os_mutex_lock(&pool->lock);
    mo_os_cond_wake_one(&pool->done);
    mo_os_mutex_unlock(&pool->lock);
}

static void *work(void *arg)
{
    const mo_share *own = arg;
    mo_pool *pool = own->pool;
    const size_t self = (size_t)(own - pool->shares);
    unsigned long long seen = 0;
    fesetenv(FE_DFL_ENV); /* whatever rounding mode the thread had that opened the encoder */
    for (;;) {
        await_round(pool, seen);
        if (atomic_load(&pool->quit)) return NULL;
        seen = atomic_load(&pool->state) / MO_ROUND;
        if (!mo_pool_join(&pool->state, seen)) continue;
        take_tasks(pool, self);
        part(pool);
    }
}

/* 0, or why the system gives no thread. */
static int start_worker(mo_pool *pool)
{
    mo_share *own = &pool->shares[pool->n_workers + 1];
    own->pool = pool;
    const int why = mo_os_thread_start(&own->thread, work, own);
    if (!why) pool->n_workers++;
    return why;
}

mopd_status mo_pool_create(mo_pool **out, size_t n_threads)
{
    *out = NULL;
    if (n_threads < 1 || n_threads > MAX_THREADS)
        return mo_fail(MOPD_E_ARG, "threads: %zu, 1 to %u are allowed", n_threads, MAX_THREADS);
    mo_pool *pool = mo_mem_calloc(1, sizeof *pool + n_threads * sizeof pool->shares[0]);
    if (!pool) return MOPD_E_NOMEM;
    mo_os_mutex_init(&pool->lock);
    mo_os_cond_init(&pool->wake);
    mo_os_cond_init(&pool->done);
    atomic_store(&pool->state, MO_CLOSED);
    for (size_t i = 0; i < n_threads; i++) atomic_store(&pool->shares[i].side.state, MO_CLOSED);
    pool->owner = mo_os_process();
    pool->caller_cpu = -1;
    while (pool->n_workers < n_threads - 1) {
        const int why = start_worker(pool);
        if (!why) continue;
        if (why == ENOSYS) break; /* no threads are to be had here: the caller computes alone */
        const size_t got = pool->n_workers;
        mo_pool_free(pool);
        errno = why;
        return mo_fail_errno(MOPD_E_NOMEM,
            "thread %zu of %zu could not be started, for want of memory or for a limit on threads", got + 2,
            n_threads);
    }
    *out = pool;
    return MOPD_OK;
}

void mo_pool_free(mo_pool *pool)
{
    if (!pool) return;
    if (pool->owner == mo_os_process()) { /* after a fork the threads are not here */
        mo_os_mutex_lock(&pool->lock);
        atomic_store(&pool->quit, true);
        mo_os_cond_wake_all(&pool->wake);
        mo_os_mutex_unlock(&pool->lock);
        for (size_t i = 0; i < pool->n_workers; i++) mo_os_thread_join(pool->shares[i + 1].thread);
        mo_os_mutex_end(&pool->lock);
        mo_os_cond_end(&pool->wake);
        mo_os_cond_end(&pool->done);
    }
    mo_mem_free(pool);
}

size_t mo_pool_threads(const mo_pool *pool)
{
    return pool ? pool->n_workers + 1 : 1;
}

/* Workers wake on other processors than the caller's: a kernel that lets them wait beside it until it balances
 * its load costs two milliseconds. */
static void make_room(mo_pool *pool)
{
    const int here = mo_os_processor();
    if (here < 0 || here == pool->caller_cpu) return;
    if (mo_os_threads_keep_off(&pool->shares[1].thread, pool->n_workers, sizeof pool->shares[1], here))
        pool->caller_cpu = here;
}

static bool enter(mo_pool *pool, mo_task_fn fn, void *ctx, size_t n_tasks, bool lanes)
{
    if (!pool || n_tasks < 2 || !pool->n_workers || pool->owner != mo_os_process()) return false;
    if (atomic_exchange(&pool->busy, true)) return false;
    pool->fn = fn;
    pool->ctx = ctx;
    pool->lanes = lanes;
    atomic_store(&pool->unfinished, n_tasks);
    const size_t threads = pool->n_workers + 1;
    for (size_t i = 0; i < threads; i++) {
        atomic_store_explicit(&pool->shares[i].next, mo_cut(n_tasks, threads, i), memory_order_relaxed);
        pool->shares[i].end = mo_cut(n_tasks, threads, i + 1);
    }
    atomic_store(&pool->state, (atomic_load(&pool->state) / MO_ROUND + 1) * MO_ROUND);
    if (atomic_load(&pool->sleepers)) {
        make_room(pool);
        mo_os_mutex_lock(&pool->lock);
        mo_os_cond_wake_all(&pool->wake);
        mo_os_mutex_unlock(&pool->lock);
    }
    return true;
}

static void leave(mo_pool *pool)
{
    unsigned long long s = atomic_fetch_or(&pool->state, MO_CLOSED);
    for (int i = 0; i < MO_SPINS && s & MO_INSIDE; i++) {
        mo_pool_relax();
        s = atomic_load(&pool->state);
    }
    if (s & MO_INSIDE) {
        atomic_store(&pool->waiting, true);
        mo_os_mutex_lock(&pool->lock);
        while (atomic_load(&pool->state) & MO_INSIDE) mo_os_cond_wait(&pool->done, &pool->lock);
        mo_os_mutex_unlock(&pool->lock);
        atomic_store(&pool->waiting, false);
    }
    atomic_store(&pool->busy, false);
}

static void run(mo_pool *pool, size_t n_tasks, mo_task_fn fn, void *ctx, bool lanes)
{
    if (enter(pool, fn, ctx, n_tasks, lanes)) {
        take_tasks(pool, 0);
        leave(pool);
        return;
    }
    for (size_t i = 0; i < n_tasks; i++) fn(ctx, i);
}

void mo_pool_run(mo_pool *pool, size_t n_tasks, mo_task_fn fn, void *ctx)
{
    if (!mo_pool_lane_share(pool, n_tasks, fn, ctx)) run(pool, n_tasks, fn, ctx, false);
}

void mo_pool_run_lanes(mo_pool *pool, size_t n_lanes, mo_task_fn fn, void *ctx)
{
    run(pool, n_lanes, fn, ctx, true);
}

size_t mo_pool_processors(void)
{
    const size_t all = mo_os_processors(), fast = mo_cores_fast("", all, mo_os_may_run_on),
                 quota = mo_quota_processors(""), n = fast ? fast : all;
    return mo_min(quota && quota < n ? quota : n, MAX_THREADS);
}

size_t mo_pool_default_threads(void)
{
    unsigned n = atomic_load(&default_threads);
    return n ? n : mo_pool_processors();
}

mopd_status mo_pool_set_default_threads(uint32_t n)
{
    if (n > MAX_THREADS)
        return mo_fail(MOPD_E_ARG, "threads: %u, at most %u are allowed", (unsigned)n, MAX_THREADS);
    atomic_store(&default_threads, n);
    return MOPD_OK;
}
