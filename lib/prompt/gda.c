/* SPDX-License-Identifier: MIT
 * gda.c - a Gaussian discriminant head fitted to the features of its classes, as the authors released it.
 *
 *     S = sum over pictures of (f - mu_y)(f - mu_y)^T              scatter, D x D
 *     P = D inv(S + trace(S) / (n - 1) I)                          (n - 1) cov + trace(cov) I
 *     logits = scale t . f + alpha (P mu . f - mu . P mu / 2 - ln C)
 *
 * Their code draws random crops of the few pictures.  Ours takes the features that it is given. */
#include "prompt/gda.h"

#include <math.h>
#include <string.h>

#include "base/labels.h"
#include "base/mem.h"
#include "math/cholesky.h"

mopd_status mo_gda_head(mopd_gda **out, const mopd_bank *bank, size_t n)
{
    size_t c = bank->n_classes, d = bank->dim, cd, dd, nd;
    if (!mo_mul(c, d, &cd) || !mo_mul(d, d, &dd) || !mo_mul(n, d, &nd))
        return mo_fail(MOPD_E_UNSUPPORTED, "%zu classes of %zu numbers are too many", c, d);
    mopd_gda *g = mo_mem_calloc(1, sizeof *g);
    if (!g) return MOPD_E_NOMEM;
    g->dim = d;
    g->n = n;
    g->temperature = 1;
    memcpy(g->fingerprint, bank->fingerprint, sizeof g->fingerprint);
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

bool mo_gda_is_used(const mo_gda_sample *s, size_t i)
{
    return s->without < 0 || s->fold[i] != s->without;
}

static mopd_status fit_means(mopd_gda *g, const mo_gda_sample *s, size_t *n_used)
{
    double *size = mo_mem_calloc(g->n_classes, sizeof *size);
    if (!size) return MOPD_E_NOMEM;
    *n_used = 0;
    memset(g->mean, 0, g->n_classes * g->dim * sizeof(double));
    for (size_t i = 0; i < s->n; i++) {
        if (!mo_gda_is_used(s, i)) continue;
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

/* factor = Cholesky of S + trace(S) / (n - 1) I. */
static mopd_status fit_factor(mopd_gda *g, const mo_gda_sample *s, size_t n_used)
{
    size_t d = g->dim;
    double *x = mo_mem_alloc(d, sizeof *x), trace = 0;
    if (!x) return MOPD_E_NOMEM;
    memset(g->factor, 0, d * d * sizeof(double));
    for (size_t i = 0; i < s->n; i++) {
        if (!mo_gda_is_used(s, i)) continue;
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

void mo_gda_finish(mopd_gda *g, const double *factor, const double *precision)
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

mopd_status mo_gda_fit(mopd_gda *g, const mo_gda_sample *s)
{
    size_t n_used;
    mopd_status st = fit_means(g, s, &n_used);
    if (st == MOPD_OK) st = fit_factor(g, s, n_used);
    if (st == MOPD_OK) mo_gda_finish(g, g->factor, NULL);
    return st;
}

void mo_gda_parts(const mopd_gda *g, const float *feature, size_t c, double *text, double *gauss)
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
            mo_gda_parts(gda, features + i * gda->dim, c, &text, &gauss);
            logits[i * gda->n_classes + c] = (float)(text + (double)gda->alpha * gauss);
        }
    }
}

void mo_gda_probabilities(const mopd_gda *gda, const float *features, size_t n, float *probabilities)
{
    const size_t all = n * gda->n_classes;
    mo_gda_logits(gda, features, n, probabilities);
    for (size_t i = 0; i < all; i++) probabilities[i] /= gda->temperature;
    mo_bank_softmax(probabilities, n, gda->n_classes);
}

mopd_status mo_gda_create(mopd_gda **out, const mopd_bank *bank, const float *features, const int32_t *labels,
    size_t n, float alpha)
{
    mopd_gda *g = NULL;
    mopd_status st = mo_labels_check(labels, n, bank->n_classes);
    if (st == MOPD_OK) st = mo_gda_head(&g, bank, n);
    if (st != MOPD_OK) return st;
    const mo_gda_sample s = {features, labels, NULL, -1, n};
    memcpy(g->features, features, n * g->dim * sizeof(float));
    g->alpha = alpha;
    g->factor = mo_mem_alloc(g->dim, g->dim * sizeof(double));
    if (!g->factor) st = MOPD_E_NOMEM;
    if (st == MOPD_OK && alpha < 0) st = mo_gda_choose(g, s);
    if (st == MOPD_OK) st = mo_gda_fit(g, &s);
    if (st == MOPD_OK) st = mo_gda_temper(g, &s);
    if (st != MOPD_OK)
        mo_gda_free(g);
    else
        *out = g;
    return st;
}
