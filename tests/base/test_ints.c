/* SPDX-License-Identifier: MIT
 * test_ints.c - arithmetic of sizes: the smaller and the larger one, rounding up, equal cuts. */
#include "test.h"

#include "base/ints.h"

static void the_smaller_and_the_larger_of_two(void **state)
{
    (void)state;
    assert_int_equal(mo_min(3, 5), 3);
    assert_int_equal(mo_min(5, 3), 3);
    assert_int_equal(mo_min(4, 4), 4);
    assert_int_equal(mo_min(0, SIZE_MAX), 0);
    assert_int_equal(mo_max(3, 5), 5);
    assert_int_equal(mo_max(5, 3), 5);
    assert_true(mo_max(0, SIZE_MAX) == SIZE_MAX);
}

static void division_rounds_up(void **state)
{
    (void)state;
    for (size_t b = 1; b < 20; b++)
        for (size_t a = 0; a < 100; a++) {
            size_t q = mo_ceil_div(a, b);
            assert_true(q * b >= a);
            assert_true(q == 0 || (q - 1) * b < a);
        }
}

static void sizes_round_up_to_steps(void **state)
{
    (void)state;
    for (size_t step = 1; step < 20; step++)
        for (size_t n = 0; n < 100; n++) {
            size_t up = mo_round_up(n, step);
            assert_true(up >= n && up < n + step);
            assert_int_equal(up % step, 0);
        }
}

static void cuts_are_equal_and_cover_all(void **state)
{
    (void)state;
    for (size_t parts = 1; parts < 12; parts++)
        for (size_t n = 0; n < 60; n++) {
            assert_int_equal(mo_cut(n, parts, 0), 0);
            assert_int_equal(mo_cut(n, parts, parts), n);
            for (size_t i = 0; i < parts; i++) {
                size_t share = mo_cut(n, parts, i + 1) - mo_cut(n, parts, i);
                assert_true(share == n / parts || share == n / parts + 1);
                if (i)
                    assert_true(
                        share <= mo_cut(n, parts, i) - mo_cut(n, parts, i - 1)); /* the larger ones first */
            }
        }
}

/* What no size is as large as is the largest, on the way through rounding, too. */
static void products_and_sums_end_at_the_largest_size(void **state)
{
    (void)state;
    const size_t half = SIZE_MAX / 2 + 1;
    assert_int_equal(mo_times(6, 7), 42);
    assert_int_equal(mo_times(0, SIZE_MAX), 0);
    assert_true(mo_times(half - 1, 2) == SIZE_MAX - 1);
    assert_true(mo_times(half, 2) == SIZE_MAX && mo_times(half, half) == SIZE_MAX);
    assert_int_equal(mo_plus(6, 7), 13);
    assert_true(mo_plus(half, half - 1) == SIZE_MAX && mo_plus(half, half) == SIZE_MAX);
    assert_true(mo_plus(SIZE_MAX, 1) == SIZE_MAX);
    assert_true(mo_ceil_div(SIZE_MAX, 2) == half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smaller_and_the_larger_of_two),
        cmocka_unit_test(division_rounds_up),
        cmocka_unit_test(products_and_sums_end_at_the_largest_size),
        cmocka_unit_test(sizes_round_up_to_steps),
        cmocka_unit_test(cuts_are_equal_and_cover_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
