/* SPDX-License-Identifier: MIT
 * heif.h - HEIF (HEIC) and AVIF to 8-bit RGB through libheif, where the build has it (MOPD_HEIF). */
#ifndef MO_FORMAT_HEIF_H
#define MO_FORMAT_HEIF_H

#include "format/image.h"

/* AVIF files are HEIF files whose pictures are of AV1; the first is none of them. */
bool mo_heif_is(const void *bytes, size_t n_bytes);
bool mo_heif_is_avif(const void *bytes, size_t n_bytes);

/* As mo_image_decode; rules are there.  HEIF is always turned as the file says, AVIF when that is asked for: so do the readers
 * that Python programs have. */
mopd_status mo_heif_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

#endif
