/* SPDX-License-Identifier: MIT
 * gemm_blis.c - products by BLIS's micro-kernel: what CPUs compute with for which there is none here.
 *
 *     rows    some of A at a time
 *       k     a block of at most MO_TILE_K: these rows packed
 *         columns   some of W at a time, packed
 *           tiles   by the micro-kernel: block sums added to c
 *
 * Packed panels lie on the stack, so that a product takes no memory.  The bits of a row do not depend on which
 * rows stand beside it.  A micro-kernel that writes the columns of c best gets W for A and A for W. */
#include <string.h>

#include "base/ints.h"
#include "math/gemm_epilogue.h"
#include "math/mat.h"
#include "math/ukernel.h"

#define ROWS 96 /* of A packed at once, at most: with the zeros of an unfinished tile */
#define COLS 96 /* of W */

/* One side packed: n of its rows, sums of one block of k. */
typedef struct packed {
    mo_ukernel_side side;
    float *panels;
    size_t n, k;
} packed;

/* Where the micro-kernel's sides meet A and W. */
typedef struct sides {
    mo_ukernel_side a, w;
    bool by_rows;
} sides;

static sides sides_of(const mo_ukernel *u)
{
    return u->by_rows ? (sides){u->rows, u->cols, true} : (sides){u->cols, u->rows, false};
}

/* How many rows of a side fit into room for `most` numbers a step. */
static size_t fitting(mo_ukernel_side side, size_t most)
{
    return most / side.pack * side.n;
}

static float *panel_of(const packed *x, size_t row)
{
    return x->panels + row / x->side.n * mo_round_up(x->side.pack * x->k, 16);
}

/* Zeros for the rows that the last panel lacks. */
static void pad(const packed *x)
{
    const size_t rest = x->n % x->side.n;
    if (!rest) return;
    float *to = panel_of(x, x->n) + rest;
    for (size_t p = 0; p < x->k; p++) memset(to + p * x->side.pack, 0, (x->side.n - rest) * sizeof *to);
}

static void pack_rows(const packed *x, const float *a, size_t lda)
{
    for (size_t i = 0; i < x->n; i++) {
        float *to = panel_of(x, i) + i % x->side.n;
        for (size_t p = 0; p < x->k; p++) to[p * x->side.pack] = a[i * lda + p];
    }
    pad(x);
}

/* Outputs at[0] .. , sums at[1] .. of W. */
static void pack_weights(const packed *x, const mo_mat *w, const size_t at[2])
{
    for (size_t j = 0, n; j < x->n; j += n) { /* what lies in one panel there and in one here */
        const size_t o = at[0] + j, in = o % MO_PANEL, out = j % x->side.n;
        const float *from = (const float *)w->packed + (o - in) * w->k + at[1] * MO_PANEL + in;
        float *to = panel_of(x, j) + out;
        n = mo_min(mo_min(MO_PANEL - in, x->side.n - out), x->n - j);
        for (size_t p = 0; p < x->k; p++) memcpy(to + p * x->side.pack, from + p * MO_PANEL, n * sizeof *to);
    }
    pad(x);
}

/* c [a.n x w.n] (+)= a w. */
static void multiply(const packed *a, const packed *w, float *c, size_t ldc, const bool flags[2])
{
    const bool by_rows = flags[0];
    for (size_t j = 0; j < w->n; j += w->side.n)
        for (size_t i = 0; i < a->n; i += a->side.n) {
            mo_ukernel_tile t = {.c = c + i * ldc + j, .k = a->k, .add = flags[1]};
            const size_t m = mo_min(a->side.n, a->n - i), n = mo_min(w->side.n, w->n - j);
            t.a = by_rows ? panel_of(a, i) : panel_of(w, j);
            t.b = by_rows ? panel_of(w, j) : panel_of(a, i);
            t.m = by_rows ? m : n;
            t.n = by_rows ? n : m;
            t.rs = by_rows ? ldc : 1;
            t.cs = by_rows ? 1 : ldc;
            mo_ukernel_run(&t);
        }
}

/* Some rows, which fit, by all columns of an area; add: to what is in c. */
static void do_rows(const mo_gemm_job *j, const mo_gemm_area *area, bool add)
{
    _Alignas(64) float a_panels[ROWS * MO_TILE_K + MO_UKERNEL_SLACK],
        w_panels[COLS * MO_TILE_K + MO_UKERNEL_SLACK];
    const sides s = sides_of(mo_ukernel_get());
    const mo_gemm_args *g = &j->g;
    packed a = {s.a, a_panels, area->r1 - area->r0, 0}, w = {s.w, w_panels, 0, 0};
    for (size_t at = 0; at < j->w->k; at += a.k, add = true) {
        a.k = w.k = mo_min(j->w->k - at, MO_TILE_K);
        pack_rows(&a, g->a + area->r0 * g->lda + at, g->lda);
        for (size_t c = area->c0; c < area->c1; c += w.n) {
            w.n = mo_min(area->c1 - c, fitting(s.w, COLS));
            pack_weights(&w, j->w, (size_t[2]){g->first + c, at});
            multiply(&a, &w, g->c + area->r0 * g->ldc + c, g->ldc, (bool[2]){s.by_rows, add});
        }
    }
}

/* The micro-kernel adds to what is in c, so what comes before the sums is put there, and what comes after them
 * follows. */
static void run(const mo_gemm_job *j, const mo_gemm_area *area)
{
    const mo_gemm_args *g = &j->g;
    const size_t n = area->c1 - area->c0, rows = area->r1 - area->r0;
    mo_gemm_epilogue e = mo_gemm_epilogue_of(g, true, true, area->r0, area->c0);
    const float *add = e.add;
    float *c = g->c + area->r0 * g->ldc + area->c0;
    for (size_t i = 0; add && add != c && i < rows; i++)
        memcpy(c + i * g->ldc, add + i * e.ldadd, n * sizeof *c);
    mo_gemm_area part = *area;
    const size_t step = fitting(sides_of(mo_ukernel_get()).a, ROWS);
    for (part.r0 = area->r0; part.r0 < area->r1; part.r0 = part.r1) {
        part.r1 = mo_min(part.r0 + step, area->r1);
        do_rows(j, &part, add);
    }
    e.add = NULL;
    for (size_t i = 0; i < rows; i++, c += g->ldc) mo_gemm_epilogue_row(j->kern, c, c, &e, n);
    mo_gemm_epilogue_finish(j->kern, g, area);
}

static mopd_status prepare(void)
{
    return mo_kern_get() == mo_kern_plain() ? mo_ukernel_prepare() : MOPD_OK;
}

/* A micro-kernel of tiles too large for the panels on the stack is not used. */
static bool takes(size_t n, size_t k)
{
    if (mo_kern_get() != mo_kern_plain() || n < MO_PANEL || k < MO_PANEL) return false;
    const sides s = sides_of(mo_ukernel_get());
    return s.a.n && s.w.n && fitting(s.a, ROWS) && fitting(s.w, COLS);
}

static void plan(mo_gemm_job *j, size_t threads)
{
    mo_gemm_f32_plan(j, threads, 4);
}

const mo_gemm_ops mo_gemm_blis_ops = {
    .name = "blis", .prepare = prepare, .takes = takes, .plan = plan, .run = run, .row = mo_gemm_f32_row};
