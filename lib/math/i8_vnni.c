/* SPDX-License-Identifier: MIT
 * i8_vnni.c - products of 8-bit integers on AVX-512 with VNNI: vpdpbusd adds four products to each of sixteen sums, at
 * the rate at which a fused multiply-add does one.
 *
 * A tile is up to 14 rows by 2 panels, 28 sums, two loads of W and 14 broadcasts of four inputs of A a step. */
#if defined(__x86_64__)
#include <string.h>

#include "base/bits.h"
#include "base/ints.h"
#include "math/forms.h"
#include "math/i8.h"
#include "math/i8_avx512.h"
#include "math/unroll.h"

/* The sums: as __m512i GCC 12 keeps a copy of each in memory. */
typedef int32_t ints __attribute__((vector_size(64)));

/* Four inputs of row i; of three rows a pointer, the others by what the address unit can add. */
static inline __attribute__((always_inline)) __m512i four_of(
    const uint8_t *const base[3], const size_t ld[2], const size_t i)
{
    const uint8_t *b = base[i / 5];
    const size_t at = i % 5;
    int32_t four;
    memcpy(&four, at == 3 ? b + ld[1] : b + at * ld[0], sizeof four);
    return _mm512_set1_epi32(four);
}

/* `ahead`: fetch what comes next beside, evenly; a constant, so that the loop has no branch. */
static inline __attribute__((always_inline)) void tile(
    const mo_i8_tile *t, const size_t rows, const size_t panels, const bool ahead)
{
    ints sum[14][2];
    UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) sum[i][j] = (ints)start_of(t, i, j);
    if (!t->c16) UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) __builtin_prefetch(t->c + i * t->ldc + j * 16, 1);
    const size_t ld[2] = {t->lda, 3 * t->lda};
    const uint8_t *a[3] = {t->a, t->a + 5 * t->lda, t->a + 10 * t->lda};
    const int8_t *w = t->w, *end = t->w + t->quads * MO_I8_QUAD, *next = t->next;
    const size_t panel = t->panel, every = t->next_every * MO_I8_QUAD;
    while (w < end) {
        const int8_t *stop = ahead && w + every < end ? w + every : end;
        if (ahead) {
            UNROLL
            for (size_t j = 0; j < panels; j++) _mm_prefetch(next + j * panel, _MM_HINT_T0);
            next += MO_I8_QUAD;
        }
        for (; w < stop; w += MO_I8_QUAD) {
            __m512i x[2];
            UNROLL
            for (size_t j = 0; j < panels; j++) x[j] = _mm512_loadu_si512(w + j * panel);
            UNROLL
            for (size_t i = 0; i < rows; i++) {
                const __m512i f = four_of(a, ld, i);
                UNROLL
                for (size_t j = 0; j < panels; j++)
                    sum[i][j] = (ints)_mm512_dpbusd_epi32((__m512i)sum[i][j], f, x[j]);
            }
            a[0] += 4;
            a[1] += 4;
            a[2] += 4;
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) write_back(t, i, j, (__m512i)sum[i][j]);
}

#define TILES(m)                                                                                             \
    MO_FORM(mo_i8_tile, tile_##m##_1, m, 1, false)                                                           \
    MO_FORM(mo_i8_tile, tile_##m##_2, m, 2, false)                                                           \
    MO_FORM(mo_i8_tile, tile_##m##_a, m, 2, true)
MO_FORMS_OF_14(mo_i8_tile, TILES)

/* Floats as whole numbers: those from 0 on keep their order, and NaN is the largest. */
static float largest(__m512i bits)
{
    const int32_t most = _mm512_reduce_max_epi32(bits);
    return mo_bits_float((uint32_t)most);
}

static mo_i8_scale scale_of(const float *x, size_t k)
{
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    __m512i above = _mm512_setzero_si512(), below = above;
    for (size_t i = 0; i < k; i += 16) {
        const __m512i v = _mm512_maskz_loadu_epi32(mo_lanes_first(k - i), x + i);
        above = _mm512_max_epi32(above, v);
        below = _mm512_max_epi32(below, _mm512_xor_si512(v, sign));
    }
    return mo_i8_scale_of(largest(below), largest(above));
}

static void quantize(const mo_i8_rows *rows, const float *x, size_t ldx, size_t n, size_t k)
{
    for (size_t r = 0; r < n; r++, x += ldx) {
        uint8_t *q = rows->q + r * rows->ld;
        const mo_i8_scale s = scale_of(x, k);
        const __mmask16 any = s.to > 0 ? 0xffffu : 0; /* not finite: 0 here, NaN by its scale */
        const __m512 to = _mm512_set1_ps(s.to);
        const __m512i zero = _mm512_set1_epi32(s.zero), nothing = _mm512_setzero_si512();
        for (size_t i = 0; i < mo_round_up(k, MO_I8_STEP); i += 16) {
            const __mmask16 there = i < k ? mo_lanes_first(k - i) & any : 0;
            const __m512i v = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(there, x + i), to));
            const __m512i whole = _mm512_max_epi32(nothing, _mm512_maskz_add_epi32(there, v, zero));
            _mm_storeu_si128((__m128i *)(void *)(q + i), _mm512_cvtusepi32_epi8(whole));
        }
        rows->scale[r] = s.back;
        rows->zero[r] = s.zero;
    }
}

static const mo_i8_kern kern = {
    .name = "vnni", .tile_rows = 14, .tile_panels = 2, .room = 57344, .tile = any_tile, .quantize = quantize};

const mo_i8_kern *mo_i8_vnni(void)
{
    return &kern;
}
#endif
