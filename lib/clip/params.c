/* SPDX-License-Identifier: MIT
 * params.c - tables of names and shapes, spelled out block by block. */
#include "clip/params.h"

#include <stdio.h>
#include <string.h>

#include "clip/fastvit_params.h"

/* Letters of shapes: W width, Q a quarter of it, H hidden, D feature width, V vocabulary, L rows (positions), P patch, C
 * a quarter of it, digits themselves. */
typedef struct rule {
    const char *name, *shape;
} rule;

static const rule block_rules[] = {
    {"layer_norm1.weight", "W"},
    {"layer_norm1.bias", "W"},
    {"self_attn.q_proj.weight", "WW"},
    {"self_attn.q_proj.bias", "W"},
    {"self_attn.k_proj.weight", "WW"},
    {"self_attn.k_proj.bias", "W"},
    {"self_attn.v_proj.weight", "WW"},
    {"self_attn.v_proj.bias", "W"},
    {"self_attn.out_proj.weight", "WW"},
    {"self_attn.out_proj.bias", "W"},
    {"layer_norm2.weight", "W"},
    {"layer_norm2.bias", "W"},
    {"mlp.fc1.weight", "HW"},
    {"mlp.fc1.bias", "H"},
    {"mlp.fc2.weight", "WH"},
    {"mlp.fc2.bias", "W"},
};

static const rule text_head[] = {
    {"text_model.embeddings.token_embedding.weight", "VW"},
    {"text_model.embeddings.position_embedding.weight", "LW"},
};
static const rule text_tail[] = {
    {"text_model.final_layer_norm.weight", "W"},
    {"text_model.final_layer_norm.bias", "W"},
    {"text_projection.weight", "DW"},
};
static const rule text_bias[] = {{"text_projection.bias", "D"}};
static const rule vit_class[] = {{"vision_model.embeddings.class_embedding", "W"}};
static const rule vit_patch[] = {{"vision_model.embeddings.patch_embedding.weight", "W3PP"}};
static const rule vit_patch_bias[] = {{"vision_model.embeddings.patch_embedding.bias", "W"}};
static const rule vit_position[] = {{"vision_model.embeddings.position_embedding.weight", "LW"}};
static const rule vit_pre_norm[] = {
    {"vision_model.pre_layrnorm.weight", "W"},
    {"vision_model.pre_layrnorm.bias", "W"},
};
static const rule vit_post_norm[] = {
    {"vision_model.post_layernorm.weight", "W"},
    {"vision_model.post_layernorm.bias", "W"},
};
static const rule vit_probe[] = {
    {"vision_model.head.probe", "11W"},
    {"vision_model.head.attention.q_proj.weight", "WW"},
    {"vision_model.head.attention.q_proj.bias", "W"},
    {"vision_model.head.attention.k_proj.weight", "WW"},
    {"vision_model.head.attention.k_proj.bias", "W"},
    {"vision_model.head.attention.v_proj.weight", "WW"},
    {"vision_model.head.attention.v_proj.bias", "W"},
    {"vision_model.head.attention.out_proj.weight", "WW"},
    {"vision_model.head.attention.out_proj.bias", "W"},
    {"vision_model.head.layernorm.weight", "W"},
    {"vision_model.head.layernorm.bias", "W"},
    {"vision_model.head.mlp.fc1.weight", "HW"},
    {"vision_model.head.mlp.fc1.bias", "H"},
    {"vision_model.head.mlp.fc2.weight", "WH"},
    {"vision_model.head.mlp.fc2.bias", "W"},
};
static const rule vit_projection[] = {{"visual_projection.weight", "DW"}};
static const rule vit_projection_bias[] = {{"visual_projection.bias", "D"}};

