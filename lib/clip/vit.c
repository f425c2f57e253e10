/* SPDX-License-Identifier: MIT
 * vit.c - the vision transformer (Dosovitskiy et al. 2021): patches, blocks, and one row of them all.
 *
 *     CLIP     x = norm([class; patches] + position);  x = blocks(x);  feature = norm(x[class]) projection
 *     timm     as CLIP, the projection with a bias (MobileCLIP2's L)
 *     Mobile   x = [class; stem(patches) + position];  otherwise as timm, without the first norm (MobileCLIP's B)
 *     SigLIP   x = patches + position;                 x = blocks(x);  feature = pool of norm(x) (layer/pool_probe.h)
 *     PE       as CLIP, blocks with rotary positions too (layer/rope.h);  feature = pool of norm(x), projected
 *
 * Pictures go through in chunks of bounded memory; where the class row is read, the last block makes the class rows
 * only. */
#include <stdio.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "clip/tower.h"
#include "clip/vision_frame.h"
#include "clip/vision_inner.h"
#include "clip/vit_stem.h"
#include "layer/patch.h"
#include "layer/pool_probe.h"

/* Rows at work: of pictures whose layers all threads share, of a thread's own, of all those together. */
#define CHUNK_ROWS 1024
#define LANE_ROWS 100
#define MOST_ROWS 4096

typedef struct vit_packs {
    mo_vision_packs base;
    float *class_token, *position; /* W; L x W */
    float *pre_block, *post_block;
    mo_norm pre, post;
    mo_patch patch;
    mo_patch_stem stem;
    mo_block *blocks;
    mo_pool_probe probe;
    mo_linear proj; /* D x W */
    mo_rope rope;
} vit_packs;

typedef struct vit {
    mo_vision_frame frame;
    mo_vit_config config;
    const mo_vit_traits *has;
} vit;

static void unpack(const void *tower)
{
    const vit *v = tower;
    vit_packs *p = v->frame.packs;
    mo_mem_free(p->class_token);
    mo_mem_free(p->position);
    mo_mem_free(p->pre_block);
    mo_mem_free(p->post_block);
    mo_linear_free(&p->patch.linear);
    mo_patch_stem_free(&p->stem);
    mo_tower_blocks_free(p->blocks, v->config.stack.layers);
    mo_pool_probe_free(&p->probe);
    mo_rope_free(&p->rope);
    mo_linear_free(&p->proj);
    p->class_token = p->position = p->pre_block = p->post_block = NULL;
    p->blocks = NULL;
    memset(&p->patch, 0, sizeof p->patch);
    memset(&p->proj, 0, sizeof p->proj);
}

#define HEAD "vision_model.head."

static mopd_status part_of(mo_linear_part *out, const vit *v, const char *name, const mo_weight **w)
{
    char full[MO_PARAM_NAME];
    const mo_weight *bias;
    snprintf(full, sizeof full, HEAD "attention.%s.weight", name);
    mopd_status st = mo_weights_get(v->frame.weights, full, w);
    snprintf(full, sizeof full, HEAD "attention.%s.bias", name);
    if (st == MOPD_OK) st = mo_weights_get(v->frame.weights, full, &bias);
    if (st == MOPD_OK)
        *out = (mo_linear_part){.weight = &(*w)->view, .bias = &bias->view, .in_out = (*w)->in_out};
    return st;
}

/* The probe's attention stays float where other products are quantized: it is small. */
static mopd_status pack_attention(mo_pool_probe *p, const vit *v)
{
    const uint32_t heads = v->has->pool_heads ? v->has->pool_heads : v->config.stack.heads;
    mo_pool_probe_parts parts = {.width = v->config.stack.width, .n_heads = heads};
    const mo_weight *probe, *w[3];
    mopd_status st = mo_weights_get(v->frame.weights, HEAD "probe", &probe);
    if (st == MOPD_OK) st = part_of(&parts.q, v, "q_proj", &w[0]);
    if (st == MOPD_OK) st = part_of(&parts.k, v, "k_proj", &w[1]);
    if (st == MOPD_OK) st = part_of(&parts.v, v, "v_proj", &w[2]);
    if (st != MOPD_OK) return st;
    parts.probe = &probe->view;
    if ((st = mo_pool_probe_pack(p, &parts)) != MOPD_OK) return mo_fail_at(st, HEAD "attention");
    for (int i = 0; i < 3; i++) mo_weights_release(v->frame.weights, w[i]);
    return MOPD_OK;
}

