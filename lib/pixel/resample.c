/* SPDX-License-Identifier: MIT
 * resample.c - weights and passes of Pillow's resize; the sums are in resample_c.c, resample_avx2.c, resample_neon.c.
 *
 * Output x looks at the input around centre (x + 1/2) scale, scale = in / out, with the filter stretched by
 * scale when shrinking: weight_i = f((i + 1/2 - centre) / max(scale, 1)), normalised to sum 1, then rounded
 * to 22 bits. Only the rows and columns that the asked-for part needs are computed. */
#include "pixel/resample.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/kern.h"
#include "pixel/resample_kern.h"

#define PI 3.14159265358979323846
#define SLACK 16 /* bytes that a row kernel may read beyond its pixels */

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double bilinear(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double hamming(double x)
{
    x = fabs(x);
    if (x == 0.0) return 1.0;
    if (x >= 1.0) return 0.0;
    x *= PI;
    return sin(x) / x * (0.54f + 0.46f * cos(x)); /* single-precision constants, as Pillow has them */
}

/* Keys' cubic with a = -1/2. */
static double bicubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static double sinc(double x)
{
    if (x == 0.0) return 1.0;
    x *= PI;
    return sin(x) / x;
}

static double lanczos(double x)
{
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

typedef struct filter {
    double (*f)(double x);
    double support; /* f is 0 beyond */
} filter;

static const filter filters[] = {[MO_FILTER_LANCZOS] = {lanczos, 3.0},
    [MO_FILTER_BILINEAR] = {bilinear, 1.0},
    [MO_FILTER_BICUBIC] = {bicubic, 2.0},
    [MO_FILTER_BOX] = {box, 0.5},
    [MO_FILTER_HAMMING] = {hamming, 1.0}};

static void taps_free(mo_resample_taps *t)
{
    mo_mem_free(t->first);
    mo_mem_free(t->weight);
    *t = (mo_resample_taps){0};
}

/* One block for the places, one for the weights and their halves. */
static mopd_status taps_alloc(mo_resample_taps *t, size_t n, size_t stride)
{
    *t = (mo_resample_taps){.n = n, .stride = stride};
    size_t weights;
    if (!mo_mul(n, stride, &weights)) return mo_fail(MOPD_E_NOMEM, "resize: %zu x %zu weights", n, stride);
    t->first = mo_mem_alloc(n, 2 * sizeof(uint32_t));
    t->weight = mo_mem_calloc(weights, sizeof(int32_t) + 2 * sizeof(int16_t));
    if (!t->first || !t->weight) {
        taps_free(t);
        return MOPD_E_NOMEM;
    }
    t->n_taps = t->first + n;
    t->low = (int16_t *)(t->weight + weights);
    t->high = t->low + weights;
    return MOPD_OK;
}

static void put_weight(mo_resample_taps *t, size_t at, double w)
{
    w *= 1 << MO_TAP_BITS;
    int32_t k = (int32_t)(w < 0 ? w - 0.5 : w + 0.5);
    t->weight[at] = k;
    t->low[at] = (int16_t)(k & ((1 << MO_TAP_SPLIT) - 1));
    t->high[at] = (int16_t)(k >> MO_TAP_SPLIT);
}

/* Weights of outputs [x0, x0 + n) of the `to` that are made from `from` inputs. */
static mopd_status taps_make(
    mo_resample_taps *t, size_t from, uint64_t to, uint64_t x0, size_t n, const filter *shape)
{
    double scale = (double)from / (double)to, stretch = scale < 1.0 ? 1.0 : scale;
    double support = shape->support * stretch;
    size_t most = (size_t)ceil(support) * 2 + 1;
    double *w = mo_mem_alloc(most, sizeof *w);
    if (!w) return MOPD_E_NOMEM;
    mopd_status st = taps_alloc(t, n, mo_round_up(most, 4));
    for (size_t i = 0; st == MOPD_OK && i < n; i++) {
        double centre = ((double)(x0 + i) + 0.5) * scale, sum = 0.0, inverse = 1.0 / stretch;
        double low = centre - support + 0.5, high = centre + support + 0.5;
        size_t first = low > 0 ? (size_t)low : 0, end = (size_t)high < from ? (size_t)high : from;
        size_t count = end - first;
        for (size_t j = 0; j < count; j++) {
            w[j] = shape->f(((double)(j + first) - centre + 0.5) * inverse);
            sum += w[j];
        }
        for (size_t j = 0; j < count; j++) put_weight(t, i * t->stride + j, sum != 0.0 ? w[j] / sum : w[j]);
        t->first[i] = (uint32_t)first;
        t->n_taps[i] = (uint32_t)count;
    }
    mo_mem_free(w);
    return st;
}

typedef struct job {
    const mo_rect *in;
    const mo_resize *to;
    const mo_resample_kern *kern;
    mo_resample_taps across, down; /* no taps where the size stays */
} job;

static size_t taps_end(const mo_resample_taps *t)
{
    return (size_t)t->first[t->n - 1] + t->n_taps[t->n - 1];
}

static void taps_shift(mo_resample_taps *t, size_t by)
{
    for (size_t i = 0; i < t->n; i++) t->first[i] -= (uint32_t)by;
}

/* Row pass over rows [top, top + n_rows) into out, n_rows x taps->n x 3.  A row whose slack would lie
 * outside the source is copied into `spare` first. */
static mopd_status pass_rows(uint8_t *out, const mo_rect *in, size_t top, size_t n_rows, const job *j)
{
    size_t bytes = in->width * 3;
    const uint8_t *end = in->rgb + (in->height - 1) * in->stride + bytes;
    uint8_t *spare = mo_mem_alloc(bytes + SLACK, 1);
    if (!spare) return MOPD_E_NOMEM;
    memset(spare + bytes, 0, SLACK);
    for (size_t y = 0; y < n_rows; y++) {
        const uint8_t *row = in->rgb + (top + y) * in->stride;
        if ((size_t)(end - row) < bytes + SLACK) row = memcpy(spare, row, bytes);
        j->kern->row(out + y * j->across.n * 3, row, &j->across);
    }
    mo_mem_free(spare);
    return MOPD_OK;
}

/* Column pass: out, down.n x n_bytes, from rows `stride` bytes apart. */
static void pass_columns(uint8_t *out, const uint8_t *rows, size_t stride, size_t n_bytes, const job *j)
{
    for (size_t i = 0; i < j->down.n; i++)
        j->kern->column(out + i * n_bytes, rows, stride, n_bytes, &j->down, i);
}

static mopd_status rows_first(uint8_t *out, job *j)
{
    size_t top = j->down.first[0], n_rows = taps_end(&j->down) - top, row_bytes = j->to->w * 3;
    uint8_t *between = mo_mem_alloc(n_rows, row_bytes);
    if (!between) return MOPD_E_NOMEM;
    mopd_status st = pass_rows(between, j->in, top, n_rows, j);
    taps_shift(&j->down, top);
    if (st == MOPD_OK) pass_columns(out, between, row_bytes, row_bytes, j);
    mo_mem_free(between);
    return st;
}

static mopd_status columns_first(uint8_t *out, job *j)
{
    size_t left = j->across.first[0], width = taps_end(&j->across) - left, height = j->to->h;
    uint8_t *between = mo_mem_alloc(height, width * 3);
    if (!between) return MOPD_E_NOMEM;
    pass_columns(between, j->in->rgb + left * 3, j->in->stride, width * 3, j);
    taps_shift(&j->across, left);
    mo_rect in = {between, width, height, width * 3};
    mopd_status st = pass_rows(out, &in, 0, height, j);
    mo_mem_free(between);
    return st;
}

static void copy_part(uint8_t *out, const mo_rect *in, const mo_resize *to)
{
    for (size_t y = 0; y < to->h; y++)
        memcpy(out + y * to->w * 3, in->rgb + (to->y + y) * in->stride + to->x * 3, to->w * 3);
}

/* Since version 13 Pillow goes down the columns first where the height shrinks by more than twice what the
 * width does (both in pixels).  The order shows in the bits, as each pass rounds. */
static bool columns_come_first(const mo_rect *in, const mo_resize *to)
{
    if (to->height >= in->height) return false;
    return (double)(in->height - to->height) > 2.0 * ((double)in->width - (double)to->width);
}

/* A pass whose size does not change is left out, as in Pillow, where it would change nothing. */
static mopd_status smooth(uint8_t *out, const mo_rect *in, const mo_resize *to, const mo_resample_kern *kern)
{
    const filter *shape = &filters[to->filter];
    bool across = in->width != to->width, down = in->height != to->height;
    job j = {in, to, kern, {0}, {0}};
    mopd_status st = MOPD_OK;
    if (across && (st = taps_make(&j.across, in->width, to->width, to->x, to->w, shape)) != MOPD_OK)
        goto done;
    if (down && (st = taps_make(&j.down, in->height, to->height, to->y, to->h, shape)) != MOPD_OK) goto done;
    if (across && down)
        st = columns_come_first(in, to) ? columns_first(out, &j) : rows_first(out, &j);
    else if (across)
        st = pass_rows(
            out, in, (size_t)to->y, to->h, &j); /* in a side that stays, places are those of the source */
    else if (down)
        pass_columns(out, in->rgb + to->x * 3, in->stride, to->w * 3, &j);
    else
        copy_part(out, in, to);
done:
    taps_free(&j.down);
    taps_free(&j.across);
    return st;
}

/* Input place of each output: floor((x + 1/2) scale), the sum run up step by step as Pillow does. */
static void places(size_t *at, size_t from, uint64_t to, uint64_t x0, size_t n)
{
    double scale = (double)from / (double)to, x = scale * 0.5;
    for (uint64_t i = 0; i < x0 + n; i++, x += scale) {
        size_t p = (size_t)x;
        if (i >= x0) at[i - x0] = p < from ? p : from - 1;
    }
}

static mopd_status nearest(uint8_t *out, const mo_rect *in, const mo_resize *to)
{
    size_t *at = mo_mem_alloc(to->w + to->h, sizeof *at);
    if (!at) return MOPD_E_NOMEM;
    size_t *down = at + to->w;
    places(at, in->width, to->width, to->x, to->w);
    places(down, in->height, to->height, to->y, to->h);
    for (size_t y = 0; y < to->h; y++) {
        const uint8_t *row = in->rgb + down[y] * in->stride;
        for (size_t x = 0; x < to->w; x++, out += 3) memcpy(out, row + 3 * at[x], 3);
    }
    mo_mem_free(at);
    return MOPD_OK;
}

mopd_status mo_resample_with(
    const mo_resample_kern *kern, uint8_t *out, const mo_rect *in, const mo_resize *to)
{
    return to->filter == MO_FILTER_NEAREST ? nearest(out, in, to) : smooth(out, in, to, kern);
}

mopd_status mo_resample(uint8_t *out, const mo_rect *in, const mo_resize *to)
{
    const mo_resample_kern *wide = strcmp(mo_kern_get()->name, "plain") ? mo_resample_wide() : NULL;
    return mo_resample_with(wide ? wide : mo_resample_plain(), out, in, to);
}
