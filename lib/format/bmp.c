/* SPDX-License-Identifier: MIT
 * bmp.c - BMP to 8-bit RGB and, where the masks name one, 8-bit alpha, as Pillow has it.
 *
 *     14 bytes: "BM", ..., where the samples are (10)      header: its size, width, height, bits, compression, colours
 *     palette: blue, green, red and, but for the header of 12 bytes, a byte that means nothing
 *     rows of whole 4 bytes from the bottom up, from the top down where the height is negative
 *
 * 1, 4, 8 bits are indices, also as runs (RLE); 16, 24, 32 are colours by masks, of which Pillow's are known.  The fourth
 * byte of 32 bits is no alpha unless a mask says so. */
#include "format/bmp.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"

enum { FILE_HEAD = 14, OLD_HEADER = 12, PLAIN_HEADER = 40, MASKS_AT = 40, ALPHA_MASK_HEADER = 56 };
enum { RAW = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3 };

typedef struct bitmap {
    const unsigned char *bytes;
    size_t n;
    size_t width, height, step; /* step: bytes from row to row */
    bool down;                  /* the first row is the top one */
    unsigned bits, compression;
    uint32_t header, n_colours, at; /* at: of the samples */
    uint32_t mask[4];               /* red, green, blue, alpha; all 0: none were given */
    uint8_t palette[256][3];
} bitmap;

static uint32_t number(const bitmap *b, size_t at, size_t n_bytes)
{
    uint32_t x = 0;
    for (size_t i = n_bytes; i--;) x = x << 8 | b->bytes[at + i];
    return x;
}

static bool is_header(uint32_t n)
{
    return n == OLD_HEADER || n == PLAIN_HEADER || n == 52 || n == ALPHA_MASK_HEADER || n == 64 || n == 108 ||
           n == 124;
}

bool mo_bmp_is(const void *bytes, size_t n_bytes)
{
    const bitmap b = {.bytes = bytes, .n = n_bytes};
    return n_bytes >= 18 && !memcmp(bytes, "BM", 2) && is_header(number(&b, FILE_HEAD, 4));
}

static mopd_status fail_short(const bitmap *b, const char *where)
{
    return mo_fail(MOPD_E_FORMAT, "BMP is cut short: its %zu bytes end in the %s", b->n, where);
}

static mopd_status read_masks(bitmap *b)
{
    const bool behind = b->header == PLAIN_HEADER; /* a header without room for them */
    const size_t n = b->header >= ALPHA_MASK_HEADER ? 4 : 3;
    if (b->n < FILE_HEAD + MASKS_AT + 4 * n) return fail_short(b, "header");
    for (size_t i = 0; i < n; i++) b->mask[i] = number(b, FILE_HEAD + MASKS_AT + 4 * i, 4);
    if (behind && !b->at) b->at = FILE_HEAD + MASKS_AT + 12;
    return MOPD_OK;
}

static mopd_status read_header(bitmap *b)
{
    b->header = number(b, FILE_HEAD, 4);
    b->at = number(b, 10, 4);
    if (b->n < FILE_HEAD + (size_t)b->header) return fail_short(b, "header");
    if (b->header == OLD_HEADER) {
        b->width = number(b, 18, 2);
        b->height = number(b, 20, 2);
        b->bits = number(b, 24, 2);
    } else {
        const uint32_t height = number(b, 22, 4);
        b->width = number(b, 18, 4);
        b->down = height >> 24 == 0xff;
        b->height = b->down ? (uint32_t)-height : height;
        b->bits = number(b, 28, 2);
        b->compression = number(b, 30, 4);
        b->n_colours = number(b, 46, 4);
    }
    return b->compression == BITFIELDS ? read_masks(b) : MOPD_OK;
}

/* The palette; grey of all 256 values where it is that as far as it goes, black beyond its end otherwise. */
static mopd_status read_palette(bitmap *b)
{
    const size_t each = b->header == OLD_HEADER ? 3 : 4, start = FILE_HEAD + (size_t)b->header;
    if (!b->n_colours) b->n_colours = UINT32_C(1) << b->bits;
    if (b->n_colours > 256)
        return mo_fail(MOPD_E_UNSUPPORTED, "BMP: a palette of %u colours", (unsigned)b->n_colours);
    const size_t end = start + each * b->n_colours, there = mo_min(b->n_colours, (b->n - start) / each);
    if (b->at == start || !b->at) b->at = (uint32_t)end;
    bool grey = there == b->n_colours && b->bits == 8;
    for (size_t i = 0; i < there; i++) {
        for (size_t k = 0; k < 3; k++) b->palette[i][k] = b->bytes[start + each * i + 2 - k];
        for (size_t k = 0; k < 3; k++) grey &= b->palette[i][k] == i;
    }
    for (size_t i = there; grey && i < 256; i++) memset(b->palette[i], (int)i, 3);
    return MOPD_OK;
}

