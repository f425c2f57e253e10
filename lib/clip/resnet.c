/* SPDX-License-Identifier: MIT
 * resnet.c - CLIP's ModifiedResNet (Radford et al. 2021, after He et al. 2016): a stem of three convolutions,
 * bottlenecks that shrink by averaging, and attention that pools.
 *
 *     stem         3x3 stride 2, 3x3, 3x3, mean of 2x2
 *     bottleneck   y = relu(1x1(mean(relu(3x3(relu(1x1 x))))) + around x);  mean of 2x2 where a stage begins
 *     around       x, or 1x1(mean(x)) in the first of a stage
 *     feature      layer/pool_attention.h
 *
 * Maps are [B x H x W x C], so a 1 x 1 convolution is one product over all positions.  Batch norm is folded
 * into the weights before it.  Quantized, its products are in integers on every processor: in bfloat16 the errors of so
 * many layers add up (cosine 0.9993 for RN50x16).  The pool's weights stay floats then. */
#include <stdio.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "clip/fold.h"
#include "clip/tower.h"
#include "clip/vision_frame.h"
#include "clip/vision_inner.h"
#include "layer/avg_pool.h"
#include "layer/conv.h"
#include "layer/conv3.h"
#include "layer/pool_attention.h"

typedef struct bottleneck {
    mo_linear reduce, expand, around; /* around: packed in the first of a stage only */
    mo_conv3 middle;
    bool projects, halves;
} bottleneck;

typedef struct resnet_packs {
    mo_vision_packs base;
    mo_stem stem;
    mo_conv3 second, third;
    bottleneck *block;
    mo_pool_attention attention;
} resnet_packs;

typedef struct resnet {
    mo_vision_frame frame;
    mo_resnet_config config;
    size_t n_blocks, positions;
} resnet;

static void unpack(const void *tower)
{
    const resnet *r = tower;
    resnet_packs *p = r->frame.packs;
    for (size_t i = 0; p->block && i < r->n_blocks; i++) {
        mo_linear_free(&p->block[i].reduce);
        mo_linear_free(&p->block[i].expand);
        mo_linear_free(&p->block[i].around);
        mo_conv3_free(&p->block[i].middle);
    }
    mo_mem_free(p->block);
    p->block = NULL;
    mo_linear_free(&p->stem.linear);
    mo_conv3_free(&p->second);
    mo_conv3_free(&p->third);
    mo_pool_attention_free(&p->attention);
}

/* ---- weights ---- */

/* Names of a convolution and its norm behind a prefix, and what they become. */
typedef struct place {
    const resnet *r;
    char prefix[48];
} place;

static mopd_status pack_one(mo_linear *out, const place *at, const char *conv, const char *norm)
{
    char names[2][MO_PARAM_NAME];
    snprintf(names[0], sizeof names[0], "%s%s", at->prefix, conv);
    snprintf(names[1], sizeof names[1], "%s%s", at->prefix, norm);
    const mopd_status st = mo_fold_pack(out, at->r->frame.weights, (const char *const[2]){names[0], names[1]},
        at->r->config.eps, MO_PRECISION_F32);
    return st == MOPD_OK ? mo_mat_quantize_finely(&out->w, at->r->frame.precision) : st;
}

static mopd_status pack_three(mo_conv3 *out, const place *at, const char *conv, const char *norm)
{
    char names[2][MO_PARAM_NAME];
    mo_fold f;
    snprintf(names[0], sizeof names[0], "%s%s", at->prefix, conv);
    snprintf(names[1], sizeof names[1], "%s%s", at->prefix, norm);
    mopd_status st = mo_fold_read(&f, at->r->frame.weights, names[0], names[1], at->r->config.eps);
    if (st != MOPD_OK) return st;
    st = mo_conv3_pack(out, f.w, f.bias, f.shape, at->r->frame.precision);
    mo_fold_free(&f);
    return st;
}

static mopd_status pack_stem(resnet_packs *p, const resnet *r)
{
    const place at = {r, "resnet."};
    mopd_status st;
    p->stem = (mo_stem){.planes = 3, .kernel = 3, .stride = 2, .centred = true, .act = MO_ACT_RELU};
    if ((st = pack_one(&p->stem.linear, &at, "conv1", "bn1")) != MOPD_OK) return st;
    if ((st = pack_three(&p->second, &at, "conv2", "bn2")) != MOPD_OK) return st;
    return pack_three(&p->third, &at, "conv3", "bn3");
}

