/* SPDX-License-Identifier: MIT
 * pack.c - one mappable file with everything a model needs: weights, configuration, vocabulary.
 *
 *     metadata  mopd.kind "model", mopd.version, mopd.config (JSON), mopd.recommended_lr ([x], where one is
 * named)
 *     tensors   the parameters in the order of params.h, matrices as [outputs][inputs]; mopd.tokenizer (U8)
 *
 * With panels, metadata mopd.panels "16", the matrices of layers stand first, [outputs / 16][inputs][16], as products read them
 * (math/mat.h): in F32 a tower uses them where they lie in the file.
 *
 * Matrices and convolutions take the type asked for, or in 8 bits what pack8.h says, with scales [outputs], or [outputs][parts of
 * a row], in a tensor of their name and ".scale" behind it; vectors and single numbers stay F32: they are small, and norms lose
 * most by rounding. */
#include <stdio.h>

#include "base/buf.h"
#include "base/dtype.h"
#include "base/ints.h"
#include "base/mem.h"
#include "format/safetensors.h"
#include "math/mat.h"
#include "model/config_json.h"
#include "model/encoder.h"
#include "model/layouts/packed.h"
#include "model/pack8.h"
#include "mopd/version.h"

#define PIECE 65536 /* floats converted at once */

typedef struct pack_job {
    const mopd_encoder *encoder;
    mo_dtype dtype;
    bool panels;
    float *piece;
    mo_pack8 *in_8;
} pack_job;

static bool in_panels(const pack_job *job, const mo_weight *p)
{
    return job->panels && mo_packed_in_panels(p);
}

static mopd_status declare_scale(mo_safetensors_writer *w, const mo_weight *p)
{
    char name[MO_PARAM_NAME + sizeof MO_WEIGHTS_SCALE];
    snprintf(name, sizeof name, "%s%s", p->name, MO_WEIGHTS_SCALE);
    const size_t groups = mo_pack8_groups(p);
    return mo_safetensors_writer_tensor(
        w, name, MO_F32, groups > 1 ? 2 : 1, (const size_t[]){p->shape[0], groups});
}

static mopd_status declare_rows(mo_safetensors_writer *w, mo_dtype dtype, const mo_weight *p)
{
    const mo_dtype type = dtype == MO_I8 ? mo_pack8_type(p) : p->n_dims > 1 ? dtype : MO_F32;
    mopd_status st = mo_safetensors_writer_tensor(w, p->name, type, p->n_dims, p->shape);
    return st == MOPD_OK && type == MO_I8 ? declare_scale(w, p) : st;
}

static mopd_status declare_param(mo_safetensors_writer *w, const pack_job *job, const mo_weight *p)
{
    if (!in_panels(job, p)) return declare_rows(w, job->dtype, p);
    const size_t shape[] = {p->shape[0] / MO_VIEW_PANEL, p->view.n / p->shape[0], MO_VIEW_PANEL};
    return mo_safetensors_writer_tensor(w, p->name, job->dtype, 3, shape);
}

/* Panels first: each then begins at a multiple of 64 bytes, and q, k and v stand one behind the other. */
static mopd_status each_param(mo_safetensors_writer *w, const pack_job *job,
    mopd_status (*visit)(mo_safetensors_writer *, const pack_job *, const mo_weight *))
{
    mopd_status st = MOPD_OK;
    for (int panels = 1; panels >= 0; panels--)
        for (size_t i = 0; i < mo_weights_count(job->encoder->weights) && st == MOPD_OK; i++) {
            const mo_weight *p = mo_weights_at(job->encoder->weights, i);
            if (in_panels(job, p) == (panels == 1)) st = visit(w, job, p);
        }
    return st;
}

static mopd_status write_panels(mo_safetensors_writer *w, const mo_weight *p)
{
    mo_mat mat;
    mopd_status st = mo_mat_pack(&mat, &(mo_mat_part){&p->view, p->in_out}, 1);
    if (st != MOPD_OK) return st;
    st = mo_safetensors_writer_floats(w, mat.packed, p->view.n);
    mo_mat_free(&mat);
    return st;
}

static mopd_status write_rows(mo_safetensors_writer *w, const mo_weight *p, float *piece)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < p->view.n && st == MOPD_OK; i += PIECE) {
        size_t n = mo_min(p->view.n - i, PIECE);
        mo_weights_floats(p, i, n, piece);
        st = mo_safetensors_writer_floats(w, piece, n);
    }
    return st;
}

static mopd_status write_param(mo_safetensors_writer *w, const pack_job *job, const mo_weight *p)
{
    bool done = false;
    mopd_status st = job->dtype == MO_I8 ? mo_pack8_write(job->in_8, p, &done) : MOPD_OK;
    if (st == MOPD_OK && !done) st = in_panels(job, p) ? write_panels(w, p) : write_rows(w, p, job->piece);
    mo_weights_release(job->encoder->weights, p);
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

/* What is left of the job is filled in here. */
static mopd_status write_file(pack_job job, const char *path, const mo_calibrate *calibration)
{
    const mopd_encoder *encoder = job.encoder;
    mo_buf tokenizer = {0};
    mo_safetensors_writer *w = NULL;
    mo_pack8 in_8 = {.encoder = encoder, .calibration = calibration};
    job.piece = mo_mem_alloc(PIECE, sizeof(float));
    job.in_8 = &in_8;
    mopd_status st = job.piece ? mo_tokenizer_save(encoder->tokenizer, &tokenizer) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_safetensors_writer_create(&w);
    if (st == MOPD_OK) st = add_meta(w, encoder);
    if (st == MOPD_OK && job.panels) st = mo_safetensors_writer_meta(w, MO_PACKED_PANELS, "16");
    if (st == MOPD_OK) st = each_param(w, &job, declare_param);
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, MO_PACKED_TOKENIZER, MO_U8, 1, &tokenizer.size);
    if (st == MOPD_OK) st = mo_safetensors_writer_begin(w, path);
    in_8.writer = w;
    if (st == MOPD_OK) st = each_param(w, &job, write_param);
    if (st == MOPD_OK) st = mo_safetensors_writer_write(w, tokenizer.data, tokenizer.size);
    if (st == MOPD_OK) st = mo_safetensors_writer_commit(w);
    mo_pack8_end(&in_8);
    mo_safetensors_writer_free(w);
    mo_buf_free(&tokenizer);
    mo_mem_free(job.piece);
    return st;
}

mopd_status mo_pack_encoder(const mopd_encoder *encoder, const char *path, mo_dtype dtype, bool panels)
{
    return write_file((pack_job){.encoder = encoder, .dtype = dtype, .panels = panels}, path, NULL);
}

mopd_status mo_pack_calibrated(
    const mopd_encoder *encoder, const char *path, const char *const *pictures, size_t n)
{
    mo_calibrate calibration;
    mopd_status st = mo_calibrate_run(&calibration, encoder, pictures, n);
    if (st == MOPD_OK) st = write_file((pack_job){.encoder = encoder, .dtype = MO_I8}, path, &calibration);
    mo_calibrate_free(&calibration);
    return st;
}
