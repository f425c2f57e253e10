/* SPDX-License-Identifier: MIT
 * bank.h - class features and what is read from them: logits, probabilities, the best classes.
 *
 *     feature[c] = normalise(mean over m of normalise(text tower(template[m] with class[c])))     C x D
 *     logits = scale x image features . feature^T                                                 n x C
 *     sigmoids = 1 / (1 + exp(-(logits + bias))), of models that have a bias */
#ifndef MO_PROMPT_BANK_H
#define MO_PROMPT_BANK_H

#include "base/names.h"
#include "math/gemm.h"
#include "mopd/bank.h"

struct mopd_bank {
    size_t n_classes, dim; /* C, D */
    float scale;           /* cosine x this = logit */
    bool has_bias;         /* of a model trained with a sigmoid loss */
    float bias;
    float *feature;       /* C x D, rows of length 1 */
    mo_mat packed;        /* the same for products */
    char **name;          /* C; the texts lie in the same block */
    mo_names templates;   /* of the prompts, where it was made from some */
    char fingerprint[65]; /* of the model that made the features, "" where they were given */
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
mopd_status mo_bank_create_calibrated(
    mopd_bank **out, const mopd_bank *bank, const float *features, const int32_t *labels, size_t n);

/* The model's bias, where it has one. */
void mo_bank_take_bias(mopd_bank *bank, const mopd_encoder *encoder);

/* A bank with copies of the names and room for the features; then, when they are filled in as far as `st` tells,
 * packs them for products, or frees the bank. */
mopd_status mo_bank_alloc(
    mopd_bank **out, const char *const *classes, size_t n_classes, size_t dim, float scale);
mopd_status mo_bank_finish(mopd_bank **out, mopd_bank *bank, mopd_status st);

/* A bank's file: docs/files.md.  check_model: MISMATCH where what was read from `place` was made with another model. */
mopd_status mo_bank_save(const mopd_bank *bank, const char *path);
mopd_status mo_bank_open(mopd_bank **out, const char *path);
mopd_status mo_bank_check_model(
    const char *fingerprint, size_t dim, const mopd_encoder *encoder, const char *place);

void mo_bank_logits(const mopd_bank *bank, const float *features, size_t n, float *logits);
void mo_bank_free(mopd_bank *bank);

/* Rows of n x C logits become probabilities in place. */
void mo_bank_softmax(float *logits, size_t n, size_t n_classes);

/* UNSUPPORTED: the bank has no bias. */
mopd_status mo_bank_sigmoids(const mopd_bank *bank, const float *features, size_t n, float *sigmoids);

/* matches, min(top, C): the best classes of one row of logits, ties to the lower index; probability
 * is its softmax. */
void mo_bank_best(
    const float *logits, const float *probability, size_t n_classes, size_t top, mopd_match *matches);
mopd_status mo_bank_top(
    const mopd_bank *bank, const float *features, size_t n, size_t top, mopd_match *matches);

#endif
