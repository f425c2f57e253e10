/* SPDX-License-Identifier: MIT
 * png.c - PNG to 8-bit RGB and, where the file has transparency, 8-bit alpha, through libpng's row interface.
 *
 * libpng inflates, unfilters, unpacks samples below 8 bits and drops the low byte of 16-bit colour; the rest
 * is here, as Pillow has it: 16-bit grey is cut at 255 (unless it is to be scaled), an index beyond the palette is
 * black, a transparent colour is compared by its low byte with the 8-bit sample.  Gamma, profiles and background are
 * ignored.  What is in the file is put in order before libpng sees it (png_stream.c), so that a file which breaks the
 * rules and has all its rows is read; one that has fewer is not. */
#include "format/png.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <png.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/wide.h"
#include "format/exif.h"
#include "format/png_stream.h"

enum { MOST_INFLATED = 1032 };

typedef struct decoder {
    png_structp png;
    png_infop info;
    const unsigned char *bytes;
    size_t n_bytes;
    mo_png_layout layout;
    mo_png_stream stream;
    mo_image_rules rules;
    mo_image picture;
    uint8_t *raw; /* one row as libpng gives it, all of them when interlaced; NULL: RGB, into the picture */
    size_t row_bytes; /* of raw */
    int depth, type;  /* as in the header */
    png_byte palette[256][4];
    bool has_key; /* one colour is transparent */
    uint8_t key[3];
    unsigned key16;  /* of 16-bit grey, whole */
    png_uint_32 row; /* where decoding is, for the message */
    bool interlaced, counting;
    size_t rows_left; /* of the image data, all passes; known when counting */
    size_t converted; /* rows of the picture */
    bool no_memory;
    char message[160];
} decoder;

bool mo_png_is(const void *bytes, size_t n_bytes)
{
    return n_bytes >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8);
}

static void *png_get(png_structp png, png_alloc_size_t n)
{
    decoder *d = png_get_mem_ptr(png);
    void *block = mo_mem_alloc(n, 1);
    if (!block) d->no_memory = true;
    return block;
}

static void png_put(png_structp png, void *block)
{
    (void)png;
    mo_mem_free(block);
}

static void leave(png_structp png, const char *text)
{
    decoder *d = png_get_error_ptr(png);
    if (!*d->message) snprintf(d->message, sizeof d->message, "%s", text);
    png_longjmp(png, 1);
}

static void say_nothing(png_structp png, const char *text)
{
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep out, size_t n)
{
    decoder *d = png_get_io_ptr(png);
    if (!mo_png_stream_read(&d->stream, out, n)) png_error(png, "end of data");
}

static mopd_status fail_decode(const decoder *d)
{
    if (d->no_memory) return MOPD_E_NOMEM; /* mo_mem_alloc has said it */
    if (!d->stream.chunk.whole && d->stream.chunk.data)
        return mo_fail(MOPD_E_FORMAT, "PNG is cut short: its %zu bytes end in row %u of %zu", d->n_bytes,
            (unsigned)d->row, d->picture.height);
    return mo_fail(MOPD_E_FORMAT, "PNG at byte %zu: %s", d->stream.at, d->message);
}

static unsigned deep(const unsigned char *b)
{
    return (unsigned)b[0] << 8 | b[1];
}

/* The palette with its alphas, black and opaque beyond its end; bytes that are no whole colour are left out. */
static mopd_status read_palette(decoder *d)
{
    const mo_png_chunk *colours = &d->layout.palette, *alphas = &d->layout.clear;
    if (!colours->data) return mo_fail(MOPD_E_FORMAT, "PNG: indices without a palette (PLTE)");
    const size_t n = colours->n_bytes / 3;
    if (n > 256) return mo_fail(MOPD_E_FORMAT, "PNG: a palette (PLTE) of %zu colours", n);
    for (size_t i = 0; i < 256; i++) {
        if (i < n) memcpy(d->palette[i], colours->data + 3 * i, 3);
        d->palette[i][3] = i < alphas->n_bytes ? alphas->data[i] : 255;
    }
    d->has_key = alphas->data != NULL;
    return MOPD_OK;
}

/* The transparent colour, where there is one. */
static void read_key(decoder *d)
{
    const mo_png_chunk *key = &d->layout.clear;
    const bool colour = d->type == PNG_COLOR_TYPE_RGB;
    if (!key->data || key->n_bytes < (colour ? 6 : 2) || (d->type != PNG_COLOR_TYPE_GRAY && !colour)) return;
    d->has_key = true;
    d->key16 = deep(key->data);
    for (size_t i = 0; i < (colour ? 3 : 1); i++) d->key[i] = key->data[2 * i + 1];
    if (d->depth == 1 && !colour) d->key[0] = d->key16 ? 255 : 0;
}

