/* SPDX-License-Identifier: MIT
 * mat.c - weight matrices in panels of 16 outputs: packed from stored tensors, transposed, quantized, read back. */
#include "math/mat.h"

#include <string.h>

#include "base/ints.h"
#include "math/gemm_ops.h"

/* The kinds of matrices; of those that would take some weights the first one does. */
static const mo_gemm_ops *const kinds[] = {&mo_gemm_bf16_ops, &mo_gemm_i16_ops,
#if defined(MOPD_BLIS)
    &mo_gemm_blis_ops,
#endif
    &mo_gemm_f32_ops};
#define N_KINDS (sizeof kinds / sizeof *kinds)

/* The same in 8 bits, and for matrices that are better off with 16 on every CPU. */
static const mo_gemm_ops *const kinds_of_8[] = {&mo_gemm_i8_ops, &mo_gemm_i16_ops};
static const mo_gemm_ops *const fine_kinds[] = {&mo_gemm_i16_ops};

/* *mat = panels of n x k, with the operations that are best for floats.  NOMEM. */
static mopd_status set(mo_mat *mat, const float *panels, size_t n, size_t k)
{
    *mat = (mo_mat){.n = n, .k = k, .packed = panels};
    for (size_t i = 0; i < N_KINDS && !mat->ops; i++) {
        mopd_status st = kinds[i]->prepare ? kinds[i]->prepare() : MOPD_OK;
        if (st != MOPD_OK) return st;
        if (kinds[i]->takes && kinds[i]->takes(n, k)) mat->ops = kinds[i];
    }
    return MOPD_OK;
}

bool mo_mat_has_floats(const mo_mat *mat)
{
    return mat->ops && mat->ops->takes;
}

size_t mo_mat_floats(size_t n, size_t k)
{
    size_t rows, floats;
    if (!mo_add(n, MO_PANEL - 1, &rows)) return 0;
    return mo_mul(rows / MO_PANEL * MO_PANEL, k, &floats) ? floats : 0;
}

/* Outputs and inputs of one stored part; false when it is no matrix. */
static bool part_size(const mo_mat_part *part, size_t *n, size_t *k)
{
    const mo_view *v = part->view;
    if (v->n_dims < 1 || (part->in_out && v->n_dims != 2)) return false;
    size_t inputs = 1;
    for (int i = 1; i < v->n_dims; i++)
        if (!mo_mul(inputs, v->shape[i], &inputs)) return false;
    *n = part->in_out ? inputs : v->shape[0];
    *k = part->in_out ? v->shape[0] : inputs;
    size_t all;
    return *n && *k && mo_mul(*n, *k, &all) && all == v->n;
}

static mopd_status parts_size(const mo_mat_part *parts, size_t n_parts, size_t *n, size_t *k)
{
    *n = *k = 0;
    for (size_t i = 0; i < n_parts; i++) {
        size_t pn, pk;
        if (!part_size(&parts[i], &pn, &pk))
            return mo_fail(MOPD_E_MISMATCH, "weight of %d dims and %zu elements is no matrix",
                parts[i].view->n_dims, parts[i].view->n);
        if (i && pk != *k)
            return mo_fail(
                MOPD_E_MISMATCH, "weights of %zu and %zu inputs cannot stand in one matrix", *k, pk);
        *k = pk;
        if (!mo_add(*n, pn, n)) return mo_fail(MOPD_E_MISMATCH, "weight of too many outputs");
    }
    if (!*n || !mo_mat_floats(*n, *k)) return mo_fail(MOPD_E_MISMATCH, "weight matrix %zu x %zu", *n, *k);
    return MOPD_OK;
}

#define CHUNK 512

static float *place(float *panels, size_t k, size_t o, size_t i)
{
    return panels + (o / MO_PANEL * k + i) * MO_PANEL + o % MO_PANEL;
}

/* Panels are in their order already. */
static bool copy_panels(float *panels, const mo_view *view)
{
    mo_view flat = *view;
    flat.panel_inputs = 0;
    return mo_view_floats(&flat, 0, flat.n, panels);
}

