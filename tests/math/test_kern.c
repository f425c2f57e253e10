/* SPDX-License-Identifier: MIT
 * test_kern.c - every kernel of every table this machine has against the plain one and against double
 * precision: odd lengths, unaligned, bits that do not depend on place. */
#include "test.h"

#include "math/kern.h"
#include "base/map.h"

#define N 133

static const mo_kern *tables[3];
static size_t n_tables;

static int find_tables(void **state)
{
    (void)state;
    const char *const names[] = {"plain", "avx2", "avx512"};
    for (size_t i = 0; i < 3; i++)
        if (mo_kern_cpu_set(names[i]) == MOPD_OK) tables[n_tables++] = mo_kern_get();
    return mo_kern_cpu_set(NULL) == MOPD_OK ? 0 : -1;
}

/* n random floats in [-size, size) at an odd place. */
static float *odd(float *room, size_t n, float size, uint32_t seed)
{
    float *x = room + 1 + seed % 3;
    test_random(x, n, seed);
    for (size_t i = 0; i < n; i++) x[i] *= size;
    return x;
}

static void near(double got, double want, double most, const char *what, double x)
{
    if (!(fabs(got - want) <= most)) fail_msg("%s at %g: %.9g, not %.9g", what, x, got, want);
}

typedef void (*slope)(float *dx, const float *dy, const float *x, size_t n);

static double quick(double x)
{
    return x / (1 + exp(-1.702 * x));
}
static double exact(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}
static double clamped(double x)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

static double difference(double (*f)(double), double x)
{
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;
}

/* Rows of n, 50 apart, in place: the bits of each element alone, nothing between them touched. */
static void rows_are_rows(mo_map_fn *f, const float *x, const float *want)
{
    for (size_t n = 1; n <= 50; n++) {
        float y[40 * 50];
        memcpy(y, x, sizeof y);
        f(y, y, 50, 40, n);
        for (size_t i = 0; i < 40 * 50; i += 50) {
            assert_memory_equal(y + i, want + i, n * sizeof *y);
            assert_memory_equal(y + i + n, x + i + n, (50 - n) * sizeof *y);
        }
    }
}

static void one_unary(mo_map_fn *f, slope df, double (*want)(double), const char *what)
{
    float room[2000 + 8], out[2000 + 8], dy[2000 + 8], dx[2000 + 8];
    for (size_t i = 0; i < 2000; i++) room[i] = ((float)i - 1000) * 0.0173f, dy[i] = 1;
    f(out, room, 0, 1, 2000);
    if (df) df(dx, dy, room, 2000);
    for (size_t i = 0; i < 2000; i++) {
        const double x = room[i];
        near(out[i], want(x), 2e-7 * (1 + fabs(x)), what, x);
        if (df) near(dx[i], difference(want, x), 1e-6, what, x);
    }
    for (size_t n = 1; n < 40;
         n++) { /* the same bits wherever an element stands, nothing behind is touched */
        float y[64];
        memset(y, 0x5a, sizeof y);
        f(y + 1, room + 900 + n, 0, 1, n);
        assert_memory_equal(y + 1, out + 900 + n, n * sizeof *y);
        assert_int_equal(((unsigned char *)(y + 1 + n))[0], 0x5a);
        if (df) {
            df(y + 3, dy, room + 900 + n, n);
            assert_memory_equal(y + 3, dx + 900 + n, n * sizeof *y);
        }
    }
    rows_are_rows(f, room, out);
    const float wild[4] = {-1e4f, 1e4f, -200, 200};
    f(out, wild, 0, 1, 4);
    for (size_t i = 0; i < 4; i++)
        near(out[i], want(wild[i]), 1e-6 * fabs(want(wild[i])) + 1e-30, what, wild[i]);
    const float nan = NAN;
    f(out, &nan, 0, 1, 1);
    assert_true(isnan(out[0]));
}

static void activations_match_double(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_tables; t++) {
        one_unary(tables[t]->quick_gelu, tables[t]->quick_gelu_bwd, quick, "quick_gelu");
        one_unary(tables[t]->gelu, tables[t]->gelu_bwd, exact, "gelu");
        one_unary(tables[t]->relu6, NULL, clamped, "relu6");
    }
}

