/* SPDX-License-Identifier: MIT
 * test_gemm_i16.c - products of 16-bit integers: every path has the same bits, which are those of the
 * arithmetic that i16.h describes; the error keeps below its bound; how threads share the work. */
#include "test.h"

#include "base/ints.h"
#include "math/bf16.h"
#include "math/i16.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

static const size_t shapes[][3] = {{1, 1, 1}, {1, 16, 5}, {2, 17, 3}, {3, 31, 16}, {5, 33, 511}, {6, 48, 512},
    {7, 15, 513}, {13, 64, 510}, {14, 32, 1024}, {15, 47, 1025}, {29, 96, 64}, {50, 80, 300}, {61, 16, 767},
    {197, 40, 70}, {241, 33, 20}, {500, 3, 7}, {4, 1030, 40}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

/* One product of shape s with everything that can follow it, on the live path. */
static void product(float *c, size_t s, const float *const in[4])
{
    const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], ldc = n + s % 4;
    mo_mat mat = test_quantized(in[1], n, k);
    /* No activation whose own bits differ between the paths. */
    mo_gemm(NULL, &mat,
        &(mo_gemm_args){.c = c,
            .ldc = ldc,
            .a = in[0],
            .lda = k + s % 3,
            .m = m,
            .bias = in[2],
            .residual = in[3],
            .ldr = ldc,
            .act = s % 3 ? MO_ACT_NONE : MO_ACT_RELU6});
    mo_mat_free(&mat);
}

static void every_path_has_the_same_bits(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SHAPES; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], ldc = n + s % 4;
        float *a = test_floats(m * (k + s % 3), 1), *w = test_floats(n * k, 2), *bias = test_floats(n, 3),
              *res = test_floats(m * ldc, 4);
        float *want = test_floats(m * ldc, 5), *got = test_floats(m * ldc, 5);
        const float *const in[4] = {a, w, bias, res};
        assert_ok(mo_kern_cpu_set("plain"));
        product(want, s, in);
        for (size_t p = 0; p < 2; p++) {
            if (mo_kern_cpu_set(p ? "avx512" : "avx2") != MOPD_OK) continue;
            product(got, s, in);
            assert_memory_equal(want, got, m * ldc * sizeof *got);
        }
        mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(res), mo_mem_free(want),
            mo_mem_free(got);
    }
    assert_ok(mo_kern_cpu_set(NULL));
}

/* Row o of W, inputs from .. from+k, as whole numbers and a scale: the squares are added one after the other. */
static float quantize_row(int16_t *q, const float *w, size_t k)
{
    float square = 0;
    for (size_t i = 0; i < k; i++) square += w[i] * w[i];
    const mo_i16_scale s = mo_i16_scale_of(square);
    for (size_t i = 0; i < k; i++) q[i] = mo_i16_round(w[i] * s.to);
    return s.back;
}

/* The blocks of k one after the other: pairs of inputs cut as equal as can be, exact sums, then float. */
static float element(const float *a, const float *w, size_t k, float bias)
{
    const size_t pairs = mo_ceil_div(k, 2), blocks = mo_ceil_div(k, MO_I16_K);
    static int16_t qa[MO_I16_LDA], qw[MO_I16_LDA];
    float sum = 0;
    for (size_t b = 0; b < blocks; b++) {
        const size_t from = 2 * mo_cut(pairs, blocks, b),
                     d = mo_min(2 * mo_cut(pairs, blocks, b + 1), k) - from;
        float scale;
        mo_i16_plain()->quantize(qa, &scale, a + from, d, 1, d);
        const float w_scale = quantize_row(qw, w + from, d);
        int64_t whole = 0;
        for (size_t i = 0; i < d; i++) whole += (int64_t)qa[i] * qw[i];
        const float part = (float)(int32_t)whole * scale * w_scale;
        sum = b ? part + sum : part;
    }
    return sum + bias;
}

