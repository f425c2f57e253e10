/* SPDX-License-Identifier: MIT
 * config.c - which configurations a tower can be made from, and the words of activations. */
#include "clip/config.h"

#include <string.h>

#define MAX_WIDTH 65536u
#define MAX_LAYERS 1024u
#define MAX_SIDE 8192u
#define MAX_CONTEXT 65536u
#define MAX_VOCAB (1u << 28)

static const struct {
    const char *word;
    mo_act act;
} activations[] = {{"quick_gelu", MO_ACT_QUICK_GELU}, {"gelu", MO_ACT_GELU}, {"gelu_tanh", MO_ACT_GELU_TANH}};
#define N_ACTIVATIONS (sizeof activations / sizeof *activations)

const char *mo_config_vision_name(uint32_t vision_kind)
{
    static const char *const names[] = {"vit", "efficientnet-lite", "resnet", "fastvit"};
    return names[vision_kind];
}

const char *mo_config_activation_name(mo_act act)
{
    size_t i = 0;
    while (i + 1 < N_ACTIVATIONS && activations[i].act != act) i++;
    return activations[i].word;
}

bool mo_config_activation_find(mo_act *act, const char *word)
{
    for (size_t i = 0; i < N_ACTIVATIONS; i++) {
        if (strcmp(word, activations[i].word) != 0) continue;
        *act = activations[i].act;
        return true;
    }
    return false;
}

const mo_vit_traits *mo_config_vit_traits(uint32_t form)
{
    static const mo_vit_traits traits[MO_VIT_FORMS] = {
        [MO_VIT_CLIP] = {.word = "clip", .class_row = true, .pre_norm = true, .projection = true},
        [MO_VIT_SIGLIP] = {.word = "siglip", .patch_bias = true, .probe = true},
        [MO_VIT_MOBILECLIP] = {.word = "mobileclip",
            .class_row = true,
            .projection = true,
            .projection_bias = true,
            .stem = true},
        [MO_VIT_PE] = {.word = "pe",
            .class_row = true,
            .pre_norm = true,
            .probe = true,
            .projection = true,
            .projection_bias = true,
            .rope = true,
            .pool_heads = 8},
        [MO_VIT_TIMM] = {.word = "timm",
            .class_row = true,
            .pre_norm = true,
            .projection = true,
            .projection_bias = true},
    };
    return &traits[form];
}

size_t mo_config_vit_rows(const mo_config *config)
{
    size_t grid = config->image / config->vit.patch;
    return grid * grid + mo_config_vit_traits(config->vit.form)->class_row;
}

size_t mo_config_resnet_features(const mo_config *config)
{
    return (size_t)config->resnet.width * 32;
}

size_t mo_config_resnet_positions(const mo_config *config)
{
    return (size_t)(config->image / 32) * (config->image / 32);
}

const mo_fastvit_traits *mo_config_fastvit_traits(uint32_t form)
{
    static const mo_fastvit_traits traits[MO_FASTVIT_FORMS] = {
        [MO_FASTVIT_SMALL] = {.word = "small", .stem_scale = true, .squeeze = true},
        [MO_FASTVIT_LARGE] = {.word = "large", .layer_norm = true}};
    return &traits[form];
}

/* timm's make_divisible: a quarter rounded to a multiple of 8, a sixteenth rounded. */
size_t mo_config_fastvit_reduced(size_t channels)
{
    const size_t n = (channels / 4 + 4) / 8 * 8;
    return n ? n : 8;
}

size_t mo_config_fastvit_reduced_last(size_t channels)
{
    const size_t n = (channels + 8) / 16;
    return n ? n : 1;
}

