/* SPDX-License-Identifier: MIT
 * png_stream.h - a PNG file as libpng takes it without objection. */
#ifndef MO_FORMAT_PNG_STREAM_H
#define MO_FORMAT_PNG_STREAM_H

#include "format/png_chunks.h"

/* Mark, header and a black palette of 256 colours, each chunk with length, kind and check sum. */
#define MO_PNG_STREAM_HEAD (MO_PNG_MARK_BYTES + 12 + MO_PNG_HEADER_BYTES + 12 + 768)

typedef struct mo_png_stream {
    const unsigned char *bytes;
    size_t n_bytes;
    unsigned char head[MO_PNG_STREAM_HEAD]; /* what stands in front of the image data */
    unsigned char mark[12];                 /* of a chunk of image data: length and kind; or the end mark */
    const unsigned char *part;              /* what comes next, left bytes */
    size_t left;
    mo_png_chunk chunk; /* of image data; data NULL: none yet */
    size_t at;          /* the next chunk of the file */
    int state;
} mo_png_stream;

/* The layout's header without its errors, image data chunk by chunk with whatever check sums, an end mark. */
void mo_png_stream_begin(mo_png_stream *s, const mo_png_layout *layout, const void *bytes, size_t n_bytes);

/* The next n bytes; false where there are fewer. */
bool mo_png_stream_read(mo_png_stream *s, void *out, size_t n);

#endif
