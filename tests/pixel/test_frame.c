/* SPDX-License-Identifier: MIT
 * test_frame.c - frames of every layout and kind of sample against a plain reference, pixel by pixel: any stride, rows that
 * go upwards, odd sizes, regions. */
#include "test.h"

#include "api/api_image.h"
#include "base/rng.h"
#include "pixel/frame.h"

enum { MOST = 1 << 14 };

static uint8_t memory[3][MOST]; /* of planes */
static mo_rng rng;

static void fill(int32_t samples)
{
    for (size_t p = 0; p < 3; p++) {
        for (size_t i = 0; i < MOST; i++) memory[p][i] = (uint8_t)mo_rng_below(&rng, 256);
        for (size_t i = 0; samples == MOPD_SAMPLES_F32 && i + 5 <= MOST;
             i += 4) { /* rows begin at odd addresses */
            const float x = (float)(mo_rng_unit(&rng) * 340 - 40);
            memcpy(memory[p] + 1 + i, &x, sizeof x);
        }
        for (size_t i = 0; samples == MOPD_SAMPLES_U16 && i + 3 <= MOST; i += 2) {
            const uint16_t x = (uint16_t)mo_rng_below(&rng, i % 4 ? 300 : 65536);
            memcpy(memory[p] + 1 + i, &x, sizeof x);
        }
    }
}

/* -- the reference ------------------------------------------------------------------------------------------- */

static const uint8_t *at(const mopd_frame *f, size_t plane, size_t y)
{
    return (const uint8_t *)f->planes[plane] + (ptrdiff_t)y * f->row_bytes[plane];
}

/* Sample i of row y as a byte. */
static uint8_t sample(const mopd_frame *f, size_t y, size_t i)
{
    const uint8_t *row = at(f, 0, y);
    if (f->samples == MOPD_SAMPLES_U8) return row[i];
    if (f->samples == MOPD_SAMPLES_U16) {
        uint16_t x;
        memcpy(&x, row + 2 * i, 2);
        if (f->layout == MOPD_LAYOUT_GREY && !(f->flags & MOPD_FRAME_SCALE_GREY16))
            return x < 255 ? (uint8_t)x : 255;
        return (uint8_t)(x / 256);
    }
    float x;
    memcpy(&x, row + 4 * i, 4);
    if (f->white != 0) x *= (float)(255 / f->white);
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : floorf(x));
}

