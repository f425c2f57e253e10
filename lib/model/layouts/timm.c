/* SPDX-License-Identifier: MIT
 * timm.c - the towers of timm that are known, by name.
 *
 * Which GELU a tower of SigLIP has hangs on its name alone, and for the same weights transformers takes another:
 * the exact one stands where timm's entry says nothing, the one with tanh where it says gelu_tanh
 * (timm/models/vision_transformer.py).  Follow the folder. */
#include "model/layouts/timm.h"

#include <string.h>

#include "model/layouts/config_read.h"
#include "model/layouts/layout_files.h"

#define BASE 768, 12, 12, 3072
#define LARGE 1024, 24, 16, 4096
#define SO400M 1152, 27, 16, 4304
#define GIANT 1536, 40, 16, 6144
#define PE_TINY 192, 12, 3, 768
#define PE_SMALL 384, 12, 6, 1536

static const struct {
    const char *name;
    uint32_t image, patch;
    uint32_t width, layers, heads, hidden;
    mo_act act;
    uint32_t form;
} towers[] = {
    {"vit_base_patch32_siglip_256", 256, 32, BASE, MO_ACT_GELU_TANH, MO_VIT_SIGLIP},
    {"vit_base_patch16_siglip_224", 224, 16, BASE, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_base_patch16_siglip_256", 256, 16, BASE, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_base_patch16_siglip_384", 384, 16, BASE, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_base_patch16_siglip_512", 512, 16, BASE, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_large_patch16_siglip_256", 256, 16, LARGE, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_large_patch16_siglip_384", 384, 16, LARGE, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_large_patch16_siglip_512", 512, 16, LARGE, MO_ACT_GELU_TANH, MO_VIT_SIGLIP},
    {"vit_so400m_patch14_siglip_224", 224, 14, SO400M, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_so400m_patch14_siglip_378", 378, 14, SO400M, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_so400m_patch14_siglip_384", 384, 14, SO400M, MO_ACT_GELU, MO_VIT_SIGLIP},
    {"vit_so400m_patch16_siglip_256", 256, 16, SO400M, MO_ACT_GELU_TANH, MO_VIT_SIGLIP},
    {"vit_so400m_patch16_siglip_384", 384, 16, SO400M, MO_ACT_GELU_TANH, MO_VIT_SIGLIP},
    {"vit_so400m_patch16_siglip_512", 512, 16, SO400M, MO_ACT_GELU_TANH, MO_VIT_SIGLIP},
    {"vit_giantopt_patch16_siglip_256", 256, 16, GIANT, MO_ACT_GELU_TANH, MO_VIT_SIGLIP},
    {"vit_giantopt_patch16_siglip_384", 384, 16, GIANT, MO_ACT_GELU_TANH, MO_VIT_SIGLIP},
    {"vit_pe_core_tiny_patch16_384", 384, 16, PE_TINY, MO_ACT_GELU, MO_VIT_PE},
    {"vit_pe_core_small_patch16_384", 384, 16, PE_SMALL, MO_ACT_GELU, MO_VIT_PE},
    {"vit_pe_core_base_patch16_224", 224, 16, BASE, MO_ACT_GELU, MO_VIT_PE},
    {"vit_pe_core_large_patch14_336", 336, 14, LARGE, MO_ACT_GELU, MO_VIT_PE},
    {"vit_base_mci_224", 224, 16, BASE, MO_ACT_GELU, MO_VIT_MOBILECLIP},
    {"vit_large_patch14_clip_224", 224, 14, LARGE, MO_ACT_GELU, MO_VIT_TIMM},
};
#define N_TOWERS (sizeof towers / sizeof *towers)

/* The FastViTs of MobileCLIP.  Their sizes, too, are written in timm's code alone (timm/models/fastvit.py). */
static const struct {
    const char *name;
    mo_fastvit_config config;
} fastvits[] = {
    {"fastvit_mci0", {MO_FASTVIT_SMALL, 4, {2, 6, 10, 2}, {64, 128, 256, 512}, 3, 1e-5}},
    {"fastvit_mci1", {MO_FASTVIT_SMALL, 4, {4, 12, 20, 4}, {64, 128, 256, 512}, 3, 1e-5}},
    {"fastvit_mci2", {MO_FASTVIT_SMALL, 4, {4, 12, 24, 4}, {80, 160, 320, 640}, 3, 1e-5}},
    {"fastvit_mci3", {MO_FASTVIT_LARGE, 5, {2, 12, 24, 4, 2}, {96, 192, 384, 768, 1536}, 4, 1e-5}},
    {"fastvit_mci4", {MO_FASTVIT_LARGE, 5, {2, 12, 24, 4, 4}, {128, 256, 512, 1024, 2048}, 4, 1e-5}},
};
#define N_FASTVITS (sizeof fastvits / sizeof *fastvits)

static mopd_status find(size_t *out, const char *name, const char *path)
{
    for (*out = 0; *out < N_TOWERS; ++*out)
        if (!strcmp(name, towers[*out].name)) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: vision_cfg.timm_model_name \"%s\" is not supported; vit_base_patch16_siglip_224, fastvit_mci0 "
        "and their kin are",
        path, name);
}

