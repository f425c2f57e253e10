/* SPDX-License-Identifier: MIT
 * gemm_f64.h - products of matrices in double precision, for the heads in closed form. */
#ifndef MO_MATH_GEMM_F64_H
#define MO_MATH_GEMM_F64_H

#include <stdint.h>

#include "base/fail.h"
#include "base/pool.h"

/* An a (m x k) that several products share, laid out as they read it. */
typedef struct mo_gemm_f64_rows {
    size_t m, k, height; /* height: rows that are put at once */
    double *packed;
} mo_gemm_f64_rows;

/* Rows that are still to be put.  NOMEM. */
mopd_status mo_gemm_f64_rows_create(mo_gemm_f64_rows *out, size_t m, size_t k);
void mo_gemm_f64_rows_free(mo_gemm_f64_rows *rows);

/* Rows first .. first+height-1, or to the last one, from x (rows of k numbers); first is a multiple of height. */
void mo_gemm_f64_rows_put(mo_gemm_f64_rows *rows, size_t first, const double *x);

/* c [m x n] = a b (+ c when add): a[i][p] at a[i * ars + p * acs], b[p][j] at b[p * brs + j * bcs].  c overlaps
 * neither.  rows: they are a, and m, k, a and its strides are not read.  triangle: b[p][j] is 0 for p > j and is not read
 * there.  low_a: a[i][p] is 0 for p > i.  low_b: b[p][j] is 0 for p < j, and n is k.  Only one of the two.  lower: what
 * lies above c's diagonal is not wanted and may be anything. */
typedef struct mo_gemm_f64_args {
    double *c;
    size_t ldc;
    const double *a;
    size_t ars, acs;
    const mo_gemm_f64_rows *rows; /* or NULL */
    const double *b;
    size_t brs, bcs;
    size_t m, n, k;
    bool add, triangle, low_a, low_b, lower;
} mo_gemm_f64_args;

/* The same bits at any thread count.  NOMEM. */
mopd_status mo_gemm_f64(mo_pool *pool, const mo_gemm_f64_args *args);

/* How far rows are from a centre after a product with b (k x n, as above), which nobody stores:
 *
 *     r_i = (rows_i - off_i) b - centre_w, w = whose[i]     lengths[i] = |r_i|^2     across[i] = <off_i b, r_i> */
typedef struct mo_gemm_f64_far {
    const mo_gemm_f64_rows *rows, *off; /* off NULL: 0 */
    const double *b;
    size_t brs, bcs, n;
    bool triangle;
    const double *centres; /* rows of n numbers */
    const int32_t *whose;
    double *lengths, *across; /* m each; across is not touched without off */
} mo_gemm_f64_far;

/* As above. */
mopd_status mo_gemm_f64_measure(mo_pool *pool, const mo_gemm_f64_far *far);

#endif
