/* SPDX-License-Identifier: MIT
 * exif.c - the orientation of EXIF data, and the picture turned by it, as Pillow's ImageOps.exif_transpose.
 *
 * EXIF data are a TIFF file without a picture: byte order, 42, offset of the first directory; a directory is a
 * number of entries and 12 bytes for each: tag, type, count, value.  Every offset is checked before it is used. */
#include "format/exif.h"

#include <string.h>

#define TAG 0x112
#define ENTRY_BYTES 12
enum { TYPE_SHORT = 3, TYPE_LONG = 4 };

typedef struct reader {
    const unsigned char *bytes;
    size_t n;
    bool big; /* most significant byte first */
} reader;

static uint32_t number(const reader *r, size_t at, size_t n_bytes)
{
    uint32_t x = 0;
    for (size_t i = 0; i < n_bytes; i++) x = x << 8 | r->bytes[at + (r->big ? i : n_bytes - 1 - i)];
    return x;
}

static bool begin(reader *r, const void *bytes, size_t n_bytes)
{
    *r = (reader){.bytes = bytes, .n = n_bytes};
    for (int i = 0; i < 2 && r->n >= 6 && !memcmp(r->bytes, "Exif\0\0", 6); i++) {
        r->bytes += 6;
        r->n -= 6;
    }
    if (r->n < 8) return false;
    r->big = r->bytes[0] == 'M';
    return !memcmp(r->bytes, r->big ? "MM\0*" : "II*\0", 4);
}

/* One entry's value; 0 where it is none of a picture's orientation. */
static unsigned value_of(const reader *r, size_t entry)
{
    const uint32_t type = number(r, entry + 2, 2), count = number(r, entry + 4, 4);
    if (count != 1 || (type != TYPE_SHORT && type != TYPE_LONG)) return 0;
    const uint32_t x = number(r, entry + 8, type == TYPE_SHORT ? 2 : 4);
    return x <= 8 ? x : 0;
}

unsigned mo_exif_orientation(const void *bytes, size_t n_bytes)
{
    reader r;
    unsigned found = 0;
    if (!begin(&r, bytes, n_bytes)) return 0;
    const size_t at = number(&r, 4, 4);
    if (at > r.n - 2) return 0;
    const size_t listed = number(&r, at, 2), room = (r.n - 2 - at) / ENTRY_BYTES;
    for (size_t i = 0; i < listed && i < room; i++) {
        const size_t entry = at + 2 + i * ENTRY_BYTES;
        if (number(&r, entry, 2) == TAG) found = value_of(&r, entry); /* of several the last counts */
    }
    return found;
}

/* Where the pixel of the turned picture's row y and column x comes from: first + y * down + x * across. */
typedef struct way {
    ptrdiff_t first, down, across;
} way;

static way find_way(unsigned orientation, size_t height, size_t width)
{
    const ptrdiff_t h = (ptrdiff_t)height, w = (ptrdiff_t)width, last_row = (h - 1) * w;
    const way ways[9] = {[2] = {w - 1, w, -1},
        [3] = {last_row + w - 1, -w, -1},
        [4] = {last_row, -w, 1},
        [5] = {0, 1, w},
        [6] = {last_row, 1, -w},
        [7] = {last_row + w - 1, -1, -w},
        [8] = {w - 1, -1, w}};
    return ways[orientation];
}

static void move_pixels(mo_image *to, const mo_image *from, const way *by)
{
    for (size_t y = 0; y < to->height; y++) {
        const ptrdiff_t start = by->first + (ptrdiff_t)y * by->down;
        for (size_t x = 0; x < to->width; x++) {
            const size_t in = (size_t)(start + (ptrdiff_t)x * by->across), out = y * to->width + x;
            memcpy(to->rgb + 3 * out, from->rgb + 3 * in, 3);
            if (to->alpha) to->alpha[out] = from->alpha[in];
        }
    }
}

mopd_status mo_exif_turn(mo_image *picture)
{
    if (picture->orientation < 2 || picture->orientation > 8) return MOPD_OK;
    const bool lies = picture->orientation >= 5;
    const size_t width = lies ? picture->height : picture->width;
    const size_t height = lies ? picture->width : picture->height;
    mo_image turned;
    mopd_status st = mo_image_create(&turned, width, height, picture->alpha != NULL);
    if (st != MOPD_OK) return st;
    const way by = find_way(picture->orientation, picture->height, picture->width);
    move_pixels(&turned, picture, &by);
    turned.cut = picture->cut;
    turned.orientation = 1;
    mo_image_free(picture);
    *picture = turned;
    return MOPD_OK;
}
