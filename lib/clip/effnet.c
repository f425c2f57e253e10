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
#include "base/once.h"
#include "clip/fold.h"
#include "clip/tower.h"
#include "clip/vision_inner.h"
#include "layer/conv.h"
#include "layer/depthwise.h"
#include "layer/l2.h"
#include "layer/mean_pool.h"
#include "math/kern.h"

#define CHUNK 4 /* pictures at work when threads share each layer */

typedef struct residual {
    mo_linear expand, project;
    mo_depthwise depth;
} residual;

typedef struct effnet_packs {
    mo_once once;
    mo_buffer_pool pool; /* of calls' working memory */
    mo_stem stem;
    residual *block;
    mo_linear head, classes, names, projection;
    float *mix; /* one number */
} effnet_packs;

typedef struct effnet {
    mo_vision base;
    mo_effnet_config config;
    bool quantized;
    const mo_weights *weights;
    effnet_packs *packs;
} effnet;

static void free_packs(effnet_packs *p, size_t n_blocks)
{
    for (size_t i = 0; p->block && i < n_blocks; i++) {
        mo_linear_free(&p->block[i].expand);
        mo_linear_free(&p->block[i].project);
        mo_depthwise_free(&p->block[i].depth);
    }
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
    return mo_fold_read(out, e->weights, names[0], names[1], e->config.eps);
}

static mopd_status pack_conv(mo_linear *out, const effnet *e, const char *conv, const char *norm)
{
    char names[2][MO_PARAM_NAME];
    snprintf(names[0], sizeof names[0], "image_model.%s", conv);
    snprintf(names[1], sizeof names[1], "image_model.%s", norm);
    return mo_fold_pack(
        out, e->weights, (const char *const[2]){names[0], names[1]}, e->config.eps, e->quantized);
}

static mopd_status pack_residual(residual *r, const effnet *e, size_t i, const mo_effnet_block *b)
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
    return pack_conv(&r->project, e, conv, norm);
}

static mopd_status pack_head(effnet_packs *p, const effnet *e)
{
    const mo_weight *names;
    mopd_status st;
    if ((st = pack_conv(&p->head, e, "_conv_head", "_bn1")) != MOPD_OK) return st;
    if ((st = mo_tower_linear(&p->classes, e->weights, "image_model._fc", true, e->quantized)) != MOPD_OK)
        return st;
    if ((st = mo_weights_get(e->weights, "head.names.weight", &names)) != MOPD_OK) return st;
    mo_linear_part part = {.weight = &names->view, .in_out = true};
    if ((st = mo_linear_pack(&p->names, &part, 1)) != MOPD_OK) return st;
    if ((st = mo_tower_linear(&p->projection, e->weights, "head.projection", true, e->quantized)) != MOPD_OK)
        return st;
    return mo_tower_floats(&p->mix, e->weights, "head.mix");
}

static mopd_status pack(const void *ctx)
{
    const effnet *e = ctx;
    effnet_packs *p = e->packs;
    mopd_status st = MOPD_E_NOMEM;
    p->block = mo_mem_calloc(e->config.n_blocks, sizeof *p->block);
    if (!p->block) goto done;
    p->stem = (mo_stem){.planes = 3, .kernel = 3, .stride = 2, .act = MO_ACT_RELU6};
    if ((st = pack_conv(&p->stem.linear, e, "_conv_stem", "_bn0")) != MOPD_OK) goto done;
    for (size_t i = 0; i < e->config.n_blocks; i++)
        if ((st = pack_residual(&p->block[i], e, i, &e->config.block[i])) != MOPD_OK) goto done;
    st = pack_head(p, e);
done:
    if (st != MOPD_OK) free_packs(p, e->config.n_blocks);
    return st;
}

static mopd_status effnet_prepare(const mo_vision *base)
{
    const effnet *e = (const effnet *)base;
    return mo_once_run(&e->packs->once, 1, pack, e);
}

/* Floats per picture: the largest map between blocks, and inside one (expanded, and after the depthwise one). */
typedef struct sizes {
    size_t map, expanded, depth;
} sizes;

static sizes measure(const effnet *e)
{
    size_t side = mo_conv_same_out(e->base.image, 2);
    sizes s = {.map = side * side * e->config.stem};
    for (size_t i = 0; i < e->config.n_blocks; i++) {
        const mo_effnet_block *b = &e->config.block[i];
        s.expanded = mo_max(s.expanded, side * side * b->expand);
        side = mo_conv_same_out(side, b->stride);
        s.depth = mo_max(s.depth, side * side * b->expand);
        s.map = mo_max(s.map, side * side * b->out);
    }
    s.expanded = mo_max(s.expanded, side * side * e->config.features);
    return s;
}

typedef struct forward {
    struct forward *self; /* where this lies in the arena */
    const effnet *e;
    mo_arena arena;
    size_t chunk;
    float *map[2], *expanded, *depth, *stem; /* chunk x sizes */
    float *pooled, *probs, *branch;          /* chunk x features, x classes, x D */
} forward;

