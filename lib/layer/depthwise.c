/* SPDX-License-Identifier: MIT
 * depthwise.c - one filter a channel: for each output position the taps that lie inside, all channels at once. */
#include <string.h>

#include "layer/conv.h"
#include "layer/depthwise.h"
#include "math/kern.h"

#define MAX_KERNEL 5

mopd_status mo_depthwise_pack(mo_depthwise *out, const float *weights, const float *bias, const size_t shape[3])
{
    const size_t channels = shape[0], k = shape[1];
    *out = (mo_depthwise){.channels = channels, .kernel = k, .stride = shape[2], .relu6 = true};
    if (k < 1 || k > MAX_KERNEL || !shape[2]) {
        *out = (mo_depthwise){0};
        return mo_fail(MOPD_E_UNSUPPORTED, "depthwise convolution of %zu x %zu, stride %zu", k, k, shape[2]);
    }
    out->taps = mo_alloc(channels, (k * k + 1) * sizeof *out->taps);
    if (!out->taps) {
        *out = (mo_depthwise){0};
        return MOPD_E_NOMEM;
    }
    for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < k * k; t++) out->taps[t * channels + c] = weights[c * k * k + t];
    memcpy(out->taps + k * k * channels, bias, channels * sizeof *bias);
    return MOPD_OK;
}

void mo_depthwise_free(mo_depthwise *dw)
{
    if (!dw) return;
    mo_free(dw->taps);
    *dw = (mo_depthwise){0};
}

typedef struct job {
    const mo_depthwise *dw;
    const mo_kern *kern;
    const float *x;
    float *y;
    size_t height, width, out_h, out_w;
} job;

/* One output line of one picture. */
static void do_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t k = j->dw->kernel, stride = j->dw->stride, n = j->dw->channels;
    const size_t above = mo_same_before(j->height, k, stride), left = mo_same_before(j->width, k, stride);
    const size_t image = task / j->out_h, line = task % j->out_h;
    const float *from = j->x + image * j->height * j->width * n;
    const float *x[MAX_KERNEL * MAX_KERNEL], *w[MAX_KERNEL * MAX_KERNEL];
    mo_taps taps = {.x = x, .w = w, .channels = n, .bias = j->dw->taps + k * k * n, .relu6 = j->dw->relu6};
    for (size_t col = 0; col < j->out_w; col++) {
        taps.n = 0;
        for (size_t r = 0; r < k; r++)
            for (size_t i = 0; i < k; i++) {
                const size_t py = line * stride + r - above, px = col * stride + i - left; /* wraps when < 0 */
                if (py >= j->height || px >= j->width) continue;
                x[taps.n] = from + (py * j->width + px) * n;
                w[taps.n++] = j->dw->taps + (r * k + i) * n;
            }
        j->kern->taps(j->y + (task * j->out_w + col) * n, &taps);
    }
}

void mo_depthwise_fwd(mo_pool *pool, float *y, const float *x, const mo_depthwise *dw, const size_t shape[3])
{
    job j = {.dw = dw, .kern = mo_kern_get(), .x = x, .y = y, .height = shape[1], .width = shape[2]};
    j.out_h = mo_same_out(shape[1], dw->stride);
    j.out_w = mo_same_out(shape[2], dw->stride);
    mo_pool_run(pool, shape[0] * j.out_h, do_line, &j);
}

typedef struct mean_job {
    const mo_kern *kern;
    const float *x;
    float *y;
    size_t positions, channels;
} mean_job;

static void mean_of(void *ctx, size_t image)
{
    const mean_job *j = ctx;
    float *y = j->y + image * j->channels;
    memset(y, 0, j->channels * sizeof *y);
    for (size_t p = 0; p < j->positions; p++)
        j->kern->add(y, y, j->x + (image * j->positions + p) * j->channels, j->channels);
    j->kern->scale(y, 1.0f / (float)j->positions, y, j->channels);
}

void mo_mean_pool(mo_pool *pool, float *y, const float *x, const size_t shape[3], size_t channels)
{
    mean_job j = {mo_kern_get(), x, y, shape[1] * shape[2], channels};
    mo_pool_run(pool, shape[0], mean_of, &j);
}
