/* SPDX-License-Identifier: MIT
 * fastvit_inner.h - the packed FastViT: fastvit_pack.c makes it, fastvit.c runs it. */
#ifndef MO_CLIP_FASTVIT_INNER_H
#define MO_CLIP_FASTVIT_INNER_H

#include "clip/vision_frame.h"
#include "layer/conv.h"
#include "layer/depthwise.h"
#include "layer/norm.h"
#include "layer/squeeze.h"

/* A mixer of neighbours, or attention; and an MLP with a depthwise 7 x 7 before it. */
typedef struct mo_fastvit_block {
    mo_depthwise mixer;
    mo_norm norm; /* dim is 0: none, a batch norm is in qkv */
    float *norm_floats;
    mo_linear qkv, proj;
    mo_depthwise depth;
    mo_linear fc1, fc2;
} mo_fastvit_block;

/* A stage after the first begins with half the side and twice the channels. */
typedef struct mo_fastvit_stage {
    mo_depthwise shrink;
    mo_squeeze squeeze; /* reduce.w.n is 0: none */
    mo_linear widen;
    mo_depthwise position; /* of stages that attend */
    mo_fastvit_block *block;
} mo_fastvit_stage;

typedef struct mo_fastvit_packs {
    mo_vision_packs base;
    mo_stem stem;
    mo_depthwise stem_depth, last;
    mo_linear stem_mix, head;
    mo_squeeze squeeze; /* of the last map */
    mo_fastvit_stage stage[MO_FASTVIT_STAGES];
} mo_fastvit_packs;

typedef struct mo_fastvit {
    mo_vision_frame frame;
    mo_fastvit_config config;
} mo_fastvit;

/* Fills the packs of a mo_fastvit, and frees them. */
mopd_status mo_fastvit_pack(const void *tower);
void mo_fastvit_unpack(const void *tower);

#endif
