/* SPDX-License-Identifier: MIT
 * yuv.c - luma and colour differences to RGB by BT.601 and BT.709.
 *
 *     luma' = (Y - black) 255 / range             cb', cr' = (C - 128) 255 / range of colour
 *     red   = luma' + 2 (1 - Kr) cr'              blue = luma' + 2 (1 - Kb) cb'
 *     green = luma' - 2 Kb (1 - Kb) / Kg cb' - 2 Kr (1 - Kr) / Kg cr'          Kg = 1 - Kr - Kb
 *
 * Kr, Kb are 0.299, 0.114 (BT.601) or 0.2126, 0.0722 (BT.709); the ranges 219 from 16 on and 224, or both 255.  Coefficients
 * are rounded to 1 / 65536 and the sum to a whole number, halves up: never more than one from the formula's own.  What
 * lies beyond 0 and 255 is cut.  Colours are not smoothed between pixels, as cheap cameras and most programs do. */
#include "pixel/yuv.h"

/* [BT.709][full range] */
static const mo_yuv standards[2][2] = {
    {{16, 76309, 104597, 25675, 53279, 132201}, {0, 65536, 91881, 22553, 46802, 116130}},
    {{16, 76309, 117489, 13975, 34925, 138438}, {0, 65536, 103206, 12276, 30679, 121609}},
};

const mo_yuv *mo_yuv_get(bool bt709, bool full_range)
{
    return &standards[bt709][full_range];
}

static uint8_t whole(int32_t x)
{
    x += 1 << 15;
    return x < 0 ? 0 : x >= 256 << 16 ? 255 : (uint8_t)(x >> 16);
}

void mo_yuv_row(uint8_t *rgb, const mo_yuv_line *line, size_t x, size_t n, const mo_yuv *by)
{
    for (const size_t end = x + n; x < end; x++, rgb += 3) {
        const int32_t luma = by->luma * (line->luma[x * line->luma_step] - by->black);
        const int32_t cb = line->cb[x / 2 * line->step] - 128, cr = line->cr[x / 2 * line->step] - 128;
        rgb[0] = whole(luma + by->red_cr * cr);
        rgb[1] = whole(luma - by->green_cb * cb - by->green_cr * cr);
        rgb[2] = whole(luma + by->blue_cb * cb);
    }
}
