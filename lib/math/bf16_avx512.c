/* SPDX-License-Identifier: MIT
 * bf16_avx512.c - floats to bfloat16 in whole numbers, for rows on their way into oneDNN. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/onednn.h"

/* The upper half, one more where the lower is above its middle, or on it and the upper odd; NaN stays. */
static inline __m256i round16(__m512 x)
{
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    up = _mm512_mask_or_epi32(up, nan, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(up, 16));
}

void mo_bf16_round(uint16_t *to, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((__m256i *)(void *)(to + i), round16(_mm512_loadu_ps(x + i)));
    if (i == n) return;
    const __mmask16 mask = (__mmask16)((1u << (n - i)) - 1);
    _mm256_mask_storeu_epi16(to + i, mask, round16(_mm512_maskz_loadu_ps(mask, x + i)));
}
#endif
