/* SPDX-License-Identifier: MIT
 * hf.c - a folder as transformers saves one: CLIPModel, SiglipModel.
 *
 *     config.json | preprocessor_config.json or processor_config.json | weights | tokenizer
 *
 * Parameters have the names of this library, but for the heads of SigLIP. */
#include "base/mem.h"
#include "base/path.h"
#include "model/layouts/hf_config.h"
#include "model/layouts/layout_files.h"
#include "model/layouts/layouts.h"

static const char *const files[] = {
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"};
static const mo_layout_weights weights = {files, sizeof files / sizeof *files, NULL};

static const char *const ignored[] = {MO_LAYOUT_BUFFERS};
static const mo_naming names = {.ignored = ignored, .n_ignored = sizeof ignored / sizeof *ignored};

#define POOL "vision_model.head.attention."
static const mo_naming_rule siglip_rules[] = {
    {"text_projection.*", "text_model.head.*", 0, 0, false},
    {POOL "q_proj.*", POOL "in_proj_*", 0, 3, false},
    {POOL "k_proj.*", POOL "in_proj_*", 1, 3, false},
    {POOL "v_proj.*", POOL "in_proj_*", 2, 3, false},
};
static const mo_naming siglip_names = {.rule = siglip_rules,
    .n_rules = sizeof siglip_rules / sizeof *siglip_rules,
    .ignored = ignored,
    .n_ignored = sizeof ignored / sizeof *ignored};

/* Whether dir/config.json is transformers': timm's and others' have no model_type. */
static mopd_status is_transformers(bool *out, const char *dir)
{
    char *path = mo_path_join(dir, "config.json");
    if (!path) return MOPD_E_NOMEM;
    const mo_json *root = NULL;
    mopd_status st = mo_json_open(&root, path);
    *out = st == MOPD_OK && mo_json_kind(mo_json_get(root, "model_type")) == MO_JSON_STRING;
    mo_json_close(root);
    mo_mem_free(path);
    return st == MOPD_E_NOMEM ? st : MOPD_OK;
}

/* Sure with safetensors beside a configuration of transformers': many folders hold this layout and open_clip's. */
static mopd_status detect(mo_layout_fit *fit, const mo_layout_place *place)
{
    bool config = false, own = false, whole = false, sharded = false;
    mopd_status st;
    if (!place->is_folder) return MOPD_OK;
    if ((st = mo_layout_files_has(&config, place->path, "config.json")) != MOPD_OK) return st;
    if (config && (st = is_transformers(&own, place->path)) != MOPD_OK) return st;
    if ((st = mo_layout_files_has(&whole, place->path, files[0])) != MOPD_OK) return st;
    if ((st = mo_layout_files_has(&sharded, place->path, files[1])) != MOPD_OK) return st;
    if (config) *fit = own && (whole || sharded) ? MO_LAYOUT_SURE : MO_LAYOUT_MAYBE;
    return MOPD_OK;
}

static mopd_status read_config(mopd_encoder *e, const mo_json *root, const char *path)
{
    return mo_hf_config(&e->config, root, path);
}

static mopd_status read_preprocessor(mopd_encoder *e, const mo_json *root, const char *path)
{
    return mo_hf_pixels(&e->config.pixels, root, e->config.vit.form == MO_VIT_SIGLIP, path);
}

/* transformers 5 may put the same settings into processor_config.json. */
static mopd_status read_processor(mopd_encoder *e, const mo_json *root, const char *path)
{
    const mo_json *image;
    mopd_status st = mo_json_need(root, "image_processor", path, MO_JSON_OBJECT, &image);
    return st == MOPD_OK ? read_preprocessor(e, image, path) : st;
}

static mopd_status read_pixels(mopd_encoder *e, const char *dir)
{
    bool own = false, joined = false;
    mopd_status st;
    if ((st = mo_layout_files_has(&own, dir, "preprocessor_config.json")) != MOPD_OK) return st;
    if ((st = mo_layout_files_has(&joined, dir, "processor_config.json")) != MOPD_OK) return st;
    if (!own && joined) return mo_layout_files_json(e, dir, "processor_config.json", read_processor);
    return mo_layout_files_json(e, dir, "preprocessor_config.json", read_preprocessor);
}

static mopd_status open_folder(mopd_encoder *e, const char *dir, bool read)
{
    mopd_status st;
    if ((st = mo_layout_files_json(e, dir, "config.json", read_config)) != MOPD_OK) return st;
    if ((st = read_pixels(e, dir)) != MOPD_OK) return st;
    if ((st = mo_layout_files_weights(e, dir, &weights, read)) != MOPD_OK) return st;
    const bool siglip = e->config.vit.form == MO_VIT_SIGLIP;
    if ((st = mo_layout_files_bind(e, dir, siglip ? &siglip_names : &names)) != MOPD_OK) return st;
    return mo_layout_files_tokenizer(e, dir);
}

const mo_layout mo_layout_hf = {"huggingface", "config.json (Hugging Face)", detect, open_folder};
