/* SPDX-License-Identifier: MIT
 * mat.h - weight matrices, packed once for all the products they are used in.
 *
 * A matrix of floats n x k (outputs x inputs, y = W x) is packed into panels of 16 outputs: panel j holds p[(j
 * * k + i) * 16 + o] = W[16 j + o][i], zeros beyond n.  The layout is the same for every CPU path, so it may be
 * stored in a file and mapped.  Other kinds have layouts of their own, which only their file knows.
 *
 * How products are made with a matrix is chosen when it is packed or quantized: gemm_ops.h. */
#ifndef MO_MATH_MAT_H
#define MO_MATH_MAT_H

#include "base/mem.h"
#include "base/view.h"
#include "math/tensor.h"

#define MO_PANEL MO_VIEW_PANEL

/* How the products of a matrix are made. */
typedef enum mo_precision {
    MO_PRECISION_F32,
    MO_PRECISION_16, /* 16 bits a number: math/bf16.h */
    MO_PRECISION_8   /* 8 bits a number: math/i8.h */
} mo_precision;

struct mo_gemm_ops;

typedef struct mo_mat {
    size_t n, k; /* outputs, inputs */
    const struct mo_gemm_ops *ops;
    const void *packed; /* the weights as ops has them; floats: panels at a multiple of 64 bytes */
    const void *extra;  /* what ops needs beside them, or NULL */
    void *owned;        /* what mo_mat_free frees, or NULL */
    bool mapped;        /* packed lies in a file, or in other bytes that are not this matrix's */
} mo_mat;

/* A stored matrix that becomes some outputs of a mo_mat.  shape [outputs][inputs], as a Linear layer stores
 * it, or [inputs][outputs] when `in_out` is set (OpenAI's proj).  More than two dims: all but the first are
 * the inputs (convolutions).  F32, F16, BF16, F64, or I8 with scales. */
typedef struct mo_mat_part {
    const mo_view *view;
    bool in_out;
} mo_mat_part;

/* Floats of a packed n x k matrix, 0 on overflow. */
size_t mo_mat_floats(size_t n, size_t k);

/* Packs parts stacked one below the other (q, k, v as one matrix).  All need the same number of inputs
 * (MISMATCH).  Parts that lie one behind the other as panels of F32 at a multiple of 64 bytes are used where they
 * lie.  NOMEM, UNSUPPORTED for another dtype.  mo_mat_free frees it. */
mopd_status mo_mat_pack(mo_mat *out, const mo_mat_part *parts, size_t n_parts);

/* *out = parts that are stored as numbers that products of this precision read, here and now: used where they lie, if they are
 * panels, or copied; *out is zero, without operations, where they have to be packed and quantized.  MISMATCH, NOMEM. */
mopd_status mo_mat_lay(mo_mat *out, const mo_mat_part *parts, size_t n_parts, mo_precision precision);

/* Do parts lie in panels of k inputs, `group` of them side by side, one behind the other from a multiple of 64 bytes on? */
bool mo_mat_parts_lie(const mo_mat_part *parts, size_t n_parts, size_t k, mo_dtype dtype, size_t group);

/* Does mat use the bytes of this view where they lie? */
bool mo_mat_lies_in(const mo_mat *mat, const mo_view *view);

/* The same into the caller's memory (mo_mat_floats(n, k) floats at a multiple of 64 bytes), which out
 * then points to. */
mopd_status mo_mat_pack_at(mo_mat *out, float *panels, const mo_mat_part *parts, size_t n_parts);

/* Panels packed before (a mapped file); nothing is copied.  NOMEM, from BLIS. */
mopd_status mo_mat_view(mo_mat *out, const float *panels, size_t n, size_t k);

/* Are the weights there as floats?  Only then can they be transposed, quantized and multiplied from the left. */
bool mo_mat_has_floats(const mo_mat *mat);

/* out = in transposed, for backward passes: dX = dY W.  NOMEM; INTERNAL without floats. */
mopd_status mo_mat_transpose(mo_mat *out, const mo_mat *in);

/* The floats of mat are its own from now on, to be changed.  NOMEM; INTERNAL without floats. */
mopd_status mo_mat_own(mo_mat *mat);

/* From now on the products of mat are made so, and its floats are freed, unless precision is F32.  NOMEM leaves mat as
 * it was; INTERNAL without floats. */
mopd_status mo_mat_quantize(mo_mat *mat, mo_precision precision);

/* The same in 16-bit integers with scales (gemm_i16.c) on every processor: for matrices where the errors of bfloat16 or of
 * 8 bits cost too much. */
mopd_status mo_mat_quantize_finely(mo_mat *mat, mo_precision precision);

/* As mo_mat_quantize, finely where 8 bits are asked for: for a tower's first and last layers. */
mopd_status mo_mat_quantize_edge(mo_mat *mat, mo_precision precision);

/* y [k] = sum over o < n of q[o] W[first + o]: a row from the left, by some outputs.  first, n and k are
 * multiples of 16; needs floats. */
void mo_mat_product_transposed(float *y, const float *q, const mo_mat *mat, size_t first, size_t n);

/* Row o of W, k floats (for tests and for single rows). */
void mo_mat_row(const mo_mat *mat, size_t o, float *row);
void mo_mat_free(mo_mat *mat);

#endif
