/* SPDX-License-Identifier: MIT
 * kern_avx2.c - the inner loops on eight lanes (AVX2, FMA). */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/kern.h"
#include "math/tile.h"

typedef __m256 vec;
#define VN 8
#define V_TAPS 2 /* registers of channels that a depthwise convolution holds for four positions */
#define v_load _mm256_loadu_ps
#define v_store _mm256_storeu_ps
#define v_set _mm256_set1_ps
#define v_fma _mm256_fmadd_ps
#define v_fnma _mm256_fnmadd_ps
#define v_add _mm256_add_ps
#define v_sub _mm256_sub_ps
#define v_mul _mm256_mul_ps
#define v_div _mm256_div_ps
#define v_min _mm256_min_ps
#define v_max _mm256_max_ps
#define v_abs(x) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x)
#define v_sum sum_of
#define v_top top_of
#define v_round(x) _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define v_pow2(n)                                                                                            \
    _mm256_castsi256_ps(                                                                                     \
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23))
#define v_less(a, b, x, y) _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ))
#define v_sign(x, s) _mm256_or_ps(v_abs(x), _mm256_and_ps(s, _mm256_set1_ps(-0.0f)))

static inline __m256i first_lanes(size_t n)
{
    static const int32_t mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(mask + 8 - n));
}

static inline vec v_part(const float *x, size_t n)
{
    return _mm256_maskload_ps(x, first_lanes(n));
}
static inline void v_put(float *y, size_t n, vec v)
{
    _mm256_maskstore_ps(y, first_lanes(n), v);
}

static inline float sum_of(vec v)
{
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

static inline float top_of(vec v)
{
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

/* Pairs, then fours of neighbouring rows within halves of registers; then halves between registers. */
static inline void v_turn(vec r[8])
{
    vec t[8], u[8];
    for (size_t i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4)
        for (size_t j = 0; j < 2; j++) {
            const __m256d a = _mm256_castps_pd(t[i + j]), b = _mm256_castps_pd(t[i + j + 2]);
            u[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
            u[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
        }
    for (size_t j = 0; j < 4; j++) {
        r[j] = _mm256_permute2f128_ps(u[j], u[4 + j], 0x20);
        r[4 + j] = _mm256_permute2f128_ps(u[j], u[4 + j], 0x31);
    }
}

#include "math/kern_body.h"

static const mo_kern kern = {.name = "avx2",
    KERN_BODY,
    .tile_rows = 6,
    .tile_name = "avx2 6x16",
    .tile_panels = 1,
    .group = 128,
    .depth = 1,
    .tile = mo_tile_avx2};

const mo_kern *mo_kern_avx2(void)
{
    return &kern;
}
#endif
