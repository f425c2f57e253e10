/* SPDX-License-Identifier: MIT
 * open_clip_config.c - open_clip_config.json: model_cfg and preprocess_cfg, with open_clip's own defaults.
 *
 * quick_gelu is model_cfg's word and false without it, whatever the weights came from: so decides
 * open_clip.  Every key that would change the towers is looked at; a value other than the plain CLIP one is
 * refused by name. */
#include "model/layouts/open_clip_config.h"

#include <string.h>

#include "model/layouts/config_read.h"
#include "model/layouts/timm.h"

/* Keys that must be absent, null, false, 0, "" or {} - or the word beside them. */
typedef struct plain_key {
    const char *key, *word;
} plain_key;

static const plain_key vision_plain[] = {{"ls_init_value", NULL}, {"attentional_pool", NULL},
    {"no_ln_pre", NULL}, {"pos_embed_type", "learnable"}, {"final_ln_after_pool", NULL}, {"pool_type", "tok"},
    {"act_kwargs", NULL}, {"block_type", "default"}, {"qk_norm", NULL}, {"scaled_cosine_attn", NULL},
    {"scale_heads", NULL}, {"scale_attn_inner", NULL}, {"scale_attn", NULL}, {"scale_fc", NULL},
    {NULL, NULL}};
static const plain_key text_plain[] = {{"hf_model_name", NULL}, {"tokenizer_mode", NULL},
    {"ls_init_value", NULL}, {"embed_cls", NULL}, {"final_ln_after_pool", NULL}, {"proj_type", "linear"},
    {"block_type", "default"}, {"qk_norm", NULL}, {"scaled_cosine_attn", NULL}, {"scale_heads", NULL},
    {"scale_attn_inner", NULL}, {"scale_attn", NULL}, {"scale_fc", NULL}, {NULL, NULL}};
static const plain_key model_plain[] = {{"multimodal_cfg", NULL}, {NULL, NULL}};

static bool is_plain(const mo_json *v, const char *word)
{
    const char *text;
    double number;
    bool flag;
    switch (mo_json_kind(v)) {
    case MO_JSON_NONE:
    case MO_JSON_NULL:
        return true;
    case MO_JSON_BOOL:
        return mo_json_as_bool(v, &flag) && !flag;
    case MO_JSON_STRING:
        return mo_json_as_string(v, &text) && (!*text || (word && !strcmp(text, word)));
    case MO_JSON_INT:
    case MO_JSON_REAL:
        return mo_json_as_number(v, &number) && number == 0;
    default:
        return mo_json_count(v) == 0;
    }
}

static mopd_status check_plain(const mo_json *o, const plain_key *keys, const char *where, const char *path)
{
    for (; keys->key; keys++)
        if (!is_plain(mo_json_get(o, keys->key), keys->word)) {
            const char *text = "";
            mo_json_as_string(mo_json_get(o, keys->key), &text);
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: %s.%s%s%s%s is not supported", path, where, keys->key,
                *text ? " \"" : "", text, *text ? "\"" : "");
        }
    return MOPD_OK;
}

/* norm_kwargs: {"eps": x}; mlp_ratio: hidden = int(width x ratio). */
static mopd_status read_common(mo_stack_config *s, const mo_json *o, const char *where, const char *path)
{
    double ratio = 4;
    mopd_status st = mo_json_may_number(o, "mlp_ratio", path, &ratio);
    if (st != MOPD_OK) return st;
    double hidden = s->width * ratio;
    if (!(ratio > 0 && ratio < 1000 && hidden < INT32_MAX))
        return mo_fail(
            MOPD_E_FORMAT, "%s: %s.mlp_ratio is %g of a width of %u", path, where, ratio, s->width);
    s->hidden = (uint32_t)hidden;
    s->eps = 1e-5;
    const mo_json *norm = mo_json_get(o, "norm_kwargs");
    if (mo_json_count(norm) == 0) return MOPD_OK;
    if (mo_json_count(norm) != 1 || !mo_json_as_number(mo_json_get(norm, "eps"), &s->eps))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: %s.norm_kwargs: eps alone is known", path, where);
    return MOPD_OK;
}

/* "layers": [3, 4, 6, 3] is what tells a ModifiedResNet. */
static mopd_status read_resnet(mo_config *c, const mo_json *o, const char *path)
{
    mo_resnet_config *r = &c->resnet;
    const mo_json *layers = mo_json_get(o, "layers");
    uint32_t head_width;
    mopd_status st;
    for (size_t i = 0; i < MO_RESNET_STAGES; i++) {
        int64_t x = 0;
        if (mo_json_count(layers) != MO_RESNET_STAGES || !mo_json_as_int(mo_json_item(layers, i), &x) ||
            x < 1 || x > INT32_MAX)
            return mo_fail(
                MOPD_E_FORMAT, "%s: vision_cfg.layers: a count, or the four of a ModifiedResNet", path);
        r->layers[i] = (uint32_t)x;
    }
    if ((st = mo_config_read_u32(o, "width", path, 768, &r->width)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "head_width", path, 64, &head_width)) != MOPD_OK) return st;
    if ((st = mo_config_read_side(o, "image_size", path, 224, &c->image)) != MOPD_OK) return st;
    r->heads = r->width > UINT32_MAX / 32 ? 0 : r->width * 32 / head_width;
    r->eps = 1e-5;
    c->vision_kind = MO_VISION_RESNET;
    return MOPD_OK;
}

