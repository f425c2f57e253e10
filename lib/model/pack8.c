/* SPDX-License-Identifier: MIT
 * pack8.c - blocks are packed, balanced and quantized as an encoder in int8 does it, and written from there, so that
 * opening the file gives the same numbers; other matrices go row by row. */
#include "model/pack8.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "clip/tower.h"
#include "clip/vision_inner.h"
#include "math/gemm_ops.h"
#include "math/i8.h"

#define ROWS 256 /* of a matrix that are quantized at once */
#define GROUP 32 /* numbers of a row of the token embedding that have one scale */

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static bool begins_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

/* A parameter of a transformer block. */
typedef struct place {
    const char *tower, *rest;
    unsigned long layer;
} place;

static bool find_place(place *out, const char *name)
{
    static const char *const towers[] = {"text_model", "vision_model"}, layers[] = ".encoder.layers.";
    for (size_t i = 0; i < sizeof towers / sizeof *towers; i++) {
        if (!begins_with(name, towers[i]) || !begins_with(name + strlen(towers[i]), layers)) continue;
        char *end;
        out->tower = towers[i];
        out->layer = strtoul(name + strlen(towers[i]) + strlen(layers), &end, 10);
        out->rest = end + 1;
        return *end == '.';
    }
    return false;
}

/* A row of it is all that is read of it, so that one large number would cost the others theirs: scales are finer. */
static bool is_embedding(const mo_weight *param)
{
    return !strcmp(param->name, "text_model.embeddings.token_embedding.weight");
}

mo_dtype mo_pack8_type(const mo_weight *param)
{
    const char *name = param->name;
    place at;
    if (param->n_dims < 2) return MO_F32;
    if (find_place(&at, name) || is_embedding(param)) return MO_I8;
    if (!begins_with(name, "image_model.")) return MO_F16;
    if (ends_with(name, "._fc.weight")) return MO_I8;
    const bool expands = ends_with(name, "._expand_conv.weight") || ends_with(name, "._conv_head.weight");
    return expands && param->shape[1] >= MO_EFFNET_LEAST_8 ? MO_I8 : MO_F16;
}

size_t mo_pack8_groups(const mo_weight *param)
{
    return is_embedding(param) && param->shape[1] % GROUP == 0 ? param->shape[1] / GROUP : 1;
}

/* Where a parameter lies in a block: `at` times the width from the beginning of a layer's bias or outputs, or of the norms. */
enum { NORMS, QKV, OUT, FC1, FC2 };

typedef struct part {
    const char *rest;
    int where;
    size_t at;
} part;

static const part vectors[] = {{"layer_norm1.weight", NORMS, 0}, {"layer_norm1.bias", NORMS, 1},
    {"layer_norm2.weight", NORMS, 2}, {"layer_norm2.bias", NORMS, 3}, {"self_attn.q_proj.bias", QKV, 0},
    {"self_attn.k_proj.bias", QKV, 1}, {"self_attn.v_proj.bias", QKV, 2}, {"self_attn.out_proj.bias", OUT, 0},
    {"mlp.fc1.bias", FC1, 0}, {"mlp.fc2.bias", FC2, 0}};
static const part matrices[] = {{"self_attn.q_proj.weight", QKV, 0}, {"self_attn.k_proj.weight", QKV, 1},
    {"self_attn.v_proj.weight", QKV, 2}, {"self_attn.out_proj.weight", OUT, 0}, {"mlp.fc1.weight", FC1, 0},
    {"mlp.fc2.weight", FC2, 0}};

static const part *find_part(const part *parts, size_t n, const char *rest)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(parts[i].rest, rest)) return &parts[i];
    return NULL;
}

static const mo_linear *layer_of(const mo_block *b, int where)
{
    const mo_linear *const layers[] = {[QKV] = &b->qkv, [OUT] = &b->out, [FC1] = &b->fc1, [FC2] = &b->fc2};
    return layers[where];
}

static const mo_stack_config *stack_of(const mo_config *c, const place *at)
{
    return !strcmp(at->tower, "text_model") ? &c->text.stack : &c->vit.stack;
}

