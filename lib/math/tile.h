/* SPDX-License-Identifier: MIT
 * tile.h - the micro-kernels that the vector tables of kern.h name. */
#ifndef MO_MATH_TILE_H
#define MO_MATH_TILE_H

#include "math/kern.h"

void mo_tile_avx2(const mo_tile *t);
void mo_tile_avx512(const mo_tile *t);

#endif
