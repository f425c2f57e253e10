/* SPDX-License-Identifier: MIT
 * test_dtype.c - element types: their sizes, their names, and names read back. */
#include "test.h"

#include "base/dtype.h"

static const struct {
    const char *name;
    size_t size;
} types[] = {[MO_F32] = {"F32", 4},
    [MO_F16] = {"F16", 2},
    [MO_BF16] = {"BF16", 2},
    [MO_F64] = {"F64", 8},
    [MO_I64] = {"I64", 8},
    [MO_I32] = {"I32", 4},
    [MO_I16] = {"I16", 2},
    [MO_I8] = {"I8", 1},
    [MO_U8] = {"U8", 1},
    [MO_BOOL] = {"BOOL", 1}};
#define N_TYPES (sizeof types / sizeof *types)

static void sizes_and_names_are_those_of_safetensors(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TYPES; i++) {
        assert_int_equal(mo_dtype_size((mo_dtype)i), types[i].size);
        assert_string_equal(mo_dtype_name((mo_dtype)i), types[i].name);
    }
}

static void names_are_read_back_whole(void **state)
{
    (void)state;
    mo_dtype found;
    for (size_t i = 0; i < N_TYPES; i++) {
        assert_true(mo_dtype_find(&found, types[i].name));
        assert_int_equal(found, i);
    }
    static const char *const other[] = {"", "F", "f32", "F32 ", "F8_E4M3", "BOOLS"};
    found = MO_I8;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) assert_false(mo_dtype_find(&found, other[i]));
    assert_int_equal(found, MO_I8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_names_are_those_of_safetensors),
        cmocka_unit_test(names_are_read_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
