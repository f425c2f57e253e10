/* SPDX-License-Identifier: MIT
 * gemm_i16.c - products over 16-bit integers with scales (math/i16.h): weights quantized panel by panel, and
 * the loops around the kernel, as gemm_f32.c has them.
 *
 *     blocks of k   their weights stay in the second cache
 *       rows        quantized side by side on the stack
 *         panels    of one tile
 *           tiles
 *
 * Panel j, inputs 2i and 2i+1: packed[((j * pairs + i) * 16 + o) * 2 + (0 or 1)], zeros beyond n and k; its
 * scales extra[(j * blocks + b) * 16 + o] of block b of k, the pairs cut as equal as can be. */
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/gemm_epilogue.h"
#include "math/i16.h"
#include "math/mat.h"
#include "math/races.h"

#define BLOCK_ROWS 56
#define TASK_ROWS 240
#define GROUP 768 /* columns */

/* How the inputs of a matrix are cut: pairs of them, and blocks of pairs that have a scale each. */
typedef struct depth {
    size_t k, pairs, blocks;
} depth;

static depth depth_of(const mo_mat *mat)
{
    return (depth){mat->k, mo_ceil_div(mat->k, 2), mo_ceil_div(mat->k, MO_I16_K)};
}

/* Pair at which block b begins. */
static size_t block_at(const depth *d, size_t b)
{
    return mo_cut(d->pairs, d->blocks, b);
}

/* Inputs 2 p0 .. of pairs p0 to p1, where the last pair may have but one. */
static size_t inputs_of(const depth *d, size_t p0, size_t p1)
{
    return mo_min(2 * p1, d->k) - 2 * p0;
}

/* k inputs of one panel: sixteen columns side by side. */
static void quantize_block(int16_t *q, float *scale, const float *w, size_t k)
{
    float square[MO_PANEL] = {0}, to[MO_PANEL];
    for (size_t i = 0; i < k; i++)
        for (size_t o = 0; o < MO_PANEL; o++) square[o] += w[i * MO_PANEL + o] * w[i * MO_PANEL + o];
    bool whole = true;
    for (size_t o = 0; o < MO_PANEL; o++) {
        const mo_i16_scale s = mo_i16_scale_of(square[o]);
        whole = whole && s.back == s.back;
        to[o] = s.to;
        scale[o] = s.back;
    }
    for (size_t i = 0; i < k; i++)
        for (size_t o = 0; o < MO_PANEL; o++) {
            const float x = w[i * MO_PANEL + o];
            q[i / 2 * 2 * MO_PANEL + 2 * o + i % 2] = whole || to[o] > 0 ? mo_i16_round(x * to[o]) : 0;
        }
    for (size_t o = 0; k % 2 && o < MO_PANEL; o++) q[k / 2 * 2 * MO_PANEL + 2 * o + 1] = 0;
}

static mopd_status quantize(mo_mat *out, const mo_mat *from)
{
    const depth d = depth_of(from);
    const size_t panels = mo_ceil_div(from->n, MO_PANEL), scales = panels * d.blocks * MO_PANEL;
    /* Not more than the floats there are, or twice and sixteen of them: no overflow. */
    float *scale = mo_mem_alloc(scales + panels * d.pairs * MO_PANEL, sizeof *scale);
    if (!scale) return MOPD_E_NOMEM;
    int16_t *q = (int16_t *)(void *)(scale + scales);
    const float *w = from->packed;
    for (size_t j = 0; j < panels; j++)
        for (size_t b = 0; b < d.blocks; b++) {
            const size_t p0 = block_at(&d, b), p1 = block_at(&d, b + 1);
            quantize_block(q + (j * d.pairs + p0) * 2 * MO_PANEL, scale + (j * d.blocks + b) * MO_PANEL,
                w + (j * d.k + 2 * p0) * MO_PANEL, inputs_of(&d, p0, p1));
        }
    *out = (mo_mat){
        .n = from->n, .k = from->k, .ops = &mo_gemm_i16_ops, .packed = q, .extra = scale, .owned = scale};
    return MOPD_OK;
}

static void row_of(const mo_mat *mat, size_t o, float *row)
{
    const depth d = depth_of(mat);
    const size_t j = o / MO_PANEL;
    const int16_t *q = (const int16_t *)mat->packed + (j * d.pairs * MO_PANEL + o % MO_PANEL) * 2;
    for (size_t b = 0; b < d.blocks; b++) {
        const float scale = ((const float *)mat->extra)[(j * d.blocks + b) * MO_PANEL + o % MO_PANEL];
        const size_t end = mo_min(2 * block_at(&d, b + 1), d.k);
        for (size_t p = 2 * block_at(&d, b); p < end; p++) row[p] = scale * q[p / 2 * 2 * MO_PANEL + p % 2];
    }
}

/* An area under way. */
typedef struct work {
    const mo_gemm_job *job;
    const mo_i16_kern *i16;
    const mo_gemm_area *area;
    depth depth;
} work;

/* Rows r0..r1 in `tiles` tiles, block `kb` of k: pairs p0..p1. */
typedef struct block {
    size_t r0, r1, tiles, kb, p0, p1;
    bool cold;            /* these weights were not touched before */
    const int16_t *after; /* the panels that come after these, NULL: not known, or these again */
} block;

typedef struct quantized {
    int16_t q[BLOCK_ROWS * MO_I16_LDA];
    float scale[BLOCK_ROWS];
} quantized;

/* Panels from column c (a multiple of 16) and pair p on. */
static const int16_t *weights(const work *w, size_t c, size_t p)
{
    return (const int16_t *)w->job->w->packed + ((w->job->g.first + c) * w->depth.pairs + p * MO_PANEL) * 2;
}

