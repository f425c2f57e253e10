/* SPDX-License-Identifier: MIT
 * jpeg.c - JPEG to 8-bit RGB through libjpeg-turbo; setjmp stays in here.
 *
 * libjpeg's own defaults (accurate integer DCT, smooth chroma) are Pillow's.  Four-channel files are taken
 * as Adobe writes them, inverted, whether they say so or not: Pillow does.  As in Pillow corrupt data that
 * libjpeg can step over is stepped over, and data that ends early is an error. */
#include "format/jpeg.h"

#include <jerror.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <jpeglib.h>

#include "base/ints.h"
#include "base/mem.h"
#include "format/exif.h"

/* A progressive file of more scans than this is made to burn time. */
#define MAX_SCANS 1000
#define ROWS 16

typedef struct decoder {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr error;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    mo_image picture;
    uint8_t *cmyk; /* one row, width x 4 */
    mo_image_rules rules;
    size_t n_bytes;
    bool finishing; /* all rows are out */
    bool cut_short; /* the decoder asked for more bytes than there are */
    bool many_scans;
} decoder;

bool mo_jpeg_is(const void *bytes, size_t n_bytes)
{
    const unsigned char *b = bytes;
    return n_bytes >= 3 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff;
}

static void leave(j_common_ptr common)
{
    decoder *d = common->client_data;
    longjmp(d->back, 1);
}

static void say_nothing(j_common_ptr common)
{
    (void)common;
}
static void source_nothing(j_decompress_ptr info)
{
    (void)info;
}

static boolean no_more(j_decompress_ptr info)
{
    decoder *d = info->client_data;
    d->cut_short = true;
    leave((j_common_ptr)info);
    return FALSE;
}

static void skip(j_decompress_ptr info, long n)
{
    if (n <= 0) return;
    if ((size_t)n > info->src->bytes_in_buffer) {
        no_more(info);
        return;
    }
    info->src->next_input_byte += n;
    info->src->bytes_in_buffer -= (size_t)n;
}

static void count_scans(j_common_ptr common)
{
    decoder *d = common->client_data;
    if (d->info.input_scan_number <= MAX_SCANS) return;
    d->many_scans = true;
    leave(common);
}

static mopd_status fail_decode(decoder *d)
{
    if (d->cut_short)
        return mo_fail(MOPD_E_FORMAT, "JPEG is cut short: its %zu bytes end in row %u of %u", d->n_bytes,
            (unsigned)d->info.output_scanline, (unsigned)d->info.image_height);
    if (d->many_scans) return mo_fail(MOPD_E_UNSUPPORTED, "JPEG has more than %d scans", MAX_SCANS);
    char text[JMSG_LENGTH_MAX];
    d->error.format_message((j_common_ptr)&d->info, text);
    mopd_status st = MOPD_E_FORMAT;
    switch (d->error.msg_code) {
    case JERR_OUT_OF_MEMORY:
        st = MOPD_E_NOMEM;
        break;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_IMAGE_TOO_BIG:
        st = MOPD_E_UNSUPPORTED;
        break;
    default:
        break;
    }
    return mo_fail(st, "JPEG: %s", text);
}

/* Pillow's inversion and conversion: with the stored values c and k, k - (255 - c) k / 255, rounded. */
static void row_from_cmyk(uint8_t *rgb, const uint8_t *cmyk, size_t width)
{
    for (size_t x = 0; x < width; x++, rgb += 3, cmyk += 4) {
        unsigned k = cmyk[3];
        for (int i = 0; i < 3; i++) {
            unsigned t = (255u - cmyk[i]) * k + 128;
            rgb[i] = (uint8_t)(k - (((t >> 8) + t) >> 8));
        }
    }
}

static void read_rows(decoder *d)
{
    size_t width = d->picture.width, row_bytes = width * 3;
    while (d->info.output_scanline < d->info.output_height) {
        size_t y = d->info.output_scanline, left = d->info.output_height - y;
        JSAMPROW rows[ROWS];
        if (d->cmyk) {
            rows[0] = d->cmyk;
            if (jpeg_read_scanlines(&d->info, rows, 1))
                row_from_cmyk(d->picture.rgb + y * row_bytes, d->cmyk, width);
            continue;
        }
        size_t n = mo_min(left, ROWS);
        for (size_t i = 0; i < n; i++) rows[i] = d->picture.rgb + (y + i) * row_bytes;
        jpeg_read_scanlines(&d->info, rows, (JDIMENSION)n);
    }
}

/* Of the first APP1 that has EXIF data. */
static unsigned find_orientation(const decoder *d)
{
    for (jpeg_saved_marker_ptr m = d->info.marker_list; m; m = m->next)
        if (m->data_length > 6 && !memcmp(m->data, "Exif\0\0", 6))
            return mo_exif_orientation(m->data, m->data_length);
    return 0;
}

static mopd_status read_all(decoder *d)
{
    if (d->rules.upright) jpeg_save_markers(&d->info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&d->info, TRUE);
    int n = d->info.num_components;
    if (n != 1 && n != 3 && n != 4)
        return mo_fail(MOPD_E_UNSUPPORTED, "JPEG has %d components: 1, 3 and 4 are known", n);
    mopd_status st = mo_image_check(d->info.image_width, d->info.image_height, d->rules.max_pixels);
    if (st != MOPD_OK) return st;
    st = mo_image_create(&d->picture, d->info.image_width, d->info.image_height, false);
    if (st != MOPD_OK) return st;
    d->picture.orientation = (uint8_t)find_orientation(d);
    d->info.out_color_space = n == 4 ? JCS_CMYK : JCS_RGB;
    if (n == 4 && !(d->cmyk = mo_mem_alloc(d->picture.width, 4))) return MOPD_E_NOMEM;
    jpeg_start_decompress(&d->info);
    read_rows(d);
    d->finishing = true;
    jpeg_finish_decompress(&d->info); /* to the end mark: what stands before it must be sound */
    return MOPD_OK;
}

static void set_up(decoder *d, const void *bytes)
{
    jpeg_std_error(&d->error);
    d->error.error_exit = leave;
    d->error.output_message = say_nothing;
    d->info.err = &d->error;
    d->info.client_data = d;
    if (setjmp(d->back)) return;
    jpeg_create_decompress(&d->info);
    d->source = (struct jpeg_source_mgr){.next_input_byte = bytes,
        .bytes_in_buffer = d->n_bytes,
        .init_source = source_nothing,
        .fill_input_buffer = no_more,
        .skip_input_data = skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_nothing};
    d->info.src = &d->source;
    d->progress.progress_monitor = count_scans;
    d->info.progress = &d->progress;
}

mopd_status mo_jpeg_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules)
{
    *out = (mo_image){0};
    decoder *d = mo_mem_calloc(1, sizeof *d);
    if (!d) return MOPD_E_NOMEM;
    d->n_bytes = n_bytes;
    d->rules = *rules;
    set_up(d, bytes);
    mopd_status st;
    if (!d->info.src)
        st = fail_decode(d);
    else if (!setjmp(d->back))
        st = read_all(d);
    else if (d->finishing && d->cut_short)
        st = MOPD_OK; /* only the end mark is missing: Pillow takes it */
    else
        st = fail_decode(d);
    jpeg_destroy_decompress(&d->info);
    if (st == MOPD_OK)
        *out = d->picture;
    else
        mo_image_free(&d->picture);
    mo_mem_free(d->cmyk);
    mo_mem_free(d);
    return st;
}
