/* SPDX-License-Identifier: MIT
 * recognizer_sums.c - counts, means and the scatter within the classes, all at once or a picture at a time (Welford 1962). */
#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/gemm_f64.h"
#include "prompt/recognizer.h"

enum { SOME_PICTURES = 256, SOME_ROWS = 256 }; /* whose views are in double precision at once */

void mo_recognizer_sums_free(mo_recognizer_sums *s)
{
    mo_mem_free(s->count);
    mo_mem_free(s->average);
    mo_mem_free(s->scatter);
    mo_mem_free(s->within);
    mo_mem_free(s->middle);
    *s = (mo_recognizer_sums){0};
}

static mopd_status sums_alloc(mo_recognizer_sums *s, size_t n_classes, size_t dim, bool views)
{
    *s = (mo_recognizer_sums){.n_classes = n_classes, .dim = dim};
    size_t cd, dd;
    if (!mo_mul(n_classes, dim, &cd) || !mo_mul(dim, dim, &dd))
        return mo_fail(MOPD_E_UNSUPPORTED, "%zu classes of %zu numbers are too many", n_classes, dim);
    s->count = mo_mem_calloc(n_classes, sizeof(double));
    s->average = mo_mem_calloc(cd, sizeof(double));
    s->scatter = mo_mem_calloc(dd, sizeof(double));
    s->middle = mo_mem_alloc(dim, sizeof(double));
    if (views) s->within = mo_mem_calloc(dd, sizeof(double));
    if (s->count && s->average && s->scatter && s->middle && (s->within || !views)) return MOPD_OK;
    mo_recognizer_sums_free(s);
    return MOPD_E_NOMEM;
}

mopd_status mo_recognizer_sums_copy(mo_recognizer_sums *out, const mo_recognizer_sums *from)
{
    mopd_status st = sums_alloc(out, from->n_classes, from->dim, from->within != NULL);
    if (st != MOPD_OK) return st;
    out->n = from->n;
    memcpy(out->count, from->count, from->n_classes * sizeof(double));
    memcpy(out->average, from->average, from->n_classes * from->dim * sizeof(double));
    memcpy(out->scatter, from->scatter, from->dim * from->dim * sizeof(double));
    if (from->within) memcpy(out->within, from->within, from->dim * from->dim * sizeof(double));
    return MOPD_OK;
}

/* What stands for a picture of these views: their mean, or the first. */
static void find_middle(double *middle, const float *features, size_t n_views, size_t dim)
{
    for (size_t k = 0; k < dim; k++) middle[k] = (double)features[k];
    for (size_t v = 1; v < n_views; v++)
        for (size_t k = 0; k < dim; k++) middle[k] += (double)features[v * dim + k];
    for (size_t k = 0; k < dim && n_views > 1; k++) middle[k] /= (double)n_views;
}

/* x (N x D): what stands for each picture, and the classes' averages of it. */
static void find_averages(mo_recognizer_sums *s, const mo_recognizer_data *d, double *x)
{
    const size_t n_views = s->within ? mo_recognizer_views(d) : 1;
    for (size_t i = 0; i < d->n; i++) {
        double *sum = s->average + (size_t)d->labels[i] * d->dim;
        find_middle(x + i * d->dim, mo_recognizer_picture(d, i), n_views, d->dim);
        for (size_t k = 0; k < d->dim; k++) sum[k] += x[i * d->dim + k];
        s->count[d->labels[i]]++;
    }
    for (size_t c = 0; c < d->n_classes; c++)
        for (size_t k = 0; k < d->dim && s->count[c] > 0; k++) s->average[c * d->dim + k] /= s->count[c];
}

static void mirror(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) a[i * n + k] = a[k * n + i];
}

/* The lower half of to (D x D) (+)= r'r of m rows. */
static mopd_status add_some(double *to, const double *r, size_t m, size_t dim, bool add, mo_pool *pool)
{
    return mo_gemm_f64(pool, &(mo_gemm_f64_args){.c = to,
                                 .ldc = dim,
                                 .a = r,
                                 .ars = 1,
                                 .acs = dim,
                                 .b = r,
                                 .brs = dim,
                                 .bcs = 1,
                                 .m = dim,
                                 .n = dim,
                                 .k = m,
                                 .add = add,
                                 .lower = true});
}

/* The same, as many rows at once as the second cache holds. */
static mopd_status add_products(double *to, const double *r, size_t m, size_t dim, bool add, mo_pool *pool)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < m && st == MOPD_OK; i += SOME_ROWS)
        st = add_some(to, r + i * dim, mo_min(SOME_ROWS, m - i), dim, add || i, pool);
    return st;
}

