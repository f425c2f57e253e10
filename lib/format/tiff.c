/* SPDX-License-Identifier: MIT
 * tiff.c - the first picture of a TIFF to 8-bit RGB and, where it has transparency, 8-bit alpha, through libtiff.
 *
 * libtiff undoes the compression of a strip or tile; what its samples mean is in tiff_pixel.c.  As Pillow does it: the
 * picture is turned by its orientation, whether that is asked for or not; subsampled luma and colour go through libtiff's
 * own conversion.  Errors and warnings come to this call alone, not to handlers that the process shares. */
#include "format/tiff.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/wide.h"
#include "format/exif.h"
#include "format/tiff_pixel.h"

enum {
    MOST = MO_TIFF_SAMPLES,
    LEAST_LIMIT = 1 << 20, /* pixels of a tile that are allowed to any picture, */
    ROOM = 1 << 22, /* bytes beside the file's: without them libtiff 4.5 ends the process at some places */
    LEAST_TILE = 1 << 22, /* and to one that is not limited */
    BEYOND = 4 /* pixels of a tile against the picture's, of all tiles against the largest picture's */
};

/* What Pillow knows. */
static const uint16_t compressions[] = {COMPRESSION_NONE, COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3,
    COMPRESSION_CCITTFAX4, COMPRESSION_LZW, COMPRESSION_OJPEG, COMPRESSION_JPEG, COMPRESSION_ADOBE_DEFLATE,
    COMPRESSION_CCITTRLEW, COMPRESSION_PACKBITS, COMPRESSION_THUNDERSCAN, COMPRESSION_DEFLATE,
    COMPRESSION_LZMA, COMPRESSION_ZSTD, COMPRESSION_WEBP};

typedef struct decoder {
    const unsigned char *bytes;
    size_t n_bytes, at;
    TIFF *tiff;
    mo_image_rules rules;
    mo_image *out;
    mo_tiff_pixel pixel;
    uint32_t width, height;
    unsigned compression;
    bool apart;                /* a plane for each sample */
    uint32_t block_w, block_h; /* of a tile or strip */
    uint8_t *block;            /* as libtiff gives it */
    uint8_t *band;             /* width x MOST samples as bytes: one row; of planes block_h rows */
    bool lacks;                /* a tag that the picture depends on */
    char message[160];
} decoder;

bool mo_tiff_is(const void *bytes, size_t n_bytes)
{
    static const char *const starts[] = {"II*\0", "MM\0*", "II+\0", "MM\0+"};
    for (int i = 0; i < 4; i++)
        if (n_bytes >= 8 && !memcmp(bytes, starts[i], 4)) return true;
    return false;
}

/* -- libtiff ------------------------------------------------------------------------------------------------- */

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t n)
{
    decoder *d = handle;
    const size_t some = d->at < d->n_bytes ? mo_min((size_t)n, d->n_bytes - d->at) : 0;
    memcpy(to, d->bytes + (some ? d->at : 0), some);
    d->at += some;
    return (tmsize_t)some;
}

static tmsize_t write_nothing(thandle_t handle, void *from, tmsize_t n)
{
    (void)handle, (void)from, (void)n;
    return 0;
}

/* Who reads only asks for places from the start on. */
static toff_t seek(thandle_t handle, toff_t to, int whence)
{
    decoder *d = handle;
    if (whence == SEEK_SET) d->at = mo_wide_size_most(to);
    return d->at;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t size_of(thandle_t handle)
{
    return ((decoder *)handle)->n_bytes;
}

/* The first message is the reason. */
static int keep_error(TIFF *tiff, void *context, const char *module, const char *format, va_list list)
{
    decoder *d = context;
    (void)tiff, (void)module;
    if (!*d->message) vsnprintf(d->message, sizeof d->message, format, list);
    return 1;
}

/* libtiff goes on without a tag that it cannot read.  Without these it would show another picture: indices as grey. */
static int keep_warning(TIFF *tiff, void *context, const char *module, const char *format, va_list list)
{
    static const char *const needed[] = {"\"ColorMap\"", "\"ExtraSamples\"", "\"SampleFormat\""};
    decoder *d = context;
    char text[sizeof d->message];
    (void)tiff, (void)module;
    vsnprintf(text, sizeof text, format, list);
    for (size_t i = 0; i < 3 && strstr(text, "tag ignored"); i++)
        if (strstr(text, needed[i])) {
            memcpy(d->message, text, sizeof text);
            d->lacks = true;
        }
    return 1;
}

static mopd_status fail_tiff(const decoder *d, const char *what)
{
    const char *why = *d->message ? d->message : "libtiff does not say why";
    if (!strncmp(why, ": ", 2)) why += 2; /* behind the file's name, which libtiff was not told */
    return mo_fail(MOPD_E_FORMAT, "TIFF: %s: %s", what, why);
}

/* What libtiff allocates at once is bounded by what the largest allowed picture may need. */
static mopd_status open_tiff(decoder *d)
{
    TIFFOpenOptions *options = mo_mem_left(ROOM + d->n_bytes) ? TIFFOpenOptionsAlloc() : NULL;
    if (!options) return mo_fail(MOPD_E_NOMEM, "TIFF: no memory for libtiff");
    const uint64_t most = mo_wide_min(mo_image_most(d->rules.max_pixels), PTRDIFF_MAX / 16);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)mo_wide_max(most, LEAST_LIMIT) * 16);
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, d);
    TIFFOpenOptionsSetWarningHandlerExtR(options, keep_warning, d);
    d->tiff = TIFFClientOpenExt(
        "", "rm", d, read_bytes, write_nothing, seek, close_nothing, size_of, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return d->tiff && !d->lacks ? MOPD_OK : fail_tiff(d, "its header or first directory");
}

