/* SPDX-License-Identifier: MIT
 * image_decode.h - picture files to 8-bit RGB, as Pillow's Image.open(file).convert("RGB") gives them.
 *
 * The kind is told by the first bytes.  Alpha is kept beside the colours, which do not depend on it: who
 * wants a background composites (pixel/pixels.c does, as transformers does). */
#ifndef MO_FORMAT_IMAGE_DECODE_H
#define MO_FORMAT_IMAGE_DECODE_H

#include "base/buf.h"
#include "format/image.h"

/* The names of the kinds of pictures that this build reads, NULL behind the last. */
const char *mo_image_kind(size_t i);

/* Whether the name of a file ends as those of such pictures do. */
bool mo_image_takes(const char *path);

/* Decodes a picture of such a kind; rules NULL: all zero.  FORMAT: of none, broken or cut short; UNSUPPORTED:
 * more than max_pixels (said before anything of that size is allocated), or a kind that no build reads.  *out is {0} on failure. */
mopd_status mo_image_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

/* A file's bytes, for mo_image_decode.  Of a file that is no such picture only the first bytes are read, however long it is: fails
 * as mo_image_decode would; messages begin with the path. */
mopd_status mo_image_read(mo_buf *buf, const char *path);

/* The same from a file; messages begin with its path. */
mopd_status mo_image_decode_file(mo_image *out, const char *path, const mo_image_rules *rules);

#endif
