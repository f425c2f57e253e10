/* SPDX-License-Identifier: MIT
 * lanes.h - the first lanes of a register, where a row ends within one. */
#ifndef MO_MATH_LANES_H
#define MO_MATH_LANES_H

#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#if defined(__AVX512F__)
static inline __mmask16 mo_lanes_first(size_t n)
{
    return (__mmask16)(n >= 16 ? 0xffffu : (1u << n) - 1);
}
#endif

/* Floats i .. i+7 of k, zeros beyond. */
static inline __m256 mo_lanes_part(const float *x, size_t i, size_t k)
{
    if (i + 8 <= k) return _mm256_loadu_ps(x + i);
    float v[8] = {0};
    if (i < k) memcpy(v, x + i, (k - i) * sizeof *v);
    return _mm256_loadu_ps(v);
}

#endif
