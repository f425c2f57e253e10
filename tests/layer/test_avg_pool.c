/* SPDX-License-Identifier: MIT
 * test_avg_pool.c - means of 2 x 2 positions. */
#include "test.h"

#include "layer/avg_pool.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

enum { IMAGES = 3, HEIGHT = 6, WIDTH = 4, CHANNELS = 21, OUT = IMAGES * HEIGHT * WIDTH / 4 * CHANNELS };

static void means(void)
{
    float *x = test_floats(4 * OUT, 1), *y = test_floats(OUT + 1, 2), *other = test_floats(OUT, 3);
    const size_t shape[3] = {IMAGES, HEIGHT, WIDTH}, line = WIDTH * CHANNELS;
    y[OUT] = 77;
    mo_avg_pool_fwd(NULL, y, x, shape, CHANNELS);
    for (size_t i = 0; i < OUT; i++) {
        const size_t at = i / CHANNELS, row = at / (WIDTH / 2), col = at % (WIDTH / 2);
        const float *a = x + 2 * row * line + 2 * col * CHANNELS + i % CHANNELS;
        const double sum = (double)a[0] + (double)a[CHANNELS] + (double)a[line] + (double)a[line + CHANNELS];
        assert_near(y[i], sum / 4, 2e-7);
    }
    assert_true(y[OUT] == 77);
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        mo_avg_pool_fwd(pool, other, x, shape, CHANNELS);
        mo_pool_free(pool);
        assert_memory_equal(other, y, OUT * sizeof *y);
    }
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(other);
}

static void each_position_is_a_mean_of_four(void **state)
{
    (void)state;
    test_each_path(means);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_position_is_a_mean_of_four),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
