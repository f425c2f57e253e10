/* SPDX-License-Identifier: MIT
 * ukernel.h - BLIS: its micro-kernel for floats, and its whole product.
 *
 * The micro-kernel multiplies two packed panels into a tile of c and takes no memory.  BLIS's own product takes
 * some, and ends the process where there is none: nothing but the bench calls it. */
#ifndef MO_MATH_UKERNEL_H
#define MO_MATH_UKERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fail.h"

/* One side of a tile: how many rows (or columns) it has, and how many numbers of a packed panel stand for one
 * step of k; the panel begins at a multiple of 64 bytes. */
typedef struct mo_ukernel_side {
    size_t n, pack;
} mo_ukernel_side;

/* The micro-kernel that BLIS chose for this processor.  by_rows: it writes the rows of c best. */
typedef struct mo_ukernel {
    mo_ukernel_side rows, cols;
    bool by_rows;
} mo_ukernel;

/* Floats behind a panel that the micro-kernel may read (and drops). */
#define MO_UKERNEL_SLACK 256

/* c[i rs + j cs] (+)= sum over k of a[p rows.pack + i] b[p cols.pack + j], i < m <= rows.n, j < n <= cols.n. */
typedef struct mo_ukernel_tile {
    const float *a, *b;
    float *c;
    size_t m, n, k, rs, cs;
    bool add;
} mo_ukernel_tile;

/* Starts BLIS, once.  NOMEM: there is no room for it, and it was not started.  Any thread. */
mopd_status mo_ukernel_prepare(void);

/* After mo_ukernel_prepare. */
const mo_ukernel *mo_ukernel_get(void);
void mo_ukernel_run(const mo_ukernel_tile *tile);

/* c [m x n] = a [m x k] b [k x n] by BLIS on one thread (small-matrix path off): what the bench compares
 * with.  ARG for a size BLIS would abort on.  Aborts without memory. */
mopd_status mo_ukernel_product(float *c, const float *a, const float *b, size_t m, size_t n, size_t k);

/* "BLIS penryn": the set of kernels it has chosen; "BLIS" where it cannot be started. */
const char *mo_ukernel_name(void);

#endif
