/* SPDX-License-Identifier: MIT
 * fix.h - maps of clamped numbers as whole numbers of 16 bits, and the depthwise filters over them.
 *
 *     x = q 6 / MO_FIX_ONE,  q = 0 .. MO_FIX_ONE     before a filter
 *     w = q / to,  the sizes of a filter's q are MO_FIX_SUM together at most, so that no sum leaves 32 bits
 *     y = sum of q of x times q of w, as a float times `scale` plus `shift`, clamped to 0..top, to nearest even
 *
 * Sums of whole numbers are exact and what follows is one step of float after the other, so all paths give the same bits. */
#ifndef MO_MATH_FIX_H
#define MO_MATH_FIX_H

#include <stddef.h>
#include <stdint.h>

#define MO_FIX_ONE 32767
#define MO_FIX_SUM 65536
#define MO_FIX_COLUMNS 4 /* outputs side by side */
#define MO_FIX_KERNEL 5  /* of a filter, at most */
#define MO_FIX_SPAN (2 * (MO_FIX_COLUMNS - 1) + MO_FIX_KERNEL)
#define MO_FIX_CHUNK 32 /* channels whose weights stand together */

/* n_groups groups of four output columns of one line: y[q * channels + c].  kernel is 3 or 5, stride 1 or 2. */
typedef struct mo_fix_taps {
    size_t kernel, stride, channels;
    const int16_t *x[MO_FIX_KERNEL][MO_FIX_SPAN]; /* the pixels that the first group sees, row by row */
    size_t n_groups, step;                        /* numbers from a group's pixels to those of the next */
    size_t columns;                               /* of each group that are written */
    int16_t *y;
    const int16_t *w;           /* mo_fix_weight; zeros beyond the channels */
    const float *scale, *shift; /* mo_fix_number */
    float top;
} mo_fix_taps;

/* Where channel c stands among the numbers of its chunk: four of each eight come first. */
static inline size_t mo_fix_number(size_t c)
{
    const size_t in = c % MO_FIX_CHUNK;
    return c - in + in % 8 / 4 * (MO_FIX_CHUNK / 2) + in / 8 * 4 + in % 4;
}

/* Where the weight of row r, column i, channel c stands; width: channels up to whole chunks.  Two rows stand side by side. */
static inline size_t mo_fix_weight(size_t kernel, size_t width, size_t r, size_t i, size_t c)
{
    return ((r / 2 * kernel + i) * width + mo_fix_number(c)) * 2 + r % 2;
}

/* Rows of n: q = x to, to nearest even; x is 0 .. MO_FIX_ONE / to. */
typedef struct mo_fix_rows {
    int16_t *q;
    size_t ldq;
    const float *x;
    size_t ldx, rows, n;
    float to;
} mo_fix_rows;

typedef struct mo_fix_kern {
    const char *name;
    void (*reduce)(const mo_fix_rows *r);
    void (*filter)(const mo_fix_taps *t);
} mo_fix_kern;

/* What goes with the live table of kern.h.  The kernels themselves, for tests; what the CPU lacks crashes, but for mo_fix_avxvnni, which
 * is NULL where CPU or compiler lacks it. */
const mo_fix_kern *mo_fix_get(void);
const mo_fix_kern *mo_fix_plain(void);
const mo_fix_kern *mo_fix_avx2(void);
const mo_fix_kern *mo_fix_avxvnni(void);
const mo_fix_kern *mo_fix_vnni(void);
const mo_fix_kern *mo_fix_neon(void);
const mo_fix_kern *mo_fix_simd128(void);

/* Channels first .. of all groups, in plain C. */
void mo_fix_filter(const mo_fix_taps *t, size_t first);

#endif
