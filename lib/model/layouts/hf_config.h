/* SPDX-License-Identifier: MIT
 * hf_config.h - config.json (hf_config.c) and preprocessor_config.json (hf_pixels.c) as transformers reads them. */
#ifndef MO_MODEL_LAYOUTS_HF_CONFIG_H
#define MO_MODEL_LAYOUTS_HF_CONFIG_H

#include "clip/config.h"
#include "format/json.h"

/* Both towers, from config.json.  `path` is the file named in messages. */
mopd_status mo_hf_config(mo_config *config, const mo_json *root, const char *path);

/* The text half alone, from the text_config.json of a locked tower; sets dim too. */
mopd_status mo_hf_config_text(mo_config *config, const mo_json *root, const char *path);

/* Settings of preprocessor_config.json; siglip: the processor is SigLIP's where none is named. */
mopd_status mo_hf_pixels(mo_pixels *pixels, const mo_json *root, bool siglip, const char *path);

#endif
