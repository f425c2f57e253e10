/* SPDX-License-Identifier: MIT
 * pack.c - one mappable file with everything a model needs: weights, configuration, vocabulary.
 *
 *     metadata  mopd.kind "model", mopd.version, mopd.config (JSON), mopd.recommended_lr ([x], where one is
 * named)
 *     tensors   the parameters in the order of params.h, matrices as [outputs][inputs]; mopd.tokenizer (U8)
 *
 * With panels, metadata mopd.panels, the matrices of layers stand first, as products read them (math/mat.h), so that a tower uses
 * them where they lie in the file:
 *
 *     F32, F16  "16"    [outputs / 16][inputs][16]
 *     BF16      "16x2"  [outputs / 16][inputs / 2][16][2], for AMX
 *     I8        "16x4"  [outputs / 16][inputs / 4][16][4]; blocks stand first: their matrices, their scales and sums, the rest
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

/* What is written of a parameter at once. */
typedef enum portion { WHOLE, PANELS, NUMBERS_BESIDE } portion;

typedef mopd_status (*visit_fn)(
    mo_safetensors_writer *w, const pack_job *job, const mo_weight *p, portion part);

static size_t group_of(mo_dtype dtype)
{
    return dtype == MO_I8 ? MO_PACK8_GROUP : dtype == MO_BF16 ? 2 : 1;
}

/* Whole steps of the products that read pairs. */
#define BF16_STEP 32

static bool in_panels(const pack_job *job, const mo_weight *p)
{
    if (!job->panels || !mo_packed_in_panels(p)) return false;
    return job->dtype != MO_BF16 || p->view.n / p->shape[0] % BF16_STEP == 0;
}

/* NAME with an end. */
static mopd_status declare_beside(
    mo_safetensors_writer *w, const mo_weight *p, const char *end, mo_dtype dtype)
{
    char name[MO_PARAM_NAME + sizeof MO_WEIGHTS_SCALE + sizeof MO_WEIGHTS_SUM];
    snprintf(name, sizeof name, "%s%s", p->name, end);
    const size_t groups = mo_pack8_groups(p);
    return mo_safetensors_writer_tensor(
        w, name, dtype, groups > 1 ? 2 : 1, (const size_t[]){p->shape[0], groups});
}

static mopd_status declare_rows(mo_safetensors_writer *w, mo_dtype dtype, const mo_weight *p)
{
    const mo_dtype type = dtype == MO_I8 ? mo_pack8_type(p) : p->n_dims > 1 ? dtype : MO_F32;
    mopd_status st = mo_safetensors_writer_tensor(w, p->name, type, p->n_dims, p->shape);
    return st == MOPD_OK && type == MO_I8 ? declare_beside(w, p, MO_WEIGHTS_SCALE, MO_F32) : st;
}

static mopd_status declare_panels(mo_safetensors_writer *w, mo_dtype dtype, const mo_weight *p)
{
    const size_t g = group_of(dtype), k = p->view.n / p->shape[0];
    const size_t shape[] = {p->shape[0] / MO_VIEW_PANEL, k / g, MO_VIEW_PANEL, g};
    return mo_safetensors_writer_tensor(w, p->name, dtype, g > 1 ? 4 : 3, shape);
}

static mopd_status declare_param(
    mo_safetensors_writer *w, const pack_job *job, const mo_weight *p, portion part)
{
    if (part == PANELS) return declare_panels(w, job->dtype, p);
    if (part == WHOLE) return declare_rows(w, job->dtype, p);
    const mopd_status st = declare_beside(w, p, MO_WEIGHTS_SCALE, MO_F32);
    return st == MOPD_OK ? declare_beside(w, p, MO_WEIGHTS_SUM, MO_I32) : st;
}

/* Does parameter i stand in a block whose matrices are panels of 8 bits? */
static bool in_block_of_panels(const pack_job *job, size_t i)
{
    return job->panels && job->dtype == MO_I8 &&
           mo_pack8_has_panels(job->encoder, mo_weights_at(job->encoder->weights, i));
}

/* Parameters from first to before end, those in panels or the others. */
static mopd_status each_of(
    mo_safetensors_writer *w, const pack_job *job, const size_t range[2], portion part, visit_fn visit)
{
    mopd_status st = MOPD_OK;
    for (size_t i = range[0]; i < range[1] && st == MOPD_OK; i++) {
        const mo_weight *p = mo_weights_at(job->encoder->weights, i);
        const bool matrix = mo_pack8_type(p) == MO_I8;
        if (matrix == (part != WHOLE)) st = visit(w, job, p, part);
    }
    return st;
}

