/* SPDX-License-Identifier: MIT
 * gda_classes.c - a head for classes that were not trained on, from one that was, as the authors' base-to-new
 * code makes it.
 *
 *     mu = mean of the 64 training features nearest to the text feature t, and 16 copies of t
 *     P  = mean over the new classes of D inv(X^T X + trace / 63 I)         X: the 64 neighbours minus t
 *
 * A class that was trained on keeps its mean; as soon as there is one, P is the trained head's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "math/cholesky.h"
#include "prompt/gda.h"

#define NEIGHBOURS 64
#define TEXT_COPIES 16

typedef struct near {
    double cosine;
    size_t index;
} near;

static int compare_near(const void *a, const void *b)
{
    const near *x = a, *y = b;
    if (x->cosine != y->cosine) return x->cosine > y->cosine ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* order = the training features by their cosine with t, nearest first. */
static void rank_features(const mopd_gda *known, const float *t, near *order)
{
    for (size_t i = 0; i < known->n; i++) {
        order[i] = (near){0, i};
        for (size_t k = 0; k < known->dim; k++)
            order[i].cosine += (double)t[k] * (double)known->features[i * known->dim + k];
    }
    qsort(order, known->n, sizeof *order, compare_near);
}

/* precision += D inv(X^T X + r I), X (m x D) the neighbours minus t, r = trace / (m - 1), by Woodbury's identity:
 *
 *     inv(X^T X + r I) = (I - X^T inv(X X^T + r I) X) / r
 *
 * y (m x D) and k (m x m) are scratch. */
static mopd_status add_precision(double *precision, const double *x, size_t m, size_t d, double *k, double *y)
{
    double trace = 0;
    for (size_t i = 0; i < m * d; i++) trace += x[i] * x[i];
    double r = m > 1 ? trace / (double)(m - 1) : trace;
    if (!(r > 0)) return mo_fail(MOPD_E_NUMERIC, "the neighbours of a new class do not vary");
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t c = 0; c < d; c++) sum += x[i * d + c] * x[j * d + c];
            k[i * m + j] = sum + (i == j ? r : 0);
        }
    }
    if (!mo_cholesky(k, m)) return mo_fail(MOPD_E_NUMERIC, "the neighbours of a new class have no inverse");
    /* y = inv(L) X, so that X^T inv(L L^T) X = y^T y */
    for (size_t i = 0; i < m; i++) {
        for (size_t c = 0; c < d; c++) y[i * d + c] = x[i * d + c];
        for (size_t j = 0; j < i; j++) {
            for (size_t c = 0; c < d; c++) y[i * d + c] -= k[i * m + j] * y[j * d + c];
        }
        for (size_t c = 0; c < d; c++) y[i * d + c] /= k[i * m + i];
    }
    double scale = (double)d / r;
    for (size_t a = 0; a < d; a++) precision[a * d + a] += scale;
    for (size_t i = 0; i < m; i++) {
        for (size_t a = 0; a < d; a++) {
            double left = scale * y[i * d + a];
            for (size_t b = 0; b < d; b++) precision[a * d + b] -= left * y[i * d + b];
        }
    }
    return MOPD_OK;
}

/* mean = that of a new class with the text feature t; x (m x D) = its m nearest training features minus t. */
static void new_class(const mopd_gda *known, const float *t, near *order, size_t m, double *mean, double *x)
{
    size_t d = known->dim;
    rank_features(known, t, order);
    for (size_t k = 0; k < d; k++) mean[k] = TEXT_COPIES * (double)t[k];
    for (size_t i = 0; i < m; i++) {
        const float *f = known->features + order[i].index * d;
        for (size_t k = 0; k < d; k++) {
            mean[k] += (double)f[k];
            x[i * d + k] = (double)f[k] - (double)t[k];
        }
    }
    for (size_t k = 0; k < d; k++) mean[k] /= (double)(m + TEXT_COPIES);
}

/* Classes of a head that is known, and their places. */
typedef struct known_head {
    const mopd_gda *g;
    mo_lookup place;
} known_head;

/* Means of all classes, and precision += the sum of the new ones' precisions; NULL: not wanted. */
static mopd_status class_means(mopd_gda *g, const known_head *head, const mopd_bank *bank, double *precision)
{
    const mopd_gda *known = head->g;
    size_t m = mo_min(known->n, NEIGHBOURS), d = g->dim;
    near *order = mo_mem_alloc(known->n, sizeof *order);
    double *x = mo_mem_alloc(mo_times(m, d), sizeof *x), *y = mo_mem_alloc(mo_times(m, d), sizeof *y),
           *k = mo_mem_alloc(m * m, sizeof *k);
    mopd_status st = order && x && y && k ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t c = 0; c < g->n_classes && st == MOPD_OK; c++) {
        const size_t old = mo_lookup_find(&head->place, g->name[c]);
        if (old != SIZE_MAX) {
            memcpy(g->mean + c * d, known->mean + old * d, d * sizeof(double));
            continue;
        }
        new_class(known, bank->feature + c * d, order, m, g->mean + c * d, x);
        if (precision) st = add_precision(precision, x, m, d, k, y);
    }
    mo_mem_free(order);
    mo_mem_free(x);
    mo_mem_free(y);
    mo_mem_free(k);
    return st;
}

mopd_status mo_gda_create_classes(mopd_gda **out, const mopd_gda *known, const mopd_bank *bank)
{
    if (bank->dim != known->dim)
        return mo_fail(
            MOPD_E_MISMATCH, "the bank's features are %zu wide, the head's %zu", bank->dim, known->dim);
    if (!known->factor) return mo_fail(MOPD_E_STATE, "a head of new classes cannot meet further ones");
    mopd_gda *g = NULL;
    double *precision = NULL;
    known_head head = {.g = known};
    bool any_known = false;
    mopd_status st = mo_gda_head(&g, bank, 0);
    if (st != MOPD_OK) return st;
    g->alpha = known->alpha;
    g->temperature = known->temperature;
    if ((st = mo_lookup_names(&head.place, (const char *const *)known->name, known->n_classes)) != MOPD_OK) {
        mo_gda_free(g);
        return st;
    }
    for (size_t c = 0; c < g->n_classes; c++)
        any_known |= mo_lookup_find(&head.place, g->name[c]) != SIZE_MAX;
    if (!any_known && !(precision = mo_mem_calloc(g->dim, g->dim * sizeof *precision))) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = class_means(g, &head, bank, precision);
    for (size_t i = 0; precision && i < g->dim * g->dim; i++) precision[i] /= (double)g->n_classes;
    if (st == MOPD_OK) mo_gda_finish(g, known->factor, precision);
    mo_mem_free(precision);
    mo_lookup_close(&head.place);
    if (st != MOPD_OK)
        mo_gda_free(g);
    else
        *out = g;
    return st;
}
