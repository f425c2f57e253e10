/* SPDX-License-Identifier: MIT
 * test_yuv.c - luma and colour differences to RGB: the coefficients are those of the standards, and what comes out is never
 * more than one from the formula in real numbers. */
#include "test.h"

#include "pixel/yuv.h"

/* By docs: luma' and colour' to red, green, blue in real numbers. */
typedef struct real {
    double black, luma, red_cr, green_cb, green_cr, blue_cb;
} real;

static real formula(bool bt709, bool full)
{
    const double kr = bt709 ? 0.2126 : 0.299, kb = bt709 ? 0.0722 : 0.114, kg = 1 - kr - kb;
    const double colour = full ? 1 : 255.0 / 224;
    return (real){full ? 0 : 16, full ? 1 : 255.0 / 219, 2 * (1 - kr) * colour,
        2 * kb * (1 - kb) / kg * colour, 2 * kr * (1 - kr) / kg * colour, 2 * (1 - kb) * colour};
}

static void coefficients_are_those_of_the_standards(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const mo_yuv *y = mo_yuv_get(i & 1, i & 2);
        const real r = formula(i & 1, i & 2);
        assert_int_equal(y->black, (int)r.black);
        assert_int_equal(y->luma, lround(65536 * r.luma));
        assert_int_equal(y->red_cr, lround(65536 * r.red_cr));
        assert_int_equal(y->green_cb, lround(65536 * r.green_cb));
        assert_int_equal(y->green_cr, lround(65536 * r.green_cr));
        assert_int_equal(y->blue_cb, lround(65536 * r.blue_cb));
    }
}

static double cut(double x)
{
    return x < 0 ? 0 : x > 255 ? 255 : x;
}

static void assert_near(uint8_t got, double want, const uint8_t in[3])
{
    if (fabs(got - cut(want)) > 0.51) fail_msg("%u of %u %u %u, %g expected", got, in[0], in[1], in[2], want);
}

/* All lumas with a net of colours, or all of them where there is time. */
static void every_colour_is_near_the_formula(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const real r = formula(i & 1, i & 2);
        for (int k = 0; k < 256 * 256; k += TEST_TIMES(7, 53)) {
            for (int y = 0; y < 256; y += 3) {
                const uint8_t in[3] = {(uint8_t)y, (uint8_t)(k & 255), (uint8_t)(k >> 8)};
                const double luma = r.luma * (y - r.black), cb = in[1] - 128, cr = in[2] - 128;
                uint8_t rgb[3];
                mo_yuv_row(rgb, &(mo_yuv_line){in, in + 1, in + 2, 1, 1}, 0, 1, mo_yuv_get(i & 1, i & 2));
                assert_near(rgb[0], luma + r.red_cr * cr, in);
                assert_near(rgb[1], luma - r.green_cb * cb - r.green_cr * cr, in);
                assert_near(rgb[2], luma + r.blue_cb * cb, in);
            }
        }
    }
}

static void assert_colour(bool bt709, bool full, const uint8_t in[3], const uint8_t want[3])
{
    uint8_t rgb[3];
    mo_yuv_row(rgb, &(mo_yuv_line){in, in + 1, in + 2, 1, 1}, 0, 1, mo_yuv_get(bt709, full));
    assert_memory_equal(rgb, want, 3);
}

/* The primary colours as the standards' tables have them. */
static void known_colours_come_out(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_colour(i, false, (const uint8_t[]){16, 128, 128}, (const uint8_t[]){0, 0, 0});
        assert_colour(i, false, (const uint8_t[]){235, 128, 128}, (const uint8_t[]){255, 255, 255});
        assert_colour(i, true, (const uint8_t[]){0, 128, 128}, (const uint8_t[]){0, 0, 0});
        assert_colour(i, true, (const uint8_t[]){255, 128, 128}, (const uint8_t[]){255, 255, 255});
        assert_colour(i, false, (const uint8_t[]){0, 128, 128}, (const uint8_t[]){0, 0, 0});
        assert_colour(i, false, (const uint8_t[]){255, 128, 128}, (const uint8_t[]){255, 255, 255});
    }
    assert_colour(false, false, (const uint8_t[]){81, 90, 240}, (const uint8_t[]){254, 0, 0});
    assert_colour(true, false, (const uint8_t[]){63, 102, 240}, (const uint8_t[]){255, 1, 0});
    assert_colour(false, true, (const uint8_t[]){76, 85, 255}, (const uint8_t[]){254, 0, 0});
}

static void two_pixels_share_a_pair_of_colours(void **state)
{
    (void)state;
    uint8_t luma[7], cb[4], cr[4], whole[21], part[21];
    for (size_t i = 0; i < 7; i++) luma[i] = (uint8_t)(20 + 30 * i);
    for (size_t i = 0; i < 4; i++) cb[i] = (uint8_t)(70 * i), cr[i] = (uint8_t)(250 - 60 * i);
    const mo_yuv_line line = {luma, cb, cr, 1, 1};
    mo_yuv_row(whole, &line, 0, 7, mo_yuv_get(false, false));
    for (size_t x = 0; x < 7; x++) {
        const uint8_t in[3] = {luma[x], cb[x / 2], cr[x / 2]};
        assert_colour(false, false, in, whole + 3 * x);
        mo_yuv_row(part, &line, x, 7 - x, mo_yuv_get(false, false)); /* from an odd pixel on, too */
        assert_memory_equal(part, whole + 3 * x, 3 * (7 - x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coefficients_are_those_of_the_standards),
        cmocka_unit_test(every_colour_is_near_the_formula),
        cmocka_unit_test(known_colours_come_out),
        cmocka_unit_test(two_pixels_share_a_pair_of_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
