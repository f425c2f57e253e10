/* SPDX-License-Identifier: MIT
 * png_chunks.c - a PNG file from chunk to chunk, as Pillow walks through it: length, kind, data, check sum.
 *
 * Before the image data the last header, palette and transparency count, and the check sums of the first two must be
 * right; one of another chunk that is wrong makes the chunk nothing, while Pillow refuses the file.  Check sums of image
 * data and of what follows are not looked at, nor is it asked for an end mark. */
#include "format/png_chunks.h"

#include <stdint.h>
#include <string.h>

#include "base/ints.h"

#define HEAD_BYTES 8
#define SUM_BYTES 4

static uint32_t number(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool is_kind(const unsigned char *name)
{
    for (int i = 0; i < 4; i++) {
        const unsigned char c = name[i], low = c | 0x20;
        if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

bool mo_png_chunk_at(mo_png_chunk *chunk, const void *bytes, size_t n_bytes, size_t at)
{
    if (at > n_bytes || n_bytes - at < HEAD_BYTES) return false;
    const unsigned char *head = (const unsigned char *)bytes + at;
    if (!is_kind(head + 4)) return false;
    const size_t length = number(head), left = n_bytes - at - HEAD_BYTES;
    *chunk =
        (mo_png_chunk){.data = head + HEAD_BYTES, .n_bytes = mo_min(length, left), .whole = length <= left};
    memcpy(chunk->kind, head + 4, sizeof chunk->kind);
    chunk->next =
        at + HEAD_BYTES + mo_min(length, left) + (chunk->whole ? mo_min(SUM_BYTES, left - length) : 0);
    return true;
}

static bool is(const mo_png_chunk *chunk, const char *kind)
{
    return !memcmp(chunk->kind, kind, sizeof chunk->kind);
}

bool mo_png_chunk_find(mo_png_chunk *chunk, const void *bytes, size_t n_bytes, const char *kind)
{
    mo_png_chunk next;
    bool found = false;
    for (size_t at = MO_PNG_MARK_BYTES; mo_png_chunk_at(&next, bytes, n_bytes, at); at = next.next) {
        if (!next.whole || is(&next, "IEND")) break;
        if (!is(&next, kind)) continue;
        *chunk = next;
        found = true;
    }
    return found;
}

bool mo_png_chunk_is_image(const mo_png_chunk *chunk)
{
    return is(chunk, "IDAT") || is(chunk, "DDAT");
}

/* Whether the check sum of kind and data is there and right. */
static bool is_sound(const mo_png_chunk *chunk, const void *bytes)
{
    const unsigned char *data = chunk->data, *end = (const unsigned char *)bytes + chunk->next;
    if (!chunk->whole || (size_t)(end - data) != chunk->n_bytes + SUM_BYTES) return false;
    uint32_t crc = UINT32_MAX;
    for (const unsigned char *b = data - 4; b < data + chunk->n_bytes; b++) {
        crc ^= *b;
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (UINT32_C(0xedb88320) & -(crc & 1));
    }
    return ~crc == number(data + chunk->n_bytes);
}

static mopd_status fail_cut(size_t n_bytes)
{
    return mo_fail(MOPD_E_FORMAT, "PNG is cut short: its %zu bytes end before the image data", n_bytes);
}

static mopd_status take(mo_png_layout *out, const mo_png_chunk *chunk, const void *bytes)
{
    const bool header = is(chunk, "IHDR"), palette = is(chunk, "PLTE");
    if (!header && !palette && !is(chunk, "tRNS")) return MOPD_OK;
    if (!header && !out->header.data) return MOPD_OK; /* before the header neither means anything */
    if (!is_sound(chunk, bytes)) {
        if (!header && !palette) return MOPD_OK;
        return mo_fail(MOPD_E_FORMAT, "PNG at byte %zu: the check sum of %.4s is wrong",
            (size_t)(chunk->data - (const unsigned char *)bytes) + chunk->n_bytes, chunk->kind);
    }
    if (header && chunk->n_bytes < MO_PNG_HEADER_BYTES)
        return mo_fail(
            MOPD_E_FORMAT, "PNG: its header has %zu bytes, not %d", chunk->n_bytes, MO_PNG_HEADER_BYTES);
    *(header ? &out->header : palette ? &out->palette : &out->clear) = *chunk;
    return MOPD_OK;
}

mopd_status mo_png_layout_read(mo_png_layout *out, const void *bytes, size_t n_bytes)
{
    mo_png_chunk chunk;
    size_t at = MO_PNG_MARK_BYTES;
    *out = (mo_png_layout){.first = 0};
    for (; mo_png_chunk_at(&chunk, bytes, n_bytes, at); at = chunk.next) {
        if (is(&chunk, "IDAT") && !out->header.data)
            return mo_fail(MOPD_E_FORMAT, "PNG at byte %zu: image data without a header before them", at);
        if (is(&chunk, "IDAT")) {
            out->first = at;
            return MOPD_OK;
        }
        if (is(&chunk, "IEND"))
            return mo_fail(MOPD_E_FORMAT, "PNG at byte %zu: it ends without image data", at);
        if (!chunk.whole || chunk.next == n_bytes) break; /* at the end, where image data had to follow */
        mopd_status st = take(out, &chunk, bytes);
        if (st != MOPD_OK) return st;
    }
    if (at + HEAD_BYTES <= n_bytes && !is_kind((const unsigned char *)bytes + at + 4))
        return mo_fail(MOPD_E_FORMAT, "PNG at byte %zu: no chunk begins here", at);
    return fail_cut(n_bytes);
}

mopd_status mo_png_layout_check_end(const void *bytes, size_t n_bytes, size_t at)
{
    mo_png_chunk chunk;
    for (; mo_png_chunk_at(&chunk, bytes, n_bytes, at); at = chunk.next) {
        if (is(&chunk, "IEND")) return MOPD_OK;
        if (!chunk.whole)
            return mo_fail(MOPD_E_FORMAT,
                "PNG is cut short: its %zu bytes end in a chunk %.4s behind the picture", n_bytes,
                chunk.kind);
    }
    return MOPD_OK;
}
