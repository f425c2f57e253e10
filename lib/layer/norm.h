/* SPDX-License-Identifier: MIT
 * norm.h - layer normalisation over the last axis (Ba, Kiros, Hinton 2016). */
#ifndef MO_LAYER_NORM_H
#define MO_LAYER_NORM_H

#include "base/pool.h"
#include "math/tensor.h"

typedef struct mo_norm {
    const float *gamma, *beta; /* dim floats each */
    size_t dim;
    float eps;
} mo_norm;

/* y = (x - mean) rstd gamma + beta.  x, y [rows x dim]; stats [rows x 2] keeps mean and rstd, or NULL.  y
 * may be x. */
void mo_norm_fwd(mo_pool *pool, float *y, const float *x, const mo_norm *norm, float *stats, size_t rows);

/* dx += gradient of the layer norm at x given dy.  dx, dy, x [rows x dim]; stats from mo_norm_fwd. */
typedef struct mo_norm_grad {
    float *dx;
    const float *dy, *x, *stats;
} mo_norm_grad;

void mo_norm_bwd(mo_pool *pool, const mo_norm *norm, const mo_norm_grad *grad, size_t rows);

#endif