/* One stored part becomes outputs o0, o0 + 1 ... */
static bool pack_part(float *panels, size_t k, size_t o0, const mo_mat_part *part)
{
    const mo_view *v = part->view;
    if (v->panel_inputs == k && v->panel_group <= 1 && o0 % MO_PANEL == 0)
        return copy_panels(panels + o0 * k, v);
    const size_t line = part->in_out ? part->view->n / k : k, lines = part->view->n / line;
    float x[CHUNK];
    for (size_t l = 0; l < lines; l++)
        for (size_t c = 0; c < line; c += CHUNK) {
            const size_t n = mo_min(line - c, CHUNK);
            if (!mo_view_floats(part->view, l * line + c, n, x)) return false;
            if (part->in_out)
                for (size_t j = 0; j < n; j++) *place(panels, k, o0 + c + j, l) = x[j];
            else
                for (size_t j = 0; j < n; j++) *place(panels, k, o0 + l, c + j) = x[j];
        }
    return true;
}

/* Zeros beyond output n. */
static void pad(float *panels, size_t n, size_t k)
{
    if (n % MO_PANEL == 0) return;
    for (size_t i = 0; i < k; i++)
        memset(place(panels, k, n, i), 0, (MO_PANEL - n % MO_PANEL) * sizeof *panels);
}

static mopd_status pack_all(float *panels, const mo_mat_part *parts, size_t n_parts, size_t n, size_t k)
{
    size_t o = 0;
    for (size_t i = 0; i < n_parts; i++) {
        if (!pack_part(panels, k, o, &parts[i]))
            return mo_fail(MOPD_E_UNSUPPORTED, "weights of type %s", mo_dtype_name(parts[i].view->dtype));
        o += parts[i].view->n / k;
    }
    pad(panels, n, k);
    return MOPD_OK;
}

mopd_status mo_mat_pack_at(mo_mat *out, float *panels, const mo_mat_part *parts, size_t n_parts)
{
    *out = (mo_mat){0};
    size_t n, k;
    mopd_status st = parts_size(parts, n_parts, &n, &k);
    if (st == MOPD_OK) st = pack_all(panels, parts, n_parts, n, k);
    return st == MOPD_OK ? set(out, panels, n, k) : st;
}

bool mo_mat_parts_lie(const mo_mat_part *parts, size_t n_parts, size_t k, mo_dtype dtype, size_t group)
{
    const unsigned char *at = parts[0].view->data;
    if ((uintptr_t)at % 64) return false;
    for (size_t i = 0; i < n_parts; i++) {
        const mo_view *v = parts[i].view;
        if (v->panel_inputs != k || mo_max(v->panel_group, 1) != group || v->dtype != dtype || v->data != at)
            return false;
        at += v->n * mo_dtype_size(dtype);
    }
    return true;
}

bool mo_mat_lies_in(const mo_mat *mat, const mo_view *view)
{
    const uintptr_t at = (uintptr_t)view->data, from = (uintptr_t)mat->packed;
    return mat->mapped && at >= from && at - from < mat->n * mat->k * mo_dtype_size(view->dtype);
}

mopd_status mo_mat_lay(mo_mat *out, const mo_mat_part *parts, size_t n_parts, mo_precision precision)
{
    const mo_gemm_ops *const *kind = precision == MO_PRECISION_8 ? kinds_of_8 : kinds;
    const size_t some = precision == MO_PRECISION_8 ? sizeof kinds_of_8 / sizeof *kinds_of_8 : N_KINDS;
    mo_mat made = {0};
    *out = made;
    if (precision == MO_PRECISION_F32) return MOPD_OK;
    mopd_status st = parts_size(parts, n_parts, &made.n, &made.k);
    for (size_t i = 0; i < some && st == MOPD_OK && !made.ops; i++)
        if (kind[i]->lay) st = kind[i]->lay(&made, parts, n_parts);
    if (st == MOPD_OK && made.ops) *out = made;
    return st;
}

mopd_status mo_mat_pack(mo_mat *out, const mo_mat_part *parts, size_t n_parts)
{
    *out = (mo_mat){0};
    size_t n, k;
    mopd_status st = parts_size(parts, n_parts, &n, &k);
    if (st != MOPD_OK) return st;
    if (mo_mat_parts_lie(parts, n_parts, k, MO_F32, 1)) return mo_mat_view(out, parts[0].view->data, n, k);
    float *panels = mo_mem_alloc(mo_mat_floats(n, k), sizeof *panels);
    if (!panels) return MOPD_E_NOMEM;
    st = mo_mat_pack_at(out, panels, parts, n_parts);
    if (st == MOPD_OK)
        out->owned = panels;
    else
        mo_mem_free(panels);
    return st;
}

