/* SPDX-License-Identifier: MIT
 * resample.h - Pillow's 8-bit two-pass resampling, to the bit.
 *
 * Each output pixel is a weighted sum over a window of the input, the weights in 22-bit fixed point;
 * first along rows, rounded to 8 bits, then along columns, rounded again (the other way round where
 * Pillow 13 does so). */
#ifndef MO_PIXEL_RESAMPLE_H
#define MO_PIXEL_RESAMPLE_H

#include "base/mem.h"

/* Pillow's numbers, as they stand in preprocessor_config.json. */
typedef enum mo_filter {
    MO_FILTER_NEAREST = 0,
    MO_FILTER_LANCZOS = 1,
    MO_FILTER_BILINEAR = 2,
    MO_FILTER_BICUBIC = 3,
    MO_FILTER_BOX = 4,
    MO_FILTER_HAMMING = 5
} mo_filter;

/* A rectangle of a 3-channel picture: width x height pixels, rows `stride` bytes apart. */
typedef struct mo_rect {
    const uint8_t *rgb;
    size_t width, height, stride;
} mo_rect;

/* The part [x, x + w) x [y, y + h) of the source resized to width x height; only that part is computed, so that the whole need not be
 * anything that memory could have. */
typedef struct mo_resize {
    uint64_t width, height, x, y;
    size_t w, h;
    mo_filter filter;
} mo_resize;

/* out, h x w x 3.  NOMEM. */
mopd_status mo_resample(uint8_t *out, const mo_rect *in, const mo_resize *to);

struct mo_resample_kern;

/* mo_resample by a given table of pixel/resample_kern.h. */
mopd_status mo_resample_with(
    const struct mo_resample_kern *kern, uint8_t *out, const mo_rect *in, const mo_resize *to);

#endif