static mopd_status pack_bottleneck(bottleneck *b, const resnet *r, size_t stage, size_t i)
{
    place at = {.r = r};
    mopd_status st;
    snprintf(at.prefix, sizeof at.prefix, "resnet.layer%zu.%zu.", stage + 1, i);
    b->projects = i == 0;
    b->halves = i == 0 && stage > 0;
    if ((st = pack_one(&b->reduce, &at, "conv1", "bn1")) != MOPD_OK) return st;
    if ((st = pack_three(&b->middle, &at, "conv2", "bn2")) != MOPD_OK) return st;
    if ((st = pack_one(&b->expand, &at, "conv3", "bn3")) != MOPD_OK) return st;
    return b->projects ? pack_one(&b->around, &at, "downsample.0", "downsample.1") : MOPD_OK;
}

static mopd_status pack_stages(resnet_packs *p, const resnet *r)
{
    size_t at = 0;
    for (size_t s = 0; s < MO_RESNET_STAGES; s++)
        for (size_t i = 0; i < r->config.layers[s]; i++) {
            mopd_status st = pack_bottleneck(&p->block[at++], r, s, i);
            if (st != MOPD_OK) return st;
        }
    return MOPD_OK;
}

static mopd_status pack_attention(mo_pool_attention *a, const resnet *r)
{
    static const char *const names[] = {
        "resnet.attnpool.q_proj", "resnet.attnpool.k_proj", "resnet.attnpool.v_proj"};
    mo_linear_part part[3];
    const mo_weight *w[3], *b[3];
    for (size_t i = 0; i < 3; i++) {
        char name[MO_PARAM_NAME];
        snprintf(name, sizeof name, "%s.weight", names[i]);
        mopd_status st = mo_weights_get(r->frame.weights, name, &w[i]);
        snprintf(name, sizeof name, "%s.bias", names[i]);
        if (st == MOPD_OK) st = mo_weights_get(r->frame.weights, name, &b[i]);
        if (st != MOPD_OK) return st;
        part[i] = (mo_linear_part){.weight = &w[i]->view, .bias = &b[i]->view, .in_out = w[i]->in_out};
    }
    a->n_heads = r->config.heads;
    a->positions = r->positions;
    mopd_status st = mo_linear_pack(&a->qkv, part, 3);
    for (size_t i = 0; i < 3 && st == MOPD_OK; i++) mo_weights_release(r->frame.weights, w[i]);
    if (st == MOPD_OK)
        st = mo_tower_linear(&a->proj, r->frame.weights, "resnet.attnpool.c_proj", true, false);
    if (st == MOPD_OK)
        st = mo_tower_floats(&a->position, r->frame.weights, "resnet.attnpool.positional_embedding");
    return st;
}

static mopd_status pack(const void *tower)
{
    const resnet *r = tower;
    resnet_packs *p = r->frame.packs;
    p->block = mo_mem_calloc(r->n_blocks, sizeof *p->block);
    mopd_status st = p->block ? pack_stem(p, r) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = pack_stages(p, r);
    return st == MOPD_OK ? pack_attention(&p->attention, r) : st;
}

/* ---- forward ---- */

/* Floats per picture: the largest map between blocks, and inside one. */
typedef struct sizes {
    size_t map, inner, pooled;
} sizes;

static sizes measure(const resnet *r)
{
    const resnet_packs *p = r->frame.packs;
    const size_t half = r->frame.base.image / 2, width = r->config.width;
    sizes s = {.map = mo_times(half * half, width), .inner = mo_times(half * half, width / 2)};
    size_t side = r->frame.base.image / 4, in = width;
    for (size_t i = 0; i < r->n_blocks; i++) {
        const bottleneck *b = &p->block[i];
        const size_t inner = b->reduce.w.n, out = b->halves ? side / 2 : side;
        s.inner = mo_max(s.inner, mo_times(side * side, inner));
        if (b->halves) s.pooled = mo_max(s.pooled, mo_times(out * out, in));
        s.map = mo_max(s.map, mo_times(out * out, 4 * inner));
        side = out;
        in = 4 * inner;
    }
    return s;
}

typedef struct forward {
    float *map[2], *inner[2], *pooled; /* n x sizes */
    float *gathered;
    mo_pool_attention_work attention;
} forward;

/* The most that a convolution of the tower gathers. */
static size_t gathered_floats(const resnet *r, const mo_pool *pool, size_t n)
{
    const resnet_packs *p = r->frame.packs;
    size_t side = r->frame.base.image / 2;
    const size_t shape[3] = {n, side, side};
    size_t most = mo_conv_stem_scratch(&p->stem, n, r->frame.base.image, r->frame.base.image);
    most = mo_max(most, mo_conv3_scratch(&p->third, pool, shape));
    side /= 2;
    for (size_t i = 0; i < r->n_blocks; i++) {
        const size_t at[3] = {n, side, side};
        most = mo_max(most, mo_conv3_scratch(&p->block[i].middle, pool, at));
        if (p->block[i].halves) side /= 2;
    }
    return most;
}

