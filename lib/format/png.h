/* SPDX-License-Identifier: MIT
 * png.h - PNG to 8-bit RGB through libpng's row interface. */
#ifndef MO_FORMAT_PNG_H
#define MO_FORMAT_PNG_H

#include "format/image.h"

bool mo_png_is(const void *bytes, size_t n_bytes);

/* As mo_image_decode; rules are there. */
mopd_status mo_png_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

#endif
