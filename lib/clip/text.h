/* SPDX-License-Identifier: MIT
 * text.h - the text tower: tokens to raw features, and the gradient back to the context vectors.
 *
 *     x = embedding[token] + position;  x = blocks(x), causal or not;  feature = norm(x[end]) projection
 *
 * Texts of a causal tower are cut at their end token and put into a prefix tree (text_plan.c): what several share from
 * the start is computed once.  Those of a tower without a mask go whole, pads included (text_plan_full.c).
 * Frozen: the only gradient is the one to context vectors standing where tokens would.  A tower is immutable after
 * creation; its weights are unpacked at first use.  Results do not depend on the number of threads, nor on which other
 * texts stand in the plan. */
#ifndef MO_CLIP_TEXT_H
#define MO_CLIP_TEXT_H

#include "base/pool.h"
#include "clip/config.h"
#include "clip/weights.h"
#include "math/mat.h"

/* token = MO_TEXT_CTX | j stands for context vector j. */
#define MO_TEXT_CTX UINT32_C(0x80000000)

typedef struct mo_text mo_text;
typedef struct mo_text_plan mo_text_plan;
typedef struct mo_text_cache mo_text_cache;

/* A tower over the parameters of `weights`, which must outlive it.  precision: of its products
 * (mo_mat_quantize), except where a cache is kept for the way back: that is float and packed when first asked
 * for.  Touches no weight. */
mopd_status mo_text_create(
    mo_text **out, const mo_config *config, const mo_weights *weights, mo_precision precision);
void mo_text_free(mo_text *text);

size_t mo_text_width(const mo_text *text); /* W */
size_t mo_text_dim(const mo_text *text);   /* D */

/* Unpacks the weights, once; for_training: also what the way back needs.  fwd and bwd do it themselves.
 * NOMEM.  Any thread. */
mopd_status mo_text_prepare(const mo_text *text, bool for_training);

/* row (W) = the token's embedding, without its position.  ARG beyond the vocabulary. */
mopd_status mo_text_embedding(const mo_text *text, uint32_t token, float *row);

/* Where a sequence of n tokens is read: CLIP's first rule, the first of the largest ids, or the first end id,
 * or the last position there is, as the configuration says; context references count as no id.  0 when there is no end
 * id. */
size_t mo_text_end(const mo_text *text, const uint32_t *tokens, size_t n);

/* The prefix tree of n sequences, or the n sequences filled up with pads: sequence i is tokens[start[i]] ..
 * tokens[start[i + 1] - 1], end token included and, where the model has one, the start token first; what follows the
 * end is dropped in a causal tower.  Copies what it needs.  ARG: an empty sequence,
 * one longer than the context length, an id beyond the vocabulary. */
mopd_status mo_text_plan_create(
    mo_text_plan **out, const mo_text *text, const uint32_t *tokens, const size_t *start, size_t n);
void mo_text_plan_free(mo_text_plan *plan);
size_t mo_text_plan_most(
    const mo_text *text, size_t n_tokens);          /* rows that one text of so many tokens may take */
size_t mo_text_plan_rows(const mo_text_plan *plan); /* rows of every layer: tokens left after sharing, pads */
size_t mo_text_plan_texts(const mo_text_plan *plan); /* n */
size_t mo_text_plan_n_ctx(const mo_text_plan *plan); /* largest context reference + 1, 0 without any */

/* What a forward pass keeps for the way back; bytes: its size, known before.  work_bytes: the larger of what
 * the two passes take beside it, in one thread.  After mo_text_prepare. */
size_t mo_text_cache_bytes(const mo_text *text, const mo_text_plan *plan);
size_t mo_text_work_bytes(const mo_text *text, const mo_text_plan *plan);
mopd_status mo_text_cache_create(mo_text_cache **out, const mo_text *text, const mo_text_plan *plan);
void mo_text_cache_free(mo_text_cache *cache);

/* Passes that use the cache ask `stop` between blocks, on the calling thread; not 0 ends them with CANCELLED.
 * NULL: no one is asked. */
void mo_text_cache_watch(mo_text_cache *cache, int (*stop)(void *context), void *context);

/* Whether a cache made for one plan may serve this one: it needs no more rows and ends. */
bool mo_text_cache_fits(const mo_text_cache *cache, const mo_text_plan *plan);

/* out (n x D) = the features as the projection leaves them, NOT of length 1.  ctx (n_ctx x W; NULL when the
 * plan has none) stands where the tokens say.  cache NULL: nothing is kept.  NOMEM; CANCELLED. */
mopd_status mo_text_fwd(const mo_text *text, mo_pool *pool, const mo_text_plan *plan, const float *ctx,
    mo_text_cache *cache, float *out);

/* Bytes of working memory that mo_text_fwd takes without a cache.  After mo_text_prepare. */
size_t mo_text_bytes(const mo_text *text, const mo_pool *pool, const mo_text_plan *plan);

/* d_ctx (n_ctx x W) += gradient of the context vectors given d_out (n x D), after the mo_text_fwd that filled
 * cache.  The cache may be used again afterwards.  NOMEM; CANCELLED. */
mopd_status mo_text_bwd(const mo_text *text, mo_pool *pool, const mo_text_plan *plan,
    const mo_text_cache *cache, const float *d_out, float *d_ctx);

#endif
