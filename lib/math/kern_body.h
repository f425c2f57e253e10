/* SPDX-License-Identifier: MIT
 * kern_body.h - the vector loops of kern_avx2.c, kern_avx512.c, kern_neon.c and kern_simd128.c, written once over a few macros.
 *
 * The including file names its registers: vec, VN lanes, v_load, v_store, v_part/v_put (the first n lanes,
 * zeros beyond), v_set, v_fma(a, b, c) = a b + c, v_fnma = c - a b, v_add .. v_div, v_min, v_max, v_abs,
 * v_pow2 (2^n by an integral n), v_round, v_sign(x, s): |x| with the sign of s, v_less(a, b, x, y): a < b ?
 * x : y, v_sum, v_top (lanes to one), v_turn(r): r[i][j] <-> r[j][i] of VN registers.
 *
 * The last few elements go through the same instructions in a partly filled register, so that an element's
 * bits do not depend on where it stands. */
#include <math.h>

#include "base/ints.h"
#include "math/kern.h"

/* for (i = 0, VN, 2 VN ...; n_ lanes of each are meant) */
#define EACH(i, lanes, n) for (size_t i = 0, lanes; i < (n) && ((lanes = mo_min((n)-i, VN)), 1); i += VN)

static inline vec get(const float *x, size_t lanes)
{
    return lanes == VN ? v_load(x) : v_part(x, lanes);
}

static inline void put(float *y, size_t lanes, vec v)
{
    if (lanes == VN)
        v_store(y, v);
    else
        v_put(y, lanes, v);
}

/* e^x: x = n ln 2 + r, |r| <= ln(2) / 2, a polynomial in r (own minimax fit).  1 ulp; 0 below -87, e^88 above
 * 88, NaN stays NaN. */
static inline vec exp_of(vec x)
{
    const vec low = v_set(-87.0f);
    vec t = v_min(v_set(88.0f), v_max(low, x)); /* in this order NaN stays NaN */
    vec n = v_round(v_mul(t, v_set(1.44269504f)));
    vec r = v_fnma(n, v_set(0.693145752f), t);
    r = v_fnma(n, v_set(1.42860677e-6f), r);
    vec p = v_set(0.000197903122f);
    p = v_fma(p, r, v_set(0.00139446883f));
    p = v_fma(p, r, v_set(0.00833349768f));
    p = v_fma(p, r, v_set(0.0416662954f));
    p = v_fma(p, r, v_set(0.166666657f));
    p = v_fma(p, r, v_set(0.5f));
    p = v_add(v_fma(v_mul(r, r), p, r), v_set(1.0f));
    return v_less(x, low, v_set(0.0f), v_mul(p, v_pow2(n)));
}

/* erf(x): x + x Q(x^2) below 0.92, 1 - exp(x P(x)) above (own minimax fits).  1.3 ulp. */
static inline vec erf_of(vec x)
{
    vec t = v_min(v_set(4.0f), v_abs(x)), s = v_mul(x, x);
    vec q = v_set(-0.000595374149f);
    q = v_fma(q, s, v_set(0.00498594064f));
    q = v_fma(q, s, v_set(-0.0267617200f));
    q = v_fma(q, s, v_set(0.112816826f));
    q = v_fma(q, s, v_set(-0.376124799f));
    q = v_fma(q, s, v_set(0.128379151f));
    vec p = v_set(-1.12312655e-5f);
    p = v_fma(p, t, v_set(0.000322803477f));
    p = v_fma(p, t, v_set(-0.00364245754f));
    p = v_fma(p, t, v_set(0.0237620603f));
    p = v_fma(p, t, v_set(-0.106236875f));
    p = v_fma(p, t, v_set(-0.635151327f));
    p = v_fma(p, t, v_set(-1.12864852f));
    vec far = v_sign(v_sub(v_set(1.0f), exp_of(v_mul(p, t))), x);
    return v_less(t, v_set(0.92f), v_fma(q, x, x), far);
}

