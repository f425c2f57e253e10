/* SPDX-License-Identifier: MIT
 * vit_stem.h - the patches of MobileCLIP's ViT: three convolutions, two of them with a batch norm. */
#ifndef MO_CLIP_VIT_STEM_H
#define MO_CLIP_VIT_STEM_H

#include "clip/weights.h"
#include "layer/patch_stem.h"

/* Parameters "vision_model.embeddings.stem.N"; size: W, S, p. */
mopd_status mo_vit_stem_pack(
    mo_patch_stem *out, const mo_weights *weights, const size_t size[3], mo_precision precision);

#endif
