/* SPDX-License-Identifier: MIT
 * hf_config.c - config.json and preprocessor_config.json as transformers reads them.
 *
 * A key that is absent has the value transformers' own class gives it (CLIPTextConfig, CLIPVisionConfig,
 * CLIPImageProcessor); what is there and not understood is refused. */
#include "model/layouts/hf_config.h"

#include <string.h>

#include "model/layouts/config_read.h"

/* Whether `key` is there with another value than null. */
static const mo_json *member(const mo_json *object, const char *key)
{
    const mo_json *v = mo_json_get(object, key);
    return mo_json_kind(v) == MO_JSON_NULL ? NULL : v;
}

/* The sub-configuration.  Old files carry a second one, "text_config_dict", that transformers lets win. */
static mopd_status sub_config(
    const mo_json *root, const char *key, const char *old_key, const char *path, const mo_json **out)
{
    const mo_json *v = member(root, old_key);
    if (!v) v = member(root, key);
    if (!v) return mo_fail(MOPD_E_FORMAT, "%s: %s is missing", path, key);
    if (mo_json_kind(v) != MO_JSON_OBJECT) return mo_fail(MOPD_E_FORMAT, "%s: %s is no object", path, key);
    *out = v;
    return MOPD_OK;
}

static mopd_status read_stack(
    const mo_json *o, const char *path, const mo_stack_config *standard, mo_stack_config *s)
{
    const char *act = "quick_gelu";
    mopd_status st;
    s->eps = standard->eps;
    if ((st = mo_config_read_u32(o, "hidden_size", path, standard->width, &s->width)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "intermediate_size", path, standard->hidden, &s->hidden)) != MOPD_OK)
        return st;
    if ((st = mo_config_read_u32(o, "num_hidden_layers", path, standard->layers, &s->layers)) != MOPD_OK)
        return st;
    if ((st = mo_config_read_u32(o, "num_attention_heads", path, standard->heads, &s->heads)) != MOPD_OK)
        return st;
    if ((st = mo_json_may_number(o, "layer_norm_eps", path, &s->eps)) != MOPD_OK) return st;
    if ((st = mo_json_may_string(o, "hidden_act", path, &act)) != MOPD_OK) return st;
    if (mo_config_activation_find(&s->act, act)) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED, "%s: hidden_act is \"%s\"; quick_gelu and gelu are known", path, act);
}

static mopd_status check_type(const mo_json *o, const char *path, const char *const types[2])
{
    const char *type = types[0];
    mopd_status st = mo_json_may_string(o, "model_type", path, &type);
    if (st != MOPD_OK) return st;
    if (strcmp(type, types[0]) != 0 && (!types[1] || strcmp(type, types[1]) != 0))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: model_type is \"%s\"; %s is known", path, type, types[0]);
    return MOPD_OK;
}

/* eos_token_id 2 is what files wrote before transformers knew better: there the largest id is the end. */
static mopd_status read_text(mo_text_config *t, const mo_json *o, const char *path)
{
    static const mo_stack_config standard = {
        .width = 512, .layers = 12, .heads = 8, .hidden = 2048, .eps = 1e-5};
    mopd_status st;
    if ((st = check_type(o, path, (const char *const[2]){"clip_text_model", "clip"})) != MOPD_OK) return st;
    if ((st = read_stack(o, path, &standard, &t->stack)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "max_position_embeddings", path, 77, &t->context)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "vocab_size", path, 49408, &t->vocab)) != MOPD_OK) return st;
    const mo_json *eos = mo_json_get(o, "eos_token_id");
    int64_t id = 49407;
    if (eos && !mo_json_as_int(eos, &id))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: text_config: eos_token_id is not one number", path);
    if (id < 0 || id > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: eos_token_id is %lld", path, (long long)id);
    t->end_rule = id == 2 ? MO_END_LARGEST : MO_END_FIRST;
    t->end_id = id == 2 ? 0 : (uint32_t)id;
    return MOPD_OK;
}

static mopd_status read_vision(mo_config *c, const mo_json *o, const char *path)
{
    static const mo_stack_config standard = {
        .width = 768, .layers = 12, .heads = 12, .hidden = 3072, .eps = 1e-5};
    mopd_status st;
    uint32_t channels;
    if ((st = check_type(o, path, (const char *const[2]){"clip_vision_model", "clip"})) != MOPD_OK) return st;
    if ((st = read_stack(o, path, &standard, &c->vit.stack)) != MOPD_OK) return st;
    if ((st = mo_config_read_side(o, "image_size", path, 224, &c->image)) != MOPD_OK) return st;
    if ((st = mo_config_read_side(o, "patch_size", path, 32, &c->vit.patch)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "num_channels", path, 3, &channels)) != MOPD_OK) return st;
    if (channels != 3)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: num_channels is %u; 3 is known", path, channels);
    c->vision_kind = MO_VISION_VIT;
    return MOPD_OK;
}

/* timm writes a config.json too. */
static mopd_status refuse_timm(const mo_json *root, const char *path)
{
    const char *timm;
    if (mo_json_get(root, "model_type") || !mo_json_as_string(mo_json_get(root, "architecture"), &timm))
        return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: key \"model_type\" is missing: no model of transformers; timm's \"%s\" is an image tower alone, "
        "and a "
        "whole model lies in open_clip_config.json and open_clip_model.safetensors",
        path, timm);
}