/* The masks that are known; without any, those of the number of bits. */
static mopd_status check_masks(bitmap *b)
{
    static const struct {
        unsigned bits;
        uint32_t mask[4];
    } known[] = {{32, {0xff0000, 0xff00, 0xff, 0}}, {32, {0xff000000, 0xff0000, 0xff00, 0}},
        {32, {0xff000000, 0xff00, 0xff, 0}}, {32, {0xff000000, 0xff0000, 0xff00, 0xff}},
        {32, {0xff, 0xff00, 0xff0000, 0xff000000}}, {32, {0xff0000, 0xff00, 0xff, 0xff000000}},
        {32, {0xff000000, 0xff00, 0xff, 0xff0000}}, {24, {0xff0000, 0xff00, 0xff, 0}},
        {16, {0x7c00, 0x3e0, 0x1f, 0}}, {16, {0xf800, 0x7e0, 0x1f, 0}}};
    if (b->compression == RAW)
        memcpy(b->mask, known[b->bits == 16 ? 8 : 0].mask, sizeof b->mask);
    else if (b->bits == 32 && !(b->mask[0] | b->mask[1] | b->mask[2] | b->mask[3]))
        memcpy(b->mask, known[5].mask, sizeof b->mask);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].bits == b->bits &&
            !memcmp(known[i].mask, b->mask, (b->bits == 32 ? 4 : 3) * sizeof *b->mask))
            return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED, "BMP: masks %08x %08x %08x %08x of %u bits are not known",
        (unsigned)b->mask[0], (unsigned)b->mask[1], (unsigned)b->mask[2], (unsigned)b->mask[3], b->bits);
}

static mopd_status check_kind(bitmap *b)
{
    const bool indexed = b->bits == 1 || b->bits == 4 || b->bits == 8;
    const bool runs = b->compression == RLE8 || b->compression == RLE4;
    if (!indexed && b->bits != 16 && b->bits != 24 && b->bits != 32)
        return mo_fail(MOPD_E_UNSUPPORTED, "BMP: %u bits a pixel", b->bits);
    if (b->compression > BITFIELDS || (indexed && b->compression == BITFIELDS) || (!indexed && runs))
        return mo_fail(MOPD_E_UNSUPPORTED, "BMP: compression %u of %u bits", b->compression, b->bits);
    mopd_status st = indexed ? read_palette(b) : check_masks(b);
    if (!b->at) b->at = FILE_HEAD + b->header;
    return st;
}

/* -- rows ---------------------------------------------------------------------------------------------------- */

static unsigned index_at(const unsigned char *row, size_t x, unsigned bits)
{
    const unsigned per_byte = 8 / bits, shift = (unsigned)(per_byte - 1 - x % per_byte) * bits;
    return (unsigned)row[x / per_byte] >> shift & ((1u << bits) - 1);
}

/* One sample, widened to 8 bits as Pillow does: rounded down. */
static uint8_t take(uint32_t pixel, uint32_t mask)
{
    uint32_t x = pixel & mask;
    for (; mask && !(mask & 1); mask >>= 1) x >>= 1;
    return (uint8_t)(mask == 0xff || !mask ? x : x * 255 / mask);
}

static void unpack_row(const bitmap *b, const unsigned char *row, uint8_t *rgb, uint8_t *alpha)
{
    const size_t each = b->bits / 8;
    for (size_t x = 0; x < b->width; x++) {
        if (b->bits <= 8) {
            memcpy(rgb + 3 * x, b->palette[index_at(row, x, b->bits)], 3);
            continue;
        }
        uint32_t pixel = 0;
        for (size_t i = each; i--;) pixel = pixel << 8 | row[each * x + i];
        for (size_t k = 0; k < 3; k++) rgb[3 * x + k] = take(pixel, b->mask[k]);
        if (alpha) alpha[x] = take(pixel, b->mask[3]);
    }
}

static size_t row_at(const bitmap *b, size_t y)
{
    return b->down ? y : b->height - 1 - y;
}

/* Whether all rows are there; bytes from one to the next.  A row's bits may be more than a size of 32 bits can count. */
static mopd_status check_rows(bitmap *b)
{
    const size_t bytes = b->width / 8 * b->bits + mo_ceil_div(b->width % 8 * b->bits, 8);
    b->step = mo_round_up(bytes, 4);
    if (b->at > b->n || b->n - b->at < bytes || (b->n - b->at - bytes) / b->step < b->height - 1)
        return mo_fail(MOPD_E_FORMAT, "BMP is cut short: its %zu bytes have %zu of %zu rows", b->n,
            b->at > b->n ? 0 : (b->n - b->at) / b->step, b->height);
    return MOPD_OK;
}

