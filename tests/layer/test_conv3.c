/* SPDX-License-Identifier: MIT
 * test_conv3.c - 3 x 3 convolutions of many channels against the plainest loops, at any thread count. */
#include "test.h"

#include "layer/conv3.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

/* B, H, W, C and outputs: single lines and columns, more rows than one turn has, channels beside a panel. */
static const size_t shapes[][5] = {{1, 1, 1, 1, 1}, {2, 1, 5, 3, 4}, {1, 5, 1, 16, 17}, {3, 4, 4, 7, 33},
    {2, 25, 24, 5, 16}, {1, 3, 300, 2, 3}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static double element(const size_t s[5], const float *x, const float *w, const float *bias, size_t i)
{
    const size_t c = s[3], o = i % s[4], at = i / s[4], col = at % s[2], row = at / s[2] % s[1],
                 b = at / s[2] / s[1];
    double sum = (double)bias[o];
    for (size_t t = 0; t < 9; t++) {
        const size_t y = row + t / 3 - 1, z = col + t % 3 - 1; /* wrap when < 0 */
        if (y >= s[1] || z >= s[2]) continue;
        for (size_t k = 0; k < c; k++)
            sum += (double)w[(o * c + k) * 9 + t] * (double)x[((b * s[1] + y) * s[2] + z) * c + k];
    }
    return sum < 0 ? 0 : sum;
}

static void run(const mo_conv3 *conv, const size_t *s, size_t threads, const float *x, float *y)
{
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, threads));
    float *scratch = test_floats(mo_conv3_scratch(conv, pool, s) + 1, 5);
    const size_t end = mo_conv3_scratch(conv, pool, s);
    scratch[end] = 77;
    mo_conv3_fwd(pool, y, x, conv, scratch, s);
    assert_true(scratch[end] == 77);
    mo_mem_free(scratch);
    mo_pool_free(pool);
}

static void each_shape(void)
{
    for (size_t i = 0; i < N_SHAPES; i++) {
        const size_t *s = shapes[i], n = s[0] * s[1] * s[2];
        float *x = test_floats(n * s[3], 1), *w = test_floats(s[4] * 9 * s[3], 2),
              *bias = test_floats(s[4], 3), *y = test_floats(n * s[4], 4), *other = test_floats(n * s[4], 6);
        mo_conv3 conv;
        assert_ok(mo_conv3_pack(&conv, w, bias, (const size_t[2]){s[4], s[3]}, false));
        run(&conv, s, 1, x, y);
        for (size_t k = 0; k < n * s[4]; k++)
            assert_near_at(y[k], element(s, x, w, bias, k), 2e-5, "shape %zu, element %zu", i, k);
        for (size_t threads = 2; threads <= 3; threads++) {
            run(&conv, s, threads, x, other);
            assert_memory_equal(other, y, n * s[4] * sizeof *y);
        }
        run(&conv, (const size_t[3]){1, s[1], s[2]}, 2, x, other); /* the first picture alone */
        assert_memory_equal(other, y, n / s[0] * s[4] * sizeof *y);
        mo_conv3_free(&conv);
        mo_mem_free(x), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(y), mo_mem_free(other);
    }
}

static void convolutions_match_double(void **state)
{
    (void)state;
    test_each_path(each_shape);
}

static mopd_status pack(void *quantized)
{
    float w[32 * 9 * 16], bias[32] = {0};
    test_random(w, 32 * 9 * 16, 1);
    mo_conv3 conv;
    mopd_status st = mo_conv3_pack(&conv, w, bias, (const size_t[2]){32, 16}, quantized != NULL);
    mo_conv3_free(&conv);
    return st;
}

static void packing_survives_failing_memory(void **state)
{
    (void)state;
    test_torture(pack, NULL);
    static bool quantized = true;
    test_torture(pack, &quantized);
    assert_ok(mopd_runtime_set_allocator(NULL));
    mo_conv3_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_match_double),
        cmocka_unit_test(packing_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