static mopd_status check_stack(const mo_stack_config *s, const char *tower, const char *path)
{
    if (!s->width || s->width > MAX_WIDTH || !s->hidden || s->hidden > 16 * MAX_WIDTH)
        return mo_fail(
            MOPD_E_FORMAT, "%s: %s tower of width %u and MLP width %u", path, tower, s->width, s->hidden);
    if (!s->layers || s->layers > MAX_LAYERS)
        return mo_fail(MOPD_E_FORMAT, "%s: %s tower of %u layers", path, tower, s->layers);
    if (!s->heads || s->width % s->heads)
        return mo_fail(MOPD_E_FORMAT, "%s: %s tower of width %u cannot be split into %u heads", path, tower,
            s->width, s->heads);
    if (!(s->eps >= 0 && s->eps < 1))
        return mo_fail(MOPD_E_FORMAT, "%s: %s tower: layer norm epsilon is %g", path, tower, s->eps);
    return MOPD_OK;
}

static mopd_status check_effnet(const mo_effnet_config *e, const char *path)
{
    if (!e->n_blocks || e->n_blocks > MO_EFFNET_MAX_BLOCKS || !e->stem || !e->features || !e->classes)
        return mo_fail(MOPD_E_FORMAT, "%s: EfficientNet of %u blocks, %u to %u channels, %u classes", path,
            e->n_blocks, e->stem, e->features, e->classes);
    uint32_t in = e->stem;
    for (uint32_t i = 0; i < e->n_blocks; i++) {
        const mo_effnet_block *b = &e->block[i];
        if (b->in != in || !b->out || !b->expand || b->expand > MAX_WIDTH || b->out > MAX_WIDTH ||
            (b->kernel != 3 && b->kernel != 5) || b->stride < 1 || b->stride > 2)
            return mo_fail(MOPD_E_FORMAT,
                "%s: EfficientNet block %u: %u to %u to %u channels after %u, kernel %u, stride %u", path, i,
                b->in, b->expand, b->out, in, b->kernel, b->stride);
        in = b->out;
    }
    return MOPD_OK;
}

static mopd_status check_resnet(const mo_config *c, const char *path)
{
    const mo_resnet_config *r = &c->resnet;
    const size_t features = mo_config_resnet_features(c);
    if (!r->width || r->width % 2 || features > MAX_WIDTH)
        return mo_fail(MOPD_E_FORMAT, "%s: ResNet of width %u", path, r->width);
    for (size_t i = 0; i < MO_RESNET_STAGES; i++)
        if (!r->layers[i] || r->layers[i] > MAX_LAYERS)
            return mo_fail(MOPD_E_FORMAT, "%s: ResNet: stage %zu has %u layers", path, i + 1, r->layers[i]);
    if (!r->heads || features % r->heads || features / r->heads % 16)
        return mo_fail(MOPD_E_UNSUPPORTED,
            "%s: ResNet: %u heads for %zu channels; heads of 16, 32, 48 ... are known", path, r->heads,
            features);
    if (c->image % 32)
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: ResNet: a side of %u pixels is no multiple of 32", path, c->image);
    return MOPD_OK;
}

static mopd_status check_fastvit(const mo_fastvit_config *f, const char *path)
{
    if (f->n_stages <= MO_FASTVIT_MIXING || f->n_stages > MO_FASTVIT_STAGES || !f->ratio || f->ratio > 64)
        return mo_fail(MOPD_E_FORMAT, "%s: FastViT of %u stages, MLP ratio %u", path, f->n_stages, f->ratio);
    for (uint32_t s = 0; s < f->n_stages; s++) {
        const uint32_t w = f->width[s];
        if (!f->layers[s] || f->layers[s] > MAX_LAYERS)
            return mo_fail(MOPD_E_FORMAT, "%s: FastViT: stage %u has %u layers", path, s, f->layers[s]);
        if (!w || w > MAX_WIDTH / 2 || (s && w != 2 * f->width[s - 1]))
            return mo_fail(MOPD_E_UNSUPPORTED,
                "%s: FastViT: stage %u has %u channels; twice those of the stage before it are known", path,
                s, w);
        if (s >= MO_FASTVIT_MIXING && w % MO_FASTVIT_HEAD)
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: FastViT: %u channels cannot be split into heads of %d",
                path, w, MO_FASTVIT_HEAD);
    }
    return MOPD_OK;
}

