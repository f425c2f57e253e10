/* SPDX-License-Identifier: MIT
 * conv3.c - neighbourhoods gathered into rows [H W x 9 C], some lines at a time, and multiplied by the weights.
 *
 * As many lines as fill the threads' shares of a product, so that the rows are read while they are in a cache. */
#include "layer/conv3.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"

#define ROWS 240 /* rows of a product for each thread, at least */

/* to [n x 3 x 3 x C] = from [n x C x 3 x 3] */
static void reorder(float *to, const float *from, size_t n, size_t channels)
{
    for (size_t o = 0; o < n; o++, to += 9 * channels, from += 9 * channels)
        for (size_t c = 0; c < channels; c++)
            for (size_t t = 0; t < 9; t++) to[t * channels + c] = from[c * 9 + t];
}

mopd_status mo_conv3_pack(
    mo_conv3 *out, const float *weights, const float *bias, const size_t shape[2], mo_precision precision)
{
    const size_t n = shape[0], channels = shape[1];
    float *w = mo_mem_alloc(n * 9 * channels, sizeof *w);
    *out = (mo_conv3){.channels = channels};
    if (!w) return MOPD_E_NOMEM;
    reorder(w, weights, n, channels);
    const mo_view view = {.data = w,
                      .dtype = MO_F32,
                      .n_dims = 2,
                      .shape = {n, 9 * channels},
                      .n = n * 9 * channels},
                  b = {.data = bias, .dtype = MO_F32, .n_dims = 1, .shape = {n}, .n = n};
    mopd_status st = mo_linear_pack(&out->linear, &(mo_linear_part){.weight = &view, .bias = &b}, 1);
    mo_mem_free(w);
    if (st == MOPD_OK) st = mo_mat_quantize_finely(&out->linear.w, precision);
    if (st != MOPD_OK) mo_conv3_free(out);
    return st;
}

void mo_conv3_free(mo_conv3 *conv)
{
    if (!conv) return;
    mo_linear_free(&conv->linear);
    *conv = (mo_conv3){0};
}

typedef struct job {
    const mo_conv3 *conv;
    const float *x;
    float *rows;
    size_t height, width, first; /* first: of the lines at work, counted through all pictures */
} job;

/* How many times lines are gathered for one product each. */
static size_t turns_of(size_t threads, const size_t shape[3])
{
    return mo_ceil_div(shape[0] * shape[1], mo_max(1, ROWS * threads / shape[2]));
}

size_t mo_conv3_scratch(const mo_conv3 *conv, const mo_pool *pool, const size_t shape[3])
{
    const size_t lines = mo_min(shape[0] * shape[1], mo_max(1, ROWS * mo_pool_threads(pool) / shape[2]));
    return mo_times(mo_times(lines, shape[2]), 9 * conv->channels);
}

/* One line's three neighbours of each column, from a line of x or from outside (NULL). */
static void gather_taps(const job *j, float *to, const float *line)
{
    const size_t c = j->conv->channels, w = j->width, step = 9 * c;
    for (size_t col = 0; col < w; col++, to += step) {
        const size_t left = col == 0, right = col + 1 == w;
        if (!line || left) memset(to, 0, (line ? 1 : 3) * c * sizeof *to);
        if (!line) continue;
        memcpy(to + left * c, line + (col - 1 + left) * c, (3 - left - right) * c * sizeof *to);
        if (right) memset(to + 2 * c, 0, c * sizeof *to);
    }
}

static void gather_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t c = j->conv->channels, at = j->first + task, y = at % j->height;
    const float *line = j->x + at * j->width * c;
    float *to = j->rows + task * j->width * 9 * c;
    gather_taps(j, to, y ? line - j->width * c : NULL);
    gather_taps(j, to + 3 * c, line);
    gather_taps(j, to + 6 * c, y + 1 < j->height ? line + j->width * c : NULL);
}

void mo_conv3_fwd(
    mo_pool *pool, float *y, const float *x, const mo_conv3 *conv, float *scratch, const size_t shape[3])
{
    job j = {.conv = conv, .x = x, .rows = scratch, .height = shape[1], .width = shape[2]};
    const size_t lines = shape[0] * shape[1], most = mo_pool_threads(pool), now = mo_pool_now(pool);
    const size_t turns = turns_of(mo_min(now, most), shape);
    for (size_t i = 0; i < turns; i++) {
        j.first = mo_cut(lines, turns, i);
        const size_t n = mo_cut(lines, turns, i + 1) - j.first;
        mo_pool_run(pool, n, gather_line, &j);
        mo_linear_fwd(pool, y + j.first * shape[2] * conv->linear.w.n, scratch, &conv->linear,
            &(mo_linear_call){.rows = n * shape[2], .act = MO_ACT_RELU});
    }
}