static float max_row(const float *x, size_t n)
{
    vec m = v_set(-INFINITY);
    size_t i = 0;
    for (; i + VN <= n; i += VN) m = v_max(m, v_load(x + i));
    float top = v_top(m);
    for (; i < n; i++) top = x[i] > top ? x[i] : top;
    return top;
}

static float dot_row(const float *x, const float *y, size_t n)
{
    vec a = v_set(0), b = v_set(0);
    size_t i = 0;
    for (; i + 2 * VN <= n; i += 2 * VN) {
        a = v_fma(v_load(x + i), v_load(y + i), a);
        b = v_fma(v_load(x + i + VN), v_load(y + i + VN), b);
    }
    for (; i < n; i += VN) {
        size_t lanes = mo_min(n - i, VN);
        a = v_fma(get(x + i, lanes), get(y + i, lanes), a);
    }
    return v_sum(v_add(a, b));
}

static void axpy_row(float *y, float a, const float *x, size_t n)
{
    const vec f = v_set(a);
    EACH(i, lanes, n) put(y + i, lanes, v_fma(f, get(x + i, lanes), get(y + i, lanes)));
}

static void scale_row(float *y, float a, const float *x, size_t n)
{
    const vec f = v_set(a);
    EACH(i, lanes, n) put(y + i, lanes, v_mul(f, get(x + i, lanes)));
}

static void add_row(float *y, const float *x, const float *z, size_t n)
{
    EACH(i, lanes, n) put(y + i, lanes, v_add(get(x + i, lanes), get(z + i, lanes)));
}

static float softmax_row(float *y, const float *x, float a, size_t n)
{
    const float m = a * max_row(x, n);
    const vec f = v_set(a), shift = v_set(-m);
    vec sum = v_set(0);
    size_t i = 0;
    for (; i + VN <= n; i += VN) {
        vec e = exp_of(v_fma(v_load(x + i), f, shift));
        v_store(y + i, e);
        sum = v_add(sum, e);
    }
    if (i < n) {
        v_put(y + i, n - i, exp_of(v_fma(v_part(x + i, n - i), f, shift)));
        sum = v_add(sum, v_part(y + i, n - i));
    }
    const float total = v_sum(sum);
    scale_row(y, 1.0f / total, y, n);
    return m + logf(total);
}

static inline vec sigmoid_of(vec x)
{
    const vec one = v_set(1.0f);
    return v_div(one, v_add(one, exp_of(v_sub(v_set(0.0f), x))));
}

/* Rows of one or two registers stand beside each other in a tile's result: one call for all of them keeps the
 * constants in registers. */
static void quick_gelu(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld) EACH(i, lanes, n)
        {
            vec v = get(x + i, lanes);
            put(y + i, lanes, v_mul(v, sigmoid_of(v_mul(v, v_set(1.702f)))));
        }
}

static void quick_gelu_bwd(float *dx, const float *dy, const float *x, size_t n)
{
    EACH(i, lanes, n)
    {
        vec v = v_mul(get(x + i, lanes), v_set(1.702f)), s = sigmoid_of(v);
        vec slope = v_fma(v, v_mul(s, v_sub(v_set(1.0f), s)), s);
        put(dx + i, lanes, v_mul(get(dy + i, lanes), slope));
    }
}

static void gelu(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld) EACH(i, lanes, n)
        {
            vec v = get(x + i, lanes), half = v_mul(v, v_set(0.5f));
            put(y + i, lanes, v_fma(half, erf_of(v_mul(v, v_set(0.70710678f))), half));
        }
}

static void gelu_bwd(float *dx, const float *dy, const float *x, size_t n)
{
    EACH(i, lanes, n)
    {
        vec v = get(x + i, lanes), half = v_set(0.5f);
        vec cdf = v_fma(half, erf_of(v_mul(v, v_set(0.70710678f))), half);
        vec bell = v_mul(v_set(0.39894228f), exp_of(v_mul(v_mul(v, v), v_set(-0.5f))));
        put(dx + i, lanes, v_mul(get(dy + i, lanes), v_fma(v, bell, cdf)));
    }
}

