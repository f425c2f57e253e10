/* SPDX-License-Identifier: MIT
 * test_pixels.c - preprocessing: the very bits of Pillow, transformers and open_clip (tests/gold/pixels),
 * edges, and training views. */
#include "test.h"

#include "base/mem.h"
#include "mopd/encoder.h"
#include "pixel/pixels.h"
#include "support/resampling.h"

static void check_pipeline(const char *line)
{
    char word[16], name[80], want[80], hex[65];
    unsigned side;
    assert_int_equal(sscanf(line, "%15s %79s %u %79s", word, name, &side, want), 4);
    mo_pixels p;
    (strcmp(word, "clip") ? mo_pixels_openai : mo_pixels_clip)(&p, side);
    mo_image picture = gold_image(name);
    float *out = mo_mem_alloc((size_t)side * side * 3, sizeof *out);
    assert_ok(mo_pixels_run(&p, &picture, out));
    gold_hash(hex, out, (size_t)side * side * 3 * sizeof *out);
    if (strncmp(hex, want, strlen(want))) fail_msg("%s: here it is %s", line, hex);
    mo_mem_free(out);
    mo_image_free(&picture);
}

static void pixels_are_transformers(void **state)
{
    (void)state;
    gold_lines("clip ", check_pipeline, 100);
}

static void pixels_are_torchvisions(void **state)
{
    (void)state;
    gold_lines("openai ", check_pipeline, 100);
}

static void pixels_take_any_shape(void **state)
{
    (void)state;
    static const size_t sides[][2] = {{1, 1}, {1, 5000}, {5000, 1}, {2, 3}, {224, 224}, {225, 224}};
    float *out = mo_mem_alloc(224 * 224 * 3, sizeof *out);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        mo_image picture = random_image(sides[i][0], sides[i][1], (uint32_t)i);
        mo_pixels p;
        mo_pixels_clip(&p, 224);
        out[224 * 224 * 3 - 1] = NAN;
        assert_ok(mo_pixels_run(&p, &picture, out));
        for (size_t k = 0; k < 224 * 224 * 3; k++) assert_true(isfinite(out[k]));
        assert_ok(mo_pixels_view(&p, &picture, i, out));
        for (size_t k = 0; k < 224 * 224 * 3; k++) assert_true(isfinite(out[k]));
        mo_image_free(&picture);
    }
    mo_mem_free(out);
}

/* 1 x 300,000 pixels at 16384 rows would be 4.9e9 columns, more than a size of 32 bits counts; the crop shows 0.014 of a pixel, where
 * black becomes white. */
static void strips_may_be_resized_beyond_all_sizes(void **state)
{
    (void)state;
    enum { LONG = 300000, SIDE = 224 };
    mo_image strip = {.width = LONG, .height = 1, .rgb = mo_mem_calloc(LONG, 3)};
    uint8_t *out = mo_mem_alloc(SIDE * SIDE, 3);
    mo_pixels p;
    assert_non_null(strip.rgb);
    memset(strip.rgb + LONG / 2 * 3, 255, LONG / 2 * 3);
    mo_pixels_clip(&p, SIDE);
    p.resize_h = p.resize_w = 16384;
    assert_ok(mo_pixels_bytes(&p, &strip, out));
    for (size_t i = 0; i < SIDE * SIDE * 3; i++) assert_in_range(out[i], 125, 130);
    assert_true(out[0] < out[3 * (SIDE - 1)]);
    mo_mem_free(out);
    mo_image_free(&strip);
}

static void pixels_pad_what_is_smaller_than_the_crop(void **state)
{
    (void)state;
    mo_image picture = random_image(5, 4, 9);
    mo_pixels p;
    mo_pixels_clip(&p, 8);
    p.fit = MO_FIT_NONE;
    p.fill = 9;
    uint8_t out[8 * 8 * 3];
    /* 5 of 8 columns: the odd one goes left in transformers, right in torchvision; 4 of 8 rows: 2 and 2 */
    for (uint32_t rule = 0; rule < 2; rule++) {
        p.centre = rule;
        size_t left = rule == MO_CENTRE_FLOOR ? 2 : 1;
        assert_ok(mo_pixels_bytes(&p, &picture, out));
        for (size_t y = 0; y < 8; y++) {
            for (size_t x = 0; x < 8 * 3; x++) {
                bool inside = y >= 2 && y < 6 && x >= left * 3 && x < (left + 5) * 3;
                unsigned want = inside ? picture.rgb[(y - 2) * 15 + x - left * 3] : 9;
                assert_int_equal(out[y * 24 + x], want);
            }
        }
    }
    mo_image_free(&picture);
}

