/* SPDX-License-Identifier: MIT
 * fix_body.h - the filter of fix_avx2.c and fix_vnni.c.  Whoever includes it has defined before
 *
 *     whole, LANES                  a register of LANES channels
 *     some, some_of(n)              which of them are there
 *     load(x), pixels(x, some)      from any address
 *     low_of(a, b), high_of(a, b)   numbers of two registers in turn, by halves of each 128 bits
 *     add_products(sum, x, w)       sums of two neighbours each
 *     finish(t, y, number, sum, some) */
#ifndef MO_MATH_FIX_BODY_H
#define MO_MATH_FIX_BODY_H

#include "base/ints.h"
#include "math/fix.h"
#include "math/unroll.h"

#define INLINE inline __attribute__((always_inline))

/* Where the channels at work stand: behind the first pixel's beginning, and among the weights. */
typedef struct place {
    size_t at, number;
    some here;
} place;

/* Two rows, or the last one twice, whose second weight is zero: each register of theirs goes into all outputs that see it. */
static INLINE void add_rows(whole sum[MO_FIX_COLUMNS][2], const mo_fix_taps *t, size_t r, const place *p,
    const size_t k, const size_t stride)
{
    const size_t next = 2 * mo_round_up(t->channels, MO_FIX_CHUNK);
    const int16_t *w = t->w + r / 2 * k * next + 2 * p->number;
    const int16_t *const *above = t->x[r], *const *below = t->x[r + 1 < k ? r + 1 : r];
    UNROLL
    for (size_t j = 0; j < stride * (MO_FIX_COLUMNS - 1) + k; j++) {
        const whole a = pixels(above[j] + p->at, p->here), b = pixels(below[j] + p->at, p->here);
        const whole low = low_of(a, b), high = high_of(a, b);
        UNROLL
        for (size_t q = 0; q < MO_FIX_COLUMNS; q++) {
            if (j < q * stride || j - q * stride >= k) continue;
            const int16_t *of = w + (j - q * stride) * next;
            sum[q][0] = add_products(sum[q][0], low, load(of));
            sum[q][1] = add_products(sum[q][1], high, load(of + MO_FIX_CHUNK));
        }
    }
}

/* LANES channels of group g from c on. */
static INLINE void group_of(const mo_fix_taps *t, size_t g, size_t c, const size_t k, const size_t stride)
{
    const place p = {
        g * t->step + c, c / MO_FIX_CHUNK * MO_FIX_CHUNK + c % MO_FIX_CHUNK / 2, some_of(t->channels - c)};
    whole sum[MO_FIX_COLUMNS][2];
    UNROLL
    for (size_t q = 0; q < MO_FIX_COLUMNS; q++) sum[q][0] = sum[q][1] = (whole){0};
    UNROLL
    for (size_t r = 0; r < k; r += 2) add_rows(sum, t, r, &p, k, stride);
    int16_t *y = t->y + g * MO_FIX_COLUMNS * t->channels + c;
    UNROLL
    for (size_t q = 0; q < MO_FIX_COLUMNS; q++) {
        if (q >= t->columns) return;
        finish(t, y + q * t->channels, p.number, sum[q], p.here);
    }
}

/* Channels 0 .. end - 1, a multiple of LANES or more than there are. */
static INLINE void channels_of(const mo_fix_taps *t, size_t end, const size_t k, const size_t stride)
{
    for (size_t g = 0; g < t->n_groups; g++)
        for (size_t c = 0; c < end; c += LANES) group_of(t, g, c, k, stride);
}

static void filter_3_1(const mo_fix_taps *t, size_t end)
{
    channels_of(t, end, 3, 1);
}

static void filter_3_2(const mo_fix_taps *t, size_t end)
{
    channels_of(t, end, 3, 2);
}

static void filter_5_1(const mo_fix_taps *t, size_t end)
{
    channels_of(t, end, 5, 1);
}

static void filter_5_2(const mo_fix_taps *t, size_t end)
{
    channels_of(t, end, 5, 2);
}

static void any_filter(const mo_fix_taps *t, size_t end)
{
    static void (*const filters[2][2])(const mo_fix_taps *t, size_t end) = {
        {filter_3_1, filter_3_2}, {filter_5_1, filter_5_2}};
    filters[t->kernel == 5][t->stride == 2](t, end);
}

#endif
