/* SPDX-License-Identifier: MIT
 * pool_probe.h - rows of a sequence to one row: attention of a learned query, the probe, over all of them, and an MLP
 * (Zhai et al. 2022, "Scaling Vision Transformers", the MAP head; as SigLIP has it).
 *
 *     a = out(concat over heads of softmax(q k(x)^T / sqrt d) v(x)),   q of the probe
 *     y = a + fc2(act(fc1(norm(a))))
 *
 * The query is the same for every sequence, so a head asks one row u of the rows themselves, and mixes the rows before
 * it makes a value of them:
 *
 *     q k_j = u x_j + the same for all j,   u = q W_k           sum p_j v_j = (sum p_j x_j) W_v^T + b_v
 *
 * Neither keys nor values of all rows are made: 2 L W heads + W^2 products instead of 2 L W^2. */
#ifndef MO_LAYER_POOL_PROBE_H
#define MO_LAYER_POOL_PROBE_H

#include "base/arena.h"
#include "layer/linear.h"
#include "layer/norm.h"

typedef struct mo_pool_probe {
    size_t width, n_heads;
    mo_act act;
    float *ask;              /* n_heads x W: u / sqrt d; owned */
    mo_linear *value;        /* n_heads of d x W with bias, floats; owned */
    mo_linear out, fc1, fc2; /* W x W, H x W, W x H */
    mo_norm norm;
    float *norm_block; /* owned: gamma and beta */
} mo_pool_probe;

/* The stored tensors: probe [W]; queries, keys and values [W x W] with bias. */
typedef struct mo_pool_probe_parts {
    size_t width, n_heads;
    const mo_view *probe;
    mo_linear_part q, k, v; /* not in_out */
} mo_pool_probe_parts;

/* Folds the probe into `ask` and packs the values, of a head zeroed before; out, fc1, fc2, norm and act are the
 * caller's to fill in.  MISMATCH, UNSUPPORTED, NOMEM; free it then too. */
mopd_status mo_pool_probe_pack(mo_pool_probe *p, const mo_pool_probe_parts *parts);
void mo_pool_probe_free(mo_pool_probe *p);

/* Working memory for n sequences of `rows` rows at once. */
typedef struct mo_pool_probe_work {
    float *weight; /* n x heads x rows */
    float *mixed;  /* heads x n x W */
    float *a, *norm, *hidden;
} mo_pool_probe_work;
void mo_pool_probe_take(
    mo_pool_probe_work *work, mo_arena *arena, const mo_pool_probe *p, size_t n, size_t rows);

/* y [n x W] from x [n x rows x W]; a sequence's bits do not depend on the others. */
void mo_pool_probe_fwd(mo_pool *pool, float *y, const float *x, const mo_pool_probe *p, const size_t shape[2],
    const mo_pool_probe_work *work); /* shape: n, rows */

#endif
