/* SPDX-License-Identifier: MIT
 * gemm.c - the loops around a micro-kernel (Goto, van de Geijn 2008), over weights packed once.
 *
 *     task          rows r0..r1 and columns c0..c1 of the result; tasks are shared out by the pool
 *       columns     kern->group at a time, so that their part of c stays in the second cache
 *         k         kern->depth blocks at a time, so that the rows of A do
 *           panels  of one tile
 *             rows  of one tile, read where they lie
 *               k   one block, at most MO_TILE_K: partial sums go through c, which the first cache holds
 *
 * A tile has m x n sums in registers, each one chain over p; the blocks of k are the same for every call. */
#include "math/gemm.h"

#include "base/ints.h"
#include "math/bf16.h"
#include "math/gemm_blis.h"
#include "math/i16.h"
#include "math/kern.h"

#define TASK_ROWS 240
#define TASKS 24
#define SMALL_WEIGHTS (1u << 18) /* half a second cache */

typedef struct job {
    const mo_kern *kern;
    const mo_mat *w;
    mo_gemm_args g;
    size_t row_parts, col_parts, panels, strips; /* panels of columns that are written, as tiles take them */
    bool blis;
} job;

/* n things in parts as equal as can be: the first `more` have one more than `each`. */
typedef struct parts {
    size_t each, more;
} parts;

static parts parts_of(size_t n, size_t count)
{
    return (parts){n / count, n % count};
}

/* Start of part i. */
static size_t part_at(parts p, size_t i)
{
    return p.each * i + mo_min(i, p.more);
}

/* Rows r0..r1 in tiles, columns c0..c1, some blocks of k: the sums at[0]..at[1], at[1]..at[2] ... */
typedef struct area {
    size_t r0, r1, c0, c1, n_blocks, at[MO_TILE_DEPTH + 1], tiles;
    parts rows, shares[MO_TILE_DEPTH]; /* of each block's steps, for fetching what comes next */
    const float *after;                /* the panels that come after these, NULL: not known */
} area;

/* Columns c..c+n of an area; next: the panels that come then, or NULL. */
typedef struct strip {
    size_t c, n;
    const float *next;
} strip;

/* Panels from column c (a multiple of 16) and sum p on. */
static const float *weights(const job *j, size_t c, size_t p)
{
    return j->w->panels + (j->g.first + c) * j->w->k + p * MO_PANEL;
}

void mo_gemm_finish(const mo_kern *kern, const mo_gemm_args *g, const size_t rows[2], const size_t cols[2])
{
    const size_t n = cols[1] - cols[0], ldc = g->ldc;
    float *c = g->c + rows[0] * ldc + cols[0];
    if (g->act == MO_ACT_NONE) return;
    if (g->act == MO_ACT_QUICK_GELU) kern->quick_gelu(c, c, ldc, rows[1] - rows[0], n);
    if (g->act == MO_ACT_GELU) kern->gelu(c, c, ldc, rows[1] - rows[0], n);
    if (!g->residual) return;
    for (size_t i = rows[0]; i < rows[1]; i++, c += ldc)
        kern->add(c, c, g->residual + i * g->ldr + cols[0], n);
}

/* Tile i of a strip: its blocks of k one after the other, then what follows the last. */
static void do_tile(const job *j, const area *r, const strip *s, size_t i)
{
    const mo_gemm_args *g = &j->g;
    const size_t from = r->r0 + part_at(r->rows, i), to = r->r0 + part_at(r->rows, i + 1), k = j->w->k;
    mo_tile t; /* set member by member: clearing it whole first would hold up its readers */
    t.m = to - from;
    t.n = s->n;
    t.lda = g->lda;
    t.panel = k * MO_PANEL;
    t.c = g->c + from * g->ldc + s->c;
    t.ldc = g->ldc;
    t.next_every = r->tiles;
    for (size_t b = 0; b < r->n_blocks; b++) {
        const size_t p = r->at[b];
        t.k = r->at[b + 1] - p;
        t.a = g->a + from * g->lda + p;
        t.w = weights(j, s->c, p);
        t.add = p ? t.c : NULL;
        t.ldadd = g->ldc;
        if (!p && g->residual && g->act == MO_ACT_NONE) {
            t.add = g->residual + from * g->ldr + s->c;
            t.ldadd = g->ldr;
        }
        const bool last = p + t.k == k;
        t.bias = last && g->bias ? g->bias + s->c : NULL;
        t.relu6 = last && g->act == MO_ACT_RELU6;
        t.next = s->next ? s->next + (p - r->at[0] + part_at(r->shares[b], i)) * MO_PANEL : NULL;
        j->kern->tile(&t);
    }
    if (r->at[r->n_blocks] == k)
        mo_gemm_finish(j->kern, g, (size_t[2]){from, to}, (size_t[2]){s->c, s->c + s->n});
}