static uint8_t rounded(long x)
{
    x = (x + 32768) >> 16;
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

static void convert(uint8_t rgb[3], const mopd_frame *f, int y, int cb, int cr)
{
    const bool hd = f->flags & MOPD_FRAME_BT709, full = f->flags & MOPD_FRAME_FULL_RANGE;
    const double kr = hd ? 0.2126 : 0.299, kb = hd ? 0.0722 : 0.114, kg = 1 - kr - kb,
                 c = full ? 65536 : 65536 * 255.0 / 224;
    const long luma = lround(65536 * (full ? 1 : 255.0 / 219)) * (y - (full ? 0 : 16));
    rgb[0] = rounded(luma + lround(2 * (1 - kr) * c) * (cr - 128));
    rgb[1] = rounded(luma - lround(2 * kb * (1 - kb) / kg * c) * (cb - 128) -
                     lround(2 * kr * (1 - kr) / kg * c) * (cr - 128));
    rgb[2] = rounded(luma + lround(2 * (1 - kb) * c) * (cb - 128));
}

/* Red, green, blue and alpha of one pixel of the frame. */
static void pixel(uint8_t out[4], const mopd_frame *f, size_t x, size_t y)
{
    static const char *const orders[] = {[MOPD_LAYOUT_GREY] = "k", "rgb", "bgr", "rgba", "bgra", "argb"};
    out[3] = 255;
    if (f->layout == MOPD_LAYOUT_YUYV) {
        const uint8_t *pair = at(f, 0, y) + x / 2 * 4;
        convert(out, f, pair[x % 2 * 2], pair[1], pair[3]);
    } else if (f->layout == MOPD_LAYOUT_NV12) {
        const uint8_t *pair = at(f, 1, y / 2) + x / 2 * 2;
        convert(out, f, at(f, 0, y)[x], pair[0], pair[1]);
    } else if (f->layout == MOPD_LAYOUT_I420) {
        convert(out, f, at(f, 0, y)[x], at(f, 1, y / 2)[x / 2], at(f, 2, y / 2)[x / 2]);
    } else {
        const char *order = orders[f->layout];
        const size_t n = strlen(order);
        for (size_t i = 0; i < n; i++) {
            const uint8_t v = sample(f, y, x * n + i);
            if (order[i] == 'k') memset(out, v, 3);
            if (order[i] != 'k') out[strchr("rgba", order[i]) - "rgba"] = v;
        }
    }
}

/* -- frames of every kind ------------------------------------------------------------------------------------ */

static mopd_frame frame_of(int32_t layout, int32_t samples, size_t width, size_t height)
{
    mopd_frame f;
    assert_ok(mopd_frame_init(&f, sizeof f));
    f.layout = layout;
    f.samples = samples;
    f.width = width;
    f.height = height;
    for (size_t i = 0; i < 3; i++) f.planes[i] = memory[i] + 1; /* words and floats at odd addresses */
    return f;
}

/* Rows `more` bytes further apart than packed ones, upwards or downwards. */
static void stretch(mopd_frame *f, size_t more, bool upward)
{
    for (size_t i = 0; i < mo_frame_planes(f->layout, f->samples); i++) {
        size_t row, n;
        assert_true(mo_frame_plane(f, i, &row, &n));
        assert_true((row + more) * n < MOST);
        f->row_bytes[i] = (ptrdiff_t)(row + more) * (upward ? -1 : 1);
        if (upward) f->planes[i] = memory[i] + 1 + (row + more) * (n - 1);
    }
}

static void assert_picture(const mopd_frame *f)
{
    mopd_image *image;
    mopd_frame whole = *f; /* the reference knows strides, the library may be told 0 */
    assert_ok(mopd_image_create_frame(&image, f));
    if (!f->row_bytes[0]) stretch(&whole, 0, false);
    const mo_image *p = &image->picture;
    const bool alpha = f->layout >= MOPD_LAYOUT_RGBA && f->layout <= MOPD_LAYOUT_ARGB;
    assert_int_equal(p->width, f->region_width ? f->region_width : f->width - f->x);
    assert_int_equal(p->height, f->region_height ? f->region_height : f->height - f->y);
    assert_int_equal(p->alpha != NULL, alpha && !(f->flags & MOPD_FRAME_NO_ALPHA));
    for (size_t y = 0; y < p->height; y++) {
        for (size_t x = 0; x < p->width; x++) {
            uint8_t want[4];
            pixel(want, &whole, f->x + x, f->y + y);
            assert_memory_equal(mopd_image_samples(image) + (y * p->width + x) * 3, want, 3);
            assert_memory_equal(p->rgb + y * mo_image_row_bytes(p) + 3 * x, want, 3);
            if (p->alpha) assert_int_equal(p->alpha[y * p->width + x], want[3]);
        }
    }
    mopd_image_close(image);
}

static const size_t sizes[][2] = {{1, 1}, {2, 2}, {3, 1}, {1, 3}, {8, 6}, {7, 5}, {13, 4}};

/* All strides and flags, whole and in part. */
static void try_frame(int32_t layout, int32_t samples, size_t width, size_t height)
{
    static const uint32_t flags[] = {0, MOPD_FRAME_SCALE_GREY16, MOPD_FRAME_NO_ALPHA, MOPD_FRAME_BORROW,
        MOPD_FRAME_BT709, MOPD_FRAME_FULL_RANGE,
        MOPD_FRAME_BT709 | MOPD_FRAME_FULL_RANGE | MOPD_FRAME_BORROW};
    fill(samples);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        for (int k = 0; k < 5; k++) {
            mopd_frame f = frame_of(layout, samples, width, height);
            f.flags = flags[i];
            if (k) stretch(&f, k % 2 ? 0 : 8, k > 2);
            assert_picture(&f);
            if (samples == MOPD_SAMPLES_F32) f.white = 131;
            f.x = width / 3;
            f.y = height / 2;
            assert_picture(&f);
            f.region_width = (width - f.x + 1) / 2;
            f.region_height = 1;
            assert_picture(&f);
        }
    }
}

static void every_frame_is_that_of_the_reference(void **state)
{
    (void)state;
    size_t n = 0;
    for (int32_t layout = MOPD_LAYOUT_GREY; layout <= MOPD_LAYOUT_YUYV; layout++)
        for (int32_t samples = MOPD_SAMPLES_U8; samples <= MOPD_SAMPLES_F32; samples++)
            for (size_t i = 0; mo_frame_planes(layout, samples) && i < sizeof sizes / sizeof *sizes; i++, n++)
                try_frame(layout, samples, sizes[i][0], sizes[i][1]);
    assert_int_equal(n, (6 * 3 + 3) * sizeof sizes / sizeof *sizes);
}

