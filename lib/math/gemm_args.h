/* SPDX-License-Identifier: MIT
 * gemm_args.h - what one product with a packed matrix is asked for. */
#ifndef MO_MATH_GEMM_ARGS_H
#define MO_MATH_GEMM_ARGS_H

#include <stdint.h>

#include "math/tensor.h"

/* c[m x n] = act(a[m x k] W^T + bias) + residual; with RELU the residual stands inside: act(... + residual).  It may
 * be c itself when act is NONE or RELU; a must not overlap c. */
typedef struct mo_gemm_args {
    float *c;
    size_t ldc;
    const float *a;
    size_t lda;
    size_t m;
    const float *bias;     /* n floats or NULL */
    const float *residual; /* [m x n], ldr floats a row, or NULL */
    size_t ldr;
    mo_act act;
    size_t first, n; /* only outputs first .. first+n-1 (first a multiple of 16); n = 0: all from first on.
                        c, bias and residual start at output `first` */
    /* Whole numbers instead of floats (math/fix.h), each NULL or: rows of a matrix of kind i16, a16 times a16_scale, none
     * above mo_i16_most; act(...) c16_to, to nearest even, of kind i8, or of kind i16 and no more than MO_I16_K inputs, with RELU6
     * and no residual. */
    const int16_t *a16;
    float a16_scale;
    int16_t *c16;
    float c16_to;
    /* NULL, or memory that nobody needs meanwhile, at a multiple of 64: for rows of many inputs that are reduced before. */
    void *room;
    size_t room_bytes;
} mo_gemm_args;

#endif
