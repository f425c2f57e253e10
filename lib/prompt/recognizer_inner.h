/* SPDX-License-Identifier: MIT
 * recognizer_inner.h - the steps of a fit: means and prior, covariance, rows left out, weights. */
#ifndef MO_PROMPT_RECOGNIZER_INNER_H
#define MO_PROMPT_RECOGNIZER_INNER_H

#include "math/gemm_f64.h"
#include "prompt/recognizer.h"

/* What all candidates of kappa and lambda share. */
typedef struct mo_recognizer_parts {
    const mo_recognizer_data *data;
    const mo_recognizer_sums *sums;
    mo_pool *pool;
    size_t median;      /* pictures of a class that has some */
    double *prior;      /* C x D: m */
    double shift;       /* s */
    double told;        /* share of the class means' spread that the names account for */
    double views;       /* g; 0: a picture is its first view */
    mo_gemm_f64_rows x; /* N x D: first views in double; from mo_recognizer_parts_rows on */
    mo_gemm_f64_rows
        off;      /* N x D: first views less the mean over views; not where a picture is its first view */
    double *text; /* N x C: sigma x't; likewise */
} mo_recognizer_parts;

mopd_status mo_recognizer_parts_create(mo_recognizer_parts *out, const mo_recognizer_data *data,
    const mo_recognizer_sums *sums, double views, mo_pool *pool);

/* What only those need who leave pictures out. */
mopd_status mo_recognizer_parts_rows(mo_recognizer_parts *parts);
void mo_recognizer_parts_free(mo_recognizer_parts *parts);

/* One candidate's Gaussian classes. */
typedef struct mo_recognizer_gauss {
    double kappa, lambda;
    double *mean;             /* C x D: mu */
    double *factor, *inverse; /* D x D: L, where P = inv(L L'), and inv(L) */
    double *white;            /* C x D: inv(L) mu */
    double *toward;           /* C x D: P mu */
    double *half;             /* C: mu'P mu / 2 */
} mo_recognizer_gauss;

mopd_status mo_recognizer_gauss_create(mo_recognizer_gauss *out, size_t n_classes, size_t dim);
void mo_recognizer_gauss_free(mo_recognizer_gauss *gauss);
mopd_status mo_recognizer_gauss_fit(
    mo_recognizer_gauss *gauss, const mo_recognizer_parts *parts, double kappa, double lambda);

/* scores (N x C) = x'P mu_c - mu_c'P mu_c / 2, each picture left out in its turn: exact, prior, shrinking target and W held. */
mopd_status mo_recognizer_leave_out(
    double *scores, const mo_recognizer_gauss *gauss, const mo_recognizer_parts *parts);

/* What that is made of.  mo_recognizer_leave_rows makes it, with r = z - mu_y, z the mean of a picture's views, o = x - z. */
typedef struct mo_recognizer_rows {
    const mo_recognizer_gauss *g;
    const mo_recognizer_parts *p;
    double *length, *across; /* N: r'P r, and o'P r */
    const double *more;      /* N x C: o'P mu_c; NULL: a picture is its first view, and across is not read */
    const double *means;     /* C x C: mu_y'P mu_c */
    double *scores;          /* N x C: x'P mu_c, then the scores */
} mo_recognizer_rows;

void mo_recognizer_leave_rows(const mo_recognizer_rows *rows);
mopd_status mo_recognizer_multiply_means(
    double *means, const mo_recognizer_gauss *gauss, const mo_recognizer_parts *parts);

/* The same in single precision, for candidates that are compared: working memory of all of them. */
typedef struct mo_recognizer_rough {
    bool views;
    double kappa;                  /* r's; 0: none yet */
    float *r, *off;                /* N x D and a gap; off NULL: no views */
    float *u, *small;              /* N x C: r'P mu_c; N, twice: length, across */
    double *more, *means, *length; /* as above, across behind length */
} mo_recognizer_rough;

mopd_status mo_recognizer_rough_create(mo_recognizer_rough *out, const mo_recognizer_parts *parts);
void mo_recognizer_rough_free(mo_recognizer_rough *rough);
mopd_status mo_recognizer_leave_roughly(double *scores, mo_recognizer_rough *rough,
    const mo_recognizer_gauss *gauss, const mo_recognizer_parts *parts);

/* The same as mo_recognizer_leave_out, but W without the picture's views. */
mopd_status mo_recognizer_leave_pictures(
    double *scores, const mo_recognizer_gauss *gauss, const mo_recognizer_parts *parts);

/* Mean over the pictures of the score of their own class less the mean score of the others; 0: one class. */
mopd_status mo_recognizer_margin(
    double *margin, const mo_recognizer_gauss *gauss, const mo_recognizer_parts *parts);

static inline double mo_recognizer_dot(const double *a, const double *b, size_t n)
{
    enum { LANES = 8 }; /* sums at once */
    double sum[LANES] = {0}, all = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++) sum[i % LANES] += a[i] * b[i];
    for (size_t k = 0; k < LANES; k++) all += sum[k];
    return all;
}

#endif
