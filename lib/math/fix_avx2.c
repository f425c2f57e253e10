/* SPDX-License-Identifier: MIT
 * fix_avx2.c - filters over whole numbers on AVX2: vpmaddwd adds two products, an addition follows. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>

#include "math/fix.h"
#include "math/i16.h"

#define LANES 16

typedef __m256i whole;
typedef bool some; /* all of them */

#define some_of(n) ((n) >= LANES)
#define load(x) _mm256_loadu_si256((const __m256i *)(const void *)(x))
#define pixels(x, here) load(x)
#define low_of(a, b) _mm256_unpacklo_epi16(a, b)
#define high_of(a, b) _mm256_unpackhi_epi16(a, b)
#define add_products(sum, x, w) _mm256_add_epi32(sum, _mm256_madd_epi16(x, w))

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
