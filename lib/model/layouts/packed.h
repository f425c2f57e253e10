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
#define MO_PACKED_TOKENIZER "mopd.tokenizer" /* mo_tokenizer_save's bytes, U8 */

/* As the layout's open, over the bytes of such a file, which must outlive the encoder. */
mopd_status mo_packed_open_bytes(mopd_encoder *e, const void *bytes, size_t n);

#endif
