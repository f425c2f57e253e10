/* SPDX-License-Identifier: MIT
 * test_gemm_f64.c - products and triangles in double precision against sums written plainly, on every path. */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "math/f64.h"
#include "math/gemm_f64.h"
#include "math/kern.h"
#include "math/triangle.h"

static const char *const paths[] = {"plain", "avx2", "avx512"};

static double *numbers(size_t n, uint64_t seed)
{
    mo_rng r;
    mo_rng_seed(&r, seed);
    double *x = mo_mem_alloc(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = mo_rng_normal(&r);
    return x;
}

typedef struct shape {
    size_t m, n, k;
} shape;

static const shape shapes[] = {
    {1, 1, 1}, {1, 40, 3}, {13, 16, 7}, {12, 17, 256}, {25, 33, 257}, {200, 5, 31}, {97, 130, 64}};

/* c = a b, all in rows. */
static mo_gemm_f64_args in_rows(double *c, const double *a, const double *b, const shape *s)
{
    return (mo_gemm_f64_args){.c = c,
        .ldc = s->n,
        .a = a,
        .ars = s->k,
        .acs = 1,
        .b = b,
        .brs = s->n,
        .bcs = 1,
        .m = s->m,
        .n = s->n,
        .k = s->k};
}

static void product_equals_the_plain_sum(const shape *s, bool a_transposed, bool b_transposed, bool add)
{
    double *a = numbers(s->m * s->k, 1), *b = numbers(s->k * s->n, 2), *c = numbers(s->m * (s->n + 3), 3);
    double *before = mo_mem_alloc(s->m * (s->n + 3), sizeof *before);
    memcpy(before, c, s->m * (s->n + 3) * sizeof *c);
    mo_gemm_f64_args g = in_rows(c, a, b, s);
    g.ldc = s->n + 3;
    g.add = add;
    if (a_transposed) g.ars = 1, g.acs = s->m;
    if (b_transposed) g.brs = 1, g.bcs = s->k;
    assert_ok(mo_gemm_f64(NULL, &g));
    for (size_t i = 0; i < s->m; i++)
        for (size_t j = 0; j < s->n + 3; j++) {
            const size_t at = i * (s->n + 3) + j;
            if (j >= s->n) { /* what lies between rows stays */
                assert_true(c[at] == before[at]);
                continue;
            }
            double sum = add ? before[at] : 0, size = 1;
            for (size_t p = 0; p < s->k; p++) {
                const double x = a[i * g.ars + p * g.acs] * b[p * g.brs + j * g.bcs];
                sum += x;
                size += fabs(x);
            }
            if (!(fabs(c[at] - sum) <= 1e-15 * size))
                fail_msg("%zu %zu %zu: %g, not %g", s->m, s->n, s->k, c[at], sum);
        }
    mo_mem_free(a);
    mo_mem_free(b);
    mo_mem_free(c);
    mo_mem_free(before);
}

static void products_of_any_strides_on_every_path(void **state)
{
    (void)state;
    for (int path = 0; path < 3; path++) {
        if (mo_kern_cpu_set(paths[path]) != MOPD_OK) continue;
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            for (int kind = 0; kind < 8; kind++)
                product_equals_the_plain_sum(&shapes[i], kind & 1, kind & 2, kind & 4);
    }
    assert_ok(mo_kern_cpu_set(NULL));
}

static void threads_and_neighbours_do_not_change_bits(void **state)
{
    (void)state;
    enum { M = 300, N = 70, K = 300 };
    double *a = numbers(M * K, 4), *b = numbers(K * N, 5), *whole = mo_mem_alloc(M * N, 8),
           *part = mo_mem_alloc(M * N, 8);
    mo_gemm_f64_args g = in_rows(whole, a, b, &(shape){M, N, K});
    assert_ok(mo_gemm_f64(NULL, &g));
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        g.c = part;
        assert_ok(mo_gemm_f64(pool, &g));
        assert_memory_equal(whole, part, M * N * sizeof *whole);
        mo_pool_free(pool);
    }
    for (size_t row = 0; row < M; row += 37) { /* a row alone */
        g.c = part;
        g.a = a + row * K;
        g.m = 1;
        assert_ok(mo_gemm_f64(NULL, &g));
        assert_memory_equal(whole + row * N, part, N * sizeof *whole);
    }
    mo_mem_free(a);
    mo_mem_free(b);
    mo_mem_free(whole);
    mo_mem_free(part);
}

