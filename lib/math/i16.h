/* SPDX-License-Identifier: MIT
 * i16.h - products of 16-bit integers, with one scale for a row's next MO_I16_K inputs.
 *
 *     x = scale q,  scale = |x| / 32750 (the Euclidean length of those inputs),  q rounded to nearest even
 *
 * By Cauchy and Schwarz no sum of products of two such rows leaves 32 bits, so the sums are exact; what is
 * lost lies in the rounding of q: at most 0.5 sqrt(MO_I16_K) / 32750 = 3.5e-4 of a row's length, where rounding
 * to bf16 may lose 4e-3 of it (2^-8).  The sums of the blocks of k meet in float, in their order.
 *
 * All paths give the same bits.  A row is 0 where its length is below 1e-15, and NaN where it is not finite
 * or beyond 1e19. */
#ifndef MO_MATH_I16_H
#define MO_MATH_I16_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "math/tensor.h"

#define MO_I16_K 512
#define MO_I16_LDA (MO_I16_K + 32)
#define MO_I16_ONE 32750.0f

/* The largest whole number of rows of k inputs that come reduced: with it, too, no sum of a block of k leaves 32 bits. */
int32_t mo_i16_most(size_t k);

/* c [m x n] = add + bias + (a [m x 2 pairs] panels) a_scale w_scale; as mo_tile. */
typedef struct mo_i16_tile {
    size_t m, n, pairs;
    const int16_t *a; /* a[i * MO_I16_LDA + p] */
    const int16_t *w; /* panel j starts at w + j * panel */
    size_t panel;
    const float *a_scale; /* a_scale[i] */
    const float *w_scale; /* w_scale[j * scales + column] */
    size_t scales;
    float *c;
    size_t ldc;
    const float *add;
    size_t ldadd;
    const float *bias;
    float top;    /* as in mo_tile */
    int16_t *c16; /* NULL, or instead of c, times `to`, to nearest even; top is 6 then */
    float to;
    const int16_t *next; /* NULL, or panels that will be wanted soon, laid out as w, */
    size_t next_every;   /* one step of them to be fetched every so many steps */
} mo_i16_tile;

typedef struct mo_i16_kern {
    const char *name;
    size_t tile_rows, tile_panels;
    void (*tile)(const mo_i16_tile *t);
    /* q [rows of MO_I16_LDA] and scale [rows] of x [rows x k], k up to MO_I16_K; one zero behind an odd k. */
    void (*quantize)(int16_t *q, float *scale, const float *x, size_t ldx, size_t rows, size_t k);
} mo_i16_kern;

/* What turns x into q and back, from the sum of squares. */
typedef struct mo_i16_scale {
    float to, back;
} mo_i16_scale;

static inline mo_i16_scale mo_i16_scale_of(float square)
{
    if (!(square <= FLT_MAX)) return (mo_i16_scale){0, NAN};
    if (square < 1e-30f) return (mo_i16_scale){0, 0};
    const float length = sqrtf(square);
    return (mo_i16_scale){MO_I16_ONE / length, length / MO_I16_ONE};
}

/* To nearest even, |x| below 2^22. */
static inline int16_t mo_i16_round(float x)
{
    const float big = 12582912.0f; /* 1.5 x 2^23: beside it a float has no bits left for a fraction */
    return (int16_t)(x + big - big);
}

/* What goes with the live table of kern.h.  The kernels themselves, for tests; what the CPU lacks crashes, but for
 * mo_i16_avxvnni, which is NULL where CPU or compiler lacks it. */
const mo_i16_kern *mo_i16_get(void);
const mo_i16_kern *mo_i16_plain(void);
const mo_i16_kern *mo_i16_avx2(void);
const mo_i16_kern *mo_i16_avxvnni(void);
const mo_i16_kern *mo_i16_vnni(void);
const mo_i16_kern *mo_i16_neon(void);
const mo_i16_kern *mo_i16_simd128(void);

#endif
