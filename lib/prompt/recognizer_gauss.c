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
    out->inverse = mo_mem_alloc(dim, dim * sizeof(double));
    out->white = mo_mem_alloc(n_classes, dim * sizeof(double));
    out->toward = mo_mem_alloc(n_classes, dim * sizeof(double));
    out->half = mo_mem_alloc(n_classes, sizeof(double));
    if (out->mean && out->factor && out->inverse && out->white && out->toward && out->half) return MOPD_OK;
    mo_recognizer_gauss_free(out);
    return MOPD_E_NOMEM;
}

void mo_recognizer_gauss_free(mo_recognizer_gauss *g)
{
    mo_mem_free(g->mean);
    mo_mem_free(g->factor);
    mo_mem_free(g->inverse);
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

/* to (C x D) = rows (C x D) times a lower triangle (D x D), transposed or as it is. */
static mopd_status multiply(
    double *to, const double *rows, const double *by, bool transposed, const mo_recognizer_parts *p)
{
    const size_t dim = p->data->dim;
    return mo_gemm_f64(p->pool, &(mo_gemm_f64_args){.c = to,
                                    .ldc = dim,
                                    .a = rows,
                                    .ars = dim,
                                    .acs = 1,
                                    .b = by,
                                    .brs = transposed ? 1 : dim,
                                    .bcs = transposed ? dim : 1,
                                    .m = p->data->n_classes,
                                    .n = dim,
                                    .k = dim,
                                    .triangle = transposed,
                                    .low_b = !transposed});
}

mopd_status mo_recognizer_gauss_fit(
    mo_recognizer_gauss *g, const mo_recognizer_parts *p, double kappa, double lambda)
{
    const size_t dim = p->data->dim;
    g->kappa = kappa;
    g->lambda = lambda;
    mopd_status st = covariance(g->factor, g, p);
    if (st == MOPD_OK) st = mo_triangle_invert(p->pool, g->inverse, g->factor, dim);
    if (st != MOPD_OK) return st;
    pull_means(g, p);
    st = multiply(g->white, g->mean, g->inverse, true, p);
    if (st == MOPD_OK) st = multiply(g->toward, g->white, g->inverse, false, p);
    for (size_t c = 0; c < p->data->n_classes && st == MOPD_OK; c++) {
        const double *white = g->white + c * dim;
        g->half[c] = mo_recognizer_dot(white, white, dim) / 2;
    }
    return st;
}

static void leave_one_out(void *ctx, size_t i)
{
    const mo_recognizer_rows *j = ctx;
    const mo_recognizer_data *d = j->p->data;
    const size_t c_all = d->n_classes, y = (size_t)d->labels[i];
    const double k = j->p->sums->count[y] + j->g->kappa, h = k - 1, *half = j->g->half,
                 *near = j->means + y * c_all, *more = j->more ? j->more + i * c_all : NULL;
    double *v = j->scores + i * c_all;
    const double q = j->length[i], uy = v[y] - near[y] - (more ? more[y] : 0),
                 p = q + uy + (more ? j->across[i] : 0);
    const double w = k / h * (1 - j->g->lambda) / (double)d->n, e = w / (1 - w * q), own = uy - q / h;
    const double its =
        v[y] - p / h + e * p * own - (2 * half[y] - 2 * uy / h + q / (h * h) + e * own * own) / 2;
    for (size_t c = 0; c < c_all; c++) {
        const double u = v[c] - near[c] - (more ? more[c] : 0);
        v[c] += e * (p * u - u * u / 2) - half[c];
    }
    v[y] = its;
}

void mo_recognizer_leave_rows(const mo_recognizer_rows *rows)
{
    mo_pool_run(rows->p->pool, rows->p->data->n, leave_one_out, (void *)(uintptr_t)rows);
}

/* to (N x C) = rows times what stands in P mu's rows. */
static mopd_status with_rows(
    double *to, const mo_gemm_f64_rows *rows, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t c_all = p->data->n_classes;
    return mo_gemm_f64(p->pool,
        &(mo_gemm_f64_args){
            .c = to, .ldc = c_all, .rows = rows, .b = g->toward, .brs = 1, .bcs = rows->k, .n = c_all});
}

/* means (C x C) = <mu~_y, mu~_c>. */
mopd_status mo_recognizer_multiply_means(
    double *means, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
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

/* q of every picture, and <o~, r~>. */
static mopd_status measure(double *length, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t n = p->data->n, dim = p->data->dim;
    return mo_gemm_f64_measure(p->pool, &(mo_gemm_f64_far){.rows = &p->x,
                                            .off = p->off.packed ? &p->off : NULL,
                                            .b = g->inverse,
                                            .brs = 1,
                                            .bcs = dim,
                                            .n = dim,
                                            .triangle = true,
                                            .centres = g->white,
                                            .whose = p->data->labels,
                                            .lengths = length,
                                            .across = length + n});
}

mopd_status mo_recognizer_leave_out(
    double *scores, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t n = p->data->n, c_all = p->data->n_classes, n_off = p->off.packed ? n : 0;
    double *means = mo_mem_alloc(c_all, c_all * sizeof *means),
           *more = n_off ? mo_mem_alloc(n_off, c_all * sizeof *more) : NULL,
           *length = mo_mem_alloc(n, 2 * sizeof *length);
    mopd_status st = means && length && (more || !n_off) ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = measure(length, g, p);
    if (st == MOPD_OK) st = with_rows(scores, &p->x, g, p);
    if (st == MOPD_OK && n_off) st = with_rows(more, &p->off, g, p);
    if (st == MOPD_OK) st = mo_recognizer_multiply_means(means, g, p);
    if (st == MOPD_OK)
        mo_recognizer_leave_rows(&(mo_recognizer_rows){g, p, length, length + n, more, means, scores});
    mo_mem_free(means);
    mo_mem_free(more);
    mo_mem_free(length);
    return st;
}

mopd_status mo_recognizer_margin(double *margin, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const size_t n = p->data->n, c_all = p->data->n_classes;
    double *v = mo_mem_alloc(n, c_all * sizeof *v), sum = 0;
    mopd_status st = v ? with_rows(v, &p->x, g, p) : MOPD_E_NOMEM;
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
