/* SPDX-License-Identifier: MIT
 * test_rope.c - rotary positions: angles by column and row, the class row and the values left alone, products that
 * depend on the distance alone. */
#include "test.h"

#include "layer/rope.h"
#include "support/mats.h"
#include "support/near.h"

enum { GRID = 3, D = 8, HEADS = 2, W = D * HEADS, SEQS = 2 };

/* The angle of number i of a head at a patch. */
static double angle_of(size_t patch, size_t i)
{
    const size_t n = D / 4, band = i % (D / 2) / 2, at = i < D / 2 ? patch % GRID : patch / GRID;
    return (double)(at + 1) * pow(10000, -(double)band / (double)n);
}

static void check(size_t before, mo_pool *pool)
{
    const size_t rows = before + GRID * GRID, n = SEQS * rows * 3 * W;
    float *x = test_floats(n, 3), *was = test_floats(n, 3);
    mo_rope rope;
    assert_ok(mo_rope_make(&rope, GRID, D, before));
    mo_rope_apply(pool, x, &rope, SEQS, W);
    for (size_t i = 0; i < n; i++) {
        const size_t row = i / (3 * W) % rows, column = i % (3 * W);
        if (row < before || column >= 2 * W) {
            assert_true(x[i] == was[i]); /* a class token; a value */
            continue;
        }
        const size_t at = column % D;
        const double t = angle_of(row - before, at), own = (double)was[i], other = (double)was[i ^ 1];
        assert_near(x[i], at % 2 ? own * cos(t) + other * sin(t) : own * cos(t) - other * sin(t), 1e-6);
    }
    mo_rope_free(&rope);
    mo_mem_free(x), mo_mem_free(was);
}

static void queries_and_keys_are_turned(void **state)
{
    (void)state;
    for (size_t before = 0; before < 3; before++) check(before, NULL);
    for (size_t threads = 2; threads < 4; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        check(1, pool);
        mo_pool_free(pool);
    }
}

/* The same query and key one column further right, and one line further down, have the same product. */
static void products_know_distances_alone(void **state)
{
    (void)state;
    float q[D], k[D], x[GRID * GRID * 3 * D];
    mo_rope rope;
    test_random(q, D, 1);
    test_random(k, D, 2);
    for (size_t p = 0; p < GRID * GRID; p++) {
        memcpy(x + p * 3 * D, q, sizeof q);
        memcpy(x + p * 3 * D + D, k, sizeof k);
    }
    assert_ok(mo_rope_make(&rope, GRID, D, 0));
    mo_rope_apply(NULL, x, &rope, 1, D);
    double product[GRID * GRID][GRID * GRID] = {{0}};
    for (size_t a = 0; a < GRID * GRID; a++)
        for (size_t b = 0; b < GRID * GRID; b++)
            for (size_t i = 0; i < D; i++)
                product[a][b] += (double)x[a * 3 * D + i] * (double)x[b * 3 * D + D + i];
    assert_true(fabs(product[0][1] - product[4][5]) < 1e-5); /* a column between them, here and there */
    assert_true(fabs(product[0][4] - product[4][8]) < 1e-5);
    assert_true(fabs(product[0][1] - product[0][3]) > 1e-3); /* a column is no row */
    assert_true(fabs(product[0][1] - product[1][0]) > 1e-3); /* nor right left */
    mo_rope_free(&rope);
    mo_rope_free(&rope);
    mo_rope_free(NULL);
}

static void memory_may_fail(void **state)
{
    (void)state;
    mo_rope rope;
    test_count_start();
    test_fail_once(1);
    assert_int_equal(mo_rope_make(&rope, GRID, D, 1), MOPD_E_NOMEM);
    test_fail_once(0);
    mo_rope_free(&rope);
    assert_int_equal(test_count_live(), 0);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_and_keys_are_turned),
        cmocka_unit_test(products_know_distances_alone),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
