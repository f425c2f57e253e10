/* SPDX-License-Identifier: MIT
 * tile_avx2.c - up to 6 rows by one panel of 16: twelve sums in registers, two loads of W and six
 * broadcasts a step. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/tile.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* A whole panel; the caller handles a part of one. */
static inline __attribute__((always_inline)) void write_back(const mo_tile *t, size_t i, const __m256 sum[2])
{
    __m256 s[2] = {sum[0], sum[1]};
    for (size_t j = 0; j < 2; j++) {
        if (t->add) s[j] = _mm256_add_ps(s[j], _mm256_loadu_ps(t->add + i * t->ldadd + j * 8));
        if (t->bias) s[j] = _mm256_add_ps(s[j], _mm256_loadu_ps(t->bias + j * 8));
        if (t->relu6) s[j] = _mm256_min_ps(_mm256_set1_ps(6), _mm256_max_ps(_mm256_setzero_ps(), s[j]));
        _mm256_storeu_ps(t->c + i * t->ldc + j * 8, s[j]);
    }
}

static void write_part(const mo_tile *t, size_t i, const __m256 sum[2])
{
    float s[16];
    _mm256_storeu_ps(s, sum[0]);
    _mm256_storeu_ps(s + 8, sum[1]);
    for (size_t j = 0; j < t->n; j++) {
        float v = s[j];
        if (t->add) v += t->add[i * t->ldadd + j];
        if (t->bias) v += t->bias[j];
        if (t->relu6) v = v < 0 ? 0 : v > 6 ? 6 : v;
        t->c[i * t->ldc + j] = v;
    }
}

/* `ahead`: fetch the next panel beside; a constant, so that the loop has no branch. */
static inline __attribute__((always_inline)) void tile(const mo_tile *t, const size_t rows, const bool ahead)
{
    __m256 sum[6][2];
    UNROLL
    for (size_t i = 0; i < rows; i++) sum[i][0] = sum[i][1] = _mm256_setzero_ps();
    const float *a = t->a, *w = t->w, *end = t->w + t->k * 16;
    for (; w < end; w += 16, a++) {
        const __m256 x = _mm256_loadu_ps(w), y = _mm256_loadu_ps(w + 8);
        if (ahead) _mm_prefetch(t->next + (w - t->w), _MM_HINT_T0);
        UNROLL
        for (size_t i = 0; i < rows; i++) {
            const __m256 f = _mm256_broadcast_ss(a + i * MO_TILE_LDA);
            sum[i][0] = _mm256_fmadd_ps(f, x, sum[i][0]);
            sum[i][1] = _mm256_fmadd_ps(f, y, sum[i][1]);
        }
    }
    if (t->n == 16) {
        UNROLL
        for (size_t i = 0; i < rows; i++) write_back(t, i, sum[i]);
    } else {
        UNROLL
        for (size_t i = 0; i < rows; i++) write_part(t, i, sum[i]);
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
TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)

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
