/* SPDX-License-Identifier: MIT
 * gda.h - what a Gaussian discriminant head holds (Wang et al., ICLR 2024, arXiv 2402.04087).
 *
 * All is computed in float64, sums in a fixed order. */
#ifndef MO_PROMPT_GDA_H
#define MO_PROMPT_GDA_H

#include "mopd/gda.h"
#include "prompt/bank.h"

struct mopd_gda {
    size_t n_classes, dim;
    float alpha, temperature;
    char fingerprint[65]; /* of the bank */
    char **name;          /* n_classes */
    double *text;         /* C x D: logit scale x class feature of the bank */
    double *mean;         /* C x D */
    double *weight;       /* C x D: P mean */
    double *bias;         /* C: -mean . P mean / 2 - ln C */
    double *factor;  /* D x D: Cholesky factor of D inv(P), lower triangle; NULL when no class is known */
    float *features; /* n x D: what it was fitted to, for new classes */
    size_t n;
};

/* As the public functions of the same end (mopd/gda.h). */
mopd_status mo_gda_create(mopd_gda **out, const mopd_bank *bank, const float *features, const int32_t *labels,
    size_t n, float alpha);
mopd_status mo_gda_create_classes(mopd_gda **out, const mopd_gda *known, const mopd_bank *bank);
void mo_gda_logits(const mopd_gda *gda, const float *features, size_t n, float *logits);
void mo_gda_probabilities(const mopd_gda *gda, const float *features, size_t n, float *probabilities);
mopd_status mo_gda_save(const mopd_gda *gda, const char *path);
mopd_status mo_gda_open(mopd_gda **out, const char *path);
void mo_gda_free(mopd_gda *gda);

/* Training features.  Those of the fold `without` are held out. */
typedef struct mo_gda_sample {
    const float *features;
    const int32_t *labels;
    const uint8_t *fold;
    int without; /* -1: none is held out */
    size_t n;
} mo_gda_sample;

bool mo_gda_is_used(const mo_gda_sample *sample, size_t i);

/* Means, factor, weights and biases from what is not held out. */
mopd_status mo_gda_fit(mopd_gda *gda, const mo_gda_sample *sample);

/* The two parts of class c's logit. */
void mo_gda_parts(const mopd_gda *gda, const float *feature, size_t c, double *text, double *gauss);

/* alpha from folds of the sample, after which the fit is a fold's; the temperature of a fitted head from the same sample. */
mopd_status mo_gda_choose(mopd_gda *gda, mo_gda_sample sample);
mopd_status mo_gda_temper(mopd_gda *gda, const mo_gda_sample *sample);

/* A head of the bank's classes: names, text and room for the rest, with n features to be filled in. */
mopd_status mo_gda_head(mopd_gda **out, const mopd_bank *bank, size_t n);

/* weight = P mean and bias of every class, given P as D x D, or as the Cholesky factor of D inv(P) where
 * precision is NULL. */
void mo_gda_finish(mopd_gda *gda, const double *factor, const double *precision);

#endif
