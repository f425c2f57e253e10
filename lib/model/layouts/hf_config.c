/* SPDX-License-Identifier: MIT
 * hf_config.c - config.json as transformers reads it.
 *
 * A key that is absent has the value transformers' own class gives it (CLIPTextConfig, CLIPVisionConfig,
 * SiglipTextConfig, SiglipVisionConfig; MetaClip2's are CLIP's); what is there and not understood is refused. */
#include "model/layouts/hf_config.h"

#include <string.h>

#include "model/layouts/config_read.h"

/* The sub-configuration.  Old files carry a second one, "text_config_dict", that transformers lets win. */
static mopd_status sub_config(
    const mo_json *root, const char *key, const char *old_key, const char *path, const mo_json **out)
{
    const mo_json *v = mo_config_read_member(root, old_key);
    if (!v) v = mo_config_read_member(root, key);
    if (!v) return mo_fail(MOPD_E_FORMAT, "%s: %s is missing", path, key);
    if (mo_json_kind(v) != MO_JSON_OBJECT) return mo_fail(MOPD_E_FORMAT, "%s: %s is no object", path, key);
    *out = v;
    return MOPD_OK;
}

static mopd_status read_act(mo_act *act, const mo_json *o, const char *path)
{
    static const struct {
        const char *word;
        mo_act act;
    } known[] = {
        {"quick_gelu", MO_ACT_QUICK_GELU}, {"gelu", MO_ACT_GELU}, {"gelu_pytorch_tanh", MO_ACT_GELU_TANH}};
    const char *word = NULL;
    mopd_status st = mo_json_may_string(o, "hidden_act", path, &word);
    if (st != MOPD_OK || !word) return st;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(word, known[i].word) != 0) continue;
        *act = known[i].act;
        return MOPD_OK;
    }
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: hidden_act is \"%s\"; quick_gelu, gelu and gelu_pytorch_tanh are known", path, word);
}

static mopd_status read_stack(
    const mo_json *o, const char *path, const mo_stack_config *standard, mo_stack_config *s)
{
    mopd_status st;
    s->eps = standard->eps;
    s->act = standard->act;
    if ((st = mo_config_read_u32(o, "hidden_size", path, standard->width, &s->width)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "intermediate_size", path, standard->hidden, &s->hidden)) != MOPD_OK)
        return st;
    if ((st = mo_config_read_u32(o, "num_hidden_layers", path, standard->layers, &s->layers)) != MOPD_OK)
        return st;
    if ((st = mo_config_read_u32(o, "num_attention_heads", path, standard->heads, &s->heads)) != MOPD_OK)
        return st;
    if ((st = mo_json_may_number(o, "layer_norm_eps", path, &s->eps)) != MOPD_OK) return st;
    return read_act(&s->act, o, path);
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

/* Models of CLIP's towers, by what their parts are called.  eos_token_id 2 is what CLIP's files wrote before
 * transformers knew better: there the largest id is the end.  With MetaCLIP 2's tokenizer 2 is the end. */
typedef struct clip_family {
    const char *type, *text[2], *vision[2];
    bool two_is_two;
} clip_family;

static const clip_family clip = {"clip", {"clip_text_model", "clip"}, {"clip_vision_model", "clip"}, false};
static const clip_family metaclip_2 = {
    "metaclip_2", {"metaclip_2_text_model", "metaclip_2"}, {"metaclip_2_vision_model", "metaclip_2"}, true};

static mopd_status read_text(mo_text_config *t, const mo_json *o, const clip_family *family, const char *path)
{
    static const mo_stack_config standard = {
        .width = 512, .layers = 12, .heads = 8, .hidden = 2048, .act = MO_ACT_QUICK_GELU, .eps = 1e-5};
    mopd_status st;
    if ((st = check_type(o, path, family->text)) != MOPD_OK) return st;
    if ((st = read_stack(o, path, &standard, &t->stack)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "max_position_embeddings", path, 77, &t->context)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "vocab_size", path, 49408, &t->vocab)) != MOPD_OK) return st;
    const mo_json *eos = mo_json_get(o, "eos_token_id");
    int64_t id = 49407;
    if (eos && !mo_json_as_int(eos, &id))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: text_config: eos_token_id is not one number", path);
    if (id < 0 || id > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: eos_token_id is %lld", path, (long long)id);
    const bool largest = id == 2 && !family->two_is_two;
    t->end_rule = largest ? MO_END_LARGEST : MO_END_FIRST;
    t->end_id = largest ? 0 : (uint32_t)id;
    return MOPD_OK;
}

/* What both kinds of image tower say in the same words. */
static mopd_status read_vit(
    mo_config *c, const mo_json *o, const char *path, const mo_stack_config *standard, uint32_t patch)
{
    mopd_status st;
    uint32_t channels;
    if ((st = read_stack(o, path, standard, &c->vit.stack)) != MOPD_OK) return st;
    if ((st = mo_config_read_side(o, "image_size", path, 224, &c->image)) != MOPD_OK) return st;
    if ((st = mo_config_read_side(o, "patch_size", path, patch, &c->vit.patch)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "num_channels", path, 3, &channels)) != MOPD_OK) return st;
    if (channels != 3)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: num_channels is %u; 3 is known", path, channels);
    c->vision_kind = MO_VISION_VIT;
    return MOPD_OK;
}