/* -- what the file says -------------------------------------------------------------------------------------- */

static unsigned get16(const decoder *d, uint32_t tag, unsigned otherwise)
{
    uint16_t x;
    return TIFFGetField(d->tiff, tag, &x) == 1 ? x : otherwise;
}

static uint32_t get32(const decoder *d, uint32_t tag, uint32_t otherwise)
{
    uint32_t x;
    return TIFFGetField(d->tiff, tag, &x) == 1 ? x : otherwise;
}

static bool is_known(unsigned compression)
{
    for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++)
        if (compressions[i] == compression) return true;
    return false;
}

static mopd_status find_kind(decoder *d)
{
    uint16_t n_extra = 0, *extra = NULL;
    mo_tiff_tags t = {.photometric = get16(d, TIFFTAG_PHOTOMETRIC, 0),
        .type = get16(d, TIFFTAG_SAMPLEFORMAT, 1),
        .bits = get16(d, TIFFTAG_BITSPERSAMPLE, 1),
        .n = get16(d, TIFFTAG_SAMPLESPERPIXEL, 1),
        .little = *d->bytes == 'I'};
    if (d->compression == COMPRESSION_OJPEG) t.photometric = PHOTOMETRIC_YCBCR;
    TIFFGetField(d->tiff, TIFFTAG_EXTRASAMPLES, &n_extra, &extra);
    t.n_extra = n_extra;
    t.extra = extra;
    if (is_known(d->compression) && mo_tiff_pixel_find(&d->pixel, &t)) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "TIFF: %u samples of %u bits, type %u, photometric %u, compression %u are not known", t.n, t.bits,
        t.type, t.photometric, d->compression);
}

static mopd_status read_palette(decoder *d)
{
    uint16_t *map[3];
    if (!TIFFGetField(d->tiff, TIFFTAG_COLORMAP, map, map + 1, map + 2))
        return mo_fail(MOPD_E_FORMAT, "TIFF: indices without a palette");
    for (size_t i = 0; i < (size_t)1 << d->pixel.bits; i++)
        for (size_t c = 0; c < 3; c++) d->pixel.palette[i][c] = (uint8_t)(map[c][i] >> 8);
    return MOPD_OK;
}

