/* SPDX-License-Identifier: MIT
 * gemm_epilogue.h - what follows a product, c = act(sum + bias) + residual, in one order for all kinds of weights.
 *
 *     no activation   c = (residual + sum) + bias       residual may be c
 *     relu6           c = clamp(sum + bias) + residual
 *     relu            c = clamp((residual + sum) + bias): what is added on the way around stands inside
 *     all gelus       c = gelu(sum + bias) + residual
 *
 * The sum over k comes in blocks that meet in c.  A micro-kernel adds what mo_gemm_epilogue_of says as it
 * writes a block back; mo_gemm_epilogue_finish does what is left when the last block is there. */
#ifndef MO_MATH_GEMM_EPILOGUE_H
#define MO_MATH_GEMM_EPILOGUE_H

#include <math.h>

#include "math/gemm_ops.h"

/* For one block of k, from one element on: block + add + bias, then the clamp. */
typedef struct mo_gemm_epilogue {
    const float *add; /* NULL, or rows that lie ldadd floats apart; may be c */
    size_t ldadd;
    const float *bias; /* NULL, or floats beside the columns */
    float top;         /* 0: no clamp; else to 0..top */
} mo_gemm_epilogue;

/* Of the first block, of the last, of both or neither; `row` and `col` of the element in c. */
static inline mo_gemm_epilogue mo_gemm_epilogue_of(
    const mo_gemm_args *g, bool first, bool last, size_t row, size_t col)
{
    mo_gemm_epilogue e = {.add = NULL, .ldadd = g->ldc};
    if (!first) {
        e.add = g->c + row * g->ldc + col;
    } else if (g->residual && (g->act == MO_ACT_NONE || g->act == MO_ACT_RELU)) {
        e.add = g->residual + row * g->ldr + col;
        e.ldadd = g->ldr;
    }
    e.bias = last && g->bias ? g->bias + col : NULL;
    if (last && g->act == MO_ACT_RELU6) e.top = 6;
    if (last && g->act == MO_ACT_RELU) e.top = INFINITY;
    return e;
}

/* The same for who has no micro-kernel: c = clamp(x + add + bias), one row of n; c may be x. */
void mo_gemm_epilogue_row(const mo_kern *kern, float *c, const float *x, const mo_gemm_epilogue *e, size_t n);

/* The activation that no kernel does, and the residual that comes after an activation. */
void mo_gemm_epilogue_finish(const mo_kern *kern, const mo_gemm_args *g, const mo_gemm_area *area);

#endif
