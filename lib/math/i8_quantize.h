/* SPDX-License-Identifier: MIT
 * i8_quantize.h - the rows of a kernel; before it stand the kernel's own scale_of and quantize_row. */
#ifndef MO_MATH_I8_QUANTIZE_H
#define MO_MATH_I8_QUANTIZE_H

#include <string.h>

#include "base/ints.h"
#include "math/i8.h"

static void quantize(const mo_i8_rows *to, const float *x, size_t ldx, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++, x += ldx) {
        const mo_i8_scale s = scale_of(x, k);
        uint8_t *q = to->q + r * to->ld;
        if (s.to > 0)
            quantize_row(q, x, k, &s);
        else
            memset(q, 0, k); /* NaN by its scale, where it is no number */
        memset(q + k, 0, mo_round_up(k, MO_I8_STEP) - k);
        to->scale[r] = s.back;
        to->zero[r] = s.zero;
    }
}

#endif
