/* SPDX-License-Identifier: MIT
 * vision.h - the seam between the encoder and its vision towers: pixels to raw features.
 *
 * A tower begins with mo_vision and hands out its functions.  ViT (vit.c), EfficientNet-Lite (effnet.c), ResNet
 * (resnet.c) and FastViT (fastvit.c) do, by way of vision_frame.h.  mo_vision_fwd (vision.c) shares pictures out among
 * threads. */
#ifndef MO_CLIP_VISION_H
#define MO_CLIP_VISION_H

#include "base/pool.h"
#include "clip/config.h"
#include "clip/weights.h"
#include "layer/block.h"

#define MO_VISION_LANES 16 /* most threads that have pictures of their own */

typedef struct mo_vision mo_vision;

struct mo_vision {
    size_t image, dim; /* S; D */
    size_t chunk;      /* pictures at work at once when threads share each layer, at least 1 */
    size_t lane, most; /* a thread's own at once, at least 1, and how many threads may have their own, at
                          most MO_VISION_LANES */
    const mo_block_watch *watch; /* of a ViT's blocks, while one picture at a time is encoded; NULL: nobody */
    /* Unpacks the weights, once.  Any thread. */
    mopd_status (*prepare)(const mo_vision *v);
    /* Bytes that `open` will take.  Weights are prepared. */
    size_t (*bytes)(const mo_vision *v, const mo_pool *pool, size_t n);
    /* Work memory for n pictures at once, whose loops are shared by pool.  NOMEM. */
    mopd_status (*open)(void **work, const mo_vision *v, const mo_pool *pool, size_t n);
    /* out (n x D) = features of pixels (n x 3 x S x S), not yet of length 1.  Weights are prepared. */
    void (*run)(void *work, mo_pool *pool, const float *pixels, size_t n, float *out);
    void (*close)(void *work); /* NULL is nothing */
    void (*free)(mo_vision *v);
};

/* The tower that the configuration names, over parameters that must outlive it.  precision: of its products
 * (mo_mat_quantize).  Touches no weight. */
mopd_status mo_vision_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision);

/* out (n x D) = features of pixels (n x 3 x S x S), not yet of length 1, the same bits for every n and pool.
 * Weights are prepared.  NOMEM. */
mopd_status mo_vision_fwd(const mo_vision *v, mo_pool *pool, const float *pixels, size_t n, float *out);
void mo_vision_free(mo_vision *v);

#endif
