/* SPDX-License-Identifier: MIT
 * conv.h - convolutions over feature maps [B x H x W x C]: 1 x 1, and k x k of a few planes (the stem).
 *
 * Padding is TensorFlow's "SAME": out = ceil(in / stride), total = max(0, (out - 1) stride + k - in), and
 * the larger half of an odd total goes right and below. */
#ifndef MO_LAYER_CONV_H
#define MO_LAYER_CONV_H

#include "layer/linear.h"

/* ceil(in / stride), and the padding before the first pixel. */
size_t mo_conv_same_out(size_t in, size_t stride);
size_t mo_conv_same_before(size_t in, size_t k, size_t stride);

/* Folds y = (x - mean) / sqrt(var + eps) gamma + beta into the weights [n x k] before it and a bias [n] (set). */
typedef struct mo_batch_norm {
    const float *gamma, *beta, *mean, *var;
    float eps;
} mo_batch_norm;
void mo_conv_fold_batch_norm(float *weights, float *bias, const mo_batch_norm *bn, size_t n, size_t k);

/* 1 x 1: y [rows x n] = act(x [rows x k] W^T + bias) + residual, rows = B H W: mo_linear_fwd does it. */

/* k x k over planes: x [B x planes x H x W] -> y [B x H' x W' x n].  linear packed from [n x planes x k x k]. */
typedef struct mo_stem {
    mo_linear linear;
    size_t planes, kernel, stride;
    bool centred; /* PyTorch's padding k / 2 instead of SAME, k odd: as many outputs, begun elsewhere */
    mo_act act;
} mo_stem;
size_t mo_conv_stem_scratch(const mo_stem *stem, size_t n_images, size_t height, size_t width);
/* shape: B, H, W. */
void mo_conv_stem_fwd(
    mo_pool *pool, float *y, const float *x, const mo_stem *stem, float *scratch, const size_t shape[3]);

#endif
