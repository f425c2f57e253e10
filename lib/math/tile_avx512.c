/* SPDX-License-Identifier: MIT
 * tile_avx512.c - up to 9 rows by 3 panels: 27 sums in registers, three loads of W and 9 broadcasts of
 * A a step.
 *
 * Rows of A are read where they lie, and stay in the first cache while panels come through it; each step asks
 * for what will be read of the panels AHEAD steps later, for they do not fit. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/tile.h"
#include "math/unroll.h"

#define ROWS 9
#define PANELS 3
#define AHEAD 16

#define EACH UNROLL for (size_t i = 0; i < rows; i++) UNROLL for (size_t j = 0; j < panels; j++)

static inline __attribute__((always_inline)) void write_back(const mo_tile *t, size_t i, size_t j, __m512 sum)
{
    const size_t left = t->n - j * 16;
    const __mmask16 mask = (__mmask16)(left >= 16 ? 0xffffu : (1u << left) - 1);
    if (t->add) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, t->add + i * t->ldadd + j * 16));
    if (t->bias) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, t->bias + j * 16));
    if (t->top > 0) sum = _mm512_min_ps(_mm512_set1_ps(t->top), _mm512_max_ps(_mm512_setzero_ps(), sum));
    _mm512_mask_storeu_ps(t->c + i * t->ldc + j * 16, mask, sum);
}

/* The same when all columns are there: no masks, no question asked twice. */
static inline __attribute__((always_inline)) void write_whole(
    const mo_tile *t, const size_t rows, const size_t panels, __m512 sum[ROWS][PANELS])
{
    const size_t ldc = t->ldc, ldadd = t->ldadd;
    const float *add = t->add, *bias = t->bias;
    float *c = t->c;
    if (add) EACH sum[i][j] = _mm512_add_ps(sum[i][j], _mm512_loadu_ps(add + i * ldadd + j * 16));
    if (bias) EACH sum[i][j] = _mm512_add_ps(sum[i][j], _mm512_loadu_ps(bias + j * 16));
    const __m512 zero = _mm512_setzero_ps(), top = _mm512_set1_ps(t->top);
    if (t->top > 0) EACH sum[i][j] = _mm512_min_ps(top, _mm512_max_ps(zero, sum[i][j]));
    EACH _mm512_storeu_ps(c + i * ldc + j * 16, sum[i][j]);
}

/* `ahead`: fetch what comes next beside, evenly; a constant, so that the loop has no branch. */
static inline __attribute__((always_inline)) void tile(
    const mo_tile *t, const size_t rows, const size_t panels, const bool ahead)
{
    __m512 sum[ROWS][PANELS];
    EACH sum[i][j] = _mm512_setzero_ps();
    const float *a = t->a, *w = t->w, *end = t->w + t->k * 16, *next = t->next;
    const size_t lda = t->lda, panel = t->panel, every = t->next_every * 16;
    while (w < end) {
        const float *stop = ahead && w + every < end ? w + every : end;
        if (ahead) {
            UNROLL
            for (size_t j = 0; j < panels; j++) _mm_prefetch(next + j * panel, _MM_HINT_T1);
            next += 16;
        }
        for (; w < stop; w += 16, a++) {
            __m512 x[PANELS];
            UNROLL
            for (size_t j = 0; j < panels; j++) {
                x[j] = _mm512_loadu_ps(w + j * panel);
                _mm_prefetch(w + j * panel + AHEAD * 16, _MM_HINT_T0);
            }
            UNROLL
            for (size_t i = 0; i < rows; i++) {
                const __m512 f = _mm512_set1_ps(a[i * lda]);
                UNROLL
                for (size_t j = 0; j < panels; j++) sum[i][j] = _mm512_fmadd_ps(f, x[j], sum[i][j]);
            }
        }
    }
    if (t->n == panels * 16)
        write_whole(t, rows, panels, sum);
    else
        EACH write_back(t, i, j, sum[i][j]);
}

#define TILE(m, p)                                                                                           \
    static void tile_##m##_##p(const mo_tile *t)                                                             \
    {                                                                                                        \
        tile(t, m, p, false);                                                                                \
    }                                                                                                        \
    static void tile_##m##_##p##_a(const mo_tile *t)                                                         \
    {                                                                                                        \
        tile(t, m, p, true);                                                                                 \
    }
#define TILES(m) TILE(m, 1) TILE(m, 2) TILE(m, 3)
#define FORMS(m)                                                                                             \
    {{tile_##m##_1, tile_##m##_1_a}, {tile_##m##_2, tile_##m##_2_a}, {tile_##m##_3, tile_##m##_3_a}},
#define ALL_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)

ALL_ROWS(TILES)
static void (*const tiles[ROWS][PANELS][2])(const mo_tile *t) = {ALL_ROWS(FORMS)};

void mo_tile_avx512(const mo_tile *t)
{
    tiles[t->m - 1][(t->n - 1) / 16][t->next != NULL](t);
}
#endif
