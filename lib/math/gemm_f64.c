/* SPDX-License-Identifier: MIT
 * gemm_f64.c - both matrices packed, blocks of k in order, tiles shared out to threads. */
#include "math/gemm_f64.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/f64.h"

enum { DEPTH = 256, PANELS = 16, BLOCK_ROWS = 96, LINE = 8 /* doubles of a line of the cache */ };

#define MANY_PARTS 8 /* of the rows: enough for all threads, so that each is packed for all panels at once */

typedef struct job {
    const mo_f64_kern *kern;
    mo_gemm_f64_args g;
    double *packed; /* panel j of b: k x MO_F64_COLS */
    size_t panels, row_parts, panel_parts, part_panels;
} job;

/* Room for all panels of b. */
static mopd_status alloc_panels(job *j)
{
    size_t each;
    if (!mo_mul(j->g.k, MO_F64_COLS * sizeof(double), &each)) each = SIZE_MAX;
    j->panels = mo_ceil_div(j->g.n, MO_F64_COLS);
    j->packed = mo_mem_alloc(j->panels, each);
    return j->packed ? MOPD_OK : MOPD_E_NOMEM;
}

/* A whole panel where its columns lie together. */
static void pack_beside(double *to, const mo_gemm_f64_args *g, size_t first)
{
    for (size_t p = g->low_b ? first : 0; p < g->k; p++)
        memcpy(to + p * MO_F64_COLS, g->b + p * g->brs + first, MO_F64_COLS * sizeof *to);
}

/* Panel `panel` of b, zeros beyond n.  A few rows at a time, so that what is read lies together whichever way b does. */
static void pack_panel(void *ctx, size_t panel)
{
    const job *j = ctx;
    const mo_gemm_f64_args *g = &j->g;
    const size_t first = panel * MO_F64_COLS, n = mo_min(MO_F64_COLS, g->n - first);
    double *to = j->packed + panel * g->k * MO_F64_COLS;
    if (g->bcs == 1 && n == MO_F64_COLS && !g->triangle) {
        pack_beside(to, g, first);
        return;
    }
    if (g->triangle || n < MO_F64_COLS) memset(to, 0, g->k * MO_F64_COLS * sizeof *to);
    for (size_t p0 = 0; p0 < g->k; p0 += LINE)
        for (size_t c = 0; c < n; c++) {
            const size_t end = mo_min(p0 + LINE, g->triangle ? mo_min(first + c + 1, g->k) : g->k);
            const double *from = g->b + (first + c) * g->bcs;
            for (size_t p = p0; p < end; p++) to[p * MO_F64_COLS + c] = from[p * g->brs];
        }
}

/* A tile's rows of which only m are there, zeros beyond. */
static void pack_some(
    double *to, const double *from, size_t ars, size_t acs, size_t m, size_t height, size_t depth)
{
    memset(to, 0, height * depth * sizeof *to);
    for (size_t i = 0; i < m; i++)
        for (size_t p = 0; p < depth; p++) to[p * height + i] = from[i * ars + p * acs];
}

/* Rows first .. first+m-1 and k's ps[0] .. ps[1]-1 of a, in groups of a tile's rows.  What lies together is read together:
 * along a row, or across the rows where these are columns in memory. */
static void pack_rows(double *to, const job *j, size_t first, size_t m, const size_t ps[2])
{
    const mo_gemm_f64_args *g = &j->g;
    const size_t height = j->kern->rows, depth = ps[1] - ps[0], width = g->ars == 1 ? LINE : depth,
                 whole = m - m % height;
    const double *from = g->a + first * g->ars + ps[0] * g->acs;
    for (size_t p = 0; p < depth; p += width)
        for (size_t i = 0; i < whole; i += height)
            j->kern->pack(to + i * depth + p * height, from + i * g->ars + p * g->acs, g->ars, g->acs,
                mo_min(width, depth - p));
    if (whole < m)
        pack_some(to + whole * depth, from + whole * g->ars, g->ars, g->acs, m - whole, height, depth);
}

mopd_status mo_gemm_f64_rows_create(mo_gemm_f64_rows *out, size_t m, size_t k)
{
    *out = (mo_gemm_f64_rows){.m = m, .k = k, .height = mo_f64_get()->rows};
    size_t each;
    if (!mo_mul(k, out->height * sizeof(double), &each)) each = SIZE_MAX;
    out->packed = mo_mem_alloc(mo_ceil_div(m, out->height), each);
    return out->packed ? MOPD_OK : MOPD_E_NOMEM;
}