static mopd_status load_block(mo_pack8 *p, const place *at)
{
    if (p->tower && !strcmp(p->tower, at->tower) && p->layer == at->layer) return MOPD_OK;
    const mo_config *c = &p->encoder->config;
    const mo_stack_config *stack = stack_of(c, at);
    const bool text = stack == &c->text.stack;
    mo_pack8_end(p);
    const bool seen = p->calibration && !text;
    mopd_status st = mo_tower_block(&p->block, p->encoder->weights, at->tower, (uint32_t)at->layer, stack,
        seen ? MO_PRECISION_F32 : MO_PRECISION_8);
    if (st == MOPD_OK && seen)
        st = mo_balance_block_seen(&p->block, p->calibration->seen[at->layer], p->encoder->pool);
    if (st == MOPD_OK) st = mo_block_quantize(&p->block, MO_PRECISION_8);
    p->tower = at->tower;
    p->layer = at->layer;
    return st;
}

/* Numbers of `rows` outputs from `first` on, and scales. */
static mopd_status write_outputs(mo_pack8 *p, const mo_mat *mat, size_t first, size_t rows, float *scale)
{
    int8_t *row = mo_mem_alloc(mat->k, 1);
    mopd_status st = row ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t o = 0; o < rows && st == MOPD_OK; o++) {
        st = mo_gemm_i8_row(mat, first + o, row, scale + o);
        if (st == MOPD_OK) st = mo_safetensors_writer_write(p->writer, row, mat->k);
    }
    mo_mem_free(row);
    return st;
}

/* Where a matrix of a block stands: which one, and its first output. */
static mopd_status find_matrix(
    const mo_mat **mat, size_t *first, const mo_pack8 *p, const mo_weight *param, const char *rest)
{
    const part *at = find_part(matrices, sizeof matrices / sizeof *matrices, rest);
    if (!at) return mo_fail(MOPD_E_INTERNAL, "parameter %s of a block", param->name);
    *mat = &layer_of(&p->block, at->where)->w;
    *first = at->at * p->block.width;
    return MOPD_OK;
}

static mopd_status write_block_matrix(mo_pack8 *p, const mo_weight *param, const char *rest, float *scale)
{
    const mo_mat *mat = NULL;
    size_t first = 0;
    const mopd_status st = find_matrix(&mat, &first, p, param, rest);
    return st == MOPD_OK ? write_outputs(p, mat, first, param->shape[0], scale) : st;
}

/* Rows from `first` on by themselves. */
static mopd_status write_rows(mo_pack8 *p, const mo_weight *param, size_t first, size_t rows, float *scale)
{
    const size_t k = param->view.n / (param->shape[0] * mo_pack8_groups(param));
    float *x = mo_mem_alloc(rows * k, sizeof *x);
    if (!x) return MOPD_E_NOMEM;
    mo_weights_floats(param, first * k, rows * k, x);
    const mo_view view = {.data = x, .dtype = MO_F32, .n_dims = 2, .shape = {rows, k}, .n = rows * k};
    mo_mat mat;
    mopd_status st = mo_mat_pack(&mat, &(mo_mat_part){.view = &view}, 1);
    mo_mem_free(x);
    if (st == MOPD_OK) st = mo_mat_quantize(&mat, MO_PRECISION_8);
    if (st == MOPD_OK) st = write_outputs(p, &mat, 0, rows, scale);
    mo_mat_free(&mat);
    return st;
}

/* Those that are no number belong to weights that are none. */
static mopd_status write_scales(mo_pack8 *p, const mo_weight *param, const float *scale)
{
    const size_t groups = mo_pack8_groups(param), n = param->shape[0] * groups;
    for (size_t o = 0; o < n; o++)
        if (!(scale[o] <= FLT_MAX))
            return mo_fail(MOPD_E_NUMERIC, "parameter %s: row %zu is not finite", param->name, o / groups);
    return mo_safetensors_writer_floats(p->writer, scale, n);
}

/* Numbers that are in 8 bits already, with as many scales. */
static mopd_status copy_rows(mo_pack8 *p, const mo_weight *param)
{
    const mo_view *v = &param->view;
    const mopd_status st = mo_safetensors_writer_write(p->writer, v->data, v->n);
    return st == MOPD_OK ? mo_safetensors_writer_write(p->writer, v->scale, v->n_scales * sizeof(float)) : st;
}

