/* SPDX-License-Identifier: MIT
 * text_cache.c - what a forward pass keeps for the way back: each block's input and inner results, and the ends
 * before the final norm. */
#include "base/ints.h"
#include "base/mem.h"
#include "clip/text_inner.h"

/* Whose cache, for which texts. */
typedef struct request {
    const mo_text *text;
    const mo_text_plan *plan;
    mo_text_cache *cache;
} request;

static void cache_take(mo_arena *arena, void *ctx)
{
    const request *r = ctx;
    const mo_stack_config *s = &r->text->config.stack;
    const size_t rows = r->plan->rows.rows, ends = r->plan->n_select;
    mo_text_cache *c = r->cache;
    c->x = mo_arena_take(arena, s->layers + 1, sizeof *c->x);
    c->blocks = mo_arena_take(arena, s->layers, sizeof *c->blocks);
    for (uint32_t i = 0; i <= s->layers; i++) {
        float *x = mo_arena_rows(arena, i < s->layers ? rows : ends, s->width);
        if (c->x) c->x[i] = x;
    }
    for (uint32_t i = 0; i < s->layers; i++) {
        mo_block_cache block;
        mo_block_cache_take(&block, arena, &r->text->packs->blocks[i], rows, i + 1 == s->layers ? ends : 0);
        if (c->blocks) c->blocks[i] = block;
    }
    c->stats = mo_arena_rows(arena, ends, 2);
}

size_t mo_text_cache_bytes(const mo_text *text, const mo_text_plan *plan)
{
    mo_text_cache counted = {0};
    return mo_arena_count(cache_take, &(request){text, plan, &counted});
}

size_t mo_text_work_bytes(const mo_text *text, const mo_text_plan *plan)
{
    return mo_max(mo_text_fwd_bytes(text, NULL, plan), mo_text_bwd_bytes(text, NULL, plan));
}

mopd_status mo_text_cache_create(mo_text_cache **out, const mo_text *text, const mo_text_plan *plan)
{
    *out = NULL;
    mopd_status st = mo_text_prepare(text, false);
    if (st != MOPD_OK) return st;
    mo_text_cache *c = mo_mem_calloc(1, sizeof *c);
    if (!c) return MOPD_E_NOMEM;
    c->rows = plan->rows.rows;
    c->n_select = plan->n_select;
    st = mo_arena_fill(&c->arena, cache_take, &(request){text, plan, c});
    if (st == MOPD_OK)
        *out = c;
    else
        mo_text_cache_free(c);
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
    mo_mem_free(cache);
}