static void pixels_centre_rules_differ_on_odd_rests(void **state)
{
    (void)state;
    mo_image picture = random_image(7, 4, 2);
    mo_pixels p;
    mo_pixels_clip(&p, 4);
    p.fit = MO_FIT_NONE; /* 7 - 4 = 3: floor 1, round-half-even 2 */
    uint8_t out[4 * 4 * 3];
    assert_ok(mo_pixels_bytes(&p, &picture, out));
    assert_memory_equal(out, picture.rgb + 3, 12);
    p.centre = MO_CENTRE_ROUND;
    assert_ok(mo_pixels_bytes(&p, &picture, out));
    assert_memory_equal(out, picture.rgb + 6, 12);
    mo_image_free(&picture);
}

static void pixels_alpha_over_white_or_dropped(void **state)
{
    (void)state;
    mo_image picture;
    assert_ok(mo_image_create(&picture, 2, 2, true));
    memset(picture.rgb, 100, 12);
    memcpy(picture.alpha, "\x00\x80\xff\x01", 4);
    mo_pixels p;
    mo_pixels_clip(&p, 2);
    uint8_t out[12];
    assert_ok(mo_pixels_bytes(&p, &picture, out));
    assert_int_equal(out[0], 255);
    assert_int_equal(out[3], 177); /* 100 x 128 / 255 + 127 */
    assert_int_equal(out[6], 100);
    assert_int_equal(out[9], 254);
    p.alpha = MO_ALPHA_DROP;
    assert_ok(mo_pixels_bytes(&p, &picture, out));
    for (int i = 0; i < 12; i++) assert_int_equal(out[i], 100);
    mo_image_free(&picture);
}

static void pixels_effnet_is_x_less_127_over_128(void **state)
{
    (void)state;
    mo_image picture = random_image(4, 4, 5);
    mo_pixels p;
    mo_pixels_effnet(&p, 4);
    float out[48];
    assert_ok(mo_pixels_run(&p, &picture, out));
    for (size_t i = 0; i < 16; i++)
        for (size_t c = 0; c < 3; c++)
            assert_true(out[c * 16 + i] == ((float)picture.rgb[3 * i + c] - 127.0f) / 128.0f);
    mo_image_free(&picture);
}

static void pixels_longest_stays_inside_and_cover_covers(void **state)
{
    (void)state;
    mo_image picture = random_image(20, 10, 5);
    mo_pixels p;
    mo_pixels_openai(&p, 8);
    uint8_t out[8 * 8 * 3];
    p.fit = MO_FIT_LONGEST;
    p.fill = 3;
    assert_ok(mo_pixels_bytes(&p, &picture, out)); /* 8 x 4, two rows of fill above and below */
    for (size_t i = 0; i < 2 * 24; i++) {
        assert_int_equal(out[i], 3);
        assert_int_equal(out[6 * 24 + i], 3);
    }
    mo_image_free(&picture);
    picture = random_image(1, 300, 1);
    assert_fails(mo_pixels_bytes(&p, &picture, out), MOPD_E_UNSUPPORTED,
        "a picture of 1 x 300 pixels would be resized to 0 x 8");
    p.fit = MO_FIT_COVER;
    assert_ok(mo_pixels_bytes(&p, &picture, out));
    mo_image_free(&picture);
}

static void pixels_check_names_the_field(void **state)
{
    (void)state;
    mo_pixels p, good;
    mo_pixels_clip(&good, 224);
    assert_ok(mo_pixels_check(&good));
    p = good, p.filter = 6;
    assert_fails(mo_pixels_check(&p), MOPD_E_FORMAT, "resampling filter is 6");
    p = good, p.resize_h = 0;
    assert_fails(mo_pixels_check(&p), MOPD_E_FORMAT, "resize height is 0");
    p = good, p.crop_w = 20000;
    assert_fails(mo_pixels_check(&p), MOPD_E_FORMAT, "crop width is 20000");
    p = good, p.std[1] = 0;
    assert_fails(mo_pixels_check(&p), MOPD_E_FORMAT, "std 0 of channel 1");
    p = good, p.rescale = INFINITY;
    assert_fails(mo_pixels_check(&p), MOPD_E_FORMAT, "rescale factor is inf");
    p = good, p.crop_h = p.crop_w = 0;
    assert_fails(mo_pixels_check(&p), MOPD_E_FORMAT, "differ in size");
    p.fit = MO_FIT_EXACT;
    assert_ok(mo_pixels_check(&p));
    p = good, p.fit = 5;
    assert_fails(mo_pixels_check(&p), MOPD_E_FORMAT, "the fit is 5");
    p = good, p.fill = 256;
    assert_fails(mo_pixels_check(&p), MOPD_E_FORMAT, "the fill is 256");
}

