/* SPDX-License-Identifier: MIT
 * test_measure.c - lengths after a triangle in single precision, against sums in double precision, on every path. */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "math/measure.h"
#include "support/paths.h"

typedef struct made {
    float *rows, *off, *got;
    double *triangle;
} made;

/* Rows with gaps that are no numbers, and a triangle that is none above its diagonal. */
static made make(size_t m, size_t k)
{
    mo_rng r;
    mo_rng_seed(&r, m * 1000 + k);
    const size_t ld = k + MO_MEASURE_GAP;
    made x = {
        mo_mem_alloc(m * ld, 4), mo_mem_alloc(m * ld, 4), mo_mem_alloc(4 * m, 4), mo_mem_alloc(k * k, 8)};
    for (size_t i = 0; i < m * ld; i++) {
        x.rows[i] = i % ld < k ? (float)mo_rng_normal(&r) : NAN;
        x.off[i] = i % ld < k ? (float)mo_rng_normal(&r) : NAN;
    }
    for (size_t i = 0; i < k * k; i++) x.triangle[i] = i % k <= i / k ? mo_rng_normal(&r) : (double)NAN;
    return x;
}

static void end(made *x)
{
    mo_mem_free(x->rows);
    mo_mem_free(x->off);
    mo_mem_free(x->got);
    mo_mem_free(x->triangle);
}

static void check(const made *x, size_t m, size_t k, bool off)
{
    for (size_t i = 0; i < m; i++) {
        const float *r = x->rows + i * (k + MO_MEASURE_GAP), *o = x->off + i * (k + MO_MEASURE_GAP);
        double length = 0, across = 0, size = 0;
        for (size_t j = 0; j < k; j++) {
            double t = 0, u = 0;
            for (size_t p = 0; p <= j; p++) {
                t += x->triangle[j * k + p] * (double)r[p];
                u += x->triangle[j * k + p] * (double)o[p];
            }
            length += t * t;
            across += t * u;
            size += fabs(t * u);
        }
        assert_true(fabs((double)x->got[i] - length) <= 1e-5 * length + 1e-6);
        if (off) assert_true(fabs((double)x->got[m + i] - across) <= 1e-5 * size + 1e-6);
    }
}

static void lengths_are_those_of_the_product(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {7, 16}, {97, 50}, {200, 33}, {13, 300}, {20, 530}};
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, 3));
    for (size_t path = 0; path < TEST_N_PATHS; path++) {
        if (mo_kern_cpu_set(test_paths[path]) != MOPD_OK) continue;
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int off = 0; off < 2; off++) {
                const size_t m = sizes[s][0], k = sizes[s][1];
                made x = make(m, k);
                mo_measure_args a = {x.rows, off ? x.off : NULL, m, k, x.triangle, x.got, x.got + m};
                assert_ok(mo_measure(NULL, &a));
                a.lengths = x.got + 2 * m;
                a.across = x.got + 3 * m;
                assert_ok(mo_measure(pool, &a));
                assert_memory_equal(x.got, x.got + 2 * m, m * (off ? 2 : 1) * sizeof *x.got);
                check(&x, m, k, off);
                end(&x);
            }
    }
    assert_ok(mo_kern_cpu_set(NULL));
    mo_pool_free(pool);
}

static mopd_status measure(void *context)
{
    return mo_measure(NULL, context);
}

static void measuring_survives_lack_of_memory(void **state)
{
    (void)state;
    float rows[2 * (3 + MO_MEASURE_GAP)] = {1, 2, 3}, lengths[2];
    double triangle[9] = {1, 0, 0, 1, 1, 0, 0, 0, 2};
    mo_measure_args a = {rows, NULL, 2, 3, triangle, lengths, NULL};
    test_torture(measure, &a);
    assert_ok(mopd_runtime_set_allocator(NULL));
    assert_true(lengths[0] == 1 + 9 + 36 && lengths[1] == 0);
    a.m = 0;
    assert_ok(mo_measure(NULL, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_those_of_the_product),
        cmocka_unit_test(measuring_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
