/* SPDX-License-Identifier: MIT
 * test_view.c - stored tensors as floats: element types, places, alignment; rows stored as another type. */
#include "test.h"

#include "base/dtype.h"
#include "base/floats.h"
#include "base/half.h"
#include "base/view.h"

static const mo_dtype all[] = {
    MO_F32, MO_F16, MO_BF16, MO_F64, MO_I64, MO_I32, MO_I16, MO_I8, MO_U8, MO_BOOL};

static void types_have_the_names_and_sizes_of_safetensors(void **state)
{
    (void)state;
    static const char *const names[] = {"F32", "F16", "BF16", "F64", "I64", "I32", "I16", "I8", "U8", "BOOL"};
    static const size_t sizes[] = {4, 2, 2, 8, 8, 4, 2, 1, 1, 1};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_string_equal(mo_dtype_name(all[i]), names[i]);
        assert_int_equal(mo_dtype_size(all[i]), sizes[i]);
    }
}

enum { N = 37 };

/* x as elements of a type, `shift` bytes into room. */
static mo_view view_of(const float *x, mo_dtype dtype, unsigned char *room, size_t shift)
{
    unsigned char *to = room + shift;
    for (size_t i = 0; i < N; i++) {
        double d = (double)x[i];
        if (dtype == MO_F64)
            memcpy(to + 8 * i, &d, sizeof d);
        else
            mo_floats_store(x + i, 1, dtype, to + mo_dtype_size(dtype) * i);
    }
    return (mo_view){.data = to, .dtype = dtype, .n_dims = 1, .shape = {N}, .n = N};
}

static float rounded(float x, mo_dtype dtype)
{
    if (dtype == MO_F16) return mo_half_f16_to_f32(mo_half_f32_to_f16(x));
    return dtype == MO_BF16 ? mo_half_bf16_to_f32(mo_half_f32_to_bf16(x)) : x;
}

static void any_part_of_any_float_type_at_any_address(void **state)
{
    (void)state;
    static const mo_dtype floats[] = {MO_F32, MO_F16, MO_BF16, MO_F64};
    unsigned char room[8 * N + 8];
    float x[N], got[N + 1];
    test_random(x, N, 1);
    for (size_t t = 0; t < 4; t++)
        for (size_t shift = 0; shift < 8; shift++) {
            mo_view v = view_of(x, floats[t], room, shift);
            for (size_t first = 0; first < N; first += 5) {
                const size_t n = N - first;
                got[n] = 99;
                assert_true(mo_view_floats(&v, first, n, got));
                for (size_t i = 0; i < n; i++) assert_true(got[i] == rounded(x[first + i], floats[t]));
                assert_true(got[n] == 99); /* nothing behind is written */
            }
        }
}

static void integers_are_no_floats(void **state)
{
    (void)state;
    const uint64_t bytes[4] = {0};
    float got = 5;
    for (size_t i = 4; i < sizeof all / sizeof *all; i++) {
        mo_view v = {.data = bytes, .dtype = all[i], .n_dims = 1, .shape = {4}, .n = 4};
        assert_false(mo_view_floats(&v, 0, 1, &got));
        assert_true(got == 5);
    }
}

static void a_double_beyond_float_becomes_infinite(void **state)
{
    (void)state;
    const double d[2] = {1e300, -1e300};
    float got[2];
    mo_view v = {.data = d, .dtype = MO_F64, .n_dims = 1, .shape = {2}, .n = 2};
    assert_true(mo_view_floats(&v, 0, 2, got));
    assert_true(isinf(got[0]) && got[0] > 0 && isinf(got[1]) && got[1] < 0);
}

static void finite_rows_are_told_from_others(void **state)
{
    (void)state;
    float x[100];
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    test_random(x, 100, 2);
    assert_true(mo_floats_finite(x, 100));
    assert_true(mo_floats_finite(x, 0));
    for (size_t at = 0; at < 100; at += 11)
        for (int b = 0; b < 3; b++) {
            const float kept = x[at];
            x[at] = bad[b];
            assert_false(mo_floats_finite(x, 100));
            assert_true(mo_floats_finite(x, at)); /* what lies behind the row does not count */
            x[at] = kept;
        }
}

static void panels_are_counted_row_by_row(void **state)
{
    (void)state;
    enum { OUTPUTS = 48, INPUTS = 7 };
    static const mo_dtype floats[] = {MO_F32, MO_F16, MO_BF16, MO_F64};
    static unsigned char room[8 * OUTPUTS * INPUTS];
    for (size_t t = 0; t < 4; t++) {
        for (size_t o = 0; o < OUTPUTS; o++)
            for (size_t i = 0; i < INPUTS; i++) {
                const size_t at = (o / 16 * INPUTS + i) * 16 + o % 16;
                const float x = (float)(o * INPUTS + i) / 2; /* fits a bfloat16 below 128 */
                const double d = (double)x;
                if (floats[t] == MO_F64)
                    memcpy(room + 8 * at, &d, sizeof d);
                else
                    mo_floats_store(&x, 1, floats[t], room + mo_dtype_size(floats[t]) * at);
            }
        const mo_view v = {.data = room,
            .dtype = floats[t],
            .n_dims = 2,
            .shape = {OUTPUTS, INPUTS},
            .n = (size_t)OUTPUTS * INPUTS,
            .panel_inputs = INPUTS};
        for (size_t first = 0; first < v.n; first += 41) {
            float got[OUTPUTS * INPUTS];
            assert_true(mo_view_floats(&v, first, v.n - first, got));
            for (size_t i = 0; first + i < v.n; i++)
                assert_true(got[i] == rounded((float)(first + i) / 2, floats[t]));
        }
    }
    const mo_view ints = {.data = room, .dtype = MO_I8, .n = 16, .panel_inputs = 1};
    float x[16];
    assert_false(mo_view_floats(&ints, 0, 16, x));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_the_names_and_sizes_of_safetensors),
        cmocka_unit_test(any_part_of_any_float_type_at_any_address),
        cmocka_unit_test(integers_are_no_floats),
        cmocka_unit_test(a_double_beyond_float_becomes_infinite),
        cmocka_unit_test(finite_rows_are_told_from_others),
        cmocka_unit_test(panels_are_counted_row_by_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
