/* SPDX-License-Identifier: MIT
 * balance.c - the rule, and its two places in a block. */
#include "layer/balance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"

#define LEAST 4.0f
#define CLEARLY 0.95 /* what is won by chance is not worth it */

/* Channels of one place at work, n floats each. */
typedef struct work {
    size_t n;
    float *size, *most, *factor, *sorted;
    const mo_balance_seen *seen; /* of this place, or NULL */
    float *by_weights;
    mo_pool *pool;
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

/* factor = s by these sizes, 1 where it is below least; 0: each channel has its own. */
static void find_factors(const work *w, const float *size, float least)
{
    for (size_t i = 0; i < w->n; i++)
        w->sorted[i] = w->factor[i] = w->most[i] > 0 && isfinite(size[i]) ? sqrtf(size[i] / w->most[i]) : 0;
    qsort(w->sorted, w->n, sizeof *w->sorted, ascending);
    const float median = w->sorted[w->n / 2];
    for (size_t i = 0; i < w->n; i++) {
        const float times = median > 0 ? w->factor[i] / median : 0;
        const bool meant = times > 0 && times >= least && isfinite(times);
        w->factor[i] = meant ? exp2f(rintf(log2f(times))) : 1;
    }
}

static bool any_factor(const work *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->factor[i] != 1) return true;
    return false;
}

static void scale_inputs(const mo_mat *w, const float *factor)
{
    for (size_t o = 0; o < w->n; o += MO_PANEL)
        for (size_t i = 0; i < w->k; i++) {
            float *x = at(w, o, i);
            for (size_t j = 0; j < MO_PANEL; j++) x[j] *= factor[i];
        }
}

/* to = reader with its inputs times factor, in 8 bits.  NOMEM. */
static mopd_status quantize_scaled(mo_mat *to, const mo_mat *reader, const float *factor)
{
    *to = *reader;
    to->owned = NULL;
    mopd_status st = mo_mat_own(to);
    if (st != MOPD_OK) return st;
    scale_inputs(to, factor);
    st = mo_mat_quantize(to, MO_PRECISION_8);
    if (st != MOPD_OK) mo_mat_free(to);
    return st;
}

static void multiply(mo_pool *pool, float *y, const float *x, const mo_mat *w, size_t rows)
{
    mo_gemm(pool, w, &(mo_gemm_args){.c = y, .ldc = w->n, .a = x, .lda = w->k, .m = rows});
}

/* What is compared: the rows divided by the factors, and what becomes of them exactly and in 8 bits. */
typedef struct trial {
    float *x, *exact, *y;
} trial;

/* *error = the sum of squares of what 8 bits change in the place's results with w->factor. */
static mopd_status try_factors(double *error, const work *w, const mo_mat *reader, const trial *t)
{
    const size_t rows = w->seen->n_rows;
    mo_mat q;
    mopd_status st = quantize_scaled(&q, reader, w->factor);
    if (st != MOPD_OK) return st;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < w->n; i++) t->x[r * w->n + i] = w->seen->rows[r * w->n + i] / w->factor[i];
    multiply(w->pool, t->y, t->x, &q, rows);
    mo_mat_free(&q);
    *error = 0;
    for (size_t i = 0; i < rows * reader->n; i++) {
        const double off = (double)t->y[i] - (double)t->exact[i];
        *error += off * off;
    }
    return MOPD_OK;
}

/* Factors by what was seen, where they are clearly better than those by weights, which stand there. */
static mopd_status try_seen(const work *w, const mo_mat *reader, const trial *t)
{
    const size_t bytes = w->n * sizeof *w->by_weights;
    double by_weights = 0, by_rows = 0;
    multiply(w->pool, t->exact, w->seen->rows, reader, w->seen->n_rows);
    mopd_status st = try_factors(&by_weights, w, reader, t);
    memcpy(w->by_weights, w->factor, bytes);
    find_factors(w, w->seen->most, 0);
    if (st == MOPD_OK) st = try_factors(&by_rows, w, reader, t);
    if (st == MOPD_OK && !(by_rows < CLEARLY * by_weights)) memcpy(w->factor, w->by_weights, bytes);
    return st;
}

