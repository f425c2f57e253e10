/* SPDX-License-Identifier: MIT
 * i16_simd128.c - products of 16-bit integers on WebAssembly's 128 bits: up to 6 rows by one panel, half of it at a time as in
 * tile_simd128.c; eight products and four of their sums an instruction. */
#if defined(__wasm_simd128__)
#include "math/end_simd128.h"
#include "math/forms.h"
#include "math/i16.h"
#include "math/unroll.h"

#define ROWS 6
#define WIDE 2 /* registers of columns at once */
#define EACH UNROLL for (size_t i = 0; i < rows; i++) UNROLL for (size_t j = 0; j < WIDE; j++)

/* Outputs column .. column + 7 of the panel, as floats in s. */
static inline __attribute__((always_inline)) void strip(
    const mo_i16_tile *t, const size_t rows, const size_t column, float s[ROWS][16])
{
    v128_t sum[ROWS][WIDE];
    EACH sum[i][j] = wasm_i32x4_splat(0);
    const int16_t *w = t->w + 2 * column;
    for (size_t p = 0; p < t->pairs; p++, w += 32) {
        const v128_t x0 = wasm_v128_load(w), x1 = wasm_v128_load(w + 8);
        UNROLL for (size_t i = 0; i < rows; i++)
        {
            const v128_t a = wasm_v128_load32_splat(t->a + i * MO_I16_LDA + 2 * p);
            sum[i][0] = wasm_i32x4_add(sum[i][0], wasm_i32x4_dot_i16x8(a, x0));
            sum[i][1] = wasm_i32x4_add(sum[i][1], wasm_i32x4_dot_i16x8(a, x1));
        }
    }
    EACH
    {
        const v128_t x = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum[i][j]), wasm_f32x4_splat(t->a_scale[i]));
        const size_t at = column + 4 * j;
        wasm_v128_store(s[i] + at, wasm_f32x4_mul(x, wasm_v128_load(t->w_scale + at)));
    }
}

static inline __attribute__((always_inline)) void tile(const mo_i16_tile *t, const size_t rows)
{
    float s[ROWS][16];
    strip(t, rows, 0, s);
    strip(t, rows, 8, s);
    for (size_t i = 0; i < rows; i++) mo_end_write(MO_TILE_END_WHOLE(t, i), s[i]);
}

MO_FORMS_OF_6(mo_i16_tile)

/* Sixteen sums, then a tree, as in plain C. */
static float length_of(const float *x, size_t k)
{
    v128_t s[4] = {wasm_f32x4_splat(0), wasm_f32x4_splat(0), wasm_f32x4_splat(0), wasm_f32x4_splat(0)};
    for (size_t i = 0; i < k; i += 16) UNROLL for (size_t j = 0; j < 4; j++)
        {
            const v128_t v = mo_lanes_part(x, i + 4 * j, k);
            s[j] = wasm_f32x4_add(s[j], wasm_f32x4_mul(v, v));
        }
    float four[4];
    wasm_v128_store(four, wasm_f32x4_add(wasm_f32x4_add(s[0], s[2]), wasm_f32x4_add(s[1], s[3])));
    return (four[0] + four[2]) + (four[1] + four[3]);
}

static inline v128_t whole(const float *x, size_t i, size_t k, float to)
{
    return mo_lanes_round(wasm_f32x4_mul(mo_lanes_part(x, i, k), wasm_f32x4_splat(to)));
}

static void quantize(int16_t *q, float *scale, const float *x, size_t ldx, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++, q += MO_I16_LDA, x += ldx) {
        const mo_i16_scale s = mo_i16_scale_of(length_of(x, k));
        for (size_t i = 0; i < k; i += 8) {
            const v128_t v = wasm_i16x8_narrow_i32x4(whole(x, i, k, s.to), whole(x, i + 4, k, s.to));
            wasm_v128_store(q + i, s.to > 0 ? v : wasm_i32x4_splat(0));
        }
        scale[r] = s.back;
    }
}

static const mo_i16_kern kern = {
    .name = "simd128", .tile_rows = ROWS, .tile_panels = 1, .tile = any_tile, .quantize = quantize};

const mo_i16_kern *mo_i16_simd128(void)
{
    return &kern;
}
#endif
