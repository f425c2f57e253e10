/* SPDX-License-Identifier: MIT
 * test_gemm_bf16.c - products over bfloat16 are those of rounded factors, on any number of threads and beside other callers:
 * on AMX where the CPU has it, in plain C elsewhere. */
#include "test.h"

#include <pthread.h>

#include "base/ints.h"
#include "support/mats.h"
#include "support/bf16.h"
#include "support/needs.h"

static const size_t shapes[][3] = {{1, 1, 1}, {1, 16, 5}, {2, 17, 3}, {3, 31, 16}, {5, 33, 511}, {6, 48, 512},
    {7, 15, 513}, {63, 64, 31}, {64, 32, 32}, {65, 47, 33}, {29, 96, 64}, {50, 80, 300}, {61, 16, 767},
    {197, 40, 70}, {241, 33, 20}, {500, 3, 7}, {4, 1030, 40}, {2, 513, 64}, {3, 600, 100}, {70, 512, 9},
    {260, 768, 40}, {9, 1, 1000}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static double activated(double x, mo_act act)
{
    if (act == MO_ACT_RELU6) return x < 0 ? 0 : x > 6 ? 6 : x;
    if (act == MO_ACT_GELU_TANH) return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    if (act == MO_ACT_GELU) return x * (1 + erf(x / sqrt(2))) / 2;
    return act == MO_ACT_QUICK_GELU ? x / (1 + exp(-1.702 * x)) : x;
}

/* a w of rounded factors in double, and how far a product may be off, M x N each. */
typedef struct sums {
    double *of, *room;
} sums;

static sums sum_up(const size_t shape[3], const float *a, size_t lda, const float *w)
{
    const size_t m = shape[0], n = shape[1], k = shape[2];
    sums s = {mo_mem_calloc(m * n, sizeof *s.of), mo_mem_calloc(m * n, sizeof *s.room)};
    float *x = test_floats(k, 1);
    assert_true(s.of && s.room);
    for (size_t i = 0; i < m; i++) {
        for (size_t p = 0; p < k; p++) x[p] = test_rounded(a[i * lda + p]);
        for (size_t o = 0; o < n; o++) {
            double sum = 0, size = 1;
            for (size_t p = 0; p < k; p++) {
                const double y = (double)x[p] * (double)test_rounded(w[o * k + p]);
                sum += y, size += fabs(y);
            }
            s.of[i * n + o] = sum, s.room[i * n + o] = 1e-6 * size;
        }
    }
    mo_mem_free(x);
    return s;
}

/* act(a w + bias) + residual, all in double but for the rounding of a and w. */
static void compare(const size_t shape[3], const sums *s, const mo_gemm_args *g)
{
    const size_t n = shape[1];
    for (size_t i = 0; i < shape[0]; i++)
        for (size_t o = 0; o < n; o++) {
            const double sum = s->of[i * n + o] + (g->bias ? (double)g->bias[o] : 0);
            const double want =
                activated(sum, g->act) + (g->residual ? (double)g->residual[i * g->ldr + o] : 0);
            const double off = fabs(g->c[i * g->ldc + o] - want);
            if (!(off < s->room[i * n + o]))
                fail_msg("%zu x %zu x %zu: off by %g", shape[0], n, shape[2], off);
        }
}

static void products_are_those_of_rounded_factors(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("bfloat16"));
    for (size_t s = 0; s < N_SHAPES; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], ldc = n + s % 4, lda = k + s % 3;
        float *a = test_floats(m * lda, 1), *w = test_floats(n * k, 2), *bias = test_floats(n, 3),
              *res = test_floats(m * ldc, 4);
        float *c = test_floats(m * ldc + 1, 5), *was = test_floats(m * ldc + 1, 5);
        const sums sum = sum_up(shapes[s], a, lda, w);
        mo_mat mat = test_quantized(w, n, k);
        assert_ptr_equal(mat.ops, &mo_gemm_bf16_ops);
        for (int act = MO_ACT_NONE; act <= MO_ACT_RELU6; act++) {
            mo_gemm_args g = {.c = c, .ldc = ldc, .a = a, .lda = lda, .m = m, .ldr = ldc, .act = (mo_act)act};
            g.bias = (s + (size_t)act) % 3 ? bias : NULL;
            g.residual = (s + (size_t)act) % 2 ? res : NULL;
            memcpy(c, was, (m * ldc + 1) * sizeof *c);
            mo_gemm(NULL, &mat, &g);
            compare(shapes[s], &sum, &g);
            for (size_t i = 0; i < m * ldc + 1; i++) /* nothing beside the result is touched */
                if (i >= m * ldc || i % ldc >= n) assert_memory_equal(c + i, was + i, sizeof *c);
        }
        mo_gemm_args g = {.c = c, .ldc = ldc, .a = a, .lda = lda, .m = m, .residual = c, .ldr = ldc};
        memcpy(c, res, m * ldc * sizeof *c);
        mo_gemm(NULL, &mat, &g); /* in place */
        g.residual = res;
        compare(shapes[s], &sum, &g);
        mo_mat_free(&mat), mo_mem_free(sum.of), mo_mem_free(sum.room);
        mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(res), mo_mem_free(c), mo_mem_free(was);
    }
}

