/* SPDX-License-Identifier: MIT
 * vision_inner.h - the towers that vision.c chooses from. */
#ifndef MO_CLIP_VISION_INNER_H
#define MO_CLIP_VISION_INNER_H

#include "clip/vision.h"

mopd_status mo_vit_create(mo_vision **out, const mo_config *config, const mo_weights *weights, bool reduced);
mopd_status mo_effnet_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, bool reduced);

/* The configuration of an EfficientNet-Lite from the shapes of its tensors; sets the vision half of config.
 * The strides are those of the published family: 2 in the stem and where stages 2, 3, 4 and 6 begin. */
mopd_status mo_effnet_config_read(mo_config *config, const mo_weights *weights, const char *path);

#endif
