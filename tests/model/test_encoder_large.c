/* SPDX-License-Identifier: MIT
 * test_encoder_large.c - a photograph of 13 megapixels, as telephones make them, goes through a tower where addresses have 32 bits too. */
#include "test.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"

enum { WIDTH = 4160, HEIGHT = 3120, HEAD = 54, SAMPLES = 3 * WIDTH * HEIGHT, MOST_DIM = 64 };

static void put32(unsigned char *to, uint32_t x)
{
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(x >> 8 * i);
}

/* Waves of colour, sample c of pixel x, y. */
static unsigned char paint(size_t x, size_t y, size_t c)
{
    return (unsigned char)((x * (c + 1) + 2 * y) / 16);
}

static unsigned char *samples(void)
{
    unsigned char *rgb = malloc(SAMPLES), *to = rgb;
    assert_non_null(rgb);
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t x = 0; x < WIDTH; x++)
            for (size_t c = 0; c < 3; c++) *to++ = paint(x, y, c);
    return rgb;
}

/* The same as a BMP file: rows from below, blue first. */
static unsigned char *bmp(const unsigned char *rgb)
{
    unsigned char *file = calloc(1, HEAD + SAMPLES), *to = file + HEAD;
    assert_non_null(file);
    memcpy(file, "BM", 2);
    put32(file + 2, HEAD + SAMPLES);
    put32(file + 10, HEAD);
    put32(file + 14, 40);
    put32(file + 18, WIDTH);
    put32(file + 22, HEIGHT);
    put32(file + 26, 1 | 24 << 16);
    for (size_t y = HEIGHT; y--;)
        for (size_t x = 0; x < WIDTH; x++)
            for (size_t c = 3; c--;) *to++ = rgb[(y * WIDTH + x) * 3 + c];
    return file;
}

static void thirteen_megapixels_are_encoded(void **state)
{
    (void)state;
    mopd_encoder *e;
    mopd_image *painted, *decoded;
    float a[MOST_DIM] = {0}, b[MOST_DIM] = {0}, square = 0;
    unsigned char *rgb = samples(), *file = bmp(rgb);
    assert_ok(mopd_image_create(&painted, rgb, HEIGHT, WIDTH, 3, 0));
    free(rgb);
    assert_ok(mopd_image_decode(&decoded, file, HEAD + SAMPLES, NULL));
    free(file);
    assert_int_equal(mopd_image_width(decoded), WIDTH);
    assert_int_equal(mopd_image_height(decoded), HEIGHT);
    assert_ok(mopd_encoder_open(&e, GOLD "hf", NULL));
    assert_ok(mopd_encoder_encode_images(e, (const mopd_image *const[]){painted}, 1, a));
    assert_ok(mopd_encoder_encode_images(e, (const mopd_image *const[]){decoded}, 1, b));
    assert_memory_equal(a, b, sizeof a);
    for (size_t i = 0; i < MOST_DIM; i++) square += a[i] * a[i];
    assert_true(fabsf(square - 1) < 1e-4f);
    mopd_encoder_close(e);
    mopd_image_close(painted);
    mopd_image_close(decoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(thirteen_megapixels_are_encoded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
