/* SPDX-License-Identifier: MIT
 * test_l2.c - rows divided by their length, and the gradient: against double precision and differences; rows
 * that have no length. */
#include "test.h"

#include "layer/l2.h"
#include "support/gradient.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

enum { ROWS = 9, DIM = 70 };

static void forward(void)
{
    float *x = test_floats(ROWS * DIM, 1), *y = test_floats(ROWS * DIM, 2), *again = test_floats(DIM, 3),
          norms[ROWS];
    mo_l2_fwd(y, x, norms, ROWS, DIM);
    for (size_t r = 0; r < ROWS; r++) {
        const double length = test_length(x + r * DIM, DIM);
        assert_near(norms[r], length, 2e-6);
        for (size_t i = 0; i < DIM; i++) assert_near(y[r * DIM + i], (double)x[r * DIM + i] / length, 2e-7);
        assert_near(test_length(y + r * DIM, DIM), 1, 5e-7);
        mo_l2_fwd(again, x + r * DIM, NULL, 1, DIM); /* alone, without the length */
        assert_memory_equal(again, y + r * DIM, DIM * sizeof *y);
    }
    mo_l2_fwd(x, x, NULL, ROWS, DIM); /* in place */
    assert_memory_equal(x, y, ROWS * DIM * sizeof *y);
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(again);
}

static void rows_get_length_one(void **state)
{
    (void)state;
    test_each_path(forward);
}

static void run(float *y, const float *x, void *ctx)
{
    (void)ctx;
    mo_l2_fwd(y, x, NULL, ROWS, DIM);
}

static void backward(void)
{
    float *x = test_floats(ROWS * DIM, 1), *y = test_floats(ROWS * DIM, 2), *dy = test_floats(ROWS * DIM, 4),
          *dx = test_floats(ROWS * DIM, 5), norms[ROWS];
    mo_l2_fwd(y, x, norms, ROWS, DIM);
    mo_l2_bwd(dx, dy, y, norms, ROWS, DIM);
    test_gradient_check(&(test_gradient){.name = "l2",
        .fwd = run,
        .x = x,
        .n_x = ROWS * DIM,
        .n_y = ROWS * DIM,
        .r = dy,
        .dx = dx,
        .step = 3,
        .most = 1e-3});
    for (size_t r = 0; r < ROWS; r++) /* a longer row has the same direction: nothing along itself */
        assert_near(test_dot(dx + r * DIM, y + r * DIM, DIM), 0, 1e-6);
    mo_l2_bwd(dy, dy, y, norms, ROWS, DIM); /* in place */
    assert_memory_equal(dy, dx, ROWS * DIM * sizeof *dx);
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(dy), mo_mem_free(dx);
}

static void gradients_match_differences(void **state)
{
    (void)state;
    test_each_path(backward);
}

/* Zeros and what is not finite stay as they are, with a length of 0 and no gradient; beside them all goes on. */
static void odd_rows(void)
{
    const float big = 3e38f;
    float x[10] = {0, 0, 3, 4, NAN, 1, INFINITY, 1, big, big}, y[10], norms[5], dx[10];
    for (size_t i = 0; i < 10; i++) dx[i] = 1;
    mo_l2_fwd(y, x, norms, 5, 2);
    assert_true(norms[0] == 0 && norms[1] == 5 && norms[2] == 0 && norms[3] == 0 && norms[4] == 0);
    assert_true(y[0] == 0 && y[1] == 0 && isnan(y[4]) && y[5] == 1 && isinf(y[6]) && y[7] == 1);
    assert_true(y[8] == big && y[9] == big); /* whose squares overflow */
    assert_near(y[2], 0.6, 1e-7);
    assert_near(y[3], 0.8, 1e-7);
    mo_l2_bwd(dx, dx, y, norms, 5, 2);
    for (size_t i = 0; i < 10; i++)
        if (i != 2 && i != 3) assert_true(dx[i] == 0);
    assert_near(dx[2], (1 - 0.6 * 1.4) / 5, 1e-7);
    assert_near(dx[3], (1 - 0.8 * 1.4) / 5, 1e-7);
}

static void rows_without_a_length_stay(void **state)
{
    (void)state;
    test_each_path(odd_rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_get_length_one),
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(rows_without_a_length_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
