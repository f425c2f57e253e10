/* SPDX-License-Identifier: MIT
 * calibrate.h - what the blocks of a model's vision transformer read while it sees some pictures, for the balance of channels
 * in 8 bits (layer/balance.h). */
#ifndef MO_MODEL_CALIBRATE_H
#define MO_MODEL_CALIBRATE_H

#include "layer/balance.h"
#include "model/encoder.h"

#define MO_CALIBRATE_MOST 64 /* pictures that are read */

typedef struct mo_calibrate {
    size_t layers, width;
    mo_balance_seen (*seen)[MO_BLOCK_PLACES]; /* of each layer */
    float *room;
} mo_calibrate;

/* Up to MO_CALIBRATE_MOST of n picture files, spread evenly over the list, through the tower in f32.  ARG: none;
 * UNSUPPORTED: an image tower of another kind, where there is nothing to balance; what is wrong with the first picture
 * that cannot be read; CANCELLED.  *out is zero then. */
mopd_status mo_calibrate_run(
    mo_calibrate *out, const mopd_encoder *encoder, const char *const *paths, size_t n);
void mo_calibrate_free(mo_calibrate *calibration);

#endif