static void take(mo_arena *arena, mo_vision_call *c)
{
    const resnet *r = c->tower;
    const resnet_packs *p = r->frame.packs;
    const sizes s = measure(r);
    forward room, *f = c->work = mo_arena_take(arena, 1, sizeof *f);
    if (!f) f = &room;
    for (int i = 0; i < 2; i++) {
        f->map[i] = mo_arena_rows(arena, c->n, s.map);
        f->inner[i] = mo_arena_rows(arena, c->n, s.inner);
    }
    f->pooled = mo_arena_rows(arena, c->n, s.pooled);
    f->gathered = mo_arena_floats(arena, gathered_floats(r, c->pool, c->n));
    mo_pool_attention_take(&f->attention, arena, &p->attention, c->pool, c->n);
}

static void run_stem(forward *f, mo_pool *pool, const float *pixels, size_t n, const resnet *r)
{
    const resnet_packs *p = r->frame.packs;
    const size_t image = r->frame.base.image, half = image / 2;
    const size_t shape[3] = {n, half, half};
    mo_conv_stem_fwd(pool, f->inner[0], pixels, &p->stem, f->gathered, (const size_t[3]){n, image, image});
    mo_conv3_fwd(pool, f->inner[1], f->inner[0], &p->second, f->gathered, shape);
    mo_conv3_fwd(pool, f->map[1], f->inner[1], &p->third, f->gathered, shape);
    mo_avg_pool_fwd(pool, f->map[0], f->map[1], shape, p->third.linear.w.n);
}

/* What the sum's other half is: the block's input, or its projection in map[1]. */
static const float *run_around(forward *f, mo_pool *pool, const bottleneck *b, const size_t shape[3])
{
    const float *in = f->map[0];
    size_t rows = shape[0] * shape[1] * shape[2];
    if (!b->projects) return in;
    if (b->halves) {
        mo_avg_pool_fwd(pool, f->pooled, in, shape, b->around.w.k);
        in = f->pooled;
        rows /= 4;
    }
    mo_linear_fwd(pool, f->map[1], in, &b->around, &(mo_linear_call){.rows = rows});
    return f->map[1];
}

/* One bottleneck on n maps of side x side; the result stands in map[0] again. */
static size_t run_bottleneck(forward *f, mo_pool *pool, const bottleneck *b, size_t n, size_t side)
{
    const size_t shape[3] = {n, side, side}, out = b->halves ? side / 2 : side;
    const mo_linear_call reduce = {.rows = n * side * side, .act = MO_ACT_RELU};
    mo_linear_fwd(pool, f->inner[0], f->map[0], &b->reduce, &reduce);
    mo_conv3_fwd(pool, f->inner[1], f->inner[0], &b->middle, f->gathered, shape);
    const float *inner = f->inner[1];
    if (b->halves) {
        mo_avg_pool_fwd(pool, f->inner[0], inner, shape, b->reduce.w.n);
        inner = f->inner[0];
    }
    const mo_linear_call expand = {
        .rows = n * out * out, .act = MO_ACT_RELU, .residual = run_around(f, pool, b, shape)};
    mo_linear_fwd(pool, f->map[1], inner, &b->expand, &expand);
    float *t = f->map[0];
    f->map[0] = f->map[1];
    f->map[1] = t;
    return out;
}

static void run(const mo_vision_call *c, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    forward *f = c->work;
    const resnet *r = c->tower;
    const resnet_packs *p = r->frame.packs;
    size_t side = r->frame.base.image / 4;
    run_stem(f, pool, pixels, n, r);
    for (size_t i = 0; i < r->n_blocks; i++) side = run_bottleneck(f, pool, &p->block[i], n, side);
    mo_pool_attention_fwd(pool, out, f->map[0], &p->attention, n, &f->attention);
}

mopd_status mo_resnet_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision)
{
    static const mo_vision_own own = {sizeof(resnet), sizeof(resnet_packs), pack, unpack, take, run};
    mo_vision_frame *frame;
    const mopd_status st = mo_vision_frame_create(&frame, &own, config, weights, precision);
    if (st != MOPD_OK) return st;
    resnet *r = (resnet *)frame;
    r->config = config->resnet;
    for (size_t s = 0; s < MO_RESNET_STAGES; s++) r->n_blocks += config->resnet.layers[s];
    r->positions = mo_config_resnet_positions(config);
    *out = &frame->base;
    return MOPD_OK;
}
