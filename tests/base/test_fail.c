/* SPDX-License-Identifier: MIT
 * test_fail.c - statuses and the message of the last failure. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include "base/fail.h"

static void statuses_have_names(void **state)
{
    (void)state;
    assert_string_equal(mopd_status_name(MOPD_E_FORMAT), "MOPD_E_FORMAT");
    assert_string_equal(mopd_status_name(77), "MOPD_?");
    assert_string_equal(mopd_status_text(MOPD_OK), "done");
    for (mopd_status s = 0; s > MOPD_STATUS_LAST_; s--)
        assert_string_not_equal(mopd_status_name(s), "MOPD_?");
}

static void long_messages_are_cut_with_dots(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'x', sizeof text);
    text[2999] = 0;
    mo_fail(MOPD_E_ARG, "%s", text);
    size_t n = strlen(mopd_last_error());
    assert_true(n <= 1023 && n > 1000);
    assert_string_equal(mopd_last_error() + n - 3, "...");
    mo_fail(MOPD_E_ARG, "inner");
    assert_int_equal(mo_fail_at(MOPD_E_ARG, "outer %d", 1), MOPD_E_ARG);
    assert_string_equal(mopd_last_error(), "outer 1: inner");
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 5; lead++) { /* the cut falls on each byte of a character of four */
        char text[3000] = "aaaa";
        text[lead] = 0;
        while (strlen(text) + 5 < sizeof text) strcat(text, "\xf0\x9f\x90\x88");
        mo_fail(MOPD_E_ARG, "%s", text);
        const char *message = mopd_last_error();
        size_t n = strlen(message);
        assert_string_equal(message + n - 3, "...");
        assert_int_equal((n - 3 - lead) % 4, 0);
    }
}

static void the_reason_of_the_system_stands_behind(void **state)
{
    (void)state;
    errno = ENOENT;
    assert_int_equal(mo_fail_errno(MOPD_E_IO, "%s: cannot open", "x.jpg"), MOPD_E_IO);
    assert_string_equal(mopd_last_error(), "x.jpg: cannot open: No such file or directory");
}

static void a_place_is_put_in_front_of_failures_only(void **state)
{
    (void)state;
    mo_fail(MOPD_E_FORMAT, "no");
    assert_int_equal(mo_fail_at(MOPD_OK, "here"), MOPD_OK);
    assert_string_equal(mopd_last_error(), "no");
    mo_fail_at(MOPD_E_FORMAT, "line %d", 3);
    mo_fail_at(MOPD_E_FORMAT, "a.csv");
    assert_string_equal(mopd_last_error(), "a.csv: line 3: no");
    mo_fail_clear();
    assert_string_equal(mopd_last_error(), "");
}

static void *fail_elsewhere(void *seen)
{
    strcpy(seen, mopd_last_error());
    mo_fail(MOPD_E_ARG, "theirs");
    return NULL;
}

static void the_message_is_the_thread_s_own(void **state)
{
    (void)state;
    char seen[1024] = "?";
    pthread_t thread;
    mo_fail(MOPD_E_ARG, "ours");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, seen), 0);
    pthread_join(thread, NULL);
    assert_string_equal(seen, "");
    assert_string_equal(mopd_last_error(), "ours");
}

static void codes_are_pinned(void **state)
{
    (void)state;
    assert_int_equal(MOPD_OK, 0);
    for (mopd_status s = 0; s > MOPD_STATUS_LAST_; s--)
        for (mopd_status o = 0; o > s; o--) assert_string_not_equal(mopd_status_name(s), mopd_status_name(o));
    assert_string_equal(mopd_status_text(12345), "a status this library does not know");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_names),
        cmocka_unit_test(long_messages_are_cut_with_dots),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(the_reason_of_the_system_stands_behind),
        cmocka_unit_test(a_place_is_put_in_front_of_failures_only),
        cmocka_unit_test(the_message_is_the_thread_s_own),
        cmocka_unit_test(codes_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