static void softmax_matches_double(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t n = 1; n < N; n += 3) {
            float xr[N + 8], yr[N + 8], *x = odd(xr, n, 30, (uint32_t)n), *y = yr + 1;
            const float log_sum = tables[t]->softmax(y, x, 0.7f, n);
            double sum = 0;
            for (size_t i = 0; i < n; i++) sum += exp(0.7f * x[i]);
            near(log_sum, log(sum), 4e-6, "softmax's logarithm", (double)n);
            for (size_t i = 0; i < n; i++)
                near(y[i], exp(0.7f * x[i]) / sum, 8e-6 * exp(0.7f * x[i]) / sum + 1e-35, "softmax", x[i]);
            tables[t]->softmax(x, x, 0.7f, n);
            assert_memory_equal(x, y, n * sizeof *x);
            x[n / 2] = NAN;
            tables[t]->softmax(y, x, 1, n);
            assert_true(isnan(y[0]) && isnan(y[n - 1]));
        }
}

/* softmax of (0, -x) is exp(-x) / (1 + exp(-x)), nothing rounded before: exp within about an ulp. */
static void exp_is_within_an_ulp(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_tables; t++)
        for (float x = 0; x < 80; x += 0.0137f) {
            const float in[2] = {0, -x};
            float out[2];
            tables[t]->softmax(out, in, 1, 2);
            const double want = exp(-(double)x) / (1 + exp(-(double)x));
            near(out[1], want, 3.2e-7 * want, "exp", -x);
        }
}

static void rows_match_double(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t n = 1; n < N; n++) {
            float xr[N + 8], zr[N + 8], yr[N + 8], *x = odd(xr, n, 1, 1), *z = odd(zr, n, 1, 2), *y = yr + 2;
            const mo_kern *k = tables[t];
            double dot = 0;
            float top = -2;
            for (size_t i = 0; i < n; i++) dot += (double)x[i] * z[i], top = x[i] > top ? x[i] : top;
            near(k->dot(x, z, n), dot, 1e-5, "dot", (double)n);
            assert_true(k->max(x, n) == top);
            memset(yr, 0x5a, sizeof yr);
            k->add(y, x, z, n);
            for (size_t i = 0; i < n; i++) assert_true(y[i] == x[i] + z[i]);
            k->scale(y, 3, x, n);
            for (size_t i = 0; i < n; i++) assert_true(y[i] == 3 * x[i]);
            k->axpy(y, 0.5f, z, n);
            for (size_t i = 0; i < n; i++) near(y[i], 3.0 * x[i] + 0.5 * z[i], 5e-7, "axpy", x[i]);
            assert_int_equal(((unsigned char *)(y + n))[0], 0x5a);
        }
}

static void norm_matches_double(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t n = 2; n < N; n++) {
            float xr[N + 8], gr[N + 8], br[N + 8], dr[N + 8], y[N], dx[N], stats[2];
            float *x = odd(xr, n, 2, 1), *g = odd(gr, n, 1, 2), *b = odd(br, n, 1, 3), *dy = odd(dr, n, 1, 4);
            for (size_t i = 0; i < n; i++) x[i] += 5;
            double mean = 0, var = 0, a = 0, c = 0;
            for (size_t i = 0; i < n; i++) mean += x[i] / (double)n;
            for (size_t i = 0; i < n; i++) var += (x[i] - mean) * (x[i] - mean) / (double)n;
            const double rstd = 1 / sqrt(var + 1e-5);
            tables[t]->norm(y, x, (const float *[2]){g, b}, 1e-5f, n, stats);
            near(stats[0], mean, 2e-6, "mean", (double)n);
            near(stats[1], rstd, 4e-6 * rstd, "rstd", (double)n);
            for (size_t i = 0; i < n; i++)
                near(y[i], (x[i] - mean) * rstd * g[i] + b[i], 8e-6 * (1 + rstd), "norm", x[i]);
            for (size_t i = 0; i < n; i++) a += dy[i] * (double)g[i] / (double)n;
            for (size_t i = 0; i < n; i++) c += dy[i] * (double)g[i] * (x[i] - mean) * rstd / (double)n;
            for (size_t i = 0; i < n; i++) dx[i] = 1;
            tables[t]->norm_bwd(dx, dy, x, g, stats, n);
            for (size_t i = 0; i < n; i++)
                near(dx[i], 1 + rstd * (dy[i] * (double)g[i] - a - (x[i] - mean) * rstd * c),
                    1e-5 * (1 + rstd * rstd), "norm_bwd", x[i]);
        }
}

