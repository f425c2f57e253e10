/* SPDX-License-Identifier: MIT
 * gemm.h - matrix products: weights packed once, bias, activation and residual in the write-back, rows
 * shared by a pool.
 *
 * A weight matrix n x k (outputs x inputs, y = W x) is packed into panels of 16 outputs: panel j holds
 * p[(j * k + i) * 16 + o] = W[16 j + o][i], zeros beyond n.  The layout is the same for every CPU path, so
 * it may be stored in a file and mapped.
 *
 * One element is one chain of fused multiply-adds over k in blocks of a fixed size: its bits depend on its
 * row of A and its column of W only, never on m, on other rows or on threads. */
#ifndef MO_MATH_GEMM_H
#define MO_MATH_GEMM_H

#include "base/mem.h"
#include "base/pool.h"
#include "base/view.h"
#include "math/tensor.h"

#define MO_PANEL 16

typedef struct mo_mat {
    size_t n, k;         /* outputs, inputs */
    const float *panels; /* mo_mat_floats(n, k) floats at a multiple of 64 bytes */
    float *owned;        /* what mo_mat_free frees; NULL when the panels lie in a mapped file */
    const int16_t *i16;  /* instead of panels, in reduced precision: see math/i16.h */
    const float *i16_scale;
    const struct mo_onednn_plan *onednn; /* instead of both, `owned` packed by oneDNN: see math/onednn.h */
} mo_mat;

/* A stored matrix that becomes some outputs of a mo_mat.  shape [outputs][inputs], as a Linear layer stores
 * it, or [inputs][outputs] when `in_out` is set (OpenAI's proj).  More than two dims: all but the first are
 * the inputs (convolutions).  F32, F16, BF16 or F64. */
typedef struct mo_mat_part {
    const mo_view *view;
    bool in_out;
} mo_mat_part;

/* Floats of a packed n x k matrix, 0 on overflow. */
size_t mo_mat_floats(size_t n, size_t k);

/* Packs parts stacked one below the other (q, k, v as one matrix).  All need the same number of inputs
 * (MISMATCH).  NOMEM, UNSUPPORTED for another dtype.  mo_mat_free frees it. */
mopd_status mo_mat_pack(mo_mat *out, const mo_mat_part *parts, size_t n_parts);

/* The same into the caller's memory (mo_mat_floats(n, k) floats at a multiple of 64 bytes), which out then
 * points to. */
mopd_status mo_mat_pack_at(mo_mat *out, float *panels, const mo_mat_part *parts, size_t n_parts);

/* Panels packed before (a mapped file); nothing is copied. */
void mo_mat_view(mo_mat *out, const float *panels, size_t n, size_t k);

/* out = in transposed, for backward passes: dX = dY W.  NOMEM. */
mopd_status mo_mat_transpose(mo_mat *out, const mo_mat *in);

/* From now on the products of mat are in reduced precision (math/bf16.h); its floats are freed.  Such a matrix is
 * not transposed.  NOMEM leaves mat as it was. */
mopd_status mo_mat_quantize(mo_mat *mat);

/* Row o of W, k floats (for tests and for single rows). */
void mo_mat_row(const mo_mat *mat, size_t o, float *row);
void mo_mat_free(mo_mat *mat);

/* c[m x n] = act(a[m x k] W^T + bias) + residual.  residual may be c itself when act is NONE; a must not
 * overlap c. */
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
} mo_gemm_args;

void mo_gemm(mo_pool *pool, const mo_mat *w, const mo_gemm_args *args);

/* What follows a product, over finished rows and columns: the activation, then the residual that comes after
 * one. */
struct mo_kern;
void mo_gemm_finish(
    const struct mo_kern *kern, const mo_gemm_args *g, const size_t rows[2], const size_t cols[2]);

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

/* The live kernel in words, for mopd_build_info: "avx512 9x48", "BLIS penryn". */
const char *mo_gemm_name(void);

/* c [m x n] = a [m x k] b [k x n] by BLIS on one thread (small-matrix path off): what the bench compares
 * with.  ARG for a size BLIS would abort on. */
mopd_status mo_gemm_blis(float *c, const float *a, const float *b, size_t m, size_t n, size_t k);

#endif
