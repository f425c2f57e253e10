/* SPDX-License-Identifier: MIT
 * i8_avx2.c - products of 8-bit integers on AVX2: up to 5 rows by one panel; vpmaddubsw multiplies and adds two by two in
 * 16 bits, which they fit (i8.h), vpmaddwd adds two such sums.  Two multiply-adds of float take as long as one step of four
 * inputs. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "base/bits.h"
#include "math/i8.h"
#include "math/lanes.h"

static inline __attribute__((always_inline)) __m256i add_products(__m256i sum, __m256i f, __m256i w)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(f, w), _mm256_set1_epi16(1)));
}

#include "math/i8_avx2.h"

/* Floats as whole numbers: those from 0 on keep their order, and NaN is the largest. */
static float largest(__m256i bits)
{
    int32_t v[8], most = 0;
    _mm256_storeu_si256((__m256i *)(void *)v, bits);
    for (size_t i = 0; i < 8; i++) most = v[i] > most ? v[i] : most;
    return mo_bits_float((uint32_t)most);
}

static mo_i8_scale scale_of(const float *x, size_t k)
{
    const __m256i sign = _mm256_set1_epi32(INT32_MIN);
    __m256i above = _mm256_setzero_si256(), below = above;
    for (size_t i = 0; i < k; i += 8) {
        const __m256i v = _mm256_castps_si256(mo_lanes_part(x, i, k));
        above = _mm256_max_epi32(above, v);
        below = _mm256_max_epi32(below, _mm256_xor_si256(v, sign));
    }
    return mo_i8_scale_of(largest(below), largest(above));
}

static inline __m256i whole(const float *x, size_t i, size_t k, const mo_i8_scale *s)
{
    const __m256i v = _mm256_cvtps_epi32(_mm256_mul_ps(mo_lanes_part(x, i, k), _mm256_set1_ps(s->to)));
    return _mm256_add_epi32(v, _mm256_set1_epi32(s->zero));
}

static void quantize_row(uint8_t *q, const float *x, size_t k, const mo_i8_scale *s)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7); /* packs by halves of a register */
    for (size_t i = 0; i < k; i += 32) {
        const __m256i low = _mm256_packs_epi32(whole(x, i, k, s), whole(x, i + 8, k, s)),
                      high = _mm256_packs_epi32(whole(x, i + 16, k, s), whole(x, i + 24, k, s)),
                      all = _mm256_packus_epi16(low, high);
        _mm256_storeu_si256((__m256i *)(void *)(q + i), _mm256_permutevar8x32_epi32(all, order));
    }
}

#include "math/i8_quantize.h"

static const mo_i8_kern kern = {.name = "avx2",
    .tile_rows = ROWS,
    .tile_panels = 1,
    .room = 49152,
    .tile = any_tile,
    .quantize = quantize};

const mo_i8_kern *mo_i8_avx2(void)
{
    return &kern;
}
#endif
