/* SPDX-License-Identifier: MIT
 * tensor.h - the letters of all shapes, and the few rules every array of floats follows.
 *
 *     B  images                      C  classes
 *     M  hard prompts (templates)    K  teachers kept for one image
 *     L  tokens of a sequence        W  width of a tower
 *     D  width of a feature          S  side of a picture in pixels
 *
 * "x [B x L x W]" is dense, row-major, the last letter fastest.  Where a row may be longer than what is
 * used of it, a stride in floats stands beside the pointer (lda, ldc).  Feature maps of convolutions are [B
 * x H x W x C] (channels fastest), pictures [B x 3 x S x S] (planes, as PyTorch has them).
 *
 * Bits: whatever works on rows gives a row the same bits whichever rows stand beside it and at any thread
 * count.  Only the CPU path (math/kern.h) may change them. */
#ifndef MO_MATH_TENSOR_H
#define MO_MATH_TENSOR_H

#include <stddef.h>
#include <stdint.h>

/* What follows a product.  The values are internal: files name activations by their words. */
typedef enum mo_act {
    MO_ACT_NONE,
    MO_ACT_QUICK_GELU,
    MO_ACT_GELU,
    MO_ACT_GELU_TANH,
    MO_ACT_RELU6,
    MO_ACT_RELU
} mo_act;

#endif
