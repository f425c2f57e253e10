/* SPDX-License-Identifier: MIT
 * png_stream.c - the chunks that make the picture, put in order for libpng, which then meets only errors of the image
 * data themselves.  Check sums are zero: libpng is told not to look at them.
 *
 * Image data that the file cuts short are a shorter chunk.  libpng wants a palette where there are indices; ours is
 * black, since png.c has the file's own. */
#include "format/png_stream.h"

#include <string.h>

#include "base/ints.h"

enum { HEAD, MARK, DATA, SUM, END, OVER };
enum { DEPTH = 8, TYPE = 9, COMPRESSION = 10, INTERLACED = 12, PALETTE = 3 };

static unsigned char *put_mark(unsigned char *at, size_t n, const char *kind)
{
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(n >> (24 - 8 * i));
    memcpy(at + 4, kind, 4);
    return at + 8;
}

static size_t put_head(unsigned char *out, const unsigned char *header)
{
    unsigned char *at = out;
    memset(out, 0, MO_PNG_STREAM_HEAD);
    memcpy(at, "\x89PNG\r\n\x1a\n", MO_PNG_MARK_BYTES);
    at = put_mark(at + MO_PNG_MARK_BYTES, MO_PNG_HEADER_BYTES, "IHDR");
    memcpy(at, header, MO_PNG_HEADER_BYTES);
    at[COMPRESSION] = 0;
    at[INTERLACED] = header[INTERLACED] != 0;
    const unsigned depth = at[DEPTH];
    const bool indexed = at[TYPE] == PALETTE && depth <= 8;
    at += MO_PNG_HEADER_BYTES + 4;
    if (indexed) {
        const size_t n = 3 * ((size_t)1 << depth);
        at = put_mark(at, n, "PLTE") + n + 4;
    }
    return (size_t)(at - out);
}

void mo_png_stream_begin(mo_png_stream *s, const mo_png_layout *layout, const void *bytes, size_t n_bytes)
{
    *s = (mo_png_stream){.bytes = bytes, .n_bytes = n_bytes, .at = layout->first, .state = HEAD};
    s->left = put_head(s->head, layout->header.data);
    s->part = s->head;
}

static void show(mo_png_stream *s, int state, const unsigned char *part, size_t left)
{
    s->state = state;
    s->part = part;
    s->left = left;
}

/* To the mark of the next chunk of image data, or to the end. */
static void next_chunk(mo_png_stream *s)
{
    mo_png_chunk chunk;
    if (mo_png_chunk_at(&chunk, s->bytes, s->n_bytes, s->at) && mo_png_chunk_is_image(&chunk)) {
        s->chunk = chunk;
        s->at = chunk.next;
        put_mark(s->mark, chunk.n_bytes, "IDAT");
        show(s, MARK, s->mark, 8);
    } else {
        memset(s->mark, 0, sizeof s->mark);
        put_mark(s->mark, 0, "IEND");
        show(s, END, s->mark, 12);
    }
}

static void next_part(mo_png_stream *s)
{
    static const unsigned char sum[4];
    switch (s->state) {
    case MARK:
        show(s, DATA, s->chunk.data, s->chunk.n_bytes);
        break;
    case DATA:
        show(s, SUM, sum, sizeof sum);
        break;
    case HEAD:
    case SUM:
        next_chunk(s);
        break;
    default:
        show(s, OVER, NULL, 0);
        break;
    }
}

bool mo_png_stream_read(mo_png_stream *s, void *out, size_t n)
{
    unsigned char *to = out;
    while (n) {
        while (!s->left && s->state != OVER) next_part(s);
        const size_t some = mo_min(n, s->left);
        if (!some) return false;
        memcpy(to, s->part, some);
        s->part += some;
        s->left -= some;
        to += some;
        n -= some;
    }
    return true;
}
