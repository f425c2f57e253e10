/* SPDX-License-Identifier: MIT
 * near.h - pairs of rows that point almost the same way. */
#ifndef MO_MATH_NEAR_H
#define MO_MATH_NEAR_H

#include "base/fail.h"
#include "mopd/image.h"

/* As mopd_pairs_find. */
mopd_status mo_near_find(
    const float *rows, const size_t shape[2], double least, mopd_pair *out, size_t *n_pairs);

#endif
