/* SPDX-License-Identifier: MIT
 * text_pack.c - the text tower made and freed, and its parameters unpacked at first use: for the way forward,
 * and for the way back when somebody trains. */
#include <string.h>

#include "base/mem.h"
#include "base/once.h"
#include "clip/text_inner.h"

static void free_back(text_packs *p, size_t layers)
{
    for (size_t i = 0; p->transposed && i < layers; i++) mo_block_transposed_free(&p->transposed[i]);
    mo_mem_free(p->transposed);
    p->transposed = NULL;
    mo_mat_free(&p->proj_transposed);
    memset(&p->proj_transposed, 0, sizeof p->proj_transposed);
    mo_tower_blocks_free(p->exact, layers);
    mo_linear_free(&p->exact_proj);
    p->exact = NULL;
}

static void free_packs(text_packs *p, size_t layers)
{
    mo_mem_free(p->position);
    mo_mem_free(p->norm_block);
    mo_tower_blocks_free(p->blocks, layers);
    mo_linear_free(&p->proj);
    p->position = p->norm_block = NULL;
    p->blocks = NULL;
    memset(&p->proj, 0, sizeof p->proj);
}

mopd_status mo_text_create(
    mo_text **out, const mo_config *config, const mo_weights *weights, mo_precision precision)
{
    *out = NULL;
    mo_text *text = mo_mem_calloc(1, sizeof *text);
    text_packs *packs = mo_mem_calloc(1, sizeof *packs);
    mopd_status st = text && packs ? mo_once_init(&packs->once) : MOPD_E_NOMEM;
    if (st != MOPD_OK) {
        mo_mem_free(packs);
        mo_mem_free(text);
        return st;
    }
    packs->pool.limit = MO_TEXT_KEPT;
    text->config = config->text;
    text->dim = config->dim;
    text->precision = precision;
    text->weights = weights;
    text->packs = packs;
    st = mo_weights_get(weights, "text_model.embeddings.token_embedding.weight", &text->embedding);
    if (st == MOPD_OK)
        *out = text;
    else
        mo_text_free(text);
    return st;
}

void mo_text_free(mo_text *text)
{
    if (!text) return;
    free_back(text->packs, text->config.stack.layers);
    free_packs(text->packs, text->config.stack.layers);
    mo_once_end(&text->packs->once);
    mo_buffer_pool_end(&text->packs->pool);
    mo_mem_free(text->packs);
    mo_mem_free(text);
}

size_t mo_text_width(const mo_text *text)
{
    return text->config.stack.width;
}
size_t mo_text_dim(const mo_text *text)
{
    return text->dim;
}

static mopd_status pack_forward(const void *ctx)
{
    const mo_text *text = ctx;
    text_packs *p = text->packs;
    const mo_stack_config *s = &text->config.stack;
    mopd_status st;
    if ((st = mo_tower_floats(
             &p->position, text->weights, "text_model.embeddings.position_embedding.weight")) != MOPD_OK)
        goto done;
    st = mo_tower_norm(&p->norm_block, &p->norm, text->weights, "text_model.final_layer_norm", (float)s->eps);
    if (st != MOPD_OK) goto done;
    if ((st = mo_tower_blocks(&p->blocks, text->weights, "text_model", s, text->precision)) != MOPD_OK)
        goto done;
    st = mo_tower_linear(&p->proj, text->weights, "text_projection", text->config.proj_bias, text->precision);
done:
    if (st != MOPD_OK) free_packs(p, s->layers);
    return st;
}

static mopd_status pack_exact(const mo_text *text)
{
    text_packs *p = text->packs;
    mopd_status st = mo_tower_blocks(&p->exact, text->weights, "text_model", &text->config.stack, false);
    if (st != MOPD_OK) return st;
    return mo_tower_linear(&p->exact_proj, text->weights, "text_projection", text->config.proj_bias, false);
}

static mopd_status pack_backward(const void *ctx)
{
    const mo_text *text = ctx;
    text_packs *p = text->packs;
    size_t layers = text->config.stack.layers;
    mopd_status st = text->precision ? pack_exact(text) : MOPD_OK;
    const mo_block *blocks = text->precision ? p->exact : p->blocks;
    const mo_linear *proj = text->precision ? &p->exact_proj : &p->proj;
    if (st == MOPD_OK && !(p->transposed = mo_mem_calloc(layers, sizeof *p->transposed))) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_mat_transpose(&p->proj_transposed, &proj->w);
    for (size_t i = 0; i < layers && st == MOPD_OK; i++)
        st = mo_block_transposed_pack(&p->transposed[i], &blocks[i]);
    if (st != MOPD_OK) free_back(p, layers);
    return st;
}

mopd_status mo_text_prepare(const mo_text *text, bool for_training)
{
    text_packs *p = text->packs;
    mopd_status st = mo_once_run(&p->once, 1, pack_forward, text);
    if (st == MOPD_OK && for_training) st = mo_once_run(&p->once, 2, pack_backward, text);
    return st;
}

mopd_status mo_text_embedding(const mo_text *text, uint32_t token, float *row)
{
    if (token >= text->config.vocab)
        return mo_fail(MOPD_E_ARG, "token %u; the vocabulary ends at %u", token, text->config.vocab - 1);
    size_t width = text->config.stack.width;
    mo_weights_floats(text->embedding, (size_t)token * width, width, row);
    return MOPD_OK;
}