/* The class token as timm stores it, but for the first 1. */
static const rule vit_stem[] = {
    {"vision_model.embeddings.class_embedding", "1W"},
    {"vision_model.embeddings.stem.0.conv.weight", "Q3CC"},
    {"vision_model.embeddings.stem.0.bn.weight", "Q"},
    {"vision_model.embeddings.stem.0.bn.bias", "Q"},
    {"vision_model.embeddings.stem.0.bn.running_mean", "Q"},
    {"vision_model.embeddings.stem.0.bn.running_var", "Q"},
    {"vision_model.embeddings.stem.1.conv.weight", "QQ22"},
    {"vision_model.embeddings.stem.1.bn.weight", "Q"},
    {"vision_model.embeddings.stem.1.bn.bias", "Q"},
    {"vision_model.embeddings.stem.1.bn.running_mean", "Q"},
    {"vision_model.embeddings.stem.1.bn.running_var", "Q"},
    {"vision_model.embeddings.stem.2.conv.weight", "WQ22"},
    {"vision_model.embeddings.stem.2.conv.bias", "W"},
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

typedef struct walk {
    const mo_config *config;
    mo_param_fn fn;
    void *ctx;
    const mo_stack_config *stack; /* W, H */
    size_t rows, vocab, patch;    /* L, V, P */
} walk;

static size_t letter(const walk *w, char c)
{
    switch (c) {
    case 'W':
        return w->stack->width;
    case 'Q':
        return w->stack->width / 4;
    case 'C':
        return w->patch / 4;
    case 'H':
        return w->stack->hidden;
    case 'D':
        return w->config->dim;
    case 'V':
        return w->vocab;
    case 'L':
        return w->rows;
    case 'P':
        return w->patch;
    default:
        return (size_t)(c - '0');
    }
}

static mopd_status visit(const walk *w, const rule *r, const char *prefix)
{
    mo_param_spec s = {.n_dims = (int)strlen(r->shape)};
    snprintf(s.name, sizeof s.name, "%s%s", prefix, r->name);
    for (int i = 0; i < s.n_dims; i++) s.shape[i] = letter(w, r->shape[i]);
    return w->fn(w->ctx, &s);
}

static mopd_status visit_all(const walk *w, const rule *rules, size_t n, const char *prefix)
{
    for (size_t i = 0; i < n; i++) {
        mopd_status st = visit(w, &rules[i], prefix);
        if (st != MOPD_OK) return st;
    }
    return MOPD_OK;
}

static mopd_status visit_blocks(const walk *w, const char *tower)
{
    for (uint32_t i = 0; i < w->stack->layers; i++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%s.encoder.layers.%u.", tower, i);
        mopd_status st = visit_all(w, block_rules, N(block_rules), prefix);
        if (st != MOPD_OK) return st;
    }
    return MOPD_OK;
}

static mopd_status visit_text(walk *w)
{
    const mo_text_config *t = &w->config->text;
    w->stack = &t->stack;
    w->rows = t->context;
    w->vocab = t->vocab;
    mopd_status st;
    if ((st = visit_all(w, text_head, N(text_head), "")) != MOPD_OK) return st;
    if ((st = visit_blocks(w, "text_model")) != MOPD_OK) return st;
    if ((st = visit_all(w, text_tail, N(text_tail), "")) != MOPD_OK) return st;
    return t->proj_bias ? visit_all(w, text_bias, N(text_bias), "") : MOPD_OK;
}

/* Some rules, where a tower has what they are of. */
typedef struct part {
    bool there;
    const rule *rules;
    size_t n;
} part;

static mopd_status visit_parts(const walk *w, const part *parts, size_t n)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++)
        if (parts[i].there) st = visit_all(w, parts[i].rules, parts[i].n, "");
    return st;
}

static mopd_status visit_vit(walk *w)
{
    const mo_vit_config *v = &w->config->vit;
    w->stack = &v->stack;
    const mo_vit_traits *t = mo_config_vit_traits(v->form);
    w->rows = mo_config_vit_rows(w->config) - t->stem;
    w->patch = v->patch;
    const part head[] = {{t->class_row && !t->stem, vit_class, N(vit_class)},
        {!t->stem, vit_patch, N(vit_patch)}, {t->stem, vit_stem, N(vit_stem)},
        {t->patch_bias, vit_patch_bias, N(vit_patch_bias)}, {true, vit_position, N(vit_position)},
        {t->pre_norm, vit_pre_norm, N(vit_pre_norm)}};
    const part tail[] = {{true, vit_post_norm, N(vit_post_norm)}, {t->probe, vit_probe, N(vit_probe)},
        {t->projection, vit_projection, N(vit_projection)},
        {t->projection_bias, vit_projection_bias, N(vit_projection_bias)}};
    mopd_status st;
    if ((st = visit_parts(w, head, N(head))) != MOPD_OK) return st;
    if ((st = visit_blocks(w, "vision_model")) != MOPD_OK) return st;
    return visit_parts(w, tail, N(tail));
}

