/* SPDX-License-Identifier: MIT
 * packed.h - the keys of a packed file's metadata, and its tensor that is no weight. */
#ifndef MO_MODEL_LAYOUTS_PACKED_H
#define MO_MODEL_LAYOUTS_PACKED_H

#include "model/encoder.h"

#define MO_PACKED_KIND                                                                                       \
    "mopd.kind" /* "model"; other files of this library say "prompt", "checkpoint", "store" */
#define MO_PACKED_CONFIG "mopd.config" /* config_json.h */
#define MO_PACKED_LR "mopd.recommended_lr"
#define MO_PACKED_VERSION "mopd.version"
#define MO_PACKED_CLEANING "mopd.text_cleaning" /* mo_tokenizer_cleaning_name; missing: mo_packed_cleaning */
#define MO_PACKED_PANELS                                                                                     \
    "mopd.panels" /* "16", "16x2" or "16x4": matrices may be in panels (base/view.h) of these groups; missing: rows */
#define MO_PACKED_TOKENIZER "mopd.tokenizer" /* mo_tokenizer_save's bytes, U8 */

/* How texts are taken where the metadata do not say it: locked towers as the built-in model, the rest as it was
 * before there was a choice. */
mo_cleaning mo_packed_cleaning(const mo_config *config);

/* Is it one that a file of panels holds as panels?  Matrices of layers are, whose outputs fill panels; tables that are read
 * row by row are not. */
bool mo_packed_in_panels(const mo_weight *param);

/* "16x4" for groups of 4. */
const char *mo_packed_order(size_t group);

/* Of a safetensors file without our metadata: FORMAT with what it holds and what would help. */
mopd_status mo_packed_not_ours(const mo_tensors *file, const char *path);

/* As the layout's open, over the bytes of such a file, which must outlive the encoder. */
mopd_status mo_packed_open_bytes(mopd_encoder *e, const void *bytes, size_t n);

#endif
