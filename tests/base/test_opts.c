/* SPDX-License-Identifier: MIT
 * test_opts.c - option structs of any age. */
#include "test.h"

#include "base/opts.h"

typedef struct options_v1 {
    uint32_t struct_size, a;
} options_v1;

typedef struct options_v2 {
    uint32_t struct_size, a, b, c;
} options_v2;

static void option_structs_of_any_age(void **state)
{
    (void)state;
    const options_v2 known = {sizeof known, 1, 2, 3};
    options_v1 older;
    options_v2 got;
    struct {
        options_v2 base;
        uint32_t later[2];
    } newer = {{sizeof newer, 4, 5, 6}, {0, 0}};
    assert_ok(mo_opts_init(&older, sizeof older, &known, sizeof known, sizeof older));
    assert_int_equal(older.a, 1);
    older.a = 9;
    assert_ok(mo_opts_read(&got, &older, &known, sizeof known, sizeof older, "options"));
    assert_int_equal(got.a, 9);
    assert_int_equal(got.c, 3);
    assert_ok(mo_opts_read(&got, &newer, &known, sizeof known, sizeof older, "options"));
    assert_int_equal(got.c, 6);
    newer.later[1] = 1;
    assert_fails(
        mo_opts_read(&got, &newer, &known, sizeof known, sizeof older, "options"), MOPD_E_VERSION, "byte 20");
    older.struct_size = 4;
    assert_fails(
        mo_opts_read(&got, &older, &known, sizeof known, sizeof older, "options"), MOPD_E_ARG, "initialised");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_structs_of_any_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
