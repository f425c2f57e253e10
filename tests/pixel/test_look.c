/* SPDX-License-Identifier: MIT
 * test_look.c - sharp and blurred pictures told apart, copies told from other pictures. */
#include "test.h"

#include "mopd/image.h"
#include "pixel/look.h"

enum { H = 90, W = 120 };

static uint8_t sharp[H * W * 3], other[H * W * 3];

/* Patches of random grey, so that there are edges and planes. */
static void fill(uint8_t *rgb, uint32_t seed, size_t patch)
{
    for (size_t y = 0; y < H; y++)
        for (size_t x = 0; x < W; x++) {
            uint32_t k = (uint32_t)(y / patch * 1009 + x / patch) + seed * 7919;
            k = (k ^ k >> 7) * 2654435761u;
            for (int c = 0; c < 3; c++) rgb[(y * W + x) * 3 + (size_t)c] = (uint8_t)(k >> 24);
        }
}

static int pictures(void **state)
{
    (void)state;
    fill(sharp, 1, 6);
    fill(other, 2, 6);
    return 0;
}

static double sharpness(const uint8_t *rgb, size_t height, size_t width)
{
    double s = -1;
    assert_ok(mo_look_sharpness(&s, &(mo_look){rgb, height, width, 0}));
    assert_true(s >= 0 && s <= 1);
    return s;
}

/* The mean over a square of 2 r + 1, cut at the edge. */
static void blur(uint8_t *out, const uint8_t *in, int r)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                int sum = 0, n = 0;
                for (int i = y - r; i <= y + r; i++)
                    for (int k = x - r; k <= x + r; k++) {
                        if (i < 0 || i >= H || k < 0 || k >= W) continue;
                        sum += in[(i * W + k) * 3 + c];
                        n++;
                    }
                out[(y * W + x) * 3 + c] = (uint8_t)((sum + n / 2) / n);
            }
}

static void blurring_takes_sharpness_away(void **state)
{
    (void)state;
    static uint8_t once[H * W * 3], twice[H * W * 3];
    blur(once, sharp, 2);
    blur(twice, once, 4);
    const double s = sharpness(sharp, H, W), a = sharpness(once, H, W), b = sharpness(twice, H, W);
    assert_true(s > 0.8);
    assert_true(a < s - 0.2 && b < a - 0.1);
}

/* Blurred along one direction is blurred: a picture from a moving hand. */
static void one_direction_is_enough(void **state)
{
    (void)state;
    static uint8_t moved[H * W * 3];
    for (size_t y = 0; y < H; y++)
        for (size_t i = 0; i < W * 3; i++) {
            unsigned sum = 0, n = 0;
            for (size_t k = i >= 30 ? i - 30 : i % 3; k <= i; k += 3, n++) sum += sharp[y * W * 3 + k];
            moved[y * W * 3 + i] = (uint8_t)(sum / n);
        }
    assert_true(sharpness(moved, H, W) < sharpness(sharp, H, W) - 0.3);
}

/* Places times pixels are more than 2^32 here. */
static void long_strips_are_looked_at_place_by_place(void **state)
{
    (void)state;
    enum { LONG = 100000 };
    static uint8_t strip[LONG * 3], part[LONG / 2 * 3];
    for (size_t x = 0; x < LONG; x++) memset(strip + 3 * x, sharp[x % (W / 2) * 3], 3);
    memcpy(part, strip, sizeof part);
    const double all = sharpness(strip, 1, LONG), half = sharpness(part, 1, LONG / 2);
    assert_true(half > 0 && half < 1 && fabs(all - half) < 1e-3);
}

static void planes_and_small_pictures_have_a_sharpness(void **state)
{
    (void)state;
    static uint8_t plane[H * W * 3];
    memset(plane, 77, sizeof plane);
    assert_true(sharpness(plane, H, W) >= 1);
    assert_true(sharpness(sharp, 1, 1) >= 1);
    sharpness(sharp, 1, W);
    sharpness(sharp, H, 1);
    sharpness(sharp, 5, 9);
}

static double likeness(const mo_look *a, const mo_look *b)
{
    float x[MOPD_IMAGE_SIGNATURE], y[MOPD_IMAGE_SIGNATURE];
    double sum = 0, mean = 0;
    mo_look_signature(x, a);
    mo_look_signature(y, b);
    for (size_t i = 0; i < MOPD_IMAGE_SIGNATURE; i++) {
        sum += (double)x[i] * (double)y[i];
        mean += (double)x[i] / MOPD_IMAGE_SIGNATURE;
    }
    assert_true(fabs(mean) < 1e-6 && sum >= -1.0001 && sum <= 1.0001);
    return sum;
}

static void copies_are_alike_and_others_are_not(void **state)
{
    (void)state;
    static uint8_t half[H / 2 * (W / 2) * 3], dark[H * W * 3], plane[12];
    for (size_t y = 0; y < H / 2; y++)
        for (size_t i = 0; i < W / 2 * 3; i++)
            for (size_t k = 0; k < 4; k++)
                half[y * (W / 2) * 3 + i] =
                    (uint8_t)(half[y * (W / 2) * 3 + i] +
                              sharp[(2 * y + k / 2) * W * 3 + (i / 3 * 2 + k % 2) * 3 + i % 3] / 4);
    for (size_t i = 0; i < sizeof dark; i++) dark[i] = (uint8_t)(sharp[i] / 2 + 20);
    const mo_look a = {sharp, H, W, 0}, b = {other, H, W, 0}, small = {half, H / 2, W / 2, 0},
                  dim = {dark, H, W, 0};
    const mo_look flat = {plane, 2, 2, 0};
    assert_true(likeness(&a, &a) > 0.9999 && likeness(&a, &dim) > 0.999);
    assert_true(likeness(&a, &small) > 0.95);
    assert_true(likeness(&a, &b) < 0.3);
    assert_true(fabs(likeness(&a, &flat)) < 1e-9 && fabs(likeness(&flat, &flat)) < 1e-9);
}

static mopd_status both(void *ctx)
{
    mopd_image *image = NULL;
    double x;
    float signature[MOPD_IMAGE_SIGNATURE];
    (void)ctx;
    mopd_status st = mopd_image_create(&image, sharp, H, W, 3, 0);
    if (st == MOPD_OK) st = mopd_image_sharpness(image, &x);
    if (st == MOPD_OK) st = mopd_image_signature(image, signature);
    mopd_image_close(image);
    return st;
}

static void memory_may_be_short(void **state)
{
    (void)state;
    test_torture(both, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blurring_takes_sharpness_away),
        cmocka_unit_test(one_direction_is_enough),
        cmocka_unit_test(long_strips_are_looked_at_place_by_place),
        cmocka_unit_test(planes_and_small_pictures_have_a_sharpness),
        cmocka_unit_test(copies_are_alike_and_others_are_not),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, pictures, NULL);
}
