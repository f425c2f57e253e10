/* SPDX-License-Identifier: MIT
 * patch.h - a picture's patches as rows of a tower: the p x p convolution with stride p that a ViT starts with. */
#ifndef MO_LAYER_PATCH_H
#define MO_LAYER_PATCH_H

#include "layer/linear.h"

typedef struct mo_patch {
    mo_linear linear; /* W x 3pp, bias optional; pack it from the stored weight [W x 3 x p x p] */
    size_t side;      /* S, pixels of the picture */
    size_t patch;     /* p, at most S; pixels beyond the last whole patch are not seen */
    bool no_class;    /* there is no row of a class token */
} mo_patch;

/* Rows of one picture: (S / p)^2 and, before them, the class token's unless there is none. */
size_t mo_patch_rows(const mo_patch *patch);

/* Floats of scratch for B pictures. */
size_t mo_patch_scratch(const mo_patch *patch, size_t n_images);

/* x [B x L x W]: row 0 of a picture is first + pos row 0, where it has a class; the others are its patches, line by
 * line, through the linear map, + pos.  L = mo_patch_rows; pixels [B x 3 x S x S]. */
typedef struct mo_patch_call {
    const float *first, *pos; /* class token [W] or NULL, positions [L x W] */
    float *scratch;           /* mo_patch_scratch floats */
    size_t n_images;
} mo_patch_call;

void mo_patch_fwd(
    mo_pool *pool, float *x, const float *pixels, const mo_patch *patch, const mo_patch_call *call);

#endif
