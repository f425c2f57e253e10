/* SPDX-License-Identifier: MIT
 * recognizer_parts.c - the prior that the names give, and the rows that are left out in turn. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/gemm_f64.h"
#include "prompt/recognizer_inner.h"

void mo_recognizer_parts_free(mo_recognizer_parts *p)
{
    mo_mem_free(p->prior);
    mo_gemm_f64_rows_free(&p->x);
    mo_gemm_f64_rows_free(&p->off);
    mo_mem_free(p->text);
    *p = (mo_recognizer_parts){0};
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Of the classes that have pictures; half-way numbers are rounded down. */
static mopd_status find_median(mo_recognizer_parts *p)
{
    double *sorted = mo_mem_alloc(p->data->n_classes, sizeof *sorted);
    size_t n = 0;
    if (!sorted) return MOPD_E_NOMEM;
    for (size_t c = 0; c < p->data->n_classes; c++)
        if (p->sums->count[c] > 0) sorted[n++] = p->sums->count[c];
    qsort(sorted, n, sizeof *sorted, ascending);
    if (n) p->median = (size_t)((sorted[n / 2] + sorted[(n - 1) / 2]) / 2);
    mo_mem_free(sorted);
    return MOPD_OK;
}

/* mean (D) over the classes with pictures of rows that `row` gives. */
static void mean_of_seen(const mo_recognizer_parts *p, double *mean, const double *rows, const float *text)
{
    const size_t dim = p->data->dim;
    double n = 0;
    memset(mean, 0, dim * sizeof *mean);
    for (size_t c = 0; c < p->data->n_classes; c++) {
        if (!(p->sums->count[c] > 0)) continue;
        for (size_t k = 0; k < dim; k++) mean[k] += rows ? rows[c * dim + k] : (double)text[c * dim + k];
        n++;
    }
    for (size_t k = 0; k < dim && n > 0; k++) mean[k] /= n;
}

/* How names and class means go together: sums over the classes with pictures of <xbar - g, t - tau> and the squares. */
typedef struct together {
    double along, names, means;
} together;

static together compare(
    const mo_recognizer_parts *p, const double *average, const double *g, const double *tau)
{
    const size_t dim = p->data->dim;
    together s = {0};
    for (size_t c = 0; c < p->data->n_classes; c++)
        for (size_t k = 0; k < dim && p->sums->count[c] > 0; k++) {
            const double off = (double)p->data->text[c * dim + k] - tau[k],
                         away = average[c * dim + k] - g[k];
            s.along += away * off;
            s.names += off * off;
            s.means += away * away;
        }
    return s;
}

static double shift(const together *s)
{
    return s->along > 0 && s->names > 0 ? s->along / s->names : 0;
}

/* Of the spread that single pictures have: where a class has more of them, what they spread around their mean is added. */
static double told(const together *s, const mo_recognizer_parts *p, const double *average)
{
    const size_t dim = p->data->dim;
    double seen = 0, inside = (double)p->data->n; /* rows have length 1 */
    for (size_t c = 0; c < p->data->n_classes; c++) {
        const double *mean = average + c * dim, n = p->sums->count[c];
        seen += n > 0;
        inside -= n * mo_recognizer_dot(mean, mean, dim);
    }
    const double spread = s->means + seen * fmax(0, inside) / (double)p->data->n;
    return spread > 0 ? shift(s) * s->along / spread : 0;
}

/* average (C x D) of first views. */
static void average_first(double *average, const mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    for (size_t i = 0; i < d->n; i++) {
        const size_t y = (size_t)d->labels[i];
        const float *x = mo_recognizer_picture(d, i);
        for (size_t k = 0; k < d->dim; k++) average[y * d->dim + k] += (double)x[k] / p->sums->count[y];
    }
}

/* What first views say of the names: means of views are nearer to them, which is no news of the names. */
static mopd_status find_told(mo_recognizer_parts *p, double *g, const double *tau)
{
    double *average = mo_mem_calloc(p->data->n_classes, p->data->dim * sizeof *average);
    if (!average) return MOPD_E_NOMEM;
    average_first(average, p);
    mean_of_seen(p, g, average, NULL);
    const together s = compare(p, average, g, tau);
    p->told = told(&s, p, average);
    mo_mem_free(average);
    return MOPD_OK;
}

