/* SPDX-License-Identifier: MIT
 * gemm_f64.c - both matrices packed, blocks of k in order, tiles shared out to threads. */
#include "math/gemm_f64.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/f64.h"

enum { DEPTH = 256, PANELS = 8, BLOCK_ROWS = 96 };

typedef struct job {
    const mo_f64_kern *kern;
    mo_gemm_f64_args g;
    double *packed; /* panel j of b: k x MO_F64_COLS */
    size_t panels, row_parts, panel_parts;
} job;

/* Panel `panel` of b, zeros beyond n. */
static void pack_panel(void *ctx, size_t panel)
{
    const job *j = ctx;
    const mo_gemm_f64_args *g = &j->g;
    const size_t first = panel * MO_F64_COLS, n = mo_min(MO_F64_COLS, g->n - first);
    double *to = j->packed + panel * g->k * MO_F64_COLS;
    for (size_t p = 0; p < g->k; p++, to += MO_F64_COLS)
        for (size_t c = 0; c < MO_F64_COLS; c++) {
            const bool zero = c >= n || (g->triangle && p > first + c);
            to[c] = zero ? 0 : g->b[p * g->brs + (first + c) * g->bcs];
        }
}

/* Rows first .. first+m-1 and k's p0 .. p1-1 of a, in groups of a tile's rows, zeros beyond m. */
static void pack_rows(double *to, const job *j, size_t first, size_t m, const size_t ps[2])
{
    const mo_gemm_f64_args *g = &j->g;
    const size_t rows = j->kern->rows;
    for (size_t i0 = 0; i0 < m; i0 += rows)
        for (size_t p = ps[0]; p < ps[1]; p++)
            for (size_t i = i0; i < i0 + rows; i++)
                *to++ = i < m ? g->a[(first + i) * g->ars + p * g->acs] : 0;
}

/* Rows of a block times panels pan[0] .. pan[1]-1 over ps[0] .. ps[1]-1. */
static void multiply(
    const job *j, const double *rows, size_t first, size_t m, const size_t pan[2], const size_t ps[2])
{
    const mo_gemm_f64_args *g = &j->g;
    const size_t height = j->kern->rows, depth = ps[1] - ps[0];
    for (size_t panel = pan[0]; panel < pan[1]; panel++) {
        const size_t col = panel * MO_F64_COLS, n = mo_min(MO_F64_COLS, g->n - col);
        const size_t end = g->triangle ? mo_min(ps[1], col + n) : ps[1]; /* the rest of the panel is zero */
        if (end <= ps[0]) continue;
        mo_f64_tile t = {.n = n, .k = end - ps[0], .ldc = g->ldc, .add = ps[0] || g->add};
        t.b = j->packed + (panel * g->k + ps[0]) * MO_F64_COLS;
        for (size_t i = 0; i < m; i += height) {
            t.m = mo_min(height, m - i);
            t.a = rows + i * depth;
            t.c = g->c + (first + i) * g->ldc + col;
            j->kern->tile(&t);
        }
    }
}

static void do_task(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t part = task / j->panel_parts, panel = task % j->panel_parts * PANELS;
    const size_t r1 = mo_cut(j->g.m, j->row_parts, part + 1),
                 pan[2] = {panel, mo_min(panel + PANELS, j->panels)};
    _Alignas(64) double rows[(BLOCK_ROWS + MO_F64_MOST_ROWS) * DEPTH];
    for (size_t r = mo_cut(j->g.m, j->row_parts, part); r < r1; r += BLOCK_ROWS)
        for (size_t p = 0; p < j->g.k; p += DEPTH) {
            const size_t m = mo_min(BLOCK_ROWS, r1 - r), ps[2] = {p, mo_min(p + DEPTH, j->g.k)};
            pack_rows(rows, j, r, m, ps);
            multiply(j, rows, r, m, pan, ps);
        }
}

static void clear(const mo_gemm_f64_args *g)
{
    for (size_t i = 0; i < g->m && !g->add; i++) memset(g->c + i * g->ldc, 0, g->n * sizeof *g->c);
}

mopd_status mo_gemm_f64(mo_pool *pool, const mo_gemm_f64_args *args)
{
    job j = {.kern = mo_f64_get(), .g = *args, .panels = mo_ceil_div(args->n, MO_F64_COLS)};
    if (!args->m || !args->n) return MOPD_OK;
    if (!args->k) {
        clear(args);
        return MOPD_OK;
    }
    size_t each;
    if (!mo_mul(args->k, MO_F64_COLS * sizeof(double), &each)) each = SIZE_MAX;
    j.packed = mo_mem_alloc(j.panels, each);
    if (!j.packed) return MOPD_E_NOMEM;
    j.row_parts = mo_ceil_div(args->m, 2 * BLOCK_ROWS);
    j.panel_parts = mo_ceil_div(j.panels, PANELS);
    mo_pool_run(pool, j.panels, pack_panel, &j);
    mo_pool_run(pool, j.row_parts * j.panel_parts, do_task, &j);
    mo_mem_free(j.packed);
    return MOPD_OK;
}
