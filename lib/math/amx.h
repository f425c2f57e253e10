/* SPDX-License-Identifier: MIT
 * amx.h - the tiles of AMX: are they there, and eight of them as rows of 64 bytes. */
#ifndef MO_MATH_AMX_H
#define MO_MATH_AMX_H

#include <stdbool.h>

/* Products that the CPU may have for them, with the AVX-512 that rounds or multiplies beside them. */
typedef enum mo_amx_products { MO_AMX_BF16 = 1, MO_AMX_INT8 = 2 } mo_amx_products;

/* The CPU has these, and the system keeps tiles for each thread of this process. */
bool mo_amx_has(mo_amx_products products);

#if defined(__AMX_TILE__) || defined(__AMXTILE__) /* as GCC and older clang say it */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Before tiles are used and behind them, in the thread that uses them.  Sums and A, tiles 0 to 5, have so many rows, 1 to 16. */
static inline void mo_amx_begin(size_t rows)
{
    const uint8_t r = (uint8_t)rows;
    struct {
        uint8_t palette, start_row, zero[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {r, r, r, r, r, r, 16, 16}};
    __asm__("" : "+m"(shape)); /* all of it: of _tile_loadconfig GCC 12 knows that it reads eight bytes */
    _tile_loadconfig(&shape);
}

static inline void mo_amx_end(void)
{
    _tile_release();
}
#endif

#endif