static void a_triangle_is_not_read_below(void **state)
{
    (void)state;
    enum { M = 20, N = 90 };
    double *a = numbers(M * N, 6), *b = numbers(N * N, 7), *c = mo_mem_alloc(M * N, 8),
           *full = mo_mem_alloc(M * N, 8);
    mo_gemm_f64_args g = in_rows(full, a, b, &(shape){M, N, N});
    for (size_t p = 0; p < N; p++)
        for (size_t j = 0; j < p; j++) b[p * N + j] = 0;
    assert_ok(mo_gemm_f64(NULL, &g));
    for (size_t p = 0; p < N; p++)
        for (size_t j = 0; j < p; j++) b[p * N + j] = NAN;
    g.c = c;
    g.triangle = true;
    assert_ok(mo_gemm_f64(NULL, &g));
    for (size_t i = 0; i < M * N; i++) assert_true(fabs(c[i] - full[i]) <= 1e-13);
    mo_mem_free(a);
    mo_mem_free(b);
    mo_mem_free(c);
    mo_mem_free(full);
}

static void the_lower_half_is_that_of_the_whole(void **state)
{
    (void)state;
    enum { N = 130, K = 40 };
    double *a = numbers(N * K, 8), *whole = mo_mem_alloc(N * N, 8), *half = mo_mem_alloc(N * N, 8);
    mo_gemm_f64_args g = {
        .c = whole, .ldc = N, .a = a, .ars = K, .acs = 1, .b = a, .brs = 1, .bcs = K, .m = N, .n = N, .k = K};
    for (int path = 0; path < 3; path++) {
        if (mo_kern_cpu_set(paths[path]) != MOPD_OK) continue;
        g.c = whole;
        g.lower = false;
        assert_ok(mo_gemm_f64(NULL, &g));
        g.c = half;
        g.lower = true;
        assert_ok(mo_gemm_f64(NULL, &g));
        for (size_t i = 0; i < N; i++)
            assert_memory_equal(half + i * N, whole + i * N, (i + 1) * sizeof *half);
    }
    assert_ok(mo_kern_cpu_set(NULL));
    mo_mem_free(a);
    mo_mem_free(whole);
    mo_mem_free(half);
}

static mo_gemm_f64_rows laid_out(const double *x, size_t m, size_t k)
{
    mo_gemm_f64_rows rows;
    assert_ok(mo_gemm_f64_rows_create(&rows, m, k));
    for (size_t i = 0; i < m; i += rows.height) mo_gemm_f64_rows_put(&rows, i, x + i * k);
    return rows;
}

/* A lower triangle on either side: zeros above the diagonal change nothing. */
static void lower_triangles_are_multiplied_as_any_matrix(void **state)
{
    (void)state;
    static const shape some[] = {{5, 3, 5}, {40, 90, 40}, {300, 20, 300}, {7, 300, 300}, {50, 40, 40}};
    for (int path = 0; path < 3; path++) {
        if (mo_kern_cpu_set(paths[path]) != MOPD_OK) continue;
        for (size_t s = 0; s < sizeof some / sizeof *some; s++) {
            const size_t m = some[s].m, n = some[s].n, k = some[s].k;
            double *a = numbers(m * k, 1), *b = numbers(k * n, 2), *c = numbers(m * n, 3),
                   *low = mo_mem_alloc(m * n, 8);
            memcpy(low, c, m * n * sizeof *c);
            for (size_t i = 0; i < k * k; i++)
                if (i % k > i / k) *(m == k ? &a[i] : &b[i]) = 0;
            for (int add = 0; add < 2; add++) {
                mo_gemm_f64_args g = in_rows(c, a, b, &some[s]);
                g.add = add;
                assert_ok(mo_gemm_f64(NULL, &g));
                g.c = low;
                g.low_a = m == k;
                g.low_b = !g.low_a;
                assert_ok(mo_gemm_f64(NULL, &g));
                for (size_t i = 0; i < m * n; i++) assert_true(fabs(c[i] - low[i]) <= 1e-12);
            }
            double *all[] = {a, b, c, low};
            for (size_t i = 0; i < 4; i++) mo_mem_free(all[i]);
        }
    }
    assert_ok(mo_kern_cpu_set(NULL));
}

