/* SPDX-License-Identifier: MIT
 * openai.c - a checkpoint of OpenAI's: ViT-B-16.pt, with bpe_simple_vocab_16e6.txt.gz beside it.
 *
 * What it is, is told by the shapes of its tensors, as OpenAI's build_model does.
 *
 * OpenAI's archives also carry three counts (input_resolution, context_length, vocab_size).  Files of others
 * have the same tensors but not these, and any activation and preprocessing: they are refused.  The rest are
 * OpenAI's constants: heads of 64, QuickGELU, epsilon 1e-5, the largest id ends a text. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/view.h"
#include "format/safetensors.h"
#include "model/layouts/layout_files.h"
#include "model/layouts/layouts.h"
#include "model/layouts/openai_names.h"

static mopd_status need(
    const mo_weights *w, const char *name, int n_dims, const char *path, const mo_view **out)
{
    const mo_view *v = mo_weights_raw(w, name);
    if (!v || v->n_dims != n_dims)
        return mo_fail(MOPD_E_FORMAT, "%s: no CLIP checkpoint: tensor %s %s", path, name,
            v ? "has another number of dimensions" : "is missing");
    for (int i = 0; i < n_dims; i++)
        if (v->shape[i] == 0 || v->shape[i] > INT32_MAX)
            return mo_fail(MOPD_E_FORMAT, "%s: tensor %s: dimension %d is %zu", path, name, i, v->shape[i]);
    *out = v;
    return MOPD_OK;
}

static mopd_status read_stack(mo_stack_config *s, const mo_weights *w, const char *prefix, const char *path)
{
    char name[MO_PARAM_NAME];
    const mo_view *fc = NULL;
    for (;; s->layers++) {
        snprintf(name, sizeof name, "%stransformer.resblocks.%u.mlp.c_fc.weight", prefix, s->layers);
        if (s->layers && !mo_weights_raw(w, name)) break;
        mopd_status st = need(w, name, 2, path, &fc);
        if (st != MOPD_OK) return st;
        if (s->layers == 0) {
            s->hidden = (uint32_t)fc->shape[0];
            s->width = (uint32_t)fc->shape[1];
        }
    }
    s->heads = s->width / 64;
    s->act = MO_ACT_QUICK_GELU;
    s->eps = 1e-5;
    return MOPD_OK;
}

/* The bottlenecks of each stage are counted, the side is told by the positions that the pool has. */
static mopd_status read_resnet(mo_config *c, const mo_weights *w, const char *path)
{
    mo_resnet_config *r = &c->resnet;
    const mo_view *conv = NULL, *pos = NULL;
    mopd_status st;
    for (uint32_t s = 0; s < MO_RESNET_STAGES; s++)
        for (char name[MO_PARAM_NAME];; r->layers[s]++) {
            snprintf(name, sizeof name, "visual.layer%u.%u.conv1.weight", s + 1, r->layers[s]);
            if (!mo_weights_raw(w, name)) break;
        }
    if ((st = need(w, "visual.layer1.0.conv1.weight", 4, path, &conv)) != MOPD_OK) return st;
    if ((st = need(w, "visual.attnpool.positional_embedding", 2, path, &pos)) != MOPD_OK) return st;
    size_t grid = 1;
    while (grid * grid < pos->shape[0] - 1 && grid < 256) grid++;
    if (grid * grid + 1 != pos->shape[0])
        return mo_fail(MOPD_E_FORMAT,
            "%s: visual.attnpool.positional_embedding has %zu rows, no square and one", path, pos->shape[0]);
    c->vision_kind = MO_VISION_RESNET;
    c->image = (uint32_t)(32 * grid);
    r->width = (uint32_t)conv->shape[0];
    r->heads = (uint32_t)(conv->shape[0] / 2);
    r->eps = 1e-5;
    return MOPD_OK;
}

static mopd_status read_image(mo_config *c, const mo_weights *w, const char *path)
{
    const mo_view *conv = NULL, *pos = NULL;
    mopd_status st;
    if ((st = need(w, "visual.conv1.weight", 4, path, &conv)) != MOPD_OK) return st;
    if ((st = need(w, "visual.positional_embedding", 2, path, &pos)) != MOPD_OK) return st;
    size_t grid = 1;
    while (grid * grid < pos->shape[0] - 1 && grid < 4096) grid++;
    if (grid * grid + 1 != pos->shape[0])
        return mo_fail(MOPD_E_FORMAT, "%s: visual.positional_embedding has %zu rows, no square and one", path,
            pos->shape[0]);
    if (conv->shape[3] > 8192 / grid)
        return mo_fail(MOPD_E_FORMAT, "%s: patches of %zu pixels, %zu a side", path, conv->shape[3], grid);
    c->vit.patch = (uint32_t)conv->shape[3];
    c->image = (uint32_t)(grid * conv->shape[3]);
    return MOPD_OK;
}

static mopd_status read_vision(mo_config *c, const mo_weights *w, const char *path)
{
    if (mo_weights_raw(w, "visual.layer1.0.conv1.weight")) return read_resnet(c, w, path);
    mopd_status st = read_stack(&c->vit.stack, w, "visual.", path);
    c->vision_kind = MO_VISION_VIT;
    return st == MOPD_OK ? read_image(c, w, path) : st;
}

/* What open_clip calls the image tower's sizes. */
static void write_vision(char *text, size_t size, const mo_config *c)
{
    const uint32_t *n = c->resnet.layers;
    if (c->vision_kind == MO_VISION_RESNET)
        snprintf(text, size, "\"layers\": [%u, %u, %u, %u], \"width\": %u, \"patch_size\": null", n[0], n[1],
            n[2], n[3], c->resnet.width);
    else
        snprintf(text, size, "\"layers\": %u, \"width\": %u, \"patch_size\": %u", c->vit.stack.layers,
            c->vit.stack.width, c->vit.patch);
}

