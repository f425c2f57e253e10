/* SPDX-License-Identifier: MIT
 * fix_neon.c - filters over whole numbers on NEON: four products an instruction; eight channels of four outputs at a time. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "base/ints.h"
#include "math/fix.h"
#include "math/i16.h"

#define LANES 8
#define EACH_COLUMN for (size_t q = 0; q < MO_FIX_COLUMNS; q++)

/* Row r of a filter, its column i; w: four channels, each with the weight of the row below beside. */
static inline void add_row(int32x4_t sum[MO_FIX_COLUMNS][2], const mo_fix_taps *t, size_t r, size_t i,
    size_t at, const int16x4_t w[2])
{
    EACH_COLUMN
    {
        const int16x8_t x = vld1q_s16(t->x[r][q * t->stride + i] + at);
        sum[q][0] = vmlal_s16(sum[q][0], vget_low_s16(x), w[0]);
        sum[q][1] = vmlal_s16(sum[q][1], vget_high_s16(x), w[1]);
    }
}

static inline int16x4_t finish(const mo_fix_taps *t, size_t number, int32x4_t sum)
{
    float32x4_t v = vmulq_f32(vcvtq_f32_s32(sum), vld1q_f32(t->scale + number));
    v = vaddq_f32(v, vld1q_f32(t->shift + number));
    return vqmovn_s32(vcvtnq_s32_f32(vminq_f32(vdupq_n_f32(t->top), vmaxq_f32(vdupq_n_f32(0), v))));
}

/* Channels c .. c + 7 of group g. */
static void group_of(const mo_fix_taps *t, size_t g, size_t c)
{
    const size_t k = t->kernel, next = 2 * mo_round_up(t->channels, MO_FIX_CHUNK);
    const size_t number = mo_fix_number(c), at = g * t->step + c;
    int32x4_t sum[MO_FIX_COLUMNS][2];
    EACH_COLUMN sum[q][0] = sum[q][1] = vdupq_n_s32(0);
    for (size_t r = 0; r < k; r += 2)
        for (size_t i = 0; i < k; i++) {
            const int16_t *w = t->w + (r / 2 * k + i) * next + 2 * number;
            const int16x4x2_t low = vld2_s16(w), high = vld2_s16(w + MO_FIX_CHUNK);
            add_row(sum, t, r, i, at, (const int16x4_t[2]){low.val[0], high.val[0]});
            if (r + 1 < k) add_row(sum, t, r + 1, i, at, (const int16x4_t[2]){low.val[1], high.val[1]});
        }
    int16_t *y = t->y + g * MO_FIX_COLUMNS * t->channels + c;
    for (size_t q = 0; q < t->columns; q++, y += t->channels)
        vst1q_s16(
            y, vcombine_s16(finish(t, number, sum[q][0]), finish(t, number + MO_FIX_CHUNK / 2, sum[q][1])));
}

static void filter(const mo_fix_taps *t)
{
    const size_t end = t->channels / LANES * LANES;
    for (size_t g = 0; g < t->n_groups; g++)
        for (size_t c = 0; c < end; c += LANES) group_of(t, g, c);
    if (end < t->channels) mo_fix_filter(t, end);
}

static void reduce_row(int16_t *q, const float *x, float to, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) vst1_s16(q + i, vmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + i), to))));
    for (; i < n; i++) q[i] = mo_i16_round(x[i] * to);
}

static void reduce(const mo_fix_rows *r)
{
    for (size_t i = 0; i < r->rows; i++) reduce_row(r->q + i * r->ldq, r->x + i * r->ldx, r->to, r->n);
}

static const mo_fix_kern kern = {.name = "neon", .reduce = reduce, .filter = filter};

const mo_fix_kern *mo_fix_neon(void)
{
    return &kern;
}
#endif