/* s = max(0, sum <xbar - g, t - tau> / sum |t - tau|^2);  m = g + s (t - tau);
 * told = s sum <xbar - g, t - tau> / spread, of single pictures 1 - sum |xbar - m|^2 / sum |xbar - g|^2. */
static mopd_status find_prior(mo_recognizer_parts *p)
{
    const size_t dim = p->data->dim;
    double *g = mo_mem_alloc(2 * dim, sizeof *g);
    if (!g) return MOPD_E_NOMEM;
    double *tau = g + dim;
    mean_of_seen(p, g, p->sums->average, NULL);
    mean_of_seen(p, tau, NULL, p->data->text);
    const together s = compare(p, p->sums->average, g, tau);
    p->shift = shift(&s);
    p->told = told(&s, p, p->sums->average);
    for (size_t c = 0; c < p->data->n_classes; c++)
        for (size_t k = 0; k < dim; k++)
            p->prior[c * dim + k] = g[k] + p->shift * ((double)p->data->text[c * dim + k] - tau[k]);
    mopd_status st = p->sums->within && p->median < 2 ? find_told(p, g, tau) : MOPD_OK;
    mo_mem_free(g);
    return st;
}

static mopd_status find_text(mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    double *t = mo_mem_alloc(d->n_classes, d->dim * sizeof *t);
    if (!t) return MOPD_E_NOMEM;
    for (size_t i = 0; i < d->n_classes * d->dim; i++) t[i] = d->scale * (double)d->text[i];
    mopd_status st = mo_gemm_f64(p->pool, &(mo_gemm_f64_args){.c = p->text,
                                              .ldc = d->n_classes,
                                              .rows = &p->x,
                                              .b = t,
                                              .brs = 1,
                                              .bcs = d->dim,
                                              .n = d->n_classes});
    mo_mem_free(t);
    return st;
}

/* The first view of picture i, and how far it is from the mean of all. */
static void fill_row(double *x, double *off, const mo_recognizer_data *d, size_t i)
{
    const float *views = mo_recognizer_picture(d, i);
    for (size_t k = 0; k < d->dim; k++) x[k] = (double)views[k];
    for (size_t k = 0; k < d->dim && off; k++) {
        double sum = 0;
        for (size_t v = 0; v < d->n_views; v++) sum += (double)views[v * d->dim + k];
        off[k] = x[k] - sum / (double)d->n_views;
    }
}

static mopd_status fill_rows(mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    const size_t height = p->x.height;
    double *x = mo_mem_alloc(2 * height, d->dim * sizeof *x);
    if (!x) return MOPD_E_NOMEM;
    double *off = p->off.packed ? x + height * d->dim : NULL;
    for (size_t i = 0; i < d->n; i += height) {
        for (size_t k = 0; k < height && i + k < d->n; k++)
            fill_row(x + k * d->dim, off ? off + k * d->dim : NULL, d, i + k);
        mo_gemm_f64_rows_put(&p->x, i, x);
        if (off) mo_gemm_f64_rows_put(&p->off, i, off);
    }
    mo_mem_free(x);
    return MOPD_OK;
}

mopd_status mo_recognizer_parts_rows(mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    size_t nc;
    if (!mo_mul(d->n, d->n_classes, &nc))
        return mo_fail(MOPD_E_UNSUPPORTED, "%zu pictures of %zu classes are too many", d->n, d->n_classes);
    p->text = mo_mem_alloc(nc, sizeof(double));
    mopd_status st = p->text ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_gemm_f64_rows_create(&p->x, d->n, d->dim);
    if (st == MOPD_OK && p->sums->within) st = mo_gemm_f64_rows_create(&p->off, d->n, d->dim);
    if (st == MOPD_OK) st = fill_rows(p);
    return st == MOPD_OK ? find_text(p) : st;
}

mopd_status mo_recognizer_parts_create(mo_recognizer_parts *out, const mo_recognizer_data *data,
    const mo_recognizer_sums *sums, double views, mo_pool *pool)
{
    *out = (mo_recognizer_parts){.data = data, .sums = sums, .pool = pool, .views = views};
    out->prior = mo_mem_alloc(data->n_classes, data->dim * sizeof(double));
    mopd_status st = out->prior ? find_median(out) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = find_prior(out);
    if (st != MOPD_OK) mo_recognizer_parts_free(out);
    return st;
}
