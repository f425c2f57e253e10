/* SPDX-License-Identifier: MIT
 * bank.h - a prompt bank: class names turned into class features, and pictures compared with them.
 *
 * Immutable after creation: any number of threads.  A bank copies what it needs and may outlive its
 * encoder.  Making one takes a millisecond or two for each class and template; a program that starts often keeps
 * the bank in a file. */
#ifndef MOPD_BANK_H
#define MOPD_BANK_H

#include "encoder.h"

MOPD_BEGIN_DECLS

typedef struct mopd_bank mopd_bank;

/* One class of an image's ranking. */
typedef struct mopd_match {
    uint32_t index;    /* of the class */
    float probability; /* softmax over all classes of the bank */
    float logit;       /* logit_scale x cosine */
} mopd_match;

/* Class features from n_classes names and n_templates hard prompts, each with one or more "{}" for the name
 * ("_" in a name becomes " ").  Per class: the mean of the normalised features of all its prompts, normalised
 * again (Radford et al. 2021).  n_templates 0: "a photo of a {}.".  Several templates are a little more
 * accurate and take as many times as long.  Names and texts are copied.
 *
 * ARG: no class, an empty or repeated name, names that are one to the model (mopd_classes_check), a template without
 * "{}", text that is not UTF-8, a prompt too long for the tower (named; see MOPD_TEXT_TRUNCATE).  *out is NULL on
 * failure.  Free with mopd_bank_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_bank_create(mopd_bank **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const char *const *templates, size_t n_templates);

/* Whether class names can stand beside each other: ARG, with both names, for one that is empty, no UTF-8 or repeated, and
 * for two that are the same words to a model: upper and lower case, "_", blanks and the two ways of writing an accent
 * make no difference ("Cup" and "cup", "ice_cream" and "ice cream").  same (2, may be NULL): the indices of those two,
 * the later one second, or n_classes twice.  For telling a user the lines of his list.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_classes_check(const char *const *classes, size_t n_classes, size_t *same);

/* A bank from given class features, n_classes x dim, which are normalised here and copied, and the factor that turns
 * a cosine into a logit (mopd_encoder_info.logit_scale of the model that made them; another gives other
 * probabilities).  For features that were computed elsewhere or kept from an earlier run.  NUMERIC: a row is zero or
 * not finite; ARG: names as above, dim 0.  *out is NULL on failure.  Free with mopd_bank_free.  Any thread.
 * Since 0.1. */
MOPD_API mopd_status mopd_bank_create_features(mopd_bank **out, const char *const *classes, size_t n_classes,
    const float *features, size_t dim, float logit_scale);

/* The same bank with the scale that makes its probabilities those of n labelled pictures: features n x D, rows of length 1,
 * labels in [0, C).  The new scale is the old one over a temperature T, which mopd_bank_logit_scale tells; the ranking
 * stays.  T minimises the mean of -log p(label) + (ln T)^2 / n (Guo et al., "On Calibration of Modern Neural Networks",
 * ICML 2017, with a weak prior).  Take pictures that the bank has not learned from: a zero-shot bank has learned from
 * none, a learned prompt's from its training pictures, of which it is too sure.  Some 50 pictures will do.  ARG: a label
 * out of range, n 0; NUMERIC: a feature is not finite.  *out is NULL on failure.  Free with mopd_bank_free.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_bank_create_calibrated(
    mopd_bank **out, const mopd_bank *bank, const float *features, const int32_t *labels, size_t n);

/* Writes features, names, templates, scale and the model's fingerprint as one safetensors file (docs/files.md),
 * beside path, synced and renamed: what was there stays whole until the new file is.  The same bank gives the
 * same bytes.  IO: cannot be written, with the system's reason.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_bank_save(const mopd_bank *bank, const char *path);

/* Reads such a file: the bank that was saved, bit for bit, 10,000 classes in some 30 milliseconds.  encoder may
 * be NULL; otherwise it is compared, so that features never meet another model's: MISMATCH names both
 * fingerprints, or both widths.  FORMAT: no bank, or its parts do not agree; VERSION: newer than this
 * library; IO: cannot be read.  *out is NULL on failure.  Free with mopd_bank_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_bank_open(mopd_bank **out, const char *path, const mopd_encoder *encoder);

/* Number of classes C and feature width D, 0 for NULL; the name of a class as it was given, owned by the bank,
 * NULL beyond the last.  Any thread.  Since 0.1. */
