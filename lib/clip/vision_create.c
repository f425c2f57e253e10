/* SPDX-License-Identifier: MIT
 * vision_create.c - picks the vision tower that a configuration names. */
#include "clip/vision_inner.h"

mopd_status mo_vision_create(
    mo_vision **out, const mo_config *config, const mo_weights *weights, mo_precision precision)
{
    *out = NULL;
    if (config->vision_kind == MO_VISION_EFFNET) return mo_effnet_create(out, config, weights, precision);
    if (config->vision_kind == MO_VISION_RESNET) return mo_resnet_create(out, config, weights, precision);
    if (config->vision_kind == MO_VISION_FASTVIT) return mo_fastvit_create(out, config, weights, precision);
    return mo_vit_create(out, config, weights, precision);
}
