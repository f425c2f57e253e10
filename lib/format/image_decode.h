/* SPDX-License-Identifier: MIT
 * image_decode.h - picture files to 8-bit RGB, as Pillow's Image.open(file).convert("RGB") gives them.
 *
 * The kind is told by the first bytes.  Alpha is kept beside the colours, which do not depend on it: who
 * wants a background composites (pixel/pixels.c does, as transformers does). */
#ifndef MO_FORMAT_IMAGE_DECODE_H
#define MO_FORMAT_IMAGE_DECODE_H

#include "format/image.h"

/* Decodes a PNG or JPEG; rules NULL: all zero.  FORMAT: neither, broken or cut short; UNSUPPORTED:
 * more than max_pixels (said before anything of that size is allocated).  *out is {0} on failure. */
mopd_status mo_image_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

/* The same from a file; messages begin with its path. */
mopd_status mo_image_decode_file(mo_image *out, const char *path, const mo_image_rules *rules);

#endif
