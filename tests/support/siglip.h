/* SPDX-License-Identifier: MIT
 * siglip.h - a folder with a small model of SigLIP's kind as transformers saves one, and its weights under any names. */
#ifndef MOPD_TESTS_SUPPORT_SIGLIP_H
#define MOPD_TESTS_SUPPORT_SIGLIP_H

#include "clip/naming.h"
#include "support/folders.h"
#include "support/towers.h"

/* With room for the vocabulary of the golden folders. */
static inline mo_config siglip_config(void)
{
    mo_config c = tower_siglip_config();
    c.vit.stack.eps = c.text.stack.eps = 1e-6;
    c.text.context = 40;
    c.text.vocab = 530;
    return c;
}

/* Tensors as they are stored: parts of one tensor together. */
typedef struct siglip_tensor {
    char name[MO_NAMING_LONGEST];
    int n_dims;
    size_t shape[8], n;
    float *x;
} siglip_tensor;

static inline siglip_tensor *siglip_place(
    siglip_tensor *all, size_t *n, const mo_naming_place *at, const mo_param_spec *s)
{
    for (size_t i = 0; i < *n; i++)
        if (!strcmp(all[i].name, at->name)) return &all[i];
    siglip_tensor *t = &all[(*n)++];
    *t = (siglip_tensor){
        .n_dims = s->n_dims + at->led, .n = tower_numbers(s) * (size_t)(at->parts ? at->parts : 1)};
    snprintf(t->name, sizeof t->name, "%s", at->name);
    for (int i = 0; i < at->led; i++) t->shape[i] = 1;
    memcpy(t->shape + at->led, s->shape, 4 * sizeof *s->shape);
    if (at->parts) t->shape[at->led] *= (size_t)at->parts;
    t->x = calloc(t->n, sizeof *t->x);
    return t;
}

/* The parameters of a configuration under a naming's names: the same numbers for every naming. */
static inline void siglip_write(const char *path, const mo_config *c, const mo_naming *naming, uint32_t seed)
{
    static siglip_tensor all[400];
    tower_list l = tower_params(c);
    size_t n = 0;
    mo_safetensors_writer *w;
    assert_true(l.n <= 400);
    for (size_t i = 0; i < l.n; i++) {
        mo_naming_place at;
        mo_naming_find(&at, naming, l.spec[i].name);
        siglip_tensor *t = siglip_place(all, &n, &at, &l.spec[i]);
        float *x = t->x + (size_t)at.part * tower_numbers(&l.spec[i]);
        tower_fill(x, &l.spec[i], seed + (uint32_t)i);
        if (!strcmp(l.spec[i].name, "logit_scale")) *x = 2;
        if (!strcmp(l.spec[i].name, "logit_bias")) *x = -1.5f;
    }
    assert_ok(mo_safetensors_writer_create(&w));
    for (size_t i = 0; i < n; i++)
        assert_ok(mo_safetensors_writer_tensor(w, all[i].name, MO_F32, all[i].n_dims, all[i].shape));
    assert_ok(mo_safetensors_writer_begin(w, path));
    for (size_t i = 0; i < n; i++) assert_ok(mo_safetensors_writer_floats(w, all[i].x, all[i].n));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    for (size_t i = 0; i < n; i++) free(all[i].x);
    free(l.spec);
}

/* As transformers' SiglipModel stores them. */
#define SIGLIP_POOL "vision_model.head.attention."
static const mo_naming_rule siglip_hf_rules[] = {{"text_projection.*", "text_model.head.*", 0, 0, false},
    {SIGLIP_POOL "q_proj.*", SIGLIP_POOL "in_proj_*", 0, 3, false},
    {SIGLIP_POOL "k_proj.*", SIGLIP_POOL "in_proj_*", 1, 3, false},
    {SIGLIP_POOL "v_proj.*", SIGLIP_POOL "in_proj_*", 2, 3, false}};
static const mo_naming siglip_hf_names = {.rule = siglip_hf_rules, .n_rules = 4};

static inline void siglip_write_config(const char *folder, const mo_config *c)
{
    char text[1500];
    const mo_stack_config *t = &c->text.stack, *v = &c->vit.stack;
    snprintf(text, sizeof text,
        "{\"model_type\":\"siglip\",\"text_config\":{\"hidden_size\":%u,\"intermediate_size\":%u,"
        "\"num_hidden_layers\":%u,\"num_attention_heads\":%u,\"max_position_embeddings\":%u,\"vocab_size\":%"
        "u,"
        "\"projection_size\":%u},\"vision_config\":{\"hidden_size\":%u,\"intermediate_size\":%u,"
        "\"num_hidden_layers\":%u,\"num_attention_heads\":%u,\"image_size\":%u,\"patch_size\":%u}}",
        t->width, t->hidden, t->layers, t->heads, c->text.context, c->text.vocab, c->dim, v->width, v->hidden,
        v->layers, v->heads, c->image, c->vit.patch);
    folder_write_text(folder, "config.json", text);
    snprintf(text, sizeof text,
        "{\"image_processor_type\":\"SiglipImageProcessor\",\"do_convert_rgb\":null,\"size\":{\"height\":%u,"
        "\"width\":%u}}",
        c->image, c->image);
    folder_write_text(folder, "preprocessor_config.json", text);
}

/* A folder of its own; its tokenizer is CLIP's, of the golden folder. */
static inline const char *siglip_folder(uint32_t seed)
{
    static const char *const tokenizer[] = {"vocab.json", "merges.txt", "tokenizer_config.json"};
    const mo_config c = siglip_config();
    const char *folder = folder_make();
    char path[512];
    folder_join(path, folder, "model.safetensors");
    siglip_write(path, &c, &siglip_hf_names, seed);
    siglip_write_config(folder, &c);
    for (size_t i = 0; i < 3; i++) folder_copy(FOLDERS_GOLD "hf", tokenizer[i], folder, tokenizer[i]);
    return folder;
}

#endif
