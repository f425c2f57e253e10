/* SPDX-License-Identifier: MIT
 * test_gemm_epilogue.c - what follows a product: what each block of k adds as it is written back, and what is
 * left for the end. */
#include "test.h"

#include "math/gemm_epilogue.h"
#include "support/near.h"
#include "support/paths.h"

enum { LDC = 20, LDR = 23, ROWS = 6, COLS = 17 };

static float c[ROWS * LDC], bias[COLS], residual[ROWS * LDR];

static mo_gemm_args args_of(mo_act act, bool with_bias, bool with_residual)
{
    return (mo_gemm_args){.c = c,
        .ldc = LDC,
        .m = ROWS,
        .bias = with_bias ? bias : NULL,
        .residual = with_residual ? residual : NULL,
        .ldr = LDR,
        .act = act};
}

/* A later block adds to what is in c, whatever else was asked for. */
static void later_blocks_add_to_the_result(void **state)
{
    (void)state;
    for (int act = MO_ACT_NONE; act <= MO_ACT_RELU6; act++)
        for (int what = 0; what < 4; what++)
            for (int last = 0; last < 2; last++) {
                const mo_gemm_args g = args_of((mo_act)act, what & 1, what & 2);
                const mo_gemm_epilogue e = mo_gemm_epilogue_of(&g, false, last, 2, 5);
                assert_ptr_equal(e.add, c + 2 * LDC + 5);
                assert_int_equal(e.ldadd, LDC);
            }
}

/* The first block adds the residual, unless an activation comes between. */
static void first_block_adds_the_residual_of_a_plain_product(void **state)
{
    (void)state;
    for (int act = MO_ACT_NONE; act <= MO_ACT_RELU6; act++)
        for (int last = 0; last < 2; last++) {
            mo_gemm_args g = args_of((mo_act)act, true, true);
            const mo_gemm_epilogue e = mo_gemm_epilogue_of(&g, true, last, 3, 4);
            if (act == MO_ACT_NONE) {
                assert_ptr_equal(e.add, residual + 3 * LDR + 4);
                assert_int_equal(e.ldadd, LDR);
            } else {
                assert_null(e.add);
            }
            g.residual = NULL;
            assert_null(mo_gemm_epilogue_of(&g, true, last, 3, 4).add);
        }
}

static void last_block_adds_the_bias_and_clamps(void **state)
{
    (void)state;
    for (int act = MO_ACT_NONE; act <= MO_ACT_RELU; act++)
        for (int first = 0; first < 2; first++) {
            mo_gemm_args g = args_of((mo_act)act, true, true);
            const mo_gemm_epilogue last = mo_gemm_epilogue_of(&g, first, true, 1, 7);
            const mo_gemm_epilogue other = mo_gemm_epilogue_of(&g, first, false, 1, 7);
            assert_ptr_equal(last.bias, bias + 7);
            assert_true(last.top == (act == MO_ACT_RELU6 ? 6 : act == MO_ACT_RELU ? INFINITY : 0));
            assert_null(other.bias);
            assert_true(other.top == 0);
            g.bias = NULL;
            assert_null(mo_gemm_epilogue_of(&g, first, true, 1, 7).bias);
        }
}

/* (x + add) + bias, then the clamp; the same in place; nothing behind the row. */
static void rows(void)
{
    const mo_kern *kern = mo_kern_get();
    float x[COLS], add[COLS], y[COLS + 1], z[COLS + 1];
    test_random(x, COLS, 1);
    test_random(add, COLS, 2);
    test_random(bias, COLS, 3);
    for (size_t i = 0; i < COLS; i++) x[i] *= 9;
    for (int what = 0; what < 12; what++) {
        const mo_gemm_epilogue e = {.add = what & 1 ? add : NULL,
            .bias = what & 2 ? bias : NULL,
            .top = what & 8   ? INFINITY
                   : what & 4 ? 6
                              : 0};
        for (size_t n = 1; n <= COLS; n++) {
            y[n] = 77;
            mo_gemm_epilogue_row(kern, y, x, &e, n);
            for (size_t i = 0; i < n; i++) {
                float want = x[i];
                if (e.add) want += add[i];
                if (e.bias) want += bias[i];
                if (e.top > 0) want = want < 0 ? 0 : want > e.top ? e.top : want;
                assert_true(y[i] == want);
            }
            assert_true(y[n] == 77);
            memcpy(z, x, sizeof x);
            mo_gemm_epilogue_row(kern, z, z, &e, n);
            assert_memory_equal(z, y, n * sizeof *y);
        }
    }
}

static void rows_without_a_kernel_get_the_same(void **state)
{
    (void)state;
    test_each_path(rows);
}

static double wanted(double x, mo_act act)
{
    if (act == MO_ACT_QUICK_GELU) return x / (1 + exp(-1.702 * x));
    if (act == MO_ACT_GELU_TANH) return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    return act == MO_ACT_GELU ? 0.5 * x * (1 + erf(x / sqrt(2))) : x;
}

/* Rows 1..4 and columns 3..10 alone, of each activation, with and without what follows it. */
static void finish(void)
{
    const mo_gemm_area area = {1, 4, 3, 10};
    float was[ROWS * LDC];
    test_random(residual, ROWS * LDR, 5);
    for (int act = MO_ACT_NONE; act <= MO_ACT_RELU6; act++)
        for (int with = 0; with < 2; with++) {
            const mo_gemm_args g = args_of((mo_act)act, true, with);
            test_random(c, ROWS * LDC, 4);
            memcpy(was, c, sizeof c);
            mo_gemm_epilogue_finish(mo_kern_get(), &g, &area);
            for (size_t i = 0; i < ROWS * LDC; i++) {
                const size_t row = i / LDC, col = i % LDC;
                double want = was[i];
                if (row >= area.r0 && row < area.r1 && col >= area.c0 && col < area.c1) {
                    want = wanted(want, g.act);
                    if (with && act != MO_ACT_NONE) want += (double)residual[row * LDR + col];
                    assert_near(c[i], want, 5e-7);
                } else {
                    assert_true(c[i] == was[i]);
                }
            }
        }
}

static void what_is_left_keeps_to_its_area(void **state)
{
    (void)state;
    test_each_path(finish);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_blocks_add_to_the_result),
        cmocka_unit_test(first_block_adds_the_residual_of_a_plain_product),
        cmocka_unit_test(last_block_adds_the_bias_and_clamps),
        cmocka_unit_test(rows_without_a_kernel_get_the_same),
        cmocka_unit_test(what_is_left_keeps_to_its_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
