/* SPDX-License-Identifier: MIT
 * mat_i16.c - packed weights from float to 16-bit integers with scales (math/i16.h). */
#include "base/ints.h"
#include "base/mem.h"
#include "math/bf16.h"
#include "math/i16.h"

size_t mo_mat_i16_pairs(size_t k)
{
    return mo_ceil_div(k, 2);
}

size_t mo_mat_i16_blocks(size_t k)
{
    return mo_ceil_div(k, MO_I16_K);
}

/* Inputs p0..p1 of one panel: sixteen columns side by side. */
static void narrow_block(int16_t *q, float *scale, const float *w, size_t k)
{
    float square[MO_PANEL] = {0}, to[MO_PANEL];
    for (size_t i = 0; i < k; i++)
        for (size_t o = 0; o < MO_PANEL; o++) square[o] += w[i * MO_PANEL + o] * w[i * MO_PANEL + o];
    bool whole = true;
    for (size_t o = 0; o < MO_PANEL; o++) {
        const mo_i16_scale s = mo_i16_scale_of(square[o]);
        whole = whole && s.back == s.back;
        to[o] = s.to;
        scale[o] = s.back;
    }
    for (size_t i = 0; i < k; i++)
        for (size_t o = 0; o < MO_PANEL; o++) {
            const float x = w[i * MO_PANEL + o];
            q[i / 2 * 2 * MO_PANEL + 2 * o + i % 2] = whole || to[o] > 0 ? mo_i16_round(x * to[o]) : 0;
        }
    for (size_t o = 0; k % 2 && o < MO_PANEL; o++) q[k / 2 * 2 * MO_PANEL + 2 * o + 1] = 0;
}

static mopd_status quantize(mo_mat *mat)
{
    const size_t panels = mo_ceil_div(mat->n, MO_PANEL), pairs = mo_mat_i16_pairs(mat->k);
    const size_t blocks = mo_mat_i16_blocks(mat->k), scales = panels * blocks * MO_PANEL;
    /* Not more than the floats there were, or twice and sixteen of them: no overflow. */
    float *scale = mo_mem_alloc(scales + panels * pairs * MO_PANEL, sizeof *scale);
    if (!scale) return MOPD_E_NOMEM;
    int16_t *q = (int16_t *)(void *)(scale + scales);
    for (size_t j = 0; j < panels; j++)
        for (size_t b = 0; b < blocks; b++) {
            const size_t p0 = mo_cut(pairs, blocks, b), p1 = mo_cut(pairs, blocks, b + 1);
            const size_t k = mo_min(2 * p1, mat->k) - 2 * p0;
            narrow_block(q + (j * pairs + p0) * 2 * MO_PANEL, scale + (j * blocks + b) * MO_PANEL,
                mat->panels + (j * mat->k + 2 * p0) * MO_PANEL, k);
        }
    mo_mem_free(mat->owned);
    *mat = (mo_mat){.n = mat->n, .k = mat->k, .owned = scale, .i16 = q, .i16_scale = scale};
    return MOPD_OK;
}

mopd_status mo_mat_quantize(mo_mat *mat)
{
    bool done = false;
    const mopd_status st = mo_bf16_wanted(mat->n, mat->k) ? mo_gemm_onednn_quantize(mat, &done) : MOPD_OK;
    return st == MOPD_OK && !done ? quantize(mat) : st;
}

void mo_mat_i16_row(const mo_mat *mat, size_t o, float *row)
{
    const size_t pairs = mo_mat_i16_pairs(mat->k), blocks = mo_mat_i16_blocks(mat->k), j = o / MO_PANEL;
    const int16_t *q = mat->i16 + (j * pairs * MO_PANEL + o % MO_PANEL) * 2;
    for (size_t b = 0; b < blocks; b++) {
        const float scale = mat->i16_scale[(j * blocks + b) * MO_PANEL + o % MO_PANEL];
        const size_t end = mo_min(2 * mo_cut(pairs, blocks, b + 1), mat->k);
        for (size_t p = 2 * mo_cut(pairs, blocks, b); p < end; p++)
            row[p] = scale * q[p / 2 * 2 * MO_PANEL + p % 2];
    }
}
