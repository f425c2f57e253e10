/* SPDX-License-Identifier: MIT
 * text_fwd.c - the text tower forward: embeddings and positions, causal blocks over the tree, the end rows, the
 * projection.
 *
 * The last block makes only the rows that are read; texts that end in the same row share it. */
#include <string.h>

#include "base/mem.h"
#include "base/once.h"
#include "clip/text_inner.h"

static void free_back(text_packs *p, size_t layers)
{
    for (size_t i = 0; p->transposed && i < layers; i++) mo_block_transposed_free(&p->transposed[i]);
    mo_mem_free(p->transposed);
    p->transposed = NULL;
    mo_mat_free(&p->proj_transposed);
    memset(&p->proj_transposed, 0, sizeof p->proj_transposed);
    mo_tower_blocks_free(p->exact, layers);
    mo_linear_free(&p->exact_proj);
    p->exact = NULL;
}

static void free_packs(text_packs *p, size_t layers)
{
    mo_mem_free(p->position);
    mo_mem_free(p->norm_block);
    mo_tower_blocks_free(p->blocks, layers);
    mo_linear_free(&p->proj);
    p->position = p->norm_block = NULL;
    p->blocks = NULL;
    memset(&p->proj, 0, sizeof p->proj);
}

mopd_status mo_text_create(mo_text **out, const mo_config *config, const mo_weights *weights, bool quantized)
{
    *out = NULL;
    mo_text *text = mo_mem_calloc(1, sizeof *text);
    text_packs *packs = mo_mem_calloc(1, sizeof *packs);
    mopd_status st = text && packs ? mo_once_init(&packs->once) : MOPD_E_NOMEM;
    if (st != MOPD_OK) {
        mo_mem_free(packs);
        mo_mem_free(text);
        return st;
    }
    packs->pool.limit = MO_TEXT_KEPT;
    text->config = config->text;
    text->dim = config->dim;
    text->quantized = quantized;
    text->weights = weights;
    text->packs = packs;
    st = mo_weights_get(weights, "text_model.embeddings.token_embedding.weight", &text->embedding);
    if (st == MOPD_OK)
        *out = text;
    else
        mo_text_free(text);
    return st;
}

void mo_text_free(mo_text *text)
{
    if (!text) return;
    free_back(text->packs, text->config.stack.layers);
    free_packs(text->packs, text->config.stack.layers);
    mo_once_end(&text->packs->once);
    mo_buffer_pool_end(&text->packs->pool);
    mo_mem_free(text->packs);
    mo_mem_free(text);
}

size_t mo_text_width(const mo_text *text)
{
    return text->config.stack.width;
}
size_t mo_text_dim(const mo_text *text)
{
    return text->dim;
}

static mopd_status pack_forward(const void *ctx)
{
    const mo_text *text = ctx;
    text_packs *p = text->packs;
    const mo_stack_config *s = &text->config.stack;
    mopd_status st;
    if ((st = mo_tower_floats(
             &p->position, text->weights, "text_model.embeddings.position_embedding.weight")) != MOPD_OK)
        goto done;
    st = mo_tower_norm(&p->norm_block, &p->norm, text->weights, "text_model.final_layer_norm", (float)s->eps);
    if (st != MOPD_OK) goto done;
    if ((st = mo_tower_blocks(&p->blocks, text->weights, "text_model", s, text->quantized)) != MOPD_OK)
        goto done;
    st = mo_tower_linear(&p->proj, text->weights, "text_projection", false, text->quantized);
done:
    if (st != MOPD_OK) free_packs(p, s->layers);
    return st;
}

static mopd_status pack_exact(const mo_text *text)
{
    text_packs *p = text->packs;
    mopd_status st = mo_tower_blocks(&p->exact, text->weights, "text_model", &text->config.stack, false);
    if (st != MOPD_OK) return st;
    return mo_tower_linear(&p->exact_proj, text->weights, "text_projection", false, false);
}

static mopd_status pack_backward(const void *ctx)
{
    const mo_text *text = ctx;
    text_packs *p = text->packs;
    size_t layers = text->config.stack.layers;
    mopd_status st = text->quantized ? pack_exact(text) : MOPD_OK;
    const mo_block *blocks = text->quantized ? p->exact : p->blocks;
    const mo_linear *proj = text->quantized ? &p->exact_proj : &p->proj;
    if (st == MOPD_OK && !(p->transposed = mo_mem_calloc(layers, sizeof *p->transposed))) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_mat_transpose(&p->proj_transposed, &proj->w);
    for (size_t i = 0; i < layers && st == MOPD_OK; i++)
        st = mo_block_transposed_pack(&p->transposed[i], &blocks[i]);
    if (st != MOPD_OK) free_back(p, layers);
    return st;
}

