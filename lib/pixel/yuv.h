/* SPDX-License-Identifier: MIT
 * yuv.h - rows of luma and colour differences to RGB. */
#ifndef MO_PIXEL_YUV_H
#define MO_PIXEL_YUV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Coefficients times 65536: red = luma + red_cr, green = luma - green_cb - green_cr, blue = luma + blue_cb. */
typedef struct mo_yuv {
    int32_t black, luma; /* black: the luma that is black */
    int32_t red_cr, green_cb, green_cr, blue_cb;
} mo_yuv;

/* One row of samples: luma `luma_step` bytes apart, the two differences `step` bytes apart, one of each for two pixels. */
typedef struct mo_yuv_line {
    const uint8_t *luma, *cb, *cr;
    size_t luma_step, step;
} mo_yuv_line;

const mo_yuv *mo_yuv_get(bool bt709, bool full_range);

/* rgb, n x 3: pixels [x, x + n) of the row. */
void mo_yuv_row(uint8_t *rgb, const mo_yuv_line *line, size_t x, size_t n, const mo_yuv *by);

#endif
