/* SPDX-License-Identifier: MIT
 * i8_avx512.h - sixteen sums of a tile of 8-bit products become floats, for i8_vnni.c and i8_amx.c. */
#ifndef MO_MATH_I8_AVX512_H
#define MO_MATH_I8_AVX512_H

#include <immintrin.h>

#include "math/end_avx512.h"
#include "math/i8.h"
#include "math/lanes.h"

/* - zero times the sum of weights: where the sums of row i and panel j begin. */
static inline __attribute__((always_inline)) __m512i start_of(const mo_i8_tile *t, size_t i, size_t j)
{
    const __m512i sums = _mm512_loadu_si512(t->w_sum + j * 16);
    return _mm512_sub_epi32(
        _mm512_setzero_si512(), _mm512_mullo_epi32(_mm512_set1_epi32(t->a_zero[i]), sums));
}

static inline __attribute__((always_inline)) void write_back(
    const mo_i8_tile *t, size_t i, size_t j, __m512i sum)
{
    const __mmask16 mask = mo_lanes_first(t->n - j * 16);
    __m512 s = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(t->a_scale[i]));
    s = _mm512_mul_ps(s, _mm512_loadu_ps(t->w_scale + j * 16));
    MO_END_AVX512(t, i, j, mask, s);
}

#endif
