/* SPDX-License-Identifier: MIT
 * test_norm.c - layer normalisation over many rows, forward and backward: against double precision and
 * differences, the same bits in any company and at any thread count. */
#include "test.h"

#include "layer/norm.h"
#include "support/gradient.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

enum { DIM = 37, ROWS = 71 }; /* rows for three tasks */

static float gamma_[DIM], beta_[DIM];
static const mo_norm norm = {gamma_, beta_, DIM, 1e-5f};

static float *fill(void)
{
    float *x = test_floats(ROWS * DIM, 1);
    test_random(gamma_, DIM, 3);
    test_random(beta_, DIM, 4);
    for (size_t i = 0; i < ROWS * DIM; i++) x[i] = x[i] * 3 + 1;
    return x;
}

static void forward(void)
{
    float *x = fill(), *y = test_floats(ROWS * DIM, 2), *again = test_floats(ROWS * DIM, 5), stats[2 * ROWS];
    mo_norm_fwd(NULL, y, x, &norm, stats, ROWS);
    for (size_t r = 0; r < ROWS; r++) {
        double mean = 0, var = 0;
        for (size_t i = 0; i < DIM; i++) mean += (double)x[r * DIM + i] / DIM;
        for (size_t i = 0; i < DIM; i++) var += (x[r * DIM + i] - mean) * (x[r * DIM + i] - mean) / DIM;
        const double rstd = 1 / sqrt(var + 1e-5);
        assert_near(stats[2 * r], mean, 1e-6);
        assert_near(stats[2 * r + 1], rstd, 1e-6);
        for (size_t i = 0; i < DIM; i++)
            assert_near(
                y[r * DIM + i], (x[r * DIM + i] - mean) * rstd * (double)gamma_[i] + (double)beta_[i], 3e-6);
        mo_norm_fwd(NULL, again, x + r * DIM, &norm, NULL, 1); /* alone, without statistics */
        assert_memory_equal(again, y + r * DIM, DIM * sizeof *y);
    }
    mo_norm_fwd(NULL, x, x, &norm, NULL, ROWS); /* in place */
    assert_memory_equal(x, y, ROWS * DIM * sizeof *y);
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(again);
}

static void rows_match_double(void **state)
{
    (void)state;
    test_each_path(forward);
}

static void run(float *y, const float *x, void *ctx)
{
    (void)ctx;
    mo_norm_fwd(NULL, y, x, &norm, NULL, ROWS);
}

static void backward(void)
{
    float *x = fill(), *y = test_floats(ROWS * DIM, 2), *dy = test_floats(ROWS * DIM, 6), stats[2 * ROWS];
    float *dx = mo_mem_calloc(ROWS * DIM, sizeof *dx), *more = test_floats(ROWS * DIM, 7);
    mo_norm_fwd(NULL, y, x, &norm, stats, ROWS);
    mo_norm_bwd(NULL, &norm, &(mo_norm_grad){dx, dy, x, stats}, ROWS);
    test_gradient_check(&(test_gradient){.name = "norm",
        .fwd = run,
        .x = x,
        .n_x = ROWS * DIM,
        .n_y = ROWS * DIM,
        .r = dy,
        .dx = dx,
        .step = 29,
        .most = 4e-3});
    float *sum = test_floats(ROWS * DIM, 7);
    mo_norm_bwd(NULL, &norm, &(mo_norm_grad){more, dy, x, stats}, ROWS); /* adds to what is there */
    for (size_t i = 0; i < ROWS * DIM; i++) assert_near(more[i], (double)sum[i] + (double)dx[i], 1e-6);
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(dy), mo_mem_free(dx), mo_mem_free(more), mo_mem_free(sum);
}

static void gradients_match_differences_and_are_added(void **state)
{
    (void)state;
    test_each_path(backward);
}

/* A layer norm's gradient has no part along a constant: shifting a row changes nothing. */
static void gradient_of_a_shift_is_nothing(void)
{
    float *x = fill(), *y = test_floats(ROWS * DIM, 2), *dy = test_floats(ROWS * DIM, 6), stats[2 * ROWS];
    float *dx = mo_mem_calloc(ROWS * DIM, sizeof *dx);
    mo_norm_fwd(NULL, y, x, &norm, stats, ROWS);
    mo_norm_bwd(NULL, &norm, &(mo_norm_grad){dx, dy, x, stats}, ROWS);
    for (size_t r = 0; r < ROWS; r++) {
        double sum = 0;
        for (size_t i = 0; i < DIM; i++) sum += (double)dx[r * DIM + i];
        assert_near(sum, 0, 2e-5);
    }
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(dy), mo_mem_free(dx);
}

static void gradients_have_no_mean(void **state)
{
    (void)state;
    test_each_path(gradient_of_a_shift_is_nothing);
}

static void threads(void)
{
    float *x = fill(), *dy = test_floats(ROWS * DIM, 6), stats[2][2 * ROWS], *y[2], *dx[2];
    for (size_t t = 0; t < 2; t++) {
        y[t] = test_floats(ROWS * DIM, 2);
        dx[t] = mo_mem_calloc(ROWS * DIM, sizeof **dx);
    }
    mo_norm_fwd(NULL, y[0], x, &norm, stats[0], ROWS);
    mo_norm_bwd(NULL, &norm, &(mo_norm_grad){dx[0], dy, x, stats[0]}, ROWS);
    for (size_t n = 2; n <= 3; n++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, n));
        memset(dx[1], 0, ROWS * DIM * sizeof **dx);
        mo_norm_fwd(pool, y[1], x, &norm, stats[1], ROWS);
        mo_norm_bwd(pool, &norm, &(mo_norm_grad){dx[1], dy, x, stats[1]}, ROWS);
        mo_pool_free(pool);
        assert_memory_equal(y[0], y[1], ROWS * DIM * sizeof **y);
        assert_memory_equal(dx[0], dx[1], ROWS * DIM * sizeof **dx);
        assert_memory_equal(stats[0], stats[1], sizeof stats[0]);
    }
    mo_mem_free(x), mo_mem_free(dy);
    for (size_t t = 0; t < 2; t++) mo_mem_free(y[t]), mo_mem_free(dx[t]);
}

static void bits_are_the_same_at_any_thread_count(void **state)
{
    (void)state;
    test_each_path(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_match_double),
        cmocka_unit_test(gradients_match_differences_and_are_added),
        cmocka_unit_test(gradients_have_no_mean),
        cmocka_unit_test(bits_are_the_same_at_any_thread_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
