/* SPDX-License-Identifier: MIT
 * gate.c - scores, the K best, their softmax. */
#include "prompt/gate.h"

#include <math.h>
#include <string.h>

#include "base/floats.h"
#include "base/ints.h"
#include "base/mem.h"
#include "math/gemm.h"

#define BLOCK 256 /* pictures at once */

void mo_gate_scores(
    const float *weight, size_t dim, size_t n_templates, const float *features, size_t n, float *scores)
{
    if (!dim) {
        for (size_t i = 0; i < n; i++) memcpy(scores + i * n_templates, weight, n_templates * sizeof *scores);
        return;
    }
    mo_gemm_raw(NULL, &(mo_gemm_raw_args){.c = scores,
                          .ldc = n_templates,
                          .a = features,
                          .ars = dim,
                          .acs = 1,
                          .b = weight,
                          .brs = n_templates,
                          .bcs = 1,
                          .m = n,
                          .n = n_templates,
                          .k = dim,
                          .alpha = 1});
}

/* Whether a template stands behind the one kept last: scores fall, and among equal ones the index rises. */
static bool comes_after(float score, size_t index, float last, size_t last_index)
{
    return score < last || (score == last && index > last_index);
}

/* A score that is not a number counts as the lowest. */
static float clean(float score)
{
    return isnan(score) ? -INFINITY : score;
}

void mo_gate_pick(const float *scores, size_t n_templates, size_t top_k, uint32_t *kept, double *alpha)
{
    float last = INFINITY;
    size_t last_index = 0;
    for (size_t j = 0; j < top_k; j++) {
        size_t best = n_templates;
        for (size_t m = 0; m < n_templates; m++) {
            float s = clean(scores[m]);
            if (j && !comes_after(s, m, last, last_index)) continue;
            if (best == n_templates || s > clean(scores[best])) best = m;
        }
        last = clean(scores[best]);
        last_index = best;
        kept[j] = (uint32_t)best;
    }
    double top = clean(scores[kept[0]]), sum = 0;
    for (size_t j = 0; j < top_k; j++) sum += alpha[j] = exp((double)scores[kept[j]] - top);
    for (size_t j = 0; j < top_k; j++) alpha[j] /= sum;
}

mopd_status mo_gate_create(mopd_gate **out, const float *weight, size_t dim, size_t n_templates, size_t top_k)
{
    size_t n;
    if (!n_templates || top_k < 1 || top_k > n_templates)
        return mo_fail(MOPD_E_ARG, "gate: %zu of %zu templates cannot be kept", top_k, n_templates);
    if (!mo_mul(dim ? dim : 1, n_templates, &n))
        return mo_fail(MOPD_E_ARG, "gate: %zu x %zu", dim, n_templates);
    if (!mo_floats_finite(weight, n)) return mo_fail(MOPD_E_NUMERIC, "gate: a weight is not finite");
    mopd_gate *gate = mo_mem_calloc(1, sizeof *gate);
    if (!gate) return MOPD_E_NOMEM;
    *gate = (mopd_gate){dim, n_templates, top_k, mo_mem_alloc(n, sizeof(float))};
    if (!gate->weight) {
        mo_mem_free(gate);
        return MOPD_E_NOMEM;
    }
    memcpy(gate->weight, weight, n * sizeof *weight);
    *out = gate;
    return MOPD_OK;
}

void mo_gate_free(mopd_gate *gate)
{
    if (!gate) return;
    mo_mem_free(gate->weight);
    mo_mem_free(gate);
}

/* Gets the K templates kept for picture i, best first, and their weights. */
typedef void (*picked_fn)(void *ctx, size_t i, const uint32_t *kept, const double *alpha);

static mopd_status pick_all(const mopd_gate *gate, const float *features, size_t n, picked_fn fn, void *ctx)
{
    size_t m = gate->n_templates, k = gate->top_k, rows = mo_min(n, BLOCK);
    float *scores = mo_mem_alloc(mo_times(rows, m), sizeof *scores);
    double *alpha = mo_mem_alloc(k, sizeof *alpha);
    uint32_t *kept = mo_mem_alloc(k, sizeof *kept);
    mopd_status st = scores && alpha && kept ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t at = 0; at < n && st == MOPD_OK; at += rows) {
        size_t here = mo_min(n - at, rows);
        const float *from =
            features ? features + at * gate->dim : NULL; /* a gate without weights needs none */
        mo_gate_scores(gate->weight, gate->dim, m, from, here, scores);
        for (size_t i = 0; i < here; i++) {
            mo_gate_pick(scores + i * m, m, k, kept, alpha);
            fn(ctx, at + i, kept, alpha);
        }
    }
    mo_mem_free(kept);
    mo_mem_free(alpha);
    mo_mem_free(scores);
    return st;
}

typedef struct selection {
    size_t k;
    uint32_t *indices;
    float *weights;
} selection;

static void keep_selection(void *ctx, size_t i, const uint32_t *kept, const double *alpha)
{
    selection *s = ctx;
    for (size_t j = 0; j < s->k; j++) {
        s->indices[i * s->k + j] = kept[j];
        s->weights[i * s->k + j] = (float)alpha[j];
    }
}

mopd_status mo_gate_select(
    const mopd_gate *gate, const float *features, size_t n, uint32_t *indices, float *weights)
{
    selection s = {gate->top_k, indices, weights};
    return pick_all(gate, features, n, keep_selection, &s);
}

typedef struct tally {
    size_t k;
    double *use;
} tally;

static void add_use(void *ctx, size_t i, const uint32_t *kept, const double *alpha)
{
    tally *t = ctx;
    (void)i;
    for (size_t j = 0; j < t->k; j++) t->use[kept[j]] += alpha[j];
}

mopd_status mo_gate_use(const mopd_gate *gate, const float *features, size_t n, double *use)
{
    tally t = {gate->top_k, use};
    return pick_all(gate, features, n, add_use, &t);
}