/* Where each number of a matrix lies: pairs of inputs, sixteen outputs side by side, zeros beyond both. */
static void numbers_lie_in_pairs(void **state)
{
    (void)state;
    enum { N = 20, K = 7, PAIRS = 4 };
    float w[N * K];
    test_random(w, N * K, 2);
    mo_mat mat = test_quantized(w, N, K);
    const int16_t *packed = mat.packed;
    const float *scales = mat.extra;
    for (size_t o = 0; o < 32; o++) {
        int16_t q[2 * PAIRS] = {0};
        const float scale = o < N ? quantize_row(q, w + o * K, K) : 0;
        assert_true(scales[o] == scale);
        for (size_t i = 0; i < 2 * PAIRS; i++)
            assert_int_equal(packed[((o / 16 * PAIRS + i / 2) * 16 + o % 16) * 2 + i % 2], q[i]);
    }
    mo_mat_free(&mat);
}

static void products_are_those_of_whole_numbers(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SHAPES; s++) {
        const size_t m = mo_min(shapes[s][0], 30), n = mo_min(shapes[s][1], 70), k = shapes[s][2];
        float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *bias = test_floats(n, 3),
              *c = test_floats(m * n, 4);
        mo_mat mat = test_quantized(w, n, k);
        mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = n, .a = a, .lda = k, .m = m, .bias = bias});
        for (size_t i = 0; i < m; i++)
            for (size_t o = 0; o < n; o++)
                assert_true(c[i * n + o] == element(a + i * k, w + o * k, k, bias[o]));
        mo_mat_free(&mat);
        mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(c);
    }
}

/* |error| <= 2 x 0.5 sqrt(512) / 32750 of the lengths' product and what float adds: 7e-4, where bf16's bound is 7.8e-3;
 * rows with one large number too. */
static void error_keeps_below_the_bound(void **state)
{
    (void)state;
    const size_t m = 9, n = 70, k = 1000;
    float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *c = test_floats(m * n, 3);
    for (size_t i = 0; i < m; i++) a[i * k + 11 * i] *= (float)(1 << i);
    mo_mat mat = test_quantized(w, n, k);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = n, .a = a, .lda = k, .m = m});
    double worst = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            const double off = fabs(c[i * n + j] - test_dot(a + i * k, w + j * k, k)) /
                               (test_length(a + i * k, k) * test_length(w + j * k, k));
            worst = off > worst ? off : worst;
        }
    assert_true(worst < 1e-4);
    assert_true(worst > 1e-7); /* it is 16 bits after all */
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(c);
}

/* Each block of inputs has a scale of its own: a huge number costs its own block alone its last bits. */
static void a_large_number_costs_its_block_alone(void **state)
{
    (void)state;
    enum { K = 1024 };
    float w[K], row[K];
    test_random(w, K, 2);
    w[700] = 4e6f;
    mo_mat mat = test_quantized(w, 1, K);
    mo_mat_row(&mat, 0, row);
    const double near = test_length(w, 512) / 32750, far = 4e6 / 32750;
    for (size_t i = 0; i < K; i++) assert_near(row[i], w[i], 0.51 * (i < 512 ? near : far));
    assert_true(row[701] == 0); /* less than half a step */
    mo_mat_free(&mat);
}

/* Zeros and what is next to them give zeros; NaN, infinities and huge numbers NaN, in their rows alone. */
static void rows_without_a_length(void)
{
    static const float odd[] = {0, 1e-20f, NAN, INFINITY, -INFINITY, 1e30f};
    enum { M = 13, N = 20, K = 37 };
    float a[M * K], w[N * K], c[M * N];
    test_random(w, N * K, 2);
    test_random(a, M * K, 1);
    memset(a, 0, 12 * K * sizeof *a);
    for (size_t i = 0; i < 6; i++) a[(2 * i + 1) * K + i] = odd[i];
    mo_mat mat = test_quantized(w, N, K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = N, .a = a, .lda = K, .m = M});
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++) {
            const float x = c[i * N + j];
            if (i == 12)
                assert_true(x != 0 && isfinite(x));
            else if (i == 5 || i == 7 || i == 9 || i == 11)
                assert_true(isnan(x));
            else
                assert_true(x == 0);
        }
    mo_mat_free(&mat);
}

