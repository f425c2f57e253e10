/* SPDX-License-Identifier: MIT
 * frame.h - pictures from raw samples as programs have them: frames of cameras and films, windows, other libraries.
 *
 *     mopd_frame frame;
 *     mopd_frame_init(&frame, sizeof frame);
 *     frame.layout = MOPD_LAYOUT_NV12;
 *     frame.width = 1920, frame.height = 1080;
 *     frame.planes[0] = y, frame.planes[1] = uv;
 *     frame.row_bytes[0] = frame.row_bytes[1] = 2048;
 *     mopd_image_create_frame(&image, &frame);
 *
 * Nothing can notice a wrong layout: a picture whose blue is taken for red only has worse features. */
#ifndef MOPD_FRAME_H
#define MOPD_FRAME_H

#include "image.h"

MOPD_BEGIN_DECLS

/* Which sample stands where: mopd_frame.layout. */
#define MOPD_LAYOUT_GREY 1 /* one sample a pixel */
#define MOPD_LAYOUT_RGB 2  /* three in this order */
#define MOPD_LAYOUT_BGR 3  /* OpenCV */
#define MOPD_LAYOUT_RGBA 4 /* four: see MOPD_FRAME_NO_ALPHA */
#define MOPD_LAYOUT_BGRA 5 /* windows and screens of little-endian machines */
#define MOPD_LAYOUT_ARGB 6
#define MOPD_LAYOUT_NV12 7 /* planes: luma; Cb and Cr in turns, one pair for 2 x 2 pixels */
#define MOPD_LAYOUT_I420 8 /* planes: luma; Cb; Cr, one sample for 2 x 2 pixels */
#define MOPD_LAYOUT_YUYV 9 /* luma, Cb, luma, Cr: one pair of colours for two pixels of a row; YUY2 */

/* What a sample is: mopd_frame.samples. */
#define MOPD_SAMPLES_U8 0
#define MOPD_SAMPLES_U16 1 /* uint16_t of this machine's byte order; any address */
#define MOPD_SAMPLES_F32 2 /* float of this machine; any address */

/* mopd_frame.flags. */
#define MOPD_FRAME_SCALE_GREY16 UINT32_C(1) /* 16-bit grey over its whole range, instead of white above 255 */
#define MOPD_FRAME_NO_ALPHA UINT32_C(2)     /* the fourth sample means nothing: RGB0, BGR0, xRGB */
#define MOPD_FRAME_BORROW UINT32_C(4)       /* read in place where that can be: see mopd_image_create_frame */
#define MOPD_FRAME_BT709 UINT32_C(8)        /* luma and colour by BT.709 (films in HD) instead of BT.601 */
#define MOPD_FRAME_FULL_RANGE                                                                                \
    UINT32_C(16) /* luma and colour from 0 to 255 (JPEG, phones) instead of 16 to 235 and 240 */

typedef struct mopd_frame {
    uint32_t struct_size; /* set by mopd_frame_init */
    uint32_t flags;
    int32_t layout;       /* MOPD_LAYOUT_...; 0 is none */
    int32_t samples;      /* MOPD_SAMPLES_...; layouts with luma are of 8 bits alone */
    double white;         /* of floats: what is white; 0: 255, as in Pillow; 1 where samples go from 0 to 1 */
    size_t width, height; /* of the whole frame in pixels */
    /* The planes' first samples, those of the top row, and the bytes from each row to the one below it: 0 for packed rows,
     * below 0 where rows go upwards in memory, as in BMP and OpenGL: the plane then begins at its last row.  Chroma planes
     * have half as many samples and rows as the frame, rounded up. */
    const void *planes[3];
    ptrdiff_t row_bytes[3];
    /* What of the frame is the picture: columns [x, x + region_width), rows [y, y + region_height); both 0: to its
     * right and lower end. */
    size_t x, y, region_width, region_height;
} mopd_frame;

/* Fills in the defaults, as far as the caller's struct of struct_size bytes reaches: no layout, no planes, all else 0.
 * ARG: a size below that of the first release.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_frame_init(mopd_frame *frame, size_t struct_size);

/* A picture from a frame, or from a region of it.  Only the region is read.
 *
 * To 8 bits as this library's reader of PNG files and Pillow do it:
 *     16-bit colours     their high byte
 *     16-bit grey        white above 255; its high byte with MOPD_FRAME_SCALE_GREY16
 *     float              x * (255 / white) in single precision, cut at 0 and 255, its fraction dropped
 *     alpha              kept beside the colours, as that of a file: models that want a background get white, others see
 *                        the colours alone
 *     luma and colour    coefficients of the standard in 16-bit fixed point, rounded; each pair of colours serves the
 *                        pixels that it stands for, without smoothing; a region may begin at any pixel
 *
 * The samples are copied, so the caller's memory is free at once.  With MOPD_FRAME_BORROW they are read in place where the
 * tower can do that: for MOPD_LAYOUT_RGB of 8 bits whose rows go downwards.  The memory must then stay as it is until
 * mopd_image_close, from the region's first row to its last, what lies between rows included; the library only reads it.
 * Other layouts are copied all the same; the caller need not know which.
 *
 * ARG: no such layout or samples, a size of 0, a region that reaches beyond the frame, a plane that is NULL, rows that
 * are too short or reach beyond all memory, a float that is not a number; NOMEM.  Close with mopd_image_close.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_image_create_frame(mopd_image **out, const mopd_frame *frame);

MOPD_END_DECLS

#endif
