/* SPDX-License-Identifier: MIT
 * gemm_raw.c - products of two matrices that are met once: both are packed on the way, through the stack. */
#include <string.h>

#include "base/ints.h"
#include "math/gemm.h"
#include "math/kern.h"
#include "math/races.h"

#define ROWS 60 /* of A beside each other */
#define LDA                                                                                                  \
    (MO_TILE_K + 16) /* floats from row to row: their lines lie in different sets of the first cache */
#define PANELS 3     /* most panels of B at once */
#define TASK_ROWS 240
#define TASK_COLS 96

typedef struct job {
    const mo_kern *kern;
    mo_gemm_raw_args g;
    size_t row_parts, col_parts;
} job;

/* alpha b[p0 .. p0+k][c .. c+n] into panels of k x 16, zeros beyond n. */
static void pack_b(float *panels, const mo_gemm_raw_args *g, const size_t at[2], size_t k, size_t n)
{
    for (size_t j = 0; j < mo_ceil_div(n, MO_PANEL) * MO_PANEL; j++) {
        float *to = panels + j / MO_PANEL * (MO_TILE_K * MO_PANEL) + j % MO_PANEL;
        const float *from = g->b + at[0] * g->brs + (at[1] + j) * g->bcs;
        if (j < n)
            for (size_t p = 0; p < k; p++) to[p * MO_PANEL] = g->alpha * from[p * g->brs];
        else
            for (size_t p = 0; p < k; p++) to[p * MO_PANEL] = 0;
    }
}

static void pack_a(float *block, const mo_gemm_raw_args *g, const size_t at[2], size_t rows, size_t k)
{
    const float *from = g->a + at[0] * g->ars + at[1] * g->acs;
    if (g->acs == 1)
        for (size_t i = 0; i < rows; i++) memcpy(block + i * LDA, from + i * g->ars, k * sizeof *from);
    else
        for (size_t p = 0; p < k; p++)
            for (size_t i = 0; i < rows; i++) block[i * LDA + p] = from[i * g->ars + p * g->acs];
}

/* Rows r0..r1, columns c..c+n, sums p0..p0+k. */
static void do_part(const job *j, const size_t rows[2], const size_t cols[2], const size_t sums[2])
{
    const mo_gemm_raw_args *g = &j->g;
    _Alignas(64) float block[ROWS * LDA], panels[PANELS * MO_PANEL * MO_TILE_K];
    const size_t height = j->kern->tile_rows, step = ROWS / height * height;
    pack_b(panels, g, (size_t[2]){sums[0], cols[0]}, sums[1], cols[1]);
    mo_tile t = {
        .n = cols[1], .k = sums[1], .lda = LDA, .w = panels, .panel = MO_TILE_K * MO_PANEL, .ldc = g->ldc};
    t.ldadd = g->ldc;
    for (size_t r = rows[0]; r < rows[1]; r += step) {
        const size_t n = mo_min(step, rows[1] - r);
        pack_a(block, g, (size_t[2]){r, sums[0]}, n, sums[1]);
        for (size_t i = 0; i < n; i += height) {
            t.m = mo_min(height, n - i);
            t.a = block + i * LDA;
            t.c = g->c + (r + i) * g->ldc + cols[0];
            t.add = sums[0] || g->add ? t.c : NULL;
            MO_RACES_C(&t);
            j->kern->tile(&t);
        }
    }
}

static void do_task(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t row = task / j->col_parts, col = task % j->col_parts;
    const size_t rows[2] = {mo_cut(j->g.m, j->row_parts, row), mo_cut(j->g.m, j->row_parts, row + 1)};
    const size_t c1 = mo_min((col + 1) * TASK_COLS, j->g.n), k_blocks = mo_ceil_div(j->g.k, MO_TILE_K);
    const size_t width = MO_PANEL * mo_min(j->kern->tile_panels, PANELS);
    for (size_t kb = 0; kb < k_blocks; kb++) {
        const size_t p0 = mo_cut(j->g.k, k_blocks, kb), p1 = mo_cut(j->g.k, k_blocks, kb + 1);
        for (size_t c = col * TASK_COLS; c < c1; c += width)
            do_part(j, rows, (size_t[2]){c, mo_min(width, c1 - c)}, (size_t[2]){p0, p1 - p0});
    }
}

void mo_gemm_raw(mo_pool *pool, const mo_gemm_raw_args *args)
{
    job j = {.kern = mo_kern_get(), .g = *args};
    if (!args->m || !args->n) return;
    if (!args->k) {
        for (size_t i = 0; i < args->m && !args->add; i++)
            memset(args->c + i * args->ldc, 0, args->n * sizeof(float));
        return;
    }
    j.row_parts = mo_ceil_div(args->m, TASK_ROWS);
    j.col_parts = mo_ceil_div(args->n, TASK_COLS);
    mo_pool_run(pool, j.row_parts * j.col_parts, do_task, &j);
}
