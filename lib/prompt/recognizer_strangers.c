/* SPDX-License-Identifier: MIT
 * recognizer_strangers.c - how a picture of none of the classes is told from the others, found by pretending that a third of
 * the classes is not known.
 *
 *     score(x) = energy(x) + sure ln p(x)      p: of the likeliest class
 *
 * A picture that is little like all classes has little energy.  One that is as like several of them has no likeliest class: of
 * some data that tells strangers better, of others it does not.  So each third of the classes with pictures is left out in its
 * turn; the rest is fitted to, with the same settings, and `sure` is the one of three by whose score pictures of the rest, each
 * left out, stand above those of the third most often. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/gemm_f64.h"
#include "prompt/recognizer_handle.h"

enum { THIRDS = 3, LEAST_CLASSES = 5, TRIED = 3 };

#define CLEARLY 0.02 /* by which more often it must be, for energy alone not to stay */

static const double tried[TRIED] = {0, 1, 3};

double mo_recognizer_score(double energy, double most, double sure)
{
    return energy + sure * (most - energy);
}

/* Energy and largest logit of some pictures. */
typedef struct seen {
    double *energy, *most;
    size_t n;
} seen;

typedef struct third {
    mo_recognizer_data data; /* what stays known; points to what follows */
    float *features, *text;
    int32_t *labels;
    double *strange;       /* pictures of the third x D */
    size_t n_strange;      /* of these */
    size_t *place;         /* C: of a class among those that stay; SIZE_MAX: it does not */
    double *loo, *logits;  /* those that stay, each left out; the others */
    seen known, strangers; /* of both */
} third;

static void seen_free(seen *s)
{
    mo_mem_free(s->energy);
    mo_mem_free(s->most);
}

static void third_free(third *t)
{
    mo_mem_free(t->features);
    mo_mem_free(t->text);
    mo_mem_free(t->labels);
    mo_mem_free(t->strange);
    mo_mem_free(t->place);
    mo_mem_free(t->loo);
    mo_mem_free(t->logits);
    seen_free(&t->known);
    seen_free(&t->strangers);
}

/* Which classes stay, and how many pictures these have. */
static mopd_status place_classes(third *t, const mopd_recognizer *r, size_t which)
{
    size_t nth = 0;
    t->data = r->data;
    t->data.n = t->data.n_classes = 0;
    if (!(t->place = mo_mem_alloc(r->data.n_classes, sizeof *t->place))) return MOPD_E_NOMEM;
    for (size_t c = 0; c < r->data.n_classes; c++) {
        const bool goes = r->sums.count[c] > 0 && nth++ % THIRDS == which;
        t->place[c] = goes ? SIZE_MAX : t->data.n_classes++;
        if (!goes) t->data.n += (size_t)r->sums.count[c];
    }
    t->n_strange = r->data.n - t->data.n;
    return MOPD_OK;
}

static mopd_status third_alloc(third *t)
{
    const mo_recognizer_data *d = &t->data;
    t->data.features = t->features = mo_mem_alloc(d->n, mo_recognizer_views(d) * d->dim * sizeof(float));
    t->data.text = t->text = mo_mem_alloc(d->n_classes, d->dim * sizeof(float));
    t->data.labels = t->labels = mo_mem_alloc(d->n, sizeof(int32_t));
    t->strange = mo_mem_alloc(t->n_strange, d->dim * sizeof(double));
    t->logits = mo_mem_alloc(t->n_strange, d->n_classes * sizeof(double));
    return t->features && t->text && t->labels && t->strange && t->logits ? MOPD_OK : MOPD_E_NOMEM;
}

/* Pictures that stay keep all views; of the others the first is asked about. */
static void gather(third *t, const mopd_recognizer *r)
{
    const size_t dim = r->data.dim, each = mo_recognizer_views(&r->data) * dim;
    size_t n = 0, strange = 0;
    for (size_t c = 0; c < r->data.n_classes; c++)
        if (t->place[c] != SIZE_MAX)
            memcpy(t->text + t->place[c] * dim, r->text + c * dim, dim * sizeof *t->text);
    for (size_t i = 0; i < r->data.n; i++) {
        const float *x = mo_recognizer_picture(&r->data, i);
        const size_t place = t->place[r->labels[i]];
        if (place == SIZE_MAX) {
            for (size_t k = 0; k < dim; k++) t->strange[strange * dim + k] = (double)x[k];
            strange++;
            continue;
        }
        memcpy(t->features + n * each, x, each * sizeof *x);
        t->labels[n++] = (int32_t)place;
    }
}

/* logits of the strangers. */
static mopd_status ask(third *t, const mo_recognizer_fit *fit, mo_pool *pool)
{
    const size_t c_all = t->data.n_classes, dim = t->data.dim;
    mopd_status st = mo_gemm_f64(pool, &(mo_gemm_f64_args){.c = t->logits,
                                           .ldc = c_all,
                                           .a = t->strange,
                                           .ars = dim,
                                           .acs = 1,
                                           .b = fit->weight,
                                           .brs = 1,
                                           .bcs = dim,
                                           .m = t->n_strange,
                                           .n = c_all,
                                           .k = dim});
    for (size_t i = 0; i < t->n_strange && st == MOPD_OK; i++)
        for (size_t c = 0; c < c_all; c++) t->logits[i * c_all + c] -= fit->bias[c];
    return st;
}

