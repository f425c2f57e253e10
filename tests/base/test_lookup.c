/* SPDX-License-Identifier: MIT
 * test_lookup.c - names found again, each at its own place. */
#include "test.h"

#include "base/lookup.h"

static void names_keep_their_places(void **state)
{
    (void)state;
    enum { N = 5000 };
    static char text[N][8];
    mo_lookup l;
    assert_ok(mo_lookup_open(&l, N));
    for (size_t i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "%zx", i);
        assert_true(mo_lookup_find(&l, text[i]) == SIZE_MAX);
        assert_true(mo_lookup_add(&l, text[i], i) == SIZE_MAX);
    }
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(mo_lookup_find(&l, text[i]), i);
        assert_int_equal(mo_lookup_add(&l, text[i], 7), i); /* the first counts */
    }
    assert_true(mo_lookup_find(&l, "x") == SIZE_MAX);
    mo_lookup_set(&l, text[3], 9);
    assert_int_equal(mo_lookup_find(&l, text[3]), 9);
    mo_lookup_close(&l);
    assert_true(mo_lookup_find(&l, text[3]) == SIZE_MAX); /* there are none any more */
}

static void lists_are_looked_up_by_their_first(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "a", "", "c"};
    mo_lookup l;
    assert_ok(mo_lookup_names(&l, names, 5));
    assert_int_equal(mo_lookup_find(&l, "a"), 0);
    assert_int_equal(mo_lookup_find(&l, ""), 3);
    assert_int_equal(mo_lookup_find(&l, "c"), 4);
    mo_lookup_close(&l);
    assert_ok(mo_lookup_names(&l, NULL, 0));
    assert_true(mo_lookup_find(&l, "") == SIZE_MAX);
    mo_lookup_close(&l);
    mo_lookup_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_keep_their_places), cmocka_unit_test(lists_are_looked_up_by_their_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
