/* SPDX-License-Identifier: MIT
 * recognizer_doctor.c - what the pictures left out tell of the data: their probabilities, how many right labels would look
 * wrong, what more pictures would bring (docs/method.md 9.5). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prompt/recognizer_handle.h"

#define LEARNT_SHARE 0.7  /* of the gain from half the pictures to all: what the next doubling brings */
#define GAIN_MARGIN 0.03  /* to either side of it */
#define FEWEST_PICTURES 4 /* of a class, below which halves tell nothing */

/* The rows of pictures left out: STATE where there are none. */
static mopd_status rows(const mopd_recognizer *r)
{
    mopd_status st = mo_recognizer_judge(r);
    if (st == MOPD_OK && !r->loo)
        st = mo_fail(MOPD_E_STATE, "with one picture a class nothing can be left out");
    return st;
}

/* p (C): softmax of a row over the classes that are answered. */
static void softmax_row(double *p, const mopd_recognizer *r, const double *row)
{
    double most = -INFINITY, sum = 0;
    for (size_t s = 0; s < r->n_shown; s++) most = fmax(most, row[r->shown[s]]);
    for (size_t s = 0; s < r->n_shown; s++) sum += p[s] = exp(row[r->shown[s]] - most);
    for (size_t s = 0; s < r->n_shown; s++) p[s] /= sum;
}

mopd_status mo_recognizer_left_out(const mopd_recognizer *r, float *probabilities)
{
    mopd_status st = rows(r);
    double *p = st == MOPD_OK ? mo_mem_alloc(r->n_shown, sizeof *p) : NULL;
    if (st != MOPD_OK || !p) return st != MOPD_OK ? st : MOPD_E_NOMEM;
    for (size_t i = 0; i < r->data.n; i++) {
        softmax_row(p, r, r->loo + i * r->data.n_classes);
        for (size_t s = 0; s < r->n_shown; s++) probabilities[i * r->n_shown + s] = (float)p[s];
    }
    mo_mem_free(p);
    return MOPD_OK;
}

/* A right label is class c with probability p_c: it looks wrong where p_c is small. */
mopd_status mo_recognizer_alarms(const mopd_recognizer *r, double probability, double *share)
{
    mopd_status st = rows(r);
    double sum = 0, *p = st == MOPD_OK ? mo_mem_alloc(r->n_shown, sizeof *p) : NULL;
    if (st != MOPD_OK || !p) return st != MOPD_OK ? st : MOPD_E_NOMEM;
    for (size_t i = 0; i < r->data.n; i++) {
        softmax_row(p, r, r->loo + i * r->data.n_classes);
        for (size_t s = 0; s < r->n_shown; s++) sum += p[s] < probability ? p[s] : 0;
    }
    *share = fmin(sum / (double)r->data.n, 1); /* rows of probabilities add up to 1 but for rounding */
    mo_mem_free(p);
    return MOPD_OK;
}

/* -- twice the pictures ------------------------------------------------------------------------------------ */

/* Every second picture of each class, and the others. */
typedef struct halves {
    float *features; /* N x V x D: the first half, then the other */
    int32_t *labels; /* N */
    size_t n_first;
} halves;

/* Pictures of class c come in turn: half 0, half 1, half 0 ... */
static mopd_status split(halves *h, const mopd_recognizer *r)
{
    const size_t n = r->data.n, each = mo_recognizer_views(&r->data) * r->data.dim;
    uint8_t *turn = mo_mem_calloc(r->data.n_classes, 1), *half = mo_mem_alloc(n, 1);
    h->features = mo_mem_alloc(n, each * sizeof *h->features);
    h->labels = mo_mem_alloc(n, sizeof *h->labels);
    h->n_first = 0;
    mopd_status st = turn && half && h->features && h->labels ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        half[i] = turn[r->labels[i]];
        turn[r->labels[i]] ^= 1;
        h->n_first += !half[i];
    }
    for (size_t i = 0, at[2] = {0, h->n_first}; i < n && st == MOPD_OK; i++) {
        const size_t to = at[half[i]]++;
        memcpy(h->features + to * each, r->features + i * each, each * sizeof *h->features);
        h->labels[to] = r->labels[i];
    }
    mo_mem_free(turn);
    mo_mem_free(half);
    return st;
}

