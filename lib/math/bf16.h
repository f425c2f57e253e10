/* SPDX-License-Identifier: MIT
 * bf16.h - what computes the products asked for in bf16: bfloat16 on CPUs with AMX, 16-bit integers (i16.h) elsewhere,
 * which are several times faster there, and nearer to float.
 *
 * A tile is 16 rows by 32 inputs of A, or 16 pairs of inputs by 16 outputs of W.  One step adds the products of a tile of
 * each to 16 x 16 sums, as TDPBF16PS does (Intel's Software Developer's Manual, volume 2):
 *
 *     even = sum over p of a[2p] w[2p], odd = sum over p of a[2p+1] w[2p+1]     p = 0 .. 15, one after the other, in float
 *     sum += even + odd
 *
 * A product of two bfloat16 is exact in float, so plain C gives the same bits, but for numbers below 1e-38, which AMX takes
 * for zero. */
#ifndef MO_MATH_BF16_H
#define MO_MATH_BF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

#define MO_BF16_ROWS 16                            /* of a tile, and outputs of one */
#define MO_BF16_STEP 32                            /* inputs of a tile */
#define MO_BF16_TILE (MO_BF16_ROWS * MO_BF16_STEP) /* numbers */
#define MO_BF16_BLOCK (2 * MO_BF16_ROWS)           /* rows and outputs of a block, at most */

/* out [m x n] = clamp(start + bias + a w), a block of two by two tiles at most. */
typedef struct mo_bf16_block {
    size_t m, n, steps;
    const uint16_t *a; /* tiles, step after step; those of rows 16 .. begin at a + lower; zeros beyond m */
    size_t lower;
    const uint16_t *w; /* tiles; those of outputs 16 .. begin at w + right */
    size_t right;
    const float *start; /* NULL: zeros; may be out */
    size_t ldstart;
    const float *bias; /* NULL: zeros */
    float top;         /* 0: no clamp; else to 0..top */
    float *out;
    size_t ldout;
} mo_bf16_block;

typedef struct mo_bf16_kern {
    const char *name;
    void (*begin)(void); /* before the blocks and behind them, in the thread that computes them */
    void (*end)(void);
    void (*block)(const mo_bf16_block *b);
    /* One row of k numbers as the row of tiles that begin MO_BF16_TILE apart: to nearest even, zeros up to a whole step. */
    void (*round)(uint16_t *to, const float *x, size_t k);
} mo_bf16_kern;

/* The kernels themselves, for tests; NULL where CPU, system or compiler lacks AMX. */
const mo_bf16_kern *mo_bf16_plain(void);
const mo_bf16_kern *mo_bf16_amx(void);

/* Chooses "bfloat16" (AMX where it is, else plain C: slow, for tests) or "integers"; NULL: what suits the CPU.  ARG for
 * another word.  Call while nothing is computing. */
mopd_status mo_bf16_set(const char *name);

/* False when the environment's MOPD_BF16 asks for what is not there (and mo_bf16_set was not called). */
bool mo_bf16_as_wished(void);
/* The same as a status: ARG for another word. */
mopd_status mo_bf16_check(void);

/* NULL: integers. */
const mo_bf16_kern *mo_bf16_get(void);
/* Are these products those of bfloat16?  Small ones are not, unless it was asked for by name. */
bool mo_bf16_wanted(size_t n, size_t k);
/* In words: "amx", "vnni". */
const char *mo_bf16_name(void);

#endif
