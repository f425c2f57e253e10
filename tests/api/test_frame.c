/* SPDX-License-Identifier: MIT
 * test_frame.c - include/mopd/frame.h through the shared library: what is refused and how it is said, what borrowing and
 * regions mean to features, crops. */
#include "support/tiny.h"
#include "test.h"

static uint8_t samples[64 * 64 * 4];
static mopd_image *image;

static mopd_frame frame_of(int32_t layout, size_t width, size_t height)
{
    mopd_frame f;
    assert_ok(mopd_frame_init(&f, sizeof f));
    f.layout = layout;
    f.width = width;
    f.height = height;
    for (int i = 0; i < 3; i++) f.planes[i] = samples;
    return f;
}

static void assert_refused(const mopd_frame *f, const char *words)
{
    image = (mopd_image *)samples;
    assert_fails(mopd_image_create_frame(&image, f), MOPD_E_ARG, words);
    assert_non_null(strstr(mopd_last_error(), "mopd_image_create_frame: "));
    assert_null(image);
}

static void a_frame_says_what_it_is(void **state)
{
    (void)state;
    mopd_frame f;
    assert_ok(mopd_frame_init(&f, sizeof f));
    assert_refused(&f, "layout 0 of samples 0 is not known");
    f = frame_of(10, 2, 2);
    assert_refused(&f, "layout 10 of samples 0");
    f.layout = -1;
    assert_refused(&f, "layout -1");
    f = frame_of(MOPD_LAYOUT_RGB, 2, 2);
    f.samples = 3;
    assert_refused(&f, "layout 2 of samples 3");
    for (int32_t layout = MOPD_LAYOUT_NV12; layout <= MOPD_LAYOUT_YUYV; layout++) {
        f = frame_of(layout, 2, 2);
        f.samples = MOPD_SAMPLES_U16;
        assert_refused(&f, "of samples 1 is not known");
    }
    f = frame_of(MOPD_LAYOUT_RGB, 0, 2);
    assert_refused(&f, "0 x 2 pixels");
    f = frame_of(MOPD_LAYOUT_RGB, 2, 0);
    assert_refused(&f, "2 x 0 pixels");
    f = frame_of(MOPD_LAYOUT_RGB, 2, 2);
    f.white = -1;
    assert_refused(&f, "white is -1");
    f.white = NAN;
    assert_refused(&f, "white is");
}

static void every_plane_must_be_there(void **state)
{
    (void)state;
    static const int32_t layouts[] = {MOPD_LAYOUT_GREY, MOPD_LAYOUT_NV12, MOPD_LAYOUT_I420};
    for (size_t n = 0; n < 3; n++) {
        for (size_t i = 0; i < 3; i++) {
            char words[32];
            mopd_frame f = frame_of(layouts[n], 5, 3);
            f.planes[i] = NULL;
            snprintf(words, sizeof words, "planes[%zu] is NULL", i);
            if (i <= n) {
                assert_refused(&f, words);
            } else { /* nobody looks at it */
                assert_ok(mopd_image_create_frame(&image, &f));
                mopd_image_close(image);
            }
        }
    }
}

static void rows_must_hold_their_pixels(void **state)
{
    (void)state;
    static const struct {
        int32_t layout, samples;
        size_t plane, packed; /* of 5 pixels */
    } rows[] = {{MOPD_LAYOUT_GREY, MOPD_SAMPLES_U8, 0, 5}, {MOPD_LAYOUT_BGR, MOPD_SAMPLES_U8, 0, 15},
        {MOPD_LAYOUT_ARGB, MOPD_SAMPLES_U16, 0, 40}, {MOPD_LAYOUT_RGB, MOPD_SAMPLES_F32, 0, 60},
        {MOPD_LAYOUT_NV12, MOPD_SAMPLES_U8, 0, 5}, {MOPD_LAYOUT_NV12, MOPD_SAMPLES_U8, 1, 6},
        {MOPD_LAYOUT_I420, MOPD_SAMPLES_U8, 1, 3}, {MOPD_LAYOUT_I420, MOPD_SAMPLES_U8, 2, 3},
        {MOPD_LAYOUT_YUYV, MOPD_SAMPLES_U8, 0, 12}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[80];
        mopd_frame f = frame_of(rows[i].layout, 5, 2);
        f.samples = rows[i].samples;
        snprintf(words, sizeof words, "planes[%zu] are %zu bytes apart, 5 pixels need %zu", rows[i].plane,
            rows[i].packed - 1, rows[i].packed);
        f.row_bytes[rows[i].plane] = (ptrdiff_t)rows[i].packed - 1;
        assert_refused(&f, words);
        f.row_bytes[rows[i].plane] = 1 - (ptrdiff_t)rows[i].packed;
        assert_refused(&f, words);
        f.row_bytes[rows[i].plane] = (ptrdiff_t)rows[i].packed;
        assert_ok(mopd_image_create_frame(&image, &f));
        mopd_image_close(image);
    }
}

