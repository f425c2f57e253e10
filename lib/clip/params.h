/* SPDX-License-Identifier: MIT
 * params.h - the parameters a configuration asks for: their names in this library and their shapes.
 *
 *     text           text_model.encoder.layers.0.self_attn.q_proj.weight
 *     ViT            vision_model.encoder.layers.0.mlp.fc1.bias
 *     ResNet         resnet.layer1.0.conv1.weight
 *     FastViT        fastvit.stages.0.blocks.0.mlp.fc1.weight (fastvit_params.h)
 *     EfficientNet   image_model._blocks.0._bn1.weight, and the head: head.projection.weight
 *
 * Packed files hold exactly these names.  What another layout calls them is that layout's matter (naming.h). */
#ifndef MO_CLIP_PARAMS_H
#define MO_CLIP_PARAMS_H

#include "clip/config.h"
#include "clip/param_spec.h"

/* Calls fn for every parameter, always in the same order; stops at the first failure. */
mopd_status mo_params_each(const mo_config *config, mo_param_fn fn, void *ctx);

#endif