/* loo stays NULL where the rest has too few pictures to leave one out. */
static mopd_status fit_rest(third *t, const mopd_recognizer *r, mo_pool *pool)
{
    mo_recognizer_sums sums = {0};
    mo_recognizer_fit fit = {0};
    const mo_recognizer_settings *settings = &r->fit.settings;
    mopd_status st = mo_recognizer_sums_create(&sums, &t->data, settings->views > 0, pool);
    if (st == MOPD_OK) st = mo_recognizer_fit_leave_out(&t->loo, &fit, &t->data, &sums, settings, pool);
    if (st == MOPD_OK && t->loo) st = ask(t, &fit, pool);
    mo_recognizer_fit_free(&fit);
    mo_recognizer_sums_free(&sums);
    return st;
}

static mopd_status look(seen *s, const double *logits, size_t n, size_t n_classes)
{
    s->n = n;
    s->energy = mo_mem_alloc(n, sizeof *s->energy);
    s->most = mo_mem_alloc(n, sizeof *s->most);
    if (!s->energy || !s->most) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const double *row = logits + i * n_classes;
        double most = -INFINITY, sum = 0;
        for (size_t c = 0; c < n_classes; c++) most = fmax(most, row[c]);
        for (size_t c = 0; c < n_classes; c++) sum += exp(row[c] - most);
        s->most[i] = most;
        s->energy[i] = most + log(sum);
    }
    return MOPD_OK;
}

static mopd_status third_create(third *t, const mopd_recognizer *r, size_t which, mo_pool *pool)
{
    *t = (third){0};
    mopd_status st = place_classes(t, r, which);
    if (st == MOPD_OK) st = third_alloc(t);
    if (st == MOPD_OK) gather(t, r);
    if (st == MOPD_OK) st = fit_rest(t, r, pool);
    if (st != MOPD_OK || !t->loo) return st;
    st = look(&t->known, t->loo, t->data.n, t->data.n_classes);
    return st == MOPD_OK ? look(&t->strangers, t->logits, t->n_strange, t->data.n_classes) : st;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How many of the first n, ascending, are below x, or no more than x. */
static size_t below(const double *sorted, size_t n, double x, bool equal)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x || (equal && sorted[middle] <= x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How often a picture that stays has a higher score than one that does not; equal ones count half.  room: for the former. */
static double often(const third *t, double sure, double *room)
{
    const seen *k = &t->known, *s = &t->strangers;
    double sum = 0;
    for (size_t i = 0; i < k->n; i++) room[i] = mo_recognizer_score(k->energy[i], k->most[i], sure);
    qsort(room, k->n, sizeof *room, ascending);
    for (size_t i = 0; i < s->n; i++) {
        const double score = mo_recognizer_score(s->energy[i], s->most[i], sure);
        sum += (double)(2 * k->n - below(room, k->n, score, false) - below(room, k->n, score, true)) / 2;
    }
    return sum / ((double)k->n * (double)s->n);
}

/* shares[k] += of one third, by tried[k]. */
static mopd_status add_third(
    double shares[TRIED], size_t *n, const mopd_recognizer *r, size_t which, mo_pool *pool)
{
    third t;
    mopd_status st = third_create(&t, r, which, pool);
    double *room = st == MOPD_OK && t.loo ? mo_mem_alloc(t.data.n, sizeof *room) : NULL;
    if (st == MOPD_OK && t.loo && !room) st = MOPD_E_NOMEM;
    for (size_t k = 0; k < TRIED && room; k++) shares[k] += often(&t, tried[k], room);
    *n += room != NULL;
    mo_mem_free(room);
    third_free(&t);
    return st;
}

mopd_status mo_recognizer_find_sure(double *sure, const mopd_recognizer *r, mo_pool *pool)
{
    double shares[TRIED] = {0};
    size_t n = 0, classes = 0, best = 0;
    *sure = 0;
    for (size_t c = 0; c < r->data.n_classes; c++) classes += r->sums.count[c] > 0;
    if (classes < LEAST_CLASSES || r->data.n < MO_RECOGNIZER_LEAST) return MOPD_OK;
    mopd_status st = MOPD_OK;
    for (size_t which = 0; which < THIRDS && st == MOPD_OK; which++)
        st = add_third(shares, &n, r, which, pool);
    if (st != MOPD_OK || !n) return st;
    for (size_t k = 1; k < TRIED; k++)
        if (shares[k] > shares[best]) best = k;
    if (shares[best] >= shares[0] + CLEARLY * (double)n) *sure = tried[best];
    return MOPD_OK;
}
