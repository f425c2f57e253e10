/* SPDX-License-Identifier: MIT
 * vision_frame.c - the functions of mo_vision, by what a tower has of its own. */
#include "clip/vision_frame.h"

#include "base/mem.h"

#define CHUNK 4                      /* pictures at work when threads share each layer */
#define MOST_KEPT ((size_t)64 << 20) /* bytes of working memory kept from one call to the next */

static mopd_status pack(const void *ctx)
{
    const mo_vision_frame *f = ctx;
    const mopd_status st = f->own->pack(f);
    if (st != MOPD_OK) f->own->unpack(f);
    return st;
}

static mopd_status frame_prepare(const mo_vision *v)
{
    const mo_vision_frame *f = (const mo_vision_frame *)v;
    mo_vision_packs *packs = f->packs;
    return mo_once_run(&packs->once, 1, pack, f);
}

static void take(mo_arena *arena, void *ctx)
{
    mo_vision_call *c = ctx;
    const mo_vision_frame *f = c->tower;
    c->self = mo_arena_take(arena, 1, sizeof *c);
    f->own->take(arena, c);
}

static mo_vision_call call_of(const mo_vision *v, const mo_pool *pool, size_t n)
{
    const mo_vision_frame *f = (const mo_vision_frame *)v;
    mo_vision_packs *packs = f->packs;
    return (mo_vision_call){.tower = f, .pool = pool, .n = n, .arena.pool = &packs->pool};
}

static size_t frame_bytes(const mo_vision *v, const mo_pool *pool, size_t n)
{
    mo_vision_call c = call_of(v, pool, n);
    return mo_arena_count(take, &c);
}

static mopd_status frame_open(void **work, const mo_vision *v, const mo_pool *pool, size_t n)
{
    mo_vision_call c = call_of(v, pool, n);
    *work = NULL;
    const mopd_status st = mo_arena_fill(&c.arena, take, &c);
    if (st != MOPD_OK) return st;
    *c.self = c;
    *work = c.self;
    return MOPD_OK;
}

static void frame_run(void *work, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    const mo_vision_call *c = work;
    const mo_vision_frame *f = c->tower;
    f->own->run(c, pool, pixels, n, out);
}

static void frame_close(void *work)
{
    if (!work) return;
    mo_arena arena = ((mo_vision_call *)work)->arena; /* work lies in it */
    mo_arena_close(&arena);
}

static void frame_free(mo_vision *v)
{
    mo_vision_frame *f = (mo_vision_frame *)v;
    mo_vision_packs *packs = f->packs;
    f->own->unpack(f);
    mo_once_end(&packs->once);
    mo_buffer_pool_end(&packs->pool);
    mo_mem_free(packs);
    mo_mem_free(f);
}

static const mo_vision functions = {.chunk = CHUNK,
    .lane = 1,
    .most = MO_VISION_LANES,
    .prepare = frame_prepare,
    .bytes = frame_bytes,
    .open = frame_open,
    .run = frame_run,
    .close = frame_close,
    .free = frame_free};

mopd_status mo_vision_frame_create(mo_vision_frame **out, const mo_vision_own *own, const mo_config *config,
    const mo_weights *weights, mo_precision precision)
{
    mo_vision_frame *f = mo_mem_calloc(1, own->tower_size);
    mo_vision_packs *packs = mo_mem_calloc(1, own->packs_size);
    const mopd_status st = f && packs ? mo_once_init(&packs->once) : MOPD_E_NOMEM;
    if (st != MOPD_OK) {
        mo_mem_free(packs);
        mo_mem_free(f);
        return st;
    }
    packs->pool.limit = MOST_KEPT;
    *f = (mo_vision_frame){
        .base = functions, .own = own, .weights = weights, .precision = precision, .packs = packs};
    f->base.image = config->image;
    f->base.dim = config->dim;
    *out = f;
    return MOPD_OK;
}