static void read_rows(const bitmap *b, mo_image *picture)
{
    for (size_t y = 0; y < b->height; y++) {
        const size_t to = row_at(b, y) * b->width;
        unpack_row(b, b->bytes + b->at + y * b->step, picture->rgb + 3 * to,
            picture->alpha ? picture->alpha + to : NULL);
    }
}

/* -- runs ---------------------------------------------------------------------------------------------------- */

typedef struct runs {
    const bitmap *b;
    mo_image *picture;
    size_t at, done, all, x; /* of the file; pixels; where in its row a run begins */
} runs;

static void put(runs *r, unsigned index)
{
    if (r->done == r->all) return;
    const size_t y = r->done / r->b->width, to = row_at(r->b, y) * r->b->width + r->done % r->b->width;
    memcpy(r->picture->rgb + 3 * to, r->b->palette[index], 3);
    r->done++;
}

static void put_run(runs *r, size_t n, unsigned value)
{
    const bool half = r->b->compression == RLE4;
    n = r->x + n > r->b->width ? (r->x < r->b->width ? r->b->width - r->x : 0) : n;
    for (size_t i = 0; i < n; i++) put(r, !half ? value : i % 2 ? value & 15 : value >> 4);
    r->x += n;
}

/* n pixels that stand one by one; false at the end of the data. */
static bool put_pixels(runs *r, size_t n)
{
    const bool half = r->b->compression == RLE4;
    const size_t wanted = mo_min(n, r->all - r->done), bytes = half ? mo_ceil_div(wanted, 2) : wanted;
    const size_t there = mo_min(bytes, r->b->n - r->at);
    for (size_t i = 0; i < (half ? mo_min(2 * there, wanted) : there); i++) {
        const unsigned value = r->b->bytes[r->at + (half ? i / 2 : i)];
        put(r, !half ? value : i % 2 ? value & 15 : value >> 4);
    }
    r->at += there;
    if (there < bytes || r->done == r->all) return false;
    r->x += n;
    r->at += r->at % 2;
    return true;
}

/* What follows a zero: the end of a row or of the picture, a jump, pixels.  False: nothing follows. */
static bool escape(runs *r, unsigned what)
{
    size_t gap = 0;
    if (what == 0) {
        gap = (r->b->width - r->done % r->b->width) % r->b->width;
        r->x = 0;
    } else if (what == 1 || (what == 2 && r->b->n - r->at < 2)) {
        return false;
    } else if (what > 2) {
        return put_pixels(r, what);
    } else {
        const size_t left = r->all - r->done, down = mo_min(r->b->bytes[r->at + 1], left / r->b->width + 1);
        gap = mo_min(left, r->b->bytes[r->at] + down * r->b->width);
        r->at += 2;
        r->x = (r->done + gap) % r->b->width;
    }
    while (gap--) put(r, 0);
    return true;
}

static mopd_status read_runs(const bitmap *b, mo_image *picture)
{
    runs r = {b, picture, b->at, 0, b->width * b->height, 0};
    while (r.done < r.all && r.at < b->n && b->n - r.at >= 2) {
        const unsigned n = b->bytes[r.at], value = b->bytes[r.at + 1];
        r.at += 2;
        if (n)
            put_run(&r, n, value);
        else if (!escape(&r, value))
            break;
        if (r.at > b->n) break;
    }
    if (r.done == r.all) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "BMP: its runs make %zu of %zu pixels", r.done, r.all);
}

mopd_status mo_bmp_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules)
{
    *out = (mo_image){0};
    bitmap b = {.bytes = bytes, .n = n_bytes};
    if (!mo_bmp_is(bytes, n_bytes)) return mo_fail(MOPD_E_FORMAT, "no BMP file");
    mopd_status st = read_header(&b);
    if (st == MOPD_OK) st = mo_image_check(b.width, b.height, rules->max_pixels);
    if (st == MOPD_OK) st = check_kind(&b);
    const bool in_runs = b.compression == RLE8 || b.compression == RLE4;
    if (st == MOPD_OK && !in_runs) st = check_rows(&b);
    if (st == MOPD_OK) st = mo_image_create(out, b.width, b.height, b.bits == 32 && b.mask[3]);
    if (st != MOPD_OK) return st;
    if (!in_runs) read_rows(&b, out);
    if (in_runs && (st = read_runs(&b, out)) != MOPD_OK) mo_image_free(out);
    return st;
}
