/* SPDX-License-Identifier: MIT
 * norm.h - layer normalisation over the last axis (Ba, Kiros, Hinton 2016), and L2 normalisation of
 * features. */
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

/* y = x / |x| by rows; norms [rows] keeps |x|, or NULL.  A row of zeros (or not finite) stays as it is,
 * norm 0. */
void mo_l2_fwd(float *y, const float *x, float *norms, size_t rows, size_t dim);

/* dx = (dy - y <y, dy>) / |x|, with y and norms from mo_l2_fwd; 0 where the norm was 0.  dx may be dy. */
void mo_l2_bwd(float *dx, const float *dy, const float *y, const float *norms, size_t rows, size_t dim);

#endif