/* e^-t, by which (1 + tanh(t / 2)) / 2 = 1 / (1 + e^-t), t = x (a + b x^2), a = 2 sqrt(2 / pi), b = 0.044715 a.  Beyond 20 the value
 * is x or 0: held there, no square is too large. */
static inline vec gate_exp(vec x)
{
    vec t = v_min(v_set(20.0f), v_max(v_set(-20.0f), x)); /* in this order NaN stays NaN */
    return exp_of(v_mul(t, v_fma(v_mul(t, t), v_set(-0.0713548163f), v_set(-1.59576912f))));
}

static void gelu_tanh(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld) EACH(i, lanes, n)
        {
            vec v = get(x + i, lanes);
            put(y + i, lanes, v_div(v_max(v_set(-20.0f), v), v_add(v_set(1.0f), gate_exp(v))));
        }
}

/* s + x s (1 - s) (a + 3 b x^2), s = 1 / (1 + e), 1 - s = e s, which near s = 1 is the more exact */
static void gelu_tanh_bwd(float *dx, const float *dy, const float *x, size_t n)
{
    EACH(i, lanes, n)
    {
        vec v = v_min(v_set(20.0f), v_max(v_set(-20.0f), get(x + i, lanes))), e = gate_exp(v);
        vec s = v_div(v_set(1.0f), v_add(v_set(1.0f), e));
        vec rise = v_mul(v, v_fma(v_mul(v, v), v_set(0.214064449f), v_set(1.59576912f)));
        vec slope = v_fma(rise, v_mul(s, v_mul(e, s)), s);
        put(dx + i, lanes, v_mul(get(dy + i, lanes), slope));
    }
}

static void relu6(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld)
        EACH(i, lanes, n) put(y + i, lanes, v_min(v_set(6.0f), v_max(v_set(0.0f), get(x + i, lanes))));
}

static void relu(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld)
        EACH(i, lanes, n) put(y + i, lanes, v_max(v_set(0.0f), get(x + i, lanes)));
}

static void norm_row(float *y, const float *x, const float *gb[2], float eps, size_t n, float stats[2])
{
    vec a = v_set(0), b = v_set(0);
    size_t i = 0;
    for (; i + 2 * VN <= n; i += 2 * VN) {
        a = v_add(a, v_load(x + i));
        b = v_add(b, v_load(x + i + VN));
    }
    for (; i < n; i += VN) a = v_add(a, get(x + i, mo_min(n - i, VN)));
    const float mean = v_sum(v_add(a, b)) / (float)n;
    const vec m = v_set(mean);
    a = b = v_set(0);
    for (i = 0; i + 2 * VN <= n; i += 2 * VN) {
        vec c = v_sub(v_load(x + i), m), d = v_sub(v_load(x + i + VN), m);
        a = v_fma(c, c, a);
        b = v_fma(d, d, b);
    }
    for (; i + VN <= n; i += VN) {
        vec c = v_sub(v_load(x + i), m);
        a = v_fma(c, c, a);
    }
    float square = v_sum(v_add(a, b));
    for (; i < n; i++) square += (x[i] - mean) * (x[i] - mean);
    const float rstd = 1.0f / sqrtf(square / (float)n + eps);
    const vec r = v_set(rstd);
    EACH(p, lanes, n)
    {
        vec c = v_mul(v_sub(get(x + p, lanes), m), r);
        put(y + p, lanes, v_fma(c, get(gb[0] + p, lanes), get(gb[1] + p, lanes)));
    }
    stats[0] = mean;
    stats[1] = rstd;
}

