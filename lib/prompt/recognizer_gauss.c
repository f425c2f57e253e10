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
 * p = q + u_y + <o~, r~>.  u_c is x'P mu_c - o'P mu_c - mu_y'P mu_c. */
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
    out->mean = mo_mem_alloc(n_classes, dim * sizeof(double));
    out->factor = mo_mem_alloc(dim, dim * sizeof(double));
    out->white = mo_mem_alloc(n_classes, dim * sizeof(double));
    out->toward = mo_mem_alloc(n_classes, dim * sizeof(double));
    out->half = mo_mem_alloc(n_classes, sizeof(double));
    if (out->mean && out->factor && out->white && out->toward && out->half) return MOPD_OK;
    mo_recognizer_gauss_free(out);
    return MOPD_E_NOMEM;
}

void mo_recognizer_gauss_free(mo_recognizer_gauss *g)
{
    mo_mem_free(g->mean);
    mo_mem_free(g->factor);
    mo_mem_free(g->white);
    mo_mem_free(g->toward);
    mo_mem_free(g->half);
    *g = (mo_recognizer_gauss){0};
}

/* The lower half of m (D x D) = (1 - lambda) S / N + lambda tr(S / N) / D I, where
 * S = scatter + g W + sum n k / (n + k) (xbar - m)(xbar - m)'. */
static mopd_status covariance(double *m, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t dim = p->data->dim, c_all = p->data->n_classes;
    double *off = mo_mem_alloc(c_all, dim * sizeof *off), trace = 0;
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
    memcpy(g->toward, g->white, n_classes * dim * sizeof *g->toward);
    for (size_t c = 0; c < n_classes; c++) {
        const double *white = g->white + c * dim;
        g->half[c] = mo_recognizer_dot(white, white, dim) / 2;
    }
    return mo_triangle_solve(p->pool, g->toward, n_classes, g->factor, dim, true);
}

typedef struct leave_job {
    const mo_recognizer_gauss *g;
    const mo_recognizer_parts *p;
    double *rows;        /* N x D: x~, then r~ */
    const double *off;   /* N x D: o~; NULL: none */
    const double *more;  /* N x C: o'P mu_c */
    const double *means; /* C x C: mu_y'P mu_c */
    double *scores;      /* N x C: x'P mu_c, then the scores */
} leave_job;

/* Of picture i: q, and *across = <o~, r~>. */
static double length(const leave_job *j, size_t i, double *across)
{
    const size_t dim = j->p->data->dim;
    const double *white = j->g->white + (size_t)j->p->data->labels[i] * dim,
                 *off = j->off ? j->off + i * dim : NULL;
    double *r = j->rows + i * dim;
    for (size_t k = 0; k < dim; k++) r[k] -= white[k];
    for (size_t k = 0; k < dim && off; k++) r[k] -= off[k];
    *across = off ? mo_recognizer_dot(off, r, dim) : 0;
    return mo_recognizer_dot(r, r, dim);
}

static void leave_one_out(void *ctx, size_t i)
{
    const leave_job *j = ctx;
    const mo_recognizer_data *d = j->p->data;
    const size_t c_all = d->n_classes, y = (size_t)d->labels[i];
    const double k = j->p->sums->count[y] + j->g->kappa, h = k - 1, *half = j->g->half,
                 *near = j->means + y * c_all, *more = j->off ? j->more + i * c_all : NULL;
    double *v = j->scores + i * c_all, across;
    const double q = length(j, i, &across), uy = v[y] - near[y] - (more ? more[y] : 0), p = q + uy + across;
    const double w = k / h * (1 - j->g->lambda) / (double)d->n, e = w / (1 - w * q), own = uy - q / h;
    const double its =
        v[y] - p / h + e * p * own - (2 * half[y] - 2 * uy / h + q / (h * h) + e * own * own) / 2;
    for (size_t c = 0; c < c_all; c++) {
        const double u = v[c] - near[c] - (more ? more[c] : 0);
        v[c] += e * (p * u - u * u / 2) - half[c];
    }
    v[y] = its;
}

/* to (N x columns) = rows times what stands in b's rows. */
static mopd_status with_rows(double *to, const mo_gemm_f64_rows *rows, const double *b, size_t columns,
    bool triangle, const mo_recognizer_parts *p)
{
    return mo_gemm_f64(p->pool, &(mo_gemm_f64_args){.c = to,
                                    .ldc = columns,
                                    .rows = rows,
                                    .b = b,
                                    .brs = 1,
                                    .bcs = rows->k,
                                    .n = columns,
                                    .triangle = triangle});
}

/* means (C x C) = <mu~_y, mu~_c>. */
static mopd_status multiply_means(double *means, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t dim = p->data->dim, c_all = p->data->n_classes;
    return mo_gemm_f64(p->pool, &(mo_gemm_f64_args){.c = means,
                                    .ldc = c_all,
                                    .a = g->white,
                                    .ars = dim,
                                    .acs = 1,
                                    .b = g->white,
                                    .brs = 1,
                                    .bcs = dim,
                                    .m = c_all,
                                    .n = c_all,
                                    .k = dim});
}

/* off = inv(L) o, more = o'P mu_c of every picture. */
static mopd_status multiply_off(
    double *off, double *more, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    mopd_status st = with_rows(off, &p->off, p->inverse, p->data->dim, true, p);
    return st == MOPD_OK ? with_rows(more, &p->off, g->toward, p->data->n_classes, false, p) : st;
}

mopd_status mo_recognizer_leave_out(
    double *scores, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    const size_t dim = d->dim, c_all = d->n_classes, n_off = p->off.packed ? d->n : 0;
    double *means = mo_mem_alloc(c_all, c_all * sizeof *means),
           *off = n_off ? mo_mem_alloc(n_off, dim * sizeof *off) : NULL,
           *more = n_off ? mo_mem_alloc(n_off, c_all * sizeof *more) : NULL;
    const bool room = means && (!n_off || (off && more));
    mopd_status st = room ? mo_triangle_invert(p->pool, p->inverse, g->factor, dim) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = with_rows(p->rows, &p->x, p->inverse, dim, true, p);
    if (st == MOPD_OK) st = with_rows(scores, &p->x, g->toward, c_all, false, p);
    if (st == MOPD_OK) st = multiply_means(means, g, p);
    if (st == MOPD_OK && n_off) st = multiply_off(off, more, g, p);
    if (st == MOPD_OK)
        mo_pool_run(p->pool, d->n, leave_one_out, &(leave_job){g, p, p->rows, off, more, means, scores});
    mo_mem_free(means);
    mo_mem_free(off);
    mo_mem_free(more);
    return st;
}

mopd_status mo_recognizer_margin(double *margin, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t n = p->data->n, c_all = p->data->n_classes;
    double *v = mo_mem_alloc(n, c_all * sizeof *v), sum = 0;
    mopd_status st = v ? with_rows(v, &p->x, g->toward, c_all, false, p) : MOPD_E_NOMEM;
    for (size_t i = 0; i < n && st == MOPD_OK && c_all > 1; i++) {
        const size_t y = (size_t)p->data->labels[i];
        const double own = v[i * c_all + y] - g->half[y];
        double all = 0;
        for (size_t c = 0; c < c_all; c++) all += v[i * c_all + c] - g->half[c];
        sum += own - (all - own) / (double)(c_all - 1);
    }
    *margin = sum / (double)n;
    mo_mem_free(v);
    return st;
}
