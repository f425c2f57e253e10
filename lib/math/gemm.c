/* SPDX-License-Identifier: MIT
 * gemm.c - the loops around a micro-kernel (Goto, van de Geijn 2008), over weights packed once.
 *
 *     task          rows r0..r1 and columns c0..c1 of the result; tasks are shared out by the pool
 *       columns     kern->group at a time, so that their block of W stays in the second cache
 *         k         MO_TILE_K at a time: partial sums go through c
 *           rows    at most BLOCK_ROWS, copied to the stack side by side
 *             panels, then rows: one tile each
 *
 * A tile has m x n sums in registers, each one chain over p; the blocks of k are the same for every call. */
#include <string.h>

#include "math/fix.h"
#include "math/gemm.h"
#include "math/gemm_blis.h"
#include "math/kern.h"

#define BLOCK_ROWS 60
#define TASK_ROWS 240
#define SMALL_WEIGHTS (1u << 18) /* half a second cache */

typedef struct job {
    const mo_kern *kern;
    const mo_mat *w;
    mo_gemm_args g;
    size_t row_parts, col_parts, panels; /* panels: of columns that are written */
    bool blis;
} job;

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}
static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* Start of part i of n things cut into parts as equal as can be. */
static size_t cut(size_t n, size_t parts, size_t i)
{
    return n / parts * i + min(i, n % parts);
}

/* Rows r0..r1 (at most BLOCK_ROWS, in `tiles` tiles), columns c0..c1, sums p0..p0+k. */
typedef struct area {
    size_t r0, r1, tiles, c0, c1, p0, k;
    bool cold;          /* these weights were not touched before */
    const float *after; /* the panels that come after these, NULL: not known, or these again */
} area;

/* Panels from column c (a multiple of 16) and sum p on. */
static const float *weights(const job *j, size_t c, size_t p)
{
    return j->w->panels + (j->g.first + c) * j->w->k + p * MO_PANEL;
}

static void do_block(const job *j, const area *r, const float *block)
{
    const mo_gemm_args *g = &j->g;
    const bool first = r->p0 == 0, last = r->p0 + r->k == j->w->k;
    const size_t width = MO_PANEL * j->kern->tile_panels;
    mo_tile t = {.k = r->k, .panel = j->w->k * MO_PANEL, .ldc = g->ldc};
    const float *add = first ? (g->act == MO_ACT_NONE ? g->residual : NULL) : g->c;
    t.ldadd = first ? g->ldr : g->ldc;
    for (size_t c = r->c0; c < r->c1; c += width) {
        t.n = min(width, r->c1 - c);
        t.w = weights(j, c, r->p0);
        t.bias = last && g->bias ? g->bias + c : NULL;
        t.relu6 = last && g->act == MO_ACT_RELU6;
        const float *ahead = c + width >= r->c1 ? r->after
                             : r->cold          ? t.w + width / MO_PANEL * t.panel
                                                : NULL;
        for (size_t i = 0; i < r->tiles; i++) {
            size_t from = cut(r->r1 - r->r0, r->tiles, i), to = cut(r->r1 - r->r0, r->tiles, i + 1);
            t.m = to - from;
            t.a = block + from * MO_TILE_LDA;
            t.c = g->c + (r->r0 + from) * g->ldc + c;
            t.add = add ? add + (r->r0 + from) * t.ldadd + c : NULL;
            t.next = ahead ? ahead + cut(r->k, r->tiles, i) * MO_PANEL : NULL;
            t.next_every = r->tiles;
            j->kern->tile(&t);
        }
    }
}

void mo_gemm_finish(const mo_kern *kern, const mo_gemm_args *g, const size_t rows[2], const size_t cols[2])
{
    const size_t n = cols[1] - cols[0];
    if (g->act == MO_ACT_NONE) return;
    for (size_t i = rows[0]; i < rows[1]; i++) {
        float *c = g->c + i * g->ldc + cols[0];
        if (g->act == MO_ACT_QUICK_GELU) kern->quick_gelu(c, c, n);
        if (g->act == MO_ACT_GELU) kern->gelu(c, c, n);
        if (g->residual) kern->add(c, c, g->residual + i * g->ldr + cols[0], n);
    }
}

