/* SPDX-License-Identifier: MIT
 * doctor_noise.c - which labels are wrong when many are.  A recogniser that was fitted to wrong labels too is less sure than it
 * should be, and no single label looks unlikely.  So it is asked what share e of the labels is wrong, and how much
 * sharper its probabilities would be without them:
 *
 *     q_c = p_c^t / sum p^t       P(label y) = (1 - e) q_y + e (1 - q_y) / (C - 1)
 *
 * t and e make the labels likeliest, with a weak prior; then a label is wrong with e (1 - q_y) / (C - 1) / P(y). */
#include <math.h>
#include <stdlib.h>

#include "doctor.h"

enum { MOST_ROWS = 2048, SEARCH = 12, STEPS = 60 };

#define GOLDEN 0.6180339887498949
#define USUAL 0.03 /* share of wrong labels that the prior holds likeliest */

static const double range[] = {-1, 2.5}; /* of ln t */

/* q of a label. */
static double sharpened(const float *p, size_t label, size_t n_classes, double t)
{
    double sum = 0;
    const double own = log(fmax((double)p[label], 1e-37));
    for (size_t c = 0; c < n_classes; c++) sum += exp(t * (log(fmax((double)p[c], 1e-37)) - own));
    return 1 / sum;
}

/* Rows that are looked at: some of very many. */
static size_t step_of(const doctor *d)
{
    return d->n / MOST_ROWS + 1;
}

/* q of every step-th label, as sharp as t says. */
static size_t sharpen(const doctor *d, double t, double *q)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i += step_of(d))
        q[n++] = sharpened(d->row + i * d->n_classes, (size_t)d->label[i], d->n_classes, t);
    return n;
}

/* The e of largest likelihood for these q, by expectation and maximisation, and -ln of that likelihood. */
static double fit_share(const double *q, size_t n, size_t n_classes, double *share)
{
    const double others = (double)n_classes - 1;
    double e = USUAL, loss = 0;
    for (int step = 0; step < STEPS; step++) {
        double wrong = USUAL; /* as if one more picture had been seen */
        for (size_t i = 0; i < n; i++) {
            const double of_wrong = e * (1 - q[i]) / others;
            wrong += of_wrong / (of_wrong + (1 - e) * q[i]);
        }
        e = wrong / (double)(n + 1);
    }
    for (size_t i = 0; i < n; i++) loss -= log((1 - e) * q[i] + e * (1 - q[i]) / others);
    *share = e;
    return loss;
}

static double loss_at(const doctor *d, double ln_t, double *q, double *share)
{
    const size_t n = sharpen(d, exp(ln_t), q);
    return fit_share(q, n, d->n_classes, share) + ln_t * ln_t;
}

void doctor_noise_fit(doctor *d)
{
    double low = range[0], high = range[1], *q = cli_alloc(d->n, sizeof *q), share[2];
    d->sharpness = 1;
    d->wrong = 0;
    if (d->n_classes < 2 || !d->n) {
        free(q);
        return;
    }
    double a = high - GOLDEN * (high - low), b = low + GOLDEN * (high - low);
    double at_a = loss_at(d, a, q, &share[0]), at_b = loss_at(d, b, q, &share[1]);
    for (int i = 0; i < SEARCH; i++) {
        if (at_a < at_b) {
            high = b, b = a, at_b = at_a, share[1] = share[0];
            a = high - GOLDEN * (high - low);
            at_a = loss_at(d, a, q, &share[0]);
        } else {
            low = a, a = b, at_a = at_b, share[0] = share[1];
            b = low + GOLDEN * (high - low);
            at_b = loss_at(d, b, q, &share[1]);
        }
    }
    d->sharpness = exp(at_a < at_b ? a : b);
    d->wrong = share[at_a < at_b ? 0 : 1];
    free(q);
}

double doctor_noise_of(const doctor *d, size_t i)
{
    const double q = sharpened(d->row + i * d->n_classes, (size_t)d->label[i], d->n_classes, d->sharpness);
    const double of_wrong = d->wrong * (1 - q) / ((double)d->n_classes - 1);
    return d->n_classes > 1 ? of_wrong / (of_wrong + (1 - d->wrong) * q) : 0;
}
