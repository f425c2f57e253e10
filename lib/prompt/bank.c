/* SPDX-License-Identifier: MIT
 * bank.c - class features from names and templates, in bounded memory.
 *
 * Texts go to the text tower in calls of at most MAX_TEXTS, template by template, so that the beginnings
 * they share stand together.  Means are summed in float64. */
#include "prompt/bank.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/view.h"
#include "model/encoder.h"
#include "prompt/template.h"

#define MAX_TEXTS 4096

/* A rectangle of the grid: templates [m, m + n_m) with classes [c, c + n_c). */
typedef struct part {
    const char *const *classes, *const *templates;
    size_t m, n_m, c, n_c;
    mo_progress *progress;
} part;

/* features, n_m x n_c x D. */
static mopd_status encode_part(const mopd_encoder *encoder, const part *p, float *features)
{
    size_t n = p->n_m * p->n_c;
    mo_buf text = {0};
    size_t *at = mo_mem_alloc(n, sizeof *at);
    const char **texts = at ? mo_mem_alloc(n, sizeof *texts) : NULL;
    mopd_status st = texts ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        at[i] = text.size;
        st = mo_template_fill(p->templates[p->m + i / p->n_c], p->classes[p->c + i % p->n_c], &text);
        if (st == MOPD_OK) st = mo_buf_add(&text, "", 1);
    }
    for (size_t i = 0; i < n && st == MOPD_OK; i++) texts[i] = text.data + at[i];
    if (st == MOPD_OK) st = mo_encoder_texts(encoder, texts, n, features, p->progress);
    mo_mem_free((void *)texts);
    mo_mem_free(at);
    mo_buf_free(&text);
    return st;
}

mopd_status mo_bank_grid(const mopd_encoder *encoder, const char *const *classes, size_t n_classes,
    const char *const *templates, size_t n_templates, float *features)
{
    size_t dim = encoder->config.dim, n_c = mo_min(n_classes, MAX_TEXTS);
    size_t n_m = n_c < n_classes ? 1 : MAX_TEXTS / n_c;
    mo_progress progress;
    mopd_status st = mo_progress_begin(&progress, encoder->watcher, "texts", n_classes * n_templates);
    for (size_t m = 0; m < n_templates && st == MOPD_OK; m += n_m)
        for (size_t c = 0; c < n_classes && st == MOPD_OK; c += n_c) {
            part p = {classes, templates, m, mo_min(n_m, n_templates - m), c, mo_min(n_c, n_classes - c),
                &progress};
            st = encode_part(encoder, &p, features + (m * n_classes + c) * dim);
        }
    return st;
}

/* row = sum / |sum|. */
static mopd_status unit_row(float *row, const double *sum, size_t dim, const char *name)
{
    double square = 0;
    for (size_t i = 0; i < dim; i++) square += sum[i] * sum[i];
    if (!(square > 0) || !isfinite(square))
        return mo_fail(MOPD_E_NUMERIC, "the feature of class \"%.200s\" is %s", name,
            square > 0 || square != square ? "not finite" : "zero");
    double length = sqrt(square);
    for (size_t i = 0; i < dim; i++) row[i] = (float)(sum[i] / length);
    return MOPD_OK;
}

/* feature [C x D] = normalised sums over the templates of the normalised features, a block of classes
 * at a time. */
static mopd_status encode_classes(
    const mopd_encoder *encoder, part p, size_t n_classes, size_t n_templates, float *feature)
{
    size_t dim = encoder->config.dim;
    mo_progress progress;
    p.progress = &progress;
    size_t n_c = mo_min(n_classes, MAX_TEXTS), n_m = mo_min(MAX_TEXTS / n_c, n_templates);
    double *sum = mo_mem_alloc(n_c, dim * sizeof *sum);
    float *some = sum ? mo_mem_alloc(n_m * n_c, dim * sizeof *some) : NULL;
    mopd_status st = some ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_progress_begin(&progress, encoder->watcher, "texts", n_classes * n_templates);
    for (p.c = 0; p.c < n_classes && st == MOPD_OK; p.c += n_c) {
        p.n_c = mo_min(n_c, n_classes - p.c);
        memset(sum, 0, p.n_c * dim * sizeof *sum);
        for (p.m = 0; p.m < n_templates && st == MOPD_OK; p.m += n_m) {
            p.n_m = mo_min(n_m, n_templates - p.m);
            if ((st = encode_part(encoder, &p, some)) != MOPD_OK) break;
            for (size_t m = 0; m < p.n_m; m++)
                for (size_t i = 0; i < p.n_c * dim; i++) sum[i] += (double)some[m * p.n_c * dim + i];
        }
        for (size_t c = 0; c < p.n_c && st == MOPD_OK; c++)
            st = unit_row(feature + (p.c + c) * dim, sum + c * dim, dim, p.classes[p.c + c]);
    }
    mo_mem_free(some);
    mo_mem_free(sum);
    return st;
}

