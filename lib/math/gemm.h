/* SPDX-License-Identifier: MIT
 * gemm.h - matrix products: weights packed once, bias, activation and residual in the write-back, rows
 * shared by a pool.
 *
 * One element is one chain of fused multiply-adds over k in blocks of a fixed size: its bits depend on its
 * row of A and its column of W only, never on m, on other rows or on threads. */
#ifndef MO_MATH_GEMM_H
#define MO_MATH_GEMM_H

#include "base/pool.h"
#include "math/gemm_args.h"
#include "math/mat.h"

/* c = act(a W^T + bias) + residual: gemm_args.h. */
void mo_gemm(mo_pool *pool, const mo_mat *w, const mo_gemm_args *args);

/* General product c[m x n] = alpha a b (+ c when add): a[i][p] at a[i * ars + p * acs], b[p][j] at b[p *
 * brs + j * bcs].  Nothing is packed beforehand; c must not overlap a or b. */
typedef struct mo_gemm_raw_args {
    float *c;
    size_t ldc;
    const float *a;
    size_t ars, acs;
    const float *b;
    size_t brs, bcs;
    size_t m, n, k;
    float alpha;
    bool add;
} mo_gemm_raw_args;

void mo_gemm_raw(mo_pool *pool, const mo_gemm_raw_args *args);

/* The live kernel in words, for mopd_build_info: "avx512 9x48", "BLIS penryn", "plain 4x16". */
const char *mo_gemm_name(void);

#endif
