/* SPDX-License-Identifier: MIT
 * metrics.h - how good predictions are: counts, accuracy, macro F1, harmonic mean; how far probabilities can be believed. */
#ifndef MOPD_METRICS_H
#define MOPD_METRICS_H

#include "status.h"

MOPD_BEGIN_DECLS

typedef struct mopd_metrics {
    uint32_t struct_size;
    uint32_t n_classes; /* classes with at least one picture */
    uint64_t n;         /* pictures */
    uint64_t correct;
    double accuracy; /* percent, over pictures */
    double
        macro_f1; /* percent: mean F1 over the classes with at least one picture, as scikit-learn and Dassl */
} mopd_metrics;

/* Adds the outcome of n pictures to confusion, C x C numbers of the caller, who zeroed them at first: rows are
 * true classes, columns predicted ones.  A prediction is the largest of a picture's C logits, ties to the lower
 * index.  Call it batch by batch.  ARG: a label out of range; NUMERIC: a logit is not a number; then nothing
 * was added.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_confusion_add(
    uint32_t *confusion, size_t n_classes, const float *logits, const int32_t *labels, size_t n);

/* Fills metrics, whose struct_size the caller has set to its sizeof, from confusion, C x C.  Classes without a
 * picture do not count.  Accuracy weighs pictures alike, macro F1 weighs classes alike: look at both where classes
 * differ in size.  ARG: struct_size is below that of the first release.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_confusion_get_metrics(
    const uint32_t *confusion, size_t n_classes, mopd_metrics *metrics);

/* *low to *high: the 95 % interval, in percent, of an accuracy of which `correct` of n pictures tell (Wilson
 * 1927).  What another draw of as many pictures would give lies there; accuracies whose intervals overlap widely
 * are not known to differ.  n 0: 0 to 100.  ARG: more correct than n.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_accuracy_interval(uint64_t correct, uint64_t n, double *low, double *high);

/* 2 a b / (a + b), 0 when both are 0: H of base and new accuracy, which is high only where both are (Xian et al.
 * 2017).  Any thread.  Since 0.1. */
MOPD_API double mopd_harmonic_mean(double a, double b);

/* How many bins of equal width probabilities are sorted into, and how many sums a caller keeps of them. */
#define MOPD_CALIBRATION_BINS 15
#define MOPD_CALIBRATION_SUMS 46

/* Adds n pictures to sums, MOPD_CALIBRATION_SUMS numbers of the caller, who zeroed them at first: for each bin
 * of the answer's probability (the softmax of a picture's C logits) the pictures, then for each bin the right
 * ones, then for each bin the sum of the probabilities (a reliability diagram shows the two as shares of the
 * first), at last the sum of -ln of the true class's probability.  Answers are those of
 * mopd_confusion_add.  ARG: a label out of range; NUMERIC: a logit that is not finite; then nothing was
 * added.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_calibration_add(
    double *sums, size_t n_classes, const float *logits, const int32_t *labels, size_t n);

/* Of such sums: the expected calibration error in percent, the mean distance between the probability that answers
 * were given with and the share of them that was right (Naeini et al. 2015; 0 is best); and the mean log loss,
 * -ln of the true class's probability (0 is best, ln C is what guessing gives).  0 for NULL and where nothing
 * was added.  Any thread.  Since 0.1. */
MOPD_API double mopd_calibration_ece(const double *sums);
MOPD_API double mopd_calibration_nll(const double *sums);

/* The former name of mopd_confusion_get_metrics.  Since 0.1. */
MOPD_API mopd_status mopd_metrics_compute(mopd_metrics *metrics, const uint32_t *confusion, size_t n_classes)
    MOPD_DEPRECATED("use mopd_confusion_get_metrics");

MOPD_END_DECLS

#endif
