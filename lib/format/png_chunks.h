/* SPDX-License-Identifier: MIT
 * png_chunks.h - what of a PNG file makes the picture. */
#ifndef MO_FORMAT_PNG_CHUNKS_H
#define MO_FORMAT_PNG_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fail.h"

#define MO_PNG_MARK_BYTES 8
#define MO_PNG_HEADER_BYTES 13

/* A chunk within the file; data NULL: there is none. */
typedef struct mo_png_chunk {
    char kind[4];
    const unsigned char *data;
    size_t n_bytes; /* of data that are there */
    bool whole;     /* false: the file ends before the chunk's data do */
    size_t next;    /* where the next chunk begins */
} mo_png_chunk;

typedef struct mo_png_layout {
    mo_png_chunk header, palette, clear; /* IHDR, PLTE, tRNS: the last of each before the image data */
    size_t first;                        /* where the first IDAT begins */
} mo_png_layout;

/* The chunk at byte `at`; false where no chunk begins: the file ends, or its name is none. */
bool mo_png_chunk_at(mo_png_chunk *chunk, const void *bytes, size_t n_bytes, size_t at);

/* The last chunk of this kind before IEND; false where there is none. */
bool mo_png_chunk_find(mo_png_chunk *chunk, const void *bytes, size_t n_bytes, const char *kind);

/* Whether it is one of the chunks that image data go on in, which follow each other. */
bool mo_png_chunk_is_image(const mo_png_chunk *chunk);

/* What stands before the image data.  FORMAT: no header or no image data, cut short, a wrong check sum of header or
 * palette. */
mopd_status mo_png_layout_read(mo_png_layout *out, const void *bytes, size_t n_bytes);

/* FORMAT: a chunk from byte `at` on, behind the picture and before the end, is cut short. */
mopd_status mo_png_layout_check_end(const void *bytes, size_t n_bytes, size_t at);

#endif
