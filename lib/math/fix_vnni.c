/* SPDX-License-Identifier: MIT
 * fix_vnni.c - filters over whole numbers on AVX-512 with VNNI: vpdpwssd adds two products to each of sixteen sums. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/fix.h"
#include "math/lanes.h"

#define LANES 32

/* As __m512i GCC 12 keeps a copy of each sum in memory. */
typedef int32_t whole __attribute__((vector_size(64)));
typedef __mmask32 some;

static inline some some_of(size_t n)
{
    return (__mmask32)(n >= 32 ? 0xffffffffu : (1u << n) - 1);
}

#define load(x) ((whole)_mm512_loadu_si512(x))
#define pixels(x, here) ((whole)_mm512_maskz_loadu_epi16(here, x))
#define low_of(a, b) ((whole)_mm512_unpacklo_epi16((__m512i)(a), (__m512i)(b)))
#define high_of(a, b) ((whole)_mm512_unpackhi_epi16((__m512i)(a), (__m512i)(b)))
#define add_products(sum, x, w) ((whole)_mm512_dpwssd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(w)))

static inline __m512i rounded(const mo_fix_taps *t, size_t number, whole sum)
{
    __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps((__m512i)sum), _mm512_loadu_ps(t->scale + number));
    v = _mm512_add_ps(v, _mm512_loadu_ps(t->shift + number));
    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(t->top), _mm512_max_ps(_mm512_setzero_ps(), v)));
}

static inline void finish(const mo_fix_taps *t, int16_t *y, size_t number, const whole sum[2], some here)
{
    const __m512i low = rounded(t, number, sum[0]), high = rounded(t, number + MO_FIX_CHUNK / 2, sum[1]);
    _mm512_mask_storeu_epi16(y, here, _mm512_packs_epi32(low, high));
}

#include "math/fix_body.h"

static void filter(const mo_fix_taps *t)
{
    any_filter(t, t->channels);
}

static void reduce(const mo_fix_rows *r)
{
    const __m512 to = _mm512_set1_ps(r->to);
    for (size_t i = 0; i < r->rows; i++)
        for (size_t j = 0; j < r->n; j += 16) {
            const __mmask16 mask = mo_lanes_first(r->n - j);
            const __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, r->x + i * r->ldx + j), to);
            const __m256i q = _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(v));
            _mm256_mask_storeu_epi16(r->q + i * r->ldq + j, mask, q);
        }
}

static const mo_fix_kern kern = {.name = "vnni", .reduce = reduce, .filter = filter};

const mo_fix_kern *mo_fix_vnni(void)
{
    return &kern;
}
#endif
