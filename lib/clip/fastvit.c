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
#include "clip/vision_inner.h"
#include "layer/attention.h"
#include "layer/mean_pool.h"

/* Floats per picture: the largest map between layers; inside a block, or before a layer that shrinks. */
typedef struct sizes {
    size_t map, inner, last; /* last: channels of the last map */
    size_t attended, width;  /* positions and channels where attention needs most */
} sizes;

static sizes measure(const mo_fastvit *v)
{
    const mo_fastvit_config *c = &v->config;
    size_t side = mo_conv_same_out(v->frame.base.image, 2);
    sizes s = {.inner = mo_times(side * side, c->width[0])};
    side = mo_conv_same_out(side, 2);
    for (size_t i = 0; i < c->n_stages; i++) {
        const size_t n = c->width[i];
        if (i) {
            s.inner = mo_max(s.inner, mo_times(side * side, n));
            side = mo_conv_same_out(side, 2);
        }
        s.map = mo_max(s.map, mo_times(side * side, n));
        s.inner = mo_max(s.inner, mo_times(side * side, n * mo_max(c->ratio, i < MO_FASTVIT_MIXING ? 0 : 3)));
        if (i == MO_FASTVIT_MIXING) s.attended = side * side;
    }
    s.width = c->width[c->n_stages - 1];
    s.last = 2 * s.width;
    s.map = mo_max(s.map, mo_times(side * side, s.last));
    s.inner = mo_max(s.inner, mo_times(side * side, s.last));
    return s;
}

typedef struct forward {
    float *map[3], *inner, *pooled; /* n x sizes; map[0]: where one layer's result awaits the next */
    float *gate, *gathered, *attention;
} forward;

/* The most that a squeeze of the tower asks for. */
static size_t gate_floats(const mo_fastvit *v, size_t n)
{
    const mo_fastvit_packs *p = v->frame.packs;
    size_t most = mo_squeeze_scratch(&p->squeeze, n);
    for (size_t i = 0; i < v->config.n_stages; i++)
        most = mo_max(most, mo_squeeze_scratch(&p->stage[i].squeeze, n));
    return most;
}

static void take(mo_arena *arena, mo_vision_call *c)
{
    const mo_fastvit *v = c->tower;
    const mo_fastvit_packs *p = v->frame.packs;
    const sizes s = measure(v);
    const size_t image = v->frame.base.image, n = c->n;
    forward room, *f = c->work = mo_arena_take(arena, 1, sizeof *f);
    if (!f) f = &room;
    for (int i = 0; i < 3; i++) f->map[i] = mo_arena_rows(arena, n, s.map);
    f->inner = mo_arena_rows(arena, n, s.inner);
    f->gate = mo_arena_floats(arena, gate_floats(v, n));
    f->pooled = mo_arena_rows(arena, n, s.last);
    f->gathered = mo_arena_floats(arena, mo_conv_stem_scratch(&p->stem, n, image, image));
    f->attention =
        mo_arena_floats(arena, mo_attention_scratch(c->pool, s.width, s.width / MO_FASTVIT_HEAD, s.attended));
}

static void run_stem(forward *f, mo_pool *pool, const float *pixels, size_t n, const mo_fastvit *v)
{
    const mo_fastvit_packs *p = v->frame.packs;
    const size_t image = v->frame.base.image, half = mo_conv_same_out(image, 2),
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

static size_t run_stage(
    forward *f, mo_pool *pool, const mo_fastvit_stage *s, size_t n_blocks, const size_t in[2])
{
    const size_t n = in[0];
    size_t side = in[1];
    if (s->widen.w.n) side = run_shrink(f, pool, s, n, side);
    const size_t shape[3] = {n, side, side};
    if (s->position.taps) {
        mo_depthwise_fwd(pool, f->map[1], f->map[0], &s->position, shape);
        swap_maps(f);
    }
    for (size_t k = 0; k < n_blocks; k++) run_block(f, pool, &s->block[k], shape);
    return side;
}

static void run_end(forward *f, mo_pool *pool, const mo_fastvit_packs *p, const size_t in[2], float *out)
{
    const size_t shape[3] = {in[0], in[1], in[1]}, channels = p->last.channels;
    double_channels(pool, f->inner, f->map[0], shape, channels / 2);
    mo_depthwise_fwd(pool, f->map[1], f->inner, &p->last, shape);
    mo_squeeze_fwd(pool, f->map[1], &p->squeeze, MO_ACT_GELU, f->gate, shape);
    mo_mean_pool_fwd(pool, f->pooled, f->map[1], shape, channels);
    mo_linear_fwd(pool, out, f->pooled, &p->head, &(mo_linear_call){.rows = in[0]});
}

static void run(const mo_vision_call *c, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    forward *f = c->work;
    const mo_fastvit *v = c->tower;
    const mo_fastvit_packs *p = v->frame.packs;
    size_t at[2] = {n, mo_conv_same_out(mo_conv_same_out(v->frame.base.image, 2), 2)};
    run_stem(f, pool, pixels, n, v);
    for (size_t i = 0; i < v->config.n_stages; i++)
        at[1] = run_stage(f, pool, &p->stage[i], v->config.layers[i], at);
    run_end(f, pool, p, at, out);
}

mopd_status mo_fastvit_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision)
{
    static const mo_vision_own own = {
        sizeof(mo_fastvit), sizeof(mo_fastvit_packs), mo_fastvit_pack, mo_fastvit_unpack, take, run};
    mo_vision_frame *frame;
    const mopd_status st = mo_vision_frame_create(&frame, &own, config, weights, precision);
    if (st != MOPD_OK) return st;
    ((mo_fastvit *)frame)->config = config->fastvit;
    *out = &frame->base;
    return MOPD_OK;
}
