/* SPDX-License-Identifier: MIT
 * resample_neon.c - the inner loops on four 32-bit sums (NEON): a table look-up makes bytes 32-bit numbers in place, all modulo
 * 2^32 as in the plain loop: the same bits. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "pixel/resample_kern.h"

#define NONE 255 /* where a table look-up gives 0 */
#define BYTE(i) (i), NONE, NONE, NONE

static const uint8_t red[16] = {BYTE(0), BYTE(3), BYTE(6), BYTE(9)};
static const uint8_t next[16] = {
    1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}; /* from red to green to blue */

static inline int32x4_t bytes_at(uint8x16_t x, uint8x16_t places)
{
    return vreinterpretq_s32_u8(vqtbl1q_u8(x, places));
}

static inline uint8_t clamped(int32x4_t sum)
{
    const int32_t v = (vaddvq_s32(sum) + (1 << (MO_TAP_BITS - 1))) >> MO_TAP_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void row(uint8_t *out, const uint8_t *in, const mo_resample_taps *taps)
{
    const uint8x16_t r_at = vld1q_u8(red), g_at = vaddq_u8(r_at, vld1q_u8(next)),
                     b_at = vaddq_u8(g_at, vld1q_u8(next));
    for (size_t i = 0; i < taps->n; i++, out += 3) {
        const uint8_t *p = in + 3 * (size_t)taps->first[i];
        const int32_t *w = taps->weight + i * taps->stride;
        int32x4_t r = vdupq_n_s32(0), g = r, b = r;
        for (size_t t = 0; t < taps->n_taps[i]; t += 4, p += 12) {
            const uint8x16_t x = vld1q_u8(p);
            const int32x4_t weight = vld1q_s32(w + t);
            r = vmlaq_s32(r, bytes_at(x, r_at), weight);
            g = vmlaq_s32(g, bytes_at(x, g_at), weight);
            b = vmlaq_s32(b, bytes_at(x, b_at), weight);
        }
        out[0] = clamped(r), out[1] = clamped(g), out[2] = clamped(b);
    }
}

/* What the compiler makes of the plain loop is as quick. */
static void column(
    uint8_t *out, const uint8_t *in, size_t stride, size_t n, const mo_resample_taps *taps, size_t i)
{
    mo_resample_plain()->column(out, in, stride, n, taps, i);
}

static const mo_resample_kern neon = {"neon", row, column};

const mo_resample_kern *mo_resample_wide(void)
{
    return &neon;
}
#endif