/* One tensor of the EfficientNet or of its head. */
static mopd_status visit_tensor(
    const walk *w, const char *prefix, const char *name, int n_dims, const size_t shape[4])
{
    mo_param_spec s = {.n_dims = n_dims};
    snprintf(s.name, sizeof s.name, "%s%s", prefix, name);
    memcpy(s.shape, shape, sizeof s.shape);
    return w->fn(w->ctx, &s);
}

/* A convolution without bias and the batch norm behind it. */
static mopd_status visit_normed(
    const walk *w, const char *prefix, const char *conv, const char *norm, const size_t shape[4])
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    char name[64];
    snprintf(name, sizeof name, "%s.weight", conv);
    mopd_status st = visit_tensor(w, prefix, name, 4, shape);
    for (size_t i = 0; i < N(parts) && st == MOPD_OK; i++) {
        snprintf(name, sizeof name, "%s.%s", norm, parts[i]);
        st = visit_tensor(w, prefix, name, 1, shape);
    }
    return st;
}

static mopd_status visit_conv(const walk *w, const char *conv, const char *norm, const size_t shape[4])
{
    return visit_normed(w, "image_model.", conv, norm, shape);
}

/* Bottleneck i of a stage: 1 x 1, 3 x 3, 1 x 1, and in the first one a way around. */
static mopd_status visit_bottleneck(const walk *w, size_t stage, size_t i, size_t in, size_t inner)
{
    const struct {
        const char *conv, *norm;
        size_t shape[4];
    } rest[] = {
        {"conv1", "bn1", {inner, in, 1, 1}},
        {"conv2", "bn2", {inner, inner, 3, 3}},
        {"conv3", "bn3", {4 * inner, inner, 1, 1}},
        {"downsample.0", "downsample.1", {4 * inner, in, 1, 1}},
    };
    char prefix[48];
    mopd_status st = MOPD_OK;
    snprintf(prefix, sizeof prefix, "resnet.layer%zu.%zu.", stage + 1, i);
    for (size_t k = 0; k < (i ? 3 : N(rest)) && st == MOPD_OK; k++)
        st = visit_normed(w, prefix, rest[k].conv, rest[k].norm, rest[k].shape);
    return st;
}

static mopd_status visit_pool(const walk *w)
{
    static const char *const names[] = {"q_proj", "k_proj", "v_proj", "c_proj"};
    const size_t e = mo_config_resnet_features(w->config), dim = w->config->dim,
                 rows = mo_config_resnet_positions(w->config) + 1;
    mopd_status st = visit_tensor(w, "resnet.attnpool.", "positional_embedding", 2, (size_t[4]){rows, e});
    for (size_t i = 0; i < N(names) && st == MOPD_OK; i++) {
        char name[32];
        const size_t n = i == 3 ? dim : e;
        snprintf(name, sizeof name, "%s.weight", names[i]);
        if ((st = visit_tensor(w, "resnet.attnpool.", name, 2, (size_t[4]){n, e})) != MOPD_OK) return st;
        snprintf(name, sizeof name, "%s.bias", names[i]);
        st = visit_tensor(w, "resnet.attnpool.", name, 1, (size_t[4]){n});
    }
    return st;
}

