/* SPDX-License-Identifier: MIT
 * look.c - how a picture looks.
 *
 * Sharpness is one minus the blur of Crete et al., "The blur effect: perception and estimation with a new no-reference
 * perceptual blur metric" (2007): a sharp picture loses much of its differences between neighbours when it is blurred once
 * more, a blurred one hardly any.  A signature is the picture in 24 x 24 grey. */
#include "pixel/look.h"

#include <math.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/wide.h"

enum { SIDE = 224, TAPS = 9 };

/* How much of sample k lies in place i of m, where n samples are spread over the m places. */
static double overlap(size_t k, size_t i, size_t m, size_t n)
{
    const double from = (double)i * (double)n / (double)m, to = (double)(i + 1) * (double)n / (double)m;
    return fmin(to, (double)k + 1) - fmax(from, (double)k);
}

/* The first sample that place i touches, and the one behind the last. */
static void touched(size_t range[2], size_t i, size_t m, size_t n)
{
    range[0] = (size_t)((uint64_t)i * n / m); /* no more than n */
    range[1] = (size_t)mo_wide_min(mo_wide_ceil_div(((uint64_t)i + 1) * n, m), n);
}

/* The mean grey of what lies in place (i, k) of height x width. */
static float mean(const mo_look *p, const size_t at[2], const size_t size[2])
{
    size_t y[2], x[2];
    double sum = 0, area = 0;
    const size_t row_bytes = p->row_bytes ? p->row_bytes : 3 * p->width;
    touched(y, at[0], size[0], p->height);
    touched(x, at[1], size[1], p->width);
    for (size_t i = y[0]; i < y[1]; i++) {
        const double rows = overlap(i, at[0], size[0], p->height);
        for (size_t k = x[0]; k < x[1]; k++) {
            const uint8_t *rgb = p->rgb + i * row_bytes + 3 * k;
            const double part = rows * overlap(k, at[1], size[1], p->width);
            sum += part * (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]);
            area += part;
        }
    }
    return (float)(sum / area);
}

/* grey (height x width): each place has the mean of what it covers, smaller or larger than a pixel. */
static void to_grey(float *grey, const mo_look *p, size_t height, size_t width)
{
    const size_t size[2] = {height, width};
    for (size_t i = 0; i < height; i++)
        for (size_t k = 0; k < width; k++) grey[i * width + k] = mean(p, (const size_t[2]){i, k}, size);
}

/* Differences between neighbours along lines of n samples, `step` apart: before, and what a mean of nine takes of them. */
static void line_loss(double sums[2], const float *line, size_t n, size_t step)
{
    double before = 0, blurred = 0, last = 0;
    for (size_t i = 0; i + TAPS <= n; i++) {
        double mean_here = 0;
        for (size_t k = 0; k < TAPS; k++) mean_here += (double)line[(i + k) * step] / (double)TAPS;
        if (i) {
            const size_t middle = i + TAPS / 2;
            before = fabs((double)line[middle * step] - (double)line[(middle - 1) * step]);
            blurred = fabs(mean_here - last);
            sums[0] += before;
            sums[1] += fmax(0, before - blurred);
        }
        last = mean_here;
    }
}

/* The share of differences that blurring takes; 1 where there are none: nothing is lost. */
static double loss(const double sums[2])
{
    return sums[0] > 0 ? sums[1] / sums[0] : 1;
}

mopd_status mo_look_sharpness(double *sharpness, const mo_look *p)
{
    const size_t shorter = mo_min(p->height, p->width), side = mo_min(shorter, SIDE);
    const size_t height = mo_max(p->height * side / shorter, 1), width = mo_max(p->width * side / shorter, 1);
    size_t n;
    if (!mo_mul(height, width, &n))
        return mo_fail(MOPD_E_UNSUPPORTED, "%zu x %zu pixels", p->width, p->height);
    float *grey = mo_mem_alloc(n, sizeof *grey);
    if (!grey) return MOPD_E_NOMEM;
    double rows[2] = {0}, columns[2] = {0};
    to_grey(grey, p, height, width);
    for (size_t i = 0; i < height; i++) line_loss(rows, grey + i * width, width, 1);
    for (size_t k = 0; k < width; k++) line_loss(columns, grey + k, height, width);
    *sharpness = fmin(loss(rows), loss(columns));
    mo_mem_free(grey);
    return MOPD_OK;
}

void mo_look_signature(float *signature, const mo_look *p)
{
    double sum = 0, squares = 0;
    to_grey(signature, p, MO_LOOK_SIDE, MO_LOOK_SIDE);
    for (size_t i = 0; i < MO_LOOK_SIDE * MO_LOOK_SIDE; i++) sum += (double)signature[i];
    for (size_t i = 0; i < MO_LOOK_SIDE * MO_LOOK_SIDE; i++) {
        signature[i] -= (float)(sum / (MO_LOOK_SIDE * MO_LOOK_SIDE));
        squares += (double)signature[i] * (double)signature[i];
    }
    const double scale = squares > 1e-3 ? 1 / sqrt(squares) : 0; /* a plane but for rounding */
    for (size_t i = 0; i < MO_LOOK_SIDE * MO_LOOK_SIDE; i++)
        signature[i] = (float)((double)signature[i] * scale);
}
