/* SPDX-License-Identifier: MIT
 * end_avx512.h - what follows the sums of a tile of whole numbers: as mo_tile_write, sixteen numbers at once. */
#ifndef MO_MATH_END_AVX512_H
#define MO_MATH_END_AVX512_H

#include <immintrin.h>

/* Row i, panel j of t, an mo_i16_tile or mo_i8_tile; s: sixteen products, of which `mask` are wanted. */
#define MO_END_AVX512(t, i, j, mask, s)                                                                      \
    do {                                                                                                     \
        __m512 v = s;                                                                                        \
        if ((t)->add)                                                                                        \
            v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, (t)->add + (i) * (t)->ldadd + (j)*16));         \
        if ((t)->bias) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, (t)->bias + (j)*16));                \
        if ((t)->top > 0)                                                                                    \
            v = _mm512_min_ps(_mm512_set1_ps((t)->top), _mm512_max_ps(_mm512_setzero_ps(), v));              \
        if (!(t)->c16) {                                                                                     \
            _mm512_mask_storeu_ps((t)->c + (i) * (t)->ldc + (j)*16, mask, v);                                \
        } else {                                                                                             \
            const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(v, _mm512_set1_ps((t)->to)));                 \
            _mm256_mask_storeu_epi16((t)->c16 + (i) * (t)->ldc + (j)*16, mask, _mm512_cvtepi32_epi16(q));    \
        }                                                                                                    \
    } while (0)

#endif
