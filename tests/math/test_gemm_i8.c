/* SPDX-License-Identifier: MIT
 * test_gemm_i8.c - products of 8-bit integers: every path and kernel has the same bits, which are those of the arithmetic
 * that i8.h describes; pairs of weights fit; what was quantized stays as it is; how threads share the work. */
#include "test.h"

#include "base/ints.h"
#include "math/i8.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

static const size_t shapes[][3] = {{1, 1, 1}, {1, 16, 5}, {2, 17, 3}, {3, 31, 16}, {5, 33, 63}, {6, 48, 64},
    {7, 15, 65}, {13, 64, 510}, {14, 32, 1024}, {15, 47, 1025}, {29, 96, 64}, {50, 80, 300}, {61, 16, 767},
    {197, 40, 70}, {241, 33, 20}, {500, 3, 7}, {4, 1030, 40}, {40, 20, 4300}, {20, 18, 9000}, {3, 17, 32768},
    {70, 40, 3072}, {45, 33, 6100}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static mo_mat quantized(const float *w, size_t n, size_t k)
{
    mo_mat mat = test_pack(w, n, k);
    assert_ok(mo_mat_quantize(&mat, MO_PRECISION_8));
    assert_ptr_equal(mat.ops, &mo_gemm_i8_ops);
    assert_false(mo_mat_has_floats(&mat));
    return mat;
}

/* One product of shape s with everything that can follow it, on the live path. */
static void product(float *c, size_t s, const float *const in[4])
{
    const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], ldc = n + s % 4;
    mo_mat mat = quantized(in[1], n, k);
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

/* The paths, and the kernels that AMX and AVX-VNNI hide. */
static void check_shape(size_t s)
{
    const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], ldc = n + s % 4;
    float *a = test_floats(m * (k + s % 3), 1), *w = test_floats(n * k, 2), *bias = test_floats(n, 3),
          *res = test_floats(m * ldc, 4);
    float *want = test_floats(m * ldc, 5), *got = test_floats(m * ldc, 5);
    const float *const in[4] = {a, w, bias, res};
    assert_ok(mo_kern_cpu_set("plain"));
    product(want, s, in);
    for (size_t p = 0; p < 4; p++) {
        if (mo_kern_cpu_set(p / 2 ? "avx512" : "avx2") != MOPD_OK) continue;
        const mo_i8_kern *kern = mo_i8_get();
        if (p % 2 && !kern->wider) continue;
        if (p % 2) mo_i8_set(kern->wider());
        product(got, s, in);
        assert_memory_equal(want, got, m * ldc * sizeof *got);
        mo_i8_set(NULL);
    }
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(res), mo_mem_free(want), mo_mem_free(got);
}

static void every_path_has_the_same_bits(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SHAPES; s++) check_shape(s);
    assert_ok(mo_kern_cpu_set(NULL));
}

/* Rows that are reduced before, where a tile of them has no room on the stack: in memory that is large enough, or it stays as it
 * is. */
static void room_changes_no_bit(void)
{
    enum { M = 77, N = 40, K = 3072 };
    float *a = test_floats(M * K, 1), *w = test_floats(N * K, 2), *want = test_floats(M * N, 3),
          *got = test_floats(M * N, 4);
    mo_mat mat = quantized(w, N, K);
    mo_gemm_args args = {.c = want, .ldc = N, .a = a, .lda = K, .m = M};
    mo_gemm(NULL, &mat, &args);
    const size_t enough = (M + 16) * (K + 64 + 8);
    unsigned char *room = mo_mem_alloc(enough + 1, 1);
    assert_non_null(room);
    args.c = got;
    args.room = room;
    for (size_t threads = 0; threads <= 3; threads++) {
        mo_pool *pool = NULL;
        if (threads) assert_ok(mo_pool_create(&pool, threads));
        memset(room, 0x5a, enough + 1);
        memset(got, 0, M * N * sizeof *got);
        args.room_bytes = threads ? enough : 64;
        mo_gemm(pool, &mat, &args);
        assert_memory_equal(got, want, M * N * sizeof *got);
        assert_int_equal(room[threads ? enough : 64], 0x5a);
        mo_pool_free(pool);
    }
    mo_mat_free(&mat);
    mo_mem_free(room), mo_mem_free(a), mo_mem_free(w), mo_mem_free(want), mo_mem_free(got);
}