void mo_gemm_f64_rows_free(mo_gemm_f64_rows *rows)
{
    mo_mem_free(rows->packed);
    *rows = (mo_gemm_f64_rows){0};
}

void mo_gemm_f64_rows_put(mo_gemm_f64_rows *rows, size_t first, const double *x)
{
    const size_t height = rows->height, k = rows->k;
    double *to = rows->packed + first * k;
    if (rows->m - first < height)
        pack_some(to, x, k, 1, rows->m - first, height, k);
    else
        mo_f64_get()->pack(to, x, k, 1, k);
}

/* The k's of ps[0] .. ps[1]-1 that a tile at `row` and `col` of m x n has something at, and whether it has some before. */
static bool narrow(
    size_t to[2], const mo_gemm_f64_args *g, const size_t ps[2], size_t row, size_t m, size_t col, size_t n)
{
    const size_t first = g->low_b ? col : 0;
    to[0] = mo_max(ps[0], first);
    to[1] = g->triangle ? mo_min(ps[1], col + n) : ps[1];
    if (g->low_a) to[1] = mo_min(to[1], row + m);
    return ps[0] > first;
}

/* Rows of a block, each group of a tile's rows `deep` of their columns long, times panels pan[0] .. pan[1]-1 over ps[0] .. ps[1]-1. */
static void multiply(const job *j, const double *rows, size_t deep, size_t first, size_t m,
    const size_t pan[2], const size_t ps[2])
{
    const mo_gemm_f64_args *g = &j->g;
    const size_t height = j->kern->rows;
    for (size_t panel = pan[0]; panel < pan[1]; panel++) {
        const size_t col = panel * MO_F64_COLS, n = mo_min(MO_F64_COLS, g->n - col);
        for (size_t i = 0; i < m; i += height) {
            mo_f64_tile t = {.m = mo_min(height, m - i), .n = n, .ldc = g->ldc};
            size_t k[2];
            if (g->lower && col >= first + i + t.m) continue;
            t.add = narrow(k, g, ps, first + i, t.m, col, n) || g->add;
            if (k[1] <= k[0]) continue;
            t.k = k[1] - k[0];
            t.a = rows + i * deep + (k[0] - ps[0]) * height;
            t.b = j->packed + (panel * g->k + k[0]) * MO_F64_COLS;
            t.c = g->c + (first + i) * g->ldc + col;
            j->kern->tile(&t);
        }
    }
}

static void do_task(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t part = task / j->panel_parts, panel = task % j->panel_parts * j->part_panels,
                 height = j->kern->rows, groups = mo_ceil_div(j->g.m, height);
    const size_t r1 = mo_min(j->g.m, height * mo_cut(groups, j->row_parts, part + 1)),
                 pan[2] = {panel, mo_min(panel + j->part_panels, j->panels)};
    const size_t depth = j->g.triangle ? mo_min(j->g.k, pan[1] * MO_F64_COLS) : j->g.k; /* zero beyond */
    _Alignas(64) double rows[(BLOCK_ROWS + MO_F64_MOST_ROWS) * DEPTH];
    for (size_t r = height * mo_cut(groups, j->row_parts, part); r < r1; r += BLOCK_ROWS)
        for (size_t p = 0; p < depth; p += DEPTH) {
            const size_t m = mo_min(BLOCK_ROWS, r1 - r), ps[2] = {p, mo_min(p + DEPTH, depth)};
            if (j->g.rows) {
                multiply(j, j->g.rows->packed + r * j->g.k + p * height, j->g.k, r, m, pan, ps);
                continue;
            }
            pack_rows(rows, j, r, m, ps);
            multiply(j, rows, ps[1] - p, r, m, pan, ps);
        }
}

static void clear(const mo_gemm_f64_args *g)
{
    for (size_t i = 0; i < g->m && !g->add; i++) memset(g->c + i * g->ldc, 0, g->n * sizeof *g->c);
}

mopd_status mo_gemm_f64(mo_pool *pool, const mo_gemm_f64_args *args)
{
    job j = {.kern = mo_f64_get(), .g = *args};
    if (args->rows) j.g.m = args->rows->m, j.g.k = args->rows->k;
    if (!j.g.m || !j.g.n) return MOPD_OK;
    if (!j.g.k) {
        clear(&j.g);
        return MOPD_OK;
    }
    if (alloc_panels(&j) != MOPD_OK) return MOPD_E_NOMEM;
    j.row_parts = mo_ceil_div(j.g.m, 2 * BLOCK_ROWS);
    j.part_panels = j.row_parts < MANY_PARTS ? PANELS : j.panels;
    j.panel_parts = mo_ceil_div(j.panels, j.part_panels);
    mo_pool_run(pool, j.panels, pack_panel, &j);
    mo_pool_run(pool, j.row_parts * j.panel_parts, do_task, &j);
    mo_mem_free(j.packed);
    return MOPD_OK;
}