static mopd_status write_matrix(mo_pack8 *p, const mo_weight *param, const place *at)
{
    const size_t n = param->shape[0] * mo_pack8_groups(param);
    const mo_view *v = &param->view;
    if (!at && v->dtype == MO_I8 && !v->panel_inputs && v->n_scales == n) return copy_rows(p, param);
    float *scale = mo_mem_alloc(n, sizeof *scale);
    mopd_status st = scale ? MOPD_OK : MOPD_E_NOMEM;
    if (at)
        st = st == MOPD_OK ? write_block_matrix(p, param, at->rest, scale) : st;
    else
        for (size_t o = 0; o < n && st == MOPD_OK; o += ROWS)
            st = write_rows(p, param, o, mo_min(n - o, ROWS), scale + o);
    if (st == MOPD_OK) st = write_scales(p, param, scale);
    mo_mem_free(scale);
    return st;
}

static mopd_status write_vector(mo_pack8 *p, const mo_weight *param, const char *rest)
{
    const part *at = find_part(vectors, sizeof vectors / sizeof *vectors, rest);
    if (!at) return mo_fail(MOPD_E_INTERNAL, "parameter %s of a block", param->name);
    const float *from = at->where == NORMS ? p->block.norms : layer_of(&p->block, at->where)->bias;
    return mo_safetensors_writer_floats(p->writer, from + at->at * p->block.width, param->view.n);
}

mopd_status mo_pack8_write(mo_pack8 *pack, const mo_weight *param, bool *done)
{
    place at;
    const bool in_block = find_place(&at, param->name), matrix = mo_pack8_type(param) == MO_I8;
    *done = in_block || matrix;
    mopd_status st = in_block ? load_block(pack, &at) : MOPD_OK;
    if (st != MOPD_OK || !*done) return st;
    return matrix ? write_matrix(pack, param, in_block ? &at : NULL) : write_vector(pack, param, at.rest);
}

bool mo_pack8_has_panels(const mopd_encoder *encoder, const mo_weight *param)
{
    place at;
    if (!find_place(&at, param->name)) return false;
    const mo_stack_config *stack = stack_of(&encoder->config, &at);
    return stack->width % MO_I8_STEP == 0 && stack->hidden % MO_I8_STEP == 0;
}

bool mo_pack8_same_block(const mo_weight *a, const mo_weight *b)
{
    place x, y;
    return find_place(&x, a->name) && find_place(&y, b->name) && !strcmp(x.tower, y.tower) &&
           x.layer == y.layer;
}

/* The block of a parameter, loaded, and the matrix in it. */
static mopd_status load_matrix(const mo_mat **mat, size_t *first, mo_pack8 *p, const mo_weight *param)
{
    place at;
    if (!find_place(&at, param->name))
        return mo_fail(MOPD_E_INTERNAL, "parameter %s of no block", param->name);
    const mopd_status st = load_block(p, &at);
    return st == MOPD_OK ? find_matrix(mat, first, p, param, at.rest) : st;
}

mopd_status mo_pack8_panels(mo_pack8 *pack, const mo_weight *param)
{
    const mo_mat *mat = NULL;
    size_t first = 0;
    const mopd_status st = load_matrix(&mat, &first, pack, param);
    if (st != MOPD_OK) return st;
    return mo_safetensors_writer_write(pack->writer, mo_gemm_i8_panels(mat, first), param->shape[0] * mat->k);
}

mopd_status mo_pack8_beside(mo_pack8 *pack, const mo_weight *param)
{
    const mo_mat *mat = NULL;
    size_t first = 0;
    mopd_status st = load_matrix(&mat, &first, pack, param);
    if (st != MOPD_OK) return st;
    st = write_scales(pack, param, mo_gemm_i8_scales(mat, first));
    if (st != MOPD_OK) return st;
    return mo_safetensors_writer_write(
        pack->writer, mo_gemm_i8_sums(mat, first), param->shape[0] * sizeof(int32_t));
}

void mo_pack8_end(mo_pack8 *pack)
{
    mo_block_free(&pack->block);
    pack->tower = NULL;
}