/* Luma and colour of JPEG become RGB in its decoder; else libtiff has to convert them, but for whole ones that stand plain. */
static bool needs_conversion(decoder *d)
{
    uint16_t across = 2, down = 2;
    if (d->pixel.colour != MO_TIFF_LUMA) return false;
    if (d->compression == COMPRESSION_JPEG && !d->apart) {
        TIFFSetField(d->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        d->pixel.decoded = true;
        return false;
    }
    TIFFGetFieldDefaulted(d->tiff, TIFFTAG_YCBCRSUBSAMPLING, &across, &down);
    return d->compression != COMPRESSION_NONE || across != 1 || down != 1;
}

static uint64_t picture_limit(const decoder *d)
{
    return mo_wide_max(mo_image_most(d->rules.max_pixels), LEAST_LIMIT);
}

/* The pixels of a tile or strip: small pictures have tiles that are larger than they are. */
static uint64_t block_limit(const decoder *d)
{
    const uint64_t own = BEYOND * (uint64_t)d->width * d->height;
    return mo_wide_min(picture_limit(d), mo_wide_max(own, LEAST_TILE));
}

/* What of the tiles lies beyond the picture is decoded, too: a picture one pixel wide may have thousands of large ones, all in the
 * same place of the file. */
static mopd_status check_tiles(const decoder *d)
{
    if (!TIFFIsTiled(d->tiff)) return MOPD_OK;
    const uint64_t w = get32(d, TIFFTAG_TILEWIDTH, 0), h = get32(d, TIFFTAG_TILELENGTH, 0);
    mopd_status st = mo_image_check(w, h, block_limit(d));
    if (st == MOPD_OK)
        st = mo_image_check(
            mo_wide_ceil_div(d->width, w) * w, mo_wide_ceil_div(d->height, h) * h, BEYOND * picture_limit(d));
    return st == MOPD_OK ? st : mo_fail_at(st, "TIFF: its tiles");
}

static mopd_status read_header(decoder *d)
{
    d->width = get32(d, TIFFTAG_IMAGEWIDTH, 0);
    d->height = get32(d, TIFFTAG_IMAGELENGTH, 0);
    d->compression = get16(d, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    mopd_status st = mo_image_check(d->width, d->height, d->rules.max_pixels);
    if (st == MOPD_OK) st = find_kind(d);
    if (st == MOPD_OK) st = check_tiles(d);
    d->apart = d->pixel.n > 1 && get16(d, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
    d->pixel.scale16 = d->rules.scale16;
    return st == MOPD_OK && d->pixel.colour == MO_TIFF_PALETTE ? read_palette(d) : st;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* -- blocks -------------------------------------------------------------------------------------------------- */

/* The tile or strip at column x and row y into the block; the bytes from row to row, 0: damaged. */
static size_t read_block(decoder *d, uint32_t x, uint32_t y, int plane, tmsize_t size)
{
    const uint16_t sample = plane < 0 ? 0 : (uint16_t)plane;
    const bool tiled = TIFFIsTiled(d->tiff);
    const tmsize_t read =
        tiled ? TIFFReadEncodedTile(d->tiff, TIFFComputeTile(d->tiff, x, y, 0, sample), d->block, size)
              : TIFFReadEncodedStrip(d->tiff, TIFFComputeStrip(d->tiff, y, sample), d->block, size);
    if (read < 0) return 0;
    return (size_t)(tiled ? TIFFTileRowSize64(d->tiff) : TIFFScanlineSize64(d->tiff));
}

/* n pixels of the picture from samples of one byte, `step` from pixel to pixel. */
static void put_pixels(decoder *d, size_t to, const uint8_t *in, size_t step, size_t n)
{
    mo_tiff_pixel_put(
        &d->pixel, d->out->rgb + 3 * to, d->out->alpha ? d->out->alpha + to : NULL, in, step, n);
}

/* The same from a row as libtiff gives it.  Bytes are taken where they lie. */
static void put_row(decoder *d, size_t to, const uint8_t *row, size_t n)
{
    if (d->pixel.bits == 8) {
        put_pixels(d, to, row, d->pixel.n, n);
    } else {
        mo_tiff_pixel_unpack(&d->pixel, row, d->band, n, -1);
        put_pixels(d, to, d->band, MOST, n);
    }
}

/* All blocks that begin in row y; of one plane, or with all samples: plane -1. */
static mopd_status read_blocks(decoder *d, uint32_t y, int plane, tmsize_t size)
{
    const uint32_t n_rows = least(d->block_h, d->height - y);
    for (uint32_t x = 0; x < d->width; x += least(d->block_w, d->width - x)) {
        const size_t row_bytes = read_block(d, x, y, plane, size), n = least(d->block_w, d->width - x);
        if (!row_bytes) return fail_tiff(d, "its data");
        for (size_t i = 0; i < n_rows; i++) {
            const uint8_t *row = d->block + i * row_bytes;
            if (plane < 0)
                put_row(d, (y + i) * d->width + x, row, n);
            else
                mo_tiff_pixel_unpack(&d->pixel, row, d->band + (i * d->width + x) * MOST, n, plane);
        }
    }
    return MOPD_OK;
}

/* Planes come together in the band. */
static mopd_status read_planes(decoder *d, uint32_t y, tmsize_t size)
{
    const int n_planes = (int)mo_min(d->pixel.n, MOST);
    const size_t n = (size_t)least(d->block_h, d->height - y) * d->width, to = (size_t)y * d->width;
    mopd_status st = MOPD_OK;
    for (int s = 0; s < n_planes && st == MOPD_OK; s++) st = read_blocks(d, y, s, size);
    if (st == MOPD_OK) put_pixels(d, to, d->band, MOST, n);
    return st;
}

/* The size of blocks, checked: a row must hold its samples, or they would be read beyond it. */
static mopd_status size_blocks(decoder *d, uint64_t *size)
{
    const bool tiled = TIFFIsTiled(d->tiff);
    d->block_w = tiled ? get32(d, TIFFTAG_TILEWIDTH, 0) : d->width;
    d->block_h =
        tiled ? get32(d, TIFFTAG_TILELENGTH, 0) : least(get32(d, TIFFTAG_ROWSPERSTRIP, d->height), d->height);
    mopd_status st = mo_image_check(d->block_w, d->block_h, block_limit(d));
    if (st != MOPD_OK) return st;
    const uint64_t row = tiled ? TIFFTileRowSize64(d->tiff) : TIFFScanlineSize64(d->tiff);
    const uint64_t wanted =
        mo_wide_ceil_div((uint64_t)d->block_w * d->pixel.bits * (d->apart ? 1 : d->pixel.n), 8);
    *size = tiled ? TIFFTileSize64(d->tiff) : TIFFVStripSize64(d->tiff, d->block_h);
    if (row < wanted || row > UINT64_C(1) << 32 || *size < row * d->block_h || *size > PTRDIFF_MAX)
        return mo_fail(MOPD_E_FORMAT, "TIFF: rows of %llu bytes for %u pixels", (unsigned long long)row,
            (unsigned)d->block_w);
    return MOPD_OK;
}

static mopd_status read_samples(decoder *d)
{
    uint64_t size = 0;
    size_t band;
    mopd_status st = size_blocks(d, &size);
    if (st != MOPD_OK) return st;
    if (!mo_mul(d->width, MOST, &band))
        return mo_fail(MOPD_E_NOMEM, "TIFF: %u pixels in a row", (unsigned)d->width);
    d->block =
        mo_mem_calloc((size_t)size, 1); /* a strip may hold less than it should, which libtiff lets pass */
    d->band = mo_mem_alloc(d->apart ? mo_min(d->block_h, d->height) : 1, band);
    if (!d->block || !d->band) return MOPD_E_NOMEM;
    for (uint32_t y = 0; y < d->height && st == MOPD_OK; y += least(d->block_h, d->height - y))
        st = d->apart ? read_planes(d, y, (tmsize_t)size) : read_blocks(d, y, -1, (tmsize_t)size);
    return st;
}

/* libtiff's own conversion to RGB, of a strip's or tile's rows at a time as in Pillow. */
static mopd_status convert(decoder *d)
{
    TIFFRGBAImage image;
    char why[1024] = "";
    const uint32_t rows =
        get32(d, TIFFIsTiled(d->tiff) ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, d->height);
    const uint32_t step = rows ? least(rows, d->height) : d->height;
    bool good = TIFFRGBAImageOK(d->tiff, why) && TIFFRGBAImageBegin(&image, d->tiff, 0, why);
    if (!good) return mo_fail(MOPD_E_FORMAT, "TIFF: %s", *why ? why : "libtiff cannot convert it");
    image.req_orientation = image.orientation;
    uint32_t *pixels = mo_mem_calloc(step, (size_t)d->width * sizeof *pixels);
    for (uint32_t y = 0; pixels && good && y < d->height; y += least(step, d->height - y)) {
        const uint32_t n_rows = least(step, d->height - y);
        image.row_offset = (int)y;
        good = TIFFRGBAImageGet(&image, pixels, d->width, n_rows);
        for (size_t i = 0; good && i < (size_t)n_rows * d->width; i++) {
            uint8_t *rgb = d->out->rgb + 3 * ((size_t)y * d->width + i);
            rgb[0] = (uint8_t)TIFFGetR(pixels[i]);
            rgb[1] = (uint8_t)TIFFGetG(pixels[i]);
            rgb[2] = (uint8_t)TIFFGetB(pixels[i]);
        }
    }
    TIFFRGBAImageEnd(&image);
    mo_mem_free(pixels);
    return !pixels ? MOPD_E_NOMEM : good ? MOPD_OK : fail_tiff(d, "its data");
}

static void drop_blocks(decoder *d)
{
    mo_mem_free(d->block);
    mo_mem_free(d->band);
    d->block = d->band = NULL;
}

static mopd_status read_all(decoder *d)
{
    mopd_status st = open_tiff(d);
    if (st == MOPD_OK) st = read_header(d);
    if (st == MOPD_OK) st = mo_image_create(d->out, d->width, d->height, d->pixel.alpha);
    if (st == MOPD_OK) st = needs_conversion(d) ? convert(d) : read_samples(d);
    drop_blocks(d);
    if (st != MOPD_OK) return st;
    d->out->cut = d->pixel.cut;
    d->out->orientation = (uint8_t)get16(d, TIFFTAG_ORIENTATION, 1);
    return mo_exif_turn(d->out);
}

mopd_status mo_tiff_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules)
{
    *out = (mo_image){0};
    if (!mo_tiff_is(bytes, n_bytes)) return mo_fail(MOPD_E_FORMAT, "no TIFF file");
    decoder *d = mo_mem_calloc(1, sizeof *d);
    if (!d) return MOPD_E_NOMEM;
    d->bytes = bytes;
    d->n_bytes = n_bytes;
    d->rules = *rules;
    d->out = out;
    mopd_status st = read_all(d);
    if (d->tiff) TIFFClose(d->tiff);
    mo_mem_free(d);
    if (st != MOPD_OK) mo_image_free(out);
    return st;
}
