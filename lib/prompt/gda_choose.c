/* SPDX-License-Identifier: MIT
 * gda_choose.c - alpha and temperature of a Gaussian discriminant head from pictures that it is fitted without.
 *
 *     alpha   of those below, what gets most pictures right, held out in folds
 *     T       least mean -log softmax(logits / T)[label], each picture left out in its turn
 *
 * Leaving out x of class y, with M = S + r I, r held, n pictures in y, d = x - mu_y, z = inv(M) d, q = <d, z>, a = <x, z>,
 * u_c = <mu_c, z>, w = n / (n - 1), e = D w / (1 - w q) and g_c = <P mu_c, x> - <mu_c, P mu_c> / 2 (Sherman and Morrison):
 *
 *     other classes   g_c + e (a u_c - u_c^2 / 2)
 *     its own         g_y + (D u_y - D a - D q / (2 (n - 1))) / (n - 1) + e (a v - v^2 / 2),   v = u_y - q / (n - 1)
 *
 * The authors take alpha from a validation split and have no T. */
#include <string.h>

#include "base/mem.h"
#include "math/cholesky.h"
#include "prompt/blend.h"
#include "prompt/gda.h"

#define MAX_FOLDS 4

static const float alphas[] = {1e-4f, 1e-3f, 1e-2f, 1e-1f, 1.0f, 10.0f, 100.0f};
enum { N_ALPHAS = sizeof alphas / sizeof *alphas };
#define ALPHA_UNKNOWN 0.1f

/* correct[a] += 1 where alphas[a] gets a held-out picture right. */
static void score_held_out(const mopd_gda *g, const mo_gda_sample *s, size_t correct[N_ALPHAS])
{
    for (size_t i = 0; i < s->n; i++) {
        if (mo_gda_is_used(s, i)) continue;
        double best[N_ALPHAS], text, gauss;
        int32_t winner[N_ALPHAS] = {0};
        for (size_t c = 0; c < g->n_classes; c++) {
            mo_gda_parts(g, s->features + i * g->dim, c, &text, &gauss);
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
static mopd_status deal_folds(const mopd_gda *g, const mo_gda_sample *s, uint8_t *fold, size_t *n_folds)
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

mopd_status mo_gda_choose(mopd_gda *g, mo_gda_sample s)
{
    size_t n_folds = 0, correct[N_ALPHAS] = {0}, best = 0;
    uint8_t *fold = mo_mem_calloc(s.n, sizeof *fold);
    if (!fold) return MOPD_E_NOMEM;
    mopd_status st = deal_folds(g, &s, fold, &n_folds);
    s.fold = fold;
    for (size_t k = 0; k < n_folds && n_folds > 1 && st == MOPD_OK; k++) {
        s.without = (int)k;
        st = mo_gda_fit(g, &s);
        if (st == MOPD_OK) score_held_out(g, &s, correct);
    }
    for (size_t a = 1; a < N_ALPHAS; a++) best = correct[a] > correct[best] ? a : best;
    g->alpha = st == MOPD_OK && n_folds > 1 ? alphas[best] : ALPHA_UNKNOWN;
    mo_mem_free(fold);
    return st;
}

/* What each picture left out needs. */
typedef struct left {
    const mopd_gda *g;
    double *z, *size; /* D; C: pictures of each class */
} left;

/* row (C) = logits of picture i, left out. */
static void leave_out(const left *l, const float *x, size_t y, double *row)
{
    const mopd_gda *g = l->g;
    const size_t d = g->dim;
    const double rest = l->size[y] - 1, w = l->size[y] / rest;
    double q = 0, a = 0;
    for (size_t k = 0; k < d; k++) l->z[k] = (double)x[k] - g->mean[y * d + k];
    mo_cholesky_solve(g->factor, d, l->z);
    for (size_t k = 0; k < d; k++) {
        q += l->z[k] * ((double)x[k] - g->mean[y * d + k]);
        a += l->z[k] * (double)x[k];
    }
    const double e = (double)d * w / (1 - w * q);
    for (size_t c = 0; c < g->n_classes; c++) {
        double text, gauss, u = 0;
        mo_gda_parts(g, x, c, &text, &gauss);
        for (size_t k = 0; k < d; k++) u += g->mean[c * d + k] * l->z[k];
        if (c == y) {
            gauss += (double)d * (u - a - q / (2 * rest)) / rest;
            u -= q / rest;
        }
        row[c] = text + (double)g->alpha * (gauss + e * (a * u - u * u / 2));
    }
}

/* logits (m x C) and labels (m) of the m pictures that can be left out: others of their class stay. */
static size_t leave_all_out(const left *l, const mo_gda_sample *s, double *logits, int32_t *labels)
{
    const size_t c_all = l->g->n_classes;
    size_t m = 0;
    for (size_t i = 0; i < s->n; i++) l->size[s->labels[i]]++;
    for (size_t i = 0; i < s->n; i++) {
        const size_t y = (size_t)s->labels[i];
        if (l->size[y] < 2) continue;
        leave_out(l, s->features + i * l->g->dim, y, logits + m * c_all);
        labels[m++] = s->labels[i];
    }
    return m;
}

mopd_status mo_gda_temper(mopd_gda *g, const mo_gda_sample *s)
{
    double *logits = mo_mem_alloc(s->n, g->n_classes * sizeof *logits), t = 1;
    int32_t *labels = mo_mem_alloc(s->n, sizeof *labels);
    const left l = {g, mo_mem_alloc(g->dim, sizeof *l.z), mo_mem_calloc(g->n_classes, sizeof *l.size)};
    mopd_status st = logits && labels && l.z && l.size ? MOPD_OK : MOPD_E_NOMEM;
    mo_blend_rows rows = {.labels = labels, .n_classes = g->n_classes, .text = logits};
    if (st == MOPD_OK) rows.n = leave_all_out(&l, s, logits, labels);
    if (st == MOPD_OK && rows.n) st = mo_blend_temperature(&t, &rows);
    g->temperature = (float)t;
    mo_mem_free(l.z);
    mo_mem_free(l.size);
    mo_mem_free(labels);
    mo_mem_free(logits);
    return st;
}
