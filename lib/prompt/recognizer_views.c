/* SPDX-License-Identifier: MIT
 * recognizer_views.c - the scores of a picture that is left out with all its views: what they add to W goes, too.
 *
 * With z the mean of the views x_v, b_0 = z - mu_y and b_v = x_v - z, the picture's share of the covariance M is
 * sum_k alpha_k^2 b_k b_k' with alpha_0^2 = k / (k - 1) (1 - lambda) / N, alpha_v^2 = g (1 - lambda) / (N V).  With rows
 * b~ = inv(L) b and A = I - (alpha_k alpha_l <b~_k, b~_l>) (Woodbury), where F F' = A:
 *
 *     w_c = inv(F) (alpha_k <b~_k, mu~_c>)      w = inv(F) (alpha_k <b~_k, x~>)
 *     v_c = <x~, mu~_c> + <w, w_c> - (|mu~_c|^2 + |w_c|^2) / 2
 *
 * where mu_y is that of the others of its class, mu_y - b_0 / (k - 1). */
#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/gemm_f64.h"
#include "prompt/recognizer_inner.h"

enum { SOME_PICTURES = 64, MOST_ROWS = 33 /* of a picture; with more views than that W is held */ };

typedef struct job {
    const mo_recognizer_gauss *g;
    const mo_recognizer_parts *p;
    size_t first, rows; /* pictures from here on; rows of each */
    double *row;        /* rows of some pictures x D: b, then b~ */
    double *toward;     /* rows of some pictures x C: <b~, mu~_c> */
    double *own, *near; /* classes with pictures x D: mu_y; x C: <mu~_y, mu~_c> */
    size_t *place;      /* of a class among those with pictures */
    double *scores;     /* N x C */
} job;

/* b_k of picture first + i. */
static void fill(void *ctx, size_t i)
{
    const job *j = ctx;
    const mo_recognizer_data *d = j->p->data;
    const float *x = mo_recognizer_picture(d, j->first + i);
    const double *mean = j->g->mean + (size_t)d->labels[j->first + i] * d->dim;
    double *b = j->row + i * j->rows * d->dim;
    for (size_t k = 0; k < d->dim; k++) {
        double z = 0;
        for (size_t v = 0; v < d->n_views; v++) z += (double)x[v * d->dim + k];
        z /= (double)d->n_views;
        b[k] = z - mean[k];
        for (size_t v = 0; v < d->n_views; v++) b[(v + 1) * d->dim + k] = (double)x[v * d->dim + k] - z;
    }
}

/* What is known of one picture. */
typedef struct left {
    size_t n, y; /* rows */
    double h;    /* k - 1 */
    double alpha[MOST_ROWS], gram[MOST_ROWS * MOST_ROWS], f[MOST_ROWS * MOST_ROWS], w[MOST_ROWS];
} left;

/* x := inv(F) x. */
static void forward(const left *l, double *x)
{
    for (size_t i = 0; i < l->n; i++) {
        for (size_t k = 0; k < i; k++) x[i] -= l->f[i * l->n + k] * x[k];
        x[i] /= l->f[i * l->n + i];
    }
}

/* F of A; what is left of a direction is more than nothing by lambda, but for rounding. */
static void factor(left *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k <= i; k++) {
            double a = (i == k) - l->alpha[i] * l->alpha[k] * l->gram[i * l->n + k];
            for (size_t p = 0; p < k; p++) a -= l->f[i * l->n + p] * l->f[k * l->n + p];
            l->f[i * l->n + k] = i == k ? sqrt(fmax(a, 1e-12)) : a / l->f[k * l->n + k];
        }
}

static void prepare(left *l, const job *j, size_t i)
{
    const mo_recognizer_data *d = j->p->data;
    const double *b = j->row + i * j->rows * d->dim, *toward = j->toward + i * j->rows * d->n_classes;
    const double share = (1 - j->g->lambda) / (double)d->n;
    l->n = j->rows;
    l->y = (size_t)d->labels[j->first + i];
    l->h = j->p->sums->count[l->y] + j->g->kappa - 1;
    l->alpha[0] = sqrt((l->h + 1) / l->h * share);
    for (size_t k = 1; k < l->n; k++) l->alpha[k] = sqrt(j->p->views * share / (double)d->n_views);
    for (size_t k = 0; k < l->n; k++)
        for (size_t m = 0; m <= k; m++)
            l->gram[k * l->n + m] = l->gram[m * l->n + k] =
                mo_recognizer_dot(b + k * d->dim, b + m * d->dim, d->dim);
    factor(l);
    for (size_t k = 0; k < l->n; k++) /* x = b_0 + mu_y + b_1 */
        l->w[k] = l->alpha[k] * (l->gram[k * l->n] + toward[k * d->n_classes + l->y] + l->gram[k * l->n + 1]);
    forward(l, l->w);
}

