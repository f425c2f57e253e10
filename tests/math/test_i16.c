/* SPDX-License-Identifier: MIT
 * test_i16.c - reduced-precision products: every kernel has the plain one's bits, the error keeps below the bound
 * of rounding to bf16, bits do not depend on company or threads, what is not finite stays so. */
#include "test.h"

#include "math/bf16.h"
#include "math/i16.h"
#include "math/kern.h"
#include "support/mats.h"
#include "base/view.h"
#include "base/mem.h"

static double length(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

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
        assert_string_equal(mo_i16_get()->name, "plain");
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

/* |error| <= 2 x 0.5 sqrt(512) / 32750 of the lengths' product and what float adds: 7e-4, where bf16's bound is 7.8e-3;
 * rows with one large number too. */
static void error_keeps_below_the_bound(void **state)
{
    (void)state;
    const size_t m = 9, n = 70, k = 1000;
    float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *c = test_floats(m * n, 3),
          *row = test_floats(k, 4);
    for (size_t i = 0; i < m; i++) a[i * k + 11 * i] *= (float)(1 << i);
    mo_mat mat = test_quantized(w, n, k);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = n, .a = a, .lda = k, .m = m});
    double worst = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double want = 0;
            for (size_t p = 0; p < k; p++) want += (double)a[i * k + p] * (double)w[j * k + p];
            const double off = fabs(c[i * n + j] - want) / (length(a + i * k, k) * length(w + j * k, k));
            worst = off > worst ? off : worst;
        }
    assert_true(worst < 1e-4);
    assert_true(worst > 1e-7); /* it is 16 bits after all */
    mo_mat_row(&mat, 33, row);
    for (size_t p = 0; p < k; p++) assert_true(fabsf(row[p] - w[33 * k + p]) < 4e-4f);
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(c), mo_mem_free(row);
}

static void row_has_same_bits_in_any_company(void **state)
{
    (void)state;
    const size_t m = 260, n = 100, k = 600;
    float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *all = test_floats(m * n, 3),
          *other = test_floats(m * n, 4);
    mo_mat mat = test_quantized(w, n, k);
    mo_gemm_args g = {.c = all, .ldc = n, .a = a, .lda = k, .m = m, .act = MO_ACT_GELU};
    mo_gemm(NULL, &mat, &g);
    g.c = other;
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        mo_gemm(pool, &mat, &g);
        mo_pool_free(pool);
        assert_memory_equal(all, other, m * n * sizeof *all);
    }
    for (size_t rows = 1; rows < 60; rows += 13) {
        g.a = a + 77 * k, g.m = rows;
        mo_gemm(NULL, &mat, &g);
        assert_memory_equal(all + 77 * n, other, rows * n * sizeof *all);
    }
    g.first = 32, g.n = 33, g.a = a, g.m = m;
    mo_gemm(NULL, &mat, &g);
    for (size_t i = 0; i < m; i++) assert_memory_equal(all + i * n + 32, other + i * n, 33 * sizeof *all);
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(all), mo_mem_free(other);
}

/* Zeros and what is next to them give zeros; NaN, infinities and huge numbers NaN, in their rows alone. */
static void rows_that_are_not_numbers(void **state)
{
    (void)state;
    static const char *const paths[] = {"plain", "avx2", "avx512"};
    static const float odd[] = {0, 1e-20f, NAN, INFINITY, -INFINITY, 1e30f};
    enum { M = 13, N = 20, K = 37 };
    float a[M * K], w[N * K], c[M * N];
    test_random(w, N * K, 2);
    for (size_t p = 0; p < 3; p++) {
        if (mo_kern_cpu_set(paths[p]) != MOPD_OK) continue;
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
    assert_ok(mo_kern_cpu_set(NULL));
    w[3 * K + 5] = INFINITY;
    mo_mat mat = test_quantized(w, N, K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = N, .a = a + 12 * K, .lda = K, .m = 1});
    for (size_t j = 0; j < N; j++) assert_true(isnan(c[j]) == (j == 3));
    mo_mat_free(&mat);
}

static void the_largest_sums_fit(void **state)
{
    (void)state;
    enum { K = 512 };
    float a[K], w[K], c;
    for (size_t one = 0; one < 2; one++) {
        for (size_t i = 0; i < K; i++) a[i] = w[i] = one && i ? 0 : -3.7f;
        mo_mat mat = test_quantized(w, 1, K);
        mo_gemm(NULL, &mat, &(mo_gemm_args){.c = &c, .ldc = 1, .a = a, .lda = K, .m = 1});
        assert_true(fabs(c / (3.7 * 3.7 * (one ? 1 : K)) - 1) < 1e-3);
        mo_mat_free(&mat);
    }
}

static void quantizing_survives_no_memory(void **state)
{
    (void)state;
    float w[20 * 30];
    test_random(w, 600, 1);
    mo_view v = test_view(w, 20, 30);
    test_torture(test_pack_and_quantize, &v);
    mo_mat mat = test_quantized(w, 20, 30), back;
    assert_fails(mo_mat_transpose(&back, &mat), MOPD_E_INTERNAL, "without floats");
    mo_mat_free(&mat);
}

int main(void)
{
    if (mo_bf16_set("integers") != MOPD_OK) return 1; /* oneDNN's: test_onednn.c */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_the_same_bits),
        cmocka_unit_test(error_keeps_below_the_bound),
        cmocka_unit_test(row_has_same_bits_in_any_company),
        cmocka_unit_test(rows_that_are_not_numbers),
        cmocka_unit_test(the_largest_sums_fit),
        cmocka_unit_test(quantizing_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
