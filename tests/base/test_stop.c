/* SPDX-License-Identifier: MIT
 * test_stop.c - when an opening asks whether to go on, and what comes of the answer. */
#include "test.h"

#include <pthread.h>

#include "base/stop.h"
#include "support/asked.h"
#include "support/needs.h"

static int forget(void **state)
{
    (void)state;
    mo_stop_end(MOPD_OK);
    assert_ok(mo_stop_set(NULL, NULL));
    return 0;
}

static void work_is_counted_and_asked_about(void **state)
{
    (void)state;
    asked a = {0};
    assert_ok(mo_stop_check(MO_STOP_STEP)); /* nobody opens anything */
    assert_ok(mo_stop_set(answer, &a));
    assert_ok(mo_stop_check(MO_STOP_STEP));
    assert_int_equal(a.n, 0);
    mo_stop_begin();
    assert_ok(mo_stop_check(MO_STOP_STEP - 1));
    assert_int_equal(a.n, 0);
    assert_ok(mo_stop_check(1));
    assert_int_equal(a.n, 1);
    assert_ok(mo_stop_check(SIZE_MAX));
    assert_ok(mo_stop_check(SIZE_MAX));
    assert_int_equal(a.n, 3);
    assert_ok(mo_stop_end(MOPD_OK));
    assert_ok(mo_stop_check(MO_STOP_STEP));
    assert_int_equal(a.n, 3);
}

static void one_stop_is_enough(void **state)
{
    (void)state;
    asked a = {.at = 2};
    assert_ok(mo_stop_set(answer, &a));
    mo_stop_begin();
    assert_ok(mo_stop_check(MO_STOP_STEP));
    assert_fails(mo_stop_check(MO_STOP_STEP), MOPD_E_CANCELLED, "stopped by the caller");
    assert_fails(mo_stop_check(0), MOPD_E_CANCELLED, "stopped by the caller");
    assert_int_equal(a.n, 2);
    assert_fails(mo_stop_end(mo_fail(MOPD_E_FORMAT, "what it was taken for")), MOPD_E_CANCELLED, "stopped");
    mo_stop_begin();
    assert_ok(mo_stop_check(MO_STOP_STEP));
    assert_fails(mo_stop_end(mo_fail(MOPD_E_FORMAT, "damaged")), MOPD_E_FORMAT, "damaged");
}

static int opens_itself(void *context)
{
    asked *a = context;
    a->n++;
    assert_fails(mo_stop_set(NULL, NULL), MOPD_E_STATE, "while it is asked");
    mo_stop_begin();
    assert_ok(mo_stop_check(MO_STOP_STEP));
    assert_ok(mo_stop_end(MOPD_OK));
    return 0;
}

static void a_callback_that_opens_is_not_asked_for_that(void **state)
{
    (void)state;
    asked a = {0};
    assert_ok(mo_stop_set(opens_itself, &a));
    mo_stop_begin();
    assert_ok(mo_stop_check(MO_STOP_STEP));
    assert_ok(mo_stop_check(MO_STOP_STEP));
    assert_ok(mo_stop_end(MOPD_OK));
    assert_int_equal(a.n, 2);
}

static void *work_elsewhere(void *context)
{
    (void)context;
    mo_stop_begin();
    const mopd_status st = mo_stop_check(MO_STOP_STEP);
    return mo_stop_end(st) == MOPD_OK ? context : NULL;
}

static void other_threads_are_not_asked(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    asked a = {.at = 1};
    pthread_t thread;
    void *good;
    assert_ok(mo_stop_set(answer, &a));
    assert_false(pthread_create(&thread, NULL, work_elsewhere, &a));
    assert_false(pthread_join(thread, &good));
    assert_ptr_equal(good, &a);
    assert_int_equal(a.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(work_is_counted_and_asked_about, forget),
        cmocka_unit_test_teardown(one_stop_is_enough, forget),
        cmocka_unit_test_teardown(a_callback_that_opens_is_not_asked_for_that, forget),
        cmocka_unit_test_teardown(other_threads_are_not_asked, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
