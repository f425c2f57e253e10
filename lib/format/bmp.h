/* SPDX-License-Identifier: MIT
 * bmp.h - Windows and OS/2 bitmaps to 8-bit RGB. */
#ifndef MO_FORMAT_BMP_H
#define MO_FORMAT_BMP_H

#include "format/image.h"

bool mo_bmp_is(const void *bytes, size_t n_bytes);

/* As mo_image_decode; rules are there. */
mopd_status mo_bmp_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

#endif