/* A block's matrices first, so that q, k and v lie one behind the other; each tensor fills whole lines of 64 bytes. */
static mopd_status each_block(mo_safetensors_writer *w, const pack_job *job, visit_fn visit)
{
    const mo_weights *weights = job->encoder->weights;
    const size_t n = mo_weights_count(weights);
    mopd_status st = MOPD_OK;
    for (size_t i = 0, end; i < n && st == MOPD_OK; i = end) {
        for (end = i + 1; end < n && in_block_of_panels(job, i) &&
                          mo_pack8_same_block(mo_weights_at(weights, i), mo_weights_at(weights, end));)
            end++;
        if (!in_block_of_panels(job, i)) continue;
        static const portion parts[] = {PANELS, NUMBERS_BESIDE, WHOLE};
        for (size_t p = 0; p < 3 && st == MOPD_OK; p++)
            st = each_of(w, job, (const size_t[]){i, end}, parts[p], visit);
    }
    return st;
}

/* Panels first: each then begins at a multiple of 64 bytes, and q, k and v stand one behind the other. */
static mopd_status each_param(mo_safetensors_writer *w, const pack_job *job, visit_fn visit)
{
    mopd_status st = each_block(w, job, visit);
    for (int panels = 1; panels >= 0; panels--)
        for (size_t i = 0; i < mo_weights_count(job->encoder->weights) && st == MOPD_OK; i++) {
            const mo_weight *p = mo_weights_at(job->encoder->weights, i);
            if (in_block_of_panels(job, i)) continue;
            const bool panel = job->dtype != MO_I8 && in_panels(job, p);
            if (panel == (panels == 1)) st = visit(w, job, p, panel ? PANELS : WHOLE);
        }
    return st;
}

/* Panels of floats as the file has them: g inputs side by side. */
static void group_inputs(float *to, const float *panel, size_t k, size_t g)
{
    for (size_t i = 0; i < k; i++)
        for (size_t o = 0; o < MO_VIEW_PANEL; o++)
            to[(i / g * MO_VIEW_PANEL + o) * g + i % g] = panel[i * MO_VIEW_PANEL + o];
}

static mopd_status write_grouped(mo_safetensors_writer *w, const mo_mat *mat, size_t g)
{
    float *panel = mo_mem_alloc(mat->k, MO_VIEW_PANEL * sizeof *panel);
    mopd_status st = panel ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t o = 0; o < mat->n && st == MOPD_OK; o += MO_VIEW_PANEL) {
        group_inputs(panel, (const float *)mat->packed + o * mat->k, mat->k, g);
        st = mo_safetensors_writer_floats(w, panel, MO_VIEW_PANEL * mat->k);
    }
    mo_mem_free(panel);
    return st;
}

static mopd_status write_panels(mo_safetensors_writer *w, const mo_weight *p, size_t g)
{
    mo_mat mat;
    mopd_status st = mo_mat_pack(&mat, &(mo_mat_part){&p->view, p->in_out}, 1);
    if (st != MOPD_OK) return st;
    st = g == 1 ? mo_safetensors_writer_floats(w, mat.packed, p->view.n) : write_grouped(w, &mat, g);
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

static mopd_status write_in_8(const pack_job *job, const mo_weight *p, portion part, bool *done)
{
    *done = part != WHOLE;
    if (part == PANELS) return mo_pack8_panels(job->in_8, p);
    if (part == NUMBERS_BESIDE) return mo_pack8_beside(job->in_8, p);
    return mo_pack8_write(job->in_8, p, done);
}

static mopd_status write_param(
    mo_safetensors_writer *w, const pack_job *job, const mo_weight *p, portion part)
{
    bool done = false;
    mopd_status st = job->dtype == MO_I8 ? write_in_8(job, p, part, &done) : MOPD_OK;
    if (st == MOPD_OK && !done)
        st = part == PANELS ? write_panels(w, p, group_of(job->dtype)) : write_rows(w, p, job->piece);
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
    if (st == MOPD_OK && job.panels)
        st = mo_safetensors_writer_meta(w, MO_PACKED_PANELS, mo_packed_order(group_of(job.dtype)));
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
    const mopd_encoder *encoder, const char *path, bool panels, const char *const *pictures, size_t n)
{
    mo_calibrate calibration;
    mopd_status st = mo_calibrate_run(&calibration, encoder, pictures, n);
    if (st == MOPD_OK)
        st = write_file((pack_job){.encoder = encoder, .dtype = MO_I8, .panels = panels}, path, &calibration);
    mo_calibrate_free(&calibration);
    return st;
}
