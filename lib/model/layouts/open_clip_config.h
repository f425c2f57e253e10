/* SPDX-License-Identifier: MIT
 * open_clip_config.h - open_clip_config.json as open_clip reads it. */
#ifndef MO_MODEL_LAYOUTS_OPEN_CLIP_CONFIG_H
#define MO_MODEL_LAYOUTS_OPEN_CLIP_CONFIG_H

#include "clip/config.h"
#include "format/json.h"

/* Towers and preprocessing.  `path` is the file named in messages. */
mopd_status mo_open_clip_config(mo_config *config, const mo_json *root, const char *path);

#endif
