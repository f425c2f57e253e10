/* SPDX-License-Identifier: MIT
 * i16_avx2.h - the tile of i16_avx2.c and i16_avxvnni.c: up to 5 rows by one panel.  Whoever includes it has defined add_products
 * before: to each of eight sums, the products of two numbers of f and two of w.  Other static functions are here, too. */
#ifndef MO_MATH_I16_AVX2_H
#define MO_MATH_I16_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "math/end_avx2.h"
#include "math/forms.h"
#include "math/i16.h"
#include "math/unroll.h"

#define ROWS 5

static inline __attribute__((always_inline)) void write_back(
    const mo_i16_tile *t, size_t i, const __m256i sum[2])
{
    const __m256 scale = _mm256_set1_ps(t->a_scale[i]);
    float s[16];
    for (size_t j = 0; j < 2; j++) {
        const __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum[j]), scale);
        _mm256_storeu_ps(s + 8 * j, _mm256_mul_ps(v, _mm256_loadu_ps(t->w_scale + 8 * j)));
    }
    mo_end_avx2_write(MO_TILE_END_WHOLE(t, i), s);
}

static inline __attribute__((always_inline)) void tile(const mo_i16_tile *t, const size_t rows)
{
    __m256i sum[ROWS][2];
    UNROLL
    for (size_t i = 0; i < rows; i++) sum[i][0] = sum[i][1] = _mm256_setzero_si256();
    const int16_t *a = t->a, *w = t->w, *end = t->w + t->pairs * 32, *next = t->next;
    size_t left = 1;
    for (; w < end; w += 32, a += 2) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)w),
                      y = _mm256_loadu_si256((const __m256i *)(const void *)(w + 16));
        if (next && !--left) {
            _mm_prefetch(next, _MM_HINT_T0);
            next += 32;
            left = t->next_every;
        }
        UNROLL
        for (size_t i = 0; i < rows; i++) {
            int32_t two;
            memcpy(&two, a + i * MO_I16_LDA, sizeof two);
            const __m256i f = _mm256_set1_epi32(two);
            sum[i][0] = add_products(sum[i][0], f, x);
            sum[i][1] = add_products(sum[i][1], f, y);
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++) write_back(t, i, sum[i]);
}

MO_FORMS_OF_5(mo_i16_tile)

#endif
