/* SPDX-License-Identifier: MIT
 * test_cholesky.c - factors of symmetric positive definite matrices: what they are, what they solve, and
 * what has none. */
#include "test.h"

#include "math/cholesky.h"
#include "support/near.h"

#define MOST 60

/* a = B B^T / n + size I of a random B; symmetric to the last bit. */
static void make(double *a, size_t n, double size, uint32_t seed)
{
    static float b[MOST * MOST];
    test_random(b, n * n, seed);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            const size_t low = i < j ? j : i, high = i < j ? i : j;
            a[i * n + j] = test_dot(b + low * n, b + high * n, n) / (double)n + (i == j ? size : 0);
        }
}

static void a_matrix_by_hand(void **state)
{
    (void)state;
    /* L = 2 0 0 | 6 1 0 | -8 5 3 (the textbook's example) */
    double a[9] = {4, 12, -16, 12, 37, -43, -16, -43, 98};
    static const double want[9] = {2, 12, -16, 6, 1, -43, -8, 5, 3};
    assert_true(mo_cholesky(a, 3));
    for (size_t i = 0; i < 9; i++) assert_true(a[i] == want[i]); /* the upper triangle stays */
    double x[3] = {4 - 2 * 12 - 3 * 16, 12 - 2 * 37 - 3 * 43, -16 + 2 * 43 + 3 * 98}; /* A (1, -2, 3) */
    mo_cholesky_solve(a, 3, x);
    assert_near(x[0], 1, 1e-12);
    assert_near(x[1], -2, 1e-12);
    assert_near(x[2], 3, 1e-12);
}

static void one_number_has_its_root(void **state)
{
    (void)state;
    double a = 9, x = 6;
    assert_true(mo_cholesky(&a, 1));
    assert_true(a == 3);
    mo_cholesky_solve(&a, 1, &x);
    assert_near(x, 6.0 / 9, 1e-16);
    assert_true(mo_cholesky(&a, 0)); /* nothing to do */
}

static void factors_multiply_to_the_matrix(void **state)
{
    (void)state;
    static double a[MOST * MOST], l[MOST * MOST];
    for (size_t n = 1; n <= MOST; n++) {
        make(a, n, 0.1, (uint32_t)n);
        memcpy(l, a, n * n * sizeof *a);
        assert_true(mo_cholesky(l, n));
        for (size_t i = 0; i < n; i++) {
            assert_true(l[i * n + i] > 0);
            for (size_t j = 0; j <= i; j++) {
                double sum = 0;
                for (size_t p = 0; p <= j; p++) sum += l[i * n + p] * l[j * n + p];
                assert_near_at(sum, a[i * n + j], 1e-14 * (double)n, "%zu of %zu, %zu", i, n, j);
            }
        }
    }
}

static void solutions_solve(void **state)
{
    (void)state;
    static double a[MOST * MOST], l[MOST * MOST];
    for (size_t n = 1; n <= MOST; n++) {
        float want[MOST];
        double x[MOST] = {0};
        make(a, n, 0.1, (uint32_t)n);
        memcpy(l, a, n * n * sizeof *a);
        assert_true(mo_cholesky(l, n));
        test_random(want, n, 99);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) x[i] += a[i * n + j] * (double)want[j];
        mo_cholesky_solve(l, n, x);
        for (size_t i = 0; i < n; i++) assert_near_at(x[i], want[i], 1e-12, "%zu of %zu", i, n);
    }
}

static void upper_triangle_is_not_read(void **state)
{
    (void)state;
    enum { N = 23 };
    double a[N * N], b[N * N], x[N], y[N];
    make(a, N, 0.1, 3);
    memcpy(b, a, sizeof a);
    for (size_t i = 0; i < N; i++) {
        x[i] = y[i] = (double)i - 7;
        for (size_t j = i + 1; j < N; j++) b[i * N + j] = NAN;
    }
    assert_true(mo_cholesky(a, N) && mo_cholesky(b, N));
    for (size_t i = 0; i < N; i++) assert_memory_equal(a + i * N, b + i * N, (i + 1) * sizeof *a);
    mo_cholesky_solve(a, N, x);
    mo_cholesky_solve(b, N, y);
    assert_memory_equal(x, y, sizeof x);
}

/* Wherever the first pivot that is not positive stands. */
static void what_is_not_positive_definite_is_refused(void **state)
{
    (void)state;
    static double a[MOST * MOST];
    static const double pivots[] = {0, -1, -1e-300, NAN, INFINITY, -INFINITY};
    for (size_t n = 1; n <= 20; n++)
        for (size_t at = 0; at < n; at++)
            for (size_t p = 0; p < sizeof pivots / sizeof *pivots; p++) {
                memset(a, 0, n * n * sizeof *a);
                for (size_t i = 0; i < n; i++) a[i * n + i] = 2;
                a[at * n + at] = pivots[p];
                assert_false(mo_cholesky(a, n));
            }
    double twice[4] = {1, 1, 1, 1}, less[4] = {1, 2, 2, 1}; /* of rank one; indefinite */
    assert_false(mo_cholesky(twice, 2));
    assert_false(mo_cholesky(less, 2));
    double beside[4] = {1, 0, NAN, 1}, beyond[4] = {1, 0, 1e200, 1};
    assert_false(mo_cholesky(beside, 2));
    assert_false(mo_cholesky(beyond, 2));
}

/* A leading part has the leading part of the factor, to the last bit: rows do not know what comes below them. */
static void leading_parts_have_the_same_bits(void **state)
{
    (void)state;
    enum { N = 37 };
    static double a[N * N], part[N * N], l[N * N];
    make(a, N, 0.1, 5);
    memcpy(l, a, sizeof a);
    assert_true(mo_cholesky(l, N));
    for (size_t n = 1; n < N; n += 5) {
        for (size_t i = 0; i < n; i++) memcpy(part + i * n, a + i * N, n * sizeof *a);
        assert_true(mo_cholesky(part, n));
        for (size_t i = 0; i < n; i++) assert_memory_equal(part + i * n, l + i * N, (i + 1) * sizeof *a);
    }
}

/* Scaled by a power of four the factor is scaled by one of two, and no bit is lost. */
static void scale_is_exact(void **state)
{
    (void)state;
    enum { N = 11 };
    double a[N * N], b[N * N];
    make(a, N, 0.1, 6);
    for (size_t i = 0; i < N * N; i++) b[i] = ldexp(a[i], -200);
    assert_true(mo_cholesky(a, N) && mo_cholesky(b, N));
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i; j++) assert_true(b[i * N + j] == ldexp(a[i * N + j], -100));
}

/* The Hilbert matrix of 8 has a condition of 1.5e10: some ten digits go, not more. */
static void badly_conditioned_systems_lose_what_they_must(void **state)
{
    (void)state;
    enum { N = 8 };
    double a[N * N], x[N] = {0};
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            a[i * N + j] = 1.0 / (double)(i + j + 1);
            x[i] += a[i * N + j];
        }
    assert_true(mo_cholesky(a, N));
    mo_cholesky_solve(a, N, x);
    for (size_t i = 0; i < N; i++) assert_near(x[i], 1, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_by_hand),
        cmocka_unit_test(one_number_has_its_root),
        cmocka_unit_test(factors_multiply_to_the_matrix),
        cmocka_unit_test(solutions_solve),
        cmocka_unit_test(upper_triangle_is_not_read),
        cmocka_unit_test(what_is_not_positive_definite_is_refused),
        cmocka_unit_test(leading_parts_have_the_same_bits),
        cmocka_unit_test(scale_is_exact),
        cmocka_unit_test(badly_conditioned_systems_lose_what_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
