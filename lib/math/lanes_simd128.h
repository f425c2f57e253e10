/* SPDX-License-Identifier: MIT
 * lanes_simd128.h - the first lanes of a register, where a row ends within one, and whole numbers. */
#ifndef MO_MATH_LANES_SIMD128_H
#define MO_MATH_LANES_SIMD128_H

#include <stddef.h>
#include <string.h>
#include <wasm_simd128.h>

/* Floats i .. i+3 of k, zeros beyond. */
static inline v128_t mo_lanes_part(const float *x, size_t i, size_t k)
{
    float v[4] = {0};
    if (i + 4 <= k) return wasm_v128_load(x + i);
    if (i < k) memcpy(v, x + i, (k - i) * sizeof *v);
    return wasm_v128_load(v);
}

/* To nearest even, |x| below 2^22: 1.5 x 2^23 has no bits left for a fraction, and the number in its low ones. */
static inline v128_t mo_lanes_round(v128_t x)
{
    const v128_t big = wasm_f32x4_splat(12582912.0f);
    return wasm_i32x4_sub(wasm_f32x4_add(x, big), big);
}

#endif
