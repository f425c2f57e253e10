/* SPDX-License-Identifier: MIT
 * fix_avx2.c - filters over whole numbers on AVX2: vpmaddwd adds two products, an addition follows. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/fix.h"
#include "math/i16.h"

#define add_products(sum, x, w) _mm256_add_epi32(sum, _mm256_madd_epi16(x, w))

#include "math/fix_avx2.h"

static void reduce_row(int16_t *q, const float *x, float to, size_t n)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m256i v = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(to))),
                      w = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i + 8), _mm256_set1_ps(to)));
        _mm256_storeu_si256(
            (__m256i *)(void *)(q + i), _mm256_permute4x64_epi64(_mm256_packs_epi32(v, w), 0xd8));
    }
    for (; i < n; i++) q[i] = mo_i16_round(x[i] * to);
}

static void reduce(const mo_fix_rows *r)
{
    for (size_t i = 0; i < r->rows; i++) reduce_row(r->q + i * r->ldq, r->x + i * r->ldx, r->to, r->n);
}

static const mo_fix_kern kern = {.name = "avx2", .reduce = reduce, .filter = filter};

const mo_fix_kern *mo_fix_avx2(void)
{
    return &kern;
}
#endif