static void row_from_palette(const decoder *d, const uint8_t *raw, uint8_t *rgb, uint8_t *alpha)
{
    for (size_t x = 0; x < d->picture.width; x++) {
        memcpy(rgb + 3 * x, d->palette[raw[x]], 3);
        if (alpha) alpha[x] = d->palette[raw[x]][3];
    }
}

/* Cut at 255, transparent where the key's low byte is; or scaled, and transparent where the key is. */
static void row_from_grey16(decoder *d, const uint8_t *raw, uint8_t *rgb, uint8_t *alpha)
{
    const bool scale = d->rules.scale16;
    for (size_t x = 0; x < d->picture.width; x++) {
        const unsigned sample = deep(raw + 2 * x);
        const unsigned v = scale ? sample >> 8 : sample > 255 ? 255 : sample;
        d->picture.cut |= !scale && sample > 255;
        memset(rgb + 3 * x, (int)v, 3);
        if (alpha) alpha[x] = (scale ? sample == d->key16 : v == d->key[0]) ? 0 : 255;
    }
}

static void row_from_grey(const decoder *d, const uint8_t *raw, uint8_t *rgb, uint8_t *alpha)
{
    static const uint8_t scale[9] = {0, 255, 85, 0, 17, 0, 0, 0, 1};
    for (size_t x = 0; x < d->picture.width; x++) {
        const unsigned v = (unsigned)raw[x] * scale[d->depth];
        memset(rgb + 3 * x, (int)v, 3);
        if (alpha) alpha[x] = v == d->key[0] ? 0 : 255;
    }
}

static void row_from_grey_alpha(const decoder *d, const uint8_t *raw, uint8_t *rgb, uint8_t *alpha)
{
    for (size_t x = 0; x < d->picture.width; x++) {
        memset(rgb + 3 * x, raw[2 * x], 3);
        alpha[x] = raw[2 * x + 1];
    }
}

static void row_from_rgba(const decoder *d, const uint8_t *raw, uint8_t *rgb, uint8_t *alpha)
{
    for (size_t x = 0; x < d->picture.width; x++) {
        memcpy(rgb + 3 * x, raw + 4 * x, 3);
        alpha[x] = raw[4 * x + 3];
    }
}

/* RGB rows stand in the picture already; only a transparent colour is left to find. */
static void row_from_rgb(const decoder *d, const uint8_t *raw, uint8_t *rgb, uint8_t *alpha)
{
    (void)raw;
    if (!alpha) return;
    for (size_t x = 0; x < d->picture.width; x++) alpha[x] = memcmp(rgb + 3 * x, d->key, 3) ? 255 : 0;
}

static void convert_row(decoder *d, const uint8_t *raw, size_t y)
{
    uint8_t *rgb = d->picture.rgb + y * d->picture.width * 3;
    uint8_t *alpha = d->picture.alpha ? d->picture.alpha + y * d->picture.width : NULL;
    switch (d->type) {
    case PNG_COLOR_TYPE_PALETTE:
        row_from_palette(d, raw, rgb, alpha);
        break;
    case PNG_COLOR_TYPE_GRAY:
        if (d->depth == 16)
            row_from_grey16(d, raw, rgb, alpha);
        else
            row_from_grey(d, raw, rgb, alpha);
        break;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        row_from_grey_alpha(d, raw, rgb, alpha);
        break;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        row_from_rgba(d, raw, rgb, alpha);
        break;
    default:
        row_from_rgb(d, raw, rgb, alpha);
        break;
    }
}

/* Rows of data: those of all passes, each of which begins at a row and a column and takes every so many. */
static size_t count_rows(const decoder *d)
{
    static const unsigned char row[7] = {0, 0, 4, 0, 2, 0, 1}, row_step[7] = {8, 8, 8, 4, 4, 2, 2},
                               column[7] = {0, 4, 0, 2, 0, 1, 0};
    size_t n = 0;
    if (!d->interlaced) return d->picture.height;
    for (int pass = 0; pass < 7; pass++)
        if (d->picture.width > column[pass] && d->picture.height > row[pass])
            n += mo_ceil_div(d->picture.height - row[pass], row_step[pass]);
    return n;
}

static void count_row(png_structp png, png_row_infop info, png_bytep row)
{
    (void)info, (void)row;
    decoder *d = png_get_user_transform_ptr(png);
    d->rows_left--;
}

static uint8_t *row_at(const decoder *d, size_t y)
{
    if (d->type == PNG_COLOR_TYPE_RGB) return d->picture.rgb + y * d->picture.width * 3;
    return d->interlaced ? d->raw + y * d->row_bytes : d->raw;
}

