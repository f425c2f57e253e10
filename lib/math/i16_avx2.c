/* SPDX-License-Identifier: MIT
 * i16_avx2.c - products of 16-bit integers on AVX2: up to 5 rows by one panel; vpmaddwd multiplies two by
 * two, an addition follows.  No more products a cycle than in float, half the memory. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "math/i16.h"
#include "math/lanes.h"

static inline __attribute__((always_inline)) __m256i add_products(__m256i sum, __m256i f, __m256i w)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(f, w));
}

#include "math/i16_avx2.h"

static float length_of(const float *x, size_t k)
{
    __m256 low = _mm256_setzero_ps(), high = low;
    for (size_t i = 0; i < k; i += 16) {
        const __m256 v = mo_lanes_part(x, i, k), w = mo_lanes_part(x, i + 8, k);
        low = _mm256_add_ps(low, _mm256_mul_ps(v, v));
        high = _mm256_add_ps(high, _mm256_mul_ps(w, w));
    }
    const __m256 h = _mm256_add_ps(low, high);
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

/* A row of q has room for 16 more than MO_I16_K. */
static void quantize(int16_t *q, float *scale, const float *x, size_t ldx, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++, q += MO_I16_LDA, x += ldx) {
        const mo_i16_scale s = mo_i16_scale_of(length_of(x, k));
        const __m256 to = _mm256_set1_ps(s.to);
        for (size_t i = 0; i < k; i += 16) {
            const __m256i v = _mm256_cvtps_epi32(_mm256_mul_ps(mo_lanes_part(x, i, k), to)),
                          w = _mm256_cvtps_epi32(_mm256_mul_ps(mo_lanes_part(x, i + 8, k), to));
            const __m256i n = _mm256_permute4x64_epi64(_mm256_packs_epi32(v, w), 0xd8);
            _mm256_storeu_si256((__m256i *)(void *)(q + i), n);
        }
        if (!(s.to > 0)) memset(q, 0, (k + k % 2) * sizeof *q);
        scale[r] = s.back;
    }
}

static const mo_i16_kern kern = {
    .name = "avx2", .tile_rows = ROWS, .tile_panels = 1, .tile = any_tile, .quantize = quantize};

const mo_i16_kern *mo_i16_avx2(void)
{
    return &kern;
}
#endif
