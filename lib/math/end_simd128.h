/* SPDX-License-Identifier: MIT
 * end_simd128.h - mo_tile_write for the sixteen sums of a whole panel, four at a time. */
#ifndef MO_MATH_END_SIMD128_H
#define MO_MATH_END_SIMD128_H

#include "math/lanes_simd128.h"
#include "math/tile.h"

/* Of four numbers; a NaN stays one. */
static inline v128_t mo_end_clamp(v128_t v, float top)
{
    return wasm_f32x4_pmin(wasm_f32x4_pmax(v, wasm_f32x4_splat(0)), wasm_f32x4_splat(top));
}

static inline v128_t mo_end_four(const mo_tile_end *e, const float *sum, size_t j)
{
    v128_t v = wasm_v128_load(sum + j);
    if (e->add) v = wasm_f32x4_add(v, wasm_v128_load(e->add + j));
    if (e->bias) v = wasm_f32x4_add(v, wasm_v128_load(e->bias + j));
    return e->top > 0 ? mo_end_clamp(v, e->top) : v;
}

static inline void mo_end_write(const mo_tile_end *e, const float sum[16])
{
    if (e->n < 16) {
        mo_tile_write(e, sum);
        return;
    }
    for (size_t j = 0; j < 16; j += 8) {
        const v128_t low = mo_end_four(e, sum, j), high = mo_end_four(e, sum, j + 4);
        if (e->c16) {
            const v128_t to = wasm_f32x4_splat(e->to);
            const v128_t a = mo_lanes_round(wasm_f32x4_mul(low, to)),
                         b = mo_lanes_round(wasm_f32x4_mul(high, to));
            wasm_v128_store(e->c16 + j, wasm_i16x8_narrow_i32x4(a, b));
        } else {
            wasm_v128_store(e->c + j, low);
            wasm_v128_store(e->c + j + 4, high);
        }
    }
}

#endif
