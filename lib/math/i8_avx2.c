/* SPDX-License-Identifier: MIT
 * i8_avx2.c - products of 8-bit integers on AVX2: up to 5 rows by one panel; vpmaddubsw multiplies and adds two by two in
 * 16 bits, which they fit (i8.h), vpmaddwd adds two such sums.  Two multiply-adds of float take as long as one step of four
 * inputs. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "base/bits.h"
#include "base/ints.h"
#include "math/forms.h"
#include "math/i8.h"
#include "math/lanes.h"
#include "math/tile.h"
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

/* mo_tile_write of all sixteen. */
static inline void finish_all(const mo_i8_tile *t, size_t i, const float s[16])
{
    for (size_t j = 0; j < 16; j += 8) {
        __m256 v = _mm256_loadu_ps(s + j);
        if (t->add) v = _mm256_add_ps(v, _mm256_loadu_ps(t->add + i * t->ldadd + j));
        if (t->bias) v = _mm256_add_ps(v, _mm256_loadu_ps(t->bias + j));
        if (t->top > 0) v = _mm256_min_ps(_mm256_set1_ps(t->top), _mm256_max_ps(_mm256_setzero_ps(), v));
        _mm256_storeu_ps(t->c + i * t->ldc + j, v);
    }
}

static inline __attribute__((always_inline)) void write_back(
    const mo_i8_tile *t, size_t i, const __m256i sum[2])
{
    float s[16];
    to_floats(t, i, 0, sum[0], s);
    to_floats(t, i, 8, sum[1], s + 8);
    if (t->n == 16)
        finish_all(t, i, s);
    else
        mo_tile_write(MO_TILE_END(t, i), s);
}

static inline __attribute__((always_inline)) void tile(const mo_i8_tile *t, const size_t rows)
{
    const __m256i ones = _mm256_set1_epi16(1);
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
            sum[i][0] = _mm256_add_epi32(sum[i][0], _mm256_madd_epi16(_mm256_maddubs_epi16(f, x), ones));
            sum[i][1] = _mm256_add_epi32(sum[i][1], _mm256_madd_epi16(_mm256_maddubs_epi16(f, y), ones));
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++) write_back(t, i, sum[i]);
}

MO_FORMS_OF_5(mo_i8_tile)

/* Floats as whole numbers: those from 0 on keep their order, and NaN is the largest. */
static float largest(__m256i bits)
{
    int32_t v[8], most = 0;
    _mm256_storeu_si256((__m256i *)(void *)v, bits);
    for (size_t i = 0; i < 8; i++) most = v[i] > most ? v[i] : most;
    return mo_bits_float((uint32_t)most);
}

static mo_i8_scale scale_of(const float *x, size_t k)
{
    const __m256i sign = _mm256_set1_epi32(INT32_MIN);
    __m256i above = _mm256_setzero_si256(), below = above;
    for (size_t i = 0; i < k; i += 8) {
        const __m256i v = _mm256_castps_si256(mo_lanes_part(x, i, k));
        above = _mm256_max_epi32(above, v);
        below = _mm256_max_epi32(below, _mm256_xor_si256(v, sign));
    }
    return mo_i8_scale_of(largest(below), largest(above));
}

static inline __m256i whole(const float *x, size_t i, size_t k, const mo_i8_scale *s)
{
    const __m256i v = _mm256_cvtps_epi32(_mm256_mul_ps(mo_lanes_part(x, i, k), _mm256_set1_ps(s->to)));
    return _mm256_add_epi32(v, _mm256_set1_epi32(s->zero));
}

static void quantize_row(uint8_t *q, const float *x, size_t k, const mo_i8_scale *s)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7); /* packs by halves of a register */
    for (size_t i = 0; i < k; i += 32) {
        const __m256i low = _mm256_packs_epi32(whole(x, i, k, s), whole(x, i + 8, k, s)),
                      high = _mm256_packs_epi32(whole(x, i + 16, k, s), whole(x, i + 24, k, s)),
                      all = _mm256_packus_epi16(low, high);
        _mm256_storeu_si256((__m256i *)(void *)(q + i), _mm256_permutevar8x32_epi32(all, order));
    }
    memset(q + k, 0, mo_round_up(k, MO_I8_STEP) - k);
}

static void quantize(const mo_i8_rows *to, const float *x, size_t ldx, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++, x += ldx) {
        const mo_i8_scale s = scale_of(x, k);
        uint8_t *q = to->q + r * to->ld;
        if (s.to > 0)
            quantize_row(q, x, k, &s);
        else
            memset(q, 0, mo_round_up(k, MO_I8_STEP)); /* NaN by its scale, where it is no number */
        to->scale[r] = s.back;
        to->zero[r] = s.zero;
    }
}

static const mo_i8_kern kern = {.name = "avx2",
    .tile_rows = ROWS,
    .tile_panels = 1,
    .room = 49152,
    .tile = any_tile,
    .quantize = quantize};

const mo_i8_kern *mo_i8_avx2(void)
{
    return &kern;
}
#endif
