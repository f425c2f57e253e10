/* SPDX-License-Identifier: MIT
 * text_bwd.c - the text tower backward, to the context vectors alone: no weight has a gradient.
 *
 *     d last = d raw P;  through the final norm and the blocks;  d ctx[j] += sum over the rows where vector j
 * stands */
#include <string.h>

#include "clip/text_inner.h"

typedef struct backward {
    const mo_text *text;
    const mo_pool *pool;
    const mo_text_plan *plan;
    mo_arena arena;
    float *draw, *dlast, *dnorm, *dx; /* n_select x D, x W, x W; rows x W */
    mo_block_work work;
} backward;

static void backward_take(mo_arena *arena, void *ctx)
{
    backward *b = ctx;
    const size_t width = b->text->config.stack.width, rows = b->plan->rows.rows, ends = b->plan->n_select;
    b->draw = mo_arena_rows(arena, ends, b->text->dim);
    b->dlast = mo_arena_rows(arena, ends, width);
    b->dnorm = mo_arena_rows(arena, ends, width);
    b->dx = mo_arena_rows(arena, rows, width);
    const mo_block_size size = {.rows = rows,
        .longest = mo_attention_longest(&b->plan->rows),
        .pool = b->pool,
        .backward = &b->plan->rows};
    mo_block_work_take(&b->work, arena, b->text->packs->blocks, &size);
}

size_t mo_text_bwd_bytes(const mo_text *text, const mo_pool *pool, const mo_text_plan *plan)
{
    backward b = {.text = text, .pool = pool, .plan = plan};
    return mo_arena_count(backward_take, &b);
}

/* Texts that end in the same row add up there, in their order. */
static void gather(float *draw, const mo_text *text, const mo_text_plan *plan, const float *d_out)
{
    size_t dim = text->dim;
    memset(draw, 0, plan->n_select * dim * sizeof *draw);
    for (size_t i = 0; i < plan->n; i++) {
        float *to = draw + plan->text_at[i] * dim;
        for (size_t j = 0; j < dim; j++) to[j] += d_out[i * dim + j];
    }
}

static void add_context(float *d_ctx, const mo_text *text, const mo_text_plan *plan, const float *dx)
{
    size_t width = text->config.stack.width;
    for (size_t r = 0; r < plan->rows.rows; r++) {
        uint32_t t = plan->token[r];
        if (!(t & MO_TEXT_CTX)) continue;
        float *to = d_ctx + (size_t)(t & ~MO_TEXT_CTX) * width;
        for (size_t i = 0; i < width; i++) to[i] += dx[r * width + i];
    }
}

mopd_status mo_text_bwd(const mo_text *text, mo_pool *pool, const mo_text_plan *plan,
    const mo_text_cache *cache, const float *d_out, float *d_ctx)
{
    mopd_status st = mo_text_prepare(text, true);
    if (st != MOPD_OK || plan->n_ctx == 0) return st;
    backward b = {.text = text, .pool = pool, .plan = plan, .arena.pool = &text->packs->pool};
    if ((st = mo_arena_fill(&b.arena, backward_take, &b)) != MOPD_OK) return st;
    const text_packs *p = text->packs;
    uint32_t layers = text->config.stack.layers;
    gather(b.draw, text, plan, d_out);
    mo_linear_bwd(pool, b.dnorm, b.draw, &p->proj_transposed, plan->n_select);
    memset(b.dlast, 0, plan->n_select * text->config.stack.width * sizeof *b.dlast);
    mo_norm_grad final = {.dx = b.dlast, .dy = b.dnorm, .x = cache->x[layers], .stats = cache->stats};
    mo_norm_bwd(pool, &p->norm, &final, plan->n_select);
    for (uint32_t i = layers; i-- > 0;) {
        bool last = i + 1 == layers;
        if ((st = text_watch(cache)) != MOPD_OK) goto done;
        mo_block_run run = {.pool = pool,
            .rows = &plan->rows,
            .select = last ? plan->select : NULL,
            .n_select = last ? plan->n_select : 0,
            .work = &b.work};
        mo_block_grad grad = {.dx = b.dx, .dy = last ? b.dlast : b.dx, .x = cache->x[i]};
        mo_block_bwd(
            &(text->precision ? p->exact : p->blocks)[i], &p->transposed[i], &grad, &run, &cache->blocks[i]);
    }
    add_context(d_ctx, text, plan, b.dx);
done:
    mo_arena_close(&b.arena);
    return st;
}