static void rows_must_lie_in_memory(void **state)
{
    (void)state;
    mopd_frame f = frame_of(MOPD_LAYOUT_GREY, 2, 3);
    char words[80];
    f.row_bytes[0] = PTRDIFF_MAX / 2 + 1;
    snprintf(words, sizeof words, "3 rows that are %td bytes apart lie in no memory", f.row_bytes[0]);
    assert_refused(&f, words);
    f.row_bytes[0] = PTRDIFF_MIN;
    assert_refused(&f, "bytes apart lie in no memory");
    f.row_bytes[0] = PTRDIFF_MIN / 2;
    assert_refused(&f, "bytes apart lie in no memory");
    f = frame_of(MOPD_LAYOUT_GREY, 2, SIZE_MAX / 2);
    assert_refused(&f, "lie in no memory");
    f = frame_of(MOPD_LAYOUT_RGBA, SIZE_MAX / 8, 1);
    f.samples = MOPD_SAMPLES_F32;
    assert_refused(&f, "too long");
    f = frame_of(MOPD_LAYOUT_GREY, SIZE_MAX, 1);
    assert_refused(&f, "too long");
    f = frame_of(MOPD_LAYOUT_I420, 2, 6);
    f.row_bytes[2] = PTRDIFF_MAX;
    assert_refused(&f, "planes[2]: 3 rows");
    f = frame_of(
        MOPD_LAYOUT_GREY, 2, 3); /* rows would go on behind the last address, or in front of the first */
    f.planes[0] = (const void *)(UINTPTR_MAX - 4);
    assert_refused(&f, "lie in no memory");
    f.planes[0] = (const void *)(uintptr_t)4;
    f.row_bytes[0] = -4;
    assert_refused(&f, "lie in no memory");
}

static void a_region_lies_in_its_frame(void **state)
{
    (void)state;
    mopd_frame f = frame_of(MOPD_LAYOUT_RGB, 5, 4);
    f.x = 5;
    assert_refused(&f, "a region of 0 columns from 5 on, the frame has 5");
    f.x = 2;
    f.region_width = 4;
    assert_refused(&f, "a region of 4 columns from 2 on, the frame has 5");
    f.region_width = SIZE_MAX;
    assert_refused(&f, "columns from 2 on");
    f.region_width = 3;
    f.y = 3;
    f.region_height = 2;
    assert_refused(&f, "a region of 2 rows from 3 on, the frame has 4");
    f.region_height = 0;
    assert_ok(mopd_image_create_frame(&image, &f));
    assert_int_equal(mopd_image_width(image), 3);
    assert_int_equal(mopd_image_height(image), 1);
    mopd_image_close(image);
}

static void options_of_other_versions_are_told(void **state)
{
    (void)state;
    struct {
        mopd_frame f;
        uint64_t newer;
    } later;
    later.f = frame_of(MOPD_LAYOUT_GREY, 2, 2);
    later.f.struct_size = sizeof later;
    later.newer = 0;
    assert_ok(mopd_image_create_frame(&image, &later.f));
    mopd_image_close(image);
    later.newer = 1;
    assert_fails(mopd_image_create_frame(&image, &later.f), MOPD_E_VERSION, "mopd_frame");
    later.f.struct_size = 8;
    assert_fails(mopd_image_create_frame(&image, &later.f), MOPD_E_ARG, "struct_size of mopd_frame is 8");
}

/* -- what the tower makes of them ---------------------------------------------------------------------------- */

static void features_of(mopd_encoder *encoder, float *features)
{
    const mopd_image *one = image;
    assert_ok(mopd_encoder_encode_images(encoder, &one, 1, features));
}

/* The same pixels copied, borrowed, in a larger frame, upside down, blue first, as floats: the same features, sharpness and
 * signature, and the same random views. */