/* What to write beside a file that lacks OpenAI's counts: sizes by its tensors, the activation by who made it. */
static mopd_status not_openai(const mo_config *c, const char *missing, const char *path)
{
    char vision[128];
    write_vision(vision, sizeof vision, c);
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: no checkpoint of OpenAI's: %s is missing, and nothing else tells activation and preprocessing; "
        "write open_clip_config.json beside it, with the tokenizer, and open the folder: {\"model_cfg\": "
        "{\"embed_dim\": %u, \"quick_gelu\": true for weights made from OpenAI's or false for others, "
        "\"vision_cfg\": {\"image_size\": %u, %s}, "
        "\"text_cfg\": {\"context_length\": %u, \"vocab_size\": %u, \"width\": %u, \"heads\": %u, "
        "\"layers\": %u}}, \"preprocess_cfg\": {}} (docs/models.md)",
        path, missing, c->dim, c->image, vision, c->text.context, c->text.vocab, c->text.stack.width,
        c->text.stack.heads, c->text.stack.layers);
}

static mopd_status check_count(
    const mo_config *c, const mo_weights *w, const char *name, uint32_t by_shapes, const char *path)
{
    const mo_view *v = mo_weights_raw(w, name);
    int64_t count = -1;
    if (!v) return not_openai(c, name, path);
    float f;
    if (v->dtype == MO_I64 && v->n == 1)
        memcpy(&count, v->data, sizeof count);
    else if (v->n == 1 && mo_view_floats(v, 0, 1, &f) && f >= 0 && f < 1e6f)
        count = (int64_t)f;
    if (count != (int64_t)by_shapes)
        return mo_fail(MOPD_E_FORMAT, "%s: %s is %lld (%s), by the other tensors it is %u", path, name,
            (long long)count, mo_dtype_name(v->dtype), (unsigned)by_shapes);
    return MOPD_OK;
}

/* Tensors under the names of other programs: which folder they belong to. */
static mopd_status check_names(const mo_weights *w, const char *path)
{
    if (mo_weights_raw(w, "text_model.embeddings.token_embedding.weight"))
        return mo_fail(MOPD_E_UNSUPPORTED,
            "%s: weights with transformers' names: put the file as pytorch_model.bin beside config.json, "
            "preprocessor_config.json and tokenizer.json, and open the folder",
            path);
    if (mo_weights_raw(w, "text.token_embedding.weight"))
        return mo_fail(MOPD_E_UNSUPPORTED,
            "%s: weights of an open_clip model with a text tower of its own class: put the file beside "
            "open_clip_config.json and the tokenizer, and open the folder",
            path);
    return MOPD_OK;
}

static mopd_status read_config(mo_config *config, const mo_weights *weights, const char *path)
{
    const mo_view *tokens = NULL, *positions = NULL, *projection = NULL;
    mopd_status st;
    memset(config, 0, sizeof *config);
    if ((st = check_names(weights, path)) != MOPD_OK) return st;
    if ((st = need(weights, "token_embedding.weight", 2, path, &tokens)) != MOPD_OK) return st;
    if ((st = need(weights, "positional_embedding", 2, path, &positions)) != MOPD_OK) return st;
    if ((st = need(weights, "text_projection", 2, path, &projection)) != MOPD_OK) return st;
    config->dim = (uint32_t)projection->shape[1];
    config->text.vocab = (uint32_t)tokens->shape[0];
    config->text.context = (uint32_t)positions->shape[0];
    config->text.end_rule = MO_END_LARGEST;
    if ((st = read_stack(&config->text.stack, weights, "", path)) != MOPD_OK) return st;
    if ((st = read_vision(config, weights, path)) != MOPD_OK) return st;
    if ((st = check_count(config, weights, "input_resolution", config->image, path)) != MOPD_OK) return st;
    if ((st = check_count(config, weights, "context_length", config->text.context, path)) != MOPD_OK)
        return st;
    if ((st = check_count(config, weights, "vocab_size", config->text.vocab, path)) != MOPD_OK) return st;
    mo_pixels_openai(&config->pixels, config->image);
    return MOPD_OK;
}

/* A zip archive or a pickle.  A length before a safetensors header may begin with the same bytes. */
static mopd_status detect(mo_layout_fit *fit, const mo_layout_place *place)
{
    const unsigned char *b = place->head;
    if (place->is_folder || mo_safetensors_is(b, place->n_head)) return MOPD_OK;
    if ((b[0] == 'P' && b[1] == 'K') || b[0] == 0x80) *fit = MO_LAYOUT_SURE;
    return MOPD_OK;
}

static mopd_status open_checkpoint(mopd_encoder *e, const char *file, bool read)
{
    mopd_status st = mo_layout_files_add(e, file, read);
    if (st == MOPD_OK) st = mo_weights_unwrap(e->weights);
    if (st != MOPD_OK) return st;
    if ((st = read_config(&e->config, e->weights, file)) != MOPD_OK) return st;
    char *dir = mo_path_dir(file), *vocab = dir ? mo_path_join(dir, "bpe_simple_vocab_16e6.txt.gz") : NULL;
    st = vocab ? mo_layout_files_bind(e, dir, &mo_openai_names) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_tokenizer_open_simple(&e->tokenizer, vocab);
    e->cleaning = MO_CLEANING_OPENAI;
    mo_mem_free(vocab);
    mo_mem_free(dir);
    return st;
}

const mo_layout mo_layout_openai = {"openai", NULL, detect, open_checkpoint};
