/* SPDX-License-Identifier: MIT
 * test_kern_rows.c - kernels over one row, on every CPU path: sums, softmax and layer norm against double
 * precision, at every length, from odd addresses, in place. */
#include "test.h"

#include "support/near.h"
#include "support/paths.h"

#define N 133

/* n random floats in [-size, size) at an odd place. */
static float *odd(float *room, size_t n, float size, uint32_t seed)
{
    float *x = room + 1 + seed % 3;
    test_random(x, n, seed);
    for (size_t i = 0; i < n; i++) x[i] *= size;
    return x;
}

static void sums(void)
{
    const mo_kern *k = mo_kern_get();
    for (size_t n = 0; n < N; n++) {
        float xr[N + 8], zr[N + 8], *x = odd(xr, n, 1, 1), *z = odd(zr, n, 1, 2);
        const float dot = k->dot(x, z, n);
        assert_near_at(dot, test_dot(x, z, n), 1e-5, "dot of %zu", n);
        float moved[N + 8];
        for (size_t by = 0; by < 8; by++) { /* from any address the same bits */
            memcpy(moved + by, x, n * sizeof *x);
            assert_true(k->dot(moved + by, z, n) == dot);
        }
        assert_true(k->dot(z, x, n) == dot);
    }
}

static void sums_of_products_match_double(void **state)
{
    (void)state;
    test_each_path(sums);
}

static void largest(void)
{
    const mo_kern *k = mo_kern_get();
    for (size_t n = 1; n < N; n++) {
        float xr[N + 8], *x = odd(xr, n, 1, 1);
        for (size_t at = 0; at < n; at++) {
            const float keep = x[at];
            x[at] = 5;
            assert_true(k->max(x, n) == 5);
            x[at] = keep;
        }
        for (size_t i = 0; i < n; i++) x[i] = -3 - (float)(i % 7);
        assert_true(k->max(x, n) == -3);
        x[n - 1] = -INFINITY;
        assert_true(k->max(x, n) == (n == 1 ? -INFINITY : -3));
    }
    assert_true(k->max(NULL, 0) == -INFINITY);
}

static void the_largest_is_found_anywhere(void **state)
{
    (void)state;
    test_each_path(largest);
}

/* y + i of n, then a mark that stays. */
static void each_length(void)
{
    const mo_kern *k = mo_kern_get();
    for (size_t n = 0; n < N; n++) {
        float xr[N + 8], zr[N + 8], yr[N + 8], *x = odd(xr, n, 1, 1), *z = odd(zr, n, 1, 2), *y = yr + 2;
        memset(yr, 0x5a, sizeof yr);
        k->add(y, x, z, n);
        for (size_t i = 0; i < n; i++) assert_true(y[i] == x[i] + z[i]);
        k->scale(y, 3, x, n);
        for (size_t i = 0; i < n; i++) assert_true(y[i] == 3 * x[i]);
        k->axpy(y, 0.5f, z, n);
        for (size_t i = 0; i < n; i++) assert_near(y[i], 3.0 * (double)x[i] + 0.5 * (double)z[i], 5e-7);
        assert_int_equal(((unsigned char *)(y + n))[0], 0x5a);
        assert_int_equal(((unsigned char *)(y - 1))[0], 0x5a);
    }
}

static void elements_are_added_and_scaled(void **state)
{
    (void)state;
    test_each_path(each_length);
}

static void in_place(void)
{
    const mo_kern *k = mo_kern_get();
    for (size_t n = 1; n < N; n += 3) {
        float x[N], z[N], y[N], w[N];
        test_random(x, n, 1), test_random(z, n, 2);
        k->add(y, x, z, n);
        memcpy(w, x, sizeof w);
        k->add(w, w, z, n);
        assert_memory_equal(w, y, n * sizeof *y);
        k->scale(y, -0.7f, x, n);
        memcpy(w, x, sizeof w);
        k->scale(w, -0.7f, w, n);
        assert_memory_equal(w, y, n * sizeof *y);
        memcpy(y, x, sizeof y), memcpy(w, x, sizeof w);
        k->axpy(w, 2, w, n); /* three times itself */
        for (size_t i = 0; i < n; i++) assert_near(w[i], 3.0 * (double)y[i], 2e-7);
    }
}