static void view_depends_on_the_seed_alone(void **state)
{
    (void)state;
    mo_image picture = random_image(50, 40, 1);
    mo_pixels p;
    mo_pixels_clip(&p, 16);
    float a[768], b[768], c[768];
    assert_ok(mo_pixels_view(&p, &picture, 7, a));
    assert_ok(mo_pixels_view(&p, &picture, 8, c));
    assert_ok(mo_pixels_view(&p, &picture, 7, b));
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    mo_image_free(&picture);
}

static void view_draws_what_torchvision_would(void **state)
{
    (void)state;
    mo_image picture = {.width = 640, .height = 480};
    double area = 0, flips = 0, least = 2, most = 0, n = 20000;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        mo_crop c;
        mo_pixels_draw(&picture, seed, &c);
        assert_true(c.w >= 1 && c.h >= 1 && c.left + c.w <= 640 && c.top + c.h <= 480);
        double ratio = (double)c.w / (double)c.h, part = (double)(c.w * c.h) / (640.0 * 480.0);
        assert_true(part > 0.078 && part <= 1.0 && ratio > 0.74 && ratio < 1.35);
        area += part / n;
        flips += (c.flip ? 1 : 0) / n;
        least = fmin(least, ratio);
        most = fmax(most, ratio);
    }
    assert_true(fabs(flips - 0.5) < 0.02);
    assert_true(fabs(area - 0.4304) < 0.006); /* torchvision's own mean over 20,000 draws; deviation 0.0015 */
    assert_true(least < 0.76 && most > 1.32);
}

static void view_of_strips_falls_back_to_the_middle(void **state)
{
    (void)state;
    mo_crop c;
    mo_image tall = {.width = 3, .height = 5001}, wide = {.width = 5001, .height = 3};
    for (uint64_t seed = 0; seed < 50; seed++) {
        mo_pixels_draw(&tall, seed, &c);
        assert_true(c.w == 3 && c.h == 4 && c.left == 0 && c.top == 2498);
        mo_pixels_draw(&wide, seed, &c);
        assert_true(c.w == 4 && c.h == 3 && c.top == 0 && c.left == 2498);
    }
}

static void view_flips_the_columns(void **state)
{
    (void)state;
    mo_image picture = random_image(30, 30, 1), mirror = random_image(30, 30, 1);
    mo_pixels p;
    mo_pixels_clip(&p, 8);
    float a[192];
    bool seen[2] = {false, false};
    for (uint64_t seed = 0; seed < 20; seed++) {
        mo_crop c;
        mo_pixels_draw(&picture, seed, &c);
        seen[c.flip] = true;
        mo_rect in = {picture.rgb + (c.top * 30 + c.left) * 3, c.w, c.h, 90};
        mo_resize to = resize_to(8, 8, MO_FILTER_BICUBIC);
        uint8_t out[192];
        assert_ok(mo_resample(out, &in, &to));
        assert_ok(mo_pixels_view(&p, &picture, seed, a));
        for (size_t y = 0; y < 8; y++) {
            for (size_t x = 0; x < 8; x++) {
                float v = (float)(out[(y * 8 + (c.flip ? 7 - x : x)) * 3] / 255.0);
                assert_true(fabsf(a[y * 8 + x] - (v - 0.48145466f) / 0.26862954f) < 1e-5f);
            }
        }
    }
    assert_true(seen[0] && seen[1]);
    mo_image_free(&picture);
    mo_image_free(&mirror);
}

/* A part of a picture as one of its own; alpha too. */
static mo_image part_of(const mo_image *from, size_t top, size_t left, size_t h, size_t w)
{
    mo_image part;
    assert_ok(mo_image_create(&part, w, h, from->alpha != NULL));
    for (size_t y = 0; y < h; y++) {
        memcpy(part.rgb + y * w * 3, from->rgb + ((top + y) * from->width + left) * 3, w * 3);
        if (from->alpha) memcpy(part.alpha + y * w, from->alpha + (top + y) * from->width + left, w);
    }
    return part;
}

