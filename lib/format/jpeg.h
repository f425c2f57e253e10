/* SPDX-License-Identifier: MIT
 * jpeg.h - JPEG to 8-bit RGB through libjpeg-turbo. */
#ifndef MO_FORMAT_JPEG_H
#define MO_FORMAT_JPEG_H

#include "format/image.h"

bool mo_jpeg_is(const void *bytes, size_t n_bytes);

/* As mo_image_decode; rules are there. */
mopd_status mo_jpeg_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

#endif
