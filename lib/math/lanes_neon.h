/* SPDX-License-Identifier: MIT
 * lanes_neon.h - the first lanes of a register, where a row ends within one. */
#ifndef MO_MATH_LANES_NEON_H
#define MO_MATH_LANES_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <string.h>

/* Floats i .. i+3 of k, zeros beyond. */
static inline float32x4_t mo_lanes_part(const float *x, size_t i, size_t k)
{
    float v[4] = {0};
    if (i + 4 <= k) return vld1q_f32(x + i);
    if (i < k) memcpy(v, x + i, (k - i) * sizeof *v);
    return vld1q_f32(v);
}

#endif