/* dx += rstd (g - mean(g) - xhat mean(g xhat)), g = dy gamma */
static void norm_bwd_row(
    float *dx, const float *dy, const float *x, const float *gamma, const float stats[2], size_t n)
{
    const vec m = v_set(stats[0]), r = v_set(stats[1]);
    vec sum = v_set(0), along = v_set(0);
    EACH(i, lanes, n)
    {
        vec g = v_mul(get(dy + i, lanes), get(gamma + i, lanes));
        sum = v_add(sum, g);
        along = v_fma(g, v_mul(v_sub(get(x + i, lanes), m), r), along);
    }
    const vec a = v_set(v_sum(sum) / (float)n), b = v_set(v_sum(along) / (float)n);
    EACH(i, lanes, n)
    {
        vec g = v_sub(v_mul(get(dy + i, lanes), get(gamma + i, lanes)), a);
        g = v_fnma(v_mul(v_sub(get(x + i, lanes), m), r), b, g);
        put(dx + i, lanes, v_fma(g, r, get(dx + i, lanes)));
    }
}

/* Four keys at a time keep the multipliers busy; one key's sum is the same alone. */
static void dots(float *s, const float *q, const float *keys, size_t ld, size_t n, size_t d)
{
    size_t j = 0;
    for (; j + 4 <= n; j += 4) {
        const float *key = keys + j * ld;
        vec a = v_set(0), b = a, c = a, e = a;
        EACH(i, lanes, d)
        {
            vec v = get(q + i, lanes);
            a = v_fma(v, get(key + i, lanes), a);
            b = v_fma(v, get(key + ld + i, lanes), b);
            c = v_fma(v, get(key + 2 * ld + i, lanes), c);
            e = v_fma(v, get(key + 3 * ld + i, lanes), e);
        }
        s[j] = v_sum(a);
        s[j + 1] = v_sum(b);
        s[j + 2] = v_sum(c);
        s[j + 3] = v_sum(e);
    }
    for (; j < n; j++) {
        vec a = v_set(0);
        EACH(i, lanes, d) a = v_fma(get(q + i, lanes), get(keys + j * ld + i, lanes), a);
        s[j] = v_sum(a);
    }
}

/* Four registers of y at a time, all values into them one after the other. */
static void mix(float *y, const float *p, const float *v, size_t ld, size_t n, size_t d)
{
    size_t i = 0;
    for (; i + 4 * VN <= d; i += 4 * VN) {
        vec a = v_load(y + i), b = v_load(y + i + VN), c = v_load(y + i + 2 * VN), e = v_load(y + i + 3 * VN);
        for (size_t j = 0; j < n; j++) {
            const vec f = v_set(p[j]);
            const float *x = v + j * ld + i;
            a = v_fma(f, v_load(x), a);
            b = v_fma(f, v_load(x + VN), b);
            c = v_fma(f, v_load(x + 2 * VN), c);
            e = v_fma(f, v_load(x + 3 * VN), e);
        }
        v_store(y + i, a);
        v_store(y + i + VN, b);
        v_store(y + i + 2 * VN, c);
        v_store(y + i + 3 * VN, e);
    }
    for (; i < d; i += VN) {
        const size_t lanes = mo_min(d - i, VN);
        vec a = get(y + i, lanes);
        for (size_t j = 0; j < n; j++) a = v_fma(v_set(p[j]), get(v + j * ld + i, lanes), a);
        put(y + i, lanes, a);
    }
}

static void spread(float *rows, size_t ld, const float *p, const float *y, size_t n, size_t d)
{
    for (size_t j = 0; j < n; j++) axpy_row(rows + j * ld, p[j], y, d);
}

/* VN inputs at a time, the outputs of a lane in its sum; then lanes to one. */
static void product_transposed(float *y, const float *q, const float *w, size_t panel, size_t n, size_t k)
{
    for (size_t i = 0; i < k; i += VN) {
        vec r[VN];
        for (size_t a = 0; a < VN; a++) r[a] = v_set(0);
        for (size_t o = 0; o < n; o += VN) {
            const float *p = w + o / 16 * panel + i * 16 + o % 16;
            const vec f = v_load(q + o);
            for (size_t a = 0; a < VN; a++) r[a] = v_fma(f, v_load(p + a * 16), r[a]);
        }
        v_turn(r);
        for (size_t half = VN / 2; half; half /= 2)
            for (size_t a = 0; a < half; a++) r[a] = v_add(r[a], r[a + half]);
        v_store(y + i, r[0]);
    }
}

