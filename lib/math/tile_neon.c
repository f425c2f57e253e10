/* SPDX-License-Identifier: MIT
 * tile_neon.c - up to 6 rows by one panel of 16: 24 sums in registers, six of A and one of W beside them.  A register of A
 * holds four steps of a row. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "math/forms.h"
#include "math/tile.h"
#include "math/unroll.h"

#define EACH UNROLL for (size_t i = 0; i < rows; i++) UNROLL for (size_t j = 0; j < 4; j++)

static inline __attribute__((always_inline)) void write_whole(
    const mo_tile *t, const size_t rows, float32x4_t sum[6][4])
{
    if (t->add) EACH sum[i][j] = vaddq_f32(sum[i][j], vld1q_f32(t->add + i * t->ldadd + j * 4));
    if (t->bias) EACH sum[i][j] = vaddq_f32(sum[i][j], vld1q_f32(t->bias + j * 4));
    const float32x4_t zero = vdupq_n_f32(0), top = vdupq_n_f32(t->top);
    if (t->top > 0) EACH sum[i][j] = vminq_f32(top, vmaxq_f32(zero, sum[i][j]));
    EACH vst1q_f32(t->c + i * t->ldc + j * 4, sum[i][j]);
}

/* Step `lane` of the sums, by two registers of W at a time.  By hand: GCC 12 copies lanes to registers of their own, puts sums on
 * the stack for that and loads more of W than there is room for. */
#define STEP(lane)                                                                                           \
    UNROLL for (size_t j = 0; j < 4; j += 2)                                                                 \
    {                                                                                                        \
        float32x4_t x, y;                                                                                    \
        __asm__ volatile("ldp %q0, %q1, [%2], #32" : "=w"(x), "=w"(y), "+r"(w)::"memory");                   \
        UNROLL for (size_t i = 0; i < rows; i++) __asm__(                                                    \
            "fmla %0.4s, %1.4s, %2.s[" #lane "]" : "+w"(sum[i][j]) : "w"(x), "w"(a[i]));                     \
        UNROLL for (size_t i = 0; i < rows; i++) __asm__(                                                    \
            "fmla %0.4s, %1.4s, %2.s[" #lane "]" : "+w"(sum[i][j + 1]) : "w"(y), "w"(a[i]));                 \
    }

static inline __attribute__((always_inline)) void tile(const mo_tile *t, const size_t rows)
{
    float32x4_t sum[6][4], a[6];
    const float *w = t->w, *r[6];
    const size_t k = t->k;
    EACH sum[i][j] = vdupq_n_f32(0);
    UNROLL for (size_t i = 0; i < rows; i++)
    {
        r[i] = t->a + i * t->lda;
        __asm__("" : "+r"(r[i])); /* a pointer each, no sums of them */
    }
    size_t o = 0;
    for (; o + 4 <= k; o += 4) {
        UNROLL for (size_t i = 0; i < rows; i++) a[i] = vld1q_f32(r[i] + o);
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
    }
    for (; o < k; o++) {
        UNROLL for (size_t i = 0; i < rows; i++) a[i] = vld1q_dup_f32(r[i] + o);
        STEP(0)
    }
    if (t->n == 16) {
        write_whole(t, rows, sum);
    } else {
        float part[6][16];
        EACH vst1q_f32(part[i] + j * 4, sum[i][j]);
        for (size_t i = 0; i < rows; i++) mo_tile_write(MO_TILE_END(t, i), part[i]);
    }
}

static void any_tile(const mo_tile *t);

void mo_tile_neon(const mo_tile *t)
{
    any_tile(t);
}

MO_FORMS_OF_6(mo_tile)
#endif
