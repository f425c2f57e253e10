/* SPDX-License-Identifier: MIT
 * test_fail.c - statuses and the message of the last failure. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include "base/fail.h"
#include "support/needs.h"

static void statuses_have_names(void **state)
{
    (void)state;
    assert_string_equal(mopd_status_name(MOPD_E_FORMAT), "MOPD_E_FORMAT");
    assert_string_equal(mopd_status_name(77), "MOPD_?");
    assert_string_equal(mopd_status_text(MOPD_OK), "done");
    for (mopd_status s = 0; s > MOPD_STATUS_LAST_; s--)
        assert_string_not_equal(mopd_status_name(s), "MOPD_?");
}

/* Of what has no room the middle goes: at the end stands the reason. */
static void the_middle_of_long_messages_is_left_out(void **state)
{
    (void)state;
    static char text[20000];
    memset(text, 'x', sizeof text - 1);
    mo_fail(MOPD_E_ARG, "begin %s end", text);
    const char *message = mopd_last_error();
    const size_t n = strlen(message);
    assert_true(n < MO_FAIL_BYTES && n > MO_FAIL_BYTES - 16);
    assert_memory_equal(message, "begin xxx", 9);
    assert_non_null(strstr(message, "xxx...xxx"));
    assert_string_equal(message + n - 8, "xxxx end");
    mo_fail(MOPD_E_ARG, "inner");
    assert_int_equal(mo_fail_at(MOPD_E_ARG, "outer %d", 1), MOPD_E_ARG);
    assert_string_equal(mopd_last_error(), "outer 1: inner");
    mo_fail(MOPD_E_ARG, "the reason");
    mo_fail_at(MOPD_E_ARG, "%s", text);
    message = mopd_last_error();
    assert_string_equal(message + strlen(message) - 16, "x...: the reason");
    errno = ENOENT;
    mo_fail_errno(MOPD_E_IO, "%s", text);
    message = mopd_last_error();
    assert_string_equal(message + strlen(message) - 31, "x...: No such file or directory");
}

/* The longest path of Linux and a message about it. */
static void a_path_of_any_length_leaves_room_for_the_reason(void **state)
{
    (void)state;
    static char path[4096];
    memset(path, 'p', sizeof path - 1);
    errno = ENAMETOOLONG;
    mo_fail_errno(MOPD_E_IO, "%s: cannot open", path);
    mo_fail_at(MOPD_E_IO, "%s", path);
    assert_int_equal(
        strlen(mopd_last_error()), 2 * 4095 + strlen(": : cannot open: ") + strlen(strerror(ENAMETOOLONG)));
    assert_non_null(strstr(mopd_last_error(), "p: cannot open: File"));
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    static char text[20000];
    for (size_t lead = 0; lead < 5; lead++) { /* the cut falls on each byte of a character of four */
        memset(text, 0, sizeof text);
        memset(text, 'a', lead);
        for (size_t at = lead; at + 5 < sizeof text; at += 4) memcpy(text + at, "\xf0\x9f\x90\x88", 4);
        mo_fail(MOPD_E_ARG, "%s", text);
        const char *message = mopd_last_error(), *dots = strstr(message, "...");
        assert_non_null(dots);
        assert_int_equal(((size_t)(dots - message) - lead) % 4, 0);
        assert_int_equal(strlen(dots + 3) % 4, 0);
        assert_null(strstr(message, "\\x")); /* nothing of it had to be quoted */
    }
}

/* A name may end a line, be obeyed by a terminal, turn a line around or be no UTF-8. */
static void messages_are_one_line_of_utf8(void **state)
{
    (void)state;
    mo_fail(MOPD_E_FORMAT, "a\nb\r\t\x1b[31m\x7f: %s", "\xe9t\xc3\xa9 \xc2\x9b \xe2\x80\xae \xe2\x82\xac");
    assert_string_equal(mopd_last_error(),
        "a\\nb\\x0d\\x09\\x1b[31m\\x7f: \\xe9t\xc3\xa9 \\xc2\\x9b \\xe2\\x80\\xae \xe2\x82\xac");
    mo_fail_at(MOPD_E_FORMAT, "p\nq");
    assert_memory_equal(mopd_last_error(), "p\\nq: a\\nb", 10);
    static char controls[MO_FAIL_BYTES];
    memset(controls, 1, sizeof controls - 1);
    mo_fail(MOPD_E_FORMAT, "%s", controls);
    assert_true(strlen(mopd_last_error()) < MO_FAIL_BYTES);
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
    TEST_NEEDS("threads");
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
        cmocka_unit_test(the_middle_of_long_messages_is_left_out),
        cmocka_unit_test(a_path_of_any_length_leaves_room_for_the_reason),
        cmocka_unit_test(messages_are_one_line_of_utf8),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(the_reason_of_the_system_stands_behind),
        cmocka_unit_test(a_place_is_put_in_front_of_failures_only),
        cmocka_unit_test(the_message_is_the_thread_s_own),
        cmocka_unit_test(codes_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
