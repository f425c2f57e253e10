/* SPDX-License-Identifier: MIT
 * heif_parts.h - what the picture of a HEIF file is made of, looked at before libheif makes it. */
#ifndef MO_FORMAT_HEIF_PARTS_H
#define MO_FORMAT_HEIF_PARTS_H

#include <stddef.h>

#include "base/fail.h"

/* UNSUPPORTED: what is decoded for the primary picture, each part as often as it is needed, is more than most_pixels; a part of a
 * part, and so on, lies deeper than MO_HEIF_LEVELS, as one does that is made of itself; an overlay's layer begins left of or
 * above it.  FORMAT: a grid that its tiles do not cover; what says one thing to some readers and another to others.  Any other file
 * that libheif would not understand is OK here.  kind is for messages. */
#define MO_FORMAT_HEIF_PARTS_H

#include <stddef.h>

#include "base/fail.h"

/* UNSUPPORTED: what is decoded for the primary picture, each part as often as it is needed, is more than most_pixels; or a part
 * of a part, and so on, lies deeper than MO_HEIF_LEVELS, as one does that is made of itself.  A file that libheif would not
 * understand is OK here.  kind is for messages. */
#define MO_HEIF_LEVELS 16
mopd_status mo_heif_parts_check(const void *bytes, size_t n_bytes, uint64_t most_pixels, const char *kind);

#endif
