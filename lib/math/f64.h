/* SPDX-License-Identifier: MIT
 * f64.h - the inner loops in double precision, a table for each instruction set.
 *
 *     c [m x n] (+)= a b      a: k columns of `rows` numbers, b: k rows of `cols` numbers, both packed
 *
 * An element is one chain of multiply-adds over k: its bits depend on its row of a and its column of b alone.
 *
 * And the sums over classes that a likelihood of two weights needs, with its first and second derivatives. */
#ifndef MO_MATH_F64_H
#define MO_MATH_F64_H

#include <stdbool.h>
#include <stddef.h>

#define MO_F64_COLS 16 /* columns of a tile, on every path */
#define MO_F64_MOST_ROWS 12

typedef struct mo_f64_tile {
    size_t m, n, k;  /* 1..rows, 1..MO_F64_COLS, at least 1 */
    const double *a; /* a[p * rows + i] */
    const double *b; /* b[p * MO_F64_COLS + j] */
    double *c;       /* c[i * ldc + j] */
    size_t ldc;
    bool add;
} mo_f64_tile;

/* With logits a x + b z over n classes: e = exp(logit - most of them), and x, z less those of class y. */
typedef struct mo_f64_blend {
    size_t n, y;
    const double *x, *z; /* n */
    double a, b;
} mo_f64_blend;

typedef struct mo_f64_sums {
    double most, e, ex, ez, exx, exz, ezz; /* sums of e, e x, e z, e x^2, e x z, e z^2 */
} mo_f64_sums;

typedef struct mo_f64_kern {
    size_t rows; /* of a tile, at most MO_F64_MOST_ROWS */
    void (*tile)(const mo_f64_tile *t);
    /* to[p * rows + i] = from[i * ars + p * acs], for all rows of a tile and p < depth */
    void (*pack)(double *to, const double *from, size_t ars, size_t acs, size_t depth);
    mo_f64_sums (*blend)(const mo_f64_blend *of);
} mo_f64_kern;

/* What goes with the live table of kern.h. */
const mo_f64_kern *mo_f64_get(void);

/* The tables themselves, for tests: NULL where this build has none.  What the CPU lacks crashes. */
const mo_f64_kern *mo_f64_plain(void);
const mo_f64_kern *mo_f64_avx2(void);
const mo_f64_kern *mo_f64_avx512(void);

#endif
