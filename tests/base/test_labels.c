/* SPDX-License-Identifier: MIT
 * test_labels.c - labels out of range are named. */
#include "test.h"

#include "base/labels.h"

static void labels_out_of_range_are_named(void **state)
{
    (void)state;
    const int32_t labels[] = {0, 2, 1, 3, -1};
    assert_ok(mo_labels_check(labels, 0, 0));
    assert_ok(mo_labels_check(labels, 3, 3));
    assert_fails(mo_labels_check(labels, 5, 3), MOPD_E_ARG, "label 3 is 3, there are 3 classes");
    assert_fails(mo_labels_check(labels, 5, 4), MOPD_E_ARG, "label 4 is -1, there are 4 classes");
    assert_true(mo_labels_in_range(INT32_MAX, SIZE_MAX));
    assert_false(mo_labels_in_range(INT32_MIN, SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
