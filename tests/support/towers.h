/* SPDX-License-Identifier: MIT
 * towers.h - for tests of the towers: small configurations and random weights for them, of no layout. */
#ifndef MOPD_TESTS_SUPPORT_TOWERS_H
#define MOPD_TESTS_SUPPORT_TOWERS_H

#include "test.h"
#include "clip/weights.h"
#include "format/safetensors.h"

/* A stack of the size asked for. */
static inline mo_stack_config tower_stack(uint32_t width, uint32_t layers, uint32_t heads, uint32_t hidden)
{
    return (mo_stack_config){.width = width,
        .layers = layers,
        .heads = heads,
        .hidden = hidden,
        .act = MO_ACT_QUICK_GELU,
        .eps = 1e-5};
}

/* A model with a ViT: two layers, width 24 and 20. */
static inline mo_config tower_config(void)
{
    mo_config c = {.dim = 12, .image = 21, .vision_kind = MO_VISION_VIT};
    c.vit.stack = tower_stack(24, 2, 2, 40);
    c.vit.patch = 7;
    c.text.stack = tower_stack(20, 2, 2, 36);
    c.text.context = 16;
    c.text.vocab = 50;
    c.text.end_rule = MO_END_FIRST;
    c.text.end_id = 49;
    mo_pixels_clip(&c.pixels, c.image);
    return c;
}

/* A model of SigLIP's kind: no class row, a pool with a probe, texts that see their pads; patches that leave pixels over. */
static inline mo_config tower_siglip_config(void)
{
    mo_config c = tower_config();
    c.image = 23;
    c.dim = c.vit.stack.width;
    c.vit.form = MO_VIT_SIGLIP;
    c.vit.stack.act = c.text.stack.act = MO_ACT_GELU_TANH;
    c.text.end_rule = MO_END_LAST;
    c.text.end_id = 0;
    c.text.mask = MO_MASK_NONE;
    c.text.pad_id = 1;
    c.text.proj_bias = true;
    c.logit_bias = true;
    mo_pixels_siglip(&c.pixels, c.image);
    return c;
}

/* The same with MobileCLIP's ViT: nine patches of eight pixels. */
static inline mo_config tower_mobileclip_config(void)
{
    mo_config c = tower_config();
    c.image = 24;
    c.vit.patch = 8;
    c.vit.form = MO_VIT_MOBILECLIP;
    c.vit.stack.act = MO_ACT_GELU;
    mo_pixels_openai(&c.pixels, c.image);
    return c;
}

/* The same with an EfficientNet: both kernels, both strides, with and without expansion and a way around. */
static inline mo_config tower_effnet_config(void)
{
    static const mo_effnet_block blocks[] = {
        {8, 8, 4, 3, 1}, {4, 12, 6, 3, 2}, {6, 18, 6, 5, 1}, {6, 18, 10, 5, 2}, {10, 10, 10, 3, 1}};
    mo_config c = tower_config();
    c.vision_kind = MO_VISION_EFFNET;
    c.image = 30;
    c.effnet = (mo_effnet_config){.stem = 8, .features = 16, .classes = 9, .eps = 1e-3};
    c.effnet.n_blocks = sizeof blocks / sizeof *blocks;
    memcpy(c.effnet.block, blocks, sizeof blocks);
    mo_pixels_effnet(&c.pixels, c.image);
    return c;
}

/* The same with a ResNet: stages of one and of several bottlenecks, 2 x 2 positions to pool, heads of 32. */
static inline mo_config tower_resnet_config(void)
{
    mo_config c = tower_config();
    c.vision_kind = MO_VISION_RESNET;
    c.image = 64;
    c.resnet = (mo_resnet_config){.width = 4, .layers = {2, 1, 3, 1}, .heads = 4, .eps = 1e-5};
    mo_pixels_openai(&c.pixels, c.image);
    return c;
}

/* The same with a FastViT: four stages and sides that are not halved evenly, or five and a layer norm. */
static inline mo_config tower_fastvit_config(uint32_t form)
{
    mo_config c = tower_config();
    c.vision_kind = MO_VISION_FASTVIT;
    c.image = form == MO_FASTVIT_SMALL ? 42 : 64;
    c.fastvit = (mo_fastvit_config){.form = form,
        .n_stages = form == MO_FASTVIT_SMALL ? 4 : 5,
        .layers = {1, 2, 1, 2, 1},
        .width = {4, 8, 16, 32, 64},
        .ratio = 3 + form,
        .eps = 1e-5};
    mo_pixels_openai(&c.pixels, c.image);
    return c;
}

