/* SPDX-License-Identifier: MIT
 * bank_calibrate.c - a bank whose probabilities are those of labelled pictures: scale / T, T of least mean -log p(label). */
#include <string.h>

#include "base/labels.h"
#include "base/mem.h"
#include "prompt/bank.h"
#include "prompt/blend.h"

static mopd_status fit_temperature(
    double *t, const mopd_bank *bank, const float *features, const int32_t *labels, size_t n)
{
    size_t all;
    if (!mo_mul(n, bank->n_classes, &all)) return mo_fail(MOPD_E_ARG, "%zu pictures are too many", n);
    float *logits = mo_mem_alloc(all, sizeof *logits);
    double *wide = mo_mem_alloc(all, sizeof *wide);
    mopd_status st = logits && wide ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) mo_bank_logits(bank, features, n, logits);
    for (size_t i = 0; i < all && st == MOPD_OK; i++) wide[i] = (double)logits[i];
    const mo_blend_rows rows = {.labels = labels, .n = n, .n_classes = bank->n_classes, .text = wide};
    if (st == MOPD_OK) st = mo_blend_temperature(t, &rows);
    mo_mem_free(logits);
    mo_mem_free(wide);
    return st;
}

mopd_status mo_bank_create_calibrated(
    mopd_bank **out, const mopd_bank *bank, const float *features, const int32_t *labels, size_t n)
{
    double t = 1;
    mopd_bank *b = NULL;
    mopd_status st = mo_labels_check(labels, n, bank->n_classes);
    if (st == MOPD_OK) st = fit_temperature(&t, bank, features, labels, n);
    if (st == MOPD_OK)
        st = mo_bank_alloc(&b, (const char *const *)bank->name, bank->n_classes, bank->dim,
            (float)((double)bank->scale / t));
    if (st != MOPD_OK) return st;
    memcpy(b->feature, bank->feature, bank->n_classes * bank->dim * sizeof *b->feature);
    b->has_bias = bank->has_bias;
    b->bias = (float)((double)bank->bias / t);
    memcpy(b->fingerprint, bank->fingerprint, sizeof b->fingerprint);
    st = mo_names_copy(&b->templates, (const char *const *)bank->templates.name, bank->templates.n);
    return mo_bank_finish(out, b, st);
}
