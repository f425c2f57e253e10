/* SPDX-License-Identifier: MIT
 * loss.h - where the losses of all methods are computed and added up (docs/method.md 3.4, 3.5), with their gradients.
 *
 *     CE  = mean_i -log p_i[y_i]                                            p_i = softmax(z_i)
 *     MPD = mean_i sum_j alpha_ij T^2 KL(P_ij || Q_i)                       Q_i = softmax(z_i / T)
 *     MPS = mean_i sum_j alpha_ij (-log softmax(u_ij)[y_i])                 P_ij = softmax(u_ij / T)
 *     KG  = 1 - mean_c <s_c, t_c>
 *     loss = ce CE + mpd MPD + mps MPS + kg KG
 *
 * j runs over the K teachers kept for picture i.  Sums are in double, in a fixed order. */
#ifndef MO_PROMPT_LOSS_H
#define MO_PROMPT_LOSS_H

#include <stdbool.h>

#include "base/pool.h"

typedef struct mo_loss_weights {
    double ce, mpd, mps, kg;
    double temperature; /* T */
} mo_loss_weights;

typedef struct mo_loss_args {
    mo_loss_weights weights;
    size_t n, n_classes;      /* B, C */
    size_t n_templates, kept; /* M, K; 0, 0 without teachers */
    const float *student;     /* z, B x C: logits */
    const float *teachers;    /* u, B x M x C: logits; unused while mpd and mps are 0 */
    const int32_t *labels;    /* B, each in [0, C) */
    const uint32_t *chosen;   /* B x K, in [0, M) */
    const double *alpha;      /* B x K */
    float *d_student;         /* B x C = d loss / d z; NULL: losses only */
    float *d_scores;          /* B x M = d loss / d gate scores, 0 where not kept; NULL: not wanted */
    double *work;             /* mo_loss_work(B, K) doubles */
} mo_loss_args;

typedef struct mo_loss_sums {
    double ce, mpd, mps; /* means over the batch; mpd, mps are 0 while their weights are */
    size_t n_correct;    /* argmax of z is the label, ties to the lower class */
} mo_loss_sums;

size_t mo_loss_work(size_t n, size_t kept);
void mo_loss_run(mo_pool *pool, const mo_loss_args *args, mo_loss_sums *out);

/* KG of unit rows s, t (C x D); d_s += -kg / C x t. */
double mo_loss_kg(const float *s, const float *t, size_t n_classes, size_t dim, double kg, float *d_s);

/* ProGrad: where a . b < 0, a -= lambda (a . b / |b|^2) b.  A b of less than 1e-6 |a| has no say. */
void mo_loss_project(float *a, const float *b, size_t n, double lambda);

#endif