/* Whether o.key is `word`. */
static mopd_status need_word(const mo_json *o, const char *key, const char *word, const char *path)
{
    const char *text = "";
    mopd_status st = mo_json_may_string(o, key, path, &text);
    if (st == MOPD_OK && strcmp(text, word) != 0)
        st = mo_fail(
            MOPD_E_UNSUPPORTED, "%s: vision_cfg.%s is \"%s\"; \"%s\" is known", path, key, text, word);
    return st;
}

/* The mean of the last map, and the network's own last layer as the projection.  A convolution takes any side. */
static mopd_status read_fastvit(mo_config *c, const mo_json *o, size_t i, const char *path)
{
    mopd_status st = need_word(o, "timm_pool", "avg", path);
    if (st == MOPD_OK) st = need_word(o, "timm_proj", "", path);
    if (st == MOPD_OK) st = mo_config_read_side(o, "image_size", path, 224, &c->image);
    c->vision_kind = MO_VISION_FASTVIT;
    c->fastvit = fastvits[i].config;
    return st;
}

/* Where a form reads its feature, what open_clip puts behind it ("": nothing but the network's own last layer), and the
 * epsilon of its norms. */
static const struct {
    const char *pool, *projection;
    double eps;
} forms[MO_VIT_FORMS] = {[MO_VIT_SIGLIP] = {"map", "none", 1e-6},
    [MO_VIT_MOBILECLIP] = {"token", "", 1e-6},
    [MO_VIT_PE] = {"map", "", 1e-5},
    [MO_VIT_TIMM] = {"token", "", 1e-5}};

static mopd_status read_vit(mo_config *c, const mo_json *o, const char *name, const char *path)
{
    size_t i;
    mopd_status st = find(&i, name, path);
    if (st != MOPD_OK) return st;
    const uint32_t form = towers[i].form;
    if ((st = need_word(o, "timm_pool", forms[form].pool, path)) != MOPD_OK) return st;
    if ((st = need_word(o, "timm_proj", forms[form].projection, path)) != MOPD_OK) return st;
    if ((st = mo_config_read_side(o, "image_size", path, 224, &c->image)) != MOPD_OK) return st;
    if (c->image != towers[i].image)
        return mo_fail(MOPD_E_MISMATCH, "%s: vision_cfg.image_size is %u, %s sees %u", path, c->image,
            towers[i].name, towers[i].image);
    c->vision_kind = MO_VISION_VIT;
    c->vit = (mo_vit_config){.patch = towers[i].patch, .form = form};
    c->vit.stack = (mo_stack_config){.width = towers[i].width,
        .layers = towers[i].layers,
        .heads = towers[i].heads,
        .hidden = towers[i].hidden,
        .act = towers[i].act,
        .eps = forms[form].eps};
    return MOPD_OK;
}

mopd_status mo_timm_vision(mo_config *config, const mo_json *vision_cfg, const char *path)
{
    const char *name = "";
    if (!mo_json_as_string(mo_json_get(vision_cfg, "timm_model_name"), &name))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: vision_cfg.timm_model_name is no name", path);
    for (size_t i = 0; i < N_FASTVITS; i++)
        if (!strcmp(name, fastvits[i].name)) return read_fastvit(config, vision_cfg, i, path);
    return read_vit(config, vision_cfg, name, path);
}

#define WHOLE(here, there)                                                                                   \
    {                                                                                                        \
        here, there, 0, 0, false                                                                             \
    }
#define PAIR(here, there) WHOLE(here ".weight", there ".weight"), WHOLE(here ".bias", there ".bias")
#define FUSED(here, there, part, parts)                                                                      \
    {here ".weight", there ".weight", part, parts, false},                                                   \
    {                                                                                                        \
        here ".bias", there ".bias", part, parts, false                                                      \
    }

#define TEXT_BLOCK "text_model.encoder.layers.*."
#define TEXT_STORED "text.transformer.resblocks.*."
#define BLOCK "vision_model.encoder.layers.*."
#define STORED "visual.trunk.blocks.*."
#define HEAD "vision_model.head."
#define POOL "visual.trunk.attn_pool."

#define JOINED(here, there, part)                                                                            \
    {here ".weight", there "_weight", part, 3, false},                                                       \
    {                                                                                                        \
        here ".bias", there "_bias", part, 3, false                                                          \
    }

