/* SPDX-License-Identifier: MIT
 * gda.c - Gaussian discriminant analysis on features (Wang et al., ICLR 2024, arXiv 2402.04087), as the
 * authors released it.
 *
 *     S = sum over pictures of (f - mu_y)(f - mu_y)^T              scatter, D x D
 *     P = D inv(S + trace(S) / (n - 1) I)                          (n - 1) cov + trace(cov) I
 *     logits = scale t . f + alpha (P mu . f - mu . P mu / 2 - ln C)
 *
 * New classes (their base-to-new code): mu = mean of the 64 training features nearest to the text feature
 * t and 16 copies of t; P = mean over classes of D inv(X X^T + trace / 63 I), X the 64 neighbours minus t.
 * Theirs takes random crops for the few shots and alpha from the validation split; ours takes the features
 * it is given and alpha from folds of them. */
#include "prompt/gda.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/labels.h"
#include "base/mem.h"
#include "math/cholesky.h"

#define NEIGHBOURS 64
#define TEXT_COPIES 16
#define MAX_FOLDS 4

static const float alphas[] = {1e-4f, 1e-3f, 1e-2f, 1e-1f, 1.0f, 10.0f, 100.0f};
enum { N_ALPHAS = sizeof alphas / sizeof *alphas };
#define ALPHA_UNKNOWN 0.1f

static mopd_status head_create(mopd_gda **out, const mopd_bank *bank, size_t n)
{
    size_t c = bank->n_classes, d = bank->dim, cd, dd, nd;
    if (!mo_mul(c, d, &cd) || !mo_mul(d, d, &dd) || !mo_mul(n, d, &nd))
        return mo_fail(MOPD_E_UNSUPPORTED, "%zu classes of %zu numbers are too many", c, d);
    mopd_gda *g = mo_mem_calloc(1, sizeof *g);
    if (!g) return MOPD_E_NOMEM;
    g->dim = d;
    g->n = n;
    g->name = mo_mem_calloc(c, sizeof *g->name);
    if (g->name) g->n_classes = c;
    g->text = mo_mem_alloc(cd, sizeof(double));
    g->mean = mo_mem_calloc(cd, sizeof(double));
    g->weight = mo_mem_alloc(cd, sizeof(double));
    g->bias = mo_mem_alloc(c, sizeof(double));
    g->features = mo_mem_alloc(nd, sizeof(float));
    mopd_status st =
        g->name && g->text && g->mean && g->weight && g->bias && g->features ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t i = 0; i < c && st == MOPD_OK; i++) {
        if (!(g->name[i] = mo_mem_strdup(bank->name[i]))) st = MOPD_E_NOMEM;
    }
    for (size_t i = 0; i < cd && st == MOPD_OK; i++)
        g->text[i] = (double)bank->scale * (double)bank->feature[i];
    if (st != MOPD_OK)
        mo_gda_free(g);
    else
        *out = g;
    return st;
}

void mo_gda_free(mopd_gda *gda)
{
    if (!gda) return;
    for (size_t c = 0; c < gda->n_classes; c++) mo_mem_free(gda->name[c]);
    mo_mem_free(gda->name);
    mo_mem_free(gda->text);
    mo_mem_free(gda->mean);
    mo_mem_free(gda->weight);
    mo_mem_free(gda->bias);
    mo_mem_free(gda->factor);
    mo_mem_free(gda->features);
    mo_mem_free(gda);
}

/* Training features and which of them count: those whose fold is not `without`. */
typedef struct sample {
    const float *features;
    const int32_t *labels;
    const uint8_t *fold;
    int without; /* -1: all count */
    size_t n;
} sample;

static bool counts(const sample *s, size_t i)
{
    return s->without < 0 || s->fold[i] != s->without;
}

static mopd_status fit_means(mopd_gda *g, const sample *s, size_t *n_used)
{
    double *size = mo_mem_calloc(g->n_classes, sizeof *size);
    if (!size) return MOPD_E_NOMEM;
    *n_used = 0;
    memset(g->mean, 0, g->n_classes * g->dim * sizeof(double));
    for (size_t i = 0; i < s->n; i++) {
        if (!counts(s, i)) continue;
        double *mean = g->mean + (size_t)s->labels[i] * g->dim;
        for (size_t k = 0; k < g->dim; k++) mean[k] += (double)s->features[i * g->dim + k];
        size[s->labels[i]]++;
        ++*n_used;
    }
    mopd_status st = MOPD_OK;
    for (size_t c = 0; c < g->n_classes && st == MOPD_OK; c++) {
        if (size[c] == 0) st = mo_fail(MOPD_E_ARG, "class '%s' has no feature", g->name[c]);
        for (size_t k = 0; k < g->dim; k++) g->mean[c * g->dim + k] /= size[c];
    }
    mo_mem_free(size);
    return st;
}

