/* SPDX-License-Identifier: MIT
 * gemm_f64.h - products of matrices in double precision, for the heads in closed form. */
#ifndef MO_MATH_GEMM_F64_H
#define MO_MATH_GEMM_F64_H

#include "base/fail.h"
#include "base/pool.h"

/* c [m x n] = a b (+ c when add): a[i][p] at a[i * ars + p * acs], b[p][j] at b[p * brs + j * bcs].  c overlaps
 * neither.  triangle: b[p][j] is 0 for p > j and is not read there.  lower: what lies above c's diagonal is not wanted and may
 * be anything. */
typedef struct mo_gemm_f64_args {
    double *c;
    size_t ldc;
    const double *a;
    size_t ars, acs;
    const double *b;
    size_t brs, bcs;
    size_t m, n, k;
    bool add, triangle, lower;
} mo_gemm_f64_args;

/* The same bits at any thread count.  NOMEM. */
mopd_status mo_gemm_f64(mo_pool *pool, const mo_gemm_f64_args *args);

#endif