static mopd_status pack_probe(mo_pool_probe *p, const vit *v)
{
    const mo_weights *w = v->frame.weights;
    const mo_precision q = v->frame.precision;
    mopd_status st = pack_attention(p, v);
    p->act = v->config.stack.act;
    if (st == MOPD_OK) st = mo_tower_linear(&p->out, w, HEAD "attention.out_proj", true, q);
    if (st == MOPD_OK)
        st = mo_tower_norm(&p->norm_block, &p->norm, w, HEAD "layernorm", (float)v->config.stack.eps);
    if (st == MOPD_OK) st = mo_tower_linear(&p->fc1, w, HEAD "mlp.fc1", true, q);
    return st == MOPD_OK ? mo_tower_linear(&p->fc2, w, HEAD "mlp.fc2", true, q) : st;
}

static mopd_status pack_patches(vit_packs *p, const vit *v)
{
    p->patch.side = v->frame.base.image;
    p->patch.patch = v->config.patch;
    p->patch.no_class = !v->has->class_row;
    mopd_status st = MOPD_OK;
    if (v->has->class_row)
        st = mo_tower_floats(&p->class_token, v->frame.weights, "vision_model.embeddings.class_embedding");
    if (st == MOPD_OK)
        st = mo_tower_floats(
            &p->position, v->frame.weights, "vision_model.embeddings.position_embedding.weight");
    if (st != MOPD_OK) return st;
    if (v->has->stem)
        return mo_vit_stem_pack(&p->stem, v->frame.weights,
            (const size_t[3]){v->config.stack.width, v->frame.base.image, v->config.patch},
            v->frame.precision);
    return mo_tower_linear(&p->patch.linear, v->frame.weights, "vision_model.embeddings.patch_embedding",
        v->has->patch_bias, v->frame.precision);
}

static mopd_status pack(const void *tower)
{
    const vit *v = tower;
    vit_packs *p = v->frame.packs;
    const mo_weights *w = v->frame.weights;
    const mo_vit_traits *has = v->has;
    const float eps = (float)v->config.stack.eps;
    mopd_status st = pack_patches(p, v);
    if (st == MOPD_OK && has->pre_norm)
        st = mo_tower_norm(&p->pre_block, &p->pre, w, "vision_model.pre_layrnorm", eps);
    if (st == MOPD_OK) st = mo_tower_norm(&p->post_block, &p->post, w, "vision_model.post_layernorm", eps);
    if (st == MOPD_OK)
        st = mo_tower_blocks(&p->blocks, w, "vision_model", &v->config.stack, v->frame.precision);
    if (st == MOPD_OK && has->probe) st = pack_probe(&p->probe, v);
    if (st == MOPD_OK && has->projection)
        st = mo_tower_linear(&p->proj, w, "visual_projection", has->projection_bias, v->frame.precision);
    if (st == MOPD_OK && has->rope)
        st = mo_rope_make(&p->rope, v->frame.base.image / v->config.patch,
            v->config.stack.width / v->config.stack.heads, has->class_row);
    return st;
}

typedef struct forward {
    const vit *v;
    const vit_packs *packs;
    size_t rows;     /* of one picture */
    float *x, *last; /* n L x W; n x W */
    float *patches;
    uint32_t *select; /* the class rows */
    mo_block_work work;
    mo_pool_probe_work probe;
} forward;

