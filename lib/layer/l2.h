/* SPDX-License-Identifier: MIT
 * l2.h - rows divided by their Euclidean length, and the gradient. */
#ifndef MO_LAYER_L2_H
#define MO_LAYER_L2_H

#include <stddef.h>

/* y = x / |x| by rows; norms [rows] keeps |x|, or NULL.  A row of zeros (or not finite) stays as it is,
 * norm 0. */
void mo_l2_fwd(float *y, const float *x, float *norms, size_t rows, size_t dim);

/* dx = (dy - y <y, dy>) / |x|, with y and norms from mo_l2_fwd; 0 where the norm was 0.  dx may be dy. */
void mo_l2_bwd(float *dx, const float *dy, const float *y, const float *norms, size_t rows, size_t dim);

#endif
