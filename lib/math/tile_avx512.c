/* SPDX-License-Identifier: MIT
 * tile_avx512.c - up to 14 rows by 2 panels: 28 sums in registers, two loads of W and 14 broadcasts of A a
 * step. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/tile.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

static inline __attribute__((always_inline)) void write_back(const mo_tile *t, size_t i, size_t j, __m512 sum)
{
    const size_t left = t->n - j * 16;
    const __mmask16 mask = (__mmask16)(left >= 16 ? 0xffffu : (1u << left) - 1);
    if (t->add) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, t->add + i * t->ldadd + j * 16));
    if (t->bias) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, t->bias + j * 16));
    if (t->relu6) sum = _mm512_min_ps(_mm512_set1_ps(6), _mm512_max_ps(_mm512_setzero_ps(), sum));
    _mm512_mask_storeu_ps(t->c + i * t->ldc + j * 16, mask, sum);
}

/* `ahead`: fetch what comes next beside, evenly; a constant, so that the loop has no branch. */
static inline __attribute__((always_inline)) void tile(
    const mo_tile *t, const size_t rows, const size_t panels, const bool ahead)
{
    __m512 sum[14][2];
    UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) sum[i][j] = _mm512_setzero_ps();
    UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) __builtin_prefetch(t->c + i * t->ldc + j * 16, 1);
    const float *a = t->a, *w = t->w, *end = t->w + t->k * 16, *next = t->next;
    const size_t panel = t->panel, every = t->next_every * 16;
    while (w < end) {
        const float *stop = ahead && w + every < end ? w + every : end;
        if (ahead) {
            UNROLL
            for (size_t j = 0; j < panels; j++) _mm_prefetch(next + j * panel, _MM_HINT_T0);
            next += 16;
        }
        for (; w < stop; w += 16, a++) {
            __m512 x[2];
            UNROLL
            for (size_t j = 0; j < panels; j++) x[j] = _mm512_loadu_ps(w + j * panel);
            UNROLL
            for (size_t i = 0; i < rows; i++) {
                const __m512 f = _mm512_set1_ps(a[i * MO_TILE_LDA]);
                UNROLL
                for (size_t j = 0; j < panels; j++) sum[i][j] = _mm512_fmadd_ps(f, x[j], sum[i][j]);
            }
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++) UNROLL
    for (size_t j = 0; j < panels; j++) write_back(t, i, j, sum[i][j]);
}

#define TILE_TYPE mo_tile
#include "math/tile_forms.h"

void mo_tile_avx512(const mo_tile *t)
{
    any_tile(t);
}
#endif
