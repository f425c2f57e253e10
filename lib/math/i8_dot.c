/* SPDX-License-Identifier: MIT
 * i8_dot.c - products of 8-bit integers on ARM's dot product (sdot, ARMv8.2 and most processors since): up to 6 rows by one
 * panel; a register of a row holds four quads of inputs.
 *
 * sdot takes both factors with their sign: rows are q - 128 here, so that the sums lack 128 times those of the weights. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "base/bits.h"
#include "base/os.h"
#include "math/forms.h"
#include "math/i8.h"
#include "math/lanes_neon.h"
#include "math/tile.h"
#include "math/unroll.h"

#define ROWS 6
#define EACH_FOUR UNROLL for (size_t j = 0; j < 4; j++)

static inline __attribute__((always_inline)) void write_back(
    const mo_i8_tile *t, size_t i, const int32x4_t sum[4])
{
    float s[16];
    const int32x4_t zero = vdupq_n_s32(t->a_zero[i] - 128);
    EACH_FOUR
    {
        const int32x4_t v = vmlsq_s32(sum[j], zero, vld1q_s32(t->w_sum + 4 * j));
        const float32x4_t x = vmulq_f32(vcvtq_f32_s32(v), vdupq_n_f32(t->a_scale[i]));
        vst1q_f32(s + 4 * j, vmulq_f32(x, vld1q_f32(t->w_scale + 4 * j)));
    }
    mo_tile_write(MO_TILE_END_WHOLE(t, i), s);
}

/* Quad `lane` of the four. */
#define STEP(lane)                                                                                           \
    EACH_FOUR                                                                                                \
    {                                                                                                        \
        const int8x16_t x = vld1q_s8(w + (lane)*MO_I8_QUAD + 16 * j);                                        \
        UNROLL for (size_t i = 0; i < rows; i++) sum[i][j] = vdotq_laneq_s32(sum[i][j], x, a[i], lane);      \
    }

static inline __attribute__((always_inline)) void tile(const mo_i8_tile *t, const size_t rows)
{
    const uint8x16_t sign = vdupq_n_u8(128);
    int32x4_t sum[ROWS][4];
    int8x16_t a[ROWS];
    UNROLL for (size_t i = 0; i < rows; i++) EACH_FOUR sum[i][j] = vdupq_n_s32(0);
    const int8_t *w = t->w;
    for (size_t p = 0; p < 4 * t->quads; p += 16, w += 4 * MO_I8_QUAD) {
        UNROLL for (size_t i = 0; i < rows; i++) a[i] =
            vreinterpretq_s8_u8(veorq_u8(vld1q_u8(t->a + i * t->lda + p), sign));
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
    }
    UNROLL for (size_t i = 0; i < rows; i++) write_back(t, i, sum[i]);
}

MO_FORMS_OF_6(mo_i8_tile)

/* Floats as whole numbers: those from 0 on keep their order, and NaN is the largest. */
static mo_i8_scale scale_of(const float *x, size_t k)
{
    int32x4_t above = vdupq_n_s32(0), below = above;
    for (size_t i = 0; i < k; i += 4) {
        const int32x4_t v = vreinterpretq_s32_f32(mo_lanes_part(x, i, k));
        above = vmaxq_s32(above, v);
        below = vmaxq_s32(below, veorq_s32(v, vdupq_n_s32(INT32_MIN)));
    }
    return mo_i8_scale_of(
        mo_bits_float((uint32_t)vmaxvq_s32(below)), mo_bits_float((uint32_t)vmaxvq_s32(above)));
}

static inline uint16x4_t whole(const float *x, size_t i, size_t k, const mo_i8_scale *s)
{
    const int32x4_t v = vcvtnq_s32_f32(vmulq_n_f32(mo_lanes_part(x, i, k), s->to));
    return vqmovun_s32(vaddq_s32(v, vdupq_n_s32(s->zero)));
}

static void quantize_row(uint8_t *q, const float *x, size_t k, const mo_i8_scale *s)
{
    for (size_t i = 0; i < k; i += 8)
        vst1_u8(q + i, vqmovn_u16(vcombine_u16(whole(x, i, k, s), whole(x, i + 4, k, s))));
}

#include "math/i8_quantize.h"

static const mo_i8_kern kern = {.name = "dot",
    .tile_rows = ROWS,
    .tile_panels = 1,
    .room = 49152,
    .tile = any_tile,
    .quantize = quantize};

const mo_i8_kern *mo_i8_dot(void)
{
    return mo_os_has_dot() ? &kern : NULL;
}
#endif
