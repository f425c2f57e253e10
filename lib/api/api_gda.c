/* SPDX-License-Identifier: MIT
 * api_gda.c - include/mopd/gda.h: the Gaussian discriminant head. */
#include <math.h>

#include "api/api.h"
#include "base/floats.h"
#include "base/mem.h"
#include "mopd/gda.h"
#include "prompt/gda.h"

mopd_status mopd_gda_create(mopd_gda **out, const mopd_bank *bank, const float *features,
    const int32_t *labels, size_t n, float alpha)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(bank);
    MO_API_NEED_SOME(n);
    MO_API_NEED_LIST(labels, n);
    MO_API_NEED_FEATURES(features, n, bank->dim);
    if (!isfinite(alpha)) return mo_fail(MOPD_E_ARG, "alpha is not finite");
    return mo_gda_create(out, bank, features, labels, n, alpha);
}

mopd_status mopd_gda_create_classes(mopd_gda **out, const mopd_gda *known, const mopd_bank *bank)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(known);
    MO_API_NEED(bank);
    return mo_gda_create_classes(out, known, bank);
}

mopd_status mopd_gda_save(const mopd_gda *gda, const char *path)
{
    MO_API_NEED(gda);
    MO_API_NEED(path);
    return mo_gda_save(gda, path);
}

mopd_status mopd_gda_open(mopd_gda **out, const char *path, const mopd_encoder *encoder)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(path);
    mopd_gda *gda = NULL;
    mopd_status st = MO_API_OPENING(mo_gda_open(&gda, path));
    if (st == MOPD_OK && encoder) st = mo_bank_check_model(gda->fingerprint, gda->dim, encoder, path);
    if (st != MOPD_OK)
        mo_gda_free(gda);
    else
        *out = gda;
    return st;
}

size_t mopd_gda_n_classes(const mopd_gda *gda)
{
    return gda ? gda->n_classes : 0;
}

size_t mopd_gda_dim(const mopd_gda *gda)
{
    return gda ? gda->dim : 0;
}

const char *mopd_gda_class_name(const mopd_gda *gda, size_t index)
{
    return gda && index < gda->n_classes ? gda->name[index] : NULL;
}

float mopd_gda_temperature(const mopd_gda *gda)
{
    return gda ? gda->temperature : 0;
}

float mopd_gda_alpha(const mopd_gda *gda)
{
    return gda ? gda->alpha : 0;
}

mopd_status mopd_gda_logits(const mopd_gda *gda, const float *features, size_t n, float *logits)
{
    MO_API_NEED(gda);
    MO_API_NEED_FEATURES(features, n, gda->dim);
    MO_API_NEED_ROWS(logits, n, gda->n_classes);
    mo_gda_logits(gda, features, n, logits);
    return MOPD_OK;
}

mopd_status mopd_gda_probabilities(const mopd_gda *gda, const float *features, size_t n, float *probabilities)
{
    MO_API_NEED(gda);
    MO_API_NEED_FEATURES(features, n, gda->dim);
    MO_API_NEED_ROWS(probabilities, n, gda->n_classes);
    mo_gda_probabilities(gda, features, n, probabilities);
    return MOPD_OK;
}

void mopd_gda_free(mopd_gda *gda)
{
    mo_gda_free(gda);
}