static void rows_may_be_reduced_before(void **state)
{
    (void)state;
    test_each_path(room_changes_no_bit);
}

/* Output o of W as whole numbers and a scale, by the matrix itself. */
static float numbers_of(int8_t *q, const mo_mat *mat, size_t o)
{
    const size_t inputs = mo_round_up(mat->k, MO_I8_STEP);
    const int8_t *from = (const int8_t *)mat->packed + o / 16 * 16 * inputs + o % 16 * 4;
    for (size_t i = 0; i < mat->k; i++) q[i] = from[i / 4 * MO_I8_QUAD + i % 4];
    return ((const float *)mat->extra)[o];
}

static float largest_of(const float *w, size_t k)
{
    float most = 0;
    for (size_t i = 0; i < k; i += 2) {
        const float x = w[i], y = i + 1 < k ? w[i + 1] : 0;
        const float t = (x < 0) == (y < 0) ? fabsf(x + y) : fabsf(x) > fabsf(y) ? fabsf(x) : fabsf(y);
        most = t > most ? t : most;
    }
    return most;
}

/* The scale is the largest pair of one sign by 127; numbers are half a step off, one where a pair had to give way. */
static void weights_are_quantized_by_pairs(void **state)
{
    (void)state;
    for (size_t k = 1; k < 400; k += k < 12 ? 1 : 37) {
        enum { N = 19 };
        float *w = test_floats(N * k, (uint32_t)k);
        mo_mat mat = quantized(w, N, k);
        for (size_t o = 0; o < N; o++) {
            int8_t q[400] = {0};
            const double scale = (double)numbers_of(q, &mat, o);
            assert_near(scale, (double)largest_of(w + o * k, k) / 127, 1e-6 * scale);
            for (size_t i = 0; i < k; i++) assert_near(q[i] * scale, w[o * k + i], 1.001 * scale);
            for (size_t i = 0; i < k; i += 2)
                assert_true(abs(q[i] + q[i + 1]) <= 127 || (q[i] < 0) != (q[i + 1] < 0));
        }
        mo_mat_free(&mat);
        mo_mem_free(w);
    }
}

/* Whoever quantizes what was quantized gets the same numbers. */
static void quantizing_again_changes_nothing(void **state)
{
    (void)state;
    enum { N = 40, K = 301 };
    float *w = test_floats(N * K, 7), *again = test_floats(N * K, 8);
    mo_mat first = quantized(w, N, K);
    for (size_t o = 0; o < N; o++) mo_mat_row(&first, o, again + o * K);
    mo_mat second = quantized(again, N, K);
    for (size_t o = 0; o < N; o++) {
        int8_t q[2][K];
        const double scale = (double)numbers_of(q[0], &first, o);
        assert_near(numbers_of(q[1], &second, o), scale, 3e-7 * scale);
        assert_memory_equal(q[0], q[1], K);
    }
    mo_mat_free(&first), mo_mat_free(&second);
    mo_mem_free(w), mo_mem_free(again);
}

/* An exact sum, less zero times the sum of weights, then float. */
static void products_are_those_of_whole_numbers(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SHAPES; s++) {
        const size_t m = mo_min(shapes[s][0], 5), n = mo_min(shapes[s][1], 20), k = shapes[s][2];
        float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *c = test_floats(m * n, 4);
        static uint8_t qa[MO_I8_MOST + 64];
        static int8_t qw[MO_I8_MOST];
        mo_mat mat = quantized(w, n, k);
        mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = n, .a = a, .lda = k, .m = m});
        for (size_t i = 0; i < m; i++) {
            float scale;
            int32_t zero;
            mo_i8_plain()->quantize(&(mo_i8_rows){qa, k + 64, &scale, &zero}, a + i * k, k, 1, k);
            for (size_t o = 0; o < n; o++) {
                const float w_scale = numbers_of(qw, &mat, o);
                int64_t sum = 0;
                for (size_t p = 0; p < k; p++) sum += (qa[p] - zero) * qw[p];
                assert_true(c[i * n + o] == (float)(int32_t)sum * scale * w_scale);
            }
        }
        mo_mat_free(&mat);
        mo_mem_free(a), mo_mem_free(w), mo_mem_free(c);
    }
}