/* The score of a class with <x~, mu~> = across, |mu~|^2 = square, and, in w, alpha_k <b~_k, mu~>. */
static double score(const left *l, double across, double square, double *w)
{
    forward(l, w);
    return across + mo_recognizer_dot(l->w, w, l->n) - (square + mo_recognizer_dot(w, w, l->n)) / 2;
}

static void leave_one_out(void *ctx, size_t i)
{
    const job *j = ctx;
    const size_t c_all = j->p->data->n_classes;
    left l;
    prepare(&l, j, i);
    const double *t = j->toward + i * l.n * c_all, *near = j->near + j->place[l.y] * c_all,
                 *half = j->g->half;
    double *v = j->scores + (j->first + i) * c_all, w[MOST_ROWS];
    for (size_t c = 0; c < c_all; c++) {
        const bool own = c == l.y;
        double across = t[c] + near[c] + t[c_all + c], square = 2 * half[c];
        for (size_t k = 0; k < l.n; k++)
            w[k] = l.alpha[k] * (t[k * c_all + c] - (own ? l.gram[k * l.n] / l.h : 0));
        if (own) {
            across -= (l.gram[0] + t[c] + l.gram[1]) / l.h;
            square += l.gram[0] / (l.h * l.h) - 2 * t[c] / l.h;
        }
        v[c] = score(&l, across, square, w);
    }
}

/* to (m x columns) = rows times what stands in b's rows. */
static mopd_status multiply(
    double *to, const double *rows, size_t m, const double *b, size_t columns, bool triangle, const job *j)
{
    const size_t dim = j->p->data->dim;
    return mo_gemm_f64(j->p->pool, &(mo_gemm_f64_args){.c = to,
                                       .ldc = columns,
                                       .a = rows,
                                       .ars = dim,
                                       .acs = 1,
                                       .b = b,
                                       .brs = 1,
                                       .bcs = dim,
                                       .m = m,
                                       .n = columns,
                                       .k = dim,
                                       .triangle = triangle});
}

/* m pictures from j->first on; b: room as for j->row. */
static mopd_status leave_some(job *j, double *b, size_t m)
{
    const mo_recognizer_data *d = j->p->data;
    double *white = j->row;
    j->row = b;
    mo_pool_run(j->p->pool, m, fill, j);
    j->row = white;
    mopd_status st = multiply(white, b, m * j->rows, j->g->inverse, d->dim, true, j);
    if (st == MOPD_OK) st = multiply(j->toward, b, m * j->rows, j->g->toward, d->n_classes, false, j);
    if (st == MOPD_OK) mo_pool_run(j->p->pool, m, leave_one_out, j);
    return st;
}

/* The means of classes with pictures; how many there are. */
static size_t gather_own(const job *j)
{
    const mo_recognizer_data *d = j->p->data;
    size_t n = 0;
    for (size_t c = 0; c < d->n_classes; c++) {
        if (!(j->p->sums->count[c] > 0)) continue;
        memcpy(j->own + n * d->dim, j->g->mean + c * d->dim, d->dim * sizeof *j->own);
        j->place[c] = n++;
    }
    return n;
}

static mopd_status leave_all(job *j, double *b)
{
    const mo_recognizer_data *d = j->p->data;
    mopd_status st = multiply(j->near, j->own, gather_own(j), j->g->toward, d->n_classes, false, j);
    for (; j->first < d->n && st == MOPD_OK; j->first += SOME_PICTURES)
        st = leave_some(j, b, mo_min(SOME_PICTURES, d->n - j->first));
    return st;
}

mopd_status mo_recognizer_leave_pictures(
    double *scores, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    const size_t rows = d->n_views + 1, some = mo_min(SOME_PICTURES, d->n) * rows;
    if (!p->off.packed || rows > MOST_ROWS) return mo_recognizer_leave_out(scores, g, p);
    const size_t own = mo_min(d->n_classes, d->n); /* at most, with pictures */
    job j = {.g = g, .p = p, .rows = rows, .scores = scores};
    double *b = mo_mem_alloc(mo_times(some, d->dim), sizeof *b);
    j.row = mo_mem_alloc(mo_times(some, d->dim), sizeof *j.row);
    j.toward = mo_mem_alloc(mo_times(some, d->n_classes), sizeof *j.toward);
    j.own = mo_mem_alloc(mo_times(own, d->dim), sizeof *j.own);
    j.near = mo_mem_alloc(mo_times(own, d->n_classes), sizeof *j.near);
    j.place = mo_mem_alloc(d->n_classes, sizeof *j.place);
    const bool room = b && j.row && j.toward && j.own && j.near && j.place;
    mopd_status st = room ? leave_all(&j, b) : MOPD_E_NOMEM;
    mo_mem_free(b);
    mo_mem_free(j.row);
    mo_mem_free(j.toward);
    mo_mem_free(j.own);
    mo_mem_free(j.near);
    mo_mem_free(j.place);
    return st;
}
