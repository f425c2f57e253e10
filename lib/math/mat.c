/* SPDX-License-Identifier: MIT
 * mat.c - weight matrices in panels of 16 outputs: packed from stored tensors, transposed, read back. */
#include <string.h>

#include "base/mem.h"
#include "base/view.h"
#include "math/bf16.h"
#include "math/i16.h"

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

/* One stored part becomes outputs o0, o0 + 1 ... */
static bool pack_part(float *panels, size_t k, size_t o0, const mo_mat_part *part)
{
    const size_t line = part->in_out ? part->view->n / k : k, lines = part->view->n / line;
    float x[CHUNK];
    for (size_t l = 0; l < lines; l++)
        for (size_t c = 0; c < line; c += CHUNK) {
            const size_t n = line - c < CHUNK ? line - c : CHUNK;
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

static mopd_status pack_all(mo_mat *out, float *panels, const mo_mat_part *parts, size_t n_parts)
{
    size_t o = 0;
    for (size_t i = 0; i < n_parts; i++) {
        if (!pack_part(panels, out->k, o, &parts[i]))
            return mo_fail(MOPD_E_UNSUPPORTED, "weights of type %s", mo_dtype_name(parts[i].view->dtype));
        o += parts[i].view->n / out->k;
    }
    pad(panels, out->n, out->k);
    out->panels = panels;
    return MOPD_OK;
}

mopd_status mo_mat_pack_at(mo_mat *out, float *panels, const mo_mat_part *parts, size_t n_parts)
{
    *out = (mo_mat){0};
    mopd_status st = parts_size(parts, n_parts, &out->n, &out->k);
    return st == MOPD_OK ? pack_all(out, panels, parts, n_parts) : st;
}

mopd_status mo_mat_pack(mo_mat *out, const mo_mat_part *parts, size_t n_parts)
{
    *out = (mo_mat){0};
    size_t n, k;
    mopd_status st = parts_size(parts, n_parts, &n, &k);
    if (st != MOPD_OK) return st;
    float *panels = mo_mem_alloc(mo_mat_floats(n, k), sizeof *panels);
    if (!panels) return MOPD_E_NOMEM;
    st = mo_mat_pack_at(out, panels, parts, n_parts);
    if (st != MOPD_OK) {
        mo_mem_free(panels);
        *out = (mo_mat){0};
        return st;
    }
    out->owned = panels;
    return MOPD_OK;
}

void mo_mat_view(mo_mat *out, const float *panels, size_t n, size_t k)
{
    *out = (mo_mat){.n = n, .k = k, .panels = panels};
}

mopd_status mo_mat_transpose(mo_mat *out, const mo_mat *in)
{
    *out = (mo_mat){0};
    if (!in->panels)
        return mo_fail(MOPD_E_INTERNAL, "matrix %zu x %zu in reduced precision transposed", in->n, in->k);
    const size_t n = in->k, k = in->n, floats = mo_mat_floats(n, k);
    float *panels = floats ? mo_mem_alloc(floats, sizeof *panels) : NULL;
    if (!panels) return floats ? MOPD_E_NOMEM : mo_fail(MOPD_E_INTERNAL, "matrix %zu x %zu transposed", n, k);
    for (size_t i0 = 0; i0 < k; i0 += MO_PANEL) {
        const float *from = in->panels + i0 * in->k;
        const size_t width = k - i0 < MO_PANEL ? k - i0 : MO_PANEL;
        for (size_t o = 0; o < n; o++)
            for (size_t i = 0; i < width; i++) *place(panels, k, o, i0 + i) = from[o * MO_PANEL + i];
    }
    pad(panels, n, k);
    *out = (mo_mat){.n = n, .k = k, .panels = panels, .owned = panels};
    return MOPD_OK;
}

void mo_mat_row(const mo_mat *mat, size_t o, float *row)
{
    if (mat->i16) {
        mo_mat_i16_row(mat, o, row);
        return;
    }
    if (mat->onednn) {
        mo_gemm_onednn_row(mat, o, row);
        return;
    }
    const float *from = mat->panels + o / MO_PANEL * mat->k * MO_PANEL + o % MO_PANEL;
    for (size_t i = 0; i < mat->k; i++) row[i] = from[i * MO_PANEL];
}

void mo_mat_free(mo_mat *mat)
{
    if (!mat) return;
    mo_onednn_plan_release(mat->onednn);
    mo_mem_free(mat->owned);
    *mat = (mo_mat){0};
}
