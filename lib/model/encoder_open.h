/* SPDX-License-Identifier: MIT
 * encoder_open.h - the steps of opening a model, by layout. */
#ifndef MO_MODEL_ENCODER_OPEN_H
#define MO_MODEL_ENCODER_OPEN_H

#include "base/path.h"
#include "model/encoder.h"

#define MO_META_KIND "mopd.kind"     /* "model", "prompt", "checkpoint", "store" */
#define MO_META_CONFIG "mopd.config" /* mo_config_write's JSON */
#define MO_META_LR "mopd.recommended_lr"
#define MO_META_VERSION "mopd.version"
#define MO_TENSOR_TOKENIZER "mopd.tokenizer" /* mo_tokenizer_save's bytes, U8 */

/* Each fills config, weights (bound), tokenizer, layout.  `e` is freed by the caller on failure. */
mopd_status mo_open_hf(mopd_encoder *e, const char *dir, bool read);
mopd_status mo_open_openclip(mopd_encoder *e, const char *dir, bool read);
mopd_status mo_open_locked(mopd_encoder *e, const char *dir, bool read);
mopd_status mo_open_openai(mopd_encoder *e, const char *file, bool read);
mopd_status mo_open_packed(mopd_encoder *e, const char *file, bool read);

/* Where the built-in model is; mo_mem_free it.  IO lists the places looked at and how to make one. */
mopd_status mo_builtin_path(char **path);

/* The layouts a path can have, by what lies there. */
typedef enum mo_path_kind {
    MO_PATH_HF,
    MO_PATH_OPENCLIP,
    MO_PATH_LOCKED,
    MO_PATH_OPENAI,
    MO_PATH_SAFETENSORS
} mo_path_kind;
mopd_status mo_encoder_detect(mo_path_kind *kind, const char *path);

/* 64 hexadecimal digits over the configuration and a fixed sample of every parameter's values as floats: the
 * same for a model and its packed f32 file.  Touches few pages. */
mopd_status mo_fingerprint_model(char hex[65], const mo_config *config, const mo_weights *weights);

#endif
