/* SPDX-License-Identifier: MIT
 * gif.c - the first picture of a GIF to 8-bit RGB and, where it has a transparent index, 8-bit alpha, through giflib.
 *
 * As Pillow does it: the canvas is as large as the screen and the picture; what the picture does not cover has the
 * transparent index, or 0; a palette in which every index is its own grey is none, and an index beyond a palette is
 * black.  What follows the picture is not read. */
#include "format/gif.h"

#include <gif_lib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"

enum { ROOM = 1 << 20 }; /* several times what giflib takes */

typedef struct decoder {
    const unsigned char *bytes;
    size_t n, at;
    GifFileType *gif;
    int clear; /* the transparent index; -1: none */
    uint8_t palette[256][3];
    uint8_t *line;
} decoder;

bool mo_gif_is(const void *bytes, size_t n_bytes)
{
    return n_bytes >= 6 && (!memcmp(bytes, "GIF87a", 6) || !memcmp(bytes, "GIF89a", 6));
}

/* Behind the end there is the empty block that ends a picture's data, which giflib asks for and Pillow does not. */
static int read_bytes(GifFileType *gif, GifByteType *out, int n)
{
    decoder *d = gif->UserData;
    if (d->at == d->n && n == 1) {
        *out = 0;
        return 1;
    }
    const size_t some = mo_min((size_t)n, d->n - d->at);
    memcpy(out, d->bytes + d->at, some);
    d->at += some;
    return (int)some;
}

/* giflib tells of memory that ran out only sometimes. */
static mopd_status fail_decode(const decoder *d, int error)
{
    if (error == D_GIF_ERR_NOT_ENOUGH_MEM || !mo_mem_left(ROOM))
        return mo_fail(MOPD_E_NOMEM, "GIF: no memory for giflib");
    const char *text = GifErrorString(error);
    return mo_fail(MOPD_E_FORMAT, "GIF at byte %zu of %zu: %s", d->at, d->n, text ? text : "damaged");
}

static mopd_status fail_gif(const decoder *d)
{
    return fail_decode(d, d->gif->Error);
}

/* An extension's blocks; that of graphics says which index is transparent. */
static bool read_extension(decoder *d)
{
    int code;
    GifByteType *block;
    if (DGifGetExtension(d->gif, &code, &block) != GIF_OK) return false;
    if (block && code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4 && block[1] & 1) d->clear = block[4];
    while (block)
        if (DGifGetExtensionNext(d->gif, &block) != GIF_OK) return false;
    return true;
}

/* To the first picture, whose description is read then. */
static mopd_status find_picture(decoder *d)
{
    for (;;) {
        GifRecordType type;
        if (d->at == d->n)
            return mo_fail(MOPD_E_FORMAT, "GIF is cut short: its %zu bytes end before a picture", d->n);
        if (DGifGetRecordType(d->gif, &type) != GIF_OK) return fail_gif(d);
        if (type == TERMINATE_RECORD_TYPE) return mo_fail(MOPD_E_FORMAT, "GIF without a picture");
        if (type == EXTENSION_RECORD_TYPE && !read_extension(d)) return fail_gif(d);
        if (type == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(d->gif) == GIF_OK ? MOPD_OK : fail_gif(d);
    }
}

static void read_palette(decoder *d)
{
    const ColorMapObject *map = d->gif->Image.ColorMap ? d->gif->Image.ColorMap : d->gif->SColorMap;
    bool grey = true;
    for (int i = 0; map && i < map->ColorCount && i < 256; i++) {
        const GifColorType *c = map->Colors + i;
        d->palette[i][0] = c->Red;
        d->palette[i][1] = c->Green;
        d->palette[i][2] = c->Blue;
        grey &= c->Red == i && c->Green == i && c->Blue == i;
    }
    for (int i = 0; grey && i < 256; i++) memset(d->palette[i], i, 3);
}

static void put(const decoder *d, mo_image *out, size_t at, unsigned index)
{
    memcpy(out->rgb + 3 * at, d->palette[index], 3);
    if (out->alpha) out->alpha[at] = (int)index == d->clear ? 0 : 255;
}

static bool read_row(decoder *d, mo_image *out, size_t y)
{
    const GifImageDesc *i = &d->gif->Image;
    const size_t start = ((size_t)i->Top + y) * out->width + (size_t)i->Left;
    if (DGifGetLine(d->gif, d->line, i->Width) != GIF_OK) return false;
    for (size_t x = 0; x < (size_t)i->Width; x++) put(d, out, start + x, d->line[x]);
    return true;
}

/* Row by row, or in four passes. */
static mopd_status read_rows(decoder *d, mo_image *out)
{
    static const unsigned first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
    const size_t height = (size_t)d->gif->Image.Height;
    const int passes = d->gif->Image.Interlace ? 4 : 1;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = first[pass]; y < height; y += passes == 1 ? 1 : step[pass])
            if (!read_row(d, out, y)) return fail_gif(d);
    return MOPD_OK;
}

static mopd_status read_all(decoder *d, mo_image *out, const mo_image_rules *rules)
{
    mopd_status st = find_picture(d);
    if (st != MOPD_OK) return st;
    const GifImageDesc *i = &d->gif->Image;
    const size_t width = mo_max((size_t)d->gif->SWidth, (size_t)i->Left + (size_t)i->Width);
    const size_t height = mo_max((size_t)d->gif->SHeight, (size_t)i->Top + (size_t)i->Height);
    if (!i->Width || !i->Height)
        return mo_fail(MOPD_E_FORMAT, "GIF: its first picture has %d x %d pixels", i->Width, i->Height);
    st = mo_image_check(width, height, rules->max_pixels);
    if (st == MOPD_OK) st = mo_image_create(out, width, height, d->clear >= 0);
    if (st == MOPD_OK && !(d->line = mo_mem_alloc((size_t)i->Width, 1))) st = MOPD_E_NOMEM;
    if (st != MOPD_OK) return st;
    read_palette(d);
    for (size_t k = 0; k < width * height; k++) put(d, out, k, d->clear < 0 ? 0 : (unsigned)d->clear);
    return read_rows(d, out);
}

mopd_status mo_gif_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules)
{
    *out = (mo_image){0};
    decoder d = {.bytes = bytes, .n = n_bytes, .clear = -1};
    int error = 0;
    d.gif = DGifOpen(&d, read_bytes, &error);
    if (!d.gif) return fail_decode(&d, error);
    mopd_status st = read_all(&d, out, rules);
    DGifCloseFile(d.gif, NULL);
    mo_mem_free(d.line);
    if (st != MOPD_OK) mo_image_free(out);
    return st;
}
