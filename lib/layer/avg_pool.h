/* SPDX-License-Identifier: MIT
 * avg_pool.h - means of 2 x 2 positions of feature maps. */
#ifndef MO_LAYER_AVG_POOL_H
#define MO_LAYER_AVG_POOL_H

#include <stddef.h>

#include "base/pool.h"

/* y [B x H/2 x W/2 x C] from x [B x H x W x C], H and W even; shape: B, H, W. */
void mo_avg_pool_fwd(mo_pool *pool, float *y, const float *x, const size_t shape[3], size_t channels);

#endif
