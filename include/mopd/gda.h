/* SPDX-License-Identifier: MIT
 * gda.h - a classifier without training: Gaussian discriminant on features, blended with the text classifier
 * (Wang et al., "A Hard-to-Beat Baseline for Training-free CLIP-based Adaptation", ICLR 2024).
 *
 *     logits = bank's logits + alpha (f . P mu_c - mu_c . P mu_c / 2 - ln C)
 *     P = D inv((n - 1) S + trace(S) I),  S the covariance of the features around their class means mu_c */
#ifndef MOPD_GDA_H
#define MOPD_GDA_H

#include "bank.h"

MOPD_BEGIN_DECLS

typedef struct mopd_gda mopd_gda;

/* Fits to n features, n x D, rows of length 1, with labels in [0, C); the bank gives the text classifier
 * and the names, which are copied.  It takes a second where training takes minutes, and from a few
 * pictures a class on it is the more accurate of the two.  Its logits rank classes well; their own softmax is
 * far too sure, which is why the head has a temperature (mopd_gda_temperature).  A recogniser (recognizer.h) is
 * more accurate still with few pictures: take this one to compare with the published method.
 *
 * alpha weighs the discriminant against the text.  Negative, as a rule: chosen among 1e-4, 1e-3, ... 100 by
 * accuracy in cross-validation over the given features (4 folds, as many as the smallest class has pictures if
 * fewer; ties to the smaller alpha; with a class of one picture: 0.1).  ARG: a label out of range, a class
 * without a feature, an alpha that is not finite.  Free with mopd_gda_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_gda_create(mopd_gda **out, const mopd_bank *bank, const float *features,
    const int32_t *labels, size_t n, float alpha);

/* The same head for the classes of another bank.  A class that `known` has by name keeps its mean; another gets the
 * mean of the 64 training features nearest to its text feature and 16 copies of that text feature.  The precision P
 * is that of `known` when any class is, else the mean over classes of the precision of those 64 features around the
 * text feature (both as the authors' released base-to-new code).  MISMATCH: the bank is of another width; STATE:
 * `known` was made by this call itself from new classes alone; NUMERIC: the nearest features of a new class do not
 * vary.  Free with mopd_gda_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_gda_create_classes(mopd_gda **out, const mopd_gda *known, const mopd_bank *bank);

/* Writes classes, weights, alpha, temperature, the features it was fitted to and the fingerprint of the bank's model as one
 * safetensors file (docs/files.md), beside path, synced and renamed: what was there stays whole until the new file is.
 * The same head gives the same bytes.  IO: cannot be written, with the system's reason.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_gda_save(const mopd_gda *gda, const char *path);

/* Reads such a file: the head that was saved, bit for bit.  encoder may be NULL; otherwise it is compared, so that
 * features never meet another model's: MISMATCH names both fingerprints, or both widths.  FORMAT: no such head,
 * or its parts do not agree; VERSION: newer than this library; IO: cannot be read.  *out is NULL on failure.  Free
 * with mopd_gda_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_gda_open(mopd_gda **out, const char *path, const mopd_encoder *encoder);

/* Number of classes C and feature width D, 0 for NULL; the name of a class as it was given, owned by the head,
 * NULL beyond the last.  Any thread.  Since 0.1. */
MOPD_API size_t mopd_gda_n_classes(const mopd_gda *gda);
MOPD_API size_t mopd_gda_dim(const mopd_gda *gda);
MOPD_API const char *mopd_gda_class_name(const mopd_gda *gda, size_t index);

/* The factor alpha in use, chosen or given: to repeat a fit without choosing again.  0 for NULL.  Any thread.  Since 0.1. */
MOPD_API float mopd_gda_alpha(const mopd_gda *gda);

/* The temperature T that makes softmax(logits / T) a probability: the one under which the training pictures, each left out
 * in its turn, are likeliest (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, with a weak prior
 * around 1).  1 where no class has two pictures, so that nothing can be left out; a head of other classes has that of
 * the head it was made from.  0 for NULL.  Any thread.  Since 0.1. */
MOPD_API float mopd_gda_temperature(const mopd_gda *gda);

/* logits, n x C floats of the caller, of n features, n x D, rows of length 1.  Computed in double precision, so
 * that a row's bits depend on its feature alone.  n may be 0.  NUMERIC: a feature is not finite, or longer than 1e6;
 * ARG: n is beyond all memory.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_gda_logits(const mopd_gda *gda, const float *features, size_t n, float *logits);

/* probabilities, n x C floats of the caller: softmax(logits / T), each row summing to 1.  They compare these classes
 * with each other: a picture of none of them still gets a largest one.  Any thread.  Errors as above.  Since 0.1. */
MOPD_API mopd_status mopd_gda_probabilities(
    const mopd_gda *gda, const float *features, size_t n, float *probabilities);

/* Frees the head; takes NULL.  No call with it may be running.  Since 0.1. */
MOPD_API void mopd_gda_free(mopd_gda *gda);

MOPD_END_DECLS

#endif
