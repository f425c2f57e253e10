/* SPDX-License-Identifier: MIT
 * depthwise.h - one k x k filter a channel over feature maps [B x H x W x C], padded as conv.h says. */
#ifndef MO_LAYER_DEPTHWISE_H
#define MO_LAYER_DEPTHWISE_H

#include "base/mem.h"
#include "base/pool.h"
#include "math/tensor.h"

typedef struct mo_depthwise {
    float *taps; /* [k x k x C], then C floats of bias and C zeros; owned */
    size_t channels, kernel, stride;
    bool centred; /* PyTorch's padding k / 2 instead of SAME, k odd: as many outputs, begun elsewhere */
    mo_act act;   /* NONE, RELU6 or GELU; NONE after pack, as centred is false: set both */
} mo_depthwise;

/* From weights [C x k x k] and bias [C] (batch norm folded, see mo_conv_fold_batch_norm); shape: C, k (at most
 * 7), stride.  NOMEM, UNSUPPORTED. */
mopd_status mo_depthwise_pack(
    mo_depthwise *out, const float *weights, const float *bias, const size_t shape[3]);
void mo_depthwise_free(mo_depthwise *dw);

/* x [B x H x W x C] -> y [B x H' x W' x C], H' = ceil(H / stride); shape: B, H, W. */
void mo_depthwise_fwd(mo_pool *pool, float *y, const float *x, const mo_depthwise *dw, const size_t shape[3]);

/* Output lines from .. to - 1 of one picture of height x width. */
typedef struct mo_depthwise_part {
    const float *x; /* input line i lies at x + i % ring * width C; ring = height: the whole picture */
    size_t height, width, ring, from, to;
} mo_depthwise_part;

/* y [(to - from) x W' x C], on the calling thread. */
void mo_depthwise_lines(float *y, const mo_depthwise *dw, const mo_depthwise_part *part);

/* Rows above the first of `in`, or columns before it. */
size_t mo_depthwise_before(const mo_depthwise *dw, size_t in);

/* The input lines in[0] .. in[1] - 1 that these output lines see. */
void mo_depthwise_reach(size_t in[2], const mo_depthwise *dw, const mo_depthwise_part *part);

#endif
