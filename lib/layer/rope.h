/* SPDX-License-Identifier: MIT
 * rope.h - rotary positions in two dimensions (Su et al. 2021, "RoFormer"; over a grid as timm's RotaryEmbeddingCat has
 * them for Perception Encoders).
 *
 * Pairs of neighbouring numbers of a head are turned by an angle: those of its first half by the column, those of the
 * second by the row, both counted from 1,
 *
 *     (a, b) -> (a cos t - b sin t, b cos t + a sin t)      t = position x 10000^(-i / n),  i = 0 .. n-1,  n = d / 4
 *
 * in queries and keys, so that their product knows how far two patches are from each other.  The row of a class token
 * before the patches is left as it is. */
#ifndef MO_LAYER_ROPE_H
#define MO_LAYER_ROPE_H

#include "base/fail.h"
#include "base/pool.h"

typedef struct mo_rope {
    size_t grid, d; /* patches a side; width of a head, a multiple of 4 */
    size_t before;  /* rows of a sequence before its patches */
    float *turn;    /* grid^2 x d / 2 pairs of cos and sin; owned */
} mo_rope;

mopd_status mo_rope_make(mo_rope *out, size_t grid, size_t d, size_t before); /* NOMEM */
void mo_rope_free(mo_rope *rope);

/* Turns queries and keys of qkv [n_seqs x (before + grid^2) x 3W] in their places; W a multiple of d. */
void mo_rope_apply(mo_pool *pool, float *qkv, const mo_rope *rope, size_t n_seqs, size_t width);

#endif