static mopd_status visit_resnet(const walk *w)
{
    const mo_resnet_config *r = &w->config->resnet;
    const size_t half = r->width / 2;
    size_t in = r->width;
    mopd_status st;
    if ((st = visit_normed(w, "resnet.", "conv1", "bn1", (size_t[4]){half, 3, 3, 3})) != MOPD_OK) return st;
    if ((st = visit_normed(w, "resnet.", "conv2", "bn2", (size_t[4]){half, half, 3, 3})) != MOPD_OK)
        return st;
    if ((st = visit_normed(w, "resnet.", "conv3", "bn3", (size_t[4]){in, half, 3, 3})) != MOPD_OK) return st;
    for (size_t s = 0; s < MO_RESNET_STAGES; s++)
        for (size_t i = 0; i < r->layers[s]; i++) {
            const size_t inner = (size_t)r->width << s;
            if ((st = visit_bottleneck(w, s, i, in, inner)) != MOPD_OK) return st;
            in = 4 * inner;
        }
    return visit_pool(w);
}

static mopd_status visit_residual(const walk *w, size_t i, const mo_effnet_block *b)
{
    char conv[48], norm[48];
    mopd_status st = MOPD_OK;
    if (b->expand != b->in) {
        snprintf(conv, sizeof conv, "_blocks.%zu._expand_conv", i);
        snprintf(norm, sizeof norm, "_blocks.%zu._bn0", i);
        st = visit_conv(w, conv, norm, (size_t[4]){b->expand, b->in, 1, 1});
        if (st != MOPD_OK) return st;
    }
    snprintf(conv, sizeof conv, "_blocks.%zu._depthwise_conv", i);
    snprintf(norm, sizeof norm, "_blocks.%zu._bn1", i);
    st = visit_conv(w, conv, norm, (size_t[4]){b->expand, 1, b->kernel, b->kernel});
    if (st != MOPD_OK) return st;
    snprintf(conv, sizeof conv, "_blocks.%zu._project_conv", i);
    snprintf(norm, sizeof norm, "_blocks.%zu._bn2", i);
    return visit_conv(w, conv, norm, (size_t[4]){b->out, b->expand, 1, 1});
}

static mopd_status visit_effnet(const walk *w)
{
    const mo_effnet_config *e = &w->config->effnet;
    size_t dim = w->config->dim;
    mopd_status st = visit_conv(w, "_conv_stem", "_bn0", (size_t[4]){e->stem, 3, 3, 3});
    for (size_t i = 0; i < e->n_blocks && st == MOPD_OK; i++) st = visit_residual(w, i, &e->block[i]);
    if (st != MOPD_OK) return st;
    size_t last = e->block[e->n_blocks - 1].out;
    if ((st = visit_conv(w, "_conv_head", "_bn1", (size_t[4]){e->features, last, 1, 1})) != MOPD_OK)
        return st;
    const struct {
        const char *prefix, *name;
        int n_dims;
        size_t shape[4];
    } rest[] = {
        {"image_model.", "_fc.weight", 2, {e->classes, e->features}},
        {"image_model.", "_fc.bias", 1, {e->classes}},
        {"head.", "names.weight", 2, {e->classes, dim}},
        {"head.", "projection.weight", 2, {dim, e->features}},
        {"head.", "projection.bias", 1, {dim}},
        {"head.", "mix", 0, {0}},
    };
    for (size_t i = 0; i < N(rest) && st == MOPD_OK; i++)
        st = visit_tensor(w, rest[i].prefix, rest[i].name, rest[i].n_dims, rest[i].shape);
    return st;
}

mopd_status mo_params_each(const mo_config *config, mo_param_fn fn, void *ctx)
{
    walk w = {.config = config, .fn = fn, .ctx = ctx};
    static const rule scale = {"logit_scale", ""}, bias = {"logit_bias", ""};
    mopd_status st = visit(&w, &scale, "");
    if (st == MOPD_OK && config->logit_bias) st = visit(&w, &bias, "");
    if (st != MOPD_OK) return st;
    if ((st = visit_text(&w)) != MOPD_OK) return st;
    if (config->vision_kind == MO_VISION_RESNET) return visit_resnet(&w);
    if (config->vision_kind == MO_VISION_FASTVIT) return mo_fastvit_params_each(config, fn, ctx);
    return config->vision_kind == MO_VISION_EFFNET ? visit_effnet(&w) : visit_vit(&w);
}