static void forward_take(mo_arena *arena, void *ctx)
{
    forward *f = ctx;
    const effnet *e = f->e;
    const sizes s = measure(e);
    const size_t side = e->base.image;
    f->self = mo_arena_take(arena, 1, sizeof *f);
    for (int i = 0; i < 2; i++) f->map[i] = mo_arena_floats(arena, f->chunk * s.map);
    f->expanded = mo_arena_floats(arena, f->chunk * s.expanded);
    f->depth = mo_arena_floats(arena, f->chunk * s.depth);
    f->stem = mo_arena_floats(arena, mo_conv_stem_scratch(&e->packs->stem, f->chunk, side, side));
    f->pooled = mo_arena_floats(arena, f->chunk * e->config.features);
    f->probs = mo_arena_floats(arena, f->chunk * e->config.classes);
    f->branch = mo_arena_floats(arena, f->chunk * e->base.dim);
}

/* One inverted residual on n maps of side x side; the result stands in map[0] again. */
static size_t run_residual(
    forward *f, mo_pool *pool, const residual *r, const mo_effnet_block *b, size_t n, size_t side)
{
    const float *in = f->map[0];
    if (b->expand != b->in) {
        mo_linear_call expand = {.rows = n * side * side, .act = MO_ACT_RELU6};
        mo_linear_fwd(pool, f->expanded, in, &r->expand, &expand);
        in = f->expanded;
    }
    mo_depthwise_fwd(pool, f->depth, in, &r->depth, (const size_t[3]){n, side, side});
    size_t out = mo_conv_same_out(side, b->stride);
    bool skip = b->stride == 1 && b->in == b->out;
    mo_linear_call project = {.rows = n * out * out, .residual = skip ? f->map[0] : NULL};
    mo_linear_fwd(pool, f->map[1], f->depth, &r->project, &project);
    float *t = f->map[0];
    f->map[0] = f->map[1];
    f->map[1] = t;
    return out;
}

/* out [n x D] = both branches of the head from pooled. */
static void run_head(forward *f, const effnet *e, mo_pool *pool, size_t n, float *out)
{
    const effnet_packs *p = e->packs;
    const mo_kern *kern = mo_kern_get();
    size_t classes = e->config.classes, dim = e->base.dim;
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

static forward forward_of(const mo_vision *base, size_t n)
{
    const effnet *e = (const effnet *)base;
    return (forward){.e = e, .arena.pool = &e->packs->pool, .chunk = n};
}

static size_t effnet_bytes(const mo_vision *base, const mo_pool *pool, size_t n)
{
    (void)pool;
    forward f = forward_of(base, n);
    return mo_arena_count(forward_take, &f);
}

static void effnet_close(void *work)
{
    if (!work) return;
    mo_arena arena = ((forward *)work)->arena; /* work lies in it */
    mo_arena_close(&arena);
}

static mopd_status effnet_open(void **work, const mo_vision *base, const mo_pool *pool, size_t n)
{
    (void)pool;
    forward f = forward_of(base, n);
    *work = NULL;
    mopd_status st = mo_arena_fill(&f.arena, forward_take, &f);
    if (st != MOPD_OK) return st;
    *f.self = f;
    *work = f.self;
    return MOPD_OK;
}

static void effnet_run(void *work, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    forward *f = work;
    const effnet *e = f->e;
    const effnet_packs *p = e->packs;
    mo_conv_stem_fwd(
        pool, f->map[0], pixels, &p->stem, f->stem, (const size_t[3]){n, e->base.image, e->base.image});
    size_t side = mo_conv_same_out(e->base.image, 2);
    for (size_t i = 0; i < e->config.n_blocks; i++)
        side = run_residual(f, pool, &p->block[i], &e->config.block[i], n, side);
    const mo_linear_call head = {.rows = n * side * side, .act = MO_ACT_RELU6};
    mo_linear_fwd(pool, f->expanded, f->map[0], &p->head, &head);
    mo_mean_pool_fwd(pool, f->pooled, f->expanded, (const size_t[3]){n, side, side}, e->config.features);
    run_head(f, e, pool, n, out);
}

static void effnet_free(mo_vision *base)
{
    effnet *e = (effnet *)base;
    free_packs(e->packs, e->config.n_blocks);
    mo_once_end(&e->packs->once);
    mo_buffer_pool_end(&e->packs->pool);
    mo_mem_free(e->packs);
    mo_mem_free(e);
}

mopd_status mo_effnet_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, bool quantized)
{
    effnet *e = mo_mem_calloc(1, sizeof *e);
    effnet_packs *packs = mo_mem_calloc(1, sizeof *packs);
    mopd_status st = e && packs ? mo_once_init(&packs->once) : MOPD_E_NOMEM;
    if (st != MOPD_OK) {
        mo_mem_free(packs);
        mo_mem_free(e);
        return st;
    }
    e->base = (mo_vision){.image = config->image,
        .dim = config->dim,
        .chunk = CHUNK,
        .lane = 1,
        .most = MO_VISION_LANES,
        .prepare = effnet_prepare,
        .bytes = effnet_bytes,
        .open = effnet_open,
        .run = effnet_run,
        .close = effnet_close,
        .free = effnet_free};
    packs->pool.limit = MO_VISION_KEPT;
    e->config = config->effnet;
    e->quantized = quantized;
    e->weights = weights;
    e->packs = packs;
    *out = &e->base;
    return MOPD_OK;
}