static mopd_status read_vision(mo_config *c, const mo_json *o, const char *path)
{
    uint32_t head_width;
    mo_stack_config *s = &c->vit.stack;
    mopd_status st;
    if (!is_plain(mo_json_get(o, "timm_model_name"), NULL)) return mo_timm_vision(c, o, path);
    if ((st = check_plain(o, vision_plain, "vision_cfg", path)) != MOPD_OK) return st;
    if (mo_json_kind(mo_json_get(o, "layers")) == MO_JSON_ARRAY) return read_resnet(c, o, path);
    if ((st = mo_config_read_u32(o, "layers", path, 12, &s->layers)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "width", path, 768, &s->width)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "head_width", path, 64, &head_width)) != MOPD_OK) return st;
    if ((st = mo_config_read_side(o, "patch_size", path, 16, &c->vit.patch)) != MOPD_OK) return st;
    if ((st = mo_config_read_side(o, "image_size", path, 224, &c->image)) != MOPD_OK) return st;
    s->heads = s->width / head_width;
    c->vision_kind = MO_VISION_VIT;
    return read_common(s, o, "vision_cfg", path);
}

static mopd_status read_pool(mo_text_config *t, const mo_json *o, const char *path)
{
    static const struct {
        const char *word;
        mo_end_rule rule;
    } known[] = {{"argmax", MO_END_LARGEST}, {"eos", MO_END_FIRST}, {"last", MO_END_LAST}};
    const char *pool = known[0].word;
    uint32_t eos = 0;
    mopd_status st = mo_config_read_u32(o, "eos_id", path, 0, &eos);
    if (st == MOPD_OK) st = mo_json_may_string(o, "pool_type", path, &pool);
    if (st != MOPD_OK) return st;
    size_t i = 0;
    while (i < 3 && strcmp(pool, known[i].word) != 0) i++;
    if (i == 3)
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: text_cfg.pool_type \"%s\"; argmax, eos and last are known", path, pool);
    t->end_rule = known[i].rule;
    t->end_id = t->end_rule == MO_END_FIRST ? eos : 0;
    if (t->end_rule == MO_END_FIRST && !eos)
        return mo_fail(MOPD_E_FORMAT,
            "%s: text_cfg.eos_id is missing, which pool_type \"eos\" reads: the "
            "tokenizer's id of the end (49407 in CLIP's)",
            path);
    return MOPD_OK;
}

/* {"approximate": "tanh"} for the GELU of the text tower. */
static mopd_status read_text_act(mo_act *act, const mo_json *o, bool quick, const char *path)
{
    const mo_json *kwargs = mo_json_get(o, "act_kwargs");
    const char *word;
    *act = quick ? MO_ACT_QUICK_GELU : MO_ACT_GELU;
    if (is_plain(kwargs, NULL)) return MOPD_OK;
    const bool one =
        mo_json_count(kwargs) == 1 && mo_json_as_string(mo_json_get(kwargs, "approximate"), &word);
    if (quick || !one || (strcmp(word, "tanh") != 0 && strcmp(word, "none") != 0))
        return mo_fail(MOPD_E_UNSUPPORTED,
            "%s: text_cfg.act_kwargs: approximate \"tanh\" or \"none\" of a GELU are known", path);
    if (!strcmp(word, "tanh")) *act = MO_ACT_GELU_TANH;
    return MOPD_OK;
}

/* {"clean": WORD} is what the tokenizer does with a text first; no other argument of it is known. */
static mopd_status check_tokenizer(const mo_json *o, const char *path)
{
    static const char *const known[] = {"canonicalize", "lower", "whitespace"};
    const mo_json *kwargs = mo_json_get(o, "tokenizer_kwargs");
    const char *word;
    if (is_plain(kwargs, NULL)) return MOPD_OK;
    if (mo_json_count(kwargs) != 1 || !mo_json_as_string(mo_json_get(kwargs, "clean"), &word))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: text_cfg.tokenizer_kwargs: clean alone is known", path);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(word, known[i])) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: text_cfg.tokenizer_kwargs.clean \"%s\"; canonicalize, lower and whitespace are known", path,
        word);
}