/* Bits of the same product with a laid out before, for any b. */
static void rows_laid_out_once_have_the_same_product(void **state)
{
    (void)state;
    static const shape some[] = {{1, 20, 5}, {12, 17, 256}, {25, 33, 257}, {200, 5, 31}, {301, 40, 40}};
    for (int path = 0; path < 3; path++) {
        if (mo_kern_cpu_set(paths[path]) != MOPD_OK) continue;
        for (size_t s = 0; s < sizeof some / sizeof *some; s++) {
            const size_t m = some[s].m, n = some[s].n, k = some[s].k;
            double *a = numbers(m * k, 1), *b = numbers(k * n, 2), *c = mo_mem_alloc(m * n, 8),
                   *again = mo_mem_alloc(m * n, 8);
            mo_gemm_f64_rows rows = laid_out(a, m, k);
            mo_gemm_f64_args g = in_rows(c, a, b, &some[s]);
            for (int triangle = 0; triangle <= (n <= k); triangle++) {
                g.triangle = triangle;
                g.c = c;
                g.rows = NULL;
                assert_ok(mo_gemm_f64(NULL, &g));
                g.c = again;
                g.rows = &rows;
                assert_ok(mo_gemm_f64(NULL, &g));
                assert_memory_equal(c, again, m * n * sizeof *c);
            }
            mo_gemm_f64_rows_free(&rows);
            double *all[] = {a, b, c, again};
            for (size_t i = 0; i < 4; i++) mo_mem_free(all[i]);
        }
    }
    assert_ok(mo_kern_cpu_set(NULL));
}

static void distances_are_those_of_the_product(void **state)
{
    (void)state;
    enum { CENTRES = 4 };
    static const shape some[] = {{1, 1, 1}, {13, 20, 20}, {200, 40, 31}, {25, 33, 300}};
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, 3));
    for (int path = 0; path < 3; path++) {
        if (mo_kern_cpu_set(paths[path]) != MOPD_OK) continue;
        for (size_t s = 0; s < sizeof some / sizeof *some; s++)
            for (int kind = 0; kind < 4; kind++) {
                const size_t m = some[s].m, n = some[s].n, k = some[s].k;
                double *x = numbers(m * k, 1), *o = numbers(m * k, 2), *b = numbers(n * k, 3),
                       *centres = numbers(CENTRES * n, 4), *got = numbers(4 * m, 5);
                int32_t *whose = mo_mem_alloc(m, sizeof *whose);
                for (size_t i = 0; i < m; i++) whose[i] = (int32_t)(i % CENTRES);
                mo_gemm_f64_rows rows = laid_out(x, m, k), off = laid_out(o, m, k);
                const bool triangle = (kind & 2) && n == k;
                mo_gemm_f64_far f = {
                    &rows, kind & 1 ? &off : NULL, b, 1, k, n, triangle, centres, whose, got, got + m};
                for (size_t i = 0; i < n && triangle; i++)
                    for (size_t p = i + 1; p < k; p++) b[i * k + p] = 0;
                assert_ok(mo_gemm_f64_measure(NULL, &f));
                f.lengths = got + 2 * m;
                f.across = got + 3 * m;
                assert_ok(mo_gemm_f64_measure(pool, &f));
                assert_memory_equal(got, got + 2 * m, m * sizeof *got);
                if (f.off) assert_memory_equal(got + m, got + 3 * m, m * sizeof *got);
                for (size_t i = 0; i < m; i++) {
                    double length = 0, across = 0;
                    for (size_t c = 0; c < n; c++) {
                        double r = -centres[(size_t)whose[i] * n + c], away = 0;
                        for (size_t p = 0; p < k; p++) {
                            r += x[i * k + p] * b[c * k + p];
                            if (f.off) away += o[i * k + p] * b[c * k + p];
                        }
                        length += (r - away) * (r - away);
                        across += away * (r - away);
                    }
                    assert_true(fabs(got[i] - length) <= 1e-12 * (1 + length));
                    if (f.off) assert_true(fabs(got[m + i] - across) <= 1e-12 * (1 + length));
                }
                mo_gemm_f64_rows_free(&rows);
                mo_gemm_f64_rows_free(&off);
                mo_mem_free(whose);
                double *all[] = {x, o, b, centres, got};
                for (size_t i = 0; i < 5; i++) mo_mem_free(all[i]);
            }
    }
    assert_ok(mo_kern_cpu_set(NULL));
    mo_pool_free(pool);
}

