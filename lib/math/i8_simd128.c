/* SPDX-License-Identifier: MIT
 * i8_simd128.c - products of 8-bit integers on WebAssembly's 128 bits: up to 3 rows by one panel, half of it at a time.  There
 * are products of 16 bits, eight an instruction: rows and weights are widened as they are read. */
#if defined(__wasm_simd128__)
#include "base/bits.h"
#include "math/end_simd128.h"
#include "math/forms.h"
#include "math/i8.h"
#include "math/unroll.h"

#define ROWS 3
#define WIDE 4 /* registers of two outputs, each with two sums of two inputs */
/* A loop that stays one, because a module is fetched: its body is as quick. */
#define ONCE _Pragma("clang loop unroll(disable)")
#define EACH_ROW UNROLL for (size_t i = 0; i < rows; i++)

/* The quad of inputs in half `h` of eight, twice. */
#define TWICE(x, h) wasm_i32x4_shuffle(x, x, 2 * (h), 2 * (h) + 1, 2 * (h), 2 * (h) + 1)

#define STEP(h)                                                                                              \
    UNROLL for (size_t j = 0; j < WIDE; j++)                                                                 \
    {                                                                                                        \
        const v128_t x = wasm_i16x8_load8x8(w + (h)*MO_I8_QUAD + 8 * j);                                     \
        EACH_ROW sum[i][j] = wasm_i32x4_add(sum[i][j], wasm_i32x4_dot_i16x8(TWICE(a[i], h), x));             \
    }

/* s [16]: outputs at .. at + 3 of row i, whose sums lie in two registers. */
static inline void finish(const mo_i8_tile *t, size_t i, size_t at, v128_t low, v128_t high, float *s)
{
    const v128_t sum =
        wasm_i32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6), wasm_i32x4_shuffle(low, high, 1, 3, 5, 7));
    const v128_t lost = wasm_i32x4_mul(wasm_i32x4_splat(t->a_zero[i]), wasm_v128_load(t->w_sum + at));
    const v128_t x = wasm_f32x4_convert_i32x4(wasm_i32x4_sub(sum, lost));
    const v128_t scaled = wasm_f32x4_mul(x, wasm_f32x4_splat(t->a_scale[i]));
    wasm_v128_store(s + at, wasm_f32x4_mul(scaled, wasm_v128_load(t->w_scale + at)));
}

/* Outputs column .. column + 7 of the panel. */
static inline __attribute__((always_inline)) void strip(
    const mo_i8_tile *t, const size_t rows, const size_t column, float s[ROWS][16])
{
    v128_t sum[ROWS][WIDE], a[ROWS];
    EACH_ROW UNROLL for (size_t j = 0; j < WIDE; j++) sum[i][j] = wasm_i32x4_splat(0);
    const int8_t *w = t->w + 4 * column;
    for (size_t p = 0; p < 4 * t->quads; p += 8, w += 2 * MO_I8_QUAD) {
        EACH_ROW a[i] = wasm_u16x8_load8x8(t->a + i * t->lda + p);
        STEP(0)
        STEP(1)
    }
    EACH_ROW
    {
        finish(t, i, column, sum[i][0], sum[i][1], s[i]);
        finish(t, i, column + 4, sum[i][2], sum[i][3], s[i]);
    }
}

static inline __attribute__((always_inline)) void tile(const mo_i8_tile *t, const size_t rows)
{
    float s[ROWS][16];
    ONCE for (size_t column = 0; column < 16; column += 8) strip(t, rows, column, s);
    EACH_ROW mo_end_write(MO_TILE_END_WHOLE(t, i), s[i]);
}

MO_FORM(mo_i8_tile, tile_1, 1)
MO_FORM(mo_i8_tile, tile_2, 2)
MO_FORM(mo_i8_tile, tile_3, 3)
MO_FORMS_ANY(mo_i8_tile, tile_1, tile_2, tile_3)

static int32_t highest(v128_t v)
{
    const v128_t two = wasm_i32x4_max(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    const int32_t x = wasm_i32x4_extract_lane(two, 0), y = wasm_i32x4_extract_lane(two, 1);
    return x > y ? x : y;
}

/* Floats as whole numbers: those from 0 on keep their order, and NaN is the largest. */
static mo_i8_scale scale_of(const float *x, size_t k)
{
    v128_t above = wasm_i32x4_splat(0), below = above;
    for (size_t i = 0; i < k; i += 4) {
        const v128_t v = mo_lanes_part(x, i, k);
        above = wasm_i32x4_max(above, v);
        below = wasm_i32x4_max(below, wasm_v128_xor(v, wasm_i32x4_splat(INT32_MIN)));
    }
    return mo_i8_scale_of(mo_bits_float((uint32_t)highest(below)), mo_bits_float((uint32_t)highest(above)));
}

static inline v128_t whole(const float *x, size_t i, size_t k, const mo_i8_scale *s)
{
    const v128_t v = mo_lanes_round(wasm_f32x4_mul(mo_lanes_part(x, i, k), wasm_f32x4_splat(s->to)));
    return wasm_i32x4_add(v, wasm_i32x4_splat(s->zero));
}

static void quantize_row(uint8_t *q, const float *x, size_t k, const mo_i8_scale *s)
{
    for (size_t i = 0; i < k; i += 8) {
        const v128_t v = wasm_i16x8_narrow_i32x4(whole(x, i, k, s), whole(x, i + 4, k, s));
        wasm_v128_store64_lane(q + i, wasm_u8x16_narrow_i16x8(v, v), 0);
    }
}

#include "math/i8_quantize.h"

static const mo_i8_kern kern = {.name = "simd128",
    .tile_rows = ROWS,
    .tile_panels = 1,
    .room = 32768,
    .tile = any_tile,
    .quantize = quantize};

const mo_i8_kern *mo_i8_simd128(void)
{
    return &kern;
}
#endif
