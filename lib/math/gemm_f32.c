/* SPDX-License-Identifier: MIT
 * gemm_f32.c - products over panels of floats: the loops around a micro-kernel (Goto, van de Geijn 2008).
 *
 *     k         kern->depth blocks at a time, so that the rows of A stay in the second cache
 *       panels  of one tile
 *         rows  of one tile, read where they lie
 *           k   one block, at most MO_TILE_K: partial sums go through c, which the first cache holds
 *
 * A tile has m x n sums in registers, each one chain over p; the blocks of k are the same for every call. */
#include "base/ints.h"
#include "math/gemm_epilogue.h"
#include "math/mat.h"
#include "math/races.h"

#define TASK_ROWS 240
#define TASKS 24
#define SMALL_WEIGHTS (1u << 18) /* half a second cache */

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

/* Some blocks of k for an area: the sums at[0]..at[1], at[1]..at[2] ... of its rows, in tiles. */
typedef struct turn {
    const mo_gemm_area *area;
    size_t n_blocks, at[MO_TILE_DEPTH + 1], tiles;
    parts rows, shares[MO_TILE_DEPTH]; /* of each block's steps, for fetching what comes next */
    const float *after;                /* the panels that come after these, NULL: not known */
} turn;

/* Columns c..c+n of an area; next: the panels that come then, or NULL. */
typedef struct strip {
    size_t c, n;
    const float *next;
} strip;

/* Panels from column c (a multiple of 16) and sum p on. */
static const float *weights(const mo_gemm_job *j, size_t c, size_t p)
{
    return (const float *)j->w->packed + (j->g.first + c) * j->w->k + p * MO_PANEL;
}

/* Tile i of a strip: its blocks of k one after the other, then what follows the last. */
static void do_tile(const mo_gemm_job *j, const turn *r, const strip *s, size_t i)
{
    const mo_gemm_args *g = &j->g;
    const size_t k = j->w->k, from = r->area->r0 + part_at(r->rows, i),
                 to = r->area->r0 + part_at(r->rows, i + 1);
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
        const mo_gemm_epilogue e = mo_gemm_epilogue_of(g, !p, p + t.k == k, from, s->c);
        t.add = e.add;
        t.ldadd = e.ldadd;
        t.bias = e.bias;
        t.top = e.top;
        t.next = s->next ? s->next + (p - r->at[0] + part_at(r->shares[b], i)) * MO_PANEL : NULL;
        MO_RACES_READ(t.a, t.lda, t.m, t.k);
        MO_RACES_C(&t);
        j->kern->tile(&t);
    }
    if (r->at[r->n_blocks] == k)
        mo_gemm_epilogue_finish(j->kern, g, &(mo_gemm_area){from, to, s->c, s->c + s->n});
}

static void do_turn(const mo_gemm_job *j, const turn *r)
{
    const mo_gemm_area *area = r->area;
    const size_t panels = mo_ceil_div(area->c1 - area->c0, MO_PANEL);
    const size_t strips = mo_ceil_div(panels, j->kern->tile_panels);
    const parts cols = parts_of(panels, strips);
    for (size_t q = 0; q < strips; q++) {
        const size_t end = area->c0 + part_at(cols, q + 1) * MO_PANEL;
        strip s = {.c = area->c0 + part_at(cols, q) * MO_PANEL};
        s.n = mo_min(end, area->c1) - s.c;
        s.next = q + 1 < strips ? weights(j, end, r->at[0]) : r->after;
        for (size_t i = 0; i < r->tiles; i++) do_tile(j, r, &s, i);
    }
}

/* All of k, kern->depth blocks at a time. */
static void run(const mo_gemm_job *j, const mo_gemm_area *area)
{
    const size_t k = j->w->k, blocks = mo_ceil_div(k, MO_TILE_K), turns = mo_ceil_div(blocks, j->kern->depth);
    const size_t rows = area->r1 - area->r0;
    turn r = {.area = area, .tiles = mo_ceil_div(rows, j->kern->tile_rows)};
    r.rows = parts_of(rows, r.tiles);
    for (size_t i = 0; i < turns; i++) {
        const size_t b0 = mo_cut(blocks, turns, i);
        r.n_blocks = mo_cut(blocks, turns, i + 1) - b0;
        for (size_t b = 0; b <= r.n_blocks; b++) r.at[b] = mo_cut(k, blocks, b0 + b);
        for (size_t b = 0; b < r.n_blocks; b++) r.shares[b] = parts_of(r.at[b + 1] - r.at[b], r.tiles);
        if (i + 1 < turns)
            r.after = weights(j, area->c0, r.at[r.n_blocks]);
        else /* the columns that come next mostly are for the same thread */
            r.after = area->c1 < j->g.n ? weights(j, area->c1, 0) : NULL;
        do_turn(j, &r);
    }
}

void mo_gemm_f32_plan(mo_gemm_job *j, size_t threads, size_t least)
{
    const size_t panels = mo_ceil_div(j->g.n, MO_PANEL), strips = mo_ceil_div(panels, j->kern->tile_panels);
    j->row_parts = mo_ceil_div(j->g.m, TASK_ROWS);
    j->col_step = MO_PANEL * j->kern->tile_panels;
    if (threads == 1) return;
    const size_t wanted = TASKS * threads, rows = j->g.m / (2 * j->kern->tile_rows);
    if (j->g.n * j->w->k <= SMALL_WEIGHTS && rows > j->row_parts) j->row_parts = mo_min(rows, wanted);
    const size_t columns = mo_ceil_div(wanted, j->row_parts);
    j->col_parts = mo_min(columns, mo_min(strips, mo_ceil_div(panels, least)));
}

/* Many rows: tasks of about TASK_ROWS.  Few rows: more and smaller tasks, until each thread has TASKS; of rows
 * while the weights are small, so that no thread reads another's rows, then of columns.  Processors of one
 * machine are not equally fast (neighbours, clocks): the faster one takes more of many small tasks. */
static void plan(mo_gemm_job *j, size_t threads)
{
    mo_gemm_f32_plan(j, threads, 2);
    j->group = j->kern->group;
}

void mo_gemm_f32_row(const mo_mat *mat, size_t o, float *row)
{
    const float *from = (const float *)mat->packed + o / MO_PANEL * mat->k * MO_PANEL + o % MO_PANEL;
    for (size_t i = 0; i < mat->k; i++) row[i] = from[i * MO_PANEL];
}

static bool takes(size_t n, size_t k)
{
    (void)n, (void)k;
    return true;
}

const mo_gemm_ops mo_gemm_f32_ops = {
    .name = "f32", .takes = takes, .plan = plan, .run = run, .row = mo_gemm_f32_row};
