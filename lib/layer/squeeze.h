/* SPDX-License-Identifier: MIT
 * squeeze.h - squeeze and excitation (Hu, Shen, Sun 2018): each channel of a feature map times a gate that is made of
 * the means of all channels. */
#ifndef MO_LAYER_SQUEEZE_H
#define MO_LAYER_SQUEEZE_H

#include "layer/linear.h"

/* gate = sigmoid(expand relu(reduce mean(x))) */
typedef struct mo_squeeze {
    mo_linear reduce, expand; /* R x C, C x R */
} mo_squeeze;

void mo_squeeze_free(mo_squeeze *squeeze);

/* Floats of scratch for n pictures. */
size_t mo_squeeze_scratch(const mo_squeeze *squeeze, size_t n_images);

/* x [B x H x W x C] = act(x gate), in place; act: NONE or GELU; shape: B, H, W. */
void mo_squeeze_fwd(
    mo_pool *pool, float *x, const mo_squeeze *squeeze, mo_act act, float *scratch, const size_t shape[3]);

#endif
