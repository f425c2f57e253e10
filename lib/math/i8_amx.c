/* SPDX-License-Identifier: MIT
 * i8_amx.c - products of 8-bit integers on AMX: two by two tiles of 16 rows and 16 outputs, 64 inputs a step. */
#if defined(MOPD_AMX)
#include <immintrin.h>

#include "base/ints.h"
#include "math/amx.h"
#include "math/i8.h"
#include "math/i8_avx512.h"

#define INLINE inline __attribute__((always_inline))
#define ROWS 16                       /* of a tile */
#define WIDE 32                       /* outputs of two */
#define AHEAD (3 * ROWS * MO_I8_QUAD) /* bytes of weights */

/* The weights of a tile that will be wanted soon, into the first cache: they come from the second one or from further away,
 * and a load of a tile waits for all of its sixteen lines. */
static INLINE void fetch(const int8_t *w)
{
    for (size_t i = 0; i < ROWS; i++) _mm_prefetch((const char *)w + i * MO_I8_QUAD, _MM_HINT_T0);
}

/* low, wide: there are rows and outputs beyond the first 16; constants.  Rows beyond m are multiplied too and not read. */
static INLINE void sum_up(const mo_i8_tile *t, int32_t *room, const bool low, const bool wide)
{
    const uint8_t *a = t->a;
    const int8_t *w = t->w, *stop = t->w + mo_round_up(t->quads, ROWS) * MO_I8_QUAD;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (; w < stop; w += ROWS * MO_I8_QUAD, a += MO_I8_STEP) {
        fetch(w + AHEAD);
        if (wide) fetch(w + AHEAD + t->panel);
        _tile_loadd(4, a, t->lda);
        _tile_loadd(6, w, MO_I8_QUAD);
        _tile_dpbusd(0, 4, 6);
        if (wide) _tile_loadd(7, w + t->panel, MO_I8_QUAD);
        if (wide) _tile_dpbusd(1, 4, 7);
        if (low) _tile_loadd(5, a + ROWS * t->lda, t->lda);
        if (low) _tile_dpbusd(2, 5, 6);
        if (low && wide) _tile_dpbusd(3, 5, 7);
    }
    _tile_stored(0, room, WIDE * sizeof *room);
    if (wide) _tile_stored(1, room + ROWS, WIDE * sizeof *room);
    if (low) _tile_stored(2, room + ROWS * WIDE, WIDE * sizeof *room);
    if (low && wide) _tile_stored(3, room + ROWS * WIDE + ROWS, WIDE * sizeof *room);
}

static void tile(const mo_i8_tile *t)
{
    _Alignas(64) int32_t room[2 * ROWS * WIDE];
    const bool low = t->m > ROWS, wide = t->n > 16;
    if (low && wide)
        sum_up(t, room, true, true);
    else if (low)
        sum_up(t, room, true, false);
    else if (wide)
        sum_up(t, room, false, true);
    else
        sum_up(t, room, false, false);
    for (size_t j = 0; j < (wide ? 2 : 1); j++) {
        const __m512i sums = _mm512_loadu_si512(t->w_sum + j * 16);
        for (size_t i = 0; i < t->m; i++) {
            const __m512i less = _mm512_mullo_epi32(_mm512_set1_epi32(t->a_zero[i]), sums);
            write_back(t, i, j, _mm512_sub_epi32(_mm512_load_si512(room + i * WIDE + j * 16), less));
        }
    }
}

static void quantize(const mo_i8_rows *to, const float *x, size_t ldx, size_t rows, size_t k)
{
    mo_i8_vnni()->quantize(to, x, ldx, rows, k);
}

static const mo_i8_kern kern = {.name = "amx",
    .tile_rows = 2 * ROWS,
    .tile_panels = 2,
    .room = 57344,
    .half = ROWS,
    .least = 8,
    .wider = mo_i8_vnni,
    .begin = mo_amx_begin,
    .end = mo_amx_end,
    .tile = tile,
    .quantize = quantize};

const mo_i8_kern *mo_i8_amx(void)
{
    return mo_amx_has(MO_AMX_INT8) ? &kern : NULL;
}
#endif
