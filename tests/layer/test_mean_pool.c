/* SPDX-License-Identifier: MIT
 * test_mean_pool.c - the mean over the positions of feature maps. */
#include "test.h"

#include "layer/mean_pool.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

enum { IMAGES = 5, HEIGHT = 3, WIDTH = 4, CHANNELS = 21, POSITIONS = HEIGHT * WIDTH };

static void means(void)
{
    float *x = test_floats(IMAGES * POSITIONS * CHANNELS, 1), *y = test_floats(IMAGES * CHANNELS + 1, 2),
          *other = test_floats(IMAGES * CHANNELS, 3);
    y[IMAGES * CHANNELS] = 77;
    mo_mean_pool_fwd(NULL, y, x, (size_t[]){IMAGES, HEIGHT, WIDTH}, CHANNELS);
    for (size_t b = 0; b < IMAGES; b++)
        for (size_t c = 0; c < CHANNELS; c++) {
            double want = 0;
            for (size_t p = 0; p < POSITIONS; p++)
                want += (double)x[(b * POSITIONS + p) * CHANNELS + c] / POSITIONS;
            assert_near(y[b * CHANNELS + c], want, 2e-7);
        }
    assert_true(y[IMAGES * CHANNELS] == 77);
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        mo_mean_pool_fwd(pool, other, x, (size_t[]){IMAGES, HEIGHT, WIDTH}, CHANNELS);
        mo_pool_free(pool);
        assert_memory_equal(other, y, IMAGES * CHANNELS * sizeof *y);
    }
    mo_mean_pool_fwd(NULL, other, x + 3 * POSITIONS * CHANNELS, (size_t[]){1, HEIGHT, WIDTH}, CHANNELS);
    assert_memory_equal(other, y + 3 * CHANNELS, CHANNELS * sizeof *y); /* one picture alone */
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(other);
}

static void each_channel_has_its_mean(void **state)
{
    (void)state;
    test_each_path(means);
}

static void one_position_is_its_own_mean(void **state)
{
    (void)state;
    float x[CHANNELS], y[CHANNELS];
    test_random(x, CHANNELS, 1);
    mo_mean_pool_fwd(NULL, y, x, (size_t[]){1, 1, 1}, CHANNELS);
    assert_memory_equal(y, x, sizeof x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_channel_has_its_mean),
        cmocka_unit_test(one_position_is_its_own_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
