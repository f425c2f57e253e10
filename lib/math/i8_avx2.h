/* SPDX-License-Identifier: MIT
 * i8_avx2.h - the tile of i8_avx2.c and i8_avxvnni.c: up to 5 rows by one panel.  Whoever includes it has defined add_products
 * before: to each of eight sums, the products of four bytes of f, no sign, and four of w.  Other static functions are here, too. */
#ifndef MO_MATH_I8_AVX2_H
#define MO_MATH_I8_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "math/end_avx2.h"
#include "math/forms.h"
#include "math/i8.h"
#include "math/unroll.h"

#define ROWS 5

static inline __attribute__((always_inline)) __m256i load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* Eight outputs of row i, from output j on. */
static inline __attribute__((always_inline)) void to_floats(
    const mo_i8_tile *t, size_t i, size_t j, __m256i sum, float *out)
{
    const __m256i less = _mm256_mullo_epi32(_mm256_set1_epi32(t->a_zero[i]), load(t->w_sum + j));
    const __m256 s = _mm256_cvtepi32_ps(_mm256_sub_epi32(sum, less));
    const __m256 v = _mm256_mul_ps(s, _mm256_set1_ps(t->a_scale[i]));
    _mm256_storeu_ps(out, _mm256_mul_ps(v, _mm256_loadu_ps(t->w_scale + j)));
}

static inline __attribute__((always_inline)) void write_back(
    const mo_i8_tile *t, size_t i, const __m256i sum[2])
{
    float s[16];
    to_floats(t, i, 0, sum[0], s);
    to_floats(t, i, 8, sum[1], s + 8);
    mo_end_avx2_write(MO_TILE_END_WHOLE(t, i), s);
}

static inline __attribute__((always_inline)) void tile(const mo_i8_tile *t, const size_t rows)
{
    __m256i sum[ROWS][2];
    UNROLL
    for (size_t i = 0; i < rows; i++) sum[i][0] = sum[i][1] = _mm256_setzero_si256();
    const size_t ld = t->lda, ld3 = 3 * t->lda;
    const uint8_t *a = t->a;
    const int8_t *w = t->w, *end = t->w + t->quads * MO_I8_QUAD, *next = t->next;
    size_t left = 1;
    for (; w < end; w += MO_I8_QUAD, a += 4) {
        const __m256i x = load(w), y = load(w + 32);
        if (next && !--left) {
            _mm_prefetch(next, _MM_HINT_T0);
            next += MO_I8_QUAD;
            left = t->next_every;
        }
        UNROLL
        for (size_t i = 0; i < rows; i++) {
            int32_t four;
            memcpy(&four, i == 3 ? a + ld3 : a + i * ld, sizeof four);
            const __m256i f = _mm256_set1_epi32(four);
            sum[i][0] = add_products(sum[i][0], f, x);
            sum[i][1] = add_products(sum[i][1], f, y);
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++) write_back(t, i, sum[i]);
}

MO_FORMS_OF_5(mo_i8_tile)

#endif
