/* SPDX-License-Identifier: MIT
 * resample_avx2.c - the inner loops with 16-bit multiply-add.
 *
 * A weight is high 2^14 + low, so sum w p = 2^14 sum high p + sum low p; both sums take two taps an
 * instruction, all of it modulo 2^32, where the plain loop's result fits: the same bits. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "base/x86.h"
#include "pixel/resample_kern.h"

static __m128i load16(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Two 16-bit weights in every 32-bit lane. */
static __m256i pair(const int16_t *w)
{
    int32_t both;
    memcpy(&both, w, 4);
    return _mm256_set1_epi32(both);
}

/* Four weights: the first two in every lane of the lower half, the others in the upper. */
static __m256i four(const int16_t *w)
{
    const __m256i lanes = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    __m256i all = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(const void *)w));
    return _mm256_permutevar8x32_epi32(all, lanes);
}

static __m256i finish(__m256i high, __m256i low)
{
    __m256i half = _mm256_set1_epi32(1 << (MO_TAP_BITS - 1));
    __m256i sum = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high, MO_TAP_SPLIT), low), half);
    return _mm256_srai_epi32(sum, MO_TAP_BITS);
}

/* Pixels 0 1 | 2 3 of 12 bytes as 16-bit pairs: r0 r1 g0 g1 b0 b1 0 0 | r2 r3 ... */
static __m256i pixels(const uint8_t *p)
{
    const __m256i order = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9,
        -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load16(p)), order);
}

static void row(uint8_t *out, const uint8_t *in, const mo_resample_taps *taps)
{
    for (size_t i = 0; i < taps->n; i++) {
        const uint8_t *p = in + 3 * (size_t)taps->first[i];
        const int16_t *lo = taps->low + i * taps->stride, *hi = taps->high + i * taps->stride;
        __m256i low = _mm256_setzero_si256(), high = low;
        for (size_t t = 0; t < taps->n_taps[i]; t += 4) {
            __m256i x = pixels(p + 3 * t);
            low = _mm256_add_epi32(low, _mm256_madd_epi16(x, four(lo + t)));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(x, four(hi + t)));
        }
        __m128i l = _mm_add_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
        __m128i h = _mm_add_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
        __m128i v = _mm256_castsi256_si128(finish(_mm256_castsi128_si256(h), _mm256_castsi128_si256(l)));
        v = _mm_packus_epi16(_mm_packs_epi32(v, v), v);
        uint32_t rgb = (uint32_t)_mm_cvtsi128_si32(v);
        out[3 * i] = (uint8_t)rgb;
        out[3 * i + 1] = (uint8_t)(rgb >> 8);
        out[3 * i + 2] = (uint8_t)(rgb >> 16);
    }
}

typedef struct sums {
    __m256i low[2], high[2];
} sums;

/* Adds two rows' 16 bytes times their two weights. */
static inline void add_rows(sums *s, __m128i a, __m128i b, __m256i lo, __m256i hi)
{
    __m256i x = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)),
            y = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
    s->low[0] = _mm256_add_epi32(s->low[0], _mm256_madd_epi16(x, lo));
    s->high[0] = _mm256_add_epi32(s->high[0], _mm256_madd_epi16(x, hi));
    s->low[1] = _mm256_add_epi32(s->low[1], _mm256_madd_epi16(y, lo));
    s->high[1] = _mm256_add_epi32(s->high[1], _mm256_madd_epi16(y, hi));
}

/* 16 columns at p. */
static __m128i column16(const uint8_t *p, size_t stride, size_t n_taps, const int16_t *lo, const int16_t *hi)
{
    sums s = {
        {_mm256_setzero_si256(), _mm256_setzero_si256()}, {_mm256_setzero_si256(), _mm256_setzero_si256()}};
    size_t t = 0;
    for (; t + 2 <= n_taps; t += 2, p += 2 * stride)
        add_rows(&s, load16(p), load16(p + stride), pair(lo + t), pair(hi + t));
    if (t < n_taps) add_rows(&s, load16(p), _mm_setzero_si128(), pair(lo + t), pair(hi + t));
    __m256i v = _mm256_packs_epi32(finish(s.high[0], s.low[0]), finish(s.high[1], s.low[1]));
    v = _mm256_permute4x64_epi64(v, 0xd8);
    return _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

static void column(
    uint8_t *out, const uint8_t *in, size_t stride, size_t n, const mo_resample_taps *taps, size_t i)
{
    const uint8_t *top = in + stride * taps->first[i];
    const int16_t *lo = taps->low + i * taps->stride, *hi = taps->high + i * taps->stride;
    if (n < 16) {
        mo_resample_plain()->column(out, in, stride, n, taps, i);
        return;
    }
    for (size_t x = 0; x < n; x += 16) {
        if (x + 16 > n) x = n - 16; /* the last 16 once more */
        __m128i v = column16(top + x, stride, taps->n_taps[i], lo, hi);
        _mm_storeu_si128((__m128i *)(void *)(out + x), v);
    }
}

static const mo_resample_kern avx2 = {"avx2", row, column};

const mo_resample_kern *mo_resample_wide(void)
{
    return mo_x86_has(MO_X86_AVX2) ? &avx2 : NULL;
}
#endif
