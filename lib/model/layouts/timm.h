/* SPDX-License-Identifier: MIT
 * timm.h - image towers of timm in open_clip's folders: what their names say, and what their parameters are called. */
#ifndef MO_MODEL_LAYOUTS_TIMM_H
#define MO_MODEL_LAYOUTS_TIMM_H

#include "clip/config.h"
#include "clip/naming.h"
#include "format/json.h"

/* Side, patch, sizes and activation of the tower that vision_cfg names (timm_model_name): they are written nowhere but
 * in timm's code.  UNSUPPORTED: another name, another pool or projection than the name's. */
mopd_status mo_timm_vision(mo_config *config, const mo_json *vision_cfg, const char *path);

/* Names of a model with a SigLIP's tower, with vit_base_mci_224, with a Perception Encoder's, with CLIP's. */
extern const mo_naming mo_timm_siglip_names, mo_timm_mobile_names, mo_timm_pe_names, mo_timm_clip_names;

#endif