static void results_may_lie_where_the_arguments_do(void **state)
{
    (void)state;
    test_each_path(in_place);
}

static void softmax(void)
{
    const mo_kern *k = mo_kern_get();
    for (size_t n = 1; n < N; n += 3) {
        float xr[N + 8], yr[N + 8], *x = odd(xr, n, 30, (uint32_t)n), *y = yr + 1;
        const float log_sum = k->softmax(y, x, 0.7f, n);
        double sum = 0, all = 0;
        for (size_t i = 0; i < n; i++) sum += exp(0.7f * (double)x[i]);
        assert_near(log_sum, log(sum), 4e-6);
        for (size_t i = 0; i < n; i++) {
            const double want = exp(0.7f * (double)x[i]) / sum;
            assert_near(y[i], want, 8e-6 * want + 1e-35);
            all += (double)y[i];
        }
        assert_near(all, 1, 1e-6);
        k->softmax(x, x, 0.7f, n); /* in place */
        assert_memory_equal(x, y, n * sizeof *x);
    }
}

static void softmax_matches_double(void **state)
{
    (void)state;
    test_each_path(softmax);
}

/* Shifted by a number that all floats share exactly nothing changes; however large the scores, nothing
 * overflows; what is far below is 0; what is no number spoils its row. */
static void softmax_ends(void)
{
    const mo_kern *k = mo_kern_get();
    for (size_t n = 1; n < 40; n++) {
        float x[40], y[40], shifted[40];
        for (size_t i = 0; i < n; i++) x[i] = (float)(i * 5 % 17) / 8, shifted[i] = x[i] + 64;
        k->softmax(y, x, 1, n);
        k->softmax(shifted, shifted, 1, n);
        assert_memory_equal(y, shifted, n * sizeof *y);
        for (size_t i = 0; i < n; i++) x[i] = i == n / 2 ? 3e38f : -3e38f;
        k->softmax(y, x, 1, n);
        for (size_t i = 0; i < n; i++) assert_true(y[i] == (i == n / 2 ? 1 : 0));
        for (size_t i = 0; i < n; i++) x[i] = -7;
        assert_near(k->softmax(y, x, 2, n), -14 + log((double)n), 2e-6);
        for (size_t i = 0; i < n; i++) assert_near(y[i], 1 / (double)n, 1e-7);
        x[n / 2] = NAN;
        k->softmax(y, x, 1, n);
        assert_true(isnan(y[0]) && isnan(y[n - 1]));
    }
}

static void softmax_stays_in_range(void **state)
{
    (void)state;
    test_each_path(softmax_ends);
}

/* softmax of (0, -x) is exp(-x) / (1 + exp(-x)), nothing rounded before: exp within about an ulp. */
static void exponentials(void)
{
    for (float x = 0; x < 80; x += 0.0137f) {
        const float in[2] = {0, -x};
        float out[2];
        mo_kern_get()->softmax(out, in, 1, 2);
        const double want = exp(-(double)x) / (1 + exp(-(double)x));
        assert_near(out[1], want, 3.2e-7 * want);
    }
}

static void exp_is_within_an_ulp(void **state)
{
    (void)state;
    test_each_path(exponentials);
}

