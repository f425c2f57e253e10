/* SPDX-License-Identifier: MIT
 * tile_avx2.c - up to 6 rows by one panel of 16: twelve sums in registers, two loads of W and six
 * broadcasts a step. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/tile.h"

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

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
    const __m256 zero = _mm256_setzero_ps(), six = _mm256_set1_ps(6);
    if (t->relu6) EACH sum[i][j] = _mm256_min_ps(six, _mm256_max_ps(zero, sum[i][j]));
    EACH _mm256_storeu_ps(c + i * ldc + j * 8, sum[i][j]);
}

static inline __attribute__((always_inline)) void write_part(const mo_tile *t, size_t i, __m256 x, __m256 y)
{
    float s[16];
    _mm256_storeu_ps(s, x);
    _mm256_storeu_ps(s + 8, y);
    for (size_t j = 0; j < t->n; j++) {
        float v = s[j];
        if (t->add) v += t->add[i * t->ldadd + j];
        if (t->bias) v += t->bias[j];
        if (t->relu6) v = v < 0 ? 0 : v > 6 ? 6 : v;
        t->c[i * t->ldc + j] = v;
    }
}

/* `ahead`: fetch what comes next beside, evenly; a constant, so that the loop has no branch. */
static inline __attribute__((always_inline)) void tile(const mo_tile *t, const size_t rows, const bool ahead)
{
    __m256 sum[6][2];
    UNROLL
    for (size_t i = 0; i < rows; i++) sum[i][0] = sum[i][1] = _mm256_setzero_ps();
    const size_t lda = t->lda;
    const float *a = t->a, *w = t->w, *end = t->w + t->k * 16, *next = t->next;
    const size_t every = t->next_every * 16;
    while (w < end) {
        const float *stop = ahead && w + every < end ? w + every : end;
        if (ahead) _mm_prefetch(next, _MM_HINT_T0), next += 16;
        for (; w < stop; w += 16, a++) {
            const __m256 x = _mm256_loadu_ps(w), y = _mm256_loadu_ps(w + 8);
            UNROLL
            for (size_t i = 0; i < rows; i++) {
                const __m256 f = _mm256_broadcast_ss(a + i * lda);
                sum[i][0] = _mm256_fmadd_ps(f, x, sum[i][0]);
                sum[i][1] = _mm256_fmadd_ps(f, y, sum[i][1]);
            }
        }
    }
    if (t->n == 16) {
        write_whole(t, rows, sum);
    } else {
        UNROLL
        for (size_t i = 0; i < rows; i++) write_part(t, i, sum[i][0], sum[i][1]);
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
TILE(1)
TILE(2)
TILE(3)
TILE(4) TILE(5) TILE(6)

#define ROW(m)                                                                                               \
    {                                                                                                        \
        tile_##m, tile_##m##_a                                                                               \
    }
    static void (*const tiles[6][2])(const mo_tile *t) = {ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6)};

void mo_tile_avx2(const mo_tile *t)
{
    tiles[t->m - 1][t->next != NULL](t);
}
#endif
