/* SPDX-License-Identifier: MIT
 * recognizer_sums.c - counts, means and the scatter within the classes, all at once or a picture at a time (Welford 1962). */
#include <string.h>

#include "base/mem.h"
#include "math/gemm_f64.h"
#include "prompt/recognizer.h"

void mo_recognizer_sums_free(mo_recognizer_sums *s)
{
    mo_mem_free(s->count);
    mo_mem_free(s->average);
    mo_mem_free(s->scatter);
    *s = (mo_recognizer_sums){0};
}

static mopd_status sums_alloc(mo_recognizer_sums *s, size_t n_classes, size_t dim)
{
    *s = (mo_recognizer_sums){.n_classes = n_classes, .dim = dim};
    size_t cd, dd;
    if (!mo_mul(n_classes, dim, &cd) || !mo_mul(dim, dim, &dd))
        return mo_fail(MOPD_E_UNSUPPORTED, "%zu classes of %zu numbers are too many", n_classes, dim);
    s->count = mo_mem_calloc(n_classes, sizeof(double));
    s->average = mo_mem_calloc(cd, sizeof(double));
    s->scatter = mo_mem_calloc(dd, sizeof(double));
    if (s->count && s->average && s->scatter) return MOPD_OK;
    mo_recognizer_sums_free(s);
    return MOPD_E_NOMEM;
}

mopd_status mo_recognizer_sums_copy(mo_recognizer_sums *out, const mo_recognizer_sums *from)
{
    mopd_status st = sums_alloc(out, from->n_classes, from->dim);
    if (st != MOPD_OK) return st;
    out->n = from->n;
    memcpy(out->count, from->count, from->n_classes * sizeof(double));
    memcpy(out->average, from->average, from->n_classes * from->dim * sizeof(double));
    memcpy(out->scatter, from->scatter, from->dim * from->dim * sizeof(double));
    return MOPD_OK;
}

static void find_averages(mo_recognizer_sums *s, const mo_recognizer_data *d)
{
    for (size_t i = 0; i < d->n; i++) {
        double *sum = s->average + (size_t)d->labels[i] * d->dim;
        for (size_t k = 0; k < d->dim; k++) sum[k] += (double)d->features[i * d->dim + k];
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

mopd_status mo_recognizer_sums_create(mo_recognizer_sums *out, const mo_recognizer_data *d, mo_pool *pool)
{
    mopd_status st = sums_alloc(out, d->n_classes, d->dim);
    if (st != MOPD_OK) return st;
    const size_t dim = d->dim;
    double *r = mo_mem_alloc(d->n, dim * sizeof *r);
    if (!r) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) {
        out->n = d->n;
        find_averages(out, d);
        for (size_t i = 0; i < d->n; i++)
            for (size_t k = 0; k < dim; k++)
                r[i * dim + k] =
                    (double)d->features[i * dim + k] - out->average[(size_t)d->labels[i] * dim + k];
        st = mo_gemm_f64(pool, &(mo_gemm_f64_args){.c = out->scatter,
                                   .ldc = dim,
                                   .a = r,
                                   .ars = 1,
                                   .acs = dim,
                                   .b = r,
                                   .brs = dim,
                                   .bcs = 1,
                                   .m = dim,
                                   .n = dim,
                                   .k = d->n,
                                   .lower = true});
        mirror(out->scatter, dim);
    }
    mo_mem_free(r);
    if (st != MOPD_OK) mo_recognizer_sums_free(out);
    return st;
}

/* scatter += share (x - average)(x - average)'. */
static void add_outer(mo_recognizer_sums *s, const float *x, const double *average, double share)
{
    for (size_t i = 0; i < s->dim; i++) {
        const double off = share * ((double)x[i] - average[i]);
        double *row = s->scatter + i * s->dim;
        for (size_t k = 0; k < s->dim; k++) row[k] += off * ((double)x[k] - average[k]);
    }
}

void mo_recognizer_sums_add(mo_recognizer_sums *s, const float *feature, size_t label)
{
    double *average = s->average + label * s->dim;
    const double n = s->count[label];
    add_outer(s, feature, average, n / (n + 1));
    for (size_t k = 0; k < s->dim; k++) average[k] += ((double)feature[k] - average[k]) / (n + 1);
    s->count[label]++;
    s->n++;
}

void mo_recognizer_sums_remove(mo_recognizer_sums *s, const float *feature, size_t label)
{
    double *average = s->average + label * s->dim;
    const double n = s->count[label];
    if (n < 2) {
        memset(average, 0, s->dim * sizeof *average);
    } else {
        add_outer(s, feature, average, -n / (n - 1));
        for (size_t k = 0; k < s->dim; k++) average[k] -= ((double)feature[k] - average[k]) / (n - 1);
    }
    s->count[label]--;
    s->n--;
}
