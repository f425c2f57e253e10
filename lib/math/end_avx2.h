/* SPDX-License-Identifier: MIT
 * end_avx2.h - mo_tile_write for the kernels of whole numbers on AVX2. */
#ifndef MO_MATH_END_AVX2_H
#define MO_MATH_END_AVX2_H

#include <immintrin.h>

#include "math/tile.h"

static inline __attribute__((always_inline)) __m256 mo_end_avx2_eight(
    const mo_tile_end *e, size_t j, const float *s)
{
    __m256 v = _mm256_loadu_ps(s + j);
    if (e->add) v = _mm256_add_ps(v, _mm256_loadu_ps(e->add + j));
    if (e->bias) v = _mm256_add_ps(v, _mm256_loadu_ps(e->bias + j));
    if (e->top > 0) v = _mm256_min_ps(_mm256_set1_ps(e->top), _mm256_max_ps(_mm256_setzero_ps(), v));
    return v;
}

static inline __attribute__((always_inline)) __m256i mo_end_avx2_whole(__m256 x, float to)
{
    return _mm256_cvtps_epi32(_mm256_mul_ps(x, _mm256_set1_ps(to)));
}

static inline __attribute__((always_inline)) void mo_end_avx2_write(const mo_tile_end *e, const float s[16])
{
    if (e->n < 16) {
        mo_tile_write(e, s);
        return;
    }
    const __m256 low = mo_end_avx2_eight(e, 0, s), high = mo_end_avx2_eight(e, 8, s);
    if (!e->c16) {
        _mm256_storeu_ps(e->c, low);
        _mm256_storeu_ps(e->c + 8, high);
        return;
    }
    const __m256i q = _mm256_packs_epi32(mo_end_avx2_whole(low, e->to), mo_end_avx2_whole(high, e->to));
    _mm256_storeu_si256((__m256i *)(void *)e->c16, _mm256_permute4x64_epi64(q, 0xd8));
}

#endif
