/* SPDX-License-Identifier: MIT
 * patch_stem.h - patches of p x p pixels through three convolutions without overlap: cells of p/4 x p/4 pixels, then
 * twice 2 x 2, a GELU behind the first two.  patch.h does the same with one. */
#ifndef MO_LAYER_PATCH_STEM_H
#define MO_LAYER_PATCH_STEM_H

#include "layer/linear.h"

typedef struct mo_patch_stem {
    mo_linear cell, quarter, whole; /* W1 x 3 (p/4)^2, W2 x 4 W1, W x 4 W2 */
    size_t side, patch;             /* S; p: pixels beyond the last whole patch are not seen */
} mo_patch_stem;

/* A convolution as PyTorch has it: w [n x in x k x k], bias [n]. */
typedef struct mo_patch_stem_part {
    const float *w, *bias;
    size_t n, in, k;
} mo_patch_stem_part;

/* size: S, p, p a multiple of 4; the parts fit each other.  precision: mo_mat_quantize_edge.  NOMEM. */
mopd_status mo_patch_stem_pack(
    mo_patch_stem *out, const mo_patch_stem_part part[3], const size_t size[2], mo_precision precision);
void mo_patch_stem_free(mo_patch_stem *stem);

/* Floats of scratch, for one picture. */
size_t mo_patch_stem_scratch(const mo_patch_stem *stem);

/* x [B x L x W]: row 0 of a picture is first; the others are its patches, line by line, + pos.  L = (S / p)^2 + 1;
 * pixels [B x 3 x S x S]. */
typedef struct mo_patch_stem_call {
    const float *first, *pos; /* class token [W], positions of the patches [L - 1 x W] */
    float *scratch;
    size_t n_images;
} mo_patch_stem_call;

void mo_patch_stem_fwd(
    mo_pool *pool, float *x, const float *pixels, const mo_patch_stem *stem, const mo_patch_stem_call *call);

#endif