static void read_rows(decoder *d, int passes)
{
    for (int pass = 0; pass < passes; pass++) {
        for (size_t y = 0; y < d->picture.height; y++) {
            d->row = (png_uint_32)y;
            png_read_row(d->png, row_at(d, y), NULL);
            if (passes == 1) convert_row(d, row_at(d, y), d->converted++);
        }
    }
}

/* All rows are there.  libpng goes on to the end of the compressed data with the last one, and may fail then. */
static mopd_status finish_rows(decoder *d)
{
    for (; d->converted < d->picture.height; d->converted++)
        convert_row(d, row_at(d, d->converted), d->converted);
    return mo_png_layout_check_end(d->bytes, d->n_bytes, d->stream.at);
}

/* Before room is made for the picture: deflate makes at most 1,032 bytes of one. */
static mopd_status check_length(const decoder *d, size_t width, size_t height)
{
    const uint64_t bits = (uint64_t)width * png_get_channels(d->png, d->info) * (unsigned)d->depth,
                   row = mo_wide_ceil_div(bits, 8);
    if (d->n_bytes >= row * height / MOST_INFLATED) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "PNG is cut short: its %zu bytes cannot hold %zu x %zu pixels", d->n_bytes,
        width, height);
}

static mopd_status read_all(decoder *d)
{
    png_set_user_limits(d->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours come next, with a better message */
    png_set_crc_action(d->png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_set_option(d->png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON); /* whatever the data claim to need */
    png_read_info(d->png, d->info);
    size_t width = png_get_image_width(d->png, d->info), height = png_get_image_height(d->png, d->info);
    mopd_status st = mo_image_check(width, height, d->rules.max_pixels);
    if (st != MOPD_OK) return st;
    d->depth = png_get_bit_depth(d->png, d->info);
    d->type = png_get_color_type(d->png, d->info);
    if ((st = check_length(d, width, height)) != MOPD_OK) return st;
    st = d->type == PNG_COLOR_TYPE_PALETTE ? read_palette(d) : MOPD_OK;
    if (st != MOPD_OK) return st;
    read_key(d);

    png_set_packing(d->png);
    if (d->type != PNG_COLOR_TYPE_GRAY) png_set_strip_16(d->png);
    png_set_read_user_transform_fn(d->png, count_row);
    png_set_user_transform_info(d->png, d, 0, 0);
    int passes = png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    d->row_bytes = png_get_rowbytes(d->png, d->info);

    st = mo_image_create(&d->picture, width, height, d->has_key || (d->type & PNG_COLOR_MASK_ALPHA));
    if (st != MOPD_OK) return st;
    if (d->type != PNG_COLOR_TYPE_RGB && !(d->raw = mo_mem_alloc(passes > 1 ? height : 1, d->row_bytes)))
        return MOPD_E_NOMEM;
    d->interlaced = passes > 1;
    d->rows_left = count_rows(d);
    d->counting = true;
    read_rows(d, passes);
    return MOPD_OK;
}

static unsigned find_orientation(const decoder *d)
{
    mo_png_chunk exif;
    if (!d->rules.upright || !mo_png_chunk_find(&exif, d->bytes, d->n_bytes, "eXIf")) return 0;
    return mo_exif_orientation(exif.data, exif.n_bytes);
}

mopd_status mo_png_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules)
{
    *out = (mo_image){0};
    decoder *d = mo_mem_calloc(1, sizeof *d);
    if (!d) return MOPD_E_NOMEM;
    d->bytes = bytes;
    d->n_bytes = n_bytes;
    d->rules = *rules;
    mopd_status st = mo_png_is(bytes, n_bytes) ? mo_png_layout_read(&d->layout, bytes, n_bytes)
                                               : mo_fail(MOPD_E_FORMAT, "no PNG file: its mark is missing");
    if (st != MOPD_OK) goto done;
    mo_png_stream_begin(&d->stream, &d->layout, bytes, n_bytes);
    st = MOPD_E_NOMEM;
    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, leave, say_nothing, d, png_get, png_put);
    if (!d->png || !(d->info = png_create_info_struct(d->png))) goto done;
    png_set_read_fn(d->png, d, read_bytes);
    if (!setjmp(png_jmpbuf(d->png)))
        st = read_all(d);
    else
        st = d->counting && !d->rows_left ? MOPD_OK : fail_decode(d);
    if (st == MOPD_OK) st = finish_rows(d);
done:
    if (d->png) png_destroy_read_struct(&d->png, &d->info, NULL);
    if (st == MOPD_OK) d->picture.orientation = (uint8_t)find_orientation(d);
    if (st == MOPD_OK)
        *out = d->picture;
    else
        mo_image_free(&d->picture);
    mo_mem_free(d->raw);
    mo_mem_free(d);
    return st;
}