/* open_clip's text tower of its own class, but for the projection. */
#define TEXT_RULES                                                                                           \
    WHOLE("text_model.embeddings.token_embedding.weight", "text.token_embedding.weight"),                    \
        WHOLE("text_model.embeddings.position_embedding.weight", "text.positional_embedding"),               \
        PAIR(TEXT_BLOCK "layer_norm1", TEXT_STORED "ln_1"),                                                  \
        JOINED(TEXT_BLOCK "self_attn.q_proj", TEXT_STORED "attn.in_proj", 0),                                \
        JOINED(TEXT_BLOCK "self_attn.k_proj", TEXT_STORED "attn.in_proj", 1),                                \
        JOINED(TEXT_BLOCK "self_attn.v_proj", TEXT_STORED "attn.in_proj", 2),                                \
        PAIR(TEXT_BLOCK "self_attn.out_proj", TEXT_STORED "attn.out_proj"),                                  \
        PAIR(TEXT_BLOCK "layer_norm2", TEXT_STORED "ln_2"),                                                  \
        PAIR(TEXT_BLOCK "mlp.fc1", TEXT_STORED "mlp.c_fc"),                                                  \
        PAIR(TEXT_BLOCK "mlp.fc2", TEXT_STORED "mlp.c_proj"),                                                \
        PAIR("text_model.final_layer_norm", "text.ln_final")

/* timm's vision transformers, but for how they begin and end. */
#define VIT_RULES                                                                                            \
    WHOLE("vision_model.embeddings.position_embedding.weight", "visual.trunk.pos_embed"),                    \
        PAIR(BLOCK "layer_norm1", STORED "norm1"), FUSED(BLOCK "self_attn.q_proj", STORED "attn.qkv", 0, 3), \
        FUSED(BLOCK "self_attn.k_proj", STORED "attn.qkv", 1, 3),                                            \
        FUSED(BLOCK "self_attn.v_proj", STORED "attn.qkv", 2, 3),                                            \
        PAIR(BLOCK "self_attn.out_proj", STORED "attn.proj"), PAIR(BLOCK "layer_norm2", STORED "norm2"),     \
        PAIR(BLOCK "mlp.fc1", STORED "mlp.fc1"), PAIR(BLOCK "mlp.fc2", STORED "mlp.fc2"),                    \
        PAIR("vision_model.post_layernorm", "visual.trunk.norm")

/* The pool with a learned query. */
#define POOL_RULES                                                                                           \
    WHOLE(HEAD "probe", POOL "latent"), PAIR(HEAD "attention.q_proj", POOL "q"),                             \
        FUSED(HEAD "attention.k_proj", POOL "kv", 0, 2), FUSED(HEAD "attention.v_proj", POOL "kv", 1, 2),    \
        PAIR(HEAD "attention.out_proj", POOL "proj"), PAIR(HEAD "layernorm", POOL "norm"),                   \
        PAIR(HEAD "mlp.fc1", POOL "mlp.fc1"), PAIR(HEAD "mlp.fc2", POOL "mlp.fc2")

static const mo_naming_rule siglip[] = {
    TEXT_RULES,
    PAIR("text_projection", "text.text_projection"), /* a layer: [outputs][inputs] */
    PAIR("vision_model.embeddings.patch_embedding", "visual.trunk.patch_embed.proj"),
    VIT_RULES,
    POOL_RULES,
};

static const mo_naming_rule mobile[] = {
    TEXT_RULES,
    {"text_projection.weight", "text.text_projection", 0, 0, true},
    WHOLE("vision_model.embeddings.class_embedding", "visual.trunk.cls_token"),
    WHOLE("vision_model.embeddings.stem.*", "visual.trunk.patch_embed.backbone.*"),
    VIT_RULES,
    PAIR("visual_projection", "visual.trunk.head"),
};

/* CLIP's tower in timm, the projection with a bias. */
#define CLIP_RULES                                                                                           \
    TEXT_RULES, {"text_projection.weight", "text.text_projection", 0, 0, true},                              \
        WHOLE("vision_model.embeddings.class_embedding", "visual.trunk.cls_token"),                          \
        WHOLE("vision_model.embeddings.patch_embedding.weight", "visual.trunk.patch_embed.proj.weight"),     \
        PAIR("vision_model.pre_layrnorm", "visual.trunk.norm_pre"), VIT_RULES,                               \
        PAIR("visual_projection", "visual.trunk.head")

static const mo_naming_rule pe[] = {CLIP_RULES, POOL_RULES};
static const mo_naming_rule clip[] = {CLIP_RULES};

/* A class token is one row of a matrix in MobileCLIP's tower, and a vector in the others. */
static const mo_naming_led siglip_led[] = {{"visual.trunk.pos_embed", 1}};
static const mo_naming_led mobile_led[] = {{"visual.trunk.pos_embed", 1}, {"visual.trunk.cls_token", 1}};
static const mo_naming_led pe_led[] = {{"visual.trunk.pos_embed", 1}, {"visual.trunk.cls_token", 2}};
#define clip_led pe_led
static const char *const ignored[] = {MO_LAYOUT_BUFFERS};

#define NAMING(rules)                                                                                        \
    {                                                                                                        \
        .rule = rules, .n_rules = sizeof(rules) / sizeof *(rules), .led = rules##_led,                       \
        .n_led = sizeof rules##_led / sizeof *rules##_led, .ignored = ignored,                               \
        .n_ignored = sizeof ignored / sizeof *ignored                                                        \
    }

const mo_naming mo_timm_siglip_names = NAMING(siglip);
const mo_naming mo_timm_mobile_names = NAMING(mobile);
const mo_naming mo_timm_pe_names = NAMING(pe);
const mo_naming mo_timm_clip_names = NAMING(clip);
