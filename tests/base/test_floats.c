/* SPDX-License-Identifier: MIT
 * test_floats.c - rows of length 1 are told from others. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_another_length_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