/* Mirror image, middle and two corners of 0.8 of the sides, as if each were a picture. */
static void fixed_views_are_parts_and_the_mirror_image(void **state)
{
    (void)state;
    const size_t at[3][2] = {{4, 5}, {0, 0}, {8, 10}}; /* of 32 x 40 in 40 x 50 */
    for (uint32_t fit = MO_FIT_NONE; fit <= MO_FIT_COVER; fit++) {
        mo_image picture = random_image(50, 40, 1);
        mo_pixels p;
        mo_pixels_clip(&p, 16);
        p.fit = fit;
        float a[768], b[768];
        assert_ok(mo_pixels_run(&p, &picture, a));
        assert_ok(mo_pixels_fixed(&p, &picture, 0, b));
        assert_memory_equal(a, b, sizeof a);
        assert_ok(mo_pixels_fixed(&p, &picture, 1, b));
        for (size_t i = 0; i < 768; i++) assert_true(b[i] == a[i / 16 * 16 + 15 - i % 16]);
        for (size_t v = 0; v < 3; v++) {
            mo_image part = part_of(&picture, at[v][0], at[v][1], 32, 40);
            assert_ok(mo_pixels_run(&p, &part, a));
            assert_ok(mo_pixels_fixed(&p, &picture, 2 + v, b));
            assert_memory_equal(a, b, sizeof a);
            mo_image_free(&part);
        }
        mo_image_free(&picture);
    }
}

static void fixed_views_of_one_pixel_are_it(void **state)
{
    (void)state;
    mo_image dot = random_image(1, 1, 3), wide = random_image(9, 1, 3);
    mo_pixels p;
    mo_pixels_clip(&p, 4);
    float a[48], b[48];
    assert_ok(mo_pixels_run(&p, &dot, a));
    for (size_t v = 0; v < MOPD_FIXED_VIEWS; v++) {
        assert_ok(mo_pixels_fixed(&p, &dot, v, b));
        assert_memory_equal(a, b, sizeof a);
        assert_ok(mo_pixels_fixed(&p, &wide, v, b));
    }
    mo_image_free(&dot);
    mo_image_free(&wide);
}

static mopd_status run_and_view(void *ctx)
{
    mo_pixels p;
    mo_pixels_clip(&p, 8);
    p.crop_h = 12; /* padding too */
    float out[12 * 8 * 3];
    mopd_status st = mo_pixels_run(&p, ctx, out);
    if (st == MOPD_OK) st = mo_pixels_fixed(&p, ctx, 4, out);
    return st == MOPD_OK ? mo_pixels_view(&p, ctx, 1, out) : st;
}

static void pixels_survive_lack_of_memory(void **state)
{
    (void)state;
    static uint8_t rgb[20 * 30 * 3] = {7}, alpha[20 * 30] = {9};
    mo_image picture = {.width = 20, .height = 30, .rgb = rgb, .alpha = alpha};
    test_torture(run_and_view, &picture);
    assert_int_equal(test_count_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_transformers),
        cmocka_unit_test(pixels_are_torchvisions),
        cmocka_unit_test(pixels_take_any_shape),
        cmocka_unit_test(strips_may_be_resized_beyond_all_sizes),
        cmocka_unit_test(pixels_pad_what_is_smaller_than_the_crop),
        cmocka_unit_test(pixels_centre_rules_differ_on_odd_rests),
        cmocka_unit_test(pixels_alpha_over_white_or_dropped),
        cmocka_unit_test(pixels_effnet_is_x_less_127_over_128),
        cmocka_unit_test(pixels_longest_stays_inside_and_cover_covers),
        cmocka_unit_test(pixels_check_names_the_field),
        cmocka_unit_test(view_depends_on_the_seed_alone),
        cmocka_unit_test(view_draws_what_torchvision_would),
        cmocka_unit_test(view_of_strips_falls_back_to_the_middle),
        cmocka_unit_test(view_flips_the_columns),
        cmocka_unit_test(fixed_views_are_parts_and_the_mirror_image),
        cmocka_unit_test(fixed_views_of_one_pixel_are_it),
        cmocka_unit_test(pixels_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
