/* SPDX-License-Identifier: MIT
 * fix_simd128.c - filters over whole numbers on WebAssembly's 128 bits: two rows of a filter at once, eight products an
 * instruction; eight channels of four outputs at a time. */
#if defined(__wasm_simd128__)
#include "base/ints.h"
#include "math/end_simd128.h"
#include "math/fix.h"
#include "math/i16.h"

#define LANES 8
#define EACH_COLUMN for (size_t q = 0; q < MO_FIX_COLUMNS; q++)

/* Rows r and r + 1 of a filter, its column i; w: four channels and four more, the weights of the two rows side by side. */
static inline void add_rows(
    v128_t sum[MO_FIX_COLUMNS][2], const mo_fix_taps *t, size_t r, size_t i, size_t at, const v128_t w[2])
{
    EACH_COLUMN
    {
        const size_t pixel = q * t->stride + i;
        const v128_t x = wasm_v128_load(t->x[r][pixel] + at);
        const v128_t y = r + 1 < t->kernel ? wasm_v128_load(t->x[r + 1][pixel] + at) : wasm_i32x4_splat(0);
        const v128_t low = wasm_i16x8_shuffle(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
        const v128_t high = wasm_i16x8_shuffle(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
        sum[q][0] = wasm_i32x4_add(sum[q][0], wasm_i32x4_dot_i16x8(low, w[0]));
        sum[q][1] = wasm_i32x4_add(sum[q][1], wasm_i32x4_dot_i16x8(high, w[1]));
    }
}

static inline v128_t finish(const mo_fix_taps *t, size_t number, v128_t sum)
{
    v128_t v = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum), wasm_v128_load(t->scale + number));
    v = wasm_f32x4_add(v, wasm_v128_load(t->shift + number));
    return mo_lanes_round(mo_end_clamp(v, t->top));
}

/* Channels c .. c + 7 of group g. */
static void group_of(const mo_fix_taps *t, size_t g, size_t c)
{
    const size_t k = t->kernel, next = 2 * mo_round_up(t->channels, MO_FIX_CHUNK);
    const size_t number = mo_fix_number(c), at = g * t->step + c;
    v128_t sum[MO_FIX_COLUMNS][2];
    EACH_COLUMN sum[q][0] = sum[q][1] = wasm_i32x4_splat(0);
    for (size_t r = 0; r < k; r += 2)
        for (size_t i = 0; i < k; i++) {
            const int16_t *w = t->w + (r / 2 * k + i) * next + 2 * number;
            add_rows(
                sum, t, r, i, at, (const v128_t[2]){wasm_v128_load(w), wasm_v128_load(w + MO_FIX_CHUNK)});
        }
    int16_t *y = t->y + g * MO_FIX_COLUMNS * t->channels + c;
    for (size_t q = 0; q < t->columns; q++, y += t->channels)
        wasm_v128_store(y, wasm_i16x8_narrow_i32x4(finish(t, number, sum[q][0]),
                               finish(t, number + MO_FIX_CHUNK / 2, sum[q][1])));
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
    const v128_t by = wasm_f32x4_splat(to);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const v128_t low = mo_lanes_round(wasm_f32x4_mul(wasm_v128_load(x + i), by));
        const v128_t high = mo_lanes_round(wasm_f32x4_mul(wasm_v128_load(x + i + 4), by));
        wasm_v128_store(q + i, wasm_i16x8_narrow_i32x4(low, high));
    }
    for (; i < n; i++) q[i] = mo_i16_round(x[i] * to);
}

static void reduce(const mo_fix_rows *r)
{
    for (size_t i = 0; i < r->rows; i++) reduce_row(r->q + i * r->ldq, r->x + i * r->ldx, r->to, r->n);
}

static const mo_fix_kern kern = {.name = "simd128", .reduce = reduce, .filter = filter};

const mo_fix_kern *mo_fix_simd128(void)
{
    return &kern;
}
#endif
