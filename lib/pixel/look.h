/* SPDX-License-Identifier: MIT
 * look.h - how a picture looks: sharp or blurred, like another one. */
#ifndef MO_PIXEL_LOOK_H
#define MO_PIXEL_LOOK_H

#include "base/fail.h"

#define MO_LOOK_SIDE 24 /* of a signature */

/* 8-bit RGB. */
typedef struct mo_look {
    const uint8_t *rgb; /* height x width x 3 */
    size_t height, width;
    size_t row_bytes; /* 0: packed */
} mo_look;

/* As the public functions of the same end.  NOMEM. */
mopd_status mo_look_sharpness(double *sharpness, const mo_look *picture);
void mo_look_signature(float *signature, const mo_look *picture);

#endif
