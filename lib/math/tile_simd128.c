/* SPDX-License-Identifier: MIT
 * tile_simd128.c - up to 6 rows by one panel of 16, half a panel at a time: 12 sums, two registers of W and one of A, because
 * WebAssembly mostly runs on processors with 16. */
#if defined(__wasm_simd128__)
#include "math/end_simd128.h"
#include "math/forms.h"
#include "math/unroll.h"

#define WIDE 2 /* registers of columns at once */
#define HALF (4 * WIDE)
#define EACH UNROLL for (size_t i = 0; i < rows; i++) UNROLL for (size_t j = 0; j < WIDE; j++)

static inline __attribute__((always_inline)) void write_whole(
    const mo_tile *t, const size_t rows, const size_t column, v128_t sum[6][WIDE])
{
    if (t->add)
        EACH sum[i][j] = wasm_f32x4_add(sum[i][j], wasm_v128_load(t->add + column + i * t->ldadd + j * 4));
    if (t->bias) EACH sum[i][j] = wasm_f32x4_add(sum[i][j], wasm_v128_load(t->bias + column + j * 4));
    if (t->top > 0) EACH sum[i][j] = mo_end_clamp(sum[i][j], t->top);
    EACH wasm_v128_store(t->c + column + i * t->ldc + j * 4, sum[i][j]);
}

/* Columns column .. column + 7 of the panel. */
static inline __attribute__((always_inline)) void strip(
    const mo_tile *t, const size_t rows, const size_t column, float part[6][16])
{
    v128_t sum[6][WIDE];
    const float *w = t->w + column, *r[6];
    EACH sum[i][j] = wasm_f32x4_splat(0);
    UNROLL for (size_t i = 0; i < rows; i++) r[i] = t->a + i * t->lda;
    for (size_t p = 0; p < t->k; p++, w += 16) {
        const v128_t x0 = wasm_v128_load(w), x1 = wasm_v128_load(w + 4);
        UNROLL for (size_t i = 0; i < rows; i++)
        {
            const v128_t a = wasm_v128_load32_splat(r[i] + p);
            sum[i][0] = wasm_f32x4_add(sum[i][0], wasm_f32x4_mul(a, x0));
            sum[i][1] = wasm_f32x4_add(sum[i][1], wasm_f32x4_mul(a, x1));
        }
    }
    if (t->n == 16)
        write_whole(t, rows, column, sum);
    else
        EACH wasm_v128_store(part[i] + column + j * 4, sum[i][j]);
}

static inline __attribute__((always_inline)) void tile(const mo_tile *t, const size_t rows)
{
    float part[6][16];
    strip(t, rows, 0, part);
    strip(t, rows, HALF, part);
    for (size_t i = 0; i < rows && t->n < 16; i++) mo_tile_write(MO_TILE_END(t, i), part[i]);
}

static void any_tile(const mo_tile *t);

void mo_tile_simd128(const mo_tile *t)
{
    any_tile(t);
}

MO_FORMS_OF_6(mo_tile)
#endif
