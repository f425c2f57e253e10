/* SPDX-License-Identifier: MIT
 * recognizer_judge.c - what follows from the pictures left out: accuracy, calibration, cut-off, sets, suspects. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "prompt/calibration.h"
#include "prompt/recognizer_handle.h"

void mo_recognizer_logits(const mopd_recognizer *r, const float *features, size_t n, float *logits)
{
    const size_t dim = r->data.dim;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < r->n_shown; c++) {
            const double *w = r->fit.weight + r->shown[c] * dim;
            double sum[8] = {0}; /* eight running sums: a fixed order that registers may hold */
            for (size_t k = 0; k < dim; k++) sum[k % 8] += w[k] * (double)features[i * dim + k];
            const double all =
                ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
            logits[i * r->n_shown + c] = (float)(all - r->fit.bias[r->shown[c]]);
        }
}

static double most_of(const float *logits, size_t n)
{
    double most = -INFINITY;
    for (size_t c = 0; c < n; c++) most = fmax(most, (double)logits[c]);
    return most;
}

double mo_recognizer_energy(const float *logits, size_t n)
{
    const double most = most_of(logits, n);
    double sum = 0;
    for (size_t c = 0; c < n; c++) sum += exp((double)logits[c] - most);
    return most + log(sum);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* What one row left out says, over the classes that are answered; false when its own class is not. */
typedef struct verdict {
    double score, own, best; /* best: the largest probability */
    uint32_t first, other;   /* the likeliest class, and the likeliest but its own */
} verdict;

static bool judge_row(verdict *v, const mopd_recognizer *r, size_t i)
{
    const double *row = r->loo + i * r->data.n_classes;
    const uint32_t label = (uint32_t)r->labels[i];
    double most = -INFINITY, most_other = -INFINITY, sum = 0;
    bool shown = false;
    *v = (verdict){.other = UINT32_MAX};
    for (size_t s = 0; s < r->n_shown; s++) {
        const uint32_t c = r->shown[s];
        if (row[c] > most) most = row[c], v->first = c;
        if (c == label)
            shown = true;
        else if (row[c] > most_other)
            most_other = row[c], v->other = c;
    }
    for (size_t s = 0; s < r->n_shown; s++) sum += exp(row[r->shown[s]] - most);
    v->score = mo_recognizer_score(most + log(sum), most, r->sure);
    v->best = 1 / sum;
    v->own = shown ? exp(row[label] - most) / sum : 0;
    return shown;
}

static void judge_rows(mo_recognizer_judgement *j, const mopd_recognizer *r)
{
    double sums[MO_CALIBRATION_SUMS] = {0};
    size_t n_right = 0;
    for (size_t i = 0; i < r->data.n; i++) {
        verdict v;
        if (!judge_row(&v, r, i)) continue;
        const bool good = v.first == (uint32_t)r->labels[i];
        mo_calibration_add(sums, v.best, good, 0);
        n_right += good;
        j->score[j->n] = v.score;
        j->own[j->n++] = v.own;
    }
    j->accuracy = j->n ? (double)n_right / (double)j->n : 0;
    j->ece = mo_calibration_ece(sums);
    qsort(j->score, j->n, sizeof *j->score, ascending);
    qsort(j->own, j->n, sizeof *j->own, ascending);
}

/* The rows, and what tells strangers best by them, where they are not there yet. */
static mopd_status leave_out(mopd_recognizer *r)
{
    mo_pool *pool = NULL;
    if (!r->data.n || (r->loo && r->sure >= 0)) return MOPD_OK;
    mopd_status st = mo_pool_create(&pool, mo_pool_default_threads());
    if (st == MOPD_OK && !r->loo)
        st = mo_recognizer_fit_leave_out(&r->loo, NULL, &r->data, &r->sums, &r->fit.settings, pool);
    if (st == MOPD_OK && r->loo && r->sure < 0) st = mo_recognizer_find_sure(&r->sure, r, pool);
    mo_pool_free(pool);
    return st;
}

static mopd_status judge(const void *ctx)
{
    mopd_recognizer *r = (mopd_recognizer *)(uintptr_t)ctx; /* under the lock */
    mo_recognizer_judgement *j = &r->judgement;
    mopd_status st = leave_out(r);
    if (st == MOPD_OK && !r->loo) r->sure = fmax(r->sure, 0);
    if (st != MOPD_OK || !r->loo) return st;
    if (!j->score) j->score = mo_mem_alloc(r->data.n, sizeof *j->score);
    if (!j->own) j->own = mo_mem_alloc(r->data.n, sizeof *j->own);
    if (!j->score || !j->own) return MOPD_E_NOMEM;
    judge_rows(j, r);
    return MOPD_OK;
}

mopd_status mo_recognizer_judge(const mopd_recognizer *r)
{
    return mo_once_run((mo_once *)(uintptr_t)&r->once, 1, judge, r);
}

bool mo_recognizer_cutoff(const mopd_recognizer *r, double keep, double *cutoff)
{
    const mo_recognizer_judgement *j = &r->judgement;
    *cutoff = -INFINITY;
    if (j->n < MO_RECOGNIZER_LEAST) return false;
    const size_t rank = (size_t)floor((1 - keep) * (double)(j->n + 1));
    *cutoff = j->score[rank ? rank - 1 : 0];
    return true;
}

mopd_status mo_recognizer_scores(const mopd_recognizer *r, const float *features, size_t n, float *scores)
{
    mopd_status st = mo_recognizer_judge(r);
    float *logits = st == MOPD_OK ? mo_mem_alloc(r->n_shown, sizeof *logits) : NULL;
    if (st == MOPD_OK && !logits) st = MOPD_E_NOMEM;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        mo_recognizer_logits(r, features + i * r->data.dim, 1, logits);
        scores[i] = (float)mo_recognizer_score(
            mo_recognizer_energy(logits, r->n_shown), most_of(logits, r->n_shown), r->sure);
    }
    mo_mem_free(logits);
    return st;
}

