/* SPDX-License-Identifier: MIT
 * layout.c - where mopd.js writes and reads fields of structs; the module is linked from this file. */
#if defined(__wasm__)
#include <stddef.h>

#include "mopd/mopd.h"

#define AT(type, field, at)                                                                                  \
    _Static_assert(offsetof(type, field) == (at), #type "." #field " is not where mopd.js has it");
#define SIZE(type, bytes)                                                                                    \
    _Static_assert(sizeof(type) == (bytes), #type " has another size than mopd.js says");

AT(mopd_encoder_options, precision, 8)
SIZE(mopd_encoder_options, 16)
AT(mopd_encoder_info, dim, 4)
AT(mopd_encoder_info, image_size, 20)
AT(mopd_encoder_info, logit_scale, 32)
SIZE(mopd_encoder_info, 64)
AT(mopd_match, probability, 4)
AT(mopd_match, logit, 8)
SIZE(mopd_match, 12)
AT(mopd_recognizer_options, keep, 8)
AT(mopd_recognizer_options, templates, 48)
AT(mopd_recognizer_options, n_templates, 56)
AT(mopd_recognizer_options, n_views, 80)
SIZE(mopd_recognizer_options, 96)
AT(mopd_recognizer_info, n_pictures, 8)
AT(mopd_recognizer_info, n_classes, 16)
AT(mopd_recognizer_info, keep, 56)
AT(mopd_recognizer_info, cutoff, 64)
AT(mopd_recognizer_info, loo_accuracy, 72)
AT(mopd_recognizer_info, n_views, 112)
SIZE(mopd_recognizer_info, 128)
#endif