static void what_has_no_length_is_zero_or_no_number(void **state)
{
    (void)state;
    test_each_path(rows_without_a_length);
}

/* Weights too: one output is not finite, one is nothing, the others are as they were. */
static void outputs_without_a_length(void **state)
{
    (void)state;
    enum { N = 20, K = 37 };
    float a[K], w[N * K], before[N], c[N], row[K];
    test_random(a, K, 1);
    test_random(w, N * K, 2);
    mo_mat mat = test_quantized(w, N, K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = before, .ldc = N, .a = a, .lda = K, .m = 1});
    mo_mat_free(&mat);
    w[3 * K + 5] = INFINITY;
    for (size_t i = 0; i < K; i++) w[17 * K + i] = i % 2 ? 1e-18f : 0;
    mat = test_quantized(w, N, K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = N, .a = a, .lda = K, .m = 1});
    for (size_t j = 0; j < N; j++) {
        if (j == 3)
            assert_true(isnan(c[j]));
        else
            assert_true(c[j] == (j == 17 ? 0 : before[j]));
    }
    mo_mat_row(&mat, 17, row);
    for (size_t i = 0; i < K; i++) assert_true(row[i] == 0);
    mo_mat_row(&mat, 3, row);
    for (size_t i = 0; i < K; i++) assert_true(isnan(row[i]));
    mo_mat_free(&mat);
}

static mo_gemm_job planned(size_t m, size_t n, size_t threads)
{
    mo_gemm_job j = {.row_parts = 1, .col_parts = 1, .row_step = 1};
    j.g.m = m, j.g.n = n;
    mo_gemm_i16_ops.plan(&j, threads);
    return j;
}

/* Tasks of 240 rows; four for each thread, of four panels at least. */
static void plans_are_cut_for_threads(void **state)
{
    (void)state;
    assert_int_equal(planned(240, 768, 1).row_parts, 1);
    assert_int_equal(planned(241, 768, 1).row_parts, 2);
    assert_int_equal(planned(241, 768, 1).col_parts, 1);
    assert_int_equal(planned(1, 768, 2).col_parts, 8);
    assert_int_equal(planned(1, 768, 8).col_parts, 12);
    assert_int_equal(planned(1, 65, 8).col_parts, 2);
    assert_int_equal(planned(2400, 768, 2).col_parts, 1);
    assert_int_equal(planned(600, 768, 2).row_parts, 3);
    assert_int_equal(planned(600, 768, 2).col_parts, 3);
    assert_int_equal(planned(1, 4000, 1).group, 768);
}

static void quantizing_survives_lack_of_memory(void **state)
{
    (void)state;
    float w[20 * 30];
    test_random(w, 600, 1);
    mo_view v = test_view(w, 20, 30);
    test_torture(test_pack_and_quantize, &v);
}

int main(void)
{
    if (mo_bf16_set("integers") != MOPD_OK) return 1; /* bfloat16: test_gemm_bf16.c */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_the_same_bits),
        cmocka_unit_test(numbers_lie_in_pairs),
        cmocka_unit_test(products_are_those_of_whole_numbers),
        cmocka_unit_test(error_keeps_below_the_bound),
        cmocka_unit_test(a_large_number_costs_its_block_alone),
        cmocka_unit_test(what_has_no_length_is_zero_or_no_number),
        cmocka_unit_test(outputs_without_a_length),
        cmocka_unit_test(plans_are_cut_for_threads),
        cmocka_unit_test(quantizing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