MOPD_API size_t mopd_bank_n_classes(const mopd_bank *bank);
MOPD_API size_t mopd_bank_dim(const mopd_bank *bank);
MOPD_API const char *mopd_bank_class_name(const mopd_bank *bank, size_t index);

/* The class features, C x D, rows of length 1, in the order of the names: for searching by hand, or for files
 * of your own (mopd_bank_save writes ours).  Owned by the bank; NULL for NULL.  Any thread.  Since 0.1. */
MOPD_API const float *mopd_bank_features(const mopd_bank *bank);

/* The factor that turns a cosine into a logit: what mopd_bank_create_features wants beside the features.  0 for
 * NULL.  Any thread.  Since 0.1. */
MOPD_API float mopd_bank_logit_scale(const mopd_bank *bank);

/* What mopd_bank_sigmoids adds to a logit: mopd_encoder_info.logit_bias of the model that made the bank, over the
 * temperature where the bank is calibrated.  NaN for a bank that has none: of a model that was not trained with a
 * sigmoid loss, or of given features.  0 for NULL.  Any thread.  Since 0.1. */
MOPD_API float mopd_bank_logit_bias(const mopd_bank *bank);

/* Where it comes from, for deciding whether a bank of a file is still the one that is wanted: the fingerprint of
 * the model (mopd_encoder_fingerprint), "" for given features and for NULL; the templates it was made from, NULL
 * beyond the last; banks of given features and of learned prompts have none.  Owned by the bank.  Any
 * thread.  Since 0.1. */
MOPD_API const char *mopd_bank_fingerprint(const mopd_bank *bank);
MOPD_API const char *mopd_bank_template(const mopd_bank *bank, size_t index);

/* logits, n x C floats of the caller, of n image features, n x D, rows of length 1: the cosine with each class times
 * the scale.  A row depends on its own feature alone.  n may be 0.  Any thread.  NUMERIC: a feature is not finite,
 * or longer than 1e6; ARG: n is beyond all memory.  Since 0.1. */
MOPD_API mopd_status mopd_bank_logits(const mopd_bank *bank, const float *features, size_t n, float *logits);

/* probabilities, n x C floats of the caller: the softmax of the logits over the bank's classes, each row summing to
 * 1.  They compare these classes with each other: a picture of none of them still gets a largest one.  Any thread.
 * Errors as above.  Since 0.1. */
MOPD_API mopd_status mopd_bank_probabilities(
    const mopd_bank *bank, const float *features, size_t n, float *probabilities);

/* sigmoids, n x C floats of the caller: 1 / (1 + exp(-(logit + bias))), of each class for itself whether it fits, as
 * SigLIP and SigLIP 2 were trained to tell it and as transformers' pipeline shows it.  Rows do not sum to 1: a picture of
 * none of the classes has small numbers everywhere, one of several classes several large ones.  The order of classes is
 * that of the probabilities.  They are as sure as the model is, which often is not very: a threshold is better chosen on
 * pictures than taken to be 0.5.  UNSUPPORTED: the bank has no bias (mopd_bank_logit_bias).  Other errors and
 * threads as above.  Since 0.1. */
MOPD_API mopd_status mopd_bank_sigmoids(
    const mopd_bank *bank, const float *features, size_t n, float *sigmoids);

/* matches, n x min(top, C) of the caller: the best classes of each image, best first, ties to the lower
 * index.  The whole answer for most programs; for all classes at once take the probabilities.  ARG: top 0.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_bank_top(
    const mopd_bank *bank, const float *features, size_t n, size_t top, mopd_match *matches);

/* The method's hard prompts for a dataset (its "task pool", docs/method.md 6.1): *n templates with "{}" in
 * *templates, static.  name, in any case: imagenet, caltech101, oxfordpets, stanfordcars, flowers102, food101,
 * fgvcaircraft, sun397, dtd, eurosat, ucf101.  ARG for another name; the message lists them.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_templates_for(const char *name, const char *const **templates, size_t *n);

/* Frees the bank; takes NULL.  No call with it may be running.  Since 0.1. */
MOPD_API void mopd_bank_free(mopd_bank *bank);

MOPD_END_DECLS

#endif
