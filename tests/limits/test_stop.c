/* SPDX-License-Identifier: MIT
 * test_stop.c - the opening of a hostile file, stopped at every question that it asks; and a file of twice the entries asks
 * more often, so that no reader goes through them without asking. */
#include "limits/hostile.h"

#include "base/stop.h"
#include "support/asked.h"

enum { ENTRIES = 9000 };

static mopd_status open_asking(const hostile *h, const char *path, asked *a)
{
    assert_ok(mo_stop_set(answer, a));
    mo_stop_begin();
    const mopd_status st = mo_stop_end(h->open(path));
    assert_ok(mo_stop_set(NULL, NULL));
    return st;
}

/* Questions of an opening that goes on. */
static size_t count_questions(const hostile *h, size_t n, char path[600])
{
    asked a = {0};
    char folder[512];
    snprintf(folder, sizeof folder, "%s", test_path(h->name));
    hostile_make(h, n, folder, path);
    if (open_asking(h, path, &a) == MOPD_E_CANCELLED) fail_msg("%s: stopped by nobody", h->name);
    return a.n;
}

/* The others are one text each, which is looked at in one pass. */
static bool is_list(const hostile *h)
{
    return strcmp(h->name, "spiece_nested") != 0 && strcmp(h->name, "npy") != 0 &&
           strcmp(h->name, "merges_packed") != 0;
}

static void stop_everywhere(const hostile *h)
{
    char path[600];
    const size_t twice = count_questions(h, 2 * ENTRIES, path), once = count_questions(h, ENTRIES, path);
    const long before = test_count_live();
    if (getenv("MOPD_SHOW")) printf("%-14s %4zu %4zu\n", h->name, once, twice);
    if (is_list(h) && twice <= once)
        fail_msg("%s: asks %zu times, and %zu times for twice the entries", h->name, once, twice);
    for (size_t at = 1; at <= once; at += TEST_TIMES(1, 7)) {
        asked a = {.at = at};
        assert_fails(open_asking(h, path, &a), MOPD_E_CANCELLED, "stopped by the caller");
        assert_int_equal(a.n, at);
        assert_int_equal(test_count_live(), before);
    }
}

/* A trainer that goes back and an encoding that goes on are no openings. */
static bool is_opening(const hostile *h)
{
    return strcmp(h->name, "checkpoint") != 0 && strcmp(h->name, "journal") != 0;
}

static void every_opening_stops_where_it_is_told(void **state)
{
    (void)state;
    test_count_start();
    for (size_t i = 0; i < N_HOSTILES; i++)
        if (is_opening(hostiles + i)) stop_everywhere(hostiles + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_opening_stops_where_it_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
