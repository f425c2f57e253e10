/* SPDX-License-Identifier: MIT
 * frame.h - raw samples of any layout as a picture. */
#ifndef MO_PIXEL_FRAME_H
#define MO_PIXEL_FRAME_H

#include "format/image.h"
#include "mopd/frame.h"

/* How many planes a layout has; 0: there is no such layout of these samples. */
size_t mo_frame_planes(int32_t layout, int32_t samples);

/* The bytes of a packed row of plane i, and its rows; false where no size_t holds them. */
bool mo_frame_plane(const mopd_frame *frame, size_t i, size_t *row_bytes, size_t *n_rows);

/* The region of a frame whose layout, sizes and planes are sound and whose region and rows are all set.  *out borrows the
 * frame's samples where it may and can.  NOMEM; ARG: a sample that is not a number. */
mopd_status mo_frame_read(mo_image *out, const mopd_frame *frame);

#endif
