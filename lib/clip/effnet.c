/* SPDX-License-Identifier: MIT
 * effnet.c - EfficientNet-Lite (Tan, Le 2019; Google's Lite variants) as a locked tower with a two-branch head.
 *
 *     h = mean over positions of the last map;  p = softmax(W h + b), the network's own classes
 *     feature = normalise(p names) + mix normalise(projection h)
 *
 * Maps are [B x H x W x C], so a 1 x 1 convolution is one product over all positions.  Batch norm is folded
 * into the weights before it, ReLU6 follows all but the projecting convolutions. */
#include <stdio.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "clip/fold.h"
#include "clip/tower.h"
#include "clip/vision_frame.h"
#include "clip/vision_inner.h"
#include "layer/conv.h"
#include "layer/l2.h"
#include "layer/mean_pool.h"
#include "layer/residual.h"
#include "math/kern.h"

#define SMALL 64 /* inputs or outputs of a convolution */

typedef struct effnet_packs {
    mo_vision_packs base;
    mo_stem stem;
    mo_residual *block;
    mo_linear head, classes, names, projection;
    float *mix; /* one number */
} effnet_packs;

typedef struct effnet {
    mo_vision_frame frame;
    mo_effnet_config config;
} effnet;

static void unpack(const void *tower)
{
    const effnet *e = tower;
    effnet_packs *p = e->frame.packs;
    for (size_t i = 0; p->block && i < e->config.n_blocks; i++) mo_residual_free(&p->block[i]);
    mo_mem_free(p->block);
    mo_linear_free(&p->stem.linear);
    mo_linear_free(&p->head);
    mo_linear_free(&p->classes);
    mo_linear_free(&p->names);
    mo_linear_free(&p->projection);
    mo_mem_free(p->mix);
    p->block = NULL;
    p->mix = NULL;
    p->stem = (mo_stem){0};
    p->head = p->classes = p->names = p->projection = (mo_linear){0};
}

static mopd_status fold(mo_fold *out, const effnet *e, const char *conv, const char *norm)
{
    char names[2][MO_PARAM_NAME];
    snprintf(names[0], sizeof names[0], "image_model.%s", conv);
    snprintf(names[1], sizeof names[1], "image_model.%s", norm);
    return mo_fold_read(out, e->frame.weights, names[0], names[1], e->config.eps);
}

/* Where 8 bits are asked for, 1 x 1 convolutions of few inputs or outputs stay floats, unless they stand in a block that is
 * reduced: to reduce their many rows takes longer than it saves.  Of the others those that expand have 8 bits, those that project
 * 16: their weights' sizes differ most within an output, and what they lose is carried on by all blocks after them. */
static mopd_status quantize_conv(mo_mat *w, mo_precision precision, bool expands)
{
    if (precision != MO_PRECISION_8) return mo_mat_quantize(w, precision);
    if (!mo_mat_has_floats(w) || mo_min(w->n, w->k) < SMALL) return MOPD_OK;
    return expands && w->k >= MO_EFFNET_LEAST_8 ? mo_mat_quantize(w, precision)
                                                : mo_mat_quantize_finely(w, precision);
}

static mopd_status pack_conv(mo_linear *out, const effnet *e, const char *conv, const char *norm)
{
    char names[2][MO_PARAM_NAME];
    snprintf(names[0], sizeof names[0], "image_model.%s", conv);
    snprintf(names[1], sizeof names[1], "image_model.%s", norm);
    return mo_fold_pack(
        out, e->frame.weights, (const char *const[2]){names[0], names[1]}, e->config.eps, MO_PRECISION_F32);
}

/* The first block alone may see a map that nothing was expanded to: the stem's, which is clamped. */
static mopd_status quantize_residual(mo_residual *r, mo_precision precision, size_t i)
{
    mopd_status st = MOPD_OK;
    if (precision == MO_PRECISION_8) st = mo_residual_reduce(r, i == 0, r->expand.w.k >= MO_EFFNET_LEAST_8);
    if (st == MOPD_OK && r->expand.w.k) st = quantize_conv(&r->expand.w, precision, true);
    return st == MOPD_OK ? quantize_conv(&r->project.w, precision, false) : st;
}

