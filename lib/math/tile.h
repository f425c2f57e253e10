/* SPDX-License-Identifier: MIT
 * tile.h - the micro-kernels that the vector tables of kern.h name. */
#ifndef MO_MATH_TILE_H
#define MO_MATH_TILE_H

#include "math/kern.h"

void mo_tile_avx2(const mo_tile *t);
void mo_tile_avx512(const mo_tile *t);
void mo_tile_neon(const mo_tile *t);
void mo_tile_simd128(const mo_tile *t);

/* The end of a row of any kind of tile, number by number: c [n] = sums + add + bias, clamped to 0..top where that is not 0. */
typedef struct mo_tile_end {
    float *c;
    const float *add, *bias; /* NULL: zeros */
    float top;
    size_t n;
    int16_t *c16; /* as in mo_i16_tile; NULL for mo_tile */
    float to;
} mo_tile_end;

/* Of 0 .. 32767, to nearest even. */
static inline int16_t mo_tile_round(float x)
{
    const float big = 12582912.0f; /* 1.5 x 2^23: beside it a float has no bits left for a fraction */
    return (int16_t)(x + big - big);
}

static inline void mo_tile_write(const mo_tile_end *e, const float *sum)
{
    for (size_t j = 0; j < e->n; j++) {
        float v = sum[j];
        if (e->add) v += e->add[j];
        if (e->bias) v += e->bias[j];
        if (e->top > 0) v = v < 0 ? 0 : v > e->top ? e->top : v;
        if (e->c16)
            e->c16[j] = mo_tile_round(v * e->to);
        else
            e->c[j] = v;
    }
}

/* Row i of a tile t: mo_tile; mo_i16_tile or mo_i8_tile. */
#define MO_TILE_END(t, i)                                                                                    \
    (&(mo_tile_end){(t)->c + (i) * (t)->ldc, (t)->add ? (t)->add + (i) * (t)->ldadd : NULL, (t)->bias,       \
        (t)->top, (t)->n, NULL, 0})
#define MO_TILE_END_WHOLE(t, i)                                                                              \
    (&(mo_tile_end){(t)->c16 ? NULL : (t)->c + (i) * (t)->ldc,                                               \
        (t)->add ? (t)->add + (i) * (t)->ldadd : NULL, (t)->bias, (t)->top, (t)->n,                          \
        (t)->c16 ? (t)->c16 + (i) * (t)->ldc : NULL, (t)->to})

#endif