/* All parameters of a configuration. */
typedef struct tower_list {
    mo_param_spec *spec;
    size_t n;
} tower_list;

static inline mopd_status tower_note(void *ctx, const mo_param_spec *spec)
{
    tower_list *l = ctx;
    l->spec = realloc(l->spec, (l->n + 1) * sizeof *l->spec);
    assert_non_null(l->spec);
    l->spec[l->n++] = *spec;
    return MOPD_OK;
}

/* Free spec. */
static inline tower_list tower_params(const mo_config *config)
{
    tower_list l = {0};
    assert_ok(mo_params_each(config, tower_note, &l));
    return l;
}

static inline size_t tower_numbers(const mo_param_spec *s)
{
    size_t n = 1;
    for (int i = 0; i < s->n_dims; i++) n *= s->shape[i];
    return n;
}

/* n numbers such as a parameter of that name may have: variances are positive, scales near 1, a matrix keeps
 * the length of what goes through it. */
static inline void tower_fill(float *x, const mo_param_spec *s, uint32_t seed)
{
    const size_t n = tower_numbers(s);
    const bool weight = strstr(s->name, ".weight") != NULL, variance = strstr(s->name, "running_var") != NULL;
    const double mean = variance || (weight && s->n_dims == 1) ? 1 : 0;
    const double range =
        s->n_dims > 1 && !strstr(s->name, ".gamma") ? sqrt(3.0 / (double)(n / s->shape[0])) : 0.3;
    test_random(x, n, seed);
    for (size_t i = 0; i < n; i++) x[i] = (float)(mean + range * (double)x[i]);
}

/* Writes a file with the parameters of a configuration under their own names. */
static inline const char *tower_write(const char *name, const mo_config *config, uint32_t seed)
{
    const char *path = test_path(name);
    tower_list l = tower_params(config);
    mo_safetensors_writer *w;
    assert_ok(mo_safetensors_writer_create(&w));
    for (size_t i = 0; i < l.n; i++)
        assert_ok(mo_safetensors_writer_tensor(w, l.spec[i].name, MO_F32, l.spec[i].n_dims, l.spec[i].shape));
    assert_ok(mo_safetensors_writer_begin(w, path));
    for (size_t i = 0; i < l.n; i++) {
        const size_t n = tower_numbers(&l.spec[i]);
        float *x = malloc(n * sizeof *x);
        tower_fill(x, &l.spec[i], seed + (uint32_t)i);
        assert_ok(mo_safetensors_writer_floats(w, x, n));
        free(x);
    }
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    free(l.spec);
    return path;
}

/* Weights of one file, not bound yet. */
static inline mopd_status tower_try_open(mo_weights **out, const char *path)
{
    mo_tensors *t;
    mopd_status st = mo_weights_create(out);
    if (st == MOPD_OK) st = mo_tensors_open(&t, path, false);
    if (st == MOPD_OK) st = mo_weights_add(*out, t);
    return st;
}

static inline mo_weights *tower_open(const char *path)
{
    mo_weights *w;
    assert_ok(tower_try_open(&w, path));
    return w;
}

static const mo_naming tower_own_names = {0};

/* Random weights, bound. */
static inline mo_weights *tower_weights(const mo_config *config, uint32_t seed)
{
    mo_weights *w = tower_open(tower_write("tower.safetensors", config, seed));
    assert_ok(mo_weights_bind(w, config, &tower_own_names));
    return w;
}

/* For test_torture: opens and binds the file, and calls fn with the weights. */
typedef struct tower_torture {
    const char *path;
    const mo_config *config;
    mopd_status (*fn)(const mo_config *config, const mo_weights *weights);
} tower_torture;

static inline mopd_status tower_run(void *ctx)
{
    const tower_torture *t = ctx;
    mo_weights *w = NULL;
    mopd_status st = tower_try_open(&w, t->path);
    if (st == MOPD_OK) st = mo_weights_bind(w, t->config, &tower_own_names);
    if (st == MOPD_OK) st = t->fn(t->config, w);
    mo_weights_free(w);
    return st;
}

#endif