static mopd_status pack_residual(mo_residual *r, const effnet *e, size_t i, const mo_effnet_block *b)
{
    char conv[48], norm[48];
    mopd_status st = MOPD_OK;
    if (b->expand != b->in) {
        snprintf(conv, sizeof conv, "_blocks.%zu._expand_conv", i);
        snprintf(norm, sizeof norm, "_blocks.%zu._bn0", i);
        if ((st = pack_conv(&r->expand, e, conv, norm)) != MOPD_OK) return st;
    }
    mo_fold f;
    snprintf(conv, sizeof conv, "_blocks.%zu._depthwise_conv", i);
    snprintf(norm, sizeof norm, "_blocks.%zu._bn1", i);
    if ((st = fold(&f, e, conv, norm)) != MOPD_OK) return st;
    st = mo_depthwise_pack(&r->depth, f.w, f.bias, (const size_t[3]){b->expand, b->kernel, b->stride});
    mo_fold_free(&f);
    if (st != MOPD_OK) return st;
    r->depth.act = MO_ACT_RELU6;
    snprintf(conv, sizeof conv, "_blocks.%zu._project_conv", i);
    snprintf(norm, sizeof norm, "_blocks.%zu._bn2", i);
    st = pack_conv(&r->project, e, conv, norm);
    return st == MOPD_OK ? quantize_residual(r, e->frame.precision, i) : st;
}

/* In 8 bits the network's own classes have 8, and what turns them into a feature 16. */
static mopd_status pack_classes(effnet_packs *p, const effnet *e)
{
    const mo_precision precision = e->frame.precision;
    const bool eight = precision == MO_PRECISION_8;
    const mo_weight *names;
    mopd_status st = mo_tower_linear(
        &p->classes, e->frame.weights, "image_model._fc", true, eight ? MO_PRECISION_F32 : precision);
    if (st == MOPD_OK && eight) st = mo_mat_quantize(&p->classes.w, precision);
    if (st == MOPD_OK) st = mo_weights_get(e->frame.weights, "head.names.weight", &names);
    if (st != MOPD_OK) return st;
    const mo_linear_part part = {.weight = &names->view, .in_out = true};
    st = mo_linear_pack(&p->names, &part, 1);
    return st == MOPD_OK && eight ? mo_mat_quantize_finely(&p->names.w, precision) : st;
}

static mopd_status pack_head(effnet_packs *p, const effnet *e)
{
    mopd_status st = pack_conv(&p->head, e, "_conv_head", "_bn1");
    if (st == MOPD_OK) st = quantize_conv(&p->head.w, e->frame.precision, true);
    if (st == MOPD_OK) st = pack_classes(p, e);
    if (st == MOPD_OK)
        st = mo_tower_linear(&p->projection, e->frame.weights, "head.projection", true, e->frame.precision);
    return st == MOPD_OK ? mo_tower_floats(&p->mix, e->frame.weights, "head.mix") : st;
}

static mopd_status pack(const void *tower)
{
    const effnet *e = tower;
    effnet_packs *p = e->frame.packs;
    p->block = mo_mem_calloc(e->config.n_blocks, sizeof *p->block);
    if (!p->block) return MOPD_E_NOMEM;
    p->stem = (mo_stem){.planes = 3, .kernel = 3, .stride = 2, .act = MO_ACT_RELU6};
    mopd_status st = pack_conv(&p->stem.linear, e, "_conv_stem", "_bn0");
    if (st == MOPD_OK) st = quantize_conv(&p->stem.linear.w, e->frame.precision, true);
    for (size_t i = 0; i < e->config.n_blocks && st == MOPD_OK; i++)
        st = pack_residual(&p->block[i], e, i, &e->config.block[i]);
    return st == MOPD_OK ? pack_head(p, e) : st;
}

/* Floats: the largest map between blocks of n pictures, and what stem, blocks and head need beside. */
typedef struct sizes {
    size_t map, scratch;
} sizes;

