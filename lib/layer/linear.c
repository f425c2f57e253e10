/* SPDX-License-Identifier: MIT
 * linear.c - packs a frozen linear layer and runs it forward and backward to its input. */
#include "layer/linear.h"

#include <string.h>

#include "base/mem.h"
#include "base/view.h"

#define MAX_PARTS 8

static mopd_status pack_bias(mo_linear *out, const mo_linear_part *parts, size_t n_parts)
{
    bool any = false;
    for (size_t i = 0; i < n_parts; i++) any = any || parts[i].bias;
    if (!any) return MOPD_OK;
    out->bias = mo_mem_calloc(out->w.n, sizeof *out->bias);
    if (!out->bias) return MOPD_E_NOMEM;
    size_t o = 0;
    for (size_t i = 0; i < n_parts; i++) {
        const mo_view *bias = parts[i].bias;
        const size_t n = parts[i].weight->n / out->w.k;
        if (bias && bias->n != n) return mo_fail(MOPD_E_MISMATCH, "bias of %zu for %zu outputs", bias->n, n);
        if (bias && !mo_view_floats(bias, 0, n, out->bias + o))
            return mo_fail(MOPD_E_UNSUPPORTED, "bias of type %s", mo_dtype_name(bias->dtype));
        o += n;
    }
    return MOPD_OK;
}

mopd_status mo_linear_pack(mo_linear *out, const mo_linear_part *parts, size_t n_parts)
{
    return mo_linear_lay(out, parts, n_parts, MO_PRECISION_F32);
}

mopd_status mo_linear_lay(mo_linear *out, const mo_linear_part *parts, size_t n_parts, mo_precision precision)
{
    *out = (mo_linear){0};
    if (n_parts < 1 || n_parts > MAX_PARTS)
        return mo_fail(MOPD_E_INTERNAL, "linear layer of %zu parts", n_parts);
    mo_mat_part weights[MAX_PARTS];
    for (size_t i = 0; i < n_parts; i++) weights[i] = (mo_mat_part){parts[i].weight, parts[i].in_out};
    mopd_status st = mo_mat_lay(&out->w, weights, n_parts, precision);
    if (st == MOPD_OK && !out->w.ops) st = mo_mat_pack(&out->w, weights, n_parts);
    if (st == MOPD_OK) st = pack_bias(out, parts, n_parts);
    if (st != MOPD_OK) mo_linear_free(out);
    return st;
}

void mo_linear_free(mo_linear *linear)
{
    if (!linear) return;
    mo_mat_free(&linear->w);
    mo_mem_free(linear->bias);
    *linear = (mo_linear){0};
}

void mo_linear_fwd(
    mo_pool *pool, float *y, const float *x, const mo_linear *linear, const mo_linear_call *call)
{
    mo_gemm(pool, &linear->w,
        &(mo_gemm_args){.c = y,
            .ldc = linear->w.n,
            .a = x,
            .lda = linear->w.k,
            .m = call->rows,
            .bias = linear->bias,
            .residual = call->residual,
            .ldr = linear->w.n,
            .act = call->act,
            .room = call->room,
            .room_bytes = call->room_bytes});
}

void mo_linear_bwd(mo_pool *pool, float *dx, const float *dy, const mo_mat *wt, size_t rows)
{
    mo_gemm(pool, wt, &(mo_gemm_args){.c = dx, .ldc = wt->n, .a = dy, .lda = wt->k, .m = rows});
}
