/* SPDX-License-Identifier: MIT
 * residual.h - an inverted residual (Sandler et al. 2018) over feature maps [B x H x W x C], in place of three layers:
 *
 *     y = project(depthwise(relu6(expand x)))  (+ x, where the shape stays)
 *
 * The expanded map is the largest of a network.  Where it would leave the second cache, a thread computes a few of its lines,
 * filters them and projects them before it goes on; the bits are those of the three layers one after the other.
 *
 * Reduced, what stands between the three layers are whole numbers of 16 bits (math/fix.h), which lose nothing that shows. */
#ifndef MO_LAYER_RESIDUAL_H
#define MO_LAYER_RESIDUAL_H

#include "layer/depthwise_fix.h"
#include "layer/linear.h"

typedef struct mo_residual {
    mo_linear expand, project; /* expand.w.k is 0 where nothing is expanded */
    mo_depthwise depth;
    mo_depthwise_fix fix; /* none until mo_residual_reduce */
} mo_residual;

void mo_residual_free(mo_residual *r);

/* From now on its maps are whole numbers, and expand and project are of 16 bits, or expand of 8 where `eight`.  clamped: x always
 * lies in 0..6.  Nothing changes where the layers cannot be reduced: without floats, with other filters than those of
 * depthwise_fix.h, with weights beyond 10^6, with nothing to expand in an x that is not clamped.  NOMEM leaves r to be freed. */
mopd_status mo_residual_reduce(mo_residual *r, bool clamped, bool eight);

/* Floats at work for shape B, H, W and so many threads at most. */
size_t mo_residual_scratch(const mo_residual *r, const size_t shape[3], size_t threads);

/* x [B x H x W x in] -> y [B x H' x W' x out], H' = ceil(H / stride); shape: B, H, W.  pool has no more threads than
 * mo_residual_scratch was told.  Reduced, a picture whose x has a number that is not finite or is beyond 10^15 gives NaN. */
void mo_residual_fwd(
    mo_pool *pool, float *y, const float *x, const mo_residual *r, float *scratch, const size_t shape[3]);

#endif
