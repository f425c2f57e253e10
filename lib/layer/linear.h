/* SPDX-License-Identifier: MIT
 * linear.h - y = act(x W^T + bias) + residual with frozen weights, and dx = dy W. */
#ifndef MO_LAYER_LINEAR_H
#define MO_LAYER_LINEAR_H

#include "base/view.h"
#include "math/gemm.h"

typedef struct mo_linear {
    mo_mat w;    /* n outputs x k inputs */
    float *bias; /* n floats, owned; or NULL */
} mo_linear;

/* A stored layer that becomes some outputs of a mo_linear. */
typedef struct mo_linear_part {
    const mo_view *weight; /* as in mo_mat_part */
    const mo_view *bias;   /* as many as the weight has outputs, or NULL: zeros when another part has one */
    bool in_out;
} mo_linear_part;

/* Packs parts stacked (at most 8).  NOMEM; MISMATCH with the numbers.  mo_linear_free frees it. */
mopd_status mo_linear_pack(mo_linear *out, const mo_linear_part *parts, size_t n_parts);
/* The same, but parts that lie in a file as products of this precision read them are used so (mo_mat_lay). */
mopd_status mo_linear_lay(
    mo_linear *out, const mo_linear_part *parts, size_t n_parts, mo_precision precision);
void mo_linear_free(mo_linear *linear);

/* y [rows x n] = act(x [rows x k] W^T + bias) + residual, which RELU has inside.  All dense. */
typedef struct mo_linear_call {
    size_t rows;
    mo_act act;
    const float *residual; /* NULL, or [rows x n]; may be y when act is NONE or RELU */
    void *room;            /* NULL, or as in mo_gemm_args */
    size_t room_bytes;
} mo_linear_call;

void mo_linear_fwd(
    mo_pool *pool, float *y, const float *x, const mo_linear *linear, const mo_linear_call *call);

/* dx [rows x k] = dy [rows x n] W; wt is W transposed (mo_mat_transpose). */
void mo_linear_bwd(mo_pool *pool, float *dx, const float *dy, const mo_mat *wt, size_t rows);

#endif
