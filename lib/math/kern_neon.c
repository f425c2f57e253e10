/* SPDX-License-Identifier: MIT
 * kern_neon.c - the inner loops on four lanes (NEON, which every 64-bit ARM has). */
#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#include "math/kern.h"
#include "math/tile.h"

typedef float32x4_t vec;
#define VN 4
#define V_TAPS 4 /* registers of channels that a depthwise convolution holds for four positions */
#define v_load vld1q_f32
#define v_store vst1q_f32
#define v_set vdupq_n_f32
#define v_fma(a, b, c) vfmaq_f32(c, a, b)
#define v_fnma(a, b, c) vfmsq_f32(c, a, b)
#define v_add vaddq_f32
#define v_sub vsubq_f32
#define v_mul vmulq_f32
#define v_div vdivq_f32
#define v_min vminq_f32
#define v_max vmaxq_f32
#define v_abs vabsq_f32
#define v_sum vaddvq_f32
#define v_top vmaxvq_f32
#define v_round vrndnq_f32
#define v_pow2(n) vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23))
#define v_less(a, b, x, y) vbslq_f32(vcltq_f32(a, b), x, y)
#define v_sign(x, s) vbslq_f32(vdupq_n_u32(0x80000000u), s, x)

static inline vec v_part(const float *x, size_t n)
{
    float lanes[VN] = {0};
    memcpy(lanes, x, n * sizeof *x);
    return vld1q_f32(lanes);
}

static inline void v_put(float *y, size_t n, vec v)
{
    float lanes[VN];
    vst1q_f32(lanes, v);
    memcpy(y, lanes, n * sizeof *y);
}

static inline void v_turn(vec r[4])
{
    const float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
    for (size_t i = 0; i < 2; i++) {
        r[i] = vcombine_f32(vget_low_f32(a.val[i]), vget_low_f32(b.val[i]));
        r[2 + i] = vcombine_f32(vget_high_f32(a.val[i]), vget_high_f32(b.val[i]));
    }
}

#include "math/kern_body.h"

static const mo_kern kern = {.name = "neon",
    KERN_BODY,
    .tile_rows = 6,
    .tile_name = "neon 6x16",
    .tile_panels = 1,
    .group = 128,
    .depth = 1,
    .tile = mo_tile_neon};

const mo_kern *mo_kern_neon(void)
{
    return &kern;
}
#endif
