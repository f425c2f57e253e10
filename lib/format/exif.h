/* SPDX-License-Identifier: MIT
 * exif.h - how a camera was held. */
#ifndef MO_FORMAT_EXIF_H
#define MO_FORMAT_EXIF_H

#include "format/image.h"

/* The orientation, 1 to 8, of EXIF data; 0 where they do not say one.  "Exif\0\0" may stand in front, as in JPEG. */
unsigned mo_exif_orientation(const void *bytes, size_t n_bytes);

/* Turns and mirrors a picture as its orientation says, which is 1 then. */
mopd_status mo_exif_turn(mo_image *picture);

#endif
