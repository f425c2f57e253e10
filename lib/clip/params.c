/* SPDX-License-Identifier: MIT
 * params.c - tables of names and shapes, spelled out block by block. */
#include "clip/params.h"

#include <stdio.h>
#include <string.h>

/* Letters of shapes: W width, H hidden, D feature width, V vocabulary, L rows (positions), P patch, 1
 * scalar. */
typedef struct rule {
    const char *name, *openai; /* behind the prefixes */
    const char *shape;
    int part;
} rule;

static const rule block_rules[] = {
    {"layer_norm1.weight", "ln_1.weight", "W", 0},
    {"layer_norm1.bias", "ln_1.bias", "W", 0},
    {"self_attn.q_proj.weight", "attn.in_proj_weight", "WW", 1},
    {"self_attn.q_proj.bias", "attn.in_proj_bias", "W", 1},
    {"self_attn.k_proj.weight", "attn.in_proj_weight", "WW", 2},
    {"self_attn.k_proj.bias", "attn.in_proj_bias", "W", 2},
    {"self_attn.v_proj.weight", "attn.in_proj_weight", "WW", 3},
    {"self_attn.v_proj.bias", "attn.in_proj_bias", "W", 3},
    {"self_attn.out_proj.weight", "attn.out_proj.weight", "WW", 0},
    {"self_attn.out_proj.bias", "attn.out_proj.bias", "W", 0},
    {"layer_norm2.weight", "ln_2.weight", "W", 0},
    {"layer_norm2.bias", "ln_2.bias", "W", 0},
    {"mlp.fc1.weight", "mlp.c_fc.weight", "HW", 0},
    {"mlp.fc1.bias", "mlp.c_fc.bias", "H", 0},
    {"mlp.fc2.weight", "mlp.c_proj.weight", "WH", 0},
    {"mlp.fc2.bias", "mlp.c_proj.bias", "W", 0},
};

static const rule text_head[] = {
    {"text_model.embeddings.token_embedding.weight", "token_embedding.weight", "VW", 0},
    {"text_model.embeddings.position_embedding.weight", "positional_embedding", "LW", 0},
};
static const rule text_tail[] = {
    {"text_model.final_layer_norm.weight", "ln_final.weight", "W", 0},
    {"text_model.final_layer_norm.bias", "ln_final.bias", "W", 0},
    {"text_projection.weight", "text_projection", "DW", -1},
};
static const rule vit_head[] = {
    {"vision_model.embeddings.class_embedding", "visual.class_embedding", "W", 0},
    {"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight", "W3PP", 0},
    {"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding", "LW", 0},
    {"vision_model.pre_layrnorm.weight", "visual.ln_pre.weight", "W", 0},
    {"vision_model.pre_layrnorm.bias", "visual.ln_pre.bias", "W", 0},
};
static const rule vit_tail[] = {
    {"vision_model.post_layernorm.weight", "visual.ln_post.weight", "W", 0},
    {"vision_model.post_layernorm.bias", "visual.ln_post.bias", "W", 0},
    {"visual_projection.weight", "visual.proj", "DW", -1},
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

typedef struct walk {
    const mo_config *config;
    mo_layout layout;
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

static mopd_status visit(const walk *w, const rule *r, const char *prefix, const char *openai_prefix)
{
    mo_param_spec s = {.n_dims = (int)strlen(r->shape)};
    bool openai = w->layout == MO_LAYOUT_OPENAI;
    snprintf(s.name, sizeof s.name, "%s%s", prefix, r->name);
    snprintf(
        s.stored, sizeof s.stored, "%s%s", openai ? openai_prefix : prefix, openai ? r->openai : r->name);
    for (int i = 0; i < s.n_dims; i++) s.shape[i] = letter(w, r->shape[i]);
    if (openai) {
        s.part = r->part > 0 ? r->part : 0;
        s.in_out = r->part < 0;
    }
    return w->fn(w->ctx, &s);
}

static mopd_status visit_all(
    const walk *w, const rule *rules, size_t n, const char *prefix, const char *openai_prefix)
{
    for (size_t i = 0; i < n; i++) {
        mopd_status st = visit(w, &rules[i], prefix, openai_prefix);
        if (st != MOPD_OK) return st;
    }
    return MOPD_OK;
}

static mopd_status visit_blocks(const walk *w, const char *tower, const char *openai_tower)
{
    for (uint32_t i = 0; i < w->stack->layers; i++) {
        char prefix[64], openai[64];
        snprintf(prefix, sizeof prefix, "%s.encoder.layers.%u.", tower, i);
        snprintf(openai, sizeof openai, "%stransformer.resblocks.%u.", openai_tower, i);
        mopd_status st = visit_all(w, block_rules, N(block_rules), prefix, openai);
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
    if ((st = visit_all(w, text_head, N(text_head), "", "")) != MOPD_OK) return st;
    if ((st = visit_blocks(w, "text_model", "")) != MOPD_OK) return st;
    return visit_all(w, text_tail, N(text_tail), "", "");
}

static mopd_status visit_vit(walk *w)
{
    const mo_vit_config *v = &w->config->vit;
    w->stack = &v->stack;
    w->rows = mo_config_vit_rows(w->config);
    w->patch = v->patch;
    mopd_status st;
    if ((st = visit_all(w, vit_head, N(vit_head), "", "")) != MOPD_OK) return st;
    if ((st = visit_blocks(w, "vision_model", "visual.")) != MOPD_OK) return st;
    return visit_all(w, vit_tail, N(vit_tail), "", "");
}

/* One tensor of the locked tower: "image_model." or "head." here, without it in the files it comes from. */
static mopd_status visit_locked(
    const walk *w, const char *prefix, const char *name, int n_dims, const size_t shape[4])
{
    mo_param_spec s = {.n_dims = n_dims};
    snprintf(s.name, sizeof s.name, "%s%s", prefix, name);
    snprintf(s.stored, sizeof s.stored, "%s%s", w->layout == MO_LAYOUT_LOCKED ? "" : prefix, name);
    memcpy(s.shape, shape, sizeof s.shape);
    return w->fn(w->ctx, &s);
}

/* A convolution without bias and the batch norm behind it. */
static mopd_status visit_conv(const walk *w, const char *conv, const char *norm, const size_t shape[4])
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    char name[64];
    snprintf(name, sizeof name, "%s.weight", conv);
    mopd_status st = visit_locked(w, "image_model.", name, 4, shape);
    for (size_t i = 0; i < N(parts) && st == MOPD_OK; i++) {
        snprintf(name, sizeof name, "%s.%s", norm, parts[i]);
        st = visit_locked(w, "image_model.", name, 1, shape);
    }
    return st;
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
        st = visit_locked(w, rest[i].prefix, rest[i].name, rest[i].n_dims, rest[i].shape);
    return st;
}

mopd_status mo_params_each(const mo_config *config, mo_layout layout, mo_param_fn fn, void *ctx)
{
    walk w = {.config = config, .layout = layout, .fn = fn, .ctx = ctx};
    static const rule scale = {"logit_scale", "logit_scale", "", 0};
    mopd_status st = visit(&w, &scale, "", "");
    if (st != MOPD_OK) return st;
    if ((st = visit_text(&w)) != MOPD_OK) return st;
    return config->vision_kind == MO_VISION_EFFNET ? visit_effnet(&w) : visit_vit(&w);
}