static void take(mo_arena *arena, mo_vision_call *c)
{
    const vit *v = c->tower;
    const vit_packs *p = v->frame.packs;
    const size_t width = v->config.stack.width, rows = mo_patch_rows(&p->patch), n = c->n;
    forward room, *f = c->work = mo_arena_take(arena, 1, sizeof *f);
    if (!f) f = &room;
    f->v = v;
    f->packs = p;
    f->rows = rows;
    f->x = mo_arena_rows(arena, n * rows, width);
    f->last = mo_arena_rows(arena, n, width);
    f->patches = mo_arena_floats(
        arena, v->has->stem ? mo_patch_stem_scratch(&p->stem) : mo_patch_scratch(&p->patch, n));
    f->select = mo_arena_take(arena, n, sizeof *f->select);
    mo_block_work_take(
        &f->work, arena, p->blocks, &(mo_block_size){.rows = n * rows, .longest = rows, .pool = c->pool});
    if (v->has->probe) mo_pool_probe_take(&f->probe, arena, &p->probe, n, rows);
}

/* Blocks over all rows, the last over the class rows alone where nothing else is read. */
static void run_blocks(forward *f, mo_pool *pool, const mo_rows *rows)
{
    const vit *v = f->v;
    for (uint32_t i = 0; i < v->config.stack.layers; i++) {
        const bool few = i + 1 == v->config.stack.layers && !v->has->probe;
        mo_block_run run = {.pool = pool,
            .rows = rows,
            .select = few ? f->select : NULL,
            .n_select = few ? rows->n_seqs : 0,
            .rope = v->has->rope ? &f->packs->rope : NULL,
            .watch = v->frame.base.watch,
            .layer = i,
            .work = &f->work};
        mo_block_fwd(&f->packs->blocks[i], few ? f->last : f->x, f->x, &run);
    }
}

/* to [n x W] = each picture's one row. */
static void run_pool(forward *f, mo_pool *pool, const mo_rows *rows, float *to)
{
    const vit_packs *p = f->packs;
    if (!f->v->has->probe) {
        mo_norm_fwd(pool, to, f->last, &p->post, NULL, rows->n_seqs);
        return;
    }
    mo_norm_fwd(pool, f->x, f->x, &p->post, NULL, rows->rows);
    mo_pool_probe_fwd(pool, to, f->x, &p->probe, (const size_t[2]){rows->n_seqs, f->rows}, &f->probe);
}

static void run_patches(forward *f, mo_pool *pool, const float *pixels, size_t n)
{
    const vit_packs *p = f->packs;
    if (f->v->has->stem)
        mo_patch_stem_fwd(
            pool, f->x, pixels, &p->stem, &(mo_patch_stem_call){p->class_token, p->position, f->patches, n});
    else
        mo_patch_fwd(pool, f->x, pixels, &p->patch,
            &(mo_patch_call){
                .first = p->class_token, .pos = p->position, .scratch = f->patches, .n_images = n});
}

static void run(const mo_vision_call *c, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    forward *f = c->work;
    const vit *v = f->v;
    const mo_rows rows = {.rows = n * f->rows, .n_seqs = n, .seq_len = f->rows};
    for (size_t i = 0; i < n; i++) f->select[i] = (uint32_t)(i * f->rows);
    run_patches(f, pool, pixels, n);
    if (v->has->pre_norm) mo_norm_fwd(pool, f->x, f->x, &f->packs->pre, NULL, rows.rows);
    run_blocks(f, pool, &rows);
    run_pool(f, pool, &rows, v->has->projection ? f->last : out);
    if (v->has->projection) mo_linear_fwd(pool, out, f->last, &f->packs->proj, &(mo_linear_call){.rows = n});
}

mopd_status mo_vit_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision)
{
    static const mo_vision_own own = {sizeof(vit), sizeof(vit_packs), pack, unpack, take, run};
    const size_t rows = mo_config_vit_rows(config);
    mo_vision_frame *frame;
    const mopd_status st = mo_vision_frame_create(&frame, &own, config, weights, precision);
    if (st != MOPD_OK) return st;
    vit *v = (vit *)frame;
    v->config = config->vit;
    v->has = mo_config_vit_traits(config->vit.form);
    *out = &frame->base;
    (*out)->chunk = mo_max(1, CHUNK_ROWS / rows);
    (*out)->lane = mo_max(1, LANE_ROWS / rows);
    (*out)->most = mo_max(1, MOST_ROWS / mo_max(rows, LANE_ROWS));
    return MOPD_OK;
}
