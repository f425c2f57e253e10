/* SPDX-License-Identifier: MIT
 * gemm_epilogue.c - bias, activation and residual over finished rows and columns of a product. */
#include "math/gemm_epilogue.h"

#include <string.h>

void mo_gemm_epilogue_row(const mo_kern *kern, float *c, const float *x, const mo_gemm_epilogue *e, size_t n)
{
    if (e->add) {
        kern->add(c, x, e->add, n);
        x = c;
    }
    if (e->bias)
        kern->add(c, x, e->bias, n);
    else if (x != c)
        memcpy(c, x, n * sizeof *c);
    if (e->top > 0) (e->top > 6 ? kern->relu : kern->relu6)(c, c, 0, 1, n);
}

void mo_gemm_epilogue_finish(const mo_kern *kern, const mo_gemm_args *g, const mo_gemm_area *area)
{
    if (g->act == MO_ACT_NONE || g->act == MO_ACT_RELU || g->c16) return;
    const size_t m = area->r1 - area->r0, n = area->c1 - area->c0, ldc = g->ldc;
    float *c = g->c + area->r0 * ldc + area->c0;
    if (g->act == MO_ACT_QUICK_GELU) kern->quick_gelu(c, c, ldc, m, n);
    if (g->act == MO_ACT_GELU) kern->gelu(c, c, ldc, m, n);
    if (g->act == MO_ACT_GELU_TANH) kern->gelu_tanh(c, c, ldc, m, n);
    if (!g->residual) return;
    for (size_t i = area->r0; i < area->r1; i++, c += ldc)
        kern->add(c, c, g->residual + i * g->ldr + area->c0, n);
}
