/* SPDX-License-Identifier: MIT
 * kern_simd128.c - the inner loops on four lanes of WebAssembly.  It has no multiply-add: a product is rounded before it is added. */
#if defined(__wasm_simd128__)
#include <string.h>
#include <wasm_simd128.h>

#include "math/kern.h"
#include "math/tile.h"

typedef v128_t vec;
#define VN 4
#define V_TAPS 2 /* registers of channels that a depthwise convolution holds for four positions */
#define v_load(p) wasm_v128_load(p)
#define v_store(p, v) wasm_v128_store(p, v)
#define v_set(x) wasm_f32x4_splat(x)
#define v_fma(a, b, c) wasm_f32x4_add(c, wasm_f32x4_mul(a, b))
#define v_fnma(a, b, c) wasm_f32x4_sub(c, wasm_f32x4_mul(a, b))
#define v_add wasm_f32x4_add
#define v_sub wasm_f32x4_sub
#define v_mul wasm_f32x4_mul
#define v_div wasm_f32x4_div
#define v_min(a, b) wasm_f32x4_pmin(b, a) /* one instruction on x86; NaN of b stays, as there */
#define v_max(a, b) wasm_f32x4_pmax(b, a)
#define v_abs wasm_f32x4_abs
#define v_round wasm_f32x4_nearest
#define v_pow2(n) wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), wasm_i32x4_splat(127)), 23)
#define v_less(a, b, x, y) wasm_v128_bitselect(x, y, wasm_f32x4_lt(a, b))
#define v_sign(x, s) wasm_v128_bitselect(s, x, wasm_i32x4_splat((int)0x80000000u))

static inline float v_sum(vec v)
{
    v = wasm_f32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1);
}

static inline float v_top(vec v)
{
    v = v_max(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    v = v_max(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
    return wasm_f32x4_extract_lane(v, 0);
}

static inline vec v_part(const float *x, size_t n)
{
    float lanes[VN] = {0};
    memcpy(lanes, x, n * sizeof *x);
    return v_load(lanes);
}

static inline void v_put(float *y, size_t n, vec v)
{
    float lanes[VN];
    v_store(lanes, v);
    memcpy(y, lanes, n * sizeof *y);
}

static inline void v_turn(vec r[4])
{
    const vec a = wasm_i32x4_shuffle(r[0], r[1], 0, 4, 1, 5), b = wasm_i32x4_shuffle(r[0], r[1], 2, 6, 3, 7);
    const vec c = wasm_i32x4_shuffle(r[2], r[3], 0, 4, 1, 5), d = wasm_i32x4_shuffle(r[2], r[3], 2, 6, 3, 7);
    r[0] = wasm_i64x2_shuffle(a, c, 0, 2);
    r[1] = wasm_i64x2_shuffle(a, c, 1, 3);
    r[2] = wasm_i64x2_shuffle(b, d, 0, 2);
    r[3] = wasm_i64x2_shuffle(b, d, 1, 3);
}

#include "math/kern_body.h"

static const mo_kern kern = {.name = "simd128",
    KERN_BODY,
    .tile_rows = 6,
    .tile_name = "simd128 6x16",
    .tile_panels = 1,
    .group = 128,
    .depth = 1,
    .tile = mo_tile_simd128};

const mo_kern *mo_kern_simd128(void)
{
    return &kern;
}
#endif
