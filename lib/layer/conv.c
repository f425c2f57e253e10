/* SPDX-License-Identifier: MIT
 * conv.c - the stem's k x k convolution as rows [B H' W' x planes k k] times its weights; batch
 * norm folded away. */
#include "layer/conv.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"

size_t mo_conv_same_out(size_t in, size_t stride)
{
    return mo_ceil_div(in, stride);
}

size_t mo_conv_same_before(size_t in, size_t k, size_t stride)
{
    const size_t need = (mo_conv_same_out(in, stride) - 1) * stride + k;
    return need > in ? (need - in) / 2 : 0;
}

void mo_conv_fold_batch_norm(float *weights, float *bias, const mo_batch_norm *bn, size_t n, size_t k)
{
    for (size_t o = 0; o < n; o++) {
        const double f = (double)bn->gamma[o] / sqrt((double)bn->var[o] + (double)bn->eps);
        for (size_t i = 0; i < k; i++) weights[o * k + i] = (float)(weights[o * k + i] * f);
        bias[o] = (float)((double)bn->beta[o] - (double)bn->mean[o] * f);
    }
}

typedef struct job {
    const mo_stem *stem;
    const float *x;
    float *rows;
    size_t height, width, out_h, out_w;
} job;

size_t mo_conv_stem_scratch(const mo_stem *stem, size_t n_images, size_t height, size_t width)
{
    const size_t lines = mo_times(n_images, mo_conv_same_out(height, stem->stride));
    return mo_times(mo_times(lines, mo_conv_same_out(width, stem->stride)), stem->linear.w.k);
}

static size_t before(const mo_stem *s, size_t in)
{
    return s->centred ? s->kernel / 2 : mo_conv_same_before(in, s->kernel, s->stride);
}

/* Columns from..to of one row (NULL: outside), each into its place: k pixels, `step` floats apart. */
static void gather_columns(const job *j, float *to, const float *row, size_t step, const size_t columns[2])
{
    const size_t k = j->stem->kernel, stride = j->stem->stride, left = before(j->stem, j->width);
    for (size_t col = columns[0]; col < columns[1]; col++)
        for (size_t i = 0; i < k; i++) {
            const size_t at = col * stride + i - left; /* wraps when < 0 */
            to[col * step + i] = row && at < j->width ? row[at] : 0;
        }
}

/* Three pixels of each of n columns, all of them inside. */
static void gather_threes(float *to, const float *row, size_t step, size_t stride, size_t n)
{
    for (size_t col = 0; col < n; col++, to += step, row += stride) {
        to[0] = row[0];
        to[1] = row[1];
        to[2] = row[2];
    }
}

/* One row of one plane, the columns between the edges quickly. */
static void gather_row(const job *j, float *to, const float *row, size_t step)
{
    const size_t k = j->stem->kernel, stride = j->stem->stride, left = before(j->stem, j->width);
    const size_t first = mo_ceil_div(left, stride);
    const size_t end = j->width + left < k ? 0 : mo_min((j->width + left - k) / stride + 1, j->out_w);
    if (!row || k != 3 || end <= first) {
        gather_columns(j, to, row, step, (const size_t[2]){0, j->out_w});
        return;
    }
    gather_columns(j, to, row, step, (const size_t[2]){0, first});
    gather_threes(to + first * step, row + first * stride - left, step, stride, end - first);
    gather_columns(j, to, row, step, (const size_t[2]){end, j->out_w});
}

/* One output line of one picture; pixels outside are zeros. */
static void gather_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t k = j->stem->kernel, stride = j->stem->stride, planes = j->stem->planes;
    const size_t image = task / j->out_h, line = task % j->out_h, above = before(j->stem, j->height);
    float *to = j->rows + task * j->out_w * planes * k * k;
    for (size_t c = 0; c < planes; c++)
        for (size_t y = 0; y < k; y++) {
            const size_t py = line * stride + y - above; /* wraps when < 0 */
            const float *plane = j->x + (image * planes + c) * j->height * j->width;
            gather_row(
                j, to + (c * k + y) * k, py < j->height ? plane + py * j->width : NULL, planes * k * k);
        }
}

void mo_conv_stem_fwd(
    mo_pool *pool, float *y, const float *x, const mo_stem *stem, float *scratch, const size_t shape[3])
{
    job j = {.stem = stem, .x = x, .rows = scratch, .height = shape[1], .width = shape[2]};
    j.out_h = mo_conv_same_out(shape[1], stem->stride);
    j.out_w = mo_conv_same_out(shape[2], stem->stride);
    mo_pool_run(pool, shape[0] * j.out_h, gather_line, &j);
    mo_linear_fwd(pool, y, scratch, &stem->linear,
        &(mo_linear_call){.rows = shape[0] * j.out_h * j.out_w, .act = stem->act});
}