/* factor = Cholesky of S + trace(S) / (n - 1) I; row and x are scratch of one picture. */
static mopd_status fit_factor(mopd_gda *g, const sample *s, size_t n_used)
{
    size_t d = g->dim;
    double *x = mo_mem_alloc(d, sizeof *x), trace = 0;
    if (!x) return MOPD_E_NOMEM;
    memset(g->factor, 0, d * d * sizeof(double));
    for (size_t i = 0; i < s->n; i++) {
        if (!counts(s, i)) continue;
        const double *mean = g->mean + (size_t)s->labels[i] * d;
        for (size_t k = 0; k < d; k++) x[k] = (double)s->features[i * d + k] - mean[k];
        for (size_t r = 0; r < d; r++) {
            double *row = g->factor + r * d;
            for (size_t k = 0; k <= r; k++) row[k] += x[r] * x[k];
        }
    }
    mo_mem_free(x);
    for (size_t k = 0; k < d; k++) trace += g->factor[k * d + k];
    double ridge = n_used > 1 ? trace / (double)(n_used - 1) : 0;
    if (!(ridge > 0)) ridge = 1; /* nothing varies (one picture a class): P is a multiple of I */
    for (size_t k = 0; k < d; k++) g->factor[k * d + k] += ridge;
    if (!mo_cholesky(g->factor, d))
        return mo_fail(MOPD_E_NUMERIC, "the covariance of %zu features has no inverse", n_used);
    return MOPD_OK;
}

/* weight = P mean, bias, class by class; precision: dense P, or NULL to solve with factor. */
static void finish_head(mopd_gda *g, const double *factor, const double *precision)
{
    size_t d = g->dim;
    for (size_t c = 0; c < g->n_classes; c++) {
        const double *mean = g->mean + c * d;
        double *weight = g->weight + c * d, half = 0;
        if (precision) {
            for (size_t r = 0; r < d; r++) {
                weight[r] = 0;
                for (size_t k = 0; k < d; k++) weight[r] += precision[r * d + k] * mean[k];
            }
        } else {
            memcpy(weight, mean, d * sizeof *weight);
            mo_cholesky_solve(factor, d, weight);
            for (size_t k = 0; k < d; k++) weight[k] *= (double)d;
        }
        for (size_t k = 0; k < d; k++) half += mean[k] * weight[k] / 2;
        g->bias[c] = -half - log((double)g->n_classes);
    }
}

static mopd_status fit(mopd_gda *g, const sample *s)
{
    size_t n_used;
    mopd_status st = fit_means(g, s, &n_used);
    if (st == MOPD_OK) st = fit_factor(g, s, n_used);
    if (st == MOPD_OK) finish_head(g, g->factor, NULL);
    return st;
}

/* The two parts of class c's logit. */
static void parts(const mopd_gda *g, const float *feature, size_t c, double *text, double *gauss)
{
    const double *t = g->text + c * g->dim, *w = g->weight + c * g->dim;
    double a = 0, b = 0;
    for (size_t k = 0; k < g->dim; k++) {
        a += t[k] * (double)feature[k];
        b += w[k] * (double)feature[k];
    }
    *text = a;
    *gauss = b + g->bias[c];
}

void mo_gda_logits(const mopd_gda *gda, const float *features, size_t n, float *logits)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < gda->n_classes; c++) {
            double text, gauss;
            parts(gda, features + i * gda->dim, c, &text, &gauss);
            logits[i * gda->n_classes + c] = (float)(text + (double)gda->alpha * gauss);
        }
    }
}

/* correct[a] += 1 where alphas[a] gets a held-out picture right. */
static void score_held_out(const mopd_gda *g, const sample *s, size_t correct[N_ALPHAS])
{
    for (size_t i = 0; i < s->n; i++) {
        if (counts(s, i)) continue;
        double best[N_ALPHAS], text, gauss;
        int32_t winner[N_ALPHAS] = {0};
        for (size_t c = 0; c < g->n_classes; c++) {
            parts(g, s->features + i * g->dim, c, &text, &gauss);
            for (size_t a = 0; a < N_ALPHAS; a++) {
                double logit = text + (double)alphas[a] * gauss;
                if (c && !(logit > best[a])) continue;
                best[a] = logit;
                winner[a] = (int32_t)c;
            }
        }
        for (size_t a = 0; a < N_ALPHAS; a++) correct[a] += winner[a] == s->labels[i];
    }
}

