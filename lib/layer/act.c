/* SPDX-License-Identifier: MIT
 * act.c - activations and their gradients over long arrays, shared out in pieces. */
#include "layer/act.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/map.h"
#include "math/kern.h"

#define PIECE 16384

typedef struct job {
    mo_map_fn *fwd;
    void (*bwd)(float *dx, const float *dy, const float *x, size_t n);
    float *out;
    const float *dy, *x;
    size_t n;
} job;

static void run_piece(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t at = task * PIECE, n = mo_min(j->n - at, PIECE);
    if (j->fwd)
        j->fwd(j->out + at, j->x + at, 0, 1, n);
    else
        j->bwd(j->out + at, j->dy + at, j->x + at, n);
}

void mo_act_fwd(mo_pool *pool, float *y, const float *x, mo_act act, size_t n)
{
    const mo_kern *kern = mo_kern_get();
    job j = {.out = y, .x = x, .n = n};
    if (act == MO_ACT_NONE) {
        if (y != x) memmove(y, x, n * sizeof *y);
        return;
    }
    j.fwd = act == MO_ACT_QUICK_GELU  ? kern->quick_gelu
            : act == MO_ACT_GELU      ? kern->gelu
            : act == MO_ACT_GELU_TANH ? kern->gelu_tanh
            : act == MO_ACT_RELU      ? kern->relu
                                      : kern->relu6;
    mo_pool_run(pool, mo_ceil_div(n, PIECE), run_piece, &j);
}

void mo_act_bwd(mo_pool *pool, float *dx, const float *dy, const float *x, mo_act act, size_t n)
{
    const mo_kern *kern = mo_kern_get();
    job j = {.out = dx, .dy = dy, .x = x, .n = n};
    if (act == MO_ACT_NONE || act == MO_ACT_RELU6 || act == MO_ACT_RELU) {
        const float low = act == MO_ACT_NONE ? -INFINITY : 0, high = act == MO_ACT_RELU6 ? 6 : INFINITY;
        for (size_t i = 0; i < n; i++) dx[i] = x[i] > low && x[i] < high ? dy[i] : 0;
        return;
    }
    j.bwd = act == MO_ACT_QUICK_GELU  ? kern->quick_gelu_bwd
            : act == MO_ACT_GELU_TANH ? kern->gelu_tanh_bwd
                                      : kern->gelu_bwd;
    mo_pool_run(pool, mo_ceil_div(n, PIECE), run_piece, &j);
}
