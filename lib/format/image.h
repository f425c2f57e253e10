/* SPDX-License-Identifier: MIT
 * image.h - picture files to 8-bit RGB, as Pillow's Image.open(file).convert("RGB") gives them.
 *
 * The kind is told by the first bytes.  Alpha is kept beside the colours, which do not depend on it: who
 * wants a background composites (clip/pixels does, as transformers does). */
#ifndef MO_FORMAT_IMAGE_H
#define MO_FORMAT_IMAGE_H

#include "base/mem.h"

#define MO_IMAGE_MAX_PIXELS UINT64_C(178956970) /* where Pillow refuses a picture */

typedef struct mo_image {
    size_t width, height;
    uint8_t *rgb;   /* height x width x 3 */
    uint8_t *alpha; /* height x width, NULL when the file has no transparency */
} mo_image;

/* Decodes a PNG or JPEG.  max_pixels 0: the default above.  FORMAT: neither, broken or cut short;
 * UNSUPPORTED: more than max_pixels (said before anything of that size is allocated).  *out is {0} on
 * failure. */
mopd_status mo_image_decode(mo_image *out, const void *bytes, size_t n_bytes, uint64_t max_pixels);

/* The same from a file; messages begin with its path. */
mopd_status mo_image_read(mo_image *out, const char *path, uint64_t max_pixels);

/* Room for width x height pixels, checked; alpha only when asked for.  UNSUPPORTED beyond max_pixels. */
mopd_status mo_image_create(mo_image *out, size_t width, size_t height, bool alpha);
mopd_status mo_image_check(uint64_t width, uint64_t height, uint64_t max_pixels);
void mo_image_free(mo_image *picture);

#endif
