/* SPDX-License-Identifier: MIT
 * tile.h - the micro-kernels that the vector tables of kern.h name. */
#ifndef MO_MATH_TILE_H
#define MO_MATH_TILE_H

#include "math/kern.h"

void mo_tile_avx2(const mo_tile *t);
void mo_tile_avx512(const mo_tile *t);
void mo_tile_neon(const mo_tile *t);

/* A tile's end where it is no whole panel: sums of m rows of 16. */
static inline void mo_tile_write_part(const mo_tile *t, float (*sum)[16])
{
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++) {
            float v = sum[i][j];
            if (t->add) v += t->add[i * t->ldadd + j];
            if (t->bias) v += t->bias[j];
            if (t->top > 0) v = v < 0 ? 0 : v > t->top ? t->top : v;
            t->c[i * t->ldc + j] = v;
        }
}

#endif
