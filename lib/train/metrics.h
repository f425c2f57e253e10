/* SPDX-License-Identifier: MIT
 * metrics.h - counts of right and wrong: see mopd/metrics.h. */
#ifndef MO_TRAIN_METRICS_H
#define MO_TRAIN_METRICS_H

#include "base/fail.h"
#include "mopd/metrics.h"

/* Rows of n x C logits whose largest one is that of the label, ties to the lowest class. */
size_t mo_metrics_correct(const float *logits, size_t n_classes, const int32_t *labels, size_t n);

/* As the public functions of the same end. */
mopd_status mo_metrics_confusion_add(
    uint32_t *confusion, size_t n_classes, const float *logits, const int32_t *labels, size_t n);
void mo_metrics_compute(mopd_metrics *metrics, const uint32_t *confusion, size_t n_classes);
mopd_status mo_metrics_calibration_add(
    double *sums, size_t n_classes, const float *logits, const int32_t *labels, size_t n);

/* 2 a b / (a + b), 0 when both are 0. */
double mo_metrics_harmonic(double a, double b);

/* Wilson's 95 % interval of a count, correct <= n, in percent. */
void mo_metrics_interval(double *low, double *high, uint64_t correct, uint64_t n);

#endif