static mopd_status read_vision(mo_config *c, const mo_json *o, const clip_family *family, const char *path)
{
    static const mo_stack_config standard = {
        .width = 768, .layers = 12, .heads = 12, .hidden = 3072, .act = MO_ACT_QUICK_GELU, .eps = 1e-5};
    mopd_status st = check_type(o, path, family->vision);
    return st == MOPD_OK ? read_vit(c, o, path, &standard, 32) : st;
}

/* Both towers of SigLIP have the same sizes where nothing is said, which is what most files do. */
static const mo_stack_config siglip_standard = {
    .width = 768, .layers = 12, .heads = 12, .hidden = 3072, .act = MO_ACT_GELU_TANH, .eps = 1e-6};

/* The pad's id is the tokenizer's matter: the files' pad_token_id is not what fills texts up. */
static mopd_status read_siglip_text(mo_config *c, const mo_json *o, const char *path)
{
    mo_text_config *t = &c->text;
    mopd_status st = check_type(o, path, (const char *const[2]){"siglip_text_model", "siglip"});
    if (st != MOPD_OK) return st;
    if ((st = read_stack(o, path, &siglip_standard, &t->stack)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "max_position_embeddings", path, 64, &t->context)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(o, "vocab_size", path, 32000, &t->vocab)) != MOPD_OK) return st;
    if (mo_config_read_member(o, "projection_size"))
        st = mo_config_read_u32(o, "projection_size", path, 0, &c->dim);
    else
        c->dim = t->stack.width;
    t->end_rule = MO_END_LAST;
    t->mask = MO_MASK_NONE;
    t->proj_bias = true;
    return st;
}

static mopd_status read_siglip_vision(mo_config *c, const mo_json *o, const char *path)
{
    bool head = true;
    mopd_status st = check_type(o, path, (const char *const[2]){"siglip_vision_model", "siglip"});
    if (st == MOPD_OK) st = mo_json_may_bool(o, "vision_use_head", path, &head);
    if (st == MOPD_OK && !head)
        st = mo_fail(MOPD_E_UNSUPPORTED,
            "%s: vision_use_head is false: an image tower without the pool whose rows are the features",
            path);
    if (st == MOPD_OK) st = read_vit(c, o, path, &siglip_standard, 16);
    c->vit.form = MO_VIT_SIGLIP;
    return st;
}

/* Both towers may be left to the defaults altogether. */
static mopd_status read_siglip(mo_config *c, const mo_json *root, const char *path)
{
    const mo_json *text = NULL, *vision = NULL;
    mopd_status st = MOPD_OK;
    if (mo_config_read_member(root, "text_config")) st = sub_config(root, "text_config", "", path, &text);
    if (st == MOPD_OK && mo_config_read_member(root, "vision_config"))
        st = sub_config(root, "vision_config", "", path, &vision);
    if (st != MOPD_OK) return st;
    if ((st = read_siglip_text(c, text, path)) != MOPD_OK) return mo_fail_at(st, "text_config");
    if ((st = read_siglip_vision(c, vision, path)) != MOPD_OK) return mo_fail_at(st, "vision_config");
    c->logit_bias = true;
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

static mopd_status read_clip(
    mo_config *config, const mo_json *root, const clip_family *family, const char *path)
{
    const mo_json *text = NULL, *vision = NULL;
    mopd_status st;
    if ((st = sub_config(root, "text_config", "text_config_dict", path, &text)) != MOPD_OK) return st;
    if ((st = sub_config(root, "vision_config", "vision_config_dict", path, &vision)) != MOPD_OK) return st;
    if ((st = mo_config_read_u32(root, "projection_dim", path, 512, &config->dim)) != MOPD_OK) return st;
    if ((st = read_text(&config->text, text, family, path)) != MOPD_OK) return mo_fail_at(st, "text_config");
    if ((st = read_vision(config, vision, family, path)) != MOPD_OK) return mo_fail_at(st, "vision_config");
    return MOPD_OK;
}

mopd_status mo_hf_config(mo_config *config, const mo_json *root, const char *path)
{
    const char *type = clip.type;
    mopd_status st;
    memset(config, 0, sizeof *config);
    if ((st = refuse_timm(root, path)) != MOPD_OK) return st;
    if ((st = mo_json_may_string(root, "model_type", path, &type)) != MOPD_OK) return st;
    if (!strcmp(type, "siglip")) return read_siglip(config, root, path);
    if (!strcmp(type, metaclip_2.type)) return read_clip(config, root, &metaclip_2, path);
    if (!strcmp(type, clip.type)) return read_clip(config, root, &clip, path);
    return mo_fail(MOPD_E_UNSUPPORTED, "%s: model_type is \"%s\"; clip, siglip and metaclip_2 are known%s",
        path, type,
        strcmp(type, "siglip2") ? "" : " (siglip2 is NaFlex; SigLIP 2 with pictures of one size is siglip)");
}

mopd_status mo_hf_config_text(mo_config *config, const mo_json *root, const char *path)
{
    mopd_status st = mo_config_read_u32(root, "projection_dim", path, 512, &config->dim);
    return st == MOPD_OK ? read_text(&config->text, root, &clip, path) : st;
}