mopd_status mo_mat_view(mo_mat *out, const float *panels, size_t n, size_t k)
{
    const mopd_status st = set(out, panels, n, k);
    out->mapped = true;
    return st;
}

static mopd_status need_floats(const mo_mat *mat, const char *what)
{
    if (mo_mat_has_floats(mat)) return MOPD_OK;
    return mo_fail(MOPD_E_INTERNAL, "matrix %zu x %zu without floats %s", mat->n, mat->k, what);
}

mopd_status mo_mat_own(mo_mat *mat)
{
    mopd_status st = need_floats(mat, "changed");
    if (st != MOPD_OK || mat->owned) return st;
    const size_t floats = mo_mat_floats(mat->n, mat->k);
    float *own = mo_mem_alloc(floats, sizeof *own);
    if (!own) return MOPD_E_NOMEM;
    mat->packed = mat->owned = memcpy(own, mat->packed, floats * sizeof *own);
    mat->mapped = false;
    return MOPD_OK;
}

mopd_status mo_mat_transpose(mo_mat *out, const mo_mat *in)
{
    *out = (mo_mat){0};
    mopd_status st = need_floats(in, "transposed");
    if (st != MOPD_OK) return st;
    const size_t n = in->k, k = in->n, floats = mo_mat_floats(n, k);
    float *panels = floats ? mo_mem_alloc(floats, sizeof *panels) : NULL;
    if (!panels) return floats ? MOPD_E_NOMEM : mo_fail(MOPD_E_INTERNAL, "matrix %zu x %zu transposed", n, k);
    for (size_t i0 = 0; i0 < k; i0 += MO_PANEL) {
        const float *from = (const float *)in->packed + i0 * in->k;
        const size_t width = mo_min(k - i0, MO_PANEL);
        for (size_t o = 0; o < n; o++)
            for (size_t i = 0; i < width; i++) *place(panels, k, o, i0 + i) = from[o * MO_PANEL + i];
    }
    pad(panels, n, k);
    st = set(out, panels, n, k);
    if (st == MOPD_OK)
        out->owned = panels;
    else
        mo_mem_free(panels);
    return st;
}

/* The first of n kinds that would take it. */
static mopd_status quantize(mo_mat *mat, const mo_gemm_ops *const *kind, size_t n)
{
    mo_mat made = {0};
    mopd_status st = need_floats(mat, "quantized");
    for (size_t i = 0; i < n && st == MOPD_OK && !made.ops; i++)
        if (kind[i]->quantize) st = kind[i]->quantize(&made, mat);
    if (st != MOPD_OK) return st;
    mo_mat_free(mat);
    *mat = made;
    return MOPD_OK;
}

mopd_status mo_mat_quantize(mo_mat *mat, mo_precision precision)
{
    if (precision == MO_PRECISION_F32) return MOPD_OK;
    return precision == MO_PRECISION_8 ? quantize(mat, kinds_of_8, 2) : quantize(mat, kinds, N_KINDS);
}

mopd_status mo_mat_quantize_finely(mo_mat *mat, mo_precision precision)
{
    return precision == MO_PRECISION_F32 ? MOPD_OK : quantize(mat, fine_kinds, 1);
}

mopd_status mo_mat_quantize_edge(mo_mat *mat, mo_precision precision)
{
    return precision == MO_PRECISION_8 ? mo_mat_quantize_finely(mat, precision)
                                       : mo_mat_quantize(mat, precision);
}

void mo_mat_product_transposed(float *y, const float *q, const mo_mat *mat, size_t first, size_t n)
{
    const float *panels = mat->packed;
    mo_kern_get()->product_transposed(y, q, panels + first * mat->k, mat->k * MO_PANEL, n, mat->k);
}

void mo_mat_row(const mo_mat *mat, size_t o, float *row)
{
    mat->ops->row(mat, o, row);
}

void mo_mat_free(mo_mat *mat)
{
    if (!mat) return;
    mo_mem_free(mat->owned);
    *mat = (mo_mat){0};
}