mopd_status mo_hf_config(mo_config *config, const mo_json *root, const char *path)
{
    const mo_json *text, *vision;
    mopd_status st;
    memset(config, 0, sizeof *config);
    if ((st = refuse_timm(root, path)) != MOPD_OK) return st;
    if ((st = check_type(root, path, (const char *const[2]){"clip", NULL})) != MOPD_OK) return st;
    if ((st = sub_config(root, "text_config", "text_config_dict", path, &text)) != MOPD_OK) return st;
    if ((st = sub_config(root, "vision_config", "vision_config_dict", path, &vision)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(root, "projection_dim", path, 512, &config->dim)) != MOPD_OK) return st;
    if ((st = read_text(&config->text, text, path)) != MOPD_OK) return mo_fail_at(st, "text_config");
    if ((st = read_vision(config, vision, path)) != MOPD_OK) return mo_fail_at(st, "vision_config");
    return MOPD_OK;
}

mopd_status mo_hf_config_text(mo_config *config, const mo_json *root, const char *path)
{
    mopd_status st = mo_config_read_u32(root, "projection_dim", path, 512, &config->dim);
    return st == MOPD_OK ? read_text(&config->text, root, path) : st;
}

/* "size": 224, {"shortest_edge": 224} or {"height": 224, "width": 224}. */
static mopd_status read_size(mo_pixels *p, const mo_json *root, const char *path)
{
    const mo_json *v = member(root, "size");
    int64_t side, h, w;
    if (!v) return MOPD_OK;
    bool one = mo_json_as_int(v, &side), edge = mo_json_as_int(mo_json_get(v, "shortest_edge"), &side);
    if ((one || (edge && mo_json_count(v) == 1)) && side >= 1 && side <= INT32_MAX) {
        p->fit = MO_FIT_SHORTEST;
        p->resize_h = p->resize_w = (uint32_t)side;
        return MOPD_OK;
    }
    if (mo_json_count(v) == 2 && mo_json_as_int(mo_json_get(v, "height"), &h) &&
        mo_json_as_int(mo_json_get(v, "width"), &w) && h >= 1 && w >= 1 && h <= INT32_MAX && w <= INT32_MAX) {
        p->fit = MO_FIT_EXACT;
        p->resize_h = (uint32_t)h;
        p->resize_w = (uint32_t)w;
        return MOPD_OK;
    }
    return mo_fail(
        MOPD_E_UNSUPPORTED, "%s: size: a side, shortest_edge, or height and width are known", path);
}

static mopd_status read_crop(mo_pixels *p, const mo_json *root, const char *path)
{
    const mo_json *v = member(root, "crop_size");
    int64_t h, w;
    if (!v) return MOPD_OK;
    if (mo_json_as_int(v, &h))
        w = h;
    else if (!mo_json_as_int(mo_json_get(v, "height"), &h) || !mo_json_as_int(mo_json_get(v, "width"), &w))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: crop_size: a side, or height and width are known", path);
    if (h < 1 || w < 1 || h > INT32_MAX || w > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: crop_size is %lld x %lld", path, (long long)h, (long long)w);
    p->crop_h = (uint32_t)h;
    p->crop_w = (uint32_t)w;
    return MOPD_OK;
}

static mopd_status check_processor(const mo_json *root, const char *path)
{
    static const char *const known[] = {
        "CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPImageProcessorPil", "CLIPFeatureExtractor"};
    const char *type = known[0];
    mopd_status st = mo_json_may_string(root, "feature_extractor_type", path, &type);
    if (st == MOPD_OK) st = mo_json_may_string(root, "image_processor_type", path, &type);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(type, known[i])) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED, "%s: image processor \"%s\"; CLIPImageProcessor is known", path, type);
}

mopd_status mo_hf_config_pixels(mo_pixels *pixels, const mo_json *root, const char *path)
{
    bool resize = true, crop = true, rescale = true, normalize = true, rgb = true, pad = false,
         square = false;
    const struct {
        const char *key;
        bool *value;
    } flags[] = {{"do_resize", &resize}, {"do_center_crop", &crop}, {"do_rescale", &rescale},
        {"do_normalize", &normalize}, {"do_convert_rgb", &rgb}, {"do_pad", &pad},
        {"use_square_size", &square}};
    mopd_status st;
    mo_pixels_clip(pixels, 224);
    if ((st = check_processor(root, path)) != MOPD_OK) return st;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if ((st = mo_json_may_bool(root, flags[i].key, path, flags[i].value)) != MOPD_OK) return st;
    if (!rgb) return mo_fail(MOPD_E_UNSUPPORTED, "%s: do_convert_rgb is false", path);
    if (pad) return mo_fail(MOPD_E_UNSUPPORTED, "%s: do_pad is true", path);
    if (square) return mo_fail(MOPD_E_UNSUPPORTED, "%s: use_square_size is true", path);
    int64_t filter = MO_FILTER_BICUBIC;
    if ((st = mo_json_may_int(root, "resample", path, &filter)) != MOPD_OK) return st;
    if (filter < MO_FILTER_NEAREST || filter > MO_FILTER_HAMMING)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: resample is %lld; 0 to 5 are known", path, (long long)filter);
    pixels->filter = (uint32_t)filter;
    if ((st = mo_json_may_number(root, "rescale_factor", path, &pixels->rescale)) != MOPD_OK) return st;
    if ((st = read_size(pixels, root, path)) != MOPD_OK) return st;
    if ((st = read_crop(pixels, root, path)) != MOPD_OK) return st;
    if ((st = mo_config_read_colours(pixels->mean, root, "", "image_mean", path)) != MOPD_OK) return st;
    if ((st = mo_config_read_colours(pixels->std, root, "", "image_std", path)) != MOPD_OK) return st;
    if (!resize) pixels->fit = MO_FIT_NONE;
    if (!crop) pixels->crop_h = pixels->crop_w = 0;
    if (!rescale) pixels->rescale = 1;
    pixels->do_normalize = normalize;
    return MOPD_OK;
}
