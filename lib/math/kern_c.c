/* SPDX-License-Identifier: MIT
 * kern_c.c - the inner loops in plain C: what every machine can run and what the others are tested against.
 * */
#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "math/kern.h"
#include "math/tile.h"

static float max_row(const float *x, size_t n)
{
    float m = -INFINITY;
    for (size_t i = 0; i < n; i++) m = x[i] > m ? x[i] : m;
    return m;
}

static float dot_row(const float *x, const float *y, size_t n)
{
    float sum[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < n; i++) sum[i & 3] += x[i] * y[i];
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

static void axpy_row(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

static void scale_row(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = a * x[i];
}

static void add_row(float *y, const float *x, const float *z, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] + z[i];
}

static float softmax_row(float *y, const float *x, float a, size_t n)
{
    float m = a * max_row(x, n), sum = 0;
    for (size_t i = 0; i < n; i++) {
        y[i] = expf(a * x[i] - m);
        sum += y[i];
    }
    scale_row(y, 1.0f / sum, y, n);
    return m + logf(sum);
}

static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static void quick_gelu(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld)
        for (size_t i = 0; i < n; i++) y[i] = x[i] * sigmoid(1.702f * x[i]);
}

static void quick_gelu_bwd(float *dx, const float *dy, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float s = sigmoid(1.702f * x[i]);
        dx[i] = dy[i] * (s + 1.702f * x[i] * (s * (1.0f - s)));
    }
}

static void gelu(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld)
        for (size_t i = 0; i < n; i++) y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678f));
}

/* Phi(x) + x phi(x) */
static void gelu_bwd(float *dx, const float *dy, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float cdf = 0.5f * (1.0f + erff(x[i] * 0.70710678f));
        dx[i] = dy[i] * (cdf + x[i] * (0.39894228f * expf(-0.5f * (x[i] * x[i]))));
    }
}

/* e^-t, by which (1 + tanh(t / 2)) / 2 = 1 / (1 + e^-t), t = x (a + b x^2), a = 2 sqrt(2 / pi), b = 0.044715 a. */
static float gate_exp(float x)
{
    return expf(x * (-1.59576912f - 0.0713548163f * (x * x)));
}

/* Beyond these the slope is 0 or 1, and e^-t no float. */
static float hold(float x)
{
    return x < -10 ? -10 : x > 10 ? 10 : x;
}

static void gelu_tanh(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld)
        for (size_t i = 0; i < n; i++) y[i] = x[i] / (1.0f + gate_exp(x[i]));
}

/* s + x s (1 - s) (a + 3 b x^2), s = 1 / (1 + e), 1 - s = e s, which near s = 1 is the more exact */
static void gelu_tanh_bwd(float *dx, const float *dy, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float v = hold(x[i]), e = gate_exp(v), s = 1.0f / (1.0f + e);
        dx[i] = dy[i] * (s + v * (1.59576912f + 0.214064449f * (v * v)) * (s * (e * s)));
    }
}

static float clamp(float x, float top)
{
    return x < 0 ? 0 : x > top ? top : x;
}

static void relu6(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld)
        for (size_t i = 0; i < n; i++) y[i] = clamp(x[i], 6);
}

static void relu(float *y, const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += ld, x += ld)
        for (size_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i];
}

static void norm_row(float *y, const float *x, const float *gb[2], float eps, size_t n, float stats[2])
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    float mean = (float)(sum / (double)n);
    for (size_t i = 0; i < n; i++) square += (double)(x[i] - mean) * (double)(x[i] - mean);
    float rstd = 1.0f / sqrtf((float)(square / (double)n) + eps);
    for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd * gb[0][i] + gb[1][i];
    stats[0] = mean;
    stats[1] = rstd;
}

/* dx += rstd (g - mean(g) - xhat mean(g xhat)), g = dy gamma */
static void norm_bwd_row(
    float *dx, const float *dy, const float *x, const float *gamma, const float stats[2], size_t n)
{
    double sum = 0, along = 0;
    for (size_t i = 0; i < n; i++) {
        float g = dy[i] * gamma[i];
        sum += g;
        along += (double)g * (double)((x[i] - stats[0]) * stats[1]);
    }
    float a = (float)(sum / (double)n), b = (float)(along / (double)n);
    for (size_t i = 0; i < n; i++)
        dx[i] += stats[1] * (dy[i] * gamma[i] - a - (x[i] - stats[0]) * stats[1] * b);
}

