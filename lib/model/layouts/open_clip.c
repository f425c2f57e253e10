/* SPDX-License-Identifier: MIT
 * open_clip.c - a folder as open_clip saves one for the hub.
 *
 *     open_clip_config.json | weights | tokenizer
 *
 * Parameters have OpenAI's names; models with a text tower of their own class put "text." before that tower's, and an
 * image tower of timm's has timm's (timm.h). */
#include <string.h>

#include "model/layouts/layout_files.h"
#include "model/layouts/layouts.h"
#include "model/layouts/open_clip_config.h"
#include "model/layouts/openai_names.h"
#include "model/layouts/timm.h"

#define CONFIG "open_clip_config.json"

static const char *const files[] = {
    "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin"};
static const char *const ends[] = {".safetensors", ".bin", ".pt", ".pth", NULL};
static const mo_layout_weights weights = {files, sizeof files / sizeof *files, ends};

static mopd_status detect(mo_layout_fit *fit, const mo_layout_place *place)
{
    bool config = false;
    mopd_status st = place->is_folder ? mo_layout_files_has(&config, place->path, CONFIG) : MOPD_OK;
    if (config) *fit = MO_LAYOUT_SURE;
    return st;
}

/* With hf_tokenizer_name open_clip cleans a text as "clean" says and leaves the rest to transformers' tokenizer; its own
 * tokenizer has one way, "lower". */
static mopd_status read_cleaning(mopd_encoder *e, const mo_json *text, const char *path)
{
    const bool hf = mo_json_kind(mo_json_get(text, "hf_tokenizer_name")) == MO_JSON_STRING;
    const char *clean = hf ? "whitespace" : "lower";
    mo_json_as_string(mo_json_get(mo_json_get(text, "tokenizer_kwargs"), "clean"), &clean);
    if (!hf && strcmp(clean, "lower") != 0)
        return mo_fail(MOPD_E_UNSUPPORTED,
            "%s: text_cfg.tokenizer_kwargs.clean \"%s\" without hf_tokenizer_name is not supported", path,
            clean);
    e->cleaning = !hf                              ? MO_CLEANING_OPEN_CLIP
                  : !strcmp(clean, "canonicalize") ? MO_CLEANING_CANONICAL_IN_OPEN_CLIP
                  : !strcmp(clean, "lower")        ? MO_CLEANING_LOWER_IN_OPEN_CLIP
                                                   : MO_CLEANING_HF_IN_OPEN_CLIP;
    return MOPD_OK;
}

static mopd_status read_config(mopd_encoder *e, const mo_json *root, const char *path)
{
    mopd_status st = read_cleaning(e, mo_json_get(mo_json_get(root, "model_cfg"), "text_cfg"), path);
    return st == MOPD_OK ? mo_open_clip_config(&e->config, root, path) : st;
}

static const mo_naming *names_of(const mopd_encoder *e)
{
    static const mo_naming *const timm[MO_VIT_FORMS] = {[MO_VIT_SIGLIP] = &mo_timm_siglip_names,
        [MO_VIT_MOBILECLIP] = &mo_timm_mobile_names,
        [MO_VIT_PE] = &mo_timm_pe_names,
        [MO_VIT_TIMM] = &mo_timm_clip_names};
    const uint32_t form = e->config.vision_kind == MO_VISION_VIT ? e->config.vit.form : MO_VIT_CLIP;
    if (timm[form]) return timm[form];
    const bool apart = mo_weights_raw(e->weights, "text.token_embedding.weight") != NULL;
    return apart ? &mo_openai_names_text_apart : &mo_openai_names;
}

/* open_clip's own tokenizer fills a text up with zeros, whatever pads the tokenizer's files name. */
static mopd_status open_tokenizer(mopd_encoder *e, const char *dir)
{
    mopd_status st = mo_layout_files_tokenizer(e, dir);
    if (e->cleaning == MO_CLEANING_OPEN_CLIP) e->config.text.pad_id = 0;
    return st;
}

static mopd_status open_folder(mopd_encoder *e, const char *dir, bool read)
{
    mopd_status st;
    if ((st = mo_layout_files_json(e, dir, CONFIG, read_config)) != MOPD_OK) return st;
    if ((st = mo_layout_files_weights(e, dir, &weights, read)) != MOPD_OK) return st;
    st = mo_layout_files_bind(e, dir, names_of(e));
    return st == MOPD_OK ? open_tokenizer(e, dir) : st;
}

const mo_layout mo_layout_open_clip = {"open_clip", CONFIG " (open_clip)", detect, open_folder};
