/* SPDX-License-Identifier: MIT
 * vision_inner.h - the towers that vision_create.c chooses from. */
#ifndef MO_CLIP_VISION_INNER_H
#define MO_CLIP_VISION_INNER_H

#include "clip/vision.h"

mopd_status mo_vit_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, bool quantized);
mopd_status mo_effnet_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, bool quantized);
mopd_status mo_resnet_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, bool quantized);
mopd_status mo_fastvit_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, bool quantized);

#endif
