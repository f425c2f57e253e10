/* SPDX-License-Identifier: MIT
 * blend.h - the weights of text and pictures, and a temperature, by likelihood. */
#ifndef MO_PROMPT_BLEND_H
#define MO_PROMPT_BLEND_H

#include <stdbool.h>

#include "base/pool.h"
#include "mopd/status.h"

/* Pictures with the logits of both sides. */
typedef struct mo_blend_rows {
    mo_pool *pool;
    const int32_t *labels; /* n */
    size_t n, n_classes;
    const double *text, *scores; /* n x C; scores NULL: text alone */
    const double *centre;        /* 2: the weights that a weak prior holds likely; NULL: no prior, from 1 */
    double pull;                 /* how many pictures that prior counts for; 0: one */
    const double *start;         /* 2: weights near the best ones; NULL: the search begins at the centre */
    bool rough;                  /* the loss to 1e-9 or so is enough: to compare with others */
} mo_blend_rows;

/* The a, b > 0 of least mean -log softmax(a text + b scores)[label]; a weight that is more than 0 on entry stays.
 * *loss is it.  NOMEM. */
mopd_status mo_blend_fit(double weights[2], double *loss, const mo_blend_rows *rows);

/* losses (n) = -log softmax(a text + b scores)[label] of each row, with weights a, b. */
void mo_blend_losses(double *losses, const double weights[2], const mo_blend_rows *rows);

/* The T of least mean -log softmax(text / T)[label], with a weak prior around 1.  NOMEM. */
mopd_status mo_blend_temperature(double *temperature, const mo_blend_rows *rows);

#endif
