/* SPDX-License-Identifier: MIT
 * packed.c - the one file that pack.c writes: weights, configuration and vocabulary.
 *
 * Parameters have the names of this library. */
#include "model/layouts/packed.h"

#include <string.h>

#include "format/safetensors.h"
#include "model/config_json.h"
#include "model/layouts/layout_files.h"
#include "model/layouts/layouts.h"

static const char *const ignored[] = {
    MO_LAYOUT_BUFFERS, MO_PACKED_TOKENIZER, ("*" MO_WEIGHTS_SCALE), ("*" MO_WEIGHTS_SUM)};
static const mo_naming names = {
    .ignored = ignored, .n_ignored = sizeof ignored / sizeof *ignored, .strict = true, .scaled = true};

bool mo_packed_in_panels(const mo_weight *param)
{
    const char *name = param->name;
    const bool layer = strstr(name, ".layers.") || strstr(name, "patch_embedding") ||
                       strstr(name, "_projection.") || strstr(name, ".head.");
    return layer && param->n_dims > 1 && param->shape[0] % MO_VIEW_PANEL == 0;
}

static const struct {
    const char *word;
    size_t group;
} orders[] = {{"16", 1}, {"16x2", 2}, {"16x4", 4}};
#define N_ORDERS (sizeof orders / sizeof *orders)

/* 0: unknown. */
static size_t group_of(const char *word)
{
    for (size_t i = 0; i < N_ORDERS; i++)
        if (!strcmp(orders[i].word, word)) return orders[i].group;
    return 0;
}

const char *mo_packed_order(size_t group)
{
    size_t i = N_ORDERS - 1;
    while (i && orders[i].group != group) i--;
    return orders[i].word;
}

static mopd_status read_panels(mo_naming *naming, const mo_tensors *file)
{
    const char *word = mo_tensors_meta(file, MO_PACKED_PANELS);
    *naming = names;
    if (word && !(naming->panels = group_of(word)))
        return mo_fail(MOPD_E_FORMAT, "%s: metadata '%s' is '%.20s', not '16', '16x2' or '16x4'",
            mo_tensors_path(file), MO_PACKED_PANELS, word);
    return MOPD_OK;
}

/* Any file that nobody else knows: opening it says what is wrong. */
static mopd_status detect(mo_layout_fit *fit, const mo_layout_place *place)
{
    if (!place->is_folder) *fit = MO_LAYOUT_MAYBE;
    return MOPD_OK;
}

static mopd_status read_config(mopd_encoder *e, const mo_tensors *file)
{
    const char *path = mo_tensors_path(file), *text = mo_tensors_meta(file, MO_PACKED_CONFIG),
               *lr = mo_tensors_meta(file, MO_PACKED_LR);
    if (!text) return mo_fail(MOPD_E_FORMAT, "%s: metadata %s is missing", path, MO_PACKED_CONFIG);
    const mo_json *root = NULL;
    mopd_status st = mo_json_parse(&root, text, strlen(text), path);
    if (st == MOPD_OK) st = mo_config_json_read(&e->config, root, path);
    mo_json_close(root);
    if (st != MOPD_OK) return mo_fail_at(st, "metadata %s", MO_PACKED_CONFIG);
    if (!lr) return MOPD_OK;
    if ((st = mo_json_parse(&root, lr, strlen(lr), path)) != MOPD_OK)
        return mo_fail_at(st, "metadata %s", MO_PACKED_LR);
    if (!mo_json_as_number(mo_json_item(root, 0), &e->config.recommended_lr) ||
        !(e->config.recommended_lr >= 0))
        st = mo_fail(MOPD_E_FORMAT, "%s: metadata %s: a list of one number expected", path, MO_PACKED_LR);
    mo_json_close(root);
    return st;
}

mopd_status mo_packed_not_ours(const mo_tensors *file, const char *path)
{
    const size_t n = mo_tensors_count(file);
    return mo_fail(MOPD_E_FORMAT,
        "%s: no packed model: metadata %s is missing (mopd pack writes it); weights alone, %zu tensors (%s): "
        "give the "
        "folder that holds them beside config.json or open_clip_config.json",
        path, MO_PACKED_KIND, n, n ? mo_tensors_name(file, 0) : "none");
}

mo_cleaning mo_packed_cleaning(const mo_config *config)
{
    return config->vision_kind == MO_VISION_EFFNET ? MO_CLEANING_APOSTROPHES : MO_CLEANING_TRANSFORMERS;
}

static mopd_status read_cleaning(mopd_encoder *e, const mo_tensors *file)
{
    const char *word = mo_tensors_meta(file, MO_PACKED_CLEANING);
    e->cleaning = mo_packed_cleaning(&e->config);
    if (word && !mo_tokenizer_cleaning_find(&e->cleaning, word))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: metadata %s is \"%s\", unknown here", mo_tensors_path(file),
            MO_PACKED_CLEANING, word);
    return MOPD_OK;
}

/* The tensors belong to the weights from here on. */
static mopd_status open_tensors(mopd_encoder *e, mo_tensors *tensors)
{
    const char *file = e->path;
    mopd_status st = mo_weights_add(e->weights, tensors);
    if (st != MOPD_OK) return st;
    const char *kind = mo_tensors_meta(tensors, MO_PACKED_KIND);
    if (!kind) return mo_packed_not_ours(tensors, file);
    if (strcmp(kind, "model") != 0)
        return mo_fail(MOPD_E_FORMAT, "%s: this file is a %s, not a model", file, kind);
    if ((st = read_config(e, tensors)) != MOPD_OK) return st;
    if ((st = read_cleaning(e, tensors)) != MOPD_OK) return st;
    if ((st = mo_config_check(&e->config, file)) != MOPD_OK) return st;
    mo_naming naming;
    if ((st = read_panels(&naming, tensors)) != MOPD_OK) return st;
    if ((st = mo_weights_bind(e->weights, &e->config, &naming)) != MOPD_OK) return st;
    const mo_view *blob;
    if ((st = mo_tensors_need(tensors, MO_PACKED_TOKENIZER, &blob)) != MOPD_OK) return st;
    if (blob->dtype != MO_U8)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor %s is not U8", file, MO_PACKED_TOKENIZER);
    st = mo_tokenizer_load(&e->tokenizer, blob->data, blob->n, file);
    mo_tensors_release(tensors, blob);
    return st;
}

static mopd_status open_file(mopd_encoder *e, const char *file, bool read)
{
    mo_tensors *tensors;
    mopd_status st = mo_safetensors_open(&tensors, file, read);
    return st == MOPD_OK ? open_tensors(e, tensors) : st;
}

mopd_status mo_packed_open_bytes(mopd_encoder *e, const void *bytes, size_t n)
{
    mo_tensors *tensors;
    mopd_status st = mo_safetensors_open_bytes(&tensors, bytes, n, e->path);
    return st == MOPD_OK ? open_tensors(e, tensors) : st;
}

const mo_layout mo_layout_packed = {"packed", NULL, detect, open_file};