/* r (V x D): a picture's views less their mean, and less still, so that products of them are what counts for W. */
static void spread_views(double *r, const float *features, const double *middle, size_t n_views, size_t dim)
{
    const double root = 1 / sqrt((double)n_views);
    for (size_t v = 0; v < n_views; v++)
        for (size_t k = 0; k < dim; k++) r[v * dim + k] = root * ((double)features[v * dim + k] - middle[k]);
}

/* W of pictures whose means over views are x (N x D), some pictures at a time. */
static mopd_status find_within(
    mo_recognizer_sums *s, const mo_recognizer_data *d, const double *x, mo_pool *pool)
{
    const size_t dim = d->dim, each = d->n_views * dim, most = mo_min(d->n, SOME_PICTURES);
    double *r = mo_mem_alloc(most, each * sizeof *r);
    mopd_status st = r ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t i = 0; i < d->n && st == MOPD_OK; i += most) {
        const size_t m = mo_min(most, d->n - i);
        for (size_t k = 0; k < m; k++)
            spread_views(r + k * each, mo_recognizer_picture(d, i + k), x + (i + k) * dim, d->n_views, dim);
        st = add_products(s->within, r, m * d->n_views, dim, i > 0, pool);
    }
    mo_mem_free(r);
    mirror(s->within, dim);
    return st;
}

static mopd_status find_sums(mo_recognizer_sums *s, const mo_recognizer_data *d, double *x, mo_pool *pool)
{
    const size_t dim = d->dim;
    s->n = d->n;
    find_averages(s, d, x);
    mopd_status st = s->within ? find_within(s, d, x, pool) : MOPD_OK;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < dim; k++) x[i * dim + k] -= s->average[(size_t)d->labels[i] * dim + k];
    if (st == MOPD_OK) st = add_products(s->scatter, x, d->n, dim, false, pool);
    mirror(s->scatter, dim);
    return st;
}

mopd_status mo_recognizer_sums_create(
    mo_recognizer_sums *out, const mo_recognizer_data *d, bool views, mo_pool *pool)
{
    mopd_status st = sums_alloc(out, d->n_classes, d->dim, views && d->n_views > 1);
    if (st != MOPD_OK) return st;
    double *x = mo_mem_alloc(d->n, d->dim * sizeof *x);
    st = x ? find_sums(out, d, x, pool) : MOPD_E_NOMEM;
    mo_mem_free(x);
    if (st != MOPD_OK) mo_recognizer_sums_free(out);
    return st;
}

/* to (D x D) += share (x - from)(x - from)'. */
static void add_outer(double *to, const double *x, const double *from, double share, size_t dim)
{
    for (size_t i = 0; i < dim; i++) {
        const double off = share * (x[i] - from[i]);
        double *row = to + i * dim;
        for (size_t k = 0; k < dim; k++) row[k] += off * (x[k] - from[k]);
    }
}

/* W += share of what a picture's views differ; middle is their mean. */
static void add_within(mo_recognizer_sums *s, const float *features, size_t n_views, double share)
{
    for (size_t v = 0; v < n_views; v++)
        for (size_t i = 0; i < s->dim; i++) {
            const float *x = features + v * s->dim;
            const double off = share / (double)n_views * ((double)x[i] - s->middle[i]);
            double *row = s->within + i * s->dim;
            for (size_t k = 0; k < s->dim; k++) row[k] += off * ((double)x[k] - s->middle[k]);
        }
}

void mo_recognizer_sums_add(mo_recognizer_sums *s, const float *features, size_t n_views, size_t label)
{
    double *average = s->average + label * s->dim;
    const double n = s->count[label];
    find_middle(s->middle, features, s->within ? n_views : 1, s->dim);
    add_outer(s->scatter, s->middle, average, n / (n + 1), s->dim);
    for (size_t k = 0; k < s->dim; k++) average[k] += (s->middle[k] - average[k]) / (n + 1);
    if (s->within) add_within(s, features, n_views, 1);
    s->count[label]++;
    s->n++;
}

void mo_recognizer_sums_remove(mo_recognizer_sums *s, const float *features, size_t n_views, size_t label)
{
    double *average = s->average + label * s->dim;
    const double n = s->count[label];
    find_middle(s->middle, features, s->within ? n_views : 1, s->dim);
    if (n < 2) {
        memset(average, 0, s->dim * sizeof *average);
    } else {
        add_outer(s->scatter, s->middle, average, -n / (n - 1), s->dim);
        for (size_t k = 0; k < s->dim; k++) average[k] -= (s->middle[k] - average[k]) / (n - 1);
    }
    if (s->within) add_within(s, features, n_views, -1);
    s->count[label]--;
    s->n--;
}
