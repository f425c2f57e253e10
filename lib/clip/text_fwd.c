/* SPDX-License-Identifier: MIT
 * text_fwd.c - the text tower forward: embeddings and positions, blocks over the tree or the whole sequences, the end
 * rows, the projection.
 *
 * The last block makes only the rows that are read; texts that end in the same row share it. */
#include <string.h>

#include "clip/text_inner.h"

/* x [rows x W] = embedding (or context vector) + position. */
static void embed(const mo_text *text, const mo_text_plan *plan, const float *ctx, float *x)
{
    size_t width = text->config.stack.width;
    for (size_t r = 0; r < plan->rows.rows; r++) {
        float *row = x + r * width;
        const float *pos = text->packs->position + plan->depth[r] * width;
        uint32_t t = plan->token[r];
        if (t & MO_TEXT_CTX)
            memcpy(row, ctx + (size_t)(t & ~MO_TEXT_CTX) * width, width * sizeof *row);
        else
            mo_weights_floats(text->embedding, (size_t)t * width, width, row);
        for (size_t i = 0; i < width; i++) row[i] += pos[i];
    }
}

typedef struct forward {
    const mo_text *text;
    const mo_pool *pool;
    const mo_text_plan *plan;
    bool keep; /* a cache holds the inputs of the blocks */
    mo_arena arena;
    float *x, *last, *raw; /* rows x W; n_select x W, x D */
    mo_block_work work;
} forward;

static void forward_take(mo_arena *arena, void *ctx)
{
    forward *f = ctx;
    const size_t width = f->text->config.stack.width, rows = f->plan->rows.rows, ends = f->plan->n_select;
    f->x = f->keep ? NULL : mo_arena_rows(arena, rows, width);
    f->last = mo_arena_rows(arena, ends, width);
    f->raw = mo_arena_rows(arena, ends, f->text->dim);
    const mo_block_size size = {
        .rows = rows, .longest = mo_attention_longest(&f->plan->rows), .pool = f->pool};
    mo_block_work_take(&f->work, arena, f->text->packs->blocks, &size);
}

size_t mo_text_fwd_bytes(const mo_text *text, const mo_pool *pool, const mo_text_plan *plan)
{
    forward f = {.text = text, .pool = pool, .plan = plan, .keep = true};
    return mo_arena_count(forward_take, &f);
}

size_t mo_text_bytes(const mo_text *text, const mo_pool *pool, const mo_text_plan *plan)
{
    forward f = {.text = text, .pool = pool, .plan = plan};
    return mo_arena_count(forward_take, &f);
}

/* last [n_select x W] = the selected rows after all blocks. */
static mopd_status run_blocks(
    forward *f, const mo_text *text, mo_pool *pool, const mo_text_plan *plan, mo_text_cache *cache)
{
    uint32_t layers = text->config.stack.layers;
    for (uint32_t i = 0; i < layers; i++) {
        bool last = i + 1 == layers;
        mopd_status st = text_watch(cache);
        if (st != MOPD_OK) return st;
        mo_block_run run = {.pool = pool,
            .rows = &plan->rows,
            .duplicates = i || last ? NULL : &plan->duplicates,
            .select = last ? plan->select : NULL,
            .n_select = last ? plan->n_select : 0,
            .work = &f->work};
        const mo_block *b = &(cache && text->precision ? text->packs->exact : text->packs->blocks)[i];
        if (cache)
            mo_block_fwd_for_backward(b, cache->x[i + 1], cache->x[i], &run, &cache->blocks[i]);
        else
            mo_block_fwd(b, last ? f->last : f->x, f->x, &run);
    }
    return MOPD_OK;
}

mopd_status mo_text_fwd(const mo_text *text, mo_pool *pool, const mo_text_plan *plan, const float *ctx,
    mo_text_cache *cache, float *out)
{
    const bool exact = cache && text->precision;
    mopd_status st = mo_text_prepare(text, exact);
    if (st != MOPD_OK) return st;
    if (plan->n_ctx && !ctx)
        return mo_fail(MOPD_E_INTERNAL, "a plan of %zu context vectors, none given", plan->n_ctx);
    forward f = {
        .text = text, .pool = pool, .plan = plan, .keep = cache != NULL, .arena.pool = &text->packs->pool};
    if ((st = mo_arena_fill(&f.arena, forward_take, &f)) != MOPD_OK) return st;
    const text_packs *p = text->packs;
    uint32_t layers = text->config.stack.layers;
    embed(text, plan, ctx, cache ? cache->x[0] : f.x);
    if ((st = run_blocks(&f, text, pool, plan, cache)) != MOPD_OK) goto done;
    mo_norm_fwd(pool, f.last, cache ? cache->x[layers] : f.last, &p->norm, cache ? cache->stats : NULL,
        plan->n_select);
    const mo_linear *proj = exact ? &p->exact_proj : &p->proj;
    mo_linear_fwd(pool, f.raw, f.last, proj, &(mo_linear_call){.rows = plan->n_select});
    for (size_t i = 0; i < plan->n; i++)
        memcpy(out + i * text->dim, f.raw + plan->text_at[i] * text->dim, text->dim * sizeof *out);
done:
    mo_arena_close(&f.arena);
    return st;
}
