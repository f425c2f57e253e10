/* SPDX-License-Identifier: MIT
 * i16_avxvnni.c - products of 16-bit integers on AVX2 with AVX-VNNI: vpdpwssd of eight sums does what i16_avx2.c takes two
 * instructions for. */
#if defined(MOPD_AVXVNNI)
#include <immintrin.h>

#include "math/i16.h"
#include "math/i8.h"

static inline __attribute__((always_inline)) __m256i add_products(__m256i sum, __m256i f, __m256i w)
{
    return _mm256_dpwssd_avx_epi32(sum, f, w);
}

#include "math/i16_avx2.h"

static void quantize(int16_t *q, float *scale, const float *x, size_t ldx, size_t rows, size_t k)
{
    mo_i16_avx2()->quantize(q, scale, x, ldx, rows, k);
}

static const mo_i16_kern kern = {
    .name = "avxvnni", .tile_rows = ROWS, .tile_panels = 1, .tile = any_tile, .quantize = quantize};

const mo_i16_kern *mo_i16_avxvnni(void)
{
    return mo_i8_avxvnni() ? &kern : NULL;
}
#endif
