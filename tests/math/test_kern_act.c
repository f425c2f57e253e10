/* SPDX-License-Identifier: MIT
 * test_kern_act.c - activations of every CPU path and their slopes: against double precision and differences,
 * at the ends of their range, in rows, in place, the same bits wherever an element stands. */
#include "test.h"

#include "base/map.h"
#include "support/near.h"
#include "support/paths.h"

typedef void slope_fn(float *dx, const float *dy, const float *x, size_t n);

typedef struct activation {
    const char *name;
    mo_map_fn *fwd;
    slope_fn *bwd; /* NULL: has none in the table */
    double (*want)(double x);
} activation;

static double quick_gelu(double x)
{
    return x / (1 + exp(-1.702 * x));
}

static double gelu(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static double gelu_tanh(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

static double relu6(double x)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

static double relu(double x)
{
    return x < 0 ? 0 : x;
}

static void (*body)(const activation *a);

static void on_live_path(void)
{
    const mo_kern *kern = mo_kern_get();
    const activation all[] = {{"quick_gelu", kern->quick_gelu, kern->quick_gelu_bwd, quick_gelu},
        {"gelu", kern->gelu, kern->gelu_bwd, gelu},
        {"gelu_tanh", kern->gelu_tanh, kern->gelu_tanh_bwd, gelu_tanh}, {"relu6", kern->relu6, NULL, relu6},
        {"relu", kern->relu, NULL, relu}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) body(&all[i]);
}

/* Of every activation on every path. */
static void test_each(void (*fn)(const activation *a))
{
    body = fn;
    test_each_path(on_live_path);
}

enum { N = 2000 };

/* From -17 to 17, zero among them. */
static void fill(float *x)
{
    for (size_t i = 0; i < N; i++) x[i] = ((float)i - 1000) * 0.0173f;
}

static void values(const activation *a)
{
    static float x[N], y[N];
    fill(x);
    a->fwd(y, x, 0, 1, N);
    for (size_t i = 0; i < N; i++)
        assert_near_at(
            y[i], a->want(x[i]), 2e-7 * (1 + fabs((double)x[i])), "%s at %g", a->name, (double)x[i]);
    a->fwd(x, x, 0, 1, N); /* in place */
    assert_memory_equal(x, y, sizeof x);
}

static void activations_match_double(void **state)
{
    (void)state;
    test_each(values);
}

static void slopes(const activation *a)
{
    if (!a->bwd) return;
    static float x[N], dy[N], dx[N];
    fill(x);
    test_random(dy, N, 1);
    a->bwd(dx, dy, x, N);
    for (size_t i = 0; i < N; i++) {
        const double slope = (a->want((double)x[i] + 1e-5) - a->want((double)x[i] - 1e-5)) / 2e-5;
        assert_near_at(dx[i], (double)dy[i] * slope, 1e-6, "%s's slope at %g", a->name, (double)x[i]);
    }
    a->bwd(dy, dy, x, N); /* in place */
    assert_memory_equal(dy, dx, sizeof dx);
}

static void slopes_match_differences(void **state)
{
    (void)state;
    test_each(slopes);
}

/* Of every length and at every distance from where vectors begin. */
static void places(const activation *a)
{
    static float x[N], y[N], dy[N], dx[N];
    fill(x);
    test_random(dy, N, 2);
    a->fwd(y, x, 0, 1, N);
    if (a->bwd) a->bwd(dx, dy, x, N);
    for (size_t n = 0; n < 70; n++) {
        float one[80];
        const size_t from = 900 + n, to = n % 9;
        memset(one, 0x5a, sizeof one);
        a->fwd(one + to, x + from, 0, 1, n);
        assert_memory_equal(one + to, y + from, n * sizeof *one);
        assert_int_equal(((unsigned char *)(one + to + n))[0], 0x5a); /* nothing behind is touched */
        if (!a->bwd) continue;
        memset(one, 0x5a, sizeof one);
        a->bwd(one + to, dy + from, x + from, n);
        assert_memory_equal(one + to, dx + from, n * sizeof *one);
        assert_int_equal(((unsigned char *)(one + to + n))[0], 0x5a);
    }
}

static void bits_do_not_depend_on_place_or_length(void **state)
{
    (void)state;
    test_each(places);
}

/* Rows of n, 50 apart, in place: each element's own bits, nothing between the rows touched. */
static void rows(const activation *a)
{
    static float x[N], want[N];
    fill(x);
    a->fwd(want, x, 0, 1, N);
    for (size_t n = 1; n <= 50; n++) {
        float y[N];
        memcpy(y, x, sizeof y);
        a->fwd(y, y, 50, N / 50, n);
        for (size_t i = 0; i < N; i += 50) {
            assert_memory_equal(y + i, want + i, n * sizeof *y);
            assert_memory_equal(y + i + n, x + i + n, (50 - n) * sizeof *y);
        }
    }
}

static void rows_lie_apart(void **state)
{
    (void)state;
    test_each(rows);
}

static void ends(const activation *a)
{
    static const float wild[] = {-1e4f, 1e4f, -200, 200, -88, 88, -1e30f, 3e38f, 1e-30f, -1e-30f};
    enum { WILD = sizeof wild / sizeof *wild };
    float y[WILD], ones[WILD], dx[WILD];
    for (size_t i = 0; i < WILD; i++) ones[i] = 1;
    a->fwd(y, wild, 0, 1, WILD);
    for (size_t i = 0; i < WILD; i++) {
        const double want = a->want(wild[i]);
        assert_near_at(y[i], want, 1e-6 * fabs(want) + 1e-8, "%s at %g", a->name, (double)wild[i]);
    }
    if (!a->bwd) return;
    a->bwd(dx, ones, wild, 6); /* far out the slope is 0 or 1 */
    for (size_t i = 0; i < 6; i++)
        assert_near_at(dx[i], wild[i] > 0, 1e-6, "%s's slope at %g", a->name, (double)wild[i]);
}

static void far_out_they_are_lines(void **state)
{
    (void)state;
    test_each(ends);
}

/* NaN stays NaN, beside numbers that stay what they are. */
static void not_numbers(const activation *a)
{
    float x[17], y[17], clean[17];
    test_random(x, 17, 3);
    a->fwd(clean, x, 0, 1, 17);
    for (size_t at = 0; at < 17; at++) {
        const float keep = x[at];
        x[at] = NAN;
        a->fwd(y, x, 0, 1, 17);
        for (size_t i = 0; i < 17; i++) assert_true(i == at ? isnan(y[i]) : y[i] == clean[i]);
        x[at] = keep;
    }
}

static void what_is_no_number_stays_so(void **state)
{
    (void)state;
    test_each(not_numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_match_double),
        cmocka_unit_test(slopes_match_differences),
        cmocka_unit_test(bits_do_not_depend_on_place_or_length),
        cmocka_unit_test(rows_lie_apart),
        cmocka_unit_test(far_out_they_are_lines),
        cmocka_unit_test(what_is_no_number_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
