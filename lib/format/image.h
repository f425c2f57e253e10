/* SPDX-License-Identifier: MIT
 * image.h - a picture in memory: 8-bit RGB, and its transparency where the file has one. */
#ifndef MO_FORMAT_IMAGE_H
#define MO_FORMAT_IMAGE_H

#include "base/mem.h"

typedef struct mo_image {
    size_t width, height;
    uint8_t *rgb;        /* height x width x 3 */
    uint8_t *alpha;      /* height x width, NULL when the file has no transparency */
    size_t row_bytes;    /* from row to row of rgb; 0: packed, as all with alpha are */
    bool borrowed;       /* rgb is the caller's and only read */
    bool cut;            /* 16-bit grey above 255 became white */
    uint8_t orientation; /* as EXIF says it, 1 to 8; 0: it does not, or nobody asked */
} mo_image;

/* How a file is read; all zero: as Pillow does. */
typedef struct mo_image_rules {
    uint64_t max_pixels; /* 0: the limit of the process, which is where Pillow refuses a picture */
    bool scale16;        /* 16-bit grey by its high byte, as 16-bit colours are, instead of cut at 255 */
    bool upright;        /* turned as EXIF says */
} mo_image_rules;

/* Room for width x height pixels, checked; alpha only when asked for.  UNSUPPORTED beyond max_pixels, NOMEM where 16 bytes
 * for each pixel are more than addresses. */
mopd_status mo_image_create(mo_image *out, size_t width, size_t height, bool alpha);
uint64_t mo_image_most(uint64_t max_pixels); /* what a rule's number stands for */
mopd_status mo_image_check(uint64_t width, uint64_t height, uint64_t max_pixels);
/* Columns and rows from x and y on of another picture, which has them, as a picture of its own: *out has the size. */
mopd_status mo_image_crop(mo_image *out, const mo_image *from, size_t x, size_t y);

static inline size_t mo_image_row_bytes(const mo_image *picture)
{
    return picture->row_bytes ? picture->row_bytes : 3 * picture->width;
}

void mo_image_free(mo_image *picture);

#endif