static void weights_can_be_read_back(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("bfloat16"));
    const size_t n = 1030, k = 130;
    float *w = test_floats(n * k, 2), *row = test_floats(k, 1);
    mo_mat mat = test_quantized(w, n, k), back;
    for (size_t o = 0; o < n; o += 103) {
        mo_mat_row(&mat, o, row);
        for (size_t i = 0; i < k; i++) assert_true(row[i] == test_rounded(w[o * k + i]));
    }
    assert_fails(mo_mat_transpose(&back, &mat), MOPD_E_INTERNAL, "without floats");
    mo_mat_free(&mat);
    mo_mem_free(w), mo_mem_free(row);
}

typedef struct caller {
    const mo_mat *mat;
    const float *a, *want;
    bool same;
} caller;

enum { CALL_M = 70, CALL_N = 600, CALL_K = 64 };

static void *call_again(void *ctx)
{
    caller *me = ctx;
    float *c = malloc(CALL_M * CALL_N * sizeof *c);
    me->same = true;
    for (int i = 0; c && i < 20; i++) {
        mo_gemm(
            NULL, me->mat, &(mo_gemm_args){.c = c, .ldc = CALL_N, .a = me->a, .lda = CALL_K, .m = CALL_M});
        me->same = me->same && !memcmp(c, me->want, CALL_M * CALL_N * sizeof *c);
    }
    free(c);
    return NULL;
}

static void many_callers_at_once(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    assert_ok(mo_bf16_set("bfloat16"));
    float *a = test_floats(CALL_M * CALL_K, 1), *w = test_floats(CALL_N * CALL_K, 2),
          *want = test_floats(CALL_M * CALL_N, 3);
    mo_mat mat = test_quantized(w, CALL_N, CALL_K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = want, .ldc = CALL_N, .a = a, .lda = CALL_K, .m = CALL_M});
    caller callers[8];
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) {
        callers[i] = (caller){.mat = &mat, .a = a, .want = want};
        assert_int_equal(pthread_create(&threads[i], NULL, call_again, &callers[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(callers[i].same);
    }
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(want);
}

static mo_gemm_job planned(const mo_mat *mat, size_t m, size_t first, size_t n, size_t threads)
{
    mo_gemm_job j = {.w = mat, .row_parts = 1, .col_parts = 1};
    j.g.m = m, j.g.first = first, j.g.n = n;
    mo_gemm_bf16_ops.plan(&j, threads);
    return j;
}

/* Cuts lie between tiles of rows, two parts for each thread. */
static void plans_are_cut_between_tiles(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("bfloat16"));
    float *w = test_floats(1024 * 40, 1);
    mo_mat mat = test_quantized(w, 1024, 40);
    const mo_gemm_job one = planned(&mat, 1000, 0, 1024, 1);
    assert_int_equal(one.row_step, MO_BF16_ROWS);
    assert_int_equal(one.row_parts, 4);
    assert_int_equal(one.col_parts, 1);
    assert_int_equal(planned(&mat, 5, 0, 1024, 4).row_parts, 1);
    assert_int_equal(planned(&mat, 5, 0, 1024, 4).col_parts, 8);
    assert_int_equal(planned(&mat, 5, 0, 100, 4).col_parts, 2); /* four panels at least */
    assert_int_equal(planned(&mat, 1000, 0, 1024, 4).row_parts, 8);
    assert_int_equal(planned(&mat, 1000, 0, 1024, 4).col_parts, 1);
    assert_int_equal(planned(&mat, 100, 0, 1024, 4).row_parts, 4);
    assert_int_equal(planned(&mat, 100, 0, 1024, 4).col_parts, 2);
    mo_mat_free(&mat);
    mo_mem_free(w);
}

/* AMX and plain C: the same bits, whatever is asked for, alone and in company, at any number of threads. */
static void paths_give_the_same_bits(void **state)
{
    (void)state;
    enum { M = 77, N = 100, K = 1100 };
    float *a = test_floats(M * K, 1), *w = test_floats(N * K, 2), *bias = test_floats(N, 3),
          *res = test_floats(M * N, 4);
    float *one = test_floats(M * N, 5), *two = test_floats(M * N, 5);
    assert_ok(mo_bf16_set("bfloat16"));
    mo_mat mat = test_quantized(w, N, K);
    mo_gemm_args g = {.c = one, .ldc = N, .a = a, .lda = K, .m = M, .bias = bias, .residual = res, .ldr = N};
    mo_gemm(NULL, &mat, &g);
    assert_ok(mo_kern_cpu_set("plain"));
    for (size_t i = 0; i < M; i++) { /* a row at a time */
        const mo_gemm_args row = {.c = two + i * N,
            .ldc = N,
            .a = a + i * K,
            .lda = K,
            .m = 1,
            .bias = bias,
            .residual = res + i * N,
            .ldr = N};
        mo_gemm(NULL, &mat, &row);
    }
    assert_memory_equal(one, two, M * N * sizeof *one);
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(res), mo_mem_free(one), mo_mem_free(two);
}

static void packing_survives_no_memory(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("bfloat16"));
    float w[20 * 30];
    test_random(w, 600, 1);
    mo_view v = test_view(w, 20, 30);
    test_torture(test_pack_and_quantize, &v);
}

#define test(name) cmocka_unit_test_setup_teardown(name, test_bf16_default, test_bf16_default)

int main(void)
{
    unsetenv("MOPD_BF16");
    const struct CMUnitTest tests[] = {
        test(products_are_those_of_rounded_factors),
        test(weights_can_be_read_back),
        test(many_callers_at_once),
        test(plans_are_cut_between_tiles),
        test(paths_give_the_same_bits),
        test(packing_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