static void the_same_pixels_have_the_same_features(void **state)
{
    (void)state;
    enum { W = 21, H = 17, STEP = 3 * W + 30, VIEW = 3 * TINY_IMAGE * TINY_IMAGE };
    static uint8_t wide[(H + 2) * STEP], upside[H * STEP], blue[H * W * 3];
    static float floats[H * W * 3], signature[MOPD_IMAGE_SIGNATURE], want_signature[MOPD_IMAGE_SIGNATURE];
    float want[TINY_DIM], got[TINY_DIM], want_view[VIEW], view[VIEW];
    double sharpness, want_sharpness;
    for (size_t i = 0; i < H * W * 3; i++) {
        const size_t y = i / (3 * W), x = i % (3 * W);
        samples[i] = (uint8_t)(i * i % 251);
        wide[(y + 2) * STEP + x + 9] = upside[(H - 1 - y) * STEP + x] = samples[i];
        blue[i - i % 3 + 2 - i % 3] = samples[i];
        floats[i] = samples[i] / 255.0f + 1e-4f;
    }
    mopd_frame frames[5];
    frames[0] = frames[1] = frame_of(MOPD_LAYOUT_RGB, W, H);
    frames[1].flags = MOPD_FRAME_BORROW;
    frames[1].width += 10, frames[1].height += 2;
    frames[1].planes[0] = wide;
    frames[1].x = 3, frames[1].y = 2, frames[1].region_width = W;
    frames[2] = frames[0];
    frames[2].planes[0] = upside + (H - 1) * STEP;
    frames[2].row_bytes[0] = -STEP;
    frames[2].flags = MOPD_FRAME_BORROW;
    frames[3] = frame_of(MOPD_LAYOUT_BGR, W, H);
    frames[3].planes[0] = blue;
    frames[4] = frames[0];
    frames[4].samples = MOPD_SAMPLES_F32;
    frames[4].planes[0] = floats;
    frames[4].white = 1;
    mopd_encoder *encoder = tiny_open(1, 1);
    assert_ok(mopd_image_create(&image, samples, H, W, 3, 0));
    features_of(encoder, want);
    assert_ok(mopd_image_sharpness(image, &want_sharpness));
    assert_ok(mopd_image_signature(image, want_signature));
    assert_ok(mopd_encoder_preprocess_view(encoder, image, 5, want_view));
    mopd_image_close(image);
    for (size_t i = 0; i < 5; i++) {
        assert_ok(mopd_image_create_frame(&image, &frames[i]));
        features_of(encoder, got);
        assert_memory_equal(got, want, sizeof want);
        assert_ok(mopd_image_sharpness(image, &sharpness));
        assert_memory_equal(&sharpness, &want_sharpness, sizeof sharpness);
        assert_ok(mopd_image_signature(image, signature));
        assert_memory_equal(signature, want_signature, sizeof signature);
        assert_ok(mopd_encoder_preprocess_view(encoder, image, 5, view));
        assert_memory_equal(view, want_view, sizeof view);
        assert_memory_equal(mopd_image_samples(image), samples, H * W * 3);
        mopd_image_close(image);
    }
    mopd_encoder_close(encoder);
}

/* Alpha counts where a model wants white below, as from a file; not where the fourth sample means nothing. */
static void alpha_is_that_of_a_file(void **state)
{
    (void)state;
    float clear[TINY_DIM], white[TINY_DIM], got[TINY_DIM];
    mopd_encoder *encoder = tiny_open(1, 1);
    memset(samples, 0, sizeof samples);
    mopd_frame f = frame_of(MOPD_LAYOUT_BGRA, 9, 9);
    assert_ok(mopd_image_create_frame(&image, &f));
    features_of(encoder, clear);
    mopd_image_close(image);
    f.flags = MOPD_FRAME_NO_ALPHA;
    assert_ok(mopd_image_create_frame(&image, &f));
    features_of(encoder, got);
    assert_memory_not_equal(got, clear, sizeof got);
    mopd_image_close(image);
    memset(samples, 255, sizeof samples);
    assert_ok(mopd_image_create(&image, samples, 9, 9, 3, 0));
    features_of(encoder, white);
    assert_memory_equal(white, clear, sizeof white);
    mopd_image_close(image);
    mopd_encoder_close(encoder);
}

/* -- crops --------------------------------------------------------------------------------------------------- */

static void a_crop_is_a_picture_of_its_own(void **state)
{
    (void)state;
    mopd_image *crop, *again;
    for (size_t i = 0; i < sizeof samples; i++) samples[i] = (uint8_t)(i % 253);
    assert_ok(mopd_image_create(&image, samples, 6, 8, 3, 0));
    assert_ok(mopd_image_crop(&crop, image, 3, 2, 5, 4));
    assert_ok(mopd_image_crop(&again, crop, 0, 0, 5, 4));
    mopd_image_close(image);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mopd_image_width(crop), 5);
        assert_int_equal(mopd_image_height(crop), 4);
        for (size_t y = 0; y < 4; y++)
            assert_memory_equal(mopd_image_samples(crop) + 15 * y, samples + (2 + y) * 24 + 9, 15);
        mopd_image_close(crop);
        crop = again;
    }
}

static void a_crop_lies_in_its_picture(void **state)
{
    (void)state;
    static const size_t wrong[][4] = {{0, 0, 0, 1}, {0, 0, 1, 0}, {8, 0, 1, 1}, {0, 6, 1, 1}, {9, 0, 1, 1},
        {1, 1, 8, 1}, {1, 1, 1, 6}, {1, 0, SIZE_MAX, 1}, {0, SIZE_MAX, 1, 2}};
    mopd_image *crop;
    assert_ok(mopd_image_create(&image, samples, 6, 8, 3, 0));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const size_t *w = wrong[i];
        crop = image;
        assert_fails(
            mopd_image_crop(&crop, image, w[0], w[1], w[2], w[3]), MOPD_E_ARG, "the image has 8 x 6");
        assert_null(crop);
    }
    mopd_image_close(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_says_what_it_is),
        cmocka_unit_test(every_plane_must_be_there),
        cmocka_unit_test(rows_must_hold_their_pixels),
        cmocka_unit_test(rows_must_lie_in_memory),
        cmocka_unit_test(a_region_lies_in_its_frame),
        cmocka_unit_test(options_of_other_versions_are_told),
        cmocka_unit_test(the_same_pixels_have_the_same_features),
        cmocka_unit_test(alpha_is_that_of_a_file),
        cmocka_unit_test(a_crop_is_a_picture_of_its_own),
        cmocka_unit_test(a_crop_lies_in_its_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
