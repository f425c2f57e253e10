/* SPDX-License-Identifier: MIT
 * hf_config.h - config.json and preprocessor_config.json as transformers reads them. */
#ifndef MO_MODEL_LAYOUTS_HF_CONFIG_H
#define MO_MODEL_LAYOUTS_HF_CONFIG_H

#include "clip/config.h"
#include "format/json.h"

/* Both towers, from config.json.  `path` is the file named in messages. */
mopd_status mo_hf_config(mo_config *config, const mo_json *root, const char *path);

/* The text half alone, from the text_config.json of a locked tower; sets dim too. */
mopd_status mo_hf_config_text(mo_config *config, const mo_json *root, const char *path);

/* Settings of preprocessor_config.json. */
mopd_status mo_hf_config_pixels(mo_pixels *pixels, const mo_json *root, const char *path);

#endif
