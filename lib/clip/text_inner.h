/* SPDX-License-Identifier: MIT
 * text_inner.h - what the parts of the text tower know of each other: text_pack.c, text_plan.c, text_cache.c,
 * text_fwd.c and text_bwd.c. */
#ifndef MO_CLIP_TEXT_INNER_H
#define MO_CLIP_TEXT_INNER_H

#include "base/once.h"
#include "clip/text.h"
#include "clip/tower.h"

/* Unpacked at first use.  Level 1 of `once`: all that the forward pass needs; level 2: the way back too. */
typedef struct text_packs {
    mo_once once;
    mo_buffer_pool pool; /* of calls' working memory */
    float *position;     /* context x W */
    float *norm_block;
    mo_norm norm;
    mo_block *blocks;
    mo_linear proj;  /* D x W */
    mo_block *exact; /* the same in float, where blocks and proj are not: for training */
    mo_linear exact_proj;
    mo_block_transposed *transposed;
    mo_mat proj_transposed;
} text_packs;

struct mo_text {
    mo_text_config config;
    size_t dim;
    mo_precision precision;
    const mo_weights *weights;
    const mo_weight *embedding; /* vocab x W */
    text_packs *packs;
};

struct mo_text_plan {
    size_t n;                 /* texts */
    size_t n_ctx;             /* largest context reference + 1 */
    mo_rows rows;             /* the tree, or whole sequences */
    uint32_t *token, *depth;  /* by row */
    mo_duplicates duplicates; /* rows of the same token at the same depth */
    uint32_t *duplicate;      /* what duplicates points to */
    mo_segment *segs;         /* what rows.segs points to, or NULL */
    uint32_t *select;         /* rows that are read, ascending */
    size_t n_select;
    uint32_t *text_at; /* by text: which of the selected rows */
};

/* One text of a plan while it is made; those of a plan are sorted. */
typedef struct mo_text_sequence {
    const uint32_t *token;
    size_t n;      /* of a causal tower: cut behind the end token */
    size_t index;  /* of the text */
    size_t shared; /* tokens it begins with as the one before it does */
} mo_text_sequence;

/* Rows, ends and places of the texts of a tower without a mask (text_plan_full.c).  NOMEM; ARG: too many. */
mopd_status mo_text_plan_full(mo_text_plan *plan, const mo_text *text, const mo_text_sequence *s);

struct mo_text_cache {
    mo_arena arena;
    size_t rows, n_select; /* of the largest plan it serves */
    float **x;             /* input of each block, rows x W; then the output of the last, n_select x W */
    mo_block_cache *blocks;
    float *stats; /* of the final norm, n_select x 2 */
    int (*stop)(void *context);
    void *stop_context;
};

/* Bytes of work memory that mo_text_fwd (keeping for the way back) and mo_text_bwd take. */
size_t mo_text_fwd_bytes(const mo_text *text, const mo_pool *pool, const mo_text_plan *plan);
size_t mo_text_bwd_bytes(const mo_text *text, const mo_pool *pool, const mo_text_plan *plan);

/* CANCELLED when the cache's host says so. */
static inline mopd_status text_watch(const mo_text_cache *cache)
{
    if (!cache || !cache->stop || !cache->stop(cache->stop_context)) return MOPD_OK;
    return mo_fail(MOPD_E_CANCELLED, "cancelled in the text tower");
}

#endif
