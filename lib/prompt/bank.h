/* SPDX-License-Identifier: MIT
 * bank.h - class features and what is read from them: logits, probabilities, the best classes.
 *
 *     feature[c] = normalise(mean over m of normalise(text tower(template[m] with class[c])))     C x D
 *     logits = scale x image features . feature^T                                                 n x C */
#ifndef MO_PROMPT_BANK_H
#define MO_PROMPT_BANK_H

#include "base/mem.h"
#include "math/gemm.h"
#include "mopd/bank.h"

struct mopd_bank {
    size_t n_classes, dim; /* C, D */
    float scale;           /* cosine x this = logit */
    float *feature;        /* C x D, rows of length 1 */
    mo_mat packed;         /* the same for products */
    char **name;           /* C; the texts lie in the same block */
};

/* ARG naming index and name: no class, NULL, an empty or a repeated name. */
mopd_status mo_bank_check_names(const char *const *classes, size_t n_classes);

/* ARG also for names that are the same words to a model: "Cup" and "cup".  same: the two, or n_classes twice. */
mopd_status mo_bank_check_words(const char *const *classes, size_t n_classes, size_t same[2]);

/* features, M x C x D: every template with every class through the text tower, rows of length 1. */
mopd_status mo_bank_grid(const mopd_encoder *encoder, const char *const *classes, size_t n_classes,
    const char *const *templates, size_t n_templates, float *features);

/* As the public functions of the same end (mopd/bank.h); templates are checked here. */
mopd_status mo_bank_create(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const char *const *templates, size_t n_templates);
mopd_status mo_bank_create_features(mopd_bank **out, const char *const *classes, size_t n_classes,
    const float *features, size_t dim, float scale);
mopd_status mo_bank_logits(const mopd_bank *bank, const float *features, size_t n, float *logits);
void mo_bank_free(mopd_bank *bank);

/* Rows of n x C logits become probabilities in place. */
void mo_bank_softmax(float *logits, size_t n, size_t n_classes);

/* matches, min(top, C): the best classes of one row of logits, ties to the lower index; probability
 * is its softmax. */
void mo_bank_best(
    const float *logits, const float *probability, size_t n_classes, size_t top, mopd_match *matches);
mopd_status mo_bank_top(
    const mopd_bank *bank, const float *features, size_t n, size_t top, mopd_match *matches);

#endif
