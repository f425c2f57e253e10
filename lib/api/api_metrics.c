/* SPDX-License-Identifier: MIT
 * api_metrics.c - metrics for hosts: arguments checked. */
#include <string.h>

#include "mopd/metrics.h"
#include "train/metrics.h"

mopd_status mopd_confusion_add(
    uint32_t *confusion, size_t n_classes, const float *logits, const int32_t *labels, size_t n)
{
    if (!confusion || !n_classes) return mo_fail(MOPD_E_ARG, "confusion: NULL, or no class");
    if (n && (!logits || !labels)) return mo_fail(MOPD_E_ARG, "%s: NULL", logits ? "labels" : "logits");
    return mo_metrics_confusion_add(confusion, n_classes, logits, labels, n);
}

mopd_status mopd_metrics_compute(mopd_metrics *metrics, const uint32_t *confusion, size_t n_classes)
{
    if (!metrics || !confusion || !n_classes)
        return mo_fail(MOPD_E_ARG, "metrics or confusion: NULL, or no class");
    uint32_t has = metrics->struct_size;
    mopd_metrics m = {.struct_size = has};
    if (has < sizeof m)
        return mo_fail(MOPD_E_ARG, "metrics: struct_size is %u, the first release had %zu", has, sizeof m);
    mo_metrics_compute(&m, confusion, n_classes);
    memcpy(metrics, &m, sizeof m);
    return MOPD_OK;
}

double mopd_harmonic_mean(double a, double b)
{
    return a + b > 0 ? 2 * a * b / (a + b) : 0;
}