/* -- how far rows are ------------------------------------------------------------------------------------------ */

typedef struct measure_job {
    job product;
    const mo_gemm_f64_far *of;
} measure_job;

/* Eight running sums of a row: a fixed order that registers may hold. */
typedef struct sums {
    double length[LINE], across[LINE];
} sums;

/* One tile's rows (m) less their centres from column col on, added to the sums. */
static void add_tile(
    const measure_job *j, sums *sum, const double *x, const double *off, size_t row, size_t m, size_t col)
{
    const mo_gemm_f64_far *of = j->of;
    for (size_t i = 0; i < m; i++) {
        const double *centre = of->centres + (size_t)of->whose[row + i] * of->n + col;
        double r[MO_F64_COLS] = {0};
        const size_t n = mo_min(MO_F64_COLS, of->n - col), at = i * MO_F64_COLS;
        for (size_t c = 0; c < n; c++) r[c] = x[at + c] - centre[c];
        for (size_t c = 0; c < n && off; c++) r[c] -= off[at + c];
        for (size_t c = 0; c < MO_F64_COLS; c++) sum[i].length[c % LINE] += r[c] * r[c];
        for (size_t c = 0; c < n && off; c++) sum[i].across[c % LINE] += r[c] * off[at + c];
    }
}

/* Rows row .. row+m-1 by a panel, over all of k at once. */
static void multiply_whole(
    const measure_job *j, const mo_gemm_f64_rows *rows, double *c, size_t row, size_t m, size_t panel)
{
    const job *p = &j->product;
    const size_t end = p->g.triangle ? mo_min(p->g.k, (panel + 1) * MO_F64_COLS) : p->g.k;
    p->kern->tile(&(mo_f64_tile){.m = m,
        .n = MO_F64_COLS,
        .k = end,
        .ldc = MO_F64_COLS,
        .a = rows->packed + row * rows->k,
        .b = p->packed + panel * p->g.k * MO_F64_COLS,
        .c = c});
}

static double total(const double sum[LINE])
{
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static void measure_rows(void *ctx, size_t task)
{
    const measure_job *j = ctx;
    const size_t height = j->product.kern->rows, block = BLOCK_ROWS / height * height, first = task * block,
                 end = mo_min(first + block, j->product.g.m);
    sums sum[BLOCK_ROWS] = {0};
    double x[MO_F64_MOST_ROWS * MO_F64_COLS], off[MO_F64_MOST_ROWS * MO_F64_COLS];
    for (size_t panel = 0; panel < j->product.panels; panel++)
        for (size_t row = first; row < end; row += height) {
            const size_t m = mo_min(height, end - row);
            multiply_whole(j, j->of->rows, x, row, m, panel);
            if (j->of->off) multiply_whole(j, j->of->off, off, row, m, panel);
            add_tile(j, sum + (row - first), x, j->of->off ? off : NULL, row, m, panel * MO_F64_COLS);
        }
    for (size_t i = first; i < end; i++) {
        j->of->lengths[i] = total(sum[i - first].length);
        if (j->of->off) j->of->across[i] = total(sum[i - first].across);
    }
}

mopd_status mo_gemm_f64_measure(mo_pool *pool, const mo_gemm_f64_far *far)
{
    measure_job j = {.of = far,
        .product = {.kern = mo_f64_get(),
            .g = {.b = far->b,
                .brs = far->brs,
                .bcs = far->bcs,
                .m = far->rows->m,
                .n = far->n,
                .k = far->rows->k,
                .triangle = far->triangle}}};
    if (!j.product.g.m) return MOPD_OK;
    if (alloc_panels(&j.product) != MOPD_OK) return MOPD_E_NOMEM;
    const size_t height = j.product.kern->rows;
    mo_pool_run(pool, j.product.panels, pack_panel, &j.product);
    mo_pool_run(pool, mo_ceil_div(j.product.g.m, BLOCK_ROWS / height * height), measure_rows, &j);
    mo_mem_free(j.product.packed);
    return MOPD_OK;
}
