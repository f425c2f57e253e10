/* SPDX-License-Identifier: MIT
 * recognizer_gauss.c - class means, the one shrunk covariance, and the scores of pictures left out.
 *
 * With M = L L' the covariance, P = inv(M), and x~ = inv(L) x for every row:
 *
 *     x'P mu = <x~, mu~>      r = x - mu_y, k = n_y + kappa, w = k / (k - 1) (1 - lambda) / N
 *     q = |r~|^2, u_c = <r~, mu~_c>, p = q + u_y, e = w / (1 - w q)                     (Sherman and Morrison)
 *
 *     other classes   v_c(x) + e (p u_c - u_c^2 / 2)
 *     its own         x'P mu_y - p / (k - 1) + e p (u_y - q / (k - 1))
 *                       - [mu_y'P mu_y - 2 u_y / (k - 1) + q / (k - 1)^2 + e (u_y - q / (k - 1))^2] / 2
 *
 * Where a picture stands for the mean z of its views, r = z - mu_y, and x = z + o, its first view, is what is to be told:
 * p = q + u_y + <o~, r~>, and v_c(x) has <o~, mu~_c> more. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "math/gemm_f64.h"
#include "math/triangle.h"
#include "prompt/recognizer_inner.h"

#define LEAST_VARIANCE 1e-9 /* of a direction; pictures that are all alike have none */

mopd_status mo_recognizer_gauss_create(mo_recognizer_gauss *out, size_t n_classes, size_t dim)
{
    *out = (mo_recognizer_gauss){0};
    out->mean = mo_mem_alloc(n_classes * dim, sizeof(double));
    out->factor = mo_mem_alloc(dim * dim, sizeof(double));
    out->white = mo_mem_alloc(n_classes * dim, sizeof(double));
    out->half = mo_mem_alloc(n_classes, sizeof(double));
    if (out->mean && out->factor && out->white && out->half) return MOPD_OK;
    mo_recognizer_gauss_free(out);
    return MOPD_E_NOMEM;
}

void mo_recognizer_gauss_free(mo_recognizer_gauss *g)
{
    mo_mem_free(g->mean);
    mo_mem_free(g->factor);
    mo_mem_free(g->white);
    mo_mem_free(g->half);
    *g = (mo_recognizer_gauss){0};
}

/* The lower half of m (D x D) = (1 - lambda) S / N + lambda tr(S / N) / D I, where
 * S = scatter + g W + sum n k / (n + k) (xbar - m)(xbar - m)'. */
static mopd_status covariance(double *m, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t dim = p->data->dim, c_all = p->data->n_classes;
    double *off = mo_mem_alloc(c_all * dim, sizeof *off), trace = 0;
    if (!off) return MOPD_E_NOMEM;
    for (size_t c = 0; c < c_all; c++) {
        const double n = p->sums->count[c], root = sqrt(n * g->kappa / (n + g->kappa));
        for (size_t k = 0; k < dim; k++)
            off[c * dim + k] = root * (p->sums->average[c * dim + k] - p->prior[c * dim + k]);
    }
    memcpy(m, p->sums->scatter, dim * dim * sizeof *m);
    for (size_t i = 0; i < dim * dim && p->sums->within; i++) m[i] += p->views * p->sums->within[i];
    mopd_status st = mo_gemm_f64(p->pool, &(mo_gemm_f64_args){.c = m,
                                              .ldc = dim,
                                              .a = off,
                                              .ars = 1,
                                              .acs = dim,
                                              .b = off,
                                              .brs = dim,
                                              .bcs = 1,
                                              .m = dim,
                                              .n = dim,
                                              .k = c_all,
                                              .add = true,
                                              .lower = true});
    mo_mem_free(off);
    const double share = (1 - g->lambda) / (double)p->data->n;
    for (size_t k = 0; k < dim; k++) trace += m[k * dim + k];
    trace /= (double)p->data->n * (double)dim;
    for (size_t i = 0; i < dim; i++)
        for (size_t k = 0; k <= i; k++) m[i * dim + k] *= share;
    for (size_t k = 0; k < dim; k++) m[k * dim + k] += fmax(g->lambda * trace, LEAST_VARIANCE);
    return st;
}

static void pull_means(mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t dim = p->data->dim;
    for (size_t c = 0; c < p->data->n_classes; c++) {
        const double n = p->sums->count[c], own = n / (n + g->kappa), names = g->kappa / (n + g->kappa);
        for (size_t k = 0; k < dim; k++)
            g->mean[c * dim + k] = own * p->sums->average[c * dim + k] + names * p->prior[c * dim + k];
    }
}

mopd_status mo_recognizer_gauss_fit(
    mo_recognizer_gauss *g, const mo_recognizer_parts *p, double kappa, double lambda)
{
    const size_t dim = p->data->dim, n_classes = p->data->n_classes;
    g->kappa = kappa;
    g->lambda = lambda;
    mopd_status st = covariance(g->factor, g, p);
    if (st == MOPD_OK) st = mo_triangle_factor(p->pool, g->factor, g->factor, dim);
    if (st != MOPD_OK) return st;
    pull_means(g, p);
    memcpy(g->white, g->mean, n_classes * dim * sizeof *g->white);
    if ((st = mo_triangle_solve(p->pool, g->white, n_classes, g->factor, dim, false)) != MOPD_OK) return st;
    for (size_t c = 0; c < n_classes; c++) {
        double square = 0;
        for (size_t k = 0; k < dim; k++) square += g->white[c * dim + k] * g->white[c * dim + k];
        g->half[c] = square / 2;
    }
    return MOPD_OK;
}

