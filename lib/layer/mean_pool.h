/* SPDX-License-Identifier: MIT
 * mean_pool.h - the mean over the positions of feature maps. */
#ifndef MO_LAYER_MEAN_POOL_H
#define MO_LAYER_MEAN_POOL_H

#include <stddef.h>

#include "base/pool.h"

/* y [B x C] = mean over the H W positions of x [B x H x W x C]. */
void mo_mean_pool_fwd(mo_pool *pool, float *y, const float *x, const size_t shape[3], size_t channels);

#endif
