/* SPDX-License-Identifier: MIT
 * api_bank.c - prompt banks: arguments checked, then down. */
#include "mopd/bank.h"
#include "prompt/bank.h"
#include "prompt/template.h"

mopd_status mopd_bank_create(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const char *const *templates, size_t n_templates)
{
    if (!out) return mo_fail(MOPD_E_ARG, "bank: out is NULL");
    *out = NULL;
    if (!encoder) return mo_fail(MOPD_E_ARG, "bank: encoder is NULL");
    if (n_templates && !templates)
        return mo_fail(MOPD_E_ARG, "bank: templates is NULL, their number %zu", n_templates);
    return mo_bank_create(out, encoder, classes, n_classes, templates, n_templates);
}

mopd_status mopd_bank_create_features(mopd_bank **out, const char *const *classes, size_t n_classes,
    const float *features, size_t dim, float logit_scale)
{
    if (!out) return mo_fail(MOPD_E_ARG, "bank: out is NULL");
    *out = NULL;
    if (!features) return mo_fail(MOPD_E_ARG, "bank: features is NULL");
    if (!dim) return mo_fail(MOPD_E_ARG, "bank: features of width 0");
    return mo_bank_create_features(out, classes, n_classes, features, dim, logit_scale);
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

/* n images with no pointers are fine when n is 0. */
static mopd_status check(
    const mopd_bank *bank, const float *features, size_t n, const void *out, const char *name)
{
    if (!bank) return mo_fail(MOPD_E_ARG, "bank is NULL");
    if (n && !features) return mo_fail(MOPD_E_ARG, "bank: features is NULL");
    if (n && !out) return mo_fail(MOPD_E_ARG, "bank: %s is NULL", name);
    return MOPD_OK;
}

mopd_status mopd_bank_logits(const mopd_bank *bank, const float *features, size_t n, float *logits)
{
    mopd_status st = check(bank, features, n, logits, "logits");
    return st == MOPD_OK ? mo_bank_logits(bank, features, n, logits) : st;
}

mopd_status mopd_bank_probabilities(
    const mopd_bank *bank, const float *features, size_t n, float *probabilities)
{
    mopd_status st = check(bank, features, n, probabilities, "probabilities");
    if (st == MOPD_OK) st = mo_bank_logits(bank, features, n, probabilities);
    if (st == MOPD_OK) mo_bank_softmax(probabilities, n, bank->n_classes);
    return st;
}

mopd_status mopd_bank_top(
    const mopd_bank *bank, const float *features, size_t n, size_t top, mopd_match *matches)
{
    mopd_status st = check(bank, features, n, matches, "matches");
    if (st != MOPD_OK) return st;
    if (!top) return mo_fail(MOPD_E_ARG, "bank: top is 0");
    return mo_bank_top(bank, features, n, top, matches);
}

mopd_status mopd_templates_for(const char *name, const char *const **templates, size_t *n)
{
    if (!name || !templates || !n)
        return mo_fail(MOPD_E_ARG, "templates: %s is NULL", !name ? "name" : !templates ? "templates" : "n");
    return mo_template_pool(name, templates, n);
}

void mopd_bank_free(mopd_bank *bank)
{
    mo_bank_free(bank);
}
