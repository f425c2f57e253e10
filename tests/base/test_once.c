/* SPDX-License-Identifier: MIT
 * test_once.c - work that is done once, whoever comes first. */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/once.h"
#include "support/needs.h"

typedef struct work {
    mo_once once;
    atomic_int runs, inside, most;
    mopd_status answer;
} work;

static mopd_status run(const void *ctx)
{
    work *w = (work *)(uintptr_t)ctx;
    int inside = atomic_fetch_add(&w->inside, 1) + 1;
    if (inside > atomic_load(&w->most)) atomic_store(&w->most, inside);
    atomic_fetch_add(&w->runs, 1);
    atomic_fetch_sub(&w->inside, 1);
    return w->answer;
}

static void each_level_is_reached_once(void **state)
{
    (void)state;
    work w = {.answer = MOPD_OK};
    assert_ok(mo_once_init(&w.once));
    for (int i = 0; i < 3; i++) assert_ok(mo_once_run(&w.once, 1, run, &w));
    assert_int_equal(w.runs, 1);
    for (int i = 0; i < 3; i++) assert_ok(mo_once_run(&w.once, 2, run, &w));
    assert_int_equal(w.runs, 2);
    assert_ok(mo_once_run(&w.once, 1, run, &w)); /* below what is reached */
    assert_int_equal(w.runs, 2);
    mo_once_end(&w.once);
}

static void a_failure_leaves_it_undone(void **state)
{
    (void)state;
    work w = {.answer = MOPD_E_NOMEM};
    assert_ok(mo_once_init(&w.once));
    assert_int_equal(mo_once_run(&w.once, 1, run, &w), MOPD_E_NOMEM);
    assert_int_equal(mo_once_run(&w.once, 1, run, &w), MOPD_E_NOMEM);
    assert_int_equal(w.runs, 2);
    w.answer = MOPD_OK;
    assert_ok(mo_once_run(&w.once, 1, run, &w));
    assert_ok(mo_once_run(&w.once, 1, run, &w));
    assert_int_equal(w.runs, 3);
    mo_once_end(&w.once);
}

typedef struct caller {
    work *w;
    pthread_barrier_t *start;
} caller;

static void *call(void *ctx)
{
    caller *c = ctx;
    pthread_barrier_wait(c->start);
    for (int level = 1; level <= 20; level++)
        if (mo_once_run(&c->w->once, level, run, c->w) != MOPD_OK) return ctx;
    return NULL;
}

static void threads_that_come_together_share_one_run(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    enum { THREADS = 6 };
    work w = {.answer = MOPD_OK};
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    caller c = {&w, &start};
    assert_ok(mo_once_init(&w.once));
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, call, &c), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_in_range(w.runs, 1, 20); /* a level that another thread passed is not made again */
    assert_int_equal(w.most, 1);
    pthread_barrier_destroy(&start);
    mo_once_end(&w.once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_level_is_reached_once),
        cmocka_unit_test(a_failure_leaves_it_undone),
        cmocka_unit_test(threads_that_come_together_share_one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
