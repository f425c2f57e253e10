/* SPDX-License-Identifier: MIT
 * webp.h - WebP to 8-bit RGB through libwebp, where the build has it (MOPD_WEBP). */
#ifndef MO_FORMAT_WEBP_H
#define MO_FORMAT_WEBP_H

#include "format/image.h"

bool mo_webp_is(const void *bytes, size_t n_bytes);

/* As mo_image_decode; rules are there. */
mopd_status mo_webp_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

#endif