/* w->factor for a place whose rows `reader` multiplies; w->size by weights stands there.  NOMEM. */
static mopd_status choose(const work *w, const mo_mat *reader)
{
    look_at_inputs(w->most, reader);
    find_factors(w, w->size, LEAST);
    if (!w->seen || !w->seen->n_rows) return MOPD_OK;
    const size_t rows = w->seen->n_rows, y = rows * reader->n;
    float *room = mo_mem_alloc(mo_plus(mo_times(rows, w->n), mo_times(rows, 2 * reader->n)), sizeof *room);
    if (!room) return MOPD_E_NOMEM;
    const mopd_status st = try_seen(w, reader, &(trial){room, room + rows * w->n, room + rows * w->n + y});
    mo_mem_free(room);
    return st;
}

/* gamma and beta beside each other, and the layer that reads the norm's rows. */
static mopd_status balance_norm(const work *w, float *gamma, const mo_mat *reader)
{
    float *beta = gamma + w->n;
    for (size_t i = 0; i < w->n; i++) w->size[i] = sqrtf(gamma[i] * gamma[i] + beta[i] * beta[i]);
    const mopd_status st = choose(w, reader);
    if (st != MOPD_OK || !any_factor(w)) return st;
    scale_inputs(reader, w->factor);
    for (size_t i = 0; i < w->n; i++) {
        gamma[i] /= w->factor[i];
        beta[i] /= w->factor[i];
    }
    return MOPD_OK;
}

/* w->size of values, which are the last third of the outputs of qkv. */
static void size_values(const work *w, const mo_linear *qkv, const float *gamma)
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
}

static mopd_status balance_values(const work *w, mo_linear *qkv, const mo_mat *reader, const float *gamma)
{
    const size_t first = 2 * w->n;
    size_values(w, qkv, gamma);
    const mopd_status st = choose(w, reader);
    if (st != MOPD_OK || !any_factor(w)) return st;
    scale_inputs(reader, w->factor);
    for (size_t o = 0; o < w->n; o++) {
        for (size_t i = 0; i < w->n; i++) *at(&qkv->w, first + o, i) /= w->factor[o];
        if (qkv->bias) qkv->bias[first + o] /= w->factor[o];
    }
    return MOPD_OK;
}

static mopd_status balance(mo_block *b, const mo_balance_seen *seen, mo_pool *pool, float *room)
{
    const size_t n = b->width;
    work w = {.n = n, .size = room, .most = room + n, .factor = room + 2 * n, .sorted = room + 3 * n};
    w.by_weights = room + 4 * n;
    w.pool = pool;
    w.seen = seen ? &seen[MO_BLOCK_OUT] : NULL;
    mopd_status st = balance_values(&w, &b->qkv, &b->out.w, b->norms);
    w.seen = seen ? &seen[MO_BLOCK_QKV] : NULL;
    if (st == MOPD_OK) st = balance_norm(&w, b->norms, &b->qkv.w);
    w.seen = seen ? &seen[MO_BLOCK_FC1] : NULL;
    return st == MOPD_OK ? balance_norm(&w, b->norms + 2 * n, &b->fc1.w) : st;
}

mopd_status mo_balance_block_seen(mo_block *b, const mo_balance_seen seen[MO_BLOCK_PLACES], mo_pool *pool)
{
    float *room = mo_mem_alloc(b->width, 5 * sizeof *room);
    if (!room) return MOPD_E_NOMEM;
    mopd_status st = mo_mat_own(&b->qkv.w);
    if (st == MOPD_OK) st = mo_mat_own(&b->out.w);
    if (st == MOPD_OK) st = mo_mat_own(&b->fc1.w);
    if (st == MOPD_OK) st = balance(b, seen, pool, room);
    mo_mem_free(room);
    b->balanced = st == MOPD_OK;
    return st;
}

mopd_status mo_balance_block(mo_block *block)
{
    return mo_balance_block_seen(block, NULL, NULL);
}
