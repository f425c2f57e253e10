/* SPDX-License-Identifier: MIT
 * locked.c - a folder of the parts that a locked tower is made of.
 *
 *     text_config.json, text.safetensors     the text tower, as transformers names it
 *     efficientnet-lite*.pth                 the image tower, somebody else's and kept as it is
 *     projection.safetensors                 the head that brings both together | tokenizer
 *
 * Which EfficientNet-Lite it is, is told by the shapes of its tensors: every stage of the family changes the
 * number of channels, so stages are counted by that; kernels and expansions are read off the shapes, the
 * strides of the seven stages are 1 2 2 2 1 2 1. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"
#include "base/view.h"
#include "model/layouts/hf_config.h"
#include "model/layouts/layout_files.h"
#include "model/layouts/layouts.h"

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

/* The side each member of the family was made for, Lite0 to Lite4: told by its last channels and
 * number of blocks. */
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

static mopd_status read_tower(mo_config *config, const mo_weights *weights, const char *path)
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

static const char *const ignored[] = {MO_LAYOUT_BUFFERS};
static const mo_naming_rule rules[] = {{"image_model.*", "*", 0, 0, false}, {"head.*", "*", 0, 0, false}};
static const mo_naming names = {.rule = rules,
    .n_rules = sizeof rules / sizeof *rules,
    .ignored = ignored,
    .n_ignored = sizeof ignored / sizeof *ignored,
    .strict = true};

static mopd_status detect(mo_layout_fit *fit, const mo_layout_place *place)
{
    bool config = false;
    mopd_status st =
        place->is_folder ? mo_layout_files_has(&config, place->path, "text_config.json") : MOPD_OK;
    if (config) *fit = MO_LAYOUT_MAYBE;
    return st;
}

static mopd_status read_text_config(mopd_encoder *e, const mo_json *root, const char *path)
{
    return mo_hf_config_text(&e->config, root, path);
}

static bool is_effnet_file(const char *name)
{
    size_t n = strlen(name);
    return !strncmp(name, "efficientnet-lite", 17) && n > 4 && !strcmp(name + n - 4, ".pth");
}

static mopd_status add_effnet(mopd_encoder *e, const char *dir, bool read)
{
    mo_names files = {0};
    mopd_status st = mo_names_dir(&files, dir);
    if (st != MOPD_OK) return st;
    size_t i = 0;
    while (i < files.n && !is_effnet_file(files.name[i])) i++;
    if (i == files.n) {
        st = mo_fail(MOPD_E_IO, "%s/efficientnet-lite*.pth: no such file: the image tower is missing", dir);
    } else {
        char *path = mo_path_join(dir, files.name[i]);
        st = path ? mo_layout_files_add(e, path, read) : MOPD_E_NOMEM;
        if (st == MOPD_OK) st = read_tower(&e->config, e->weights, path);
        mo_mem_free(path);
    }
    mo_names_free(&files);
    return st;
}

static mopd_status open_folder(mopd_encoder *e, const char *dir, bool read)
{
    static const char *const files[] = {"text.safetensors", "projection.safetensors"};
    static const mo_layout_weights text = {files, 1, NULL}, head = {files + 1, 1, NULL};
    mopd_status st;
    if ((st = mo_layout_files_json(e, dir, "text_config.json", read_text_config)) != MOPD_OK) return st;
    if ((st = mo_layout_files_weights(e, dir, &text, read)) != MOPD_OK) return st;
    if ((st = mo_layout_files_weights(e, dir, &head, read)) != MOPD_OK) return st;
    if ((st = add_effnet(e, dir, read)) != MOPD_OK) return st;
    mo_pixels_effnet(&e->config.pixels, e->config.image);
    if ((st = mo_layout_files_bind(e, dir, &names)) != MOPD_OK) return st;
    e->cleaning = MO_CLEANING_APOSTROPHES;
    return mo_tokenizer_open(&e->tokenizer, dir);
}

const mo_layout mo_layout_locked = {"locked-tower", "text_config.json (locked tower)", detect, open_folder};
