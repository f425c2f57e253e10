/* SPDX-License-Identifier: MIT
 * act.h - the activations between the two products of an MLP, over any number of floats. */
#ifndef MO_LAYER_ACT_H
#define MO_LAYER_ACT_H

#include "base/pool.h"
#include "math/tensor.h"

/* y = act(x), n floats; y may be x. */
void mo_act_fwd(mo_pool *pool, float *y, const float *x, mo_act act, size_t n);

/* dx = dy act'(x), n floats; dx may be dy. */
void mo_act_bwd(mo_pool *pool, float *dx, const float *dy, const float *x, mo_act act, size_t n);

#endif
