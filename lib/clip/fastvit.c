/* SPDX-License-Identifier: MIT
 * fastvit.c - FastViT (Vasu et al. 2023) as the image tower of MobileCLIP (Vasu et al. 2024; Faghri et al. 2025).
 *
 *     stem      3x3 stride 2, depthwise 3x3 stride 2, 1x1, a GELU behind each
 *     stage     half the side: depthwise 7x7 stride 2 (and a squeeze), 1x1; positions: depthwise 7x7; blocks
 *     block     depthwise 3x3, or attention over all positions; then x + 1x1(gelu(1x1(depthwise 7x7(x))))
 *     feature   head(mean(gelu(squeeze(depthwise 3x3 of twice the channels))))
 *
 * Maps are [B x H x W x C], so a 1 x 1 convolution is one product over all positions.  What was trained as several
 * branches is one layer here (fastvit_pack.c). */
#include "clip/fastvit_inner.h"

#include "base/ints.h"
#include "base/mem.h"
#include "clip/tower.h"
#include "clip/vision_inner.h"
#include "layer/attention.h"
#include "layer/mean_pool.h"

#define CHUNK 4 /* pictures at work when threads share each layer */

static mopd_status fastvit_prepare(const mo_vision *base)
{
    const mo_fastvit *v = (const mo_fastvit *)base;
    return mo_once_run(&v->packs->once, 1, mo_fastvit_pack, v);
}

/* Floats per picture: the largest map between layers; inside a block, or before a layer that shrinks. */
typedef struct sizes {
    size_t map, inner, last; /* last: channels of the last map */
    size_t attended, width;  /* positions and channels where attention needs most */
} sizes;

static sizes measure(const mo_fastvit *v)
{
    const mo_fastvit_config *c = &v->config;
    size_t side = mo_conv_same_out(v->base.image, 2);
    sizes s = {.inner = side * side * c->width[0]};
    side = mo_conv_same_out(side, 2);
    for (size_t i = 0; i < c->n_stages; i++) {
        const size_t n = c->width[i];
        if (i) {
            s.inner = mo_max(s.inner, side * side * n);
            side = mo_conv_same_out(side, 2);
        }
        s.map = mo_max(s.map, side * side * n);
        s.inner = mo_max(s.inner, side * side * n * mo_max(c->ratio, i < MO_FASTVIT_MIXING ? 0 : 3));
        if (i == MO_FASTVIT_MIXING) s.attended = side * side;
    }
    s.width = c->width[c->n_stages - 1];
    s.last = 2 * s.width;
    s.map = mo_max(s.map, side * side * s.last);
    s.inner = mo_max(s.inner, side * side * s.last);
    return s;
}

typedef struct forward {
    struct forward *self; /* where this lies in the arena */
    const mo_fastvit *v;
    const mo_pool *pool;
    mo_arena arena;
    size_t chunk;
    float *map[3], *inner, *pooled; /* chunk x sizes; map[0]: where one layer's result awaits the next */
    float *gate, *gathered, *attention;
} forward;

/* The most that a squeeze of the tower asks for. */
static size_t gate_floats(const mo_fastvit *v, size_t n)
{
    size_t most = mo_squeeze_scratch(&v->packs->squeeze, n);
    for (size_t i = 0; i < v->config.n_stages; i++)
        most = mo_max(most, mo_squeeze_scratch(&v->packs->stage[i].squeeze, n));
    return most;
}

static void forward_take(mo_arena *arena, void *ctx)
{
    forward *f = ctx;
    const mo_fastvit *v = f->v;
    const sizes s = measure(v);
    const size_t image = v->base.image;
    f->self = mo_arena_take(arena, 1, sizeof *f);
    for (int i = 0; i < 3; i++) f->map[i] = mo_arena_floats(arena, f->chunk * s.map);
    f->inner = mo_arena_floats(arena, f->chunk * s.inner);
    f->gate = mo_arena_floats(arena, gate_floats(v, f->chunk));
    f->pooled = mo_arena_floats(arena, f->chunk * s.last);
    f->gathered = mo_arena_floats(arena, mo_conv_stem_scratch(&v->packs->stem, f->chunk, image, image));
    f->attention =
        mo_arena_floats(arena, mo_attention_scratch(f->pool, s.width, s.width / MO_FASTVIT_HEAD, s.attended));
}