/* Pictures of a half that a fit to the other one finds right. */
static mopd_status test(
    size_t *right, const mopd_recognizer *r, const float *features, const int32_t *labels, size_t n)
{
    float *logits = mo_mem_alloc(r->n_shown, sizeof *logits);
    if (!logits) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t best = 0;
        mo_recognizer_logits(r, features + i * mo_recognizer_views(&r->data) * r->data.dim, 1, logits);
        for (size_t s = 1; s < r->n_shown; s++) best = logits[s] > logits[best] ? s : best;
        *right += r->shown[best] == (uint32_t)labels[i];
    }
    mo_mem_free(logits);
    return MOPD_OK;
}

static mopd_status fit_and_test(
    size_t *right, const mopd_recognizer *r, const halves *h, bool second, mo_pool *pool)
{
    const mo_recognizer_settings chosen = {.views = r->fit.settings.views};
    const size_t each = mo_recognizer_views(&r->data) * r->data.dim, other = r->data.n - h->n_first,
                 from = second ? h->n_first : 0;
    mopd_recognizer half = *r; /* borrows all but what is fitted */
    half.data.n = second ? other : h->n_first;
    half.data.features = h->features + from * each;
    half.data.labels = h->labels + from;
    half.sums = (mo_recognizer_sums){0};
    half.fit = (mo_recognizer_fit){0};
    mopd_status st = mo_recognizer_sums_create(&half.sums, &half.data, chosen.views > 0, pool);
    if (st == MOPD_OK) st = mo_recognizer_fit_create(&half.fit, &half.data, &half.sums, &chosen, pool);
    if (st == MOPD_OK && second) st = test(right, &half, h->features, h->labels, h->n_first);
    if (st == MOPD_OK && !second)
        st = test(right, &half, h->features + h->n_first * each, h->labels + h->n_first, other);
    mo_recognizer_sums_free(&half.sums);
    mo_recognizer_fit_free(&half.fit);
    return st;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The median class of those that have pictures has enough of them. */
static mopd_status check_enough(const mopd_recognizer *r)
{
    size_t n = 0;
    double *count = mo_mem_alloc(r->data.n_classes, sizeof *count);
    if (!count) return MOPD_E_NOMEM;
    for (size_t c = 0; c < r->data.n_classes; c++)
        if (r->sums.count[c] > 0) count[n++] = r->sums.count[c];
    qsort(count, n, sizeof *count, ascending);
    const double median = n ? count[n / 2] : 0;
    mo_mem_free(count);
    if (median >= FEWEST_PICTURES) return MOPD_OK;
    return mo_fail(MOPD_E_STATE,
        "with %g pictures a class nobody can tell what more would bring; %d are needed", median,
        FEWEST_PICTURES);
}

mopd_status mo_recognizer_more(const mopd_recognizer *r, double *low, double *high)
{
    halves h = {0};
    mo_pool *pool = NULL;
    size_t right = 0;
    mopd_status st = check_enough(r);
    if (st == MOPD_OK) st = rows(r);
    if (st == MOPD_OK) st = mo_pool_create(&pool, mo_pool_default_threads());
    if (st == MOPD_OK) st = split(&h, r);
    if (st == MOPD_OK) st = fit_and_test(&right, r, &h, false, pool);
    if (st == MOPD_OK) st = fit_and_test(&right, r, &h, true, pool);
    mo_pool_free(pool);
    mo_mem_free(h.features);
    mo_mem_free(h.labels);
    if (st != MOPD_OK) return st;
    const double now = r->judgement.accuracy, before = (double)right / (double)r->data.n;
    const double gain = fmax(0, LEARNT_SHARE * (now - before));
    *high = fmin(gain + GAIN_MARGIN, 1 - now);
    *low = fmin(fmax(0, gain - GAIN_MARGIN), *high);
    return MOPD_OK;
}
