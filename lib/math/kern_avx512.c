/* SPDX-License-Identifier: MIT
 * kern_avx512.c - the inner loops on sixteen lanes (F, BW, VL, DQ). */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/kern.h"
#include "math/tile.h"

typedef __m512 vec;
#define VN 16
#define V_TAPS 2 /* registers of channels that a depthwise convolution holds for four positions */
#define v_load _mm512_loadu_ps
#define v_store _mm512_storeu_ps
#define v_set _mm512_set1_ps
#define v_fma _mm512_fmadd_ps
#define v_fnma _mm512_fnmadd_ps
#define v_add _mm512_add_ps
#define v_sub _mm512_sub_ps
#define v_mul _mm512_mul_ps
#define v_div _mm512_div_ps
#define v_min _mm512_min_ps
#define v_max _mm512_max_ps
#define v_abs _mm512_abs_ps
#define v_sum sum_of
#define v_top _mm512_reduce_max_ps
#define v_round round_of
#define v_pow2(n) _mm512_scalef_ps(_mm512_set1_ps(1.0f), n)
#define v_less(a, b, x, y) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x)
#define v_sign(x, s)                                                                                         \
    _mm512_or_ps(_mm512_abs_ps(x), _mm512_and_ps(s, _mm512_castsi512_ps(_mm512_set1_epi32((int)0x80000000u))))

/* Without optimising, gcc's intrinsic is a macro that makes its unsigned mask a signed one. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
static inline vec round_of(vec x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#pragma GCC diagnostic pop

static inline vec v_part(const float *x, size_t n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), x);
}

static inline void v_put(float *y, size_t n, vec v)
{
    _mm512_mask_storeu_ps(y, (__mmask16)((1u << n) - 1), v);
}

/* A fixed tree: compilers may differ in theirs. */
static inline float sum_of(vec v)
{
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

/* Pairs, then fours of neighbouring rows within quarters of registers; then quarters between registers. */
static inline void v_turn(vec r[16])
{
    vec t[16], u[16];
    for (size_t i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 16; i += 4)
        for (size_t j = 0; j < 2; j++) {
            const __m512d a = _mm512_castps_pd(t[i + j]), b = _mm512_castps_pd(t[i + j + 2]);
            u[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            u[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    for (size_t j = 0; j < 4; j++) {
        const vec even = _mm512_shuffle_f32x4(u[j], u[4 + j], 0x88),
                  odd = _mm512_shuffle_f32x4(u[j], u[4 + j], 0xdd);
        const vec even2 = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0x88),
                  odd2 = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0xdd);
        r[j] = _mm512_shuffle_f32x4(even, even2, 0x88);
        r[4 + j] = _mm512_shuffle_f32x4(odd, odd2, 0x88);
        r[8 + j] = _mm512_shuffle_f32x4(even, even2, 0xdd);
        r[12 + j] = _mm512_shuffle_f32x4(odd, odd2, 0xdd);
    }
}

#include "math/kern_body.h"

static const mo_kern kern = {.name = "avx512",
    KERN_BODY,
    .tile_rows = 9,
    .tile_name = "avx512 9x48",
    .tile_panels = 3,
    .group = 768,
    .depth = 3,
    .tile = mo_tile_avx512};

const mo_kern *mo_kern_avx512(void)
{
    return &kern;
}
#endif
