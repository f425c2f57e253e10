/* SPDX-License-Identifier: MIT
 * balance.c - the rule, and its two places in a block. */
#include "layer/balance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LEAST 4.0f

/* Columns or rows of one block at work, n floats each. */
typedef struct work {
    size_t n;
    float *size, *most, *factor, *sorted;
} work;

static float *at(const mo_mat *w, size_t o, size_t i)
{
    return (float *)w->owned + (o / MO_PANEL * w->k + i) * MO_PANEL + o % MO_PANEL;
}

/* most = the largest weight that reads each input; the outputs behind the last one are zeros. */
static void look_at_inputs(float *most, const mo_mat *w)
{
    for (size_t i = 0; i < w->k; i++) most[i] = 0;
    for (size_t o = 0; o < w->n; o += MO_PANEL)
        for (size_t i = 0; i < w->k; i++) {
            const float *x = at(w, o, i);
            for (size_t j = 0; j < MO_PANEL; j++) most[i] = fabsf(x[j]) > most[i] ? fabsf(x[j]) : most[i];
        }
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* factor = s; false: all are 1. */
static bool find_factors(const work *w)
{
    bool any = false;
    for (size_t i = 0; i < w->n; i++)
        w->sorted[i] = w->factor[i] =
            w->most[i] > 0 && isfinite(w->size[i]) ? sqrtf(w->size[i] / w->most[i]) : 0;
    qsort(w->sorted, w->n, sizeof *w->sorted, ascending);
    const float median = w->sorted[w->n / 2];
    for (size_t i = 0; i < w->n; i++) {
        const float times = median > 0 ? w->factor[i] / median : 0;
        const bool large = times >= LEAST && isfinite(times);
        w->factor[i] = large ? exp2f(rintf(log2f(times))) : 1;
        any = any || large;
    }
    return any;
}

static void scale_inputs(const mo_mat *w, const float *factor)
{
    for (size_t o = 0; o < w->n; o += MO_PANEL)
        for (size_t i = 0; i < w->k; i++) {
            float *x = at(w, o, i);
            for (size_t j = 0; j < MO_PANEL; j++) x[j] *= factor[i];
        }
}

/* gamma and beta beside each other, and the layer that reads the norm's rows. */
static void balance_norm(const work *w, float *gamma, const mo_mat *reader)
{
    float *beta = gamma + w->n;
    for (size_t i = 0; i < w->n; i++) w->size[i] = sqrtf(gamma[i] * gamma[i] + beta[i] * beta[i]);
    look_at_inputs(w->most, reader);
    if (!find_factors(w)) return;
    scale_inputs(reader, w->factor);
    for (size_t i = 0; i < w->n; i++) {
        gamma[i] /= w->factor[i];
        beta[i] /= w->factor[i];
    }
}

/* Values are the last third of the outputs of qkv; w->size: of its inputs. */
static void balance_values(const work *w, mo_linear *qkv, const mo_mat *reader, const float *gamma)
{
    const float *beta = gamma + w->n;
    const size_t first = 2 * w->n;
    for (size_t o = 0; o < w->n; o++) {
        float square = qkv->bias ? qkv->bias[first + o] * qkv->bias[first + o] : 0;
        for (size_t i = 0; i < w->n; i++) {
            const float v = *at(&qkv->w, first + o, i);
            square += v * v * (gamma[i] * gamma[i] + beta[i] * beta[i]);
        }
        w->size[o] = sqrtf(square);
    }
    look_at_inputs(w->most, reader);
    if (!find_factors(w)) return;
    scale_inputs(reader, w->factor);
    for (size_t o = 0; o < w->n; o++) {
        for (size_t i = 0; i < w->n; i++) *at(&qkv->w, first + o, i) /= w->factor[o];
        if (qkv->bias) qkv->bias[first + o] /= w->factor[o];
    }
}

static void balance(mo_block *b, float *room)
{
    const size_t n = b->width;
    const work w = {n, room, room + n, room + 2 * n, room + 3 * n};
    balance_norm(&w, b->norms, &b->qkv.w);
    balance_values(&w, &b->qkv, &b->out.w, b->norms);
    balance_norm(&w, b->norms + 2 * n, &b->fc1.w);
}

mopd_status mo_balance_block(mo_block *b)
{
    float *room = mo_mem_alloc(b->width, 4 * sizeof *room);
    if (!room) return MOPD_E_NOMEM;
    mopd_status st = mo_mat_own(&b->qkv.w);
    if (st == MOPD_OK) st = mo_mat_own(&b->out.w);
    if (st == MOPD_OK) st = mo_mat_own(&b->fc1.w);
    if (st == MOPD_OK) balance(b, room);
    mo_mem_free(room);
    return st;
}