static void do_rows(const job *j, const area *group, size_t r0, size_t r1)
{
    _Alignas(64) float block[BLOCK_ROWS * MO_TILE_LDA];
    const size_t height = j->kern->tile_rows, tiles = ceil_div(r1 - r0, height);
    const size_t per_block = BLOCK_ROWS / height, blocks = ceil_div(tiles, per_block);
    const size_t k = j->w->k, k_blocks = ceil_div(k, MO_TILE_K);
    area r = *group;
    for (size_t kb = 0; kb < k_blocks; kb++) {
        r.p0 = cut(k, k_blocks, kb);
        r.k = cut(k, k_blocks, kb + 1) - r.p0;
        const float *next = kb + 1 < k_blocks ? weights(j, r.c0, r.p0 + r.k) : group->after;
        for (size_t b = 0; b < blocks; b++) {
            size_t t0 = cut(tiles, blocks, b), t1 = cut(tiles, blocks, b + 1);
            r.tiles = t1 - t0;
            r.r0 = r0 + cut(r1 - r0, tiles, t0);
            r.r1 = r0 + cut(r1 - r0, tiles, t1);
            r.cold = b == 0;
            r.after = b + 1 == blocks ? next : NULL;
            j->kern->copy(block, j->g.a + r.r0 * j->g.lda + r.p0, j->g.lda, r.r1 - r.r0, r.k);
            do_block(j, &r, block);
            if (r.p0 + r.k == k)
                mo_gemm_finish(j->kern, &j->g, (size_t[2]){r.r0, r.r1}, (size_t[2]){r.c0, r.c1});
        }
    }
}

/* Rows r0..r1, columns c0..c1 by BLIS. */
static void do_blis(const job *j, size_t r0, size_t r1, size_t c0, size_t c1)
{
    mo_gemm_args g = j->g;
    g.m = r1 - r0;
    g.a += r0 * g.lda;
    g.c += r0 * g.ldc + c0;
    g.first += c0;
    g.n = c1 - c0;
    if (g.bias) g.bias += c0;
    if (g.residual) g.residual += r0 * g.ldr + c0;
    mo_gemm_blis_packed(j->kern, j->w, &g);
}

static void do_task(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t row = task / j->col_parts, col = task % j->col_parts;
    const size_t r0 = cut(j->g.m, j->row_parts, row), r1 = cut(j->g.m, j->row_parts, row + 1);
    const size_t p0 = cut(j->panels, j->col_parts, col), p1 = cut(j->panels, j->col_parts, col + 1);
    const size_t c1 = min(p1 * MO_PANEL, j->g.n);
    const size_t groups = ceil_div((p1 - p0) * MO_PANEL, j->kern->group);
    if (j->blis) {
        do_blis(j, r0, r1, p0 * MO_PANEL, c1);
        return;
    }
    for (size_t i = 0; i < groups; i++) {
        const size_t from = p0 + cut(p1 - p0, groups, i), to = p0 + cut(p1 - p0, groups, i + 1);
        const area group = {.c0 = from * MO_PANEL,
            .c1 = min(to * MO_PANEL, c1),
            .after = i + 1 < groups ? weights(j, to * MO_PANEL, 0) : NULL};
        do_rows(j, &group, r0, r1);
    }
}

/* Many rows: tasks of about TASK_ROWS.  Few rows: more and smaller tasks, until each thread has some; of rows
 * while the weights are small, so that no thread copies another's rows, then of columns. */
static void plan(job *j, size_t threads)
{
    j->panels = ceil_div(j->g.n, MO_PANEL);
    j->row_parts = ceil_div(j->g.m, TASK_ROWS);
    j->col_parts = 1;
    if (threads == 1) return;
    const size_t wanted = 4 * threads, rows = j->g.m / (2 * j->kern->tile_rows);
    if (j->g.n * j->w->k <= SMALL_WEIGHTS && rows > j->row_parts) j->row_parts = min(rows, wanted);
    const size_t columns = ceil_div(2 * threads, j->row_parts), most = ceil_div(j->panels, 4);
    j->col_parts = min(columns, most);
}

void mo_gemm(mo_pool *pool, const mo_mat *w, const mo_gemm_args *args)
{
    job j = {.kern = mo_kern_get(), .w = w, .g = *args};
    if (!j.g.n) j.g.n = w->n - j.g.first;
    if (!j.g.m || !j.g.n || !w->k) return;
    if (w->fix) {
        mo_gemm_fix(pool, w, &j.g);
        return;
    }
    plan(&j, mo_pool_threads(pool));
    j.blis = j.kern == mo_kern_plain() && mo_gemm_blis_wanted(w);
    mo_pool_run(pool, j.row_parts * j.col_parts, do_task, &j);
}

const char *mo_gemm_name(void)
{
    const mo_kern *kern = mo_kern_get();
    return kern->tile_rows == 14 ? "avx512 14x32" : kern->tile_rows == 6 ? "avx2 6x16" : mo_gemm_blis_name();
}