/* fold[i] = how many pictures of its class stand before picture i, modulo the folds; the number of folds. */
static mopd_status deal_folds(const mopd_gda *g, const sample *s, uint8_t *fold, size_t *n_folds)
{
    size_t *seen = mo_mem_calloc(g->n_classes, sizeof *seen);
    if (!seen) return MOPD_E_NOMEM;
    for (size_t i = 0; i < s->n; i++) seen[s->labels[i]]++;
    *n_folds = MAX_FOLDS;
    for (size_t c = 0; c < g->n_classes; c++) {
        if (seen[c] < *n_folds) *n_folds = seen[c];
        seen[c] = 0;
    }
    for (size_t i = 0; i < s->n && *n_folds; i++) fold[i] = (uint8_t)(seen[s->labels[i]]++ % *n_folds);
    mo_mem_free(seen);
    return MOPD_OK;
}

static mopd_status choose_alpha(mopd_gda *g, sample s)
{
    size_t n_folds, correct[N_ALPHAS] = {0}, best = 0;
    uint8_t *fold = mo_mem_calloc(s.n, sizeof *fold);
    if (!fold) return MOPD_E_NOMEM;
    mopd_status st = deal_folds(g, &s, fold, &n_folds);
    s.fold = fold;
    for (size_t k = 0; k < n_folds && n_folds > 1 && st == MOPD_OK; k++) {
        s.without = (int)k;
        st = fit(g, &s);
        if (st == MOPD_OK) score_held_out(g, &s, correct);
    }
    for (size_t a = 1; a < N_ALPHAS; a++) best = correct[a] > correct[best] ? a : best;
    g->alpha = st == MOPD_OK && n_folds > 1 ? alphas[best] : ALPHA_UNKNOWN;
    mo_mem_free(fold);
    return st;
}

mopd_status mo_gda_create(mopd_gda **out, const mopd_bank *bank, const float *features, const int32_t *labels,
    size_t n, float alpha)
{
    mopd_gda *g = NULL;
    mopd_status st = mo_labels_check(labels, n, bank->n_classes);
    if (st == MOPD_OK) st = head_create(&g, bank, n);
    if (st != MOPD_OK) return st;
    sample s = {features, labels, NULL, -1, n};
    memcpy(g->features, features, n * g->dim * sizeof(float));
    g->alpha = alpha;
    g->factor = mo_mem_alloc(g->dim * g->dim, sizeof(double));
    if (!g->factor) st = MOPD_E_NOMEM;
    if (st == MOPD_OK && alpha < 0) st = choose_alpha(g, s);
    if (st == MOPD_OK) st = fit(g, &s);
    if (st != MOPD_OK)
        mo_gda_free(g);
    else
        *out = g;
    return st;
}

/* -- classes that were not there
 * ---------------------------------------------------------------------------- */

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

/* precision += D inv(X^T X + r I), X (m x D) the neighbours minus t, r = trace / (m - 1), by Woodbury's
 * identity: inv(X^T X + r I) = (I - X^T inv(X X^T + r I) X) / r.  The m x D block y and the m x m block k
 * are scratch. */
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

/* mean of one new class; x (m x D) = its neighbours minus the text feature. */
static void meet_class(const mopd_gda *known, const float *t, near *order, size_t m, double *mean, double *x)
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

static size_t find_class(const mopd_gda *known, const char *name)
{
    size_t c = 0;
    while (c < known->n_classes && strcmp(known->name[c], name)) c++;
    return c;
}

/* Means of all classes; the sum of the new ones' precisions into `precision` unless that is NULL. */
static mopd_status meet_classes(mopd_gda *g, const mopd_gda *known, const mopd_bank *bank, double *precision)
{
    size_t m = known->n < NEIGHBOURS ? known->n : NEIGHBOURS, d = g->dim;
    near *order = mo_mem_alloc(known->n, sizeof *order);
    double *x = mo_mem_alloc(m * d, sizeof *x), *y = mo_mem_alloc(m * d, sizeof *y),
           *k = mo_mem_alloc(m * m, sizeof *k);
    mopd_status st = order && x && y && k ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t c = 0; c < g->n_classes && st == MOPD_OK; c++) {
        size_t old = find_class(known, g->name[c]);
        if (old < known->n_classes) {
            memcpy(g->mean + c * d, known->mean + old * d, d * sizeof(double));
            continue;
        }
        meet_class(known, bank->feature + c * d, order, m, g->mean + c * d, x);
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
    bool any_known = false;
    mopd_status st = head_create(&g, bank, 0);
    if (st != MOPD_OK) return st;
    g->alpha = known->alpha;
    for (size_t c = 0; c < g->n_classes; c++) any_known |= find_class(known, g->name[c]) < known->n_classes;
    if (!any_known && !(precision = mo_mem_calloc(g->dim * g->dim, sizeof *precision))) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = meet_classes(g, known, bank, precision);
    for (size_t i = 0; precision && i < g->dim * g->dim; i++) precision[i] /= (double)g->n_classes;
    if (st == MOPD_OK) finish_head(g, known->factor, precision);
    mo_mem_free(precision);
    if (st != MOPD_OK)
        mo_gda_free(g);
    else
        *out = g;
    return st;
}