/* Keys one after the other or all at once: the same bits; sums against double. */
static void attention_kernels_match_double(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t d = 1; d < 90; d += 7)
            for (size_t n = 1; n < 14; n++) {
                const mo_kern *k = tables[t];
                const size_t ld = d + 3;
                float q[90], keys[14 * 93], s[14], one[14], y[90], z[90], rows[14 * 93];
                test_random(q, d, 1);
                test_random(keys, n * ld, 2);
                test_random(y, d, 3);
                memcpy(z, y, sizeof z);
                memcpy(rows, keys, sizeof rows);
                k->dots(s, q, keys, ld, n, d);
                for (size_t j = 0; j < n; j++) {
                    double want = 0;
                    for (size_t i = 0; i < d; i++) want += (double)q[i] * keys[j * ld + i];
                    near(s[j], want, 1e-5, "dots", (double)d);
                    k->dots(one, q, keys + j * ld, ld, 1, d);
                    assert_true(one[0] == s[j]);
                }
                k->mix(y, s, keys, ld, n, d);
                for (size_t j = 0; j < n; j++) k->mix(z, s + j, keys + j * ld, ld, 1, d);
                assert_memory_equal(y, z, d * sizeof *y);
                test_random(z, d, 3);
                for (size_t i = 0; i < d; i++) {
                    double want = z[i];
                    for (size_t j = 0; j < n; j++) want += (double)s[j] * keys[j * ld + i];
                    near(y[i], want, 5e-5, "mix", (double)n);
                }
                k->spread(rows, ld, s, q, n, d);
                for (size_t j = 0; j < n; j++)
                    for (size_t i = 0; i < ld; i++)
                        near(rows[j * ld + i], keys[j * ld + i] + (i < d ? (double)s[j] * q[i] : 0), 4e-6,
                            "spread", s[j]);
            }
}

/* One row times weights in panels, their outputs the sum: against double. */
static void back_matches_double(void **state)
{
    (void)state;
    static float w[6 * 16 * 96], q[96], y[97];
    test_random(w, sizeof w / sizeof *w, 1);
    test_random(q, 96, 2);
    for (size_t t = 0; t < n_tables; t++)
        for (size_t n = 16; n <= 96; n += 16)
            for (size_t k = 16; k <= 96; k += 16) {
                y[k] = 7;
                tables[t]->product_transposed(y, q, w, 96 * 16, n, k);
                for (size_t i = 0; i < k; i++) {
                    double want = 0;
                    for (size_t o = 0; o < n; o++)
                        want += (double)q[o] * w[o / 16 * 96 * 16 + i * 16 + o % 16];
                    near(y[i], want, 1e-5, "product_transposed", (double)n);
                }
                assert_true(y[k] == 7);
            }
}

static void taps_match_plain(void **state)
{
    (void)state;
    static float x[3000], w[3][80], bias[80], y[8 * 80 + 1], want[8 * 80 + 1];
    const float *xs[3][MO_DEPTHWISE_COLUMNS], *ws[3] = {w[0], w[1], w[2]};
    test_random(x, 3000, 1);
    test_random(w[0], 240, 2);
    test_random(bias, 80, 3);
    for (size_t i = 0; i < 80; i++) bias[i] *= 9;
    for (size_t i = 0; i < 12; i++) xs[i / 4][i % 4] = x + i * 101;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t n = 1; n <= 80; n++) {
            mo_depthwise_taps taps = {.y = y,
                .x = xs,
                .w = ws,
                .n = n % 4,
                .channels = n,
                .n_groups = 1 + n % 2,
                .step = 555,
                .columns = 1 + n % 4,
                .bias = bias,
                .relu6 = n & 1};
            memset(y, 0x5a, sizeof y);
            memset(want, 0x5a, sizeof want);
            tables[t]->depthwise(&taps);
            taps.y = want;
            tables[0]->depthwise(&taps);
            for (size_t q = 0; q <= 8 * n; q++) { /* written: near; not written: the bytes from before */
                const bool written = q < taps.n_groups * 4 * n && q / n % 4 < taps.columns;
                if (written)
                    near(y[q], want[q], 2e-6, "taps", (double)n);
                else
                    assert_memory_equal(&y[q], &want[q], sizeof *y);
            }
        }
}

