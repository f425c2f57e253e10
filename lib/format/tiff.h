/* SPDX-License-Identifier: MIT
 * tiff.h - the first picture of a TIFF to 8-bit RGB through libtiff, where the build has it (MOPD_TIFF). */
#ifndef MO_FORMAT_TIFF_H
#define MO_FORMAT_TIFF_H

#include "format/image.h"

bool mo_tiff_is(const void *bytes, size_t n_bytes);

/* As mo_image_decode; rules are there.  Always turned as the file's orientation says, as Pillow does it. */
mopd_status mo_tiff_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

#endif
