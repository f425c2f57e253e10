/* SPDX-License-Identifier: MIT
 * frame.c - the region of a frame to 8-bit RGB and alpha, row by row: samples to bytes, then bytes into their order.
 *
 * Samples become bytes as format/png.c has it; luma and colour go through pixel/yuv.c.  8-bit RGB whose rows go downwards is what
 * the tower's resampling reads, so it is not copied where the caller allows that. */
#include "pixel/frame.h"

#include <string.h>

#include "base/ints.h"
#include "pixel/yuv.h"

enum { NONE = 255 };

/* Samples a pixel and which of them is what; of luma and colour only the planes are told. */
static const struct layout {
    uint8_t n_planes, n_samples, rgb[3], alpha;
} layouts[] = {
    [MOPD_LAYOUT_GREY] = {1, 1, {0, 0, 0}, NONE},
    [MOPD_LAYOUT_RGB] = {1, 3, {0, 1, 2}, NONE},
    [MOPD_LAYOUT_BGR] = {1, 3, {2, 1, 0}, NONE},
    [MOPD_LAYOUT_RGBA] = {1, 4, {0, 1, 2}, 3},
    [MOPD_LAYOUT_BGRA] = {1, 4, {2, 1, 0}, 3},
    [MOPD_LAYOUT_ARGB] = {1, 4, {1, 2, 3}, 0},
    [MOPD_LAYOUT_NV12] = {2, 0, {0}, NONE},
    [MOPD_LAYOUT_I420] = {3, 0, {0}, NONE},
    [MOPD_LAYOUT_YUYV] = {1, 0, {0}, NONE},
};

static const uint8_t sample_bytes[] = {
    [MOPD_SAMPLES_U8] = 1, [MOPD_SAMPLES_U16] = 2, [MOPD_SAMPLES_F32] = sizeof(float)};

size_t mo_frame_planes(int32_t layout, int32_t samples)
{
    if (layout < MOPD_LAYOUT_GREY || layout > MOPD_LAYOUT_YUYV) return 0;
    if (samples < MOPD_SAMPLES_U8 || samples > MOPD_SAMPLES_F32) return 0;
    return layouts[layout].n_samples || samples == MOPD_SAMPLES_U8 ? layouts[layout].n_planes : 0;
}

bool mo_frame_plane(const mopd_frame *f, size_t i, size_t *row_bytes, size_t *n_rows)
{
    const struct layout *l = &layouts[f->layout];
    const size_t pairs = mo_ceil_div(f->width, 2);
    *n_rows = i ? mo_ceil_div(f->height, 2) : f->height;
    if (f->layout == MOPD_LAYOUT_YUYV) return mo_mul(pairs, 4, row_bytes);
    if (!l->n_samples)
        return mo_mul(i ? pairs : f->width, i && f->layout == MOPD_LAYOUT_NV12 ? 2 : 1, row_bytes);
    return mo_mul(f->width, (size_t)l->n_samples * sample_bytes[f->samples], row_bytes);
}

typedef struct job {
    const mopd_frame *frame;
    const struct layout *layout;
    mo_image *out;
    uint8_t *bytes; /* one row of samples as bytes; NULL: they are bytes */
} job;

static const uint8_t *row_of(const mopd_frame *f, size_t plane, size_t y)
{
    return (const uint8_t *)f->planes[plane] + (ptrdiff_t)y * f->row_bytes[plane];
}

/* -- samples to bytes ---------------------------------------------------------------------------------------- */

static void bytes_of_words(const job *j, const uint8_t *in, size_t n)
{
    const bool cuts = j->frame->layout == MOPD_LAYOUT_GREY && !(j->frame->flags & MOPD_FRAME_SCALE_GREY16);
    for (size_t i = 0; i < n; i++) {
        uint16_t x;
        memcpy(&x, in + i * sizeof x, sizeof x);
        j->out->cut |= cuts && x > 255;
        j->bytes[i] = (uint8_t)(!cuts ? x >> 8 : x > 255 ? 255 : x);
    }
}

/* The number of the first sample that is none, n: all are. */
static size_t bytes_of_floats(const job *j, const uint8_t *in, size_t n)
{
    const float scale = (float)(j->frame->white != 0 ? 255 / j->frame->white : 1);
    for (size_t i = 0; i < n; i++) {
        float x;
        memcpy(&x, in + i * sizeof x, sizeof x);
        if (x != x) return i;
        x *= scale;
        j->bytes[i] = x >= 255 ? 255 : x > 0 ? (uint8_t)x : 0;
    }
    return n;
}