static void tiles_of_all_sizes_match_plain(void **state)
{
    (void)state;
    enum { lda = 260, ldc = 56 };
    static float a[9 * lda], w[3 * 256 * 16], add[9 * ldc], bias[48], c[9 * ldc];
    test_random(a, 9 * lda, 1);
    test_random(w, 3 * 256 * 16, 2);
    test_random(add, 9 * ldc, 3);
    test_random(bias, 48, 4);
    for (size_t t = 0; t < n_tables; t++)
        for (size_t m = 1; m <= tables[t]->tile_rows; m++)
            for (size_t n = 1; n <= 16 * tables[t]->tile_panels; n++)
                for (size_t k = 1; k <= 256; k += 85) {
                    const mo_tile tile = {.m = m,
                        .n = n,
                        .k = k,
                        .a = a,
                        .lda = lda,
                        .w = w,
                        .panel = 256 * 16,
                        .c = c,
                        .ldc = ldc,
                        .add = n & 1 ? add : NULL,
                        .ldadd = ldc,
                        .bias = m & 1 ? bias : NULL,
                        .relu6 = k == 86};
                    memset(c, 0x5a, sizeof c);
                    tables[t]->tile(&tile);
                    for (size_t i = 0; i < m; i++)
                        for (size_t j = 0; j < n; j++) {
                            double want = (n & 1 ? add[i * ldc + j] : 0) + (m & 1 ? bias[j] : 0);
                            for (size_t p = 0; p < k; p++)
                                want += (double)a[i * lda + p] * w[j / 16 * 4096 + p * 16 + j % 16];
                            near(c[i * ldc + j], k == 86 ? clamped(want) : want, 2e-5, "tile", (double)k);
                        }
                    for (size_t i = 0; i < m; i++)
                        assert_int_equal(((unsigned char *)(c + i * ldc + n))[0], 0x5a);
                }
}

static void packed_rows_match_plain(void **state)
{
    (void)state;
    enum { ld = 75 };
    static float x[40 * ld], want[48 * 70], to[48 * 70 + 1];
    test_random(x, 40 * ld, 5);
    for (size_t t = 0; t < n_tables; t++)
        for (size_t n = 1; n <= 40; n++)
            for (size_t k = 1; k <= 70; k += 3) {
                const size_t floats = (n + 15) / 16 * 16 * k;
                memset(to, 0x5a, sizeof to);
                mo_kern_plain()->pack(want, x, ld, n, k);
                tables[t]->pack(to, x, ld, n, k);
                assert_memory_equal(to, want, floats * sizeof *to);
                assert_int_equal(((unsigned char *)(to + floats))[0], 0x5a);
                for (size_t j = 0; j < (n + 15) / 16 * 16; j++)
                    for (size_t i = 0; i < k; i++)
                        assert_true(want[(j / 16 * k + i) * 16 + j % 16] == (j < n ? x[j * ld + i] : 0));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_match_double),
        cmocka_unit_test(softmax_matches_double),
        cmocka_unit_test(exp_is_within_an_ulp),
        cmocka_unit_test(rows_match_double),
        cmocka_unit_test(norm_matches_double),
        cmocka_unit_test(attention_kernels_match_double),
        cmocka_unit_test(back_matches_double),
        cmocka_unit_test(taps_match_plain),
        cmocka_unit_test(packed_rows_match_plain),
        cmocka_unit_test(tiles_of_all_sizes_match_plain),
    };
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
