/* SPDX-License-Identifier: MIT
 * depthwise_fix.h - depthwise convolutions over maps of whole numbers (math/fix.h), clamped to 0..6 before and behind. */
#ifndef MO_LAYER_DEPTHWISE_FIX_H
#define MO_LAYER_DEPTHWISE_FIX_H

#include <stdint.h>

#include "layer/depthwise.h"

typedef struct mo_depthwise_fix {
    int16_t *w; /* and behind it zeros for a pixel; NULL: there is none.  Owned, with the next two */
    float *scale, *shift;
    const int16_t *zeros;
    int32_t top; /* the whole number that 6 becomes behind the filter */
} mo_depthwise_fix;

/* May these filters be reduced?  Their sizes and steps have kernels, RELU6 follows, and no number is odd or beyond 10^6. */
bool mo_depthwise_fix_may(const mo_depthwise *dw);
/* From filters that may; top <= MO_FIX_ONE.  NOMEM. */
mopd_status mo_depthwise_fix_pack(mo_depthwise_fix *out, const mo_depthwise *dw, int32_t top);
void mo_depthwise_fix_free(mo_depthwise_fix *fix);

/* Output lines from .. to - 1 of one picture; x as in mo_depthwise_part. */
typedef struct mo_depthwise_fix_part {
    const mo_depthwise *dw; /* what fix was made of */
    const mo_depthwise_fix *fix;
    const int16_t *x;
    size_t height, width, ring, from, to;
} mo_depthwise_fix_part;

/* y [(to - from) x W' x C], on the calling thread. */
void mo_depthwise_fix_lines(int16_t *y, const mo_depthwise_fix_part *part);

#endif
