/* SPDX-License-Identifier: MIT
 * i8.h - products of 8-bit integers: rows with one scale and one zero each, weights with one scale for each output.
 *
 *     x = scale (q - zero), q = 0 .. 255      scale = (highest - lowest) / 255, where 0 always is among a row's numbers
 *     w = scale q,          q = -127 .. 127   see below
 *     y = (sum of q of x times q of w  -  zero times sum of q of w) scale of x times scale of w
 *
 * The sums are whole numbers that fit 32 bits for up to 65536 inputs, so they are exact, whoever adds them in
 * whatever order, and all paths give the same bits.
 *
 * AVX2 adds two products in 16 bits and cuts what does not fit (vpmaddubsw).  So that nothing is ever cut, the two weights
 * of a pair, inputs 2i and 2i + 1 of one output, that have the same sign are not more than 127 together: the scale is the
 * largest such sum / 127.  This costs a third of a bit on weights that are spread like a bell, and quantizing what was
 * quantized gives the same numbers again.
 *
 * A row or an output is 0 where its numbers span less than 1e-30, and NaN where one of them is not finite or the span is not. */
#ifndef MO_MATH_I8_H
#define MO_MATH_I8_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "math/tensor.h"

#define MO_I8_STEP 64       /* inputs: rows and weights end with zeros up to a multiple of it */
#define MO_I8_MOST 32768    /* a row of so many has room on the stack */
#define MO_I8_QUAD (4 * 16) /* weights: four inputs of the sixteen outputs of a panel */

/* c [m x n] = clamp(a w + add + bias); as mo_tile. */
typedef struct mo_i8_tile {
    size_t m, n, quads; /* quads of inputs, the last one filled up with zeros */
    const uint8_t *a;   /* a[i * lda + p] */
    size_t lda;
    const int8_t *w; /* panel j starts at w + j * panel; its quads lie one after the other */
    size_t panel;
    const float *a_scale; /* of row i */
    const int32_t *a_zero;
    const float *w_scale; /* of column j, whole panels */
    const int32_t *w_sum;
    float *c;
    size_t ldc;
    const float *add;
    size_t ldadd;
    const float *bias;
    float top;
    int16_t *c16; /* as in mo_i16_tile */
    float to;
    const int8_t *next; /* as in mo_i16_tile, in steps of a quad */
    size_t next_every;
} mo_i8_tile;

/* Rows as they are multiplied: q[i * ld + p]. */
typedef struct mo_i8_rows {
    uint8_t *q;
    size_t ld;
    float *scale;
    int32_t *zero;
} mo_i8_rows;

typedef struct mo_i8_kern {
    const char *name;
    size_t tile_rows, tile_panels;
    size_t room; /* bytes of rows that are best multiplied one after the other with the same weights */
    /* 0, or: tiles of up to so many rows read as many as begin was told, wanted or not, and higher ones twice as many. */
    size_t half;
    size_t
        least; /* of those rows, for which the kernel is worth its while; for fewer, and in tests, there is: */
    const struct mo_i8_kern *(*wider)(void); /* NULL: this one is for any number */
    /* Before tiles and behind them, in the thread that computes them; NULL: nothing.  rows: 1 .. half. */
    void (*begin)(size_t rows);
    void (*end)(void);
    void (*tile)(const mo_i8_tile *t);
    /* Rows of x [rows x k], zeros behind them up to a whole step. */
    void (*quantize)(const mo_i8_rows *to, const float *x, size_t ldx, size_t rows, size_t k);
} mo_i8_kern;

/* What turns x into q and back. */
typedef struct mo_i8_scale {
    float to, back;
    int32_t zero;
} mo_i8_scale;

/* To nearest even, |x| below 2^22. */
static inline int32_t mo_i8_round(float x)
{
    const float big = 12582912.0f; /* 1.5 x 2^23: beside it a float has no bits left for a fraction */
    return (int32_t)(x + big - big);
}

/* Of a row whose numbers lie in -below .. above, both >= 0 or no number. */
static inline mo_i8_scale mo_i8_scale_of(float below, float above)
{
    const float span = below + above;
    if (!(span <= FLT_MAX)) return (mo_i8_scale){0, NAN, 0};
    if (span < 1e-30f) return (mo_i8_scale){0, 0, 0};
    const float to = 255.0f / span;
    return (mo_i8_scale){to, span / 255.0f, mo_i8_round(below * to)};
}

/* What goes with the live table of kern.h, or what mo_i8_set has set: for tests, while nothing is computing; NULL: what goes
 * with the table.  The kernels themselves, for tests; what the CPU lacks crashes, but for mo_i8_amx and mo_i8_avxvnni, which
 * are NULL where CPU, system or compiler lacks it. */
const mo_i8_kern *mo_i8_get(void);
void mo_i8_set(const mo_i8_kern *kern);
const mo_i8_kern *mo_i8_plain(void);
const mo_i8_kern *mo_i8_avx2(void);
const mo_i8_kern *mo_i8_avxvnni(void);
const mo_i8_kern *mo_i8_vnni(void);
const mo_i8_kern *mo_i8_amx(void);
const mo_i8_kern *mo_i8_dot(void); /* NULL where the CPU lacks it */
const mo_i8_kern *mo_i8_simd128(void);

#endif