static mopd_status read_text(mo_text_config *t, const mo_json *o, bool quick, const char *path)
{
    mopd_status st;
    bool whole = false;
    if ((st = check_plain(o, text_plain, "text_cfg", path)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "context_length", path, 77, &t->context)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "vocab_size", path, 49408, &t->vocab)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "width", path, 512, &t->stack.width)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "heads", path, 8, &t->stack.heads)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "layers", path, 12, &t->stack.layers)) != MOPD_OK) return st;
    if ((st = mo_json_may_bool(o, "no_causal_mask", path, &whole)) != MOPD_OK) return st;
    if ((st = mo_json_may_bool(o, "proj_bias", path, &t->proj_bias)) != MOPD_OK) return st;
    t->mask = whole ? MO_MASK_NONE : MO_MASK_CAUSAL;
    if ((st = read_pool(t, o, path)) != MOPD_OK) return st;
    if ((st = check_tokenizer(o, path)) != MOPD_OK) return st;
    if ((st = read_text_act(&t->stack.act, o, quick, path)) != MOPD_OK) return st;
    return read_common(&t->stack, o, "text_cfg", path);
}

/* The size is the tower's: open_clip sets it last, whatever preprocess_cfg says. */
static mopd_status read_pixels(mo_pixels *p, const mo_json *o, uint32_t side, const char *path)
{
    const char *interpolation = "bicubic", *mode = "RGB", *resize = "shortest";
    int64_t fill = 0;
    mopd_status st;
    mo_pixels_openai(p, side);
    if ((st = mo_json_may_string(o, "interpolation", path, &interpolation)) != MOPD_OK) return st;
    if ((st = mo_json_may_string(o, "mode", path, &mode)) != MOPD_OK) return st;
    if ((st = mo_json_may_string(o, "resize_mode", path, &resize)) != MOPD_OK) return st;
    if ((st = mo_json_may_int(o, "fill_color", path, &fill)) != MOPD_OK) return st;
    if (strcmp(mode, "RGB") != 0)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: preprocess_cfg.mode \"%s\"", path, mode);
    if (!strcmp(interpolation, "bilinear"))
        p->filter = MO_FILTER_BILINEAR;
    else if (strcmp(interpolation, "bicubic") != 0 && strcmp(interpolation, "random") != 0)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: preprocess_cfg.interpolation \"%s\"", path, interpolation);
    if (fill < 0 || fill > 255)
        return mo_fail(MOPD_E_FORMAT, "%s: preprocess_cfg.fill_color is %lld", path, (long long)fill);
    p->fill = 0;
    if (!strcmp(resize, "squash")) {
        p->fit = MO_FIT_EXACT;
        p->crop_h = p->crop_w = 0;
    } else if (!strcmp(resize, "longest")) {
        p->fit = MO_FIT_LONGEST;
        p->fill = (uint32_t)fill;
    } else if (strcmp(resize, "shortest") != 0) {
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: preprocess_cfg.resize_mode \"%s\"", path, resize);
    }
    if ((st = mo_config_read_colours(p->mean, o, "preprocess_cfg.", "mean", path)) != MOPD_OK) return st;
    return mo_config_read_colours(p->std, o, "preprocess_cfg.", "std", path);
}

/* The number is where training began; that it is there tells that the weights have a bias. */
static mopd_status read_bias(mo_config *c, const mo_json *o, const char *path)
{
    const mo_json *v = mo_json_get(o, "init_logit_bias");
    double start;
    if (mo_json_kind(v) == MO_JSON_NONE || mo_json_kind(v) == MO_JSON_NULL) return MOPD_OK;
    if (!mo_json_as_number(v, &start))
        return mo_fail(MOPD_E_FORMAT, "%s: model_cfg.init_logit_bias is no number", path);
    c->logit_bias = true;
    return MOPD_OK;
}

mopd_status mo_open_clip_config(mo_config *config, const mo_json *root, const char *path)
{
    const mo_json *model, *vision, *text, *pixels;
    bool quick = false;
    mopd_status st;
    memset(config, 0, sizeof *config);
    if ((st = mo_json_need(root, "model_cfg", path, MO_JSON_OBJECT, &model)) != MOPD_OK) return st;
    if ((st = mo_json_need(root, "preprocess_cfg", path, MO_JSON_OBJECT, &pixels)) != MOPD_OK) return st;
    if ((st = mo_json_need(model, "vision_cfg", path, MO_JSON_OBJECT, &vision)) != MOPD_OK) return st;
    if ((st = mo_json_need(model, "text_cfg", path, MO_JSON_OBJECT, &text)) != MOPD_OK) return st;
    if ((st = check_plain(model, model_plain, "model_cfg", path)) != MOPD_OK) return st;
    size_t dim;
    if ((st = mo_json_need_size(model, "embed_dim", path, &dim)) != MOPD_OK) return st;
    config->dim = (uint32_t)dim;
    if ((st = mo_json_may_bool(model, "quick_gelu", path, &quick)) != MOPD_OK) return st;
    if ((st = read_bias(config, model, path)) != MOPD_OK) return st;
    config->vit.stack.act = quick ? MO_ACT_QUICK_GELU : MO_ACT_GELU;
    if ((st = read_vision(config, vision, path)) != MOPD_OK) return st;
    if ((st = read_text(&config->text, text, quick, path)) != MOPD_OK) return st;
    return read_pixels(&config->pixels, pixels, config->image, path);
}
