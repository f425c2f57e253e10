/* SPDX-License-Identifier: MIT
 * recognizer.h - Gaussian classes with one covariance and a prior mean from the class names, blended with the
 * text classifier (docs/method.md 9.5).
 *
 *     m_c  = g + s (t_c - tau)                              where the names say class c lies
 *     mu_c = (n_c xbar_c + kappa m_c) / (n_c + kappa)       pulled towards its pictures
 *     P    = inv((1 - lambda) S / N + lambda tr(S / N) / D I)
 *     logit_c(x) = a sigma x't_c + b (x'P mu_c - mu_c'P mu_c / 2)
 *
 * kappa, lambda, a and b are those under which the training pictures, each left out in its turn, are likeliest.
 *
 * Where several views of each picture are given, xbar and S are those of the pictures' means over their views, and S has
 * as much more as views differ: S + g W, W the sum over pictures of their views' scatter. */
#ifndef MO_PROMPT_RECOGNIZER_H
#define MO_PROMPT_RECOGNIZER_H

#include <stdbool.h>

#include "base/names.h"
#include "base/pool.h"

#define MO_RECOGNIZER_VIEWS 65536 /* of a picture at most */

/* What is fitted to: N pictures of C classes, and the text side. */
typedef struct mo_recognizer_data {
    size_t n, n_classes, dim; /* N, C, D */
    size_t n_views;           /* V; 0 is 1 */
    const float
        *features; /* N x V x D, rows of length 1; the first view of a picture is what it will be known by */
    const int32_t *labels; /* N, in [0, C); a class may have none */
    const float *text;     /* C x D, rows of length 1 */
    double scale;          /* sigma: cosine x this = the text classifier's logit */
} mo_recognizer_data;

/* Sums over the pictures, from which everything follows: a picture is added or taken away in D^2 steps. */
typedef struct mo_recognizer_sums {
    size_t n_classes, dim, n;
    double *count;   /* C: n_c */
    double *average; /* C x D: xbar, 0 where there is no picture */
    double *scatter; /* D x D: sum of (x - xbar)(x - xbar)' */
    double *within;  /* D x D: W; NULL: a picture is its first view */
    double *middle;  /* D: working memory of the two calls that change them */
} mo_recognizer_sums;

/* views: of all views of each picture, else of the first ones. */
mopd_status mo_recognizer_sums_create(
    mo_recognizer_sums *out, const mo_recognizer_data *data, bool views, mo_pool *pool);
mopd_status mo_recognizer_sums_copy(mo_recognizer_sums *out, const mo_recognizer_sums *from);
void mo_recognizer_sums_free(mo_recognizer_sums *sums);

/* Adds one picture's features (n_views x D) to a class, or takes away one that was added. */
void mo_recognizer_sums_add(mo_recognizer_sums *sums, const float *features, size_t n_views, size_t label);
void mo_recognizer_sums_remove(mo_recognizer_sums *sums, const float *features, size_t n_views, size_t label);

/* Settings; what is 0 is chosen, but views, which is g: 0 where sums are those of the first views. */
typedef struct mo_recognizer_settings {
    double kappa, lambda, a, b, views;
} mo_recognizer_settings;

/* The fitted numbers. */
typedef struct mo_recognizer_fit {
    mo_recognizer_settings settings;
    double shift; /* s */
    double *
        losses; /* N: -log p of each picture left out, where these can tell of views and settings were chosen; else NULL */
    double *prior;  /* C x D: m */
    double *mean;   /* C x D: mu */
    double *weight; /* C x D: a sigma t + b P mu */
    double *bias;   /* C: b mu'P mu / 2 */
} mo_recognizer_fit;

/* sums are those of data.  NOMEM; NUMERIC. */
mopd_status mo_recognizer_fit_create(mo_recognizer_fit *out, const mo_recognizer_data *data,
    const mo_recognizer_sums *sums, const mo_recognizer_settings *settings, mo_pool *pool);
void mo_recognizer_fit_free(mo_recognizer_fit *fit);

/* V, and the first view of picture i. */
static inline size_t mo_recognizer_views(const mo_recognizer_data *data)
{
    return data->n_views ? data->n_views : 1;
}

static inline const float *mo_recognizer_picture(const mo_recognizer_data *data, size_t i)
{
    return data->features + i * mo_recognizer_views(data) * data->dim;
}

/* logits (N x C), each picture left out in its turn, of a fit whose settings are all given, and that fit, unless NULL; *out
 * NULL, and the fit empty, where nothing can be left out: fewer than two pictures a class.  mo_mem_free it. */
mopd_status mo_recognizer_fit_leave_out(double **out, mo_recognizer_fit *fit, const mo_recognizer_data *data,
    const mo_recognizer_sums *sums, const mo_recognizer_settings *settings, mo_pool *pool);

#endif
