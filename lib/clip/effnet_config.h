/* SPDX-License-Identifier: MIT
 * effnet_config.h - the configuration of an EfficientNet-Lite from its tensors. */
#ifndef MO_CLIP_EFFNET_CONFIG_H
#define MO_CLIP_EFFNET_CONFIG_H

#include "clip/weights.h"

/* The configuration of an EfficientNet-Lite from the shapes of its tensors; sets the vision half of config.
 * The strides are those of the published family: 2 in the stem and where stages 2, 3, 4 and 6 begin. */
mopd_status mo_effnet_config_read(mo_config *config, const mo_weights *weights, const char *path);

#endif
