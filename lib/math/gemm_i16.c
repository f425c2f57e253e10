/* SPDX-License-Identifier: MIT
 * gemm_i16.c - the loops around a reduced-precision kernel, as gemm.c has them: columns whose block of W
 * stays in the second cache, blocks of k, rows quantized side by side on the stack, panels, tiles. */
#include "base/ints.h"
#include "math/i16.h"
#include "math/kern.h"

#define BLOCK_ROWS 56
#define TASK_ROWS 240
#define GROUP 768 /* columns */

typedef struct job {
    const mo_kern *kern;
    const mo_i16_kern *i16;
    const mo_mat *w;
    mo_gemm_args g;
    size_t pairs, blocks; /* of k */
    size_t row_parts, col_parts, panels;
} job;

/* Rows r0..r1 in `tiles` tiles, columns c0..c1, block `kb` of k: pairs p0..p1. */
typedef struct area {
    size_t r0, r1, tiles, c0, c1, kb, p0, p1;
    bool cold;            /* these weights were not touched before */
    const int16_t *after; /* the panels that come after these, NULL: not known, or these again */
} area;

/* Panels from column c (a multiple of 16) and pair p on. */
static const int16_t *weights(const job *j, size_t c, size_t p)
{
    return j->w->i16 + ((j->g.first + c) * j->pairs + p * MO_PANEL) * 2;
}

typedef struct quantized {
    int16_t q[BLOCK_ROWS * MO_I16_LDA];
    float scale[BLOCK_ROWS];
} quantized;

static void do_block(const job *j, const area *r, const quantized *a)
{
    const mo_gemm_args *g = &j->g;
    const bool first = r->p0 == 0, last = r->p1 == j->pairs;
    const size_t width = MO_PANEL * j->i16->tile_panels, panel = j->pairs * 2 * MO_PANEL;
    mo_i16_tile t = {.pairs = r->p1 - r->p0, .panel = panel, .scales = j->blocks * MO_PANEL, .ldc = g->ldc};
    const float *add = first ? (g->act == MO_ACT_NONE ? g->residual : NULL) : g->c;
    t.ldadd = first ? g->ldr : g->ldc;
    for (size_t c = r->c0; c < r->c1; c += width) {
        const size_t at = (g->first + c) / MO_PANEL;
        t.n = mo_min(width, r->c1 - c);
        t.w = weights(j, c, r->p0);
        t.w_scale = j->w->i16_scale + (at * j->blocks + r->kb) * MO_PANEL;
        t.bias = last && g->bias ? g->bias + c : NULL;
        t.relu6 = last && g->act == MO_ACT_RELU6;
        const int16_t *ahead = c + width >= r->c1 ? r->after : r->cold ? weights(j, c + width, r->p0) : NULL;
        for (size_t i = 0; i < r->tiles; i++) {
            const size_t from = mo_cut(r->r1 - r->r0, r->tiles, i);
            t.m = mo_cut(r->r1 - r->r0, r->tiles, i + 1) - from;
            t.a = a->q + from * MO_I16_LDA;
            t.a_scale = a->scale + from;
            t.c = g->c + (r->r0 + from) * g->ldc + c;
            t.add = add ? add + (r->r0 + from) * t.ldadd + c : NULL;
            t.next = ahead ? ahead + mo_cut(t.pairs, r->tiles, i) * 2 * MO_PANEL : NULL;
            t.next_every = r->tiles;
            j->i16->tile(&t);
        }
    }
}

static void do_rows(const job *j, const area *group, size_t r0, size_t r1)
{
    _Alignas(64) quantized a;
    const size_t height = j->i16->tile_rows, tiles = mo_ceil_div(r1 - r0, height);
    const size_t blocks = mo_ceil_div(tiles, BLOCK_ROWS / height);
    area r = *group;
    for (r.kb = 0; r.kb < j->blocks; r.kb++) {
        r.p0 = mo_cut(j->pairs, j->blocks, r.kb);
        r.p1 = mo_cut(j->pairs, j->blocks, r.kb + 1);
        const int16_t *next = r.p1 < j->pairs ? weights(j, r.c0, r.p1) : group->after;
        for (size_t b = 0; b < blocks; b++) {
            const size_t t0 = mo_cut(tiles, blocks, b), t1 = mo_cut(tiles, blocks, b + 1);
            r.tiles = t1 - t0;
            r.r0 = r0 + mo_cut(r1 - r0, tiles, t0);
            r.r1 = r0 + mo_cut(r1 - r0, tiles, t1);
            r.cold = b == 0;
            r.after = b + 1 == blocks ? next : NULL;
            const size_t k = mo_min(2 * r.p1, j->w->k) - 2 * r.p0;
            j->i16->quantize(a.q, a.scale, j->g.a + r.r0 * j->g.lda + 2 * r.p0, j->g.lda, r.r1 - r.r0, k);
            do_block(j, &r, &a);
            if (r.p1 == j->pairs)
                mo_gemm_finish(j->kern, &j->g, (size_t[2]){r.r0, r.r1}, (size_t[2]){r.c0, r.c1});
        }
    }
}

static void do_task(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t row = task / j->col_parts, col = task % j->col_parts;
    const size_t r0 = mo_cut(j->g.m, j->row_parts, row), r1 = mo_cut(j->g.m, j->row_parts, row + 1);
    const size_t p0 = mo_cut(j->panels, j->col_parts, col), p1 = mo_cut(j->panels, j->col_parts, col + 1);
    const size_t c1 = mo_min(p1 * MO_PANEL, j->g.n), groups = mo_ceil_div((p1 - p0) * MO_PANEL, GROUP);
    for (size_t i = 0; i < groups; i++) {
        const size_t from = p0 + mo_cut(p1 - p0, groups, i), to = p0 + mo_cut(p1 - p0, groups, i + 1);
        const area group = {.c0 = from * MO_PANEL,
            .c1 = mo_min(to * MO_PANEL, c1),
            .after = i + 1 < groups ? weights(j, to * MO_PANEL, 0) : NULL};
        do_rows(j, &group, r0, r1);
    }
}

void mo_gemm_i16(mo_pool *pool, const mo_mat *w, const mo_gemm_args *args)
{
    job j = {.kern = mo_kern_get(), .i16 = mo_i16_get(), .w = w, .g = *args};
    const size_t threads = mo_pool_now(pool);
    j.pairs = mo_mat_i16_pairs(w->k);
    j.blocks = mo_mat_i16_blocks(w->k);
    j.panels = mo_ceil_div(j.g.n, MO_PANEL);
    j.row_parts = mo_ceil_div(j.g.m, TASK_ROWS);
    j.col_parts = 1;
    if (threads > 1) j.col_parts = mo_min(mo_ceil_div(4 * threads, j.row_parts), mo_ceil_div(j.panels, 4));
    mo_pool_run(pool, j.row_parts * j.col_parts, do_task, &j);
}
