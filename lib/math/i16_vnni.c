/* SPDX-License-Identifier: MIT
 * i16_vnni.c - products of 16-bit integers on AVX-512 with VNNI: vpdpwssd adds two products to each of sixteen
 * sums, at the rate at which a fused multiply-add does one.
 *
 * A tile is up to 14 rows by 2 panels, 28 sums, two loads of W and 14 broadcasts of two inputs of A a step. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "math/end_avx512.h"
#include "math/forms.h"
#include "math/i16.h"
#include "math/lanes.h"
#include "math/unroll.h"

/* The sums: as __m512i GCC 12 keeps a copy of each in memory. */
typedef int32_t ints __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) void write_back(
    const mo_i16_tile *t, size_t i, size_t j, __m512i sum)
{
    const __mmask16 mask = mo_lanes_first(t->n - j * 16);
    __m512 s = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(t->a_scale[i]));
    s = _mm512_mul_ps(s, _mm512_loadu_ps(t->w_scale + j * t->scales));
    MO_END_AVX512(t, i, j, mask, s);
}

/* `ahead`: fetch what comes next beside, evenly; a constant, so that the loop has no branch. */
static inline __attribute__((always_inline)) void tile(
    const mo_i16_tile *t, const size_t rows, const size_t panels, const bool ahead)
{
    ints sum[14][2];
    UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) sum[i][j] = (ints){0};
    if (!t->c16) UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) __builtin_prefetch(t->c + i * t->ldc + j * 16, 1);
    const int16_t *a = t->a, *w = t->w, *end = t->w + t->pairs * 32, *next = t->next;
    const size_t panel = t->panel, every = t->next_every * 32;
    while (w < end) {
        const int16_t *stop = ahead && w + every < end ? w + every : end;
        if (ahead) {
            UNROLL
            for (size_t j = 0; j < panels; j++) _mm_prefetch(next + j * panel, _MM_HINT_T0);
            next += 32;
        }
        for (; w < stop; w += 32, a += 2) {
            __m512i x[2];
            UNROLL
            for (size_t j = 0; j < panels; j++) x[j] = _mm512_loadu_si512(w + j * panel);
            UNROLL
            for (size_t i = 0; i < rows; i++) {
                int32_t two;
                memcpy(&two, a + i * MO_I16_LDA, sizeof two);
                const __m512i f = _mm512_set1_epi32(two);
                UNROLL
                for (size_t j = 0; j < panels; j++)
                    sum[i][j] = (ints)_mm512_dpwssd_epi32((__m512i)sum[i][j], f, x[j]);
            }
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) write_back(t, i, j, (__m512i)sum[i][j]);
}

#define TILES(m)                                                                                             \
    MO_FORM(mo_i16_tile, tile_##m##_1, m, 1, false)                                                          \
    MO_FORM(mo_i16_tile, tile_##m##_2, m, 2, false)                                                          \
    MO_FORM(mo_i16_tile, tile_##m##_a, m, 2, true)
MO_FORMS_OF_14(mo_i16_tile, TILES)

static float length_of(const float *x, size_t k)
{
    __m512 sum = _mm512_setzero_ps();
    for (size_t i = 0; i < k; i += 16) {
        const __m512 v = _mm512_maskz_loadu_ps(mo_lanes_first(k - i), x + i);
        sum = _mm512_add_ps(sum, _mm512_mul_ps(v, v));
    }
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

static void quantize(int16_t *q, float *scale, const float *x, size_t ldx, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++, q += MO_I16_LDA, x += ldx) {
        const mo_i16_scale s = mo_i16_scale_of(length_of(x, k));
        const __mmask16 any = s.to > 0 ? 0xffffu : 0; /* not finite: 0 here, NaN by its scale */
        const __m512 to = _mm512_set1_ps(s.to);
        for (size_t i = 0; i < k; i += 16) {
            const __m512 v = _mm512_maskz_loadu_ps(mo_lanes_first(k - i) & any, x + i);
            const __m512i n = _mm512_cvtps_epi32(_mm512_mul_ps(v, to));
            _mm512_mask_cvtepi32_storeu_epi16(q + i, mo_lanes_first(k + k % 2 - i), n);
        }
        scale[r] = s.back;
    }
}

static const mo_i16_kern kern = {
    .name = "vnni", .tile_rows = 14, .tile_panels = 2, .tile = any_tile, .quantize = quantize};

const mo_i16_kern *mo_i16_vnni(void)
{
    return &kern;
}
#endif