static mopd_status check_vit(const mo_config *c, const char *path)
{
    mopd_status st = check_stack(&c->vit.stack, "vision", path);
    if (st != MOPD_OK) return st;
    if (!c->vit.patch || c->vit.patch > c->image)
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: patches of %u pixels, a side of %u", path, c->vit.patch, c->image);
    const mo_vit_traits *has = mo_config_vit_traits(c->vit.form);
    if (has->rope && c->vit.stack.width / c->vit.stack.heads % 4)
        return mo_fail(MOPD_E_FORMAT, "%s: vision tower with heads of %u, which are turned in fours", path,
            c->vit.stack.width / c->vit.stack.heads);
    if (has->pool_heads && c->vit.stack.width % has->pool_heads)
        return mo_fail(MOPD_E_FORMAT, "%s: vision tower of width %u, pooled by %u heads", path,
            c->vit.stack.width, has->pool_heads);
    if (has->stem && (c->vit.patch % 4 || c->vit.stack.width % 4))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: patches of %u pixels, a width of %u: no multiples of 4", path,
            c->vit.patch, c->vit.stack.width);
    if (!has->projection && c->dim != c->vit.stack.width)
        return mo_fail(MOPD_E_MISMATCH, "%s: features of width %u from a vision tower of width %u", path,
            c->dim, c->vit.stack.width);
    return MOPD_OK;
}

static mopd_status check_text(const mo_text_config *t, const char *path)
{
    mopd_status st = check_stack(&t->stack, "text", path);
    if (st != MOPD_OK) return st;
    if (t->context < 2 || t->context > MAX_CONTEXT || t->vocab < 2 || t->vocab > MAX_VOCAB)
        return mo_fail(MOPD_E_FORMAT, "%s: %u positions, vocabulary of %u", path, t->context, t->vocab);
    if (t->mask == MO_MASK_NONE && t->pad_id >= t->vocab)
        return mo_fail(MOPD_E_FORMAT, "%s: pad id %u, vocabulary of %u", path, t->pad_id, t->vocab);
    if (t->mask == MO_MASK_CAUSAL && t->end_rule == MO_END_LAST)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: a causal text tower that is read at its last position", path);
    return MOPD_OK;
}

static mopd_status check_vision(const mo_config *c, const char *path)
{
    if (c->vision_kind == MO_VISION_EFFNET) return check_effnet(&c->effnet, path);
    if (c->vision_kind == MO_VISION_FASTVIT) return check_fastvit(&c->fastvit, path);
    return c->vision_kind == MO_VISION_RESNET ? check_resnet(c, path) : check_vit(c, path);
}

mopd_status mo_config_check(const mo_config *config, const char *path)
{
    mopd_status st = check_text(&config->text, path);
    if (st != MOPD_OK) return st;
    if (!config->dim || config->dim > MAX_WIDTH)
        return mo_fail(MOPD_E_FORMAT, "%s: features of width %u", path, config->dim);
    if (!config->image || config->image > MAX_SIDE)
        return mo_fail(MOPD_E_FORMAT, "%s: pictures of side %u", path, config->image);
    if ((st = check_vision(config, path)) != MOPD_OK) return st;
    if ((st = mo_pixels_check(&config->pixels)) != MOPD_OK) return mo_fail_at(st, "%s", path);
    size_t height, width;
    if (!mo_pixels_size(&config->pixels, &height, &width))
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: the preprocessing neither crops nor resizes to a fixed size", path);
    if (height != config->image || width != config->image)
        return mo_fail(MOPD_E_MISMATCH,
            "%s: the preprocessing makes %zu x %zu pixels, the vision tower sees %u x %u", path, height,
            width, config->image, config->image);
    return MOPD_OK;
}
