/* SPDX-License-Identifier: MIT
 * api_bank.c - include/mopd/bank.h. */
#include "mopd/bank.h"

#include <math.h>
#include <string.h>

#include "api/api.h"
#include "prompt/bank.h"
#include "prompt/template.h"

mopd_status mopd_bank_create(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const char *const *templates, size_t n_templates)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(classes, n_classes);
    MO_API_NEED_LIST(templates, n_templates);
    size_t same[2];
    mopd_status st = mo_bank_check_words(classes, n_classes, same);
    return st == MOPD_OK ? mo_bank_create(out, encoder, classes, n_classes, templates, n_templates) : st;
}

mopd_status mopd_classes_check(const char *const *classes, size_t n_classes, size_t *same)
{
    size_t found[2];
    MO_API_NEED_LIST(classes, n_classes);
    mopd_status st = mo_bank_check_words(classes, n_classes, found);
    if (same) memcpy(same, found, sizeof found);
    return st;
}

mopd_status mopd_bank_create_features(mopd_bank **out, const char *const *classes, size_t n_classes,
    const float *features, size_t dim, float logit_scale)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED_LIST(classes, n_classes);
    MO_API_NEED_SOME(dim);
    MO_API_NEED(features);
    MO_API_NEED_ROWS(features, n_classes, dim);
    return mo_bank_create_features(out, classes, n_classes, features, dim, logit_scale);
}

mopd_status mopd_bank_create_calibrated(
    mopd_bank **out, const mopd_bank *bank, const float *features, const int32_t *labels, size_t n)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(bank);
    MO_API_NEED_SOME(n);
    MO_API_NEED_FEATURES(features, n, bank->dim);
    MO_API_NEED_LIST(labels, n);
    return mo_bank_create_calibrated(out, bank, features, labels, n);
}

mopd_status mopd_bank_save(const mopd_bank *bank, const char *path)
{
    MO_API_NEED(bank);
    MO_API_NEED(path);
    return mo_bank_save(bank, path);
}

mopd_status mopd_bank_open(mopd_bank **out, const char *path, const mopd_encoder *encoder)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(path);
    mopd_bank *bank = NULL;
    mopd_status st = MO_API_OPENING(mo_bank_open(&bank, path));
    if (st == MOPD_OK && encoder) st = mo_bank_check_model(bank->fingerprint, bank->dim, encoder, path);
    if (st == MOPD_OK)
        *out = bank;
    else
        mo_bank_free(bank);
    return st;
}

size_t mopd_bank_n_classes(const mopd_bank *bank)
{
    return bank ? bank->n_classes : 0;
}
size_t mopd_bank_dim(const mopd_bank *bank)
{
    return bank ? bank->dim : 0;
}

const char *mopd_bank_class_name(const mopd_bank *bank, size_t index)
{
    return bank && index < bank->n_classes ? bank->name[index] : NULL;
}

const float *mopd_bank_features(const mopd_bank *bank)
{
    return bank ? bank->feature : NULL;
}

float mopd_bank_logit_scale(const mopd_bank *bank)
{
    return bank ? bank->scale : 0;
}

float mopd_bank_logit_bias(const mopd_bank *bank)
{
    if (!bank) return 0;
    return bank->has_bias ? bank->bias : NAN;
}

const char *mopd_bank_fingerprint(const mopd_bank *bank)
{
    return bank ? bank->fingerprint : "";
}

const char *mopd_bank_template(const mopd_bank *bank, size_t index)
{
    return bank && index < bank->templates.n ? bank->templates.name[index] : NULL;
}

mopd_status mopd_bank_logits(const mopd_bank *bank, const float *features, size_t n, float *logits)
{
    MO_API_NEED(bank);
    MO_API_NEED_FEATURES(features, n, bank->dim);
    MO_API_NEED_ROWS(logits, n, bank->n_classes);
    mo_bank_logits(bank, features, n, logits);
    return MOPD_OK;
}

mopd_status mopd_bank_probabilities(
    const mopd_bank *bank, const float *features, size_t n, float *probabilities)
{
    MO_API_NEED(bank);
    MO_API_NEED_FEATURES(features, n, bank->dim);
    MO_API_NEED_ROWS(probabilities, n, bank->n_classes);
    mo_bank_logits(bank, features, n, probabilities);
    mo_bank_softmax(probabilities, n, bank->n_classes);
    return MOPD_OK;
}

mopd_status mopd_bank_sigmoids(const mopd_bank *bank, const float *features, size_t n, float *sigmoids)
{
    MO_API_NEED(bank);
    MO_API_NEED_FEATURES(features, n, bank->dim);
    MO_API_NEED_ROWS(sigmoids, n, bank->n_classes);
    return mo_bank_sigmoids(bank, features, n, sigmoids);
}

mopd_status mopd_bank_top(
    const mopd_bank *bank, const float *features, size_t n, size_t top, mopd_match *matches)
{
    MO_API_NEED(bank);
    MO_API_NEED_FEATURES(features, n, bank->dim);
    MO_API_NEED_SOME(top);
    MO_API_NEED_ROWS(matches, n, top < bank->n_classes ? top : bank->n_classes);
    return mo_bank_top(bank, features, n, top, matches);
}

mopd_status mopd_templates_for(const char *name, const char *const **templates, size_t *n)
{
    MO_API_NEED(name);
    MO_API_NEED(templates);
    MO_API_NEED(n);
    return mo_template_pool(name, templates, n);
}

void mopd_bank_free(mopd_bank *bank)
{
    mo_bank_free(bank);
}
