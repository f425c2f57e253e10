/* SPDX-License-Identifier: MIT
 * metrics.c - what is right and wrong, counted in a confusion matrix: row the true class, column the predicted one;
 * and the probabilities that answers were given with (prompt/calibration.h). */
#include "train/metrics.h"

#include <math.h>

#include "base/labels.h"
#include "prompt/calibration.h"

/* The first of the largest. */
static size_t largest(const float *row, size_t n)
{
    size_t best = 0;
    for (size_t c = 1; c < n; c++)
        if (row[c] > row[best]) best = c;
    return best;
}

size_t mo_metrics_correct(const float *logits, size_t n_classes, const int32_t *labels, size_t n)
{
    size_t correct = 0;
    for (size_t i = 0; i < n; i++) correct += largest(logits + i * n_classes, n_classes) == (size_t)labels[i];
    return correct;
}

mopd_status mo_metrics_confusion_add(
    uint32_t *confusion, size_t n_classes, const float *logits, const int32_t *labels, size_t n)
{
    mopd_status st = mo_labels_check(labels, n, n_classes);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < n * n_classes; i++)
        if (logits[i] != logits[i])
            return mo_fail(MOPD_E_NUMERIC, "the logit of picture %zu, class %zu is not a number",
                i / n_classes, i % n_classes);
    for (size_t i = 0; i < n; i++)
        confusion[(size_t)labels[i] * n_classes + largest(logits + i * n_classes, n_classes)]++;
    return MOPD_OK;
}

void mo_metrics_compute(mopd_metrics *metrics, const uint32_t *confusion, size_t n_classes)
{
    double f1 = 0;
    for (size_t c = 0; c < n_classes; c++) {
        uint64_t is = 0, said = 0, hit = confusion[c * n_classes + c];
        for (size_t k = 0; k < n_classes; k++) {
            is += confusion[c * n_classes + k];
            said += confusion[k * n_classes + c];
        }
        if (!is) continue;
        metrics->n_classes++;
        metrics->n += is;
        metrics->correct += hit;
        f1 += 2 * (double)hit / (double)(is + said);
    }
    if (!metrics->n) return;
    metrics->accuracy = 100 * (double)metrics->correct / (double)metrics->n;
    metrics->macro_f1 = 100 * f1 / (double)metrics->n_classes;
}

mopd_status mo_metrics_calibration_add(
    double *sums, size_t n_classes, const float *logits, const int32_t *labels, size_t n)
{
    mopd_status st = mo_labels_check(labels, n, n_classes);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < n * n_classes; i++)
        if (!isfinite(logits[i]))
            return mo_fail(MOPD_E_NUMERIC, "the logit of picture %zu, class %zu is not finite", i / n_classes,
                i % n_classes);
    for (size_t i = 0; i < n; i++) {
        const float *row = logits + i * n_classes;
        const size_t best = largest(row, n_classes), label = (size_t)labels[i];
        double sum = 0; /* of exponentials, the largest being 1 */
        for (size_t c = 0; c < n_classes; c++) sum += exp((double)row[c] - (double)row[best]);
        mo_calibration_add(sums, 1 / sum, best == label, log(sum) + (double)row[best] - (double)row[label]);
    }
    return MOPD_OK;
}

void mo_metrics_interval(double *low, double *high, uint64_t correct, uint64_t n)
{
    *low = 0;
    *high = 100;
    if (!n) return;
    const double z = 1.959963984540054, m = (double)n, share = (double)correct / m;
    const double middle = share + z * z / (2 * m);
    const double half = z * sqrt(share * (1 - share) / m + z * z / (4 * m * m));
    *low = 100 * fmax(0, (middle - half) / (1 + z * z / m));
    *high = 100 * fmin(1, (middle + half) / (1 + z * z / m));
}

double mo_metrics_harmonic(double a, double b)
{
    return a + b > 0 ? 2 * a * b / (a + b) : 0;
}