/* The classes at least as likely as all but a share 1 - coverage of pictures found their own; the likeliest in any case. */
static void mark_set(uint8_t *in, const float *logits, size_t n, double least)
{
    const double energy = mo_recognizer_energy(logits, n);
    size_t best = 0;
    for (size_t c = 0; c < n; c++) {
        in[c] = exp((double)logits[c] - energy) >= least;
        if (logits[c] > logits[best]) best = c;
    }
    in[best] = 1;
}

mopd_status mo_recognizer_sets(
    const mopd_recognizer *r, const float *features, size_t n, double coverage, uint8_t *in)
{
    const mo_recognizer_judgement *j = &r->judgement;
    mopd_status st = mo_recognizer_judge(r);
    if (st != MOPD_OK) return st;
    if (j->n < MO_RECOGNIZER_LEAST)
        return mo_fail(MOPD_E_STATE, "%zu pictures are too few to promise a coverage; %d are needed", j->n,
            MO_RECOGNIZER_LEAST);
    const size_t rank = (size_t)floor((1 - coverage) * (double)(j->n + 1));
    const double least = rank ? j->own[rank - 1] : 0;
    float *logits = mo_mem_alloc(r->n_shown, sizeof *logits);
    if (!logits) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        mo_recognizer_logits(r, features + i * r->data.dim, 1, logits);
        mark_set(in + i * r->n_shown, logits, r->n_shown, least);
    }
    mo_mem_free(logits);
    return MOPD_OK;
}

static int most_suspicious_first(const void *a, const void *b)
{
    const mopd_suspect *x = a, *y = b;
    if (x->probability < y->probability) return -1;
    if (x->probability > y->probability) return 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

mopd_status mo_recognizer_suspects(const mopd_recognizer *r, mopd_suspect *suspects, size_t *n)
{
    mopd_status st = mo_recognizer_judge(r);
    if (st != MOPD_OK) return st;
    if (!r->loo) return mo_fail(MOPD_E_STATE, "with one picture a class nothing can be left out");
    mopd_suspect *all = mo_mem_alloc(r->data.n, sizeof *all);
    if (!all) return MOPD_E_NOMEM;
    size_t found = 0;
    for (size_t i = 0; i < r->data.n; i++) {
        verdict v;
        if (judge_row(&v, r, i) && v.first != (uint32_t)r->labels[i])
            all[found++] = (mopd_suspect){i, r->labels[i], (int32_t)v.other, v.own};
    }
    qsort(all, found, sizeof *all, most_suspicious_first);
    *n = mo_min(*n, found);
    if (*n) memcpy(suspects, all, *n * sizeof *all);
    mo_mem_free(all);
    return MOPD_OK;
}
