/* SPDX-License-Identifier: MIT
 * test_image.c - include/mopd/image.h through the shared library: arguments, options of other versions, samples in and out.
 */
#include "test.h"

#define GOLD MOPD_TEST_DIR "/gold/pixels/"

static void image_opens_and_tells_its_size(void **state)
{
    (void)state;
    mopd_image *image;
    assert_ok(mopd_image_open(&image, GOLD "rgb8.png", NULL));
    assert_int_equal(mopd_image_width(image), 11);
    assert_int_equal(mopd_image_height(image), 7);
    assert_non_null(mopd_image_samples(image));
    mopd_image_close(image);
    mopd_image_close(NULL);
    assert_int_equal(mopd_image_width(NULL), 0);
    assert_null(mopd_image_samples(NULL));
}

static void image_decode_equals_open(void **state)
{
    (void)state;
    unsigned char bytes[4096];
    FILE *f = fopen(GOLD "420.jpg", "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    mopd_image *a, *b;
    assert_ok(mopd_image_open(&a, GOLD "420.jpg", NULL));
    assert_ok(mopd_image_decode(&b, bytes, n, NULL));
    assert_memory_equal(
        mopd_image_samples(a), mopd_image_samples(b), mopd_image_width(a) * mopd_image_height(a) * 3);
    mopd_image_close(a);
    mopd_image_close(b);
}

static void image_refuses_wrong_arguments(void **state)
{
    (void)state;
    mopd_image *image = (mopd_image *)state;
    uint8_t sample[12] = {0};
    assert_fails(mopd_image_open(NULL, "x", NULL), MOPD_E_ARG, "out is NULL");
    assert_fails(mopd_image_open(&image, NULL, NULL), MOPD_E_ARG, "path is NULL");
    assert_null(image);
    assert_fails(mopd_image_decode(NULL, sample, 1, NULL), MOPD_E_ARG, "out is NULL");
    assert_fails(mopd_image_decode(&image, NULL, 1, NULL), MOPD_E_ARG, "bytes is NULL");
    assert_fails(mopd_image_decode(&image, NULL, 0, NULL), MOPD_E_FORMAT, "0 bytes");
    assert_fails(mopd_image_create(NULL, sample, 1, 1, 3, 0), MOPD_E_ARG, "out is NULL");
    assert_fails(mopd_image_create(&image, NULL, 1, 1, 3, 0), MOPD_E_ARG, "samples is NULL");
    assert_fails(mopd_image_create(&image, sample, 0, 1, 3, 0), MOPD_E_ARG, "1 x 0 pixels");
    assert_fails(mopd_image_create(&image, sample, 1, 1, 2, 0), MOPD_E_ARG, "2 channels");
    assert_fails(mopd_image_create(&image, sample, 1, 4, 3, 11), MOPD_E_ARG,
        "rows are 11 bytes apart, 4 pixels need 12");
    char words[100];
    snprintf(words, sizeof words, "2 rows that are %zu bytes apart lie in no memory; rows that go upwards",
        (size_t)-6);
    assert_fails(mopd_image_create(&image, sample, 2, 2, 3, (size_t)-6), MOPD_E_ARG, words);
    assert_fails(mopd_image_create(&image, sample, 1, 2, 3, (size_t)-6), MOPD_E_ARG, "lie in no memory");
    assert_fails(mopd_image_create(&image, sample, 3, 1, 3, SIZE_MAX / 2), MOPD_E_ARG, "lie in no memory");
    assert_fails(mopd_image_create(&image, sample, 1, SIZE_MAX / 2, 3, 0), MOPD_E_ARG, "too long");
    assert_fails(mopd_image_create(&image, sample, SIZE_MAX / 8, 8, 1, 0), MOPD_E_NOMEM, "");
    assert_null(image);
    assert_fails(mopd_image_options_init(NULL, 16), MOPD_E_ARG, "NULL");
}

static void image_options_of_other_versions(void **state)
{
    (void)state;
    mopd_image *image;
    mopd_image_options o;
    assert_ok(mopd_image_options_init(&o, sizeof o));
    assert_int_equal(o.struct_size, sizeof o);
    o.max_pixels = 76;
    assert_fails(mopd_image_open(&image, GOLD "rgb8.png", &o), MOPD_E_UNSUPPORTED, "rgb8.png: 11 x 7");
    o.max_pixels = 77;
    assert_ok(mopd_image_open(&image, GOLD "rgb8.png", &o));
    mopd_image_close(image);
    o.flags = 4;
    assert_fails(mopd_image_open(&image, GOLD "rgb8.png", &o), MOPD_E_VERSION, "flags 0x4");
    o.flags = 0;
    o.struct_size = 8;
    assert_fails(mopd_image_open(&image, GOLD "rgb8.png", &o), MOPD_E_ARG, "mopd_image_options");
    struct {
        mopd_image_options o;
        uint64_t newer;
    } later = {{sizeof later, 0, 0}, 0};
    assert_ok(mopd_image_open(&image, GOLD "rgb8.png", &later.o));
    mopd_image_close(image);
    later.newer = 1;
    assert_fails(mopd_image_open(&image, GOLD "rgb8.png", &later.o), MOPD_E_VERSION, "mopd_image_options");
    assert_null(image);
}

/* The samples of grey16.png are the red ones of rgb16.png. */
static void image_grey16_is_scaled_when_asked_for(void **state)
{
    (void)state;
    mopd_image_options o;
    mopd_image *grey, *cut, *colour;
    assert_ok(mopd_image_options_init(&o, sizeof o));
    o.flags = MOPD_IMAGE_SCALE_GREY16;
    assert_ok(mopd_image_open(&grey, GOLD "grey16.png", &o));
    assert_ok(mopd_image_open(&colour, GOLD "rgb16.png", NULL));
    assert_ok(mopd_image_open(&cut, GOLD "grey16.png", NULL));
    for (size_t i = 0; i < 3 * 77; i++)
        assert_int_equal(mopd_image_samples(grey)[i], mopd_image_samples(colour)[i / 3 * 3]);
    assert_memory_not_equal(mopd_image_samples(grey), mopd_image_samples(cut), 3 * 77);
    mopd_image_close(cut);
    mopd_image_close(colour);
    mopd_image_close(grey);
}

static void image_create_copies_each_layout(void **state)
{
    (void)state;
    mopd_image *image;
    const uint8_t grey[] = {1, 2, 99, 3, 4, 99}, rgb[] = {1, 2, 3, 4, 5, 6},
                  rgba[] = {1, 2, 3, 0, 4, 5, 6, 255};
    assert_ok(mopd_image_create(&image, grey, 2, 2, 1, 3));
    assert_memory_equal(mopd_image_samples(image), "\1\1\1\2\2\2\3\3\3\4\4\4", 12);
    mopd_image_close(image);
    assert_ok(mopd_image_create(&image, rgb, 1, 2, 3, 0));
    assert_memory_equal(mopd_image_samples(image), rgb, 6);
    mopd_image_close(image);
    assert_ok(mopd_image_create(&image, rgba, 1, 2, 4, 0));
    assert_memory_equal(mopd_image_samples(image), rgb, 6);
    mopd_image_close(image);
}

static mopd_status open_and_create(void *ctx)
{
    (void)ctx;
    mopd_image *a = NULL, *b = NULL;
    mopd_status st = mopd_image_open(&a, GOLD "rgba8.png", NULL);
    if (st == MOPD_OK) st = mopd_image_create(&b, mopd_image_samples(a), 7, 11, 3, 0);
    mopd_image_close(a);
    mopd_image_close(b);
    return st;
}

static void image_survives_lack_of_memory(void **state)
{
    (void)state;
    test_torture(open_and_create, NULL);
    assert_int_equal(test_count_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_opens_and_tells_its_size),
        cmocka_unit_test(image_decode_equals_open),
        cmocka_unit_test(image_refuses_wrong_arguments),
        cmocka_unit_test(image_options_of_other_versions),
        cmocka_unit_test(image_grey16_is_scaled_when_asked_for),
        cmocka_unit_test(image_create_copies_each_layout),
        cmocka_unit_test(image_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
