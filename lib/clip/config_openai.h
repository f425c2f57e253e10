/* SPDX-License-Identifier: MIT
 * config_openai.h - the configuration of an OpenAI checkpoint. */
#ifndef MO_CLIP_CONFIG_OPENAI_H
#define MO_CLIP_CONFIG_OPENAI_H

#include "clip/weights.h"

/* The configuration of an OpenAI checkpoint from the shapes of its tensors.  UNSUPPORTED: no vision
 * transformer. */
mopd_status mo_config_openai(mo_config *config, const mo_weights *weights, const char *path);

#endif
