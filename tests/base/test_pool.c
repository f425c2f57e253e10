/* SPDX-License-Identifier: MIT
 * test_pool.c - the thread pool: each task once, many callers, after a fork, without memory. */
#define _GNU_SOURCE /* pthread_setattr_default_np */
#include "test.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool_inner.h"

typedef struct tally {
    atomic_int hits[1000];
    mo_pool *pool;
} tally;

static void count_task(void *ctx, size_t task)
{
    atomic_fetch_add(&((tally *)ctx)->hits[task], 1);
}

static void runs_each_task_once(void **state)
{
    (void)state;
    for (size_t threads = 1; threads < 5; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        assert_int_equal(mo_pool_threads(pool), threads);
        for (size_t n = 0; n < 1000; n = n * 2 + 1) {
            tally t = {0};
            for (int round = 0; round < 20; round++) mo_pool_run(pool, n, count_task, &t);
            for (size_t i = 0; i < 1000; i++) assert_int_equal(t.hits[i], i < n ? 20 : 0);
        }
        mo_pool_free(pool);
    }
    tally t = {0};
    mo_pool_run(NULL, 3, count_task, &t);
    assert_int_equal(t.hits[2], 1);
}

/* Waits for the other threads, so that each has one of the tasks. */
static void ask_rounding(void *ctx, size_t task)
{
    tally *t = ctx;
    atomic_store(&t->hits[task], fegetround() + 1);
    const time_t begun = time(NULL);
    for (size_t i = 0; i < mo_pool_threads(t->pool); i++)
        while (!atomic_load(&t->hits[i]) && test_pause(begun)) {
        }
}

static void workers_round_as_usual_whoever_made_the_pool(void **state)
{
    (void)state;
    tally t = {0};
    assert_int_equal(fesetround(FE_UPWARD), 0);
    mopd_status st = mo_pool_create(&t.pool, 3);
    assert_int_equal(fesetround(FE_TONEAREST), 0);
    assert_ok(st);
    mo_pool_run(t.pool, 3, ask_rounding, &t);
    for (size_t i = 0; i < 3; i++) assert_int_equal(t.hits[i], FE_TONEAREST + 1);
    mo_pool_free(t.pool);
}

static void *call_often(void *arg)
{
    tally *t = arg;
    for (int i = 0; i < 300; i++) mo_pool_run(t->pool, 50, count_task, t);
    return NULL;
}

static void serves_many_callers(void **state)
{
    (void)state;
    tally t = {0};
    pthread_t caller[4];
    assert_ok(mo_pool_create(&t.pool, 3));
    for (int i = 0; i < 4; i++) pthread_create(&caller[i], NULL, call_often, &t);
    for (int i = 0; i < 4; i++) pthread_join(caller[i], NULL);
    for (int i = 0; i < 50; i++) assert_int_equal(t.hits[i], 1200);
    mo_pool_free(t.pool);
}

typedef struct meeting {
    atomic_int here, met;
} meeting;

/* Comes back when the other task runs too. */
static void meet(void *ctx, size_t task)
{
    (void)task;
    meeting *m = ctx;
    atomic_fetch_add(&m->here, 1);
    for (time_t begun = time(NULL); atomic_load(&m->here) < 2 && test_pause(begun);) continue;
    if (atomic_load(&m->here) == 2) atomic_fetch_add(&m->met, 1);
}

typedef struct sleep_over {
    meeting m;
    mo_pool *pool;
} sleep_over;

/* The worker's task ends when the caller, whose task has ended, sleeps. */
static void meet_and_outstay(void *ctx, size_t task)
{
    sleep_over *s = ctx;
    meet(&s->m, task);
    if (task == 0) return;
    for (time_t begun = time(NULL); !atomic_load(&s->pool->waiting) && test_pause(begun);) continue;
}

static void wakes_who_sleeps(void **state)
{
    (void)state;
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, 2));
    for (int i = 0; i < 100; i++) {
        sleep_over s = {.pool = pool};
        const time_t begun = time(NULL);
        while (i % 2 && !atomic_load(&pool->sleepers) && test_pause(begun)) continue;
        mo_pool_run(pool, 2, meet_and_outstay, &s);
        assert_int_equal(s.m.met, 2);
    }
    mo_pool_free(pool);
}

static void lane_of_counts(void *ctx, size_t index)
{
    tally *t = ctx;
    for (int i = 0; i < 5; i++) mo_pool_run(t->pool, 7 * (1 + index), count_task, t);
}

static void lanes_run_each_task_once(void **state)
{
    (void)state;
    for (size_t threads = 1; threads < 5; threads++) {
        tally t = {0};
        assert_ok(mo_pool_create(&t.pool, threads));
        for (int round = 0; round < 100; round++) mo_pool_run_lanes(t.pool, 5, lane_of_counts, &t);
        for (size_t i = 0; i < 1000; i++) assert_int_equal(t.hits[i], i < 35 ? 500 * (5 - i / 7) : 0);
        assert_int_equal(mo_pool_now(t.pool), threads);
        mo_pool_free(t.pool);
    }
    tally t = {0};
    mo_pool_run_lanes(NULL, 5, lane_of_counts, &t);
    assert_int_equal(t.hits[0], 25);
}