/* A float's fraction is dropped, as Pillow does; what lies beyond is cut; a word's low byte is dropped. */
static void samples_are_rounded_as_pillow_does(void **state)
{
    (void)state;
    const float floats[] = {-1, 0.999f, 1, 254.999f, 255, 300, INFINITY, -INFINITY};
    const uint8_t of_floats[] = {0, 0, 1, 254, 255, 255, 255, 0};
    const uint16_t words[] = {0, 255, 256, 65535};
    const uint8_t cut[] = {0, 255, 255, 255}, scaled[] = {0, 0, 1, 255};
    mopd_image *image;
    mopd_frame f = frame_of(MOPD_LAYOUT_GREY, MOPD_SAMPLES_F32, 8, 1);
    f.planes[0] = floats;
    assert_ok(mopd_image_create_frame(&image, &f));
    for (size_t i = 0; i < 8; i++) assert_int_equal(mopd_image_samples(image)[3 * i], of_floats[i]);
    mopd_image_close(image);
    for (int k = 0; k < 2; k++) {
        f = frame_of(MOPD_LAYOUT_GREY, MOPD_SAMPLES_U16, 4, 1);
        f.planes[0] = words;
        f.flags = k ? MOPD_FRAME_SCALE_GREY16 : 0;
        assert_ok(mopd_image_create_frame(&image, &f));
        assert_int_equal(image->picture.cut, !k);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(mopd_image_samples(image)[3 * i], (k ? scaled : cut)[i]);
        mopd_image_close(image);
    }
}

static void a_sample_that_is_no_number_is_refused(void **state)
{
    (void)state;
    mopd_image *image;
    for (size_t i = 0; i < 7 * 5 * 4; i++) {
        float x = i == (3 * 7 + 2) * 4 + 1 ? NAN : 1;
        memcpy(memory[0] + 1 + 4 * i, &x, 4);
    }
    mopd_frame f = frame_of(MOPD_LAYOUT_BGRA, MOPD_SAMPLES_F32, 7, 5);
    assert_fails(
        mopd_image_create_frame(&image, &f), MOPD_E_ARG, "sample 1 of row 3, column 2 is not a number");
    assert_null(image);
    f.x = 1;
    f.y = 2;
    assert_fails(
        mopd_image_create_frame(&image, &f), MOPD_E_ARG, "sample 1 of row 3, column 2 is not a number");
    f.x = 3; /* what is not looked at does no harm */
    assert_ok(mopd_image_create_frame(&image, &f));
    mopd_image_close(image);
}

/* The tower reads borrowed rows where they lie; what it makes of them is what it makes of a copy. */
static void borrowed_rows_are_read_in_place(void **state)
{
    (void)state;
    fill(MOPD_SAMPLES_U8);
    mopd_image *image;
    mopd_frame f = frame_of(MOPD_LAYOUT_RGB, MOPD_SAMPLES_U8, 20, 9);
    f.flags = MOPD_FRAME_BORROW;
    assert_ok(mopd_image_create_frame(&image, &f));
    assert_ptr_equal(mopd_image_samples(image), memory[0] + 1);
    mopd_image_close(image);
    f.row_bytes[0] = 67;
    f.x = 4;
    f.region_width = 11;
    assert_ok(mopd_image_create_frame(&image, &f));
    assert_ptr_equal(image->picture.rgb, memory[0] + 1 + 12);
    const uint8_t *packed = mopd_image_samples(image);
    assert_ptr_not_equal(packed, image->picture.rgb);
    assert_ptr_equal(packed, mopd_image_samples(image));
    mopd_image *crop;
    assert_ok(mopd_image_crop(&crop, image, 2, 3, 5, 4));
    for (size_t y = 0; y < 4; y++)
        assert_memory_equal(mopd_image_samples(crop) + 15 * y, memory[0] + 1 + (3 + y) * 67 + 18, 15);
    mopd_image_close(image);
    memset(memory[0], 0, MOST); /* the crop is its own */
    assert_int_not_equal(
        mopd_image_samples(crop)[0] | mopd_image_samples(crop)[1] | mopd_image_samples(crop)[2], 0);
    mopd_image_close(crop);
}

static int seed(void **state)
{
    (void)state;
    mo_rng_seed(&rng, 17);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_is_that_of_the_reference),
        cmocka_unit_test(samples_are_rounded_as_pillow_does),
        cmocka_unit_test(a_sample_that_is_no_number_is_refused),
        cmocka_unit_test(borrowed_rows_are_read_in_place),
    };
    return cmocka_run_group_tests(tests, seed, NULL);
}