typedef struct leave_job {
    const mo_recognizer_gauss *g;
    const mo_recognizer_parts *p;
    const double *rows;  /* N x D: r~ */
    const double *off;   /* N x D: o~; NULL: none */
    const double *more;  /* N x C: <o~, mu~_c> */
    const double *means; /* C x C: <mu~_y, mu~_c> */
    double *scores;      /* N x C: u, then the scores */
} leave_job;

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void leave_one_out(void *ctx, size_t i)
{
    const leave_job *j = ctx;
    const mo_recognizer_data *d = j->p->data;
    const size_t c_all = d->n_classes, y = (size_t)d->labels[i];
    const double k = j->p->sums->count[y] + j->g->kappa, h = k - 1, *half = j->g->half,
                 *near = j->means + y * c_all;
    const double *r = j->rows + i * d->dim, *more = j->off ? j->more + i * c_all : NULL;
    double *u = j->scores + i * c_all;
    const double q = dot(r, r, d->dim), uy = u[y],
                 p = q + uy + (more ? dot(j->off + i * d->dim, r, d->dim) : 0);
    const double w = k / h * (1 - j->g->lambda) / (double)d->n, e = w / (1 - w * q);
    for (size_t c = 0; c < c_all; c++) u[c] += near[c] - half[c] + e * (p * u[c] - u[c] * u[c] / 2);
    const double own = uy - q / h;
    u[y] =
        uy + 2 * half[y] - p / h + e * p * own - (2 * half[y] - 2 * uy / h + q / (h * h) + e * own * own) / 2;
    for (size_t c = 0; c < c_all && more; c++) u[c] += more[c];
}

/* to (N x D) = inv(L) of every row. */
static mopd_status whiten_rows(
    double *to, const double *rows, const double *inverse, const mo_recognizer_parts *p)
{
    const size_t dim = p->data->dim;
    return mo_gemm_f64(p->pool, &(mo_gemm_f64_args){.c = to,
                                    .ldc = dim,
                                    .a = rows,
                                    .ars = dim,
                                    .acs = 1,
                                    .b = inverse,
                                    .brs = 1,
                                    .bcs = dim,
                                    .m = p->data->n,
                                    .n = dim,
                                    .k = dim,
                                    .triangle = true});
}

/* to (N x D) = inv(L) (z - mu_y) of every picture; off = inv(L) o where there is one. */
static mopd_status whiten(double *to, double *off, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    const size_t dim = d->dim;
    mopd_status st = mo_triangle_invert(p->pool, p->inverse, g->factor, dim);
    if (st == MOPD_OK) st = whiten_rows(to, p->x, p->inverse, p);
    if (st == MOPD_OK && off) st = whiten_rows(off, p->off, p->inverse, p);
    for (size_t i = 0; i < d->n && st == MOPD_OK; i++)
        for (size_t k = 0; k < dim; k++) to[i * dim + k] -= g->white[(size_t)d->labels[i] * dim + k];
    for (size_t i = 0; i < d->n * dim && st == MOPD_OK && off; i++) to[i] -= off[i];
    return st;
}

/* to (m x C) = <row, mu~_c>. */
static mopd_status with_means(
    double *to, const double *rows, size_t m, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t dim = p->data->dim, c_all = p->data->n_classes;
    return mo_gemm_f64(p->pool, &(mo_gemm_f64_args){.c = to,
                                    .ldc = c_all,
                                    .a = rows,
                                    .ars = dim,
                                    .acs = 1,
                                    .b = g->white,
                                    .brs = 1,
                                    .bcs = dim,
                                    .m = m,
                                    .n = c_all,
                                    .k = dim});
}

mopd_status mo_recognizer_leave_out(
    double *scores, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    const size_t dim = d->dim, c_all = d->n_classes, n_off = p->off ? d->n : 0;
    double *rows = p->rows, *means = mo_mem_alloc(c_all * c_all, sizeof *means),
           *off = n_off ? mo_mem_alloc(n_off * dim, sizeof *off) : NULL,
           *more = n_off ? mo_mem_alloc(n_off * c_all, sizeof *more) : NULL;
    const bool room = means && (!n_off || (off && more));
    mopd_status st = room ? whiten(rows, off, g, p) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = with_means(scores, rows, d->n, g, p);
    if (st == MOPD_OK) st = with_means(means, g->white, c_all, g, p);
    if (st == MOPD_OK && off) st = with_means(more, off, d->n, g, p);
    if (st == MOPD_OK)
        mo_pool_run(p->pool, d->n, leave_one_out, &(leave_job){g, p, rows, off, more, means, scores});
    mo_mem_free(means);
    mo_mem_free(off);
    mo_mem_free(more);
    return st;
}
