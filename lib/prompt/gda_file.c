/* SPDX-License-Identifier: MIT
 * gda_file.c - a Gaussian discriminant head as one safetensors file.
 *
 *     text, mean, weight C x D, bias C, factor D x D (of a head that can meet new classes)   F64
 *     features N x D (what new classes are made from)                                        F32
 *     metadata    mopd.kind, .format, .version, .fingerprint: plain texts
 *                 mopd.classes, .settings: JSON
 *
 * A reader meets files of others: shapes and numbers are checked before they are used. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "format/json.h"
#include "prompt/file_parts.h"
#include "prompt/gda.h"
#include "prompt/metadata.h"

enum { MOST_TENSORS = 6 };

/* The tensors of a head whose sizes are known, in the file's order. */
static size_t list_parts(mo_file_part list[MOST_TENSORS], mopd_gda *g, bool widens)
{
    const size_t c = g->n_classes, d = g->dim;
    const mo_file_part all[MOST_TENSORS] = {
        {"text", MO_F64, 2, {c, d}, (void **)&g->text},
        {"mean", MO_F64, 2, {c, d}, (void **)&g->mean},
        {"weight", MO_F64, 2, {c, d}, (void **)&g->weight},
        {"bias", MO_F64, 1, {c, 0}, (void **)&g->bias},
        {"factor", MO_F64, 2, {d, d}, (void **)&g->factor},
        {"features", MO_F32, 2, {g->n, d}, (void **)&g->features},
    };
    memcpy(list, all, sizeof all);
    return widens ? MOST_TENSORS : MOST_TENSORS - 2;
}

static mopd_status declare(mo_safetensors_writer *w, mopd_gda *g)
{
    const mo_names classes = {g->name, g->n_classes};
    mo_file_part list[MOST_TENSORS];
    mo_buf text = {0};
    mo_jsonw j;
    mo_jsonw_init(&j, &text);
    mo_jsonw_object(&j);
    mo_jsonw_kfloat(&j, "alpha", g->alpha);
    mo_jsonw_kfloat(&j, "temperature", g->temperature);
    mo_jsonw_end(&j);
    mopd_status st = mo_metadata_write(w, "mopd.settings", &j, &text);
    if (st == MOPD_OK) st = mo_metadata_write_head(w, "gda", g->fingerprint);
    if (st == MOPD_OK) st = mo_metadata_write_names(w, "mopd.classes", &classes);
    return st == MOPD_OK ? mo_file_parts_declare(w, list, list_parts(list, g, g->factor != NULL)) : st;
}

mopd_status mo_gda_save(const mopd_gda *gda, const char *path)
{
    mo_safetensors_writer *w = NULL;
    mopd_gda *g = (mopd_gda *)(uintptr_t)gda; /* read only */
    mo_file_part list[MOST_TENSORS];
    const size_t n = list_parts(list, g, g->factor != NULL);
    mopd_status st = mo_safetensors_writer_create(&w);
    if (st == MOPD_OK) st = declare(w, g);
    if (st == MOPD_OK) st = mo_safetensors_writer_begin(w, path);
    if (st == MOPD_OK) st = mo_file_parts_write(w, list, n);
    if (st == MOPD_OK) st = mo_safetensors_writer_commit(w);
    mo_safetensors_writer_free(w);
    return st;
}

static mopd_status read_settings(mopd_gda *g, const mo_tensors *f)
{
    const char *path = mo_tensors_path(f);
    const mo_json *root = NULL;
    double alpha = 0, temperature = 0;
    mopd_status st = mo_metadata_json(f, "mopd.settings", &root);
    if (st == MOPD_OK) st = mo_json_need_number(root, "alpha", path, &alpha);
    if (st == MOPD_OK) st = mo_json_need_number(root, "temperature", path, &temperature);
    mo_json_close(root);
    g->alpha = (float)alpha;
    g->temperature = (float)temperature;
    if (st == MOPD_OK && !(g->alpha >= 0 && isfinite(g->alpha)))
        st = mo_fail(MOPD_E_FORMAT, "%s: alpha is %g", path, alpha);
    if (st == MOPD_OK && !(g->temperature > 0 && isfinite(g->temperature)))
        st = mo_fail(MOPD_E_FORMAT, "%s: temperature is %g", path, temperature);
    return st;
}

/* C, D and N from the shapes of text and features; takes the names. */
static mopd_status read_sizes(mopd_gda *g, mo_names *classes, const mo_tensors *f)
{
    const char *path = mo_tensors_path(f);
    const mo_view *text, *features = mo_tensors_find(f, "features");
    mopd_status st = mo_tensors_need(f, "text", &text);
    if (st != MOPD_OK) return st;
    if (text->n_dims != 2 || !text->shape[0] || !text->shape[1] || (features && features->n_dims != 2))
        return mo_fail(MOPD_E_FORMAT, "%s: text or features has another shape than a gda head's", path);
    if (text->shape[0] != classes->n)
        return mo_fail(
            MOPD_E_FORMAT, "%s: %zu classes are named, text has %zu", path, classes->n, text->shape[0]);
    if ((st = mo_bank_check_names((const char *const *)classes->name, classes->n)) != MOPD_OK)
        return st == MOPD_E_ARG ? mo_fail_at(MOPD_E_FORMAT, "%s", path) : st;
    g->dim = text->shape[1];
    g->n = features ? features->shape[0] : 0;
    g->name = classes->name;
    g->n_classes = classes->n;
    *classes = (mo_names){0};
    return MOPD_OK;
}

/* The factor is one: its diagonal is more than 0. */
static mopd_status check_factor(const mopd_gda *g, const char *path)
{
    for (size_t k = 0; g->factor && k < g->dim; k++)
        if (!(g->factor[k * g->dim + k] > 0))
            return mo_fail(MOPD_E_FORMAT, "%s: factor has %g at %zu of its diagonal", path,
                g->factor[k * g->dim + k], k);
    if (!g->factor || g->n) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "%s: features has no row", path);
}

static mopd_status read_all(mopd_gda *g, const mo_tensors *f)
{
    mo_names classes = {0};
    mo_file_part list[MOST_TENSORS];
    mopd_status st = mo_metadata_read_head(f, "gda", "gda head", g->fingerprint);
    if (st == MOPD_OK) st = read_settings(g, f);
    if (st == MOPD_OK) st = mo_metadata_read_names(&classes, f, "mopd.classes");
    if (st == MOPD_OK) st = read_sizes(g, &classes, f);
    mo_names_free(&classes);
    if (st != MOPD_OK) return st;
    const size_t n = list_parts(list, g, mo_tensors_find(f, "factor") != NULL);
    st = mo_file_parts_read(list, n, f, "a gda head's");
    return st == MOPD_OK ? check_factor(g, mo_tensors_path(f)) : st;
}

mopd_status mo_gda_open(mopd_gda **out, const char *path)
{
    mo_tensors *file = NULL;
    mopd_gda *g = mo_mem_calloc(1, sizeof *g);
    if (!g) return MOPD_E_NOMEM;
    mopd_status st = mo_tensors_open(&file, path, true);
    if (st == MOPD_OK) st = read_all(g, file);
    mo_tensors_close(file);
    if (st != MOPD_OK)
        mo_gda_free(g);
    else
        *out = g;
    return st;
}
