/* SPDX-License-Identifier: MIT
 * squeeze.c - means, two small products, and one pass over the map by its lines.
 *
 * The gates' exponentials are taken in double: there are only C of a picture, and so their floats are the same with
 * every C library. */
#include "layer/squeeze.h"

#include <math.h>

#include "layer/mean_pool.h"
#include "math/kern.h"

void mo_squeeze_free(mo_squeeze *squeeze)
{
    if (!squeeze) return;
    mo_linear_free(&squeeze->reduce);
    mo_linear_free(&squeeze->expand);
}

size_t mo_squeeze_scratch(const mo_squeeze *squeeze, size_t n_images)
{
    return n_images * (squeeze->expand.w.n + squeeze->reduce.w.n);
}

typedef struct job {
    const mo_kern *kern;
    float *x;
    const float *gate;
    size_t height, width, channels;
    mo_act act;
} job;

/* One line of one picture. */
static void do_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t c = j->channels;
    const float *gate = j->gate + task / j->height * c;
    float *line = j->x + task * j->width * c;
    for (size_t col = 0; col < j->width; col++)
        for (size_t i = 0; i < c; i++) line[col * c + i] *= gate[i];
    if (j->act == MO_ACT_GELU) j->kern->gelu(line, line, c, j->width, c);
}

/* gate [B x C] from the map; scratch holds it and the reduced means behind it. */
static void make_gates(mo_pool *pool, float *gate, const float *x, const mo_squeeze *s, const size_t shape[3])
{
    const size_t n = shape[0], c = s->expand.w.n;
    float *reduced = gate + n * c;
    mo_mean_pool_fwd(pool, gate, x, shape, c);
    mo_linear_fwd(pool, reduced, gate, &s->reduce, &(mo_linear_call){.rows = n, .act = MO_ACT_RELU});
    mo_linear_fwd(pool, gate, reduced, &s->expand, &(mo_linear_call){.rows = n});
    for (size_t i = 0; i < n * c; i++) gate[i] = (float)(1 / (1 + exp(-(double)gate[i])));
}

void mo_squeeze_fwd(
    mo_pool *pool, float *x, const mo_squeeze *squeeze, mo_act act, float *scratch, const size_t shape[3])
{
    const job j = {.kern = mo_kern_get(),
        .x = x,
        .gate = scratch,
        .height = shape[1],
        .width = shape[2],
        .channels = squeeze->expand.w.n,
        .act = act};
    make_gates(pool, scratch, x, squeeze, shape);
    mo_pool_run(pool, shape[0] * shape[1], do_line, (void *)&j);
}
