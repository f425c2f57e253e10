/* SPDX-License-Identifier: MIT
 * fix_avx2.h - the filter of fix_avx2.c and fix_avxvnni.c.  Whoever includes it has defined add_products(sum, x, w) before.  Other
 * static functions are here, too. */
#ifndef MO_MATH_FIX_AVX2_H
#define MO_MATH_FIX_AVX2_H

#include <immintrin.h>
#include <stdbool.h>

#include "math/fix.h"

#define LANES 16

typedef __m256i whole;
typedef bool some; /* all of them */

#define some_of(n) ((n) >= LANES)
#define load(x) _mm256_loadu_si256((const __m256i *)(const void *)(x))
#define pixels(x, here) load(x)
#define low_of(a, b) _mm256_unpacklo_epi16(a, b)
#define high_of(a, b) _mm256_unpackhi_epi16(a, b)

static inline __m256i rounded(const mo_fix_taps *t, size_t number, __m256i sum)
{
    __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(t->scale + number));
    v = _mm256_add_ps(v, _mm256_loadu_ps(t->shift + number));
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(t->top), _mm256_max_ps(_mm256_setzero_ps(), v)));
}

static inline void finish(const mo_fix_taps *t, int16_t *y, size_t number, const whole sum[2], some here)
{
    (void)here;
    const __m256i low = rounded(t, number, sum[0]), high = rounded(t, number + MO_FIX_CHUNK / 2, sum[1]);
    _mm256_storeu_si256((__m256i *)(void *)y, _mm256_packs_epi32(low, high));
}

#include "math/fix_body.h"

static void filter(const mo_fix_taps *t)
{
    const size_t end = t->channels / LANES * LANES;
    any_filter(t, end);
    if (end < t->channels) mo_fix_filter(t, end);
}

#endif
