/* SPDX-License-Identifier: MIT
 * i16_neon.c - products of 16-bit integers on NEON: up to 6 rows by one panel; four products an instruction, as of floats.  A
 * register of a row holds four pairs of inputs. */
#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#include "math/forms.h"
#include "math/i16.h"
#include "math/lanes_neon.h"
#include "math/tile.h"
#include "math/unroll.h"

#define ROWS 6
#define EACH_ROW UNROLL for (size_t i = 0; i < rows; i++)
#define EACH_FOUR UNROLL for (size_t j = 0; j < 4; j++)

static inline __attribute__((always_inline)) void write_back(
    const mo_i16_tile *t, size_t i, const int32x4_t sum[4])
{
    float s[16];
    EACH_FOUR
    {
        const float32x4_t x = vmulq_n_f32(vcvtq_f32_s32(sum[j]), t->a_scale[i]);
        vst1q_f32(s + 4 * j, vmulq_f32(x, vld1q_f32(t->w_scale + 4 * j)));
    }
    mo_tile_write(MO_TILE_END_WHOLE(t, i), s);
}

/* Eight outputs from 2 j on by pair `lane`; the first inputs of each lie in x.val[0], the second ones in x.val[1]. */
#define STEP(lane)                                                                                           \
    UNROLL for (size_t j = 0; j < 4; j += 2, w += 16)                                                        \
    {                                                                                                        \
        const int16x8x2_t x = vld2q_s16(w);                                                                  \
        EACH_ROW                                                                                             \
        {                                                                                                    \
            sum[i][j] = vmlal_laneq_s16(sum[i][j], vget_low_s16(x.val[0]), a[i], 2 * (lane));                \
            sum[i][j + 1] = vmlal_high_laneq_s16(sum[i][j + 1], x.val[0], a[i], 2 * (lane));                 \
            sum[i][j] = vmlal_laneq_s16(sum[i][j], vget_low_s16(x.val[1]), a[i], 2 * (lane) + 1);            \
            sum[i][j + 1] = vmlal_high_laneq_s16(sum[i][j + 1], x.val[1], a[i], 2 * (lane) + 1);             \
        }                                                                                                    \
    }

static inline __attribute__((always_inline)) void tile(const mo_i16_tile *t, const size_t rows)
{
    int32x4_t sum[ROWS][4];
    int16x8_t a[ROWS];
    EACH_ROW EACH_FOUR sum[i][j] = vdupq_n_s32(0);
    const int16_t *w = t->w;
    size_t p = 0;
    for (; p + 4 <= t->pairs; p += 4) {
        EACH_ROW a[i] = vld1q_s16(t->a + i * MO_I16_LDA + 2 * p);
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
    }
    for (; p < t->pairs; p++) {
        EACH_ROW
        {
            int32_t pair;
            memcpy(&pair, t->a + i * MO_I16_LDA + 2 * p, sizeof pair);
            a[i] = vreinterpretq_s16_s32(vdupq_n_s32(pair));
        }
        STEP(0)
    }
    EACH_ROW write_back(t, i, sum[i]);
}

MO_FORMS_OF_6(mo_i16_tile)

/* Sixteen sums, then a tree, as in plain C. */
static float length_of(const float *x, size_t k)
{
    float32x4_t s[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};
    for (size_t i = 0; i < k; i += 16) EACH_FOUR
        {
            const float32x4_t v = mo_lanes_part(x, i + 4 * j, k);
            s[j] = vaddq_f32(s[j], vmulq_f32(v, v));
        }
    const float32x4_t four = vaddq_f32(vaddq_f32(s[0], s[2]), vaddq_f32(s[1], s[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

static inline int16x4_t whole(const float *x, size_t i, size_t k, float to)
{
    return vmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(mo_lanes_part(x, i, k), to)));
}

static void quantize(int16_t *q, float *scale, const float *x, size_t ldx, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++, q += MO_I16_LDA, x += ldx) {
        const mo_i16_scale s = mo_i16_scale_of(length_of(x, k));
        for (size_t i = 0; i < k; i += 4) vst1_s16(q + i, s.to > 0 ? whole(x, i, k, s.to) : vdup_n_s16(0));
        scale[r] = s.back;
    }
}

static const mo_i16_kern kern = {
    .name = "neon", .tile_rows = ROWS, .tile_panels = 1, .tile = any_tile, .quantize = quantize};

const mo_i16_kern *mo_i16_neon(void)
{
    return &kern;
}
#endif
