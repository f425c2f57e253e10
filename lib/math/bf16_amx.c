/* SPDX-License-Identifier: MIT
 * bf16_amx.c - products of bfloat16 on AMX: eight tiles of 16 rows by 64 bytes, which are four of sums, two of A, two of W. */
#if defined(MOPD_AMX)
#include <immintrin.h>

#include "math/amx.h"
#include "math/bf16.h"
#include "math/lanes.h"

#define STRIDE (MO_BF16_STEP * sizeof(uint16_t)) /* bytes between the rows of a tile */

static void round_row(uint16_t *to, const float *x, size_t k)
{
    for (size_t i = 0; i < k; i += MO_BF16_STEP, to += MO_BF16_TILE) {
        const size_t left = k - i;
        const __m512 low = _mm512_maskz_loadu_ps(mo_lanes_first(left), x + i);
        const __m512 high =
            left > 16 ? _mm512_maskz_loadu_ps(mo_lanes_first(left - 16), x + i + 16) : _mm512_setzero_ps();
        _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
}

/* Where the sums start: rows ld floats apart. */
typedef struct sums {
    const float *from;
    size_t ld;
} sums;

/* start + bias in `room`, where tiles cannot be loaded from either as it lies. */
static sums gather(const mo_bf16_block *b, float *room, size_t rows)
{
    if (b->start && !b->bias && b->m == rows && b->n % 16 == 0) return (sums){b->start, b->ldstart};
    if (!b->start && b->n % 16 == 0) return (sums){b->bias, 0};
    for (size_t j = 0; j < b->n; j += 16) {
        const __mmask16 mask = mo_lanes_first(b->n - j);
        const __m512 bias = b->bias ? _mm512_maskz_loadu_ps(mask, b->bias + j) : _mm512_setzero_ps();
        for (size_t i = 0; i < rows; i++) {
            const bool there = b->start && i < b->m;
            const __m512 x =
                there ? _mm512_maskz_loadu_ps(mask, b->start + i * b->ldstart + j) : _mm512_setzero_ps();
            _mm512_store_ps(room + i * MO_BF16_BLOCK + j, _mm512_add_ps(x, bias));
        }
    }
    return (sums){room, MO_BF16_BLOCK};
}

static void scatter(const mo_bf16_block *b, const float *room)
{
    const __m512 top = _mm512_set1_ps(b->top), zero = _mm512_setzero_ps();
    for (size_t i = 0; i < b->m; i++)
        for (size_t j = 0; j < b->n; j += 16) {
            __m512 x = _mm512_load_ps(room + i * MO_BF16_BLOCK + j);
            if (b->top > 0) x = _mm512_min_ps(top, _mm512_max_ps(zero, x));
            _mm512_mask_storeu_ps(b->out + i * b->ldout + j, mo_lanes_first(b->n - j), x);
        }
}

#define INLINE inline __attribute__((always_inline))

/* low, wide: the block has rows and outputs beyond the first 16; constants. */
static INLINE void load_sums(const mo_bf16_block *b, float *room, const bool low, const bool wide)
{
    if (!b->start && !b->bias) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        return;
    }
    const sums s = gather(b, room, low ? 32 : 16);
    const size_t ld = s.ld * sizeof(float);
    _tile_loadd(0, s.from, ld);
    if (wide) _tile_loadd(1, s.from + 16, ld);
    if (low) _tile_loadd(2, s.from + 16 * s.ld, ld);
    if (low && wide) _tile_loadd(3, s.from + 16 * s.ld + 16, ld);
}

static INLINE void store_sums(const mo_bf16_block *b, float *room, const bool low, const bool wide)
{
    const bool direct = b->m == (low ? 32 : 16) && b->n == (wide ? 32 : 16) && !(b->top > 0);
    float *to = direct ? b->out : room;
    const size_t ld = direct ? b->ldout : MO_BF16_BLOCK;
    _tile_stored(0, to, ld * sizeof(float));
    if (wide) _tile_stored(1, to + 16, ld * sizeof(float));
    if (low) _tile_stored(2, to + 16 * ld, ld * sizeof(float));
    if (low && wide) _tile_stored(3, to + 16 * ld + 16, ld * sizeof(float));
    if (!direct) scatter(b, room);
}

static INLINE void tiles(const mo_bf16_block *b, const bool low, const bool wide)
{
    _Alignas(64) float room[MO_BF16_BLOCK * MO_BF16_BLOCK];
    const uint16_t *a = b->a, *w = b->w, *stop = b->w + b->steps * MO_BF16_TILE;
    load_sums(b, room, low, wide);
    for (; w < stop; w += MO_BF16_TILE, a += MO_BF16_TILE) {
        _tile_loadd(4, a, STRIDE);
        _tile_loadd(6, w, STRIDE);
        _tile_dpbf16ps(0, 4, 6);
        if (wide) _tile_loadd(7, w + b->right, STRIDE);
        if (wide) _tile_dpbf16ps(1, 4, 7);
        if (low) _tile_loadd(5, a + b->lower, STRIDE);
        if (low) _tile_dpbf16ps(2, 5, 6);
        if (low && wide) _tile_dpbf16ps(3, 5, 7);
    }
    store_sums(b, room, low, wide);
}

static void block(const mo_bf16_block *b)
{
    const bool low = b->m > 16, wide = b->n > 16;
    if (low && wide)
        tiles(b, true, true);
    else if (low)
        tiles(b, true, false);
    else if (wide)
        tiles(b, false, true);
    else
        tiles(b, false, false);
}

static void begin(void)
{
    mo_amx_begin(MO_BF16_ROWS);
}

static const mo_bf16_kern kern = {
    .name = "amx", .begin = begin, .end = mo_amx_end, .block = block, .round = round_row};

const mo_bf16_kern *mo_bf16_amx(void)
{
    return mo_amx_has(MO_AMX_BF16) ? &kern : NULL;
}
#endif