static sizes measure(const effnet *e, size_t n, size_t threads)
{
    const effnet_packs *p = e->frame.packs;
    const size_t image = e->frame.base.image;
    size_t side = mo_conv_same_out(image, 2);
    sizes s = {mo_times(n * side * side, e->config.stem), mo_conv_stem_scratch(&p->stem, n, image, image)};
    for (size_t i = 0; i < e->config.n_blocks; i++) {
        const mo_effnet_block *b = &e->config.block[i];
        const size_t shape[3] = {n, side, side};
        s.scratch = mo_max(s.scratch, mo_residual_scratch(&p->block[i], shape, threads));
        side = mo_conv_same_out(side, b->stride);
        s.map = mo_max(s.map, mo_times(n * side * side, b->out));
    }
    s.scratch = mo_max(s.scratch, mo_times(n * side * side, e->config.features));
    return s;
}

typedef struct forward {
    float *map[2], *scratch;        /* sizes */
    float *pooled, *probs, *branch; /* n x features, x classes, x D */
} forward;

static void take(mo_arena *arena, mo_vision_call *c)
{
    const effnet *e = c->tower;
    const size_t n = c->n;
    const sizes s = measure(e, n, mo_pool_threads(c->pool));
    forward room, *f = c->work = mo_arena_take(arena, 1, sizeof *f);
    if (!f) f = &room;
    for (int i = 0; i < 2; i++) f->map[i] = mo_arena_floats(arena, s.map);
    f->scratch = mo_arena_floats(arena, s.scratch);
    f->pooled = mo_arena_rows(arena, n, e->config.features);
    f->probs = mo_arena_rows(arena, n, e->config.classes);
    f->branch = mo_arena_rows(arena, n, e->frame.base.dim);
}

/* One inverted residual on n maps of side x side; the result stands in map[0] again. */
static void run_residual(forward *f, mo_pool *pool, const mo_residual *r, size_t n, size_t side)
{
    mo_residual_fwd(pool, f->map[1], f->map[0], r, f->scratch, (const size_t[3]){n, side, side});
    float *t = f->map[0];
    f->map[0] = f->map[1];
    f->map[1] = t;
}

/* out [n x D] = both branches of the head from pooled. */
static void run_head(forward *f, const effnet *e, mo_pool *pool, size_t n, float *out)
{
    const effnet_packs *p = e->frame.packs;
    const mo_kern *kern = mo_kern_get();
    size_t classes = e->config.classes, dim = e->frame.base.dim;
    const mo_linear_call call = {.rows = n};
    mo_linear_fwd(pool, f->probs, f->pooled, &p->classes, &call);
    for (size_t i = 0; i < n; i++)
        kern->softmax(f->probs + i * classes, f->probs + i * classes, 1.0f, classes);
    mo_linear_fwd(pool, out, f->probs, &p->names, &call);
    mo_linear_fwd(pool, f->branch, f->pooled, &p->projection, &call);
    mo_l2_fwd(out, out, NULL, n, dim);
    mo_l2_fwd(f->branch, f->branch, NULL, n, dim);
    for (size_t i = 0; i < n; i++) kern->axpy(out + i * dim, *p->mix, f->branch + i * dim, dim);
}

static void run(const mo_vision_call *c, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    forward *f = c->work;
    const effnet *e = c->tower;
    const effnet_packs *p = e->frame.packs;
    const size_t image = e->frame.base.image;
    size_t side = mo_conv_same_out(image, 2);
    mo_conv_stem_fwd(pool, f->map[0], pixels, &p->stem, f->scratch, (const size_t[3]){n, image, image});
    for (size_t i = 0; i < e->config.n_blocks; i++) {
        run_residual(f, pool, &p->block[i], n, side);
        side = mo_conv_same_out(side, p->block[i].depth.stride);
    }
    const mo_linear_call head = {.rows = n * side * side, .act = MO_ACT_RELU6};
    mo_linear_fwd(pool, f->scratch, f->map[0], &p->head, &head);
    mo_mean_pool_fwd(pool, f->pooled, f->scratch, (const size_t[3]){n, side, side}, e->config.features);
    run_head(f, e, pool, n, out);
}

mopd_status mo_effnet_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision)
{
    static const mo_vision_own own = {sizeof(effnet), sizeof(effnet_packs), pack, unpack, take, run};
    mo_vision_frame *frame;
    const mopd_status st = mo_vision_frame_create(&frame, &own, config, weights, precision);
    if (st != MOPD_OK) return st;
    ((effnet *)frame)->config = config->effnet;
    *out = &frame->base;
    return MOPD_OK;
}