/* Columns c .. of a block, tile after tile. */
static void do_strip(const work *w, const block *b, const quantized *a, size_t c)
{
    const mo_gemm_args *g = &w->job->g;
    const depth *d = &w->depth;
    const size_t width = MO_PANEL * w->i16->tile_panels, n = mo_min(width, w->area->c1 - c);
    const bool last = c + n == w->area->c1;
    const int16_t *ahead = last ? b->after : b->cold ? weights(w, c + n, b->p0) : NULL;
    mo_i16_tile t = {.n = n,
        .pairs = b->p1 - b->p0,
        .panel = d->pairs * 2 * MO_PANEL,
        .scales = d->blocks * MO_PANEL,
        .ldc = g->ldc,
        .to = g->c16_to,
        .next_every = b->tiles};
    t.w = weights(w, c, b->p0);
    t.w_scale = (const float *)w->job->w->extra + ((g->first + c) / MO_PANEL * d->blocks + b->kb) * MO_PANEL;
    for (size_t i = 0; i < b->tiles; i++) {
        const size_t from = mo_cut(b->r1 - b->r0, b->tiles, i), row = b->r0 + from;
        const mo_gemm_epilogue e = mo_gemm_epilogue_of(g, b->p0 == 0, b->p1 == d->pairs, row, c);
        t.m = mo_cut(b->r1 - b->r0, b->tiles, i + 1) - from;
        t.a = a->q + from * MO_I16_LDA;
        t.a_scale = a->scale + from;
        if (g->c16)
            t.c16 = g->c16 + row * g->ldc + c;
        else
            t.c = g->c + row * g->ldc + c;
        t.add = e.add;
        t.ldadd = e.ldadd;
        t.bias = e.bias;
        t.top = e.top;
        t.next = ahead ? ahead + mo_cut(t.pairs, b->tiles, i) * 2 * MO_PANEL : NULL;
        MO_RACES_C(&t);
        w->i16->tile(&t);
    }
}

/* Rows that came reduced. */
static void copy_rows(quantized *a, const mo_gemm_args *g, const block *b, size_t inputs)
{
    const int16_t *from = g->a16 + b->r0 * g->lda + 2 * b->p0;
    int16_t *to = a->q;
    for (size_t r = 0; r < b->r1 - b->r0; r++, from += g->lda, to += MO_I16_LDA) {
        memcpy(to, from, inputs * sizeof *to);
        if (inputs % 2) to[inputs] = 0;
        a->scale[r] = g->a16_scale;
    }
}

static void take_rows(quantized *a, const work *w, const block *b)
{
    const mo_gemm_args *g = &w->job->g;
    const size_t rows = b->r1 - b->r0, inputs = inputs_of(&w->depth, b->p0, b->p1);
    if (g->a16) {
        copy_rows(a, g, b, inputs);
        return;
    }
    const float *from = g->a + b->r0 * g->lda + 2 * b->p0;
    MO_RACES_READ(from, g->lda, rows, inputs);
    w->i16->quantize(a->q, a->scale, from, g->lda, rows, inputs);
}

static void do_block(const work *w, const block *b, quantized *a)
{
    const mo_gemm_args *g = &w->job->g;
    const size_t width = MO_PANEL * w->i16->tile_panels;
    take_rows(a, w, b);
    for (size_t c = w->area->c0; c < w->area->c1; c += width) do_strip(w, b, a, c);
    if (b->p1 == w->depth.pairs)
        mo_gemm_epilogue_finish(w->job->kern, g, &(mo_gemm_area){b->r0, b->r1, w->area->c0, w->area->c1});
}

static void run(const mo_gemm_job *j, const mo_gemm_area *area)
{
    _Alignas(64) quantized a;
    const work w = {.job = j, .i16 = mo_i16_get(), .area = area, .depth = depth_of(j->w)};
    const size_t rows = area->r1 - area->r0, height = w.i16->tile_rows, tiles = mo_ceil_div(rows, height);
    const size_t turns = mo_ceil_div(tiles, BLOCK_ROWS / height);
    const int16_t *after = area->c1 < j->g.n ? weights(&w, area->c1, 0) : NULL;
    for (size_t kb = 0; kb < w.depth.blocks; kb++) {
        block b = {.kb = kb, .p0 = block_at(&w.depth, kb), .p1 = block_at(&w.depth, kb + 1)};
        const int16_t *next = b.p1 < w.depth.pairs ? weights(&w, area->c0, b.p1) : after;
        for (size_t i = 0; i < turns; i++) {
            const size_t t0 = mo_cut(tiles, turns, i), t1 = mo_cut(tiles, turns, i + 1);
            b.tiles = t1 - t0;
            b.r0 = area->r0 + mo_cut(rows, tiles, t0);
            b.r1 = area->r0 + mo_cut(rows, tiles, t1);
            b.cold = i == 0;
            b.after = i + 1 == turns ? next : NULL;
            do_block(&w, &b, &a);
        }
    }
}

static void plan(mo_gemm_job *j, size_t threads)
{
    const size_t panels = mo_ceil_div(j->g.n, MO_PANEL);
    j->group = GROUP;
    j->row_parts = mo_ceil_div(j->g.m, TASK_ROWS);
    if (threads > 1) j->col_parts = mo_min(mo_ceil_div(4 * threads, j->row_parts), mo_ceil_div(panels, 4));
}

const mo_gemm_ops mo_gemm_i16_ops = {
    .name = "i16", .quantize = quantize, .plan = plan, .run = run, .row = row_of};