static forward forward_of(const mo_vision *base, const mo_pool *pool, size_t n)
{
    const mo_fastvit *v = (const mo_fastvit *)base;
    return (forward){.v = v, .pool = pool, .arena.pool = &v->packs->pool, .chunk = n};
}

static size_t fastvit_bytes(const mo_vision *base, const mo_pool *pool, size_t n)
{
    forward f = forward_of(base, pool, n);
    return mo_arena_count(forward_take, &f);
}

static void fastvit_close(void *work)
{
    if (!work) return;
    mo_arena arena = ((forward *)work)->arena; /* work lies in it */
    mo_arena_close(&arena);
}

static mopd_status fastvit_open(void **work, const mo_vision *base, const mo_pool *pool, size_t n)
{
    forward f = forward_of(base, pool, n);
    *work = NULL;
    mopd_status st = mo_arena_fill(&f.arena, forward_take, &f);
    if (st != MOPD_OK) return st;
    *f.self = f;
    *work = f.self;
    return MOPD_OK;
}

static void run_stem(forward *f, mo_pool *pool, const float *pixels, size_t n)
{
    const mo_fastvit_packs *p = f->v->packs;
    const size_t image = f->v->base.image, half = mo_conv_same_out(image, 2),
                 side = mo_conv_same_out(half, 2);
    mo_conv_stem_fwd(pool, f->inner, pixels, &p->stem, f->gathered, (const size_t[3]){n, image, image});
    mo_depthwise_fwd(pool, f->map[1], f->inner, &p->stem_depth, (const size_t[3]){n, half, half});
    const mo_linear_call mix = {.rows = n * side * side, .act = MO_ACT_GELU};
    mo_linear_fwd(pool, f->map[0], f->map[1], &p->stem_mix, &mix);
}

typedef struct doubling {
    const float *x;
    float *y;
    size_t width, channels;
} doubling;

static void double_line(void *ctx, size_t task)
{
    const doubling *d = ctx;
    const size_t n = d->width * d->channels;
    const float *x = d->x + task * n;
    float *y = d->y + 2 * task * n;
    for (size_t i = 0; i < n; i++) y[2 * i] = y[2 * i + 1] = x[i];
}

/* y [B x H x W x 2C]: each channel twice, for the two filters that read it. */
static void double_channels(mo_pool *pool, float *y, const float *x, const size_t shape[3], size_t channels)
{
    doubling d = {x, y, shape[2], channels};
    mo_pool_run(pool, shape[0] * shape[1], double_line, &d);
}

/* Half the side, twice the channels; the result stands in map[0] again. */
static size_t run_shrink(forward *f, mo_pool *pool, const mo_fastvit_stage *s, size_t n, size_t side)
{
    const size_t in[3] = {n, side, side}, half = mo_conv_same_out(side, 2);
    double_channels(pool, f->inner, f->map[0], in, s->shrink.channels / 2);
    mo_depthwise_fwd(pool, f->map[1], f->inner, &s->shrink, in);
    if (s->squeeze.reduce.w.n)
        mo_squeeze_fwd(pool, f->map[1], &s->squeeze, MO_ACT_GELU, f->gate, (const size_t[3]){n, half, half});
    const mo_linear_call widen = {.rows = n * half * half, .act = MO_ACT_GELU};
    mo_linear_fwd(pool, f->map[0], f->map[1], &s->widen, &widen);
    return half;
}

/* map[1] or map[2] = the map after the block's first half; returns which.  Attention begins with map[0]. */
static int run_attention(forward *f, mo_pool *pool, const mo_fastvit_block *b, const size_t shape[3])
{
    const size_t seq = shape[1] * shape[2], width = b->proj.w.n;
    const mo_rows rows = {.rows = shape[0] * seq, .n_seqs = shape[0], .seq_len = seq};
    const float *in = f->map[0];
    if (b->norm.dim) {
        mo_norm_fwd(pool, f->map[1], in, &b->norm, NULL, rows.rows);
        in = f->map[1];
    }
    mo_linear_fwd(pool, f->inner, in, &b->qkv, &(mo_linear_call){.rows = rows.rows});
    mo_attention_fwd(pool, f->map[1],
        &(mo_attention){.width = width,
            .n_heads = width / MO_FASTVIT_HEAD,
            .rows = &rows,
            .q = f->inner,
            .kv = f->inner + width,
            .ldq = 3 * width,
            .ldkv = 3 * width,
            .scratch = f->attention});
    const mo_linear_call proj = {.rows = rows.rows, .residual = f->map[0]};
    mo_linear_fwd(pool, f->map[2], f->map[1], &b->proj, &proj);
    return 2;
}