static void norm(void)
{
    const mo_kern *k = mo_kern_get();
    for (size_t n = 1; n < N; n++) {
        float xr[N + 8], gr[N + 8], br[N + 8], y[N + 1], stats[2];
        float *x = odd(xr, n, 2, 1), *g = odd(gr, n, 1, 2), *b = odd(br, n, 1, 3);
        for (size_t i = 0; i < n; i++) x[i] += 5;
        double mean = 0, var = 0;
        for (size_t i = 0; i < n; i++) mean += (double)x[i] / (double)n;
        for (size_t i = 0; i < n; i++) var += (x[i] - mean) * (x[i] - mean) / (double)n;
        const double rstd = 1 / sqrt(var + 1e-5);
        y[n] = 77;
        k->norm(y, x, (const float *[2]){g, b}, 1e-5f, n, stats);
        assert_near(stats[0], mean, 2e-6);
        if (n > 1) assert_near(stats[1], rstd, 4e-6 * rstd);
        for (size_t i = 0; i < n && n > 1; i++)
            assert_near_at(y[i], (x[i] - mean) * rstd * (double)g[i] + (double)b[i], 8e-6 * (1 + rstd),
                "%zu of %zu", i, n);
        assert_true(y[n] == 77);
        k->norm(x, x, (const float *[2]){g, b}, 1e-5f, n, stats); /* in place */
        assert_memory_equal(x, y, n * sizeof *x);
    }
}

static void norm_matches_double(void **state)
{
    (void)state;
    test_each_path(norm);
}

/* A row of one value has no spread: rstd is 1 / sqrt(eps), y is beta. */
static void flat_rows(void)
{
    for (size_t n = 1; n < 70; n += 5) {
        float x[70], g[70], b[70], y[70], stats[2];
        test_random(g, n, 1), test_random(b, n, 2);
        for (size_t i = 0; i < n; i++) x[i] = 0.5f;
        mo_kern_get()->norm(y, x, (const float *[2]){g, b}, 1e-4f, n, stats);
        assert_true(stats[0] == 0.5f);
        assert_near(stats[1], 100, 1e-4);
        assert_memory_equal(y, b, n * sizeof *y);
    }
}

static void a_flat_row_becomes_beta(void **state)
{
    (void)state;
    test_each_path(flat_rows);
}

static void norm_slopes(void)
{
    const mo_kern *k = mo_kern_get();
    for (size_t n = 2; n < N; n++) {
        float xr[N + 8], gr[N + 8], dr[N + 8], dx[N + 1], stats[2];
        float *x = odd(xr, n, 2, 1), *g = odd(gr, n, 1, 2), *dy = odd(dr, n, 1, 4);
        double mean = 0, var = 0, a = 0, c = 0;
        for (size_t i = 0; i < n; i++) mean += (double)x[i] / (double)n;
        for (size_t i = 0; i < n; i++) var += (x[i] - mean) * (x[i] - mean) / (double)n;
        const double rstd = 1 / sqrt(var + 1e-5);
        stats[0] = (float)mean, stats[1] = (float)rstd;
        for (size_t i = 0; i < n; i++) a += (double)dy[i] * (double)g[i] / (double)n;
        for (size_t i = 0; i < n; i++) c += (double)dy[i] * (double)g[i] * (x[i] - mean) * rstd / (double)n;
        for (size_t i = 0; i <= n; i++) dx[i] = 1;
        k->norm_bwd(dx, dy, x, g, stats, n);
        for (size_t i = 0; i < n; i++) /* added to what is there */
            assert_near_at(dx[i], 1 + rstd * ((double)dy[i] * (double)g[i] - a - (x[i] - mean) * rstd * c),
                1e-5 * (1 + rstd * rstd), "%zu of %zu", i, n);
        assert_true(dx[n] == 1);
    }
}

static void norm_bwd_matches_double(void **state)
{
    (void)state;
    test_each_path(norm_slopes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_products_match_double),
        cmocka_unit_test(the_largest_is_found_anywhere),
        cmocka_unit_test(elements_are_added_and_scaled),
        cmocka_unit_test(results_may_lie_where_the_arguments_do),
        cmocka_unit_test(softmax_matches_double),
        cmocka_unit_test(softmax_stays_in_range),
        cmocka_unit_test(exp_is_within_an_ulp),
        cmocka_unit_test(norm_matches_double),
        cmocka_unit_test(a_flat_row_becomes_beta),
        cmocka_unit_test(norm_bwd_matches_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
