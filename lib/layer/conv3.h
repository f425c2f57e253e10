/* SPDX-License-Identifier: MIT
 * conv3.h - 3 x 3 convolutions of many channels over feature maps [B x H x W x C], stride 1, a border of zeros. */
#ifndef MO_LAYER_CONV3_H
#define MO_LAYER_CONV3_H

#include "layer/linear.h"

typedef struct mo_conv3 {
    mo_linear linear; /* n x 9 C: of each output line by line, column by column, channels fastest */
    size_t channels;  /* C */
} mo_conv3;

/* From weights [n x C x 3 x 3], as PyTorch has them, and bias [n].  precision: mo_mat_quantize_finely.  NOMEM. */
mopd_status mo_conv3_pack(
    mo_conv3 *out, const float *weights, const float *bias, const size_t shape[2], mo_precision precision);
void mo_conv3_free(mo_conv3 *conv);

/* Floats of scratch for mo_conv3_fwd with that pool and shape. */
size_t mo_conv3_scratch(const mo_conv3 *conv, const mo_pool *pool, const size_t shape[3]);

/* y [B x H x W x n] = act(conv(x [B x H x W x C]) + bias); shape: B, H, W. */
void mo_conv3_fwd(
    mo_pool *pool, float *y, const float *x, const mo_conv3 *conv, float *scratch, const size_t shape[3]);

#endif