mopd_status mo_text_prepare(const mo_text *text, bool for_training)
{
    text_packs *p = text->packs;
    mopd_status st = mo_once_run(&p->once, 1, pack_forward, text);
    if (st == MOPD_OK && for_training) st = mo_once_run(&p->once, 2, pack_backward, text);
    return st;
}

mopd_status mo_text_embedding(const mo_text *text, uint32_t token, float *row)
{
    if (token >= text->config.vocab)
        return mo_fail(MOPD_E_ARG, "token %u; the vocabulary ends at %u", token, text->config.vocab - 1);
    size_t width = text->config.stack.width;
    mo_weights_floats(text->embedding, (size_t)token * width, width, row);
    return MOPD_OK;
}

size_t mo_text_cache_bytes(const mo_text *text, const mo_text_plan *plan)
{
    const mo_stack_config *s = &text->config.stack;
    size_t w = s->width, n = plan->rows.rows, k = plan->n_select;
    size_t all = n * (w + 2 + 3 * w + w + 2 + s->hidden),
           last = n * (w + 2 + 3 * w) + k * (2 * w + 2 + s->hidden);
    return sizeof(float) * (all * (s->layers - 1) + last + k * (w + 2));
}

static void cache_take(mo_text_cache *c, const mo_text *text, const mo_text_plan *plan)
{
    const mo_stack_config *s = &text->config.stack;
    for (uint32_t i = 0; i < s->layers; i++) {
        bool last = i + 1 == s->layers;
        c->x[i] = mo_arena_floats(&c->arena, plan->rows.rows * s->width);
        mo_block_cache_take(
            &c->blocks[i], &c->arena, &text->packs->blocks[i], plan->rows.rows, last ? plan->n_select : 0);
    }
    c->x[s->layers] = mo_arena_floats(&c->arena, plan->n_select * s->width);
    c->stats = mo_arena_floats(&c->arena, 2 * plan->n_select);
}

mopd_status mo_text_cache_create(mo_text_cache **out, const mo_text *text, const mo_text_plan *plan)
{
    size_t layers = text->config.stack.layers;
    *out = NULL;
    mopd_status st = mo_text_prepare(text, false);
    if (st != MOPD_OK) return st;
    mo_text_cache *c = mo_mem_calloc(1, sizeof *c);
    if (!c) return MOPD_E_NOMEM;
    c->rows = plan->rows.rows;
    c->n_select = plan->n_select;
    c->x = mo_mem_calloc(layers + 1, sizeof *c->x);
    c->blocks = mo_mem_calloc(layers, sizeof *c->blocks);
    st = c->x && c->blocks ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) {
        cache_take(c, text, plan);
        st = mo_arena_open(&c->arena);
    }
    if (st == MOPD_OK) {
        cache_take(c, text, plan);
        *out = c;
    } else {
        mo_text_cache_free(c);
    }
    return st;
}

void mo_text_cache_watch(mo_text_cache *cache, int (*stop)(void *context), void *context)
{
    cache->stop = stop;
    cache->stop_context = context;
}

bool mo_text_cache_fits(const mo_text_cache *cache, const mo_text_plan *plan)
{
    return plan->rows.rows <= cache->rows && plan->n_select <= cache->n_select;
}

void mo_text_cache_free(mo_text_cache *cache)
{
    if (!cache) return;
    mo_arena_close(&cache->arena);
    mo_mem_free(cache->x);
    mo_mem_free(cache->blocks);
    mo_mem_free(cache);
}

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
    mo_arena arena;
    float *x, *last, *raw; /* rows x W; n_select x W, x D */
    mo_block_work work;
} forward;

static void forward_take(forward *f, const mo_text *text, mo_pool *pool, const mo_text_plan *plan, bool keep)
{
    size_t width = text->config.stack.width, rows = plan->rows.rows;
    f->x = keep ? NULL : mo_arena_floats(&f->arena, rows * width);
    f->last = mo_arena_floats(&f->arena, plan->n_select * width);
    f->raw = mo_arena_floats(&f->arena, plan->n_select * text->dim);
    mo_block_size size = {.rows = rows, .longest = mo_attention_rows_longest(&plan->rows), .pool = pool};
    mo_block_work_take(&f->work, &f->arena, text->packs->blocks, &size);
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
        const mo_block *b = &(cache && text->quantized ? text->packs->exact : text->packs->blocks)[i];
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
    const bool exact = cache && text->quantized;
    mopd_status st = mo_text_prepare(text, exact);
    if (st != MOPD_OK) return st;
    if (plan->n_ctx && !ctx)
        return mo_fail(MOPD_E_INTERNAL, "a plan of %zu context vectors, none given", plan->n_ctx);
    forward f = {.arena.pool = &text->packs->pool};
    forward_take(&f, text, pool, plan, cache != NULL);
    if ((st = mo_arena_open(&f.arena)) != MOPD_OK) return st;
    forward_take(&f, text, pool, plan, cache != NULL);
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