static void do_area(const job *j, const area *r)
{
    const size_t panels = mo_ceil_div(r->c1 - r->c0, MO_PANEL);
    const size_t strips = mo_ceil_div(panels, j->kern->tile_panels);
    const parts cols = parts_of(panels, strips);
    for (size_t q = 0; q < strips; q++) {
        const size_t end = r->c0 + part_at(cols, q + 1) * MO_PANEL;
        strip s = {.c = r->c0 + part_at(cols, q) * MO_PANEL};
        s.n = mo_min(end, r->c1) - s.c;
        s.next = q + 1 < strips ? weights(j, end, r->at[0]) : r->after;
        for (size_t i = 0; i < r->tiles; i++) do_tile(j, r, &s, i);
    }
}

/* All of k, kern->depth blocks at a time. */
static void do_columns(const job *j, area r)
{
    const size_t k = j->w->k, blocks = mo_ceil_div(k, MO_TILE_K), turns = mo_ceil_div(blocks, j->kern->depth);
    const float *after = r.after;
    r.tiles = mo_ceil_div(r.r1 - r.r0, j->kern->tile_rows);
    r.rows = parts_of(r.r1 - r.r0, r.tiles);
    for (size_t i = 0; i < turns; i++) {
        const size_t b0 = mo_cut(blocks, turns, i);
        r.n_blocks = mo_cut(blocks, turns, i + 1) - b0;
        for (size_t b = 0; b <= r.n_blocks; b++) r.at[b] = mo_cut(k, blocks, b0 + b);
        for (size_t b = 0; b < r.n_blocks; b++) r.shares[b] = parts_of(r.at[b + 1] - r.at[b], r.tiles);
        r.after = i + 1 < turns ? weights(j, r.c0, r.at[r.n_blocks]) : after;
        do_area(j, &r);
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
    const size_t r0 = mo_cut(j->g.m, j->row_parts, row), r1 = mo_cut(j->g.m, j->row_parts, row + 1);
    const size_t wide = j->kern->tile_panels, p0 = mo_cut(j->strips, j->col_parts, col) * wide;
    const size_t p1 = mo_min(mo_cut(j->strips, j->col_parts, col + 1) * wide, j->panels);
    const size_t c1 = mo_min(p1 * MO_PANEL, j->g.n);
    const size_t groups = mo_ceil_div((p1 - p0) * MO_PANEL, j->kern->group);
    if (j->blis) {
        do_blis(j, r0, r1, p0 * MO_PANEL, c1);
        return;
    }
    for (size_t i = 0; i < groups; i++) {
        const bool more = i + 1 < groups || col + 1 < j->col_parts; /* mostly for the same thread */
        const size_t from = p0 + mo_cut(p1 - p0, groups, i), to = p0 + mo_cut(p1 - p0, groups, i + 1);
        do_columns(j, (area){.r0 = r0,
                          .r1 = r1,
                          .c0 = from * MO_PANEL,
                          .c1 = mo_min(to * MO_PANEL, c1),
                          .after = more ? weights(j, to * MO_PANEL, 0) : NULL});
    }
}

/* Many rows: tasks of about TASK_ROWS.  Few rows: more and smaller tasks, until each thread has TASKS; of rows
 * while the weights are small, so that no thread reads another's rows, then of columns.  Processors of one
 * machine are not equally fast (neighbours, clocks): the faster one takes more of many small tasks. */
static void plan(job *j, size_t threads)
{
    j->panels = mo_ceil_div(j->g.n, MO_PANEL);
    j->strips = mo_ceil_div(j->panels, j->kern->tile_panels);
    j->row_parts = mo_ceil_div(j->g.m, TASK_ROWS);
    j->col_parts = 1;
    if (threads == 1) return;
    const size_t wanted = TASKS * threads, rows = j->g.m / (2 * j->kern->tile_rows);
    if (j->g.n * j->w->k <= SMALL_WEIGHTS && rows > j->row_parts) j->row_parts = mo_min(rows, wanted);
    const size_t columns = mo_ceil_div(wanted, j->row_parts), least = j->blis ? 4 : 2;
    j->col_parts = mo_min(columns, mo_min(j->strips, mo_ceil_div(j->panels, least)));
}

void mo_gemm(mo_pool *pool, const mo_mat *w, const mo_gemm_args *args)
{
    job j = {.kern = mo_kern_get(), .w = w, .g = *args};
    if (!j.g.n) j.g.n = w->n - j.g.first;
    if (!j.g.m || !j.g.n || !w->k) return;
    if (w->i16) {
        mo_gemm_i16(pool, w, &j.g);
        return;
    }
    if (w->onednn) {
        mo_gemm_onednn(pool, w, &j.g);
        return;
    }
    j.blis = j.kern == mo_kern_plain() && mo_gemm_blis_wanted(w);
    plan(&j, mo_pool_now(pool));
    mo_pool_run(pool, j.row_parts * j.col_parts, do_task, &j);
}

const char *mo_gemm_name(void)
{
    const mo_kern *kern = mo_kern_get();
    return kern->tile_rows == 9 ? "avx512 9x48" : kern->tile_rows == 6 ? "avx2 6x16" : mo_gemm_blis_name();
}
