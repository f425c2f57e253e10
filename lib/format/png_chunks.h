/* SPDX-License-Identifier: MIT
 * png_chunks.h - the chunks of a PNG file. */
#ifndef MO_FORMAT_PNG_CHUNKS_H
#define MO_FORMAT_PNG_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>

/* A chunk's data within the file. */
typedef struct mo_png_chunk {
    char kind[4];
    const unsigned char *data;
    size_t n_bytes;
} mo_png_chunk;

/* The chunk at byte *at of a file, which then stands behind its check sum; false where the file ends before the
 * chunk's data do. */
bool mo_png_chunk_next(mo_png_chunk *chunk, const void *bytes, size_t n_bytes, size_t *at);

/* The last chunk of this kind before IEND; false where there is none. */
bool mo_png_chunk_find(mo_png_chunk *chunk, const void *bytes, size_t n_bytes, const char *kind);

#endif