/* Squares of VN x VN through registers; rows beyond n are zeros. */
static void pack_rows(float *to, const float *x, size_t ld, size_t n, size_t k)
{
    for (size_t j = 0; j < n; j += 16, to += 16 * k)
        for (size_t half = 0; half < 16; half += VN) EACH(i, lanes, k)
            {
                vec r[VN];
                for (size_t q = 0; q < VN; q++)
                    r[q] = j + half + q < n ? get(x + (j + half + q) * ld + i, lanes) : v_set(0);
                v_turn(r);
                for (size_t q = 0; q < lanes; q++) v_store(to + (i + q) * 16 + half, r[q]);
            }
}

/* Four positions by some registers of channels: a filter's value is loaded once for all four. */
static inline __attribute__((always_inline)) void taps_wide(
    const mo_depthwise_taps *t, float *y, size_t shift, size_t c, const size_t width)
{
    vec s[4][V_TAPS], w[V_TAPS];
    for (size_t r = 0; r < width; r++) s[0][r] = s[1][r] = s[2][r] = s[3][r] = v_load(t->bias + c + r * VN);
    for (size_t i = 0; i < t->n; i++) {
        for (size_t r = 0; r < width; r++) w[r] = v_load(t->w[i] + c + r * VN);
        for (size_t q = 0; q < 4; q++) {
            const float *x = t->x[i][q] + shift + c;
            for (size_t r = 0; r < width; r++) s[q][r] = v_fma(v_load(x + r * VN), w[r], s[q][r]);
        }
    }
    const vec zero = v_set(0.0f), six = v_set(6.0f);
    for (size_t q = 0; q < 4; q++) {
        if (q >= t->columns) return;
        for (size_t r = 0; r < width; r++) {
            const vec v = t->relu6 ? v_min(six, v_max(zero, s[q][r])) : s[q][r];
            v_store(y + q * t->channels + c + r * VN, v);
        }
    }
}

static inline void taps_column(const mo_depthwise_taps *t, float *y, size_t shift, size_t c)
{
    const size_t lanes = mo_min(t->channels - c, VN);
    for (size_t q = 0; q < t->columns; q++) {
        vec s = get(t->bias + c, lanes);
        for (size_t i = 0; i < t->n; i++)
            s = v_fma(get(t->x[i][q] + shift + c, lanes), get(t->w[i] + c, lanes), s);
        if (t->relu6) s = v_min(v_set(6.0f), v_max(v_set(0.0f), s));
        put(y + q * t->channels + c, lanes, s);
    }
}

static void depthwise(const mo_depthwise_taps *t)
{
    for (size_t g = 0; g < t->n_groups; g++) {
        float *y = t->y + g * MO_DEPTHWISE_COLUMNS * t->channels;
        size_t c = 0;
        for (; c + V_TAPS * VN <= t->channels; c += V_TAPS * VN) taps_wide(t, y, g * t->step, c, V_TAPS);
        for (; c + 2 * VN <= t->channels; c += 2 * VN) taps_wide(t, y, g * t->step, c, 2);
        for (; c < t->channels; c += VN) taps_column(t, y, g * t->step, c);
    }
}

#define KERN_BODY                                                                                            \
    .max = max_row, .dot = dot_row, .axpy = axpy_row, .scale = scale_row, .add = add_row,                    \
    .softmax = softmax_row, .quick_gelu = quick_gelu, .gelu = gelu, .gelu_tanh = gelu_tanh, .relu6 = relu6,  \
    .relu = relu, .quick_gelu_bwd = quick_gelu_bwd, .gelu_bwd = gelu_bwd, .gelu_tanh_bwd = gelu_tanh_bwd,    \
    .norm = norm_row, .norm_bwd = norm_bwd_row, .dots = dots, .mix = mix, .spread = spread,                  \
    .product_transposed = product_transposed, .pack = pack_rows, .depthwise = depthwise
