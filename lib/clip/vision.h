/* SPDX-License-Identifier: MIT
 * vision.h - the seam between the encoder and its vision towers: pixels to raw features.
 *
 * A tower begins with mo_vision and hands out its functions; ViT (vit.c) and EfficientNet-Lite (effnet.c)
 * do. */
#ifndef MO_CLIP_VISION_H
#define MO_CLIP_VISION_H

#include "base/pool.h"
#include "clip/config.h"
#include "clip/weights.h"

typedef struct mo_vision mo_vision;

struct mo_vision {
    /* Unpacks the weights, once.  Any thread. */
    mopd_status (*prepare)(const mo_vision *v);
    /* out (n x D) = features of pixels (n x 3 x S x S), not yet of length 1.  Weights are prepared. */
    mopd_status (*fwd)(const mo_vision *v, mo_pool *pool, const float *pixels, size_t n, float *out);
    void (*free)(mo_vision *v);
};

/* The tower that the configuration names, over parameters that must outlive it.  reduced: its products in
 * reduced precision (mo_mat_narrow).  Touches no weight. */
mopd_status mo_vision_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, bool reduced);
void mo_vision_free(mo_vision *v);

#endif
