/* SPDX-License-Identifier: MIT
 * test_floats.c - rows of length 1 are told from others, rows of numbers from those with one that is none. */
#include "test.h"

#include "base/floats.h"

static void rows_of_another_length_are_named(void **state)
{
    (void)state;
    float x[] = {1, 0, 0.6f, 0.8f, 0, -1};
    assert_ok(mo_floats_check_unit("row", x, 0, 2));
    assert_ok(mo_floats_check_unit("row", x, 3, 2));
    x[4] = 0.03f; /* squared length 1.0009 */
    assert_ok(mo_floats_check_unit("row", x, 3, 2));
    x[4] = 0.04f; /* 1.0016 */
    assert_fails(mo_floats_check_unit("row", x, 3, 2), MOPD_E_ARG, "row 2 has length 1.0008, not 1");
    x[2] = 0;
    assert_fails(mo_floats_check_unit("a row", x, 3, 2), MOPD_E_ARG,
        "a row 1 has length 0.8, not 1; are they 2 numbers wide?");
    x[0] = 0;
    assert_fails(mo_floats_check_unit("row", x, 1, 2), MOPD_E_ARG, "row 0 has length 0, not 1");
    x[1] = NAN;
    assert_fails(mo_floats_check_unit("row", x, 1, 2), MOPD_E_NUMERIC, "row 0 is not finite");
    x[1] = INFINITY;
    assert_fails(mo_floats_check_unit("row", x, 1, 2), MOPD_E_NUMERIC, "row 0 is not finite");
}

/* At every place of rows shorter and longer than those that are looked at together. */
static void one_odd_number_is_found(void **state)
{
    (void)state;
    static const float odd[] = {NAN, INFINITY, -INFINITY}, fine[] = {3.4e38f, -3.4e38f, 1e-45f, 0};
    float x[600];
    for (size_t i = 0; i < 600; i++) x[i] = fine[i % 4];
    for (size_t n = 0; n <= 600; n += n < 20 ? 1 : 29) {
        assert_true(mo_floats_finite(x, n));
        for (size_t i = 0; i < n; i++) {
            x[i] = odd[i % 3];
            assert_false(mo_floats_finite(x, n));
            x[i] = fine[i % 4];
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_another_length_are_named),
        cmocka_unit_test(one_odd_number_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