typedef struct helped {
    mo_pool *pool;
    meeting m;
} helped;

/* The second lane goes on only when the first one's thread has nothing left, and then needs it. */
static void lane_in_need(void *ctx, size_t index)
{
    helped *h = ctx;
    for (time_t begun = time(NULL); index && mo_pool_now(h->pool) < 2 && test_pause(begun);) continue;
    if (index) mo_pool_run(h->pool, 2, meet, &h->m);
}

static void idle_threads_help(void **state)
{
    (void)state;
    helped h = {0};
    assert_ok(mo_pool_create(&h.pool, 2));
    for (int i = 0; i < 50; i++) {
        h.m = (meeting){0};
        mo_pool_run_lanes(h.pool, 2, lane_in_need, &h);
        assert_int_equal(h.m.met, 2);
    }
    mo_pool_free(h.pool);
}

static void works_after_a_fork(void **state)
{
    (void)state;
    mo_pool *pool;
    int status;
    assert_ok(mo_pool_create(&pool, 2));
    pid_t child = fork();
    if (child == 0) {
        tally t = {0};
        mo_pool_run(pool, 10, count_task, &t);
        mo_pool_free(pool);
        _exit(t.hits[9] == 1 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    mo_pool_free(pool);
}

static mopd_status make_pool(void *ctx)
{
    mopd_status st = mo_pool_create(ctx, 2);
    mo_pool_free(*(mo_pool **)ctx);
    return st;
}

static void refuses_silly_sizes(void **state)
{
    (void)state;
    mo_pool *pool;
    assert_fails(mo_pool_create(&pool, 0), MOPD_E_ARG, "1 to 1024");
    assert_fails(mo_pool_create(&pool, 5000), MOPD_E_ARG, "5000");
    assert_fails(mopd_runtime_set_threads(5000), MOPD_E_ARG, "5000");
    assert_ok(mopd_runtime_set_threads(3));
    assert_int_equal(mo_pool_default_threads(), 3);
    assert_ok(mopd_runtime_set_threads(0));
    assert_int_equal(mo_pool_default_threads(), mo_pool_processors());
    test_torture(make_pool, &pool);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

typedef struct masks {
    atomic_int begun;
    pthread_t caller;
    atomic_int wrong;
} masks;

/* Each thread takes one task and waits for the others. */
static void look_at_mask(void *ctx, size_t task)
{
    (void)task;
    masks *m = ctx;
    sigset_t set;
    atomic_fetch_add(&m->begun, 1);
    while (atomic_load(&m->begun) < 3) sched_yield();
    if (pthread_equal(pthread_self(), m->caller)) return;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    const bool faults =
        !sigismember(&set, SIGSEGV) && !sigismember(&set, SIGBUS) && !sigismember(&set, SIGFPE);
    const bool others = sigismember(&set, SIGINT) && sigismember(&set, SIGTERM) && sigismember(&set, SIGUSR1);
    if (!faults || !others) atomic_fetch_add(&m->wrong, 1);
}

static void workers_keep_their_own_faults_only(void **state)
{
    (void)state;
    mo_pool *pool;
    masks m = {.caller = pthread_self()};
    assert_ok(mo_pool_create(&pool, 3));
    mo_pool_run(pool, 3, look_at_mask, &m);
    mo_pool_free(pool);
    assert_int_equal(m.begun, 3);
    assert_int_equal(m.wrong, 0);
}

/* Threads with stacks larger than all memory are refused by the system. */
static void a_thread_that_does_not_start_is_told(void **state)
{
    (void)state;
#ifndef __GLIBC__
    skip(); /* musl gives no more than 8 MiB, whatever is asked for; others have no such functions */
#else
    pthread_attr_t usual, huge;
    mo_pool *pool;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_getattr_default_np(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge,
                         SIZE_MAX > UINT32_MAX ? (size_t)1 << (47 % (8 * sizeof(size_t))) : (size_t)7 << 29),
        0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    assert_fails(mo_pool_create(&pool, 3), MOPD_E_NOMEM,
        "thread 2 of 3 could not be started, for want of memory or for a limit on threads: ");
    assert_null(pool);
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    pthread_attr_destroy(&usual);
    pthread_attr_destroy(&huge);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_that_does_not_start_is_told),
        cmocka_unit_test(runs_each_task_once),
        cmocka_unit_test(workers_round_as_usual_whoever_made_the_pool),
        cmocka_unit_test(serves_many_callers),
        cmocka_unit_test(wakes_who_sleeps),
        cmocka_unit_test(lanes_run_each_task_once),
        cmocka_unit_test(idle_threads_help),
        cmocka_unit_test(works_after_a_fork),
        cmocka_unit_test(refuses_silly_sizes),
        cmocka_unit_test(workers_keep_their_own_faults_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
