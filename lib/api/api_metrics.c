/* SPDX-License-Identifier: MIT
 * api_metrics.c - include/mopd/metrics.h. */
#include "api/api.h"
#include "mopd/metrics.h"
#include "prompt/calibration.h"
#include "train/metrics.h"

_Static_assert(MOPD_CALIBRATION_BINS == MO_CALIBRATION_BINS, "the header says how many bins there are");
_Static_assert(MOPD_CALIBRATION_SUMS == MO_CALIBRATION_SUMS, "the header says how many sums there are");

mopd_status mopd_confusion_add(
    uint32_t *confusion, size_t n_classes, const float *logits, const int32_t *labels, size_t n)
{
    MO_API_NEED_SOME(n_classes);
    MO_API_NEED_ROWS(confusion, n_classes, n_classes);
    MO_API_NEED_ROWS(logits, n, n_classes);
    MO_API_NEED_LIST(labels, n);
    return mo_metrics_confusion_add(confusion, n_classes, logits, labels, n);
}

mopd_status mopd_confusion_get_metrics(const uint32_t *confusion, size_t n_classes, mopd_metrics *metrics)
{
    MO_API_NEED_SOME(n_classes);
    MO_API_NEED_ROWS(confusion, n_classes, n_classes);
    MO_API_NEED(metrics);
    mopd_metrics m = {.struct_size = sizeof m};
    mo_metrics_compute(&m, confusion, n_classes);
    return mo_api_give(__func__, MO_API_mopd_metrics, metrics, &m);
}

mopd_status mopd_accuracy_interval(uint64_t correct, uint64_t n, double *low, double *high)
{
    MO_API_NEED(low);
    MO_API_NEED(high);
    if (correct > n)
        return mo_fail(MOPD_E_ARG, "%s: %llu correct of %llu pictures", __func__, (unsigned long long)correct,
            (unsigned long long)n);
    mo_metrics_interval(low, high, correct, n);
    return MOPD_OK;
}

double mopd_harmonic_mean(double a, double b)
{
    return mo_metrics_harmonic(a, b);
}

mopd_status mopd_calibration_add(
    double *sums, size_t n_classes, const float *logits, const int32_t *labels, size_t n)
{
    MO_API_NEED(sums);
    MO_API_NEED_SOME(n_classes);
    MO_API_NEED_ROWS(logits, n, n_classes);
    MO_API_NEED_LIST(labels, n);
    return mo_metrics_calibration_add(sums, n_classes, logits, labels, n);
}

double mopd_calibration_ece(const double *sums)
{
    return sums ? 100 * mo_calibration_ece(sums) : 0;
}

double mopd_calibration_nll(const double *sums)
{
    return sums ? mo_calibration_nll(sums) : 0;
}