/* Whose sums might leave 32 bits. */
static void more_inputs_than_fit_have_16_bits(void **state)
{
    (void)state;
    float *w = test_floats(MO_I8_MOST + 1, 2);
    mo_mat mat = test_pack(w, 1, MO_I8_MOST + 1);
    assert_ok(mo_mat_quantize(&mat, MO_PRECISION_8));
    assert_ptr_equal(mat.ops, &mo_gemm_i16_ops);
    mo_mat_free(&mat);
    mo_mem_free(w);
}

/* The largest sum of either sign that there can be. */
static void the_largest_sums_fit(void **state)
{
    (void)state;
    float *a = test_floats(MO_I8_MOST, 1), *w = test_floats(2 * (size_t)MO_I8_MOST, 2), c[2];
    for (size_t i = 0; i < MO_I8_MOST; i++) {
        a[i] = i % 2 ? 0 : 3;
        w[i] = i % 2 ? 0 : 5;
        w[MO_I8_MOST + i] = i % 2 ? 0 : -5;
    }
    mo_mat mat = quantized(w, 2, MO_I8_MOST);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = 2, .a = a, .lda = MO_I8_MOST, .m = 1});
    assert_near(c[0], 15.0 * MO_I8_MOST / 2, 0.5);
    assert_near(c[1], -15.0 * MO_I8_MOST / 2, 0.5);
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w);
}

/* Weights too: one output is not finite, one is nothing, the others are as they were. */
static void outputs_without_a_span(void **state)
{
    (void)state;
    enum { N = 20, K = 37 };
    float a[K], w[N * K], before[N], c[N], row[K];
    test_random(a, K, 1);
    test_random(w, N * K, 2);
    mo_mat mat = quantized(w, N, K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = before, .ldc = N, .a = a, .lda = K, .m = 1});
    mo_mat_free(&mat);
    w[3 * K + 5] = INFINITY;
    w[4 * K + 36] = NAN;
    w[5 * K + 1] = w[5 * K] = 3e38f;
    for (size_t i = 0; i < K; i++) w[17 * K + i] = i % 2 ? 1e-33f : 0;
    mat = quantized(w, N, K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = N, .a = a, .lda = K, .m = 1});
    for (size_t j = 0; j < N; j++) {
        if (j >= 3 && j <= 5)
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
    mo_gemm_i8_ops.plan(&j, threads);
    return j;
}

/* A row is quantized once where there are many of them; few are shared out by columns. */
static void plans_are_cut_for_threads(void **state)
{
    (void)state;
    assert_int_equal(planned(448, 768, 1).row_parts, 1);
    assert_int_equal(planned(449, 768, 1).row_parts, 2);
    assert_int_equal(planned(449, 768, 1).col_parts, 1);
    assert_int_equal(planned(1, 768, 2).col_parts, 4);
    assert_int_equal(planned(1, 65, 8).col_parts, 2);
    assert_int_equal(planned(200, 768, 2).col_parts, 1);
    assert_int_equal(planned(200, 768, 2).row_parts, 4);
    assert_int_equal(planned(4480, 768, 2).row_parts, 10);
}

static mopd_status pack_and_quantize(void *view)
{
    mo_mat mat;
    mopd_status st = mo_mat_pack(&mat, &(mo_mat_part){view, false}, 1);
    if (st == MOPD_OK) st = mo_mat_quantize(&mat, MO_PRECISION_8);
    mo_mat_free(&mat);
    return st;
}

static void quantizing_survives_lack_of_memory(void **state)
{
    (void)state;
    float w[20 * 30];
    test_random(w, 600, 1);
    mo_view v = test_view(w, 20, 30);
    test_torture(pack_and_quantize, &v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_the_same_bits),
        cmocka_unit_test(rows_may_be_reduced_before),
        cmocka_unit_test(weights_are_quantized_by_pairs),
        cmocka_unit_test(quantizing_again_changes_nothing),
        cmocka_unit_test(products_are_those_of_whole_numbers),
        cmocka_unit_test(more_inputs_than_fit_have_16_bits),
        cmocka_unit_test(the_largest_sums_fit),
        cmocka_unit_test(outputs_without_a_span),
        cmocka_unit_test(plans_are_cut_for_threads),
        cmocka_unit_test(quantizing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
