/* SPDX-License-Identifier: MIT
 * pool.c - worker threads over one shared counter of tasks.
 *
 * A call publishes (fn, ctx, n_tasks) under the lock and raises `round`; workers wake, take tasks by the lock-free
 * counter, and the last one out wakes the caller, who took tasks too.  A second caller finds `busy` and runs alone. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define MAX_THREADS 1024u

/* Looks at a shared word this often, some 20 microseconds, before sleeping: the next layer comes sooner than that. */
#define SPINS 1000

struct mo_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;  /* workers: a new round, or the end */
    pthread_cond_t done;  /* caller: all workers left the round */
    size_t n_workers;     /* threads beside the caller */
    atomic_size_t inside; /* workers that have not left this round */
    atomic_ullong round;
    bool busy, quit;
    pid_t owner;
    mo_task_fn fn;
    void *ctx;
    size_t n_tasks;
    atomic_size_t next;
    pthread_t worker[];
};

static atomic_uint default_threads;

static void take_tasks(mo_pool *pool, mo_task_fn fn, void *ctx, size_t n_tasks)
{
    for (;;) {
        size_t task = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (task >= n_tasks) return;
        fn(ctx, task);
    }
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void *work(void *arg)
{
    mo_pool *pool = arg;
    unsigned long long seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->quit && pool->round == seen) pthread_cond_wait(&pool->wake, &pool->lock);
        if (pool->quit) break;
        seen = pool->round;
        mo_task_fn fn = pool->fn;
        void *ctx = pool->ctx;
        size_t n_tasks = pool->n_tasks;
        pthread_mutex_unlock(&pool->lock);
        take_tasks(pool, fn, ctx, n_tasks);
        if (atomic_fetch_sub(&pool->inside, 1) == 1) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->done);
            pthread_mutex_unlock(&pool->lock);
        }
        for (int i = 0; i < SPINS && atomic_load(&pool->round) == seen; i++) relax();
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Workers leave the host's signals to the host's threads. */
static bool start_worker(mo_pool *pool)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    bool ok = !pthread_create(&pool->worker[pool->n_workers], NULL, work, pool);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (ok) pool->n_workers++;
    return ok;
}

mopd_status mo_pool_create(mo_pool **out, size_t n_threads)
{
    *out = NULL;
    if (n_threads < 1 || n_threads > MAX_THREADS)
        return mo_fail(MOPD_E_ARG, "threads: %zu, 1 to %u are allowed", n_threads, MAX_THREADS);
    mo_pool *pool = mo_calloc(1, sizeof *pool + (n_threads - 1) * sizeof pool->worker[0]);
    if (!pool) return MOPD_E_NOMEM;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->owner = getpid();
    while (pool->n_workers < n_threads - 1) {
        if (start_worker(pool)) continue;
        size_t got = pool->n_workers;
        mo_pool_free(pool);
        return mo_fail(MOPD_E_NOMEM, "out of memory: thread %zu of %zu could not be started", got + 2, n_threads);
    }
    *out = pool;
    return MOPD_OK;
}

void mo_pool_free(mo_pool *pool)
{
    if (!pool) return;
    if (pool->owner == getpid()) { /* after a fork the threads are not here */
        pthread_mutex_lock(&pool->lock);
        pool->quit = true;
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
        for (size_t i = 0; i < pool->n_workers; i++) pthread_join(pool->worker[i], NULL);
        pthread_mutex_destroy(&pool->lock);
        pthread_cond_destroy(&pool->wake);
        pthread_cond_destroy(&pool->done);
    }
    mo_free(pool);
}

size_t mo_pool_threads(const mo_pool *pool) { return pool ? pool->n_workers + 1 : 1; }

static bool enter(mo_pool *pool, mo_task_fn fn, void *ctx, size_t n_tasks)
{
    if (!pool || n_tasks < 2 || !pool->n_workers || pool->owner != getpid()) return false;
    pthread_mutex_lock(&pool->lock);
    bool mine = !pool->busy;
    if (mine) {
        pool->busy = true;
        pool->fn = fn;
        pool->ctx = ctx;
        pool->n_tasks = n_tasks;
        pool->inside = pool->n_workers;
        atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
        pool->round++;
        pthread_cond_broadcast(&pool->wake);
    }
    pthread_mutex_unlock(&pool->lock);
    return mine;
}

static void leave(mo_pool *pool)
{
    for (int i = 0; i < SPINS && atomic_load(&pool->inside); i++) relax();
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->inside)) pthread_cond_wait(&pool->done, &pool->lock);
    pool->busy = false;
    pthread_mutex_unlock(&pool->lock);
}

void mo_pool_run(mo_pool *pool, size_t n_tasks, mo_task_fn fn, void *ctx)
{
    if (enter(pool, fn, ctx, n_tasks)) {
        take_tasks(pool, fn, ctx, n_tasks);
        leave(pool);
        return;
    }
    for (size_t i = 0; i < n_tasks; i++) fn(ctx, i);
}

size_t mo_pool_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set) && CPU_COUNT(&set) > 0) n = CPU_COUNT(&set);
#endif
    return n < 1 ? 1 : n > (long)MAX_THREADS ? MAX_THREADS : (size_t)n;
}

size_t mo_pool_default_threads(void)
{
    unsigned n = atomic_load(&default_threads);
    return n ? n : mo_pool_processors();
}

mopd_status mo_pool_set_default_threads(uint32_t n)
{
    if (n > MAX_THREADS) return mo_fail(MOPD_E_ARG, "threads: %u, at most %u are allowed", (unsigned)n, MAX_THREADS);
    atomic_store(&default_threads, n);
    return MOPD_OK;
}