static void dots(float *s, const float *q, const float *keys, size_t ld, size_t n, size_t d)
{
    for (size_t j = 0; j < n; j++) s[j] = dot_row(q, keys + j * ld, d);
}

static void mix(float *y, const float *p, const float *v, size_t ld, size_t n, size_t d)
{
    for (size_t j = 0; j < n; j++) axpy_row(y, p[j], v + j * ld, d);
}

static void spread(float *rows, size_t ld, const float *p, const float *y, size_t n, size_t d)
{
    for (size_t j = 0; j < n; j++) axpy_row(rows + j * ld, p[j], y, d);
}

/* One pixel's channels: the sums stand in y, so that every loop over channels goes along memory. */
static void depthwise_pixel(float *y, const mo_depthwise_taps *t, size_t column, size_t shift)
{
    for (size_t c = 0; c < t->channels; c++) y[c] = t->bias[c];
    for (size_t i = 0; i < t->n; i++) {
        const float *x = t->x[i][column] + shift, *w = t->w[i];
        for (size_t c = 0; c < t->channels; c++) y[c] += x[c] * w[c];
    }
    for (size_t c = 0; c < t->channels && t->relu6; c++) y[c] = clamp(y[c], 6);
}

static void depthwise(const mo_depthwise_taps *t)
{
    for (size_t q = 0; q < t->n_groups * MO_DEPTHWISE_COLUMNS; q++) {
        const size_t column = q % MO_DEPTHWISE_COLUMNS, shift = q / MO_DEPTHWISE_COLUMNS * t->step;
        if (column < t->columns) depthwise_pixel(t->y + q * t->channels, t, column, shift);
    }
}

static void product_transposed(float *y, const float *q, const float *w, size_t panel, size_t n, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        float sum = 0;
        for (size_t o = 0; o < n; o++) sum += q[o] * w[o / 16 * panel + i * 16 + o % 16];
        y[i] = sum;
    }
}

static void pack_rows(float *to, const float *x, size_t ld, size_t n, size_t k)
{
    for (size_t j = 0; j < mo_round_up(n, 16); j++) {
        float *column = to + j / 16 * 16 * k + j % 16;
        for (size_t i = 0; i < k; i++) column[i * 16] = j < n ? x[j * ld + i] : 0;
    }
}

/* Four rows by sixteen columns: sums in registers where the compiler sees fit. */
static void tile(const mo_tile *t)
{
    float sum[4][16] = {{0}};
    for (size_t p = 0; p < t->k; p++)
        for (size_t i = 0; i < t->m; i++) {
            float a = t->a[i * t->lda + p];
            for (size_t j = 0; j < 16; j++) sum[i][j] += a * t->w[p * 16 + j];
        }
    for (size_t i = 0; i < t->m; i++) mo_tile_write(MO_TILE_END(t, i), sum[i]);
}

static const mo_kern kern = {
    .name = "plain",
    .max = max_row,
    .dot = dot_row,
    .axpy = axpy_row,
    .scale = scale_row,
    .add = add_row,
    .softmax = softmax_row,
    .quick_gelu = quick_gelu,
    .gelu = gelu,
    .gelu_tanh = gelu_tanh,
    .relu6 = relu6,
    .relu = relu,
    .quick_gelu_bwd = quick_gelu_bwd,
    .gelu_bwd = gelu_bwd,
    .gelu_tanh_bwd = gelu_tanh_bwd,
    .norm = norm_row,
    .norm_bwd = norm_bwd_row,
    .dots = dots,
    .mix = mix,
    .spread = spread,
    .product_transposed = product_transposed,
    .pack = pack_rows,
    .depthwise = depthwise,
    .tile_rows = 4,
    .tile_name = "plain 4x16",
    .tile_panels = 1,
    .group = 256,
    .depth = 1,
    .tile = tile,
};

const mo_kern *mo_kern_plain(void)
{
    return &kern;
}
