/* SPDX-License-Identifier: MIT
 * vision_inner.h - the towers that vision_create.c chooses from. */
#ifndef MO_CLIP_VISION_INNER_H
#define MO_CLIP_VISION_INNER_H

#include "clip/vision.h"

/* Inputs from which on EfficientNet's expanding convolutions are multiplied in 8 bits where that is asked for. */
#define MO_EFFNET_LEAST_8 80

mopd_status mo_vit_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision);
mopd_status mo_effnet_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision);
mopd_status mo_resnet_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision);
mopd_status mo_fastvit_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision);

#endif
