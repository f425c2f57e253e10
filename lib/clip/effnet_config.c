/* SPDX-License-Identifier: MIT
 * effnet_config.c - which EfficientNet-Lite a set of tensors is, told by their shapes.
 *
 * Every stage of the family changes the number of channels, so stages are counted by that; kernels and
 * expansions are read off the shapes, the strides of the seven stages are 1 2 2 2 1 2 1. */
#include <stdio.h>
#include <string.h>

#include "base/view.h"
#include "clip/effnet_config.h"

#define N_STAGES 7

static const mo_view *tensor(const mo_weights *weights, size_t block, const char *name, int n_dims)
{
    char full[MO_PARAM_NAME];
    snprintf(full, sizeof full, "_blocks.%zu.%s", block, name);
    const mo_view *v = mo_weights_raw(weights, full);
    return v && v->n_dims == n_dims && v->shape[0] < UINT32_MAX && v->shape[1] < UINT32_MAX ? v : NULL;
}

static mopd_status read_block(mo_effnet_block *b, const mo_weights *weights, size_t i, const char *path)
{
    const mo_view *depth = tensor(weights, i, "_depthwise_conv.weight", 4);
    const mo_view *project = tensor(weights, i, "_project_conv.weight", 4);
    const mo_view *expand = tensor(weights, i, "_expand_conv.weight", 4);
    if (!depth || !project)
        return mo_fail(MOPD_E_FORMAT, "%s: block %zu has no depthwise or no projecting convolution", path, i);
    b->expand = (uint32_t)depth->shape[0];
    b->kernel = (uint32_t)depth->shape[2];
    b->out = (uint32_t)project->shape[0];
    b->in = expand ? (uint32_t)expand->shape[1] : b->expand;
    return MOPD_OK;
}

static const mo_view *shaped(const mo_weights *weights, const char *name, int n_dims)
{
    const mo_view *v = mo_weights_raw(weights, name);
    return v && v->n_dims == n_dims && v->shape[0] < UINT32_MAX ? v : NULL;
}

/* The side each member of the family was made for, Lite0 to Lite4: told by its last channels and number of
 * blocks. */
static uint32_t side_for(const mo_effnet_config *e)
{
    switch (e->block[e->n_blocks - 1].out) {
    case 352:
        return 260;
    case 384:
        return 280;
    case 448:
        return 300;
    default:
        return e->n_blocks == 21 ? 240 : 224;
    }
}

mopd_status mo_effnet_config_read(mo_config *config, const mo_weights *weights, const char *path)
{
    static const uint32_t strides[N_STAGES] = {1, 2, 2, 2, 1, 2, 1};
    mo_effnet_config *e = &config->effnet;
    memset(e, 0, sizeof *e);
    const mo_view *stem = shaped(weights, "_conv_stem.weight", 4),
                  *head = shaped(weights, "_conv_head.weight", 4);
    const mo_view *fc = shaped(weights, "_fc.weight", 2);
    if (!stem || !head || !fc)
        return mo_fail(MOPD_E_FORMAT, "%s: no EfficientNet: _conv_stem, _conv_head or _fc is missing", path);
    e->stem = (uint32_t)stem->shape[0];
    e->features = (uint32_t)head->shape[0];
    e->classes = (uint32_t)fc->shape[0];
    e->eps = 1e-3;
    size_t stage = 0;
    while (tensor(weights, e->n_blocks, "_depthwise_conv.weight", 4)) {
        if (e->n_blocks == MO_EFFNET_MAX_BLOCKS)
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: more than %d blocks", path, MO_EFFNET_MAX_BLOCKS);
        mo_effnet_block *b = &e->block[e->n_blocks];
        mopd_status st = read_block(b, weights, e->n_blocks, path);
        if (st != MOPD_OK) return st;
        b->stride = 1;
        if (b->in != b->out || e->n_blocks == 0) {
            if (stage == N_STAGES)
                return mo_fail(
                    MOPD_E_UNSUPPORTED, "%s: more than %d stages: no EfficientNet-Lite", path, N_STAGES);
            b->stride = strides[stage++];
        }
        e->n_blocks++;
    }
    if (stage != N_STAGES)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: %zu stages: no EfficientNet-Lite", path, stage);
    config->vision_kind = MO_VISION_EFFNET;
    config->image = side_for(e);
    return MOPD_OK;
}