static int run_mixer(forward *f, mo_pool *pool, const mo_fastvit_block *b, const size_t shape[3])
{
    mo_depthwise_fwd(pool, f->map[1], f->map[0], &b->mixer, shape);
    return 1;
}

static void run_block(forward *f, mo_pool *pool, const mo_fastvit_block *b, const size_t shape[3])
{
    const int at = b->qkv.w.n ? run_attention(f, pool, b, shape) : run_mixer(f, pool, b, shape);
    const float *x = f->map[at];
    float *depth = f->map[3 - at];
    const size_t rows = shape[0] * shape[1] * shape[2];
    mo_depthwise_fwd(pool, depth, x, &b->depth, shape);
    mo_linear_fwd(pool, f->inner, depth, &b->fc1, &(mo_linear_call){.rows = rows, .act = MO_ACT_GELU});
    mo_linear_fwd(pool, f->map[0], f->inner, &b->fc2, &(mo_linear_call){.rows = rows, .residual = x});
}

static void swap_maps(forward *f)
{
    float *t = f->map[0];
    f->map[0] = f->map[1];
    f->map[1] = t;
}

static size_t run_stage(forward *f, mo_pool *pool, size_t i, size_t n, size_t side)
{
    const mo_fastvit_stage *s = &f->v->packs->stage[i];
    if (i) side = run_shrink(f, pool, s, n, side);
    const size_t shape[3] = {n, side, side};
    if (s->position.taps) {
        mo_depthwise_fwd(pool, f->map[1], f->map[0], &s->position, shape);
        swap_maps(f);
    }
    for (size_t k = 0; k < f->v->config.layers[i]; k++) run_block(f, pool, &s->block[k], shape);
    return side;
}

static void run_end(forward *f, mo_pool *pool, size_t n, size_t side, float *out)
{
    const mo_fastvit_packs *p = f->v->packs;
    const size_t shape[3] = {n, side, side}, channels = p->last.channels;
    double_channels(pool, f->inner, f->map[0], shape, channels / 2);
    mo_depthwise_fwd(pool, f->map[1], f->inner, &p->last, shape);
    mo_squeeze_fwd(pool, f->map[1], &p->squeeze, MO_ACT_GELU, f->gate, shape);
    mo_mean_pool_fwd(pool, f->pooled, f->map[1], shape, channels);
    mo_linear_fwd(pool, out, f->pooled, &p->head, &(mo_linear_call){.rows = n});
}

static void fastvit_run(void *work, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    forward *f = work;
    size_t side = mo_conv_same_out(mo_conv_same_out(f->v->base.image, 2), 2);
    run_stem(f, pool, pixels, n);
    for (size_t i = 0; i < f->v->config.n_stages; i++) side = run_stage(f, pool, i, n, side);
    run_end(f, pool, n, side, out);
}

static void fastvit_free(mo_vision *base)
{
    mo_fastvit *v = (mo_fastvit *)base;
    mo_fastvit_pack_free(v->packs, &v->config);
    mo_once_end(&v->packs->once);
    mo_buffer_pool_end(&v->packs->pool);
    mo_mem_free(v->packs);
    mo_mem_free(v);
}

mopd_status mo_fastvit_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, bool quantized)
{
    mo_fastvit *v = mo_mem_calloc(1, sizeof *v);
    mo_fastvit_packs *packs = mo_mem_calloc(1, sizeof *packs);
    mopd_status st = v && packs ? mo_once_init(&packs->once) : MOPD_E_NOMEM;
    if (st != MOPD_OK) {
        mo_mem_free(packs);
        mo_mem_free(v);
        return st;
    }
    v->base = (mo_vision){.image = config->image,
        .dim = config->dim,
        .chunk = CHUNK,
        .lane = 1,
        .most = MO_VISION_LANES,
        .prepare = fastvit_prepare,
        .bytes = fastvit_bytes,
        .open = fastvit_open,
        .run = fastvit_run,
        .close = fastvit_close,
        .free = fastvit_free};
    packs->pool.limit = MO_VISION_KEPT;
    v->config = config->fastvit;
    v->quantized = quantized;
    v->weights = weights;
    v->packs = packs;
    *out = &v->base;
    return MOPD_OK;
}
