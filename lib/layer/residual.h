/* SPDX-License-Identifier: MIT
 * residual.h - an inverted residual (Sandler et al. 2018) over feature maps [B x H x W x C], in place of three layers:
 *
 *     y = project(depthwise(relu6(expand x)))  (+ x, where the shape stays)
 *
 * The expanded map is the largest of a network.  Where it would leave the second cache, a thread computes a few of its lines,
 * filters them and projects them before it goes on; the bits are those of the three layers one after the other. */
#ifndef MO_LAYER_RESIDUAL_H
#define MO_LAYER_RESIDUAL_H

#include "layer/depthwise.h"
#include "layer/linear.h"

typedef struct mo_residual {
    mo_linear expand, project; /* expand.w.k is 0 where nothing is expanded */
    mo_depthwise depth;
} mo_residual;

void mo_residual_free(mo_residual *r);

/* Floats at work for shape B, H, W and so many threads at most. */
size_t mo_residual_scratch(const mo_residual *r, const size_t shape[3], size_t threads);

/* x [B x H x W x in] -> y [B x H' x W' x out], H' = ceil(H / stride); shape: B, H, W.  pool has no more threads than
 * mo_residual_scratch was told. */
void mo_residual_fwd(
    mo_pool *pool, float *y, const float *x, const mo_residual *r, float *scratch, const size_t shape[3]);

#endif
