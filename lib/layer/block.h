/* SPDX-License-Identifier: MIT
 * block.h - a pre-norm transformer block with frozen weights, forward and backward to its input.
 *
 *     x += out(attention(qkv(ln1(x))));   x += fc2(act(fc1(ln2(x))))
 *
 * The last block of a tower needs only some rows (class tokens, end tokens): with `select` all is made for
 * these alone but the first norm; keys and values of the others are needed only to go back through, in
 * 16 bits a number, and for heads whose width is no multiple of 16. */
#ifndef MO_LAYER_BLOCK_H
#define MO_LAYER_BLOCK_H

#include "base/arena.h"
#include "base/view.h"
#include "layer/attention.h"
#include "layer/linear.h"
#include "layer/norm.h"
#include "layer/rope.h"

typedef struct mo_block {
    size_t width, n_heads, hidden;
    mo_act act;
    mo_norm ln1, ln2;
    mo_linear qkv, out, fc1, fc2; /* 3W x W, W x W, hidden x W, W x hidden */
    float *norms;                 /* owned: gamma and beta of both norms */
    bool balanced;                /* for 8 bits, already */
} mo_block;

/* The stored tensors.  qkv: one part [3W x W] or three [W x W] in the order q, k, v. */
typedef struct mo_block_parts {
    size_t width, n_heads;
    mo_act act;
    float eps;
    const mo_view *ln1_gamma, *ln1_beta, *ln2_gamma, *ln2_beta;
    mo_linear_part qkv[3];
    size_t n_qkv;
    mo_linear_part out, fc1, fc2;
    mo_precision laid; /* weights that lie in a file as this precision's products read them are used so */
} mo_block_parts;

/* MISMATCH when shapes do not fit (the message has the numbers), NOMEM.  On failure *out is zero. */
mopd_status mo_block_pack(mo_block *out, const mo_block_parts *parts);
void mo_block_free(mo_block *block);

/* The block's products as mo_mat_quantize makes them from now on; no mo_block_transposed of it then, unless precision is F32.
 * Weights that are used where they lie in a file stay so.  In 8 bits channels are balanced first (balance.h), unless they are already.  NOMEM. */
mopd_status mo_block_quantize(mo_block *block, mo_precision precision);

/* What a call needs beside x; one of it serves all blocks of a tower.  The takes are counted or made by
 * mo_block_work, for at most `rows` rows, sequences of at most `longest` and that pool. */
typedef struct mo_block_work {
    float *norm;      /* [rows x W] */
    float *qkv;       /* [rows x 3W]; free between calls */
    float *att;       /* [rows x W] */
    float *hidden;    /* [rows x hidden]; free between calls, tower code may keep its patches here */
    float *attention; /* scratch of mo_attention */
} mo_block_work;

typedef struct mo_block_size {
    size_t rows, longest;
    const mo_pool *pool;
    const mo_rows *backward; /* NULL, or the rows that mo_block_bwd will go through */
} mo_block_size;

void mo_block_work_take(
    mo_block_work *work, mo_arena *arena, const mo_block *block, const mo_block_size *size);

/* Rows of x that are alike: row r is row first[of[r]], n different ones, first ascending. */
typedef struct mo_duplicates {
    size_t n;
    const uint32_t *first, *of;
} mo_duplicates;

/* Products whose rows channels are balanced for (balance.h): queries, keys and values; the attention's output; the MLP's first. */
typedef enum mo_block_place { MO_BLOCK_QKV, MO_BLOCK_OUT, MO_BLOCK_FC1, MO_BLOCK_PLACES } mo_block_place;

/* Somebody who looks at the rows that they read, in the thread of the call. */
typedef struct mo_block_watch {
    void (*look)(void *context, size_t layer, mo_block_place place, const float *x, size_t rows);
    void *context;
} mo_block_watch;

typedef struct mo_block_run {
    mo_pool *pool;
    const mo_rows *rows;
    const uint32_t *select; /* NULL: all rows; else the rows of y, ascending */
    size_t n_select;
    mo_block_work *work;
    const mo_rope *rope; /* NULL, or forward and without select: turns queries and keys */
    const mo_duplicates
        *duplicates; /* NULL, or without select: queries, keys and values are made once for each */
    const mo_block_watch *watch; /* NULL: nobody */
    size_t layer;                /* what the watch is told */
} mo_block_run;

/* y [rows x W] = block(x [rows x W]); y may be x.  With select: y [n_select x W], and y must not overlap x.
 * */
void mo_block_fwd(const mo_block *block, float *y, const float *x, const mo_block_run *run);

/* What a forward pass keeps for its backward pass.  The input x is the caller's to keep unchanged until then. */
typedef struct mo_block_cache {
    float *stats1; /* [rows x 2] */
    float *qkv;    /* [rows x 3W]; with select q lies in `q` instead */
    float *q;      /* [n_select x W] or NULL */
    float *mid;    /* [rows or n_select x W]: x after the attention */
    float *stats2; /* [rows or n_select x 2] */
    float *hidden; /* [rows or n_select x hidden]: before the activation */
} mo_block_cache;

/* n_select 0: all rows. */
void mo_block_cache_take(
    mo_block_cache *cache, mo_arena *arena, const mo_block *block, size_t rows, size_t n_select);

/* As mo_block_fwd, with the same bits but where rows are selected: their attention needs keys and values here,
 * and goes without them there.  y must not overlap x. */
void mo_block_fwd_for_backward(
    const mo_block *block, float *y, const float *x, const mo_block_run *run, mo_block_cache *cache);

/* The weights transposed, for the backward pass; owned by whoever trains. */
typedef struct mo_block_transposed {
    mo_mat qkv, out, fc1, fc2;
} mo_block_transposed;

mopd_status mo_block_transposed_pack(mo_block_transposed *out, const mo_block *block);
void mo_block_transposed_free(mo_block_transposed *transposed);

/* dx [rows x W] = gradient at x given dy [rows or n_select x W]; x and run as in the forward pass.  dx may be dy when nothing is selected. */
typedef struct mo_block_grad {
    float *dx;
    const float *dy, *x;
} mo_block_grad;

void mo_block_bwd(const mo_block *block, const mo_block_transposed *transposed, const mo_block_grad *grad,
    const mo_block_run *run, const mo_block_cache *cache);

#endif
