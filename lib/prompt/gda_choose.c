/* SPDX-License-Identifier: MIT
 * gda_choose.c - alpha and temperature of a Gaussian discriminant head from folds of its pictures, each held out once.
 *
 *     alpha   of those below, what gets most of the held-out pictures right
 *     T       least mean -log softmax(logits / T)[label] of the held-out pictures
 *
 * The authors take alpha from a validation split and have no T. */
#include <string.h>

#include "base/mem.h"
#include "prompt/blend.h"
#include "prompt/gda.h"

#define MAX_FOLDS 4

static const float alphas[] = {1e-4f, 1e-3f, 1e-2f, 1e-1f, 1.0f, 10.0f, 100.0f};
enum { N_ALPHAS = sizeof alphas / sizeof *alphas };
#define ALPHA_UNKNOWN 0.1f

/* to[a] += 1 where alphas[a] gets a held-out picture right. */
static void count_held_out(const mopd_gda *g, const mo_gda_sample *s, void *to)
{
    size_t *correct = to;
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

/* Fits without each fold in turn and hands what is held out to `take`. */
typedef void (*take_fn)(const mopd_gda *g, const mo_gda_sample *s, void *to);

static mopd_status each_fold(mopd_gda *g, mo_gda_sample s, size_t n_folds, take_fn take, void *to)
{
    mopd_status st = MOPD_OK;
    for (size_t k = 0; k < n_folds && st == MOPD_OK; k++) {
        s.without = (int)k;
        st = mo_gda_fit(g, &s);
        if (st == MOPD_OK) take(g, &s, to);
    }
    return st;
}

static mopd_status choose_alpha(mopd_gda *g, const mo_gda_sample *s, size_t n_folds)
{
    size_t correct[N_ALPHAS] = {0}, best = 0;
    mopd_status st = each_fold(g, *s, n_folds, count_held_out, correct);
    for (size_t a = 1; a < N_ALPHAS; a++) best = correct[a] > correct[best] ? a : best;
    g->alpha = alphas[best];
    return st;
}

/* to (n x C): logits of the pictures that are held out. */
static void keep_held_out(const mopd_gda *g, const mo_gda_sample *s, void *to)
{
    double *row = to, text, gauss;
    for (size_t i = 0; i < s->n; i++, row += g->n_classes) {
        for (size_t c = 0; c < g->n_classes && !mo_gda_is_used(s, i); c++) {
            mo_gda_parts(g, s->features + i * g->dim, c, &text, &gauss);
            row[c] = text + (double)g->alpha * gauss;
        }
    }
}

static mopd_status choose_temperature(mopd_gda *g, const mo_gda_sample *s, size_t n_folds)
{
    double *logits = mo_mem_alloc(s->n, g->n_classes * sizeof *logits), t = 1;
    if (!logits) return MOPD_E_NOMEM;
    mopd_status st = each_fold(g, *s, n_folds, keep_held_out, logits);
    const mo_blend_rows rows = {.labels = s->labels, .n = s->n, .n_classes = g->n_classes, .text = logits};
    if (st == MOPD_OK) st = mo_blend_temperature(&t, &rows);
    g->temperature = (float)t;
    mo_mem_free(logits);
    return st;
}

mopd_status mo_gda_choose(mopd_gda *g, const mo_gda_sample *sample)
{
    size_t n_folds = 0;
    uint8_t *fold = mo_mem_calloc(sample->n, sizeof *fold);
    if (!fold) return MOPD_E_NOMEM;
    mo_gda_sample s = *sample;
    s.fold = fold;
    mopd_status st = deal_folds(g, &s, fold, &n_folds);
    const bool open = g->alpha < 0;
    if (open) g->alpha = ALPHA_UNKNOWN;
    if (st == MOPD_OK && n_folds > 1 && open) st = choose_alpha(g, &s, n_folds);
    if (st == MOPD_OK && n_folds > 1) st = choose_temperature(g, &s, n_folds);
    mo_mem_free(fold);
    return st;
}
