/* SPDX-License-Identifier: MIT
 * tile_avx2.c - up to 6 rows by one panel of 16: twelve sums in registers, two loads of W and six
 * broadcasts a step. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/tile.h"
#include "math/unroll.h"

#define STEPS UNROLLED(16)

#define EACH UNROLL for (size_t i = 0; i < rows; i++) UNROLL for (size_t j = 0; j < 2; j++)

/* A whole panel, no question asked twice; write_part handles a part of one. */
static inline __attribute__((always_inline)) void write_whole(
    const mo_tile *t, const size_t rows, __m256 sum[6][2])
{
    const size_t ldc = t->ldc, ldadd = t->ldadd;
    const float *add = t->add, *bias = t->bias;
    float *c = t->c;
    if (add) EACH sum[i][j] = _mm256_add_ps(sum[i][j], _mm256_loadu_ps(add + i * ldadd + j * 8));
    if (bias) EACH sum[i][j] = _mm256_add_ps(sum[i][j], _mm256_loadu_ps(bias + j * 8));
    const __m256 zero = _mm256_setzero_ps(), top = _mm256_set1_ps(t->top);
    if (t->top > 0) EACH sum[i][j] = _mm256_min_ps(top, _mm256_max_ps(zero, sum[i][j]));
    EACH _mm256_storeu_ps(c + i * ldc + j * 8, sum[i][j]);
}

static __attribute__((noinline)) void write_part(const mo_tile *t, float sum[6][16])
{
    for (size_t i = 0; i < t->m; i++) mo_tile_write(MO_TILE_END(t, i), sum[i]);
}

/* Step o of the sums: x, y the panel's row, r the rows of A. */
static inline __attribute__((always_inline)) void step(
    const float *w, const float *const r[6], size_t o, const size_t rows, __m256 sum[6][2])
{
    const __m256 x = _mm256_loadu_ps(w), y = _mm256_loadu_ps(w + 8);
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        const __m256 f = _mm256_broadcast_ss(r[i] + o);
        sum[i][0] = _mm256_fmadd_ps(f, x, sum[i][0]);
        sum[i][1] = _mm256_fmadd_ps(f, y, sum[i][1]);
    }
}

/* `ahead`: fetch what comes next beside, evenly; a constant, so that the loop has no branch.  STEPS
 * steps stand in a row: all their addresses are row + o + constant, once the compiler no longer knows how rows
 * came about (it would keep a register for each difference, and put a sum on the stack for it). */
static inline __attribute__((always_inline)) void tile(const mo_tile *t, const size_t rows, const bool ahead)
{
    __m256 sum[6][2];
    const float *r[6], *w = t->w, *next = t->next;
    const size_t end = t->k, even = end - end % STEPS;
    const size_t every = t->next_every, lines = every >= 16 ? 1 : every >= 8 ? 2 : every >= 4 ? 4 : STEPS;
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        sum[i][0] = sum[i][1] = _mm256_setzero_ps();
        r[i] = t->a + i * t->lda;
        __asm__("" : "+r"(r[i]));
    }
    size_t o = 0;
    while (o < even) {
        if (ahead)
            for (size_t i = 0; i < lines; i++, next += 16) _mm_prefetch(next, _MM_HINT_T1);
        UNROLL
        for (size_t i = 0; i < STEPS; i++) step(w + i * 16, r, o + i, rows, sum);
        w += STEPS * 16, o += STEPS;
    }
    for (; o < end; o++, w += 16) step(w, r, o, rows, sum);
    if (t->n == 16) {
        write_whole(t, rows, sum);
    } else {
        float part[6][16];
        EACH _mm256_storeu_ps(part[i] + j * 8, sum[i][j]);
        write_part(t, part);
    }
}

#define TILE(m)                                                                                              \
    static void tile_##m(const mo_tile *t)                                                                   \
    {                                                                                                        \
        tile(t, m, false);                                                                                   \
    }                                                                                                        \
    static void tile_##m##_a(const mo_tile *t)                                                               \
    {                                                                                                        \
        tile(t, m, true);                                                                                    \
    }
#define FORMS(m) {tile_##m, tile_##m##_a},
#define ALL_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)

ALL_ROWS(TILE)
static void (*const tiles[6][2])(const mo_tile *t) = {ALL_ROWS(FORMS)};

void mo_tile_avx2(const mo_tile *t)
{
    tiles[t->m - 1][t->next != NULL](t);
}
#endif
