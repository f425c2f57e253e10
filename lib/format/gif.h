/* SPDX-License-Identifier: MIT
 * gif.h - the first picture of a GIF to 8-bit RGB through giflib, where the build has it (MOPD_GIF). */
#ifndef MO_FORMAT_GIF_H
#define MO_FORMAT_GIF_H

#include "format/image.h"

bool mo_gif_is(const void *bytes, size_t n_bytes);

/* As mo_image_decode; rules are there. */
mopd_status mo_gif_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

#endif
