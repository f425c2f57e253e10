/* SPDX-License-Identifier: MIT
 * pool_attention.h - a feature map to one row: attention of its mean over all positions.
 *
 *     t = [mean of x; x] + position        y = proj(softmax(q(t_0) k(t)^T / sqrt d) v(t))
 *
 * Keys and values of the positions are never made (mo_attention_normed). */
#ifndef MO_LAYER_POOL_ATTENTION_H
#define MO_LAYER_POOL_ATTENTION_H

#include "base/arena.h"
#include "layer/attention.h"
#include "layer/linear.h"

typedef struct mo_pool_attention {
    mo_linear qkv;             /* 3E x E, floats; E / heads a multiple of 16 */
    mo_linear proj;            /* D x E */
    float *position;           /* (P + 1) x E; owned */
    size_t n_heads, positions; /* P */
} mo_pool_attention;

void mo_pool_attention_free(mo_pool_attention *a);

/* Working memory for n maps at once. */
typedef struct mo_pool_attention_work {
    float *rows, *mean, *q, *mixed, *scratch;
    uint32_t *select;
} mo_pool_attention_work;
void mo_pool_attention_take(
    mo_pool_attention_work *work, mo_arena *arena, const mo_pool_attention *a, const mo_pool *pool, size_t n);

/* y [n x D] from x [n x P x E]. */
void mo_pool_attention_fwd(mo_pool *pool, float *y, const float *x, const mo_pool_attention *a, size_t n,
    const mo_pool_attention_work *work);

#endif