mopd_status mo_bank_alloc(
    mopd_bank **out, const char *const *classes, size_t n_classes, size_t dim, float scale)
{
    size_t bytes = 0, floats;
    for (size_t c = 0; c < n_classes; c++) bytes = mo_plus(bytes, strlen(classes[c]) + 1);
    if (!dim || !mo_mul(n_classes, dim, &floats))
        return mo_fail(MOPD_E_ARG, "%zu x %zu features", n_classes, dim);
    mopd_bank *bank = mo_mem_calloc(1, sizeof *bank);
    if (!bank) return MOPD_E_NOMEM;
    bank->n_classes = n_classes;
    bank->dim = dim;
    bank->scale = scale;
    bank->feature = mo_mem_alloc(floats, sizeof *bank->feature);
    bank->name =
        bank->feature ? mo_mem_alloc(mo_plus(mo_times(n_classes, sizeof *bank->name), bytes), 1) : NULL;
    if (!bank->name) {
        mo_bank_free(bank);
        return MOPD_E_NOMEM;
    }
    char *text = (char *)(bank->name + n_classes);
    for (size_t c = 0; c < n_classes; c++) {
        size_t n = strlen(classes[c]) + 1;
        bank->name[c] = memcpy(text, classes[c], n);
        text += n;
    }
    *out = bank;
    return MOPD_OK;
}

mopd_status mo_bank_finish(mopd_bank **out, mopd_bank *bank, mopd_status st)
{
    if (st == MOPD_OK) {
        const mo_view view = {.data = bank->feature,
            .dtype = MO_F32,
            .n_dims = 2,
            .shape = {bank->n_classes, bank->dim},
            .n = bank->n_classes * bank->dim};
        st = mo_mat_pack(&bank->packed, &(mo_mat_part){&view, false}, 1);
    }
    if (st == MOPD_OK)
        *out = bank;
    else
        mo_bank_free(bank);
    return st;
}

void mo_bank_take_bias(mopd_bank *bank, const mopd_encoder *encoder)
{
    bank->has_bias = encoder->config.logit_bias;
    bank->bias = encoder->logit_bias;
}

mopd_status mo_bank_create(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const char *const *templates, size_t n_templates)
{
    static const char *const one[] = {MO_TEMPLATE_DEFAULT};
    mopd_bank *bank;
    if (!n_templates) {
        templates = one;
        n_templates = 1;
    }
    mopd_status st = mo_bank_check_names(classes, n_classes);
    for (size_t m = 0; m < n_templates && st == MOPD_OK; m++) st = mo_template_check(templates[m], m);
    if (st == MOPD_OK)
        st = mo_bank_alloc(&bank, classes, n_classes, encoder->config.dim, encoder->logit_scale);
    if (st != MOPD_OK) return st;
    strcpy(bank->fingerprint, encoder->fingerprint);
    mo_bank_take_bias(bank, encoder);
    st = mo_names_copy(&bank->templates, templates, n_templates);
    if (st == MOPD_OK)
        st = encode_classes(encoder, (part){.classes = classes, .templates = templates}, n_classes,
            n_templates, bank->feature);
    return mo_bank_finish(out, bank, st);
}

mopd_status mo_bank_create_features(mopd_bank **out, const char *const *classes, size_t n_classes,
    const float *features, size_t dim, float scale)
{
    mopd_bank *bank;
    if (!isfinite(scale)) return mo_fail(MOPD_E_NUMERIC, "the logit scale is not finite");
    mopd_status st = mo_bank_check_names(classes, n_classes);
    if (st == MOPD_OK) st = mo_bank_alloc(&bank, classes, n_classes, dim, scale);
    if (st != MOPD_OK) return st;
    double *row = mo_mem_alloc(dim, sizeof *row);
    if (!row) st = MOPD_E_NOMEM;
    for (size_t c = 0; c < n_classes && st == MOPD_OK; c++) {
        for (size_t i = 0; i < dim; i++) row[i] = (double)features[c * dim + i];
        st = unit_row(bank->feature + c * dim, row, dim, classes[c]);
    }
    mo_mem_free(row);
    return mo_bank_finish(out, bank, st);
}

void mo_bank_free(mopd_bank *bank)
{
    if (!bank) return;
    mo_mat_free(&bank->packed);
    mo_names_free(&bank->templates);
    mo_mem_free(bank->name);
    mo_mem_free(bank->feature);
    mo_mem_free(bank);
}