static void nothing_to_add_up_is_zero(void **state)
{
    (void)state;
    double c[6] = {1, 2, 3, 4, 5, 6};
    assert_ok(mo_gemm_f64(NULL, &(mo_gemm_f64_args){.c = c, .ldc = 3, .m = 2, .n = 3, .add = true}));
    assert_true(c[0] == 1 && c[5] == 6);
    assert_ok(mo_gemm_f64(NULL, &(mo_gemm_f64_args){.c = c, .ldc = 3, .m = 2, .n = 3}));
    for (int i = 0; i < 6; i++) assert_true(c[i] == 0);
}

/* a = x x' + n I of a size. */
static double *positive(size_t n, uint64_t seed)
{
    double *x = numbers(n * n, seed), *a = mo_mem_alloc(n * n, sizeof *a);
    assert_ok(mo_gemm_f64(NULL, &(mo_gemm_f64_args){.c = a,
                                    .ldc = n,
                                    .a = x,
                                    .ars = n,
                                    .acs = 1,
                                    .b = x,
                                    .brs = 1,
                                    .bcs = n,
                                    .m = n,
                                    .n = n,
                                    .k = n}));
    for (size_t i = 0; i < n; i++) a[i * n + i] += (double)n;
    mo_mem_free(x);
    return a;
}

static void inverses_of_triangles_give_back_what_was_given(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 47, 48, 49, 100, 193, 300};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s];
        double *a = positive(n, s), *l = mo_mem_alloc(n * n, 8), *v = mo_mem_alloc(n * n, 8);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) l[i * n + j] = j > i ? NAN : a[i * n + j];
        assert_ok(mo_triangle_invert(NULL, v, l, n));
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++) {
                double product = 0, one = 0;
                for (size_t p = 0; p <= j; p++) product += l[i * n + p] * l[j * n + p];
                for (size_t p = j; p <= i; p++) one += v[i * n + p] * l[p * n + j];
                assert_true(fabs(one - (i == j)) <= 1e-12);
                assert_true(fabs(product - a[i * n + j]) <= 1e-12 * (double)n * (double)n);
                if (j < i) assert_true(v[j * n + i] == 0);
            }
        double *all[] = {a, l, v};
        for (size_t i = 0; i < 3; i++) mo_mem_free(all[i]);
    }
}

static void inverses_are_the_same_at_any_thread_count(void **state)
{
    (void)state;
    enum { N = 150 };
    double *a = positive(N, 9), *again = mo_mem_alloc(N * N, 8), *v = mo_mem_alloc(N * N, 8),
           *w = mo_mem_alloc(N * N, 8);
    mo_pool *pool;
    memcpy(again, a, N * N * sizeof *a);
    assert_ok(mo_pool_create(&pool, 3));
    assert_ok(mo_triangle_invert(NULL, v, a, N));
    assert_ok(mo_triangle_invert(pool, w, again, N));
    assert_memory_equal(v, w, N * N * sizeof *v);
    mo_pool_free(pool);
    double *all[] = {a, again, v, w};
    for (size_t i = 0; i < 4; i++) mo_mem_free(all[i]);
}

static void what_is_not_positive_definite_is_refused(void **state)
{
    (void)state;
    static const double bad[] = {2, NAN}; /* 1 2 / 2 1 has a negative eigenvalue */
    for (int i = 0; i < 2; i++) {
        double v[9], a[9] = {1, 0, 0, bad[i], 1, 0, 0, 0, 1};
        assert_fails(mo_triangle_invert(NULL, v, a, 3), MOPD_E_NUMERIC, "not positive definite");
    }
    double *a = positive(120, 1), *v = mo_mem_alloc(120 * 120, 8);
    a[100 * 121] = -1;
    assert_fails(mo_triangle_invert(NULL, v, a, 120), MOPD_E_NUMERIC, "at row 96 of 120");
    mo_mem_free(a);
    mo_mem_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_any_strides_on_every_path),
        cmocka_unit_test(threads_and_neighbours_do_not_change_bits),
        cmocka_unit_test(a_triangle_is_not_read_below),
        cmocka_unit_test(the_lower_half_is_that_of_the_whole),
        cmocka_unit_test(lower_triangles_are_multiplied_as_any_matrix),
        cmocka_unit_test(rows_laid_out_once_have_the_same_product),
        cmocka_unit_test(distances_are_those_of_the_product),
        cmocka_unit_test(nothing_to_add_up_is_zero),
        cmocka_unit_test(inverses_of_triangles_give_back_what_was_given),
        cmocka_unit_test(inverses_are_the_same_at_any_thread_count),
        cmocka_unit_test(what_is_not_positive_definite_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
