/* SPDX-License-Identifier: MIT
 * depthwise.c - one filter a channel: four output positions at a time, all channels, through the kernel table. */
#include "layer/depthwise.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "layer/conv.h"
#include "math/kern.h"

#define MAX_KERNEL 7

mopd_status mo_depthwise_pack(
    mo_depthwise *out, const float *weights, const float *bias, const size_t shape[3])
{
    const size_t channels = shape[0], k = shape[1];
    *out = (mo_depthwise){.channels = channels, .kernel = k, .stride = shape[2]};
    if (k < 1 || k > MAX_KERNEL || !shape[2]) {
        *out = (mo_depthwise){0};
        return mo_fail(MOPD_E_UNSUPPORTED, "depthwise convolution of %zu x %zu, stride %zu", k, k, shape[2]);
    }
    out->taps = mo_mem_alloc(channels, (k * k + 2) * sizeof *out->taps);
    if (!out->taps) {
        *out = (mo_depthwise){0};
        return MOPD_E_NOMEM;
    }
    for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < k * k; t++) out->taps[t * channels + c] = weights[c * k * k + t];
    memcpy(out->taps + k * k * channels, bias, channels * sizeof *bias);
    memset(out->taps + (k * k + 1) * channels, 0, channels * sizeof *bias);
    return MOPD_OK;
}

void mo_depthwise_free(mo_depthwise *dw)
{
    if (!dw) return;
    mo_mem_free(dw->taps);
    *dw = (mo_depthwise){0};
}

typedef struct job {
    const mo_depthwise *dw;
    const mo_kern *kern;
    const float *x;
    float *y;
    size_t height, width, ring, out_h, out_w, first; /* first: output line of task 0 */
} job;

size_t mo_depthwise_before(const mo_depthwise *dw, size_t in)
{
    return dw->centred ? dw->kernel / 2 : mo_conv_same_before(in, dw->kernel, dw->stride);
}

/* Where the taps of output columns col .. col+3 lie: in the line's rows, or in the zeros behind the bias. */
static void point(
    const job *j, const mo_depthwise_taps *taps, const size_t *tap, const float *const *row, size_t col)
{
    const size_t k = j->dw->kernel, left = mo_depthwise_before(j->dw, j->width), n = j->dw->channels;
    const float *zeros = j->dw->taps + (k * k + 1) * n;
    for (size_t i = 0; i < taps->n; i++)
        for (size_t q = 0; q < MO_DEPTHWISE_COLUMNS; q++) {
            const size_t px = (col + q) * j->dw->stride + tap[i] % k - left; /* wraps when < 0 */
            taps->x[i][q] = px < j->width && col + q < j->out_w ? row[i] + px * n : zeros;
        }
}

/* What one output line reads: the taps whose row lies inside the picture. */
typedef struct reach {
    const float *x[MAX_KERNEL * MAX_KERNEL][MO_DEPTHWISE_COLUMNS], *w[MAX_KERNEL * MAX_KERNEL],
        *row[MAX_KERNEL * MAX_KERNEL];
    size_t tap[MAX_KERNEL * MAX_KERNEL], n;
} reach;

static void find_rows(reach *r, const job *j, size_t image, size_t line)
{
    const size_t k = j->dw->kernel, n = j->dw->channels, above = mo_depthwise_before(j->dw, j->height);
    r->n = 0;
    for (size_t t = 0; t < k * k; t++) {
        const size_t py = line * j->dw->stride + t / k - above; /* wraps when < 0 */
        if (py >= j->height) continue;
        r->row[r->n] = j->x + (image * j->height + py % j->ring) * j->width * n;
        r->w[r->n] = j->dw->taps + t * n;
        r->tap[r->n++] = t;
    }
}

/* How many whole groups from column col on have all their taps inside; 1 for a group at an edge. */
static size_t groups_from(const job *j, size_t col)
{
    const size_t k = j->dw->kernel, stride = j->dw->stride, left = mo_depthwise_before(j->dw, j->width);
    const size_t inner = col * stride >= left && j->width >= k ? (j->width - k + left) / stride + 1 : 0;
    const size_t n = inner > col ? (inner - col) / MO_DEPTHWISE_COLUMNS : 0;
    return n ? n : 1;
}

/* One output line of one picture: groups at the left edge, all between at once, groups at the right edge. */
static void do_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t k = j->dw->kernel, n = j->dw->channels, group = MO_DEPTHWISE_COLUMNS;
    float *y = j->y + task * j->out_w * n;
    reach r;
    const size_t line = j->first + task;
    find_rows(&r, j, line / j->out_h, line % j->out_h);
    mo_depthwise_taps taps = {.x = r.x,
        .w = r.w,
        .n = r.n,
        .channels = n,
        .step = group * j->dw->stride * n,
        .bias = j->dw->taps + k * k * n,
        .relu6 = j->dw->act == MO_ACT_RELU6};
    for (size_t col = 0; col < j->out_w; col += taps.n_groups * group) {
        taps.n_groups = groups_from(j, col);
        taps.columns = mo_min(j->out_w - col, group);
        taps.y = y + col * n;
        point(j, &taps, r.tap, r.row, col);
        j->kern->depthwise(&taps);
    }
    if (j->dw->act == MO_ACT_GELU) j->kern->gelu(y, y, n, j->out_w, n);
}

static job job_of(float *y, const float *x, const mo_depthwise *dw, size_t height, size_t width)
{
    return (job){.dw = dw,
        .kern = mo_kern_get(),
        .x = x,
        .y = y,
        .height = height,
        .width = width,
        .ring = height,
        .out_h = mo_conv_same_out(height, dw->stride),
        .out_w = mo_conv_same_out(width, dw->stride)};
}

void mo_depthwise_fwd(mo_pool *pool, float *y, const float *x, const mo_depthwise *dw, const size_t shape[3])
{
    job j = job_of(y, x, dw, shape[1], shape[2]);
    mo_pool_run(pool, shape[0] * j.out_h, do_line, &j);
}

void mo_depthwise_lines(float *y, const mo_depthwise *dw, const mo_depthwise_part *part)
{
    job j = job_of(y, part->x, dw, part->height, part->width);
    j.ring = part->ring;
    j.first = part->from;
    for (size_t line = part->from; line < part->to; line++) do_line(&j, line - part->from);
}

void mo_depthwise_reach(size_t in[2], const mo_depthwise *dw, const mo_depthwise_part *part)
{
    const size_t above = mo_depthwise_before(dw, part->height), first = part->from * dw->stride,
                 end = (part->to - 1) * dw->stride + dw->kernel;
    in[0] = first > above ? first - above : 0;
    in[1] = end > above ? mo_min(end - above, part->height) : 0;
}