/* Row y of the region as bytes. */
static mopd_status find_bytes(const job *j, size_t y, const uint8_t **bytes)
{
    const mopd_frame *f = j->frame;
    const size_t each = j->layout->n_samples, n = f->region_width * each;
    const uint8_t *in = row_of(f, 0, f->y + y) + f->x * each * sample_bytes[f->samples];
    *bytes = j->bytes ? j->bytes : in;
    if (f->samples == MOPD_SAMPLES_U16) bytes_of_words(j, in, n);
    if (f->samples != MOPD_SAMPLES_F32) return MOPD_OK;
    const size_t at = bytes_of_floats(j, in, n);
    if (at == n) return MOPD_OK;
    return mo_fail(MOPD_E_ARG, "a frame's sample %zu of row %zu, column %zu is not a number", at % each,
        f->y + y, f->x + at / each);
}

/* -- bytes into their order ---------------------------------------------------------------------------------- */

static mopd_status read_colours(const job *j, size_t y)
{
    const struct layout *l = j->layout;
    const size_t width = j->out->width;
    const uint8_t *in;
    uint8_t *rgb = j->out->rgb + y * width * 3, *alpha = j->out->alpha ? j->out->alpha + y * width : NULL;
    mopd_status st = find_bytes(j, y, &in);
    if (st != MOPD_OK) return st;
    if (j->frame->layout == MOPD_LAYOUT_RGB) {
        memcpy(rgb, in, width * 3);
        return MOPD_OK;
    }
    for (size_t x = 0; x < width; x++, in += l->n_samples) {
        for (int c = 0; c < 3; c++) rgb[3 * x + (size_t)c] = in[l->rgb[c]];
        if (alpha) alpha[x] = in[l->alpha];
    }
    return MOPD_OK;
}

static void read_luma(const job *j, size_t y)
{
    const mopd_frame *f = j->frame;
    const mo_yuv *by = mo_yuv_get(f->flags & MOPD_FRAME_BT709, f->flags & MOPD_FRAME_FULL_RANGE);
    const size_t row = f->y + y;
    mo_yuv_line line = {.luma = row_of(f, 0, row), .luma_step = 1, .step = 1};
    if (f->layout == MOPD_LAYOUT_YUYV) {
        line = (mo_yuv_line){line.luma, line.luma + 1, line.luma + 3, 2, 4};
    } else if (f->layout == MOPD_LAYOUT_NV12) {
        line.cb = row_of(f, 1, row / 2);
        line.cr = line.cb + 1;
        line.step = 2;
    } else {
        line.cb = row_of(f, 1, row / 2);
        line.cr = row_of(f, 2, row / 2);
    }
    mo_yuv_row(j->out->rgb + y * j->out->width * 3, &line, f->x, f->region_width, by);
}

static mopd_status read_rows(const job *j)
{
    mopd_status st = MOPD_OK;
    for (size_t y = 0; y < j->out->height && st == MOPD_OK; y++) {
        if (j->layout->n_samples)
            st = read_colours(j, y);
        else
            read_luma(j, y);
    }
    return st;
}

/* -- the frame ----------------------------------------------------------------------------------------------- */

static bool borrow(mo_image *out, const mopd_frame *f)
{
    if (!(f->flags & MOPD_FRAME_BORROW) || f->layout != MOPD_LAYOUT_RGB || f->samples != MOPD_SAMPLES_U8 ||
        f->row_bytes[0] < 0)
        return false;
    const union {
        const uint8_t *in;
        uint8_t *out;
    } first = {row_of(f, 0, f->y) + 3 * f->x};
    *out = (mo_image){.width = f->region_width,
        .height = f->region_height,
        .rgb = first.out,
        .row_bytes = (size_t)f->row_bytes[0],
        .borrowed = true};
    return true;
}

mopd_status mo_frame_read(mo_image *out, const mopd_frame *f)
{
    if (borrow(out, f)) return MOPD_OK;
    const struct layout *l = &layouts[f->layout];
    const bool alpha = l->alpha != NONE && !(f->flags & MOPD_FRAME_NO_ALPHA);
    mopd_status st = mo_image_create(out, f->region_width, f->region_height, alpha);
    if (st != MOPD_OK) return st;
    job j = {.frame = f, .layout = l, .out = out};
    if (f->samples != MOPD_SAMPLES_U8 && !(j.bytes = mo_mem_alloc(f->region_width, l->n_samples)))
        st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = read_rows(&j);
    mo_mem_free(j.bytes);
    if (st != MOPD_OK) mo_image_free(out);
    return st;
}
