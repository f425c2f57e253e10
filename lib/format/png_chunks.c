/* SPDX-License-Identifier: MIT
 * png_chunks.c - a PNG file from chunk to chunk: length, kind, data, check sum. */
#include "format/png_chunks.h"

#include <stdint.h>
#include <string.h>

#include "base/ints.h"

#define MARK_BYTES 8
#define HEAD_BYTES 8
#define SUM_BYTES 4

bool mo_png_chunk_next(mo_png_chunk *chunk, const void *bytes, size_t n_bytes, size_t *at)
{
    if (*at > n_bytes || n_bytes - *at < HEAD_BYTES) return false;
    const unsigned char *head = (const unsigned char *)bytes + *at;
    const size_t length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    const size_t left = n_bytes - *at - HEAD_BYTES;
    if (length > left) return false;
    *chunk = (mo_png_chunk){.data = head + HEAD_BYTES, .n_bytes = length};
    memcpy(chunk->kind, head + 4, sizeof chunk->kind);
    *at += HEAD_BYTES + length + mo_min(SUM_BYTES, left - length);
    return true;
}

bool mo_png_chunk_find(mo_png_chunk *chunk, const void *bytes, size_t n_bytes, const char *kind)
{
    mo_png_chunk next;
    bool found = false;
    for (size_t at = MARK_BYTES; mo_png_chunk_next(&next, bytes, n_bytes, &at);) {
        if (!memcmp(next.kind, "IEND", 4)) break;
        if (memcmp(next.kind, kind, 4) != 0) continue;
        *chunk = next;
        found = true;
    }
    return found;
}
