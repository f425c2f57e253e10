/* SPDX-License-Identifier: MIT
 * bank_file.c - a bank as one safetensors file: opening it encodes nothing and changes no bit.
 *
 *     features C x D                                                                      F32
 *     metadata    mopd.kind, .format, .version, .fingerprint ("" for given features): plain texts
 *                 mopd.classes, .templates, .settings: JSON
 *
 * A reader meets files of others: shapes, names and numbers are checked before they are used. */
#include <math.h>
#include <string.h>

#include "base/floats.h"
#include "format/json.h"
#include "model/encoder.h"
#include "prompt/bank.h"
#include "prompt/metadata.h"

/* What the file says beside its features. */
typedef struct head {
    mo_names classes, templates;
    double scale, bias;
    bool has_bias;
    char fingerprint[65];
    const mo_view *features;
} head;

static mopd_status add_settings(mo_safetensors_writer *w, const mopd_bank *bank)
{
    mo_buf text = {0};
    mo_jsonw j;
    mo_jsonw_init(&j, &text);
    mo_jsonw_object(&j);
    mo_jsonw_kfloat(&j, "logit_scale", bank->scale);
    if (bank->has_bias) mo_jsonw_kfloat(&j, "logit_bias", bank->bias);
    mo_jsonw_end(&j);
    return mo_metadata_write(w, "mopd.settings", &j, &text);
}

static mopd_status declare(mo_safetensors_writer *w, const mopd_bank *bank)
{
    const mo_names classes = {bank->name, bank->n_classes};
    mopd_status st = mo_metadata_write_head(w, "bank", bank->fingerprint);
    if (st == MOPD_OK) st = add_settings(w, bank);
    if (st == MOPD_OK) st = mo_metadata_write_names(w, "mopd.classes", &classes);
    if (st == MOPD_OK) st = mo_metadata_write_names(w, "mopd.templates", &bank->templates);
    if (st != MOPD_OK) return st;
    return mo_safetensors_writer_tensor(
        w, "features", MO_F32, 2, (const size_t[]){bank->n_classes, bank->dim});
}

mopd_status mo_bank_save(const mopd_bank *bank, const char *path)
{
    mo_safetensors_writer *w = NULL;
    mopd_status st = mo_safetensors_writer_create(&w);
    if (st == MOPD_OK) st = declare(w, bank);
    if (st == MOPD_OK) st = mo_safetensors_writer_begin(w, path);
    if (st == MOPD_OK) st = mo_safetensors_writer_floats(w, bank->feature, bank->n_classes * bank->dim);
    if (st == MOPD_OK) st = mo_safetensors_writer_commit(w);
    mo_safetensors_writer_free(w);
    return st;
}

/* A number that is a float too. */
static mopd_status read_number(double *x, const mo_json *root, const char *key, const char *path)
{
    mopd_status st = mo_json_need_number(root, key, path, x);
    if (st == MOPD_OK && !isfinite((float)*x)) st = mo_fail(MOPD_E_FORMAT, "%s: %s is %g", path, key, *x);
    return st;
}

static mopd_status read_settings(head *h, const mo_tensors *f)
{
    const mo_json *root = NULL;
    mopd_status st = mo_metadata_json(f, "mopd.settings", &root);
    if (st == MOPD_OK) st = read_number(&h->scale, root, "logit_scale", mo_tensors_path(f));
    h->has_bias = mo_json_get(root, "logit_bias") != NULL;
    if (st == MOPD_OK && h->has_bias) st = read_number(&h->bias, root, "logit_bias", mo_tensors_path(f));
    mo_json_close(root);
    return st;
}

/* The features have a row for each class. */
static mopd_status read_shape(head *h, const mo_tensors *f)
{
    mopd_status st = mo_tensors_need(f, "features", &h->features);
    if (st != MOPD_OK) return st;
    const mo_view *v = h->features;
    if (v->dtype != MO_F32 || v->n_dims != 2 || !v->shape[1])
        return mo_fail(
            MOPD_E_FORMAT, "%s: features has another shape or type than a bank's", mo_tensors_path(f));
    if (v->shape[0] == h->classes.n) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "%s: %zu classes are named, features has %zu rows", mo_tensors_path(f),
        h->classes.n, v->shape[0]);
}

static mopd_status read_head(head *h, const mo_tensors *f)
{
    const char *path = mo_tensors_path(f);
    mopd_status st = mo_metadata_read_head(f, "bank", "bank", h->fingerprint);
    if (st == MOPD_OK) st = read_settings(h, f);
    if (st == MOPD_OK) st = mo_metadata_read_names(&h->classes, f, "mopd.classes");
    if (st == MOPD_OK) st = mo_metadata_read_names(&h->templates, f, "mopd.templates");
    if (st != MOPD_OK) return st;
    st = mo_bank_check_names((const char *const *)h->classes.name, h->classes.n);
    if (st == MOPD_E_ARG) return mo_fail_at(MOPD_E_FORMAT, "%s", path);
    return st == MOPD_OK ? read_shape(h, f) : st;
}

/* Takes the templates from the head. */
static mopd_status read_bank(mopd_bank **out, head *h, const char *path)
{
    mopd_bank *bank;
    const mo_view *v = h->features;
    mopd_status st = mo_bank_alloc(
        &bank, (const char *const *)h->classes.name, h->classes.n, v->shape[1], (float)h->scale);
    if (st != MOPD_OK) return st;
    strcpy(bank->fingerprint, h->fingerprint);
    bank->has_bias = h->has_bias;
    bank->bias = (float)h->bias;
    bank->templates = h->templates;
    h->templates = (mo_names){0};
    memcpy(bank->feature, v->data, v->n * sizeof *bank->feature);
    st = mo_floats_check_unit("the feature of class", bank->feature, bank->n_classes, bank->dim);
    if (st != MOPD_OK) st = mo_fail_at(MOPD_E_FORMAT, "%s", path);
    return mo_bank_finish(out, bank, st);
}

mopd_status mo_bank_open(mopd_bank **out, const char *path)
{
    mo_tensors *file = NULL;
    head h = {.scale = 0};
    mopd_status st = mo_tensors_open(&file, path, true);
    if (st == MOPD_OK) st = read_head(&h, file);
    if (st == MOPD_OK) st = read_bank(out, &h, path);
    mo_names_free(&h.templates);
    mo_names_free(&h.classes);
    mo_tensors_close(file);
    return st;
}

mopd_status mo_bank_check_model(
    const char *fingerprint, size_t dim, const mopd_encoder *encoder, const char *place)
{
    if (*fingerprint && strcmp(fingerprint, encoder->fingerprint) != 0)
        return mo_fail(MOPD_E_MISMATCH, "%s: made with the model %s, this one is %s", place, fingerprint,
            encoder->fingerprint);
    if (dim != encoder->config.dim)
        return mo_fail(MOPD_E_MISMATCH, "%s: features of %zu numbers, the model has %u", place, dim,
            (unsigned)encoder->config.dim);
    return MOPD_OK;
}
