/* SPDX-License-Identifier: MIT
 * resample.c - weights and passes of Pillow's resize; the sums are in resample_c.c and resample_avx2.c.
 *
 * Output x looks at the input around centre (x + 1/2) scale, scale = in / out, with the filter stretched by scale when
 * shrinking: weight_i = f((i + 1/2 - centre) / max(scale, 1)), normalised to sum 1, then rounded to 22 bits.
 * Only the rows and columns that the asked-for part needs are computed. */
#include "clip/resample.h"

#include <math.h>
#include <string.h>

#include "clip/resample_kern.h"

#define PI 3.14159265358979323846
#define SLACK 16 /* bytes that a row kernel may read beyond its pixels */

static double box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

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

static double lanczos(double x) { return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

typedef struct filter {
    double (*f)(double x);
    double support; /* f is 0 beyond */
} filter;

static const filter filters[] = {[MO_FILTER_LANCZOS] = {lanczos, 3.0}, [MO_FILTER_BILINEAR] = {bilinear, 1.0},
    [MO_FILTER_BICUBIC] = {bicubic, 2.0}, [MO_FILTER_BOX] = {box, 0.5}, [MO_FILTER_HAMMING] = {hamming, 1.0}};

static void taps_free(mo_taps *t)
{
    mo_free(t->first);
    mo_free(t->weight);
    *t = (mo_taps){0};
}

/* One block for the places, one for the weights and their halves. */
static mopd_status taps_alloc(mo_taps *t, size_t n, size_t stride)
{
    *t = (mo_taps){.n = n, .stride = stride};
    size_t weights;
    if (!mo_mul(n, stride, &weights)) return mo_fail(MOPD_E_NOMEM, "resize: %zu x %zu weights", n, stride);
    t->first = mo_alloc(n, 2 * sizeof(uint32_t));
    t->weight = mo_calloc(weights, sizeof(int32_t) + 2 * sizeof(int16_t));
    if (!t->first || !t->weight) {
        taps_free(t);
        return MOPD_E_NOMEM;
    }
    t->n_taps = t->first + n;
    t->low = (int16_t *)(t->weight + weights);
    t->high = t->low + weights;
    return MOPD_OK;
}

static void put_weight(mo_taps *t, size_t at, double w)
{
    w *= 1 << MO_TAP_BITS;
    int32_t k = (int32_t)(w < 0 ? w - 0.5 : w + 0.5);
    t->weight[at] = k;
    t->low[at] = (int16_t)(k & ((1 << MO_TAP_SPLIT) - 1));
    t->high[at] = (int16_t)(k >> MO_TAP_SPLIT);
}

/* Weights of outputs [x0, x0 + n) of the `to` that are made from `from` inputs. */
static mopd_status taps_make(mo_taps *t, size_t from, size_t to, size_t x0, size_t n, const filter *shape)
{
    double scale = (double)from / (double)to, stretch = scale < 1.0 ? 1.0 : scale;
    double support = shape->support * stretch;
    size_t most = (size_t)ceil(support) * 2 + 1;
    double *w = mo_alloc(most, sizeof *w);
    if (!w) return MOPD_E_NOMEM;
    mopd_status st = taps_alloc(t, n, (most + 3) / 4 * 4);
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
    mo_free(w);
    return st;
}

static const mo_resample_kern *pick(void)
{
    const mo_resample_kern *k = mo_resample_avx2();
    return k ? k : mo_resample_plain();
}

/* Row pass over rows [top, top + n_rows) into out, n_rows x taps->n x 3.  A row whose slack would lie outside the
 * source is copied into `spare` first. */
static mopd_status pass_rows(uint8_t *out, const mo_rect *in, size_t top, size_t n_rows, const mo_taps *taps)
{
    const mo_resample_kern *kern = pick();
    size_t bytes = in->width * 3;
    const uint8_t *end = in->rgb + (in->height - 1) * in->stride + bytes;
    uint8_t *spare = mo_alloc(bytes + SLACK, 1);
    if (!spare) return MOPD_E_NOMEM;
    memset(spare + bytes, 0, SLACK);
    for (size_t y = 0; y < n_rows; y++) {
        const uint8_t *row = in->rgb + (top + y) * in->stride;
        if ((size_t)(end - row) < bytes + SLACK) row = memcpy(spare, row, bytes);
        kern->row(out + y * taps->n * 3, row, taps);
    }
    mo_free(spare);
    return MOPD_OK;
}

/* Both passes; a pass whose size does not change is left out, as in Pillow, where it would change nothing. */
static mopd_status smooth(uint8_t *out, const mo_rect *in, const mo_resize *to)
{
    const filter *shape = &filters[to->filter];
    bool across = in->width != to->width, down = in->height != to->height;
    size_t row_bytes = to->w * 3, top = to->y, n_rows = to->h;
    mo_taps h = {0}, v = {0};
    uint8_t *between = NULL;
    mopd_status st = MOPD_OK;
    if (across && (st = taps_make(&h, in->width, to->width, to->x, to->w, shape)) != MOPD_OK) goto done;
    if (down && (st = taps_make(&v, in->height, to->height, to->y, to->h, shape)) != MOPD_OK) goto done;
    if (down) {
        top = v.first[0];
        n_rows = (size_t)v.first[to->h - 1] + v.n_taps[to->h - 1] - top;
    }
    const uint8_t *rows = in->rgb + top * in->stride + to->x * 3;
    size_t stride = in->stride;
    if (across) {
        if (down && !(between = mo_alloc(n_rows, row_bytes))) {
            st = MOPD_E_NOMEM;
            goto done;
        }
        uint8_t *into = down ? between : out;
        if ((st = pass_rows(into, in, top, n_rows, &h)) != MOPD_OK) goto done;
        rows = into;
        stride = row_bytes;
    }
    if (down) {
        for (size_t i = 0; i < to->h; i++) v.first[i] -= (uint32_t)top;
        for (size_t i = 0; i < to->h; i++) pick()->column(out + i * row_bytes, rows, stride, row_bytes, &v, i);
    } else if (!across) {
        for (size_t y = 0; y < to->h; y++) memcpy(out + y * row_bytes, rows + y * stride, row_bytes);
    }
done:
    mo_free(between);
    taps_free(&v);
    taps_free(&h);
    return st;
}

/* Input place of each output: floor((x + 1/2) scale), the sum run up step by step as Pillow does. */
static void places(size_t *at, size_t from, size_t to, size_t x0, size_t n)
{
    double scale = (double)from / (double)to, x = scale * 0.5;
    for (size_t i = 0; i < x0 + n; i++, x += scale) {
        size_t p = (size_t)x;
        if (i >= x0) at[i - x0] = p < from ? p : from - 1;
    }
}

static mopd_status nearest(uint8_t *out, const mo_rect *in, const mo_resize *to)
{
    size_t *at = mo_alloc(to->w + to->h, sizeof *at);
    if (!at) return MOPD_E_NOMEM;
    size_t *down = at + to->w;
    places(at, in->width, to->width, to->x, to->w);
    places(down, in->height, to->height, to->y, to->h);
    for (size_t y = 0; y < to->h; y++) {
        const uint8_t *row = in->rgb + down[y] * in->stride;
        for (size_t x = 0; x < to->w; x++, out += 3) memcpy(out, row + 3 * at[x], 3);
    }
    mo_free(at);
    return MOPD_OK;
}

mopd_status mo_resample(uint8_t *out, const mo_rect *in, const mo_resize *to)
{
    return to->filter == MO_FILTER_NEAREST ? nearest(out, in, to) : smooth(out, in, to);
}
