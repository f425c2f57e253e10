/* SPDX-License-Identifier: MIT
 * attention.h - multi-head attention over packed rows, forward and backward.
 *
 * All rows of a call lie in one matrix qkv [rows x 3W]: query, key, value of a row side by side, each split
 * into heads of d = W / heads.  A mo_rows says which rows see which:
 *
 *   full    n_seqs sequences of seq_len rows each; a row sees all rows of its sequence (vision).
 *   tree    segments of a prefix tree (text): rows first .. first+n-1 continue the rows of segment `parent`
 *           and of its ancestors.  A row sees all rows of the ancestors, the rows before it in its segment,
 *           and itself.  Parents stand before children, segments lie in the order of `first` without gaps.
 *           parent -1: a root.  A plain batch of causal sequences is a list of roots.
 *
 * In a tree a row's bits depend on its own sequence only, not on how the sequences share prefixes. */
#ifndef MO_LAYER_ATTENTION_H
#define MO_LAYER_ATTENTION_H

#include "base/pool.h"
#include "math/gemm.h"

typedef struct mo_segment {
    uint32_t first, n;
    int32_t parent;
} mo_segment;

typedef struct mo_rows {
    size_t rows;            /* in all */
    const mo_segment *segs; /* NULL: full attention */
    size_t n_segs;
    size_t n_seqs, seq_len; /* when segs is NULL: rows = n_seqs x seq_len */
} mo_rows;

/* Longest sequence of a tree (root to leaf), or seq_len. */
size_t mo_attention_longest(const mo_rows *rows);

typedef struct mo_attention {
    size_t width, n_heads;
    const mo_rows *rows;
    const uint32_t *select; /* NULL: all rows query; or the rows that query, ascending, each at most once */
    size_t n_select;
    const float *q, *kv; /* q [rows or n_select x W]; kv: the keys of row 0, its values W floats further */
    size_t ldq, ldkv;    /* floats from row to row */
    float *scratch;      /* mo_attention_scratch floats */
} mo_attention;
/* For one matrix qkv [rows x 3W]: q = qkv, kv = qkv + W, ldq = ldkv = 3W. */

/* Floats of scratch for mo_attention_fwd and for mo_attention_bwd with that pool. */
size_t mo_attention_scratch(const mo_pool *pool, size_t width, size_t n_heads, size_t longest);
size_t mo_attention_bwd_scratch(const mo_pool *pool, size_t width, size_t n_heads, const mo_rows *rows);

/* out [rows x W], or [n_select x W] for the selected rows: softmax(q k^T / sqrt d) v of all heads. */
void mo_attention_fwd(mo_pool *pool, float *out, const mo_attention *a);

/* Attention of a few rows without making keys and values of all: with normed rows x, of a head
 *
 *     q k_j = (q W_k) x_j + (q b_k, the same for all j)        sum p_j v_j = (sum p_j x_j) W_v^T + b_v
 *
 * which is two rows of W_k and W_v for each row that queries instead of two for each row.  The weights' floats
 * must be there, W / heads a multiple of 16. */
typedef struct mo_attention_normed {
    const mo_mat *qkv; /* [3W x W] */
    const float *bias; /* of qkv, or NULL */
    size_t n_heads;
    const mo_rows *rows;
    const uint32_t *select; /* the rows that query, ascending, each at most once */
    size_t n_select;
    const float *q, *x; /* [n_select x W], [rows x W]: queries with their bias, normed rows */
    float *scratch;     /* mo_attention_scratch floats */
} mo_attention_normed;

/* out [n_select x W]; a row's bits depend on its own sequence only. */
void mo_attention_normed_fwd(mo_pool *pool, float *out, const mo_attention_normed *a);

/* Gradients given dout (shaped as out).  dq (shaped as q) and dkv (shaped as kv, all rows) are set.  Probabilities
 * are computed again.  Sums over the rows that see a row run in a fixed order. */
typedef struct mo_attention_grad {
    const float *dout;
    float *dq, *dkv;
    size_t lddq, lddkv;
} mo_attention_grad;

void mo_attention_bwd(mo_pool *pool, const mo_attention_grad *grad, const mo_attention *a);

#endif
