/* SPDX-License-Identifier: MIT
 * pack.c - one mappable file with everything a model needs: weights, configuration, vocabulary.
 *
 *     metadata  mopd.kind "model", mopd.version, mopd.config (JSON), mopd.recommended_lr ([x], where one is
 * named)
 *     tensors   the parameters in the order of params.h, matrices as [outputs][inputs]; mopd.tokenizer (U8)
 *
 * Matrices and convolutions take the type asked for; vectors and single numbers stay F32: they are small, and
 * norms lose most by rounding. */
#include "base/buf.h"
#include "base/dtype.h"
#include "base/ints.h"
#include "base/mem.h"
#include "format/safetensors.h"
#include "model/config_json.h"
#include "model/encoder.h"
#include "model/layouts/packed.h"
#include "mopd/version.h"

#define PIECE 65536 /* floats converted at once */

static mopd_status declare(
    mo_safetensors_writer *w, const mopd_encoder *e, mo_dtype dtype, const mo_buf *tokenizer)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < mo_weights_count(e->weights) && st == MOPD_OK; i++) {
        const mo_weight *p = mo_weights_at(e->weights, i);
        st = mo_safetensors_writer_tensor(w, p->name, p->n_dims > 1 ? dtype : MO_F32, p->n_dims, p->shape);
    }
    return st == MOPD_OK ? mo_safetensors_writer_tensor(w, MO_PACKED_TOKENIZER, MO_U8, 1, &tokenizer->size)
                         : st;
}

static mopd_status write_param(
    mo_safetensors_writer *w, const mopd_encoder *e, const mo_weight *p, float *piece)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < p->view.n && st == MOPD_OK; i += PIECE) {
        size_t n = mo_min(p->view.n - i, PIECE);
        mo_weights_floats(p, i, n, piece);
        st = mo_safetensors_writer_floats(w, piece, n);
    }
    mo_weights_release(e->weights, p);
    return st;
}

static mopd_status add_meta(mo_safetensors_writer *w, const mopd_encoder *e)
{
    mo_buf json = {0}, lr = {0};
    mo_jsonw j;
    mo_jsonw_init(&j, &json);
    mo_config_json_write(&e->config, &j);
    mopd_status st = mo_jsonw_done(&j);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, MO_PACKED_KIND, "model");
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, MO_PACKED_VERSION, MOPD_VERSION_STRING);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, MO_PACKED_CONFIG, json.data);
    if (st == MOPD_OK && e->cleaning != mo_packed_cleaning(&e->config))
        st = mo_safetensors_writer_meta(w, MO_PACKED_CLEANING, mo_tokenizer_cleaning_name(e->cleaning));
    if (st == MOPD_OK && e->config.recommended_lr > 0) {
        mo_jsonw_init(&j, &lr);
        mo_jsonw_array(&j);
        mo_jsonw_double(&j, e->config.recommended_lr);
        mo_jsonw_end(&j);
        st = mo_jsonw_done(&j);
        if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, MO_PACKED_LR, lr.data);
    }
    mo_buf_free(&lr);
    mo_buf_free(&json);
    return st;
}

mopd_status mo_pack_encoder(const mopd_encoder *encoder, const char *path, mo_dtype dtype)
{
    mo_buf tokenizer = {0};
    mo_safetensors_writer *w = NULL;
    float *piece = mo_mem_alloc(PIECE, sizeof *piece);
    mopd_status st = piece ? mo_tokenizer_save(encoder->tokenizer, &tokenizer) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_safetensors_writer_create(&w);
    if (st == MOPD_OK) st = add_meta(w, encoder);
    if (st == MOPD_OK) st = declare(w, encoder, dtype, &tokenizer);
    if (st == MOPD_OK) st = mo_safetensors_writer_begin(w, path);
    for (size_t i = 0; i < mo_weights_count(encoder->weights) && st == MOPD_OK; i++)
        st = write_param(w, encoder, mo_weights_at(encoder->weights, i), piece);
    if (st == MOPD_OK) st = mo_safetensors_writer_write(w, tokenizer.data, tokenizer.size);
    if (st == MOPD_OK) st = mo_safetensors_writer_commit(w);
    mo_safetensors_writer_free(w);
    mo_buf_free(&tokenizer);
    mo_mem_free(piece);
    return st;
}
