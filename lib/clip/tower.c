/* SPDX-License-Identifier: MIT
 * tower.c - packs a tower's parameters and gives the file's pages back as it goes. */
#include "clip/tower.h"

#include <stdio.h>

#include "base/mem.h"

mopd_status mo_tower_floats(float **out, const mo_weights *weights, const char *name)
{
    const mo_weight *p;
    mopd_status st = mo_weights_get(weights, name, &p);
    if (st != MOPD_OK) return st;
    float *x = mo_mem_alloc(p->view.n, sizeof *x);
    if (!x) return MOPD_E_NOMEM;
    mo_weights_floats(p, 0, p->view.n, x);
    mo_weights_release(weights, p);
    *out = x;
    return MOPD_OK;
}

mopd_status mo_tower_norm(
    float **out, mo_norm *norm, const mo_weights *weights, const char *prefix, float eps)
{
    const mo_weight *p[2];
    static const char *const names[] = {"weight", "bias"};
    for (int i = 0; i < 2; i++) {
        char name[MO_PARAM_NAME];
        snprintf(name, sizeof name, "%s.%s", prefix, names[i]);
        mopd_status st = mo_weights_get(weights, name, &p[i]);
        if (st != MOPD_OK) return st;
    }
    size_t dim = p[0]->view.n;
    float *x = mo_mem_alloc(2 * dim, sizeof *x);
    if (!x) return MOPD_E_NOMEM;
    mo_weights_floats(p[0], 0, dim, x);
    mo_weights_floats(p[1], 0, dim, x + dim);
    *norm = (mo_norm){.gamma = x, .beta = x + dim, .dim = dim, .eps = eps};
    *out = x;
    return MOPD_OK;
}

mopd_status mo_tower_linear(
    mo_linear *out, const mo_weights *weights, const char *prefix, bool bias, mo_precision precision)
{
    char name[MO_PARAM_NAME];
    const mo_weight *w, *b = NULL;
    snprintf(name, sizeof name, "%s.weight", prefix);
    mopd_status st = mo_weights_get(weights, name, &w);
    if (st != MOPD_OK) return st;
    if (bias) {
        snprintf(name, sizeof name, "%s.bias", prefix);
        if ((st = mo_weights_get(weights, name, &b)) != MOPD_OK) return st;
    }
    mo_linear_part part = {.weight = &w->view, .bias = b ? &b->view : NULL, .in_out = w->in_out};
    /* In 8 bits these layers have 16, which no file holds. */
    const mo_precision laid = precision == MO_PRECISION_8 ? MO_PRECISION_F32 : precision;
    if ((st = mo_linear_lay(out, &part, 1, laid)) != MOPD_OK) return mo_fail_at(st, "%s", prefix);
    if (mo_mat_has_floats(&out->w)) st = mo_mat_quantize_edge(&out->w, precision);
    if (!mo_mat_lies_in(&out->w, &w->view)) mo_weights_release(weights, w);
    return st;
}

/* The sixteen parameters of block N, in this order. */
static const char *const block_names[] = {"layer_norm1.weight", "layer_norm1.bias", "layer_norm2.weight",
    "layer_norm2.bias", "self_attn.q_proj.weight", "self_attn.q_proj.bias", "self_attn.k_proj.weight",
    "self_attn.k_proj.bias", "self_attn.v_proj.weight", "self_attn.v_proj.bias", "self_attn.out_proj.weight",
    "self_attn.out_proj.bias", "mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias"};
#define BLOCK_PARAMS (sizeof block_names / sizeof *block_names)

static mo_linear_part part_of(const mo_weight *const *pair)
{
    return (mo_linear_part){.weight = &pair[0]->view, .bias = &pair[1]->view, .in_out = pair[0]->in_out};
}

/* Is it used where it lies? */
static bool stays(const mo_block *b, const mo_view *v)
{
    return mo_mat_lies_in(&b->qkv.w, v) || mo_mat_lies_in(&b->out.w, v) || mo_mat_lies_in(&b->fc1.w, v) ||
           mo_mat_lies_in(&b->fc2.w, v);
}

/* Weights that are stored in 8 bits were balanced before they were written. */
static bool in_8_bits(const mo_weight *const *p)
{
    for (size_t i = 4; i < BLOCK_PARAMS; i += 2)
        if (p[i]->view.dtype != MO_I8) return false;
    return true;
}

mopd_status mo_tower_block(mo_block *out, const mo_weights *weights, const char *prefix, uint32_t index,
    const mo_stack_config *stack, mo_precision precision)
{
    const mo_weight *p[BLOCK_PARAMS];
    for (size_t i = 0; i < BLOCK_PARAMS; i++) {
        char name[MO_PARAM_NAME];
        snprintf(name, sizeof name, "%s.encoder.layers.%u.%s", prefix, index, block_names[i]);
        mopd_status st = mo_weights_get(weights, name, &p[i]);
        if (st != MOPD_OK) return st;
    }
    mo_block_parts parts = {.width = stack->width,
        .n_heads = stack->heads,
        .act = stack->act,
        .eps = (float)stack->eps,
        .ln1_gamma = &p[0]->view,
        .ln1_beta = &p[1]->view,
        .ln2_gamma = &p[2]->view,
        .ln2_beta = &p[3]->view,
        .qkv = {part_of(p + 4), part_of(p + 6), part_of(p + 8)},
        .n_qkv = 3,
        .out = part_of(p + 10),
        .fc1 = part_of(p + 12),
        .fc2 = part_of(p + 14),
        .laid = precision == MO_PRECISION_8 && !in_8_bits(p) ? MO_PRECISION_F32 : precision};
    mopd_status st = mo_block_pack(out, &parts);
    if (st != MOPD_OK) return mo_fail_at(st, "%s, layer %u", prefix, index);
    out->balanced = in_8_bits(p);
    st = mo_block_quantize(out, precision);
    for (size_t i = 0; i < BLOCK_PARAMS; i++)
        if (!stays(out, &p[i]->view)) mo_weights_release(weights, p[i]);
    return st;
}

mopd_status mo_tower_blocks(mo_block **out, const mo_weights *weights, const char *prefix,
    const mo_stack_config *stack, mo_precision precision)
{
    mo_block *blocks = mo_mem_calloc(stack->layers, sizeof *blocks);
    if (!blocks) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    for (uint32_t i = 0; i < stack->layers && st == MOPD_OK; i++)
        st = mo_tower_block(&blocks[i], weights, prefix, i, stack, precision);
    if (st != MOPD_OK) {
        mo_tower_blocks_free(blocks, stack->layers);
        return st;
    }
    *out = blocks;
    return MOPD_OK;
}

void mo_tower_blocks_free(mo_block *blocks, size_t layers)
{
    if (!blocks) return;
    for (size_t i = 0; i < layers; i++) mo_block_free(&blocks[i]);
    mo_mem_free(blocks);
}
