/* SPDX-License-Identifier: MIT
 * test_half.c - 16-bit floats, there and back. */
#include "test.h"

#include "base/half.h"

static void halves_round_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) { /* every half goes there and back */
        float f = mo_half_f16_to_f32((uint16_t)h), g = mo_half_bf16_to_f32((uint16_t)h);
        if (f == f) assert_int_equal(mo_half_f32_to_f16(f), h);
        if (g == g) assert_int_equal(mo_half_f32_to_bf16(g), h);
    }
    assert_true(isnan(mo_half_f16_to_f32(mo_half_f32_to_f16(NAN))));
    assert_true(isnan(mo_half_bf16_to_f32(mo_half_f32_to_bf16(NAN))));
    assert_int_equal(mo_half_f32_to_f16(65504.0f), 0x7bff);
    assert_int_equal(mo_half_f32_to_f16(65519.9f), 0x7bff);
    assert_int_equal(mo_half_f32_to_f16(65520.0f), 0x7c00);
    assert_int_equal(mo_half_f32_to_f16(1.0f + 0x1p-11f), 0x3c00); /* half-way: to even */
    assert_int_equal(mo_half_f32_to_f16(1.0f + 3 * 0x1p-11f), 0x3c02);
    assert_int_equal(mo_half_f32_to_f16(0x1p-25f), 0);
    assert_int_equal(mo_half_f32_to_f16(-0x1.8p-24f), 0x8002);
    assert_int_equal(mo_half_f32_to_bf16(1.0f + 0x1p-8f), 0x3f80);
    assert_int_equal(mo_half_f32_to_bf16(1.0f + 3 * 0x1p-8f), 0x3f82);
}

/* The nearest half by trying both neighbours, in double. */
static uint16_t nearest_f16(float f)
{
    uint16_t best = 0;
    double least = INFINITY;
    for (uint32_t h = 0; h < 0x7c00; h++) {
        double d = fabs((double)mo_half_f16_to_f32((uint16_t)h) - fabs((double)f));
        if (d < least || (d <= least && !(h & 1))) least = d, best = (uint16_t)h;
    }
    return (uint16_t)(best | (signbit(f) ? 0x8000 : 0));
}

static void any_float_goes_to_its_nearest_half(void **state)
{
    (void)state;
    float x[200];
    test_random(x, 200, 3);
    for (int i = 0; i < 200; i++) {
        float f = ldexpf(x[i], i % 36 - 26); /* from subnormal halves to some hundreds */
        assert_int_equal(mo_half_f32_to_f16(f), nearest_f16(f));
    }
}

static void infinities_and_signs_stay(void **state)
{
    (void)state;
    assert_int_equal(mo_half_f32_to_f16(INFINITY), 0x7c00);
    assert_int_equal(mo_half_f32_to_f16(-INFINITY), 0xfc00);
    assert_int_equal(mo_half_f32_to_f16(-0.0f), 0x8000);
    assert_true(signbit(mo_half_f16_to_f32(0x8000)));
    assert_true(isinf(mo_half_f16_to_f32(0x7c00)));
    assert_int_equal(mo_half_f32_to_bf16(INFINITY), 0x7f80);
    assert_int_equal(mo_half_f32_to_bf16(-INFINITY), 0xff80);
    assert_int_equal(mo_half_f32_to_bf16(3.4e38f), 0x7f80); /* rounds up to infinity */
    assert_int_equal(mo_half_f32_to_bf16(-0.0f), 0x8000);
}

static void a_nan_of_any_bits_stays_one(void **state)
{
    (void)state;
    static const uint32_t bits[] = {0x7f800001, 0x7fc00000, 0xffffffff, 0x7f80ffff, 0xff800001};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        float f;
        memcpy(&f, &bits[i], sizeof f);
        assert_true(isnan(mo_half_f16_to_f32(mo_half_f32_to_f16(f))));
        assert_true(isnan(mo_half_bf16_to_f32(mo_half_f32_to_bf16(f))));
    }
}

static void rounding_never_loses_more_than_half_a_step(void **state)
{
    (void)state;
    float x[2000];
    test_random(x, 2000, 8);
    for (int i = 0; i < 2000; i++) {
        float f = ldexpf(x[i], i % 20 - 10), a = mo_half_f16_to_f32(mo_half_f32_to_f16(f)),
              b = mo_half_bf16_to_f32(mo_half_f32_to_bf16(f));
        if (fabsf(f) > 0x1p-14f) assert_true(fabsf(a - f) <= fabsf(f) * 0x1p-11f);
        assert_true(fabsf(b - f) <= fabsf(f) * 0x1p-8f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(any_float_goes_to_its_nearest_half),
        cmocka_unit_test(infinities_and_signs_stay),
        cmocka_unit_test(a_nan_of_any_bits_stays_one),
        cmocka_unit_test(rounding_never_loses_more_than_half_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
