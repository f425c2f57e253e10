/* SPDX-License-Identifier: MIT
 * gemm_bf16.c - products over bfloat16 (math/bf16.h): weights rounded and laid out in tiles, and the loops around the kernel.
 *
 *     blocks of k     as many steps as stay in the first cache
 *       blocks of 32 rows, rounded on the stack
 *         blocks of 32 outputs
 *
 * Tile s of panel j begins at packed + (j * steps + s) * MO_BF16_TILE, zeros beyond n and k.  The sums go on from where they
 * stand in c, so the cut of k changes no bit; they start at the bias, and at what is added. */
#include <string.h>

#include "base/half.h"
#include "base/ints.h"
#include "base/mem.h"
#include "math/bf16.h"
#include "math/gemm_epilogue.h"
#include "math/mat.h"
#include "math/races.h"

#define MOST_STEPS 16 /* of a block of k */
#define TASK_ROWS 256
#define GROUP 768 /* columns */

static size_t steps_of(const mo_mat *mat)
{
    return mo_ceil_div(mat->k, MO_BF16_STEP);
}

/* Sixteen outputs over all of k. */
static void pack_panel(const mo_bf16_kern *kern, uint16_t *to, const float *panel, size_t k)
{
    for (size_t o = 0; o < MO_PANEL; o++)
        for (size_t i = 0; i < k; i += MO_BF16_STEP) {
            const size_t n = mo_min(k - i, MO_BF16_STEP);
            float row[MO_BF16_STEP];
            uint16_t rounded[MO_BF16_STEP], *tile = to + i / MO_BF16_STEP * MO_BF16_TILE;
            for (size_t p = 0; p < n; p++) row[p] = panel[(i + p) * MO_PANEL + o];
            kern->round(rounded, row, n);
            for (size_t p = 0; p < MO_BF16_STEP; p++) tile[(p / 2 * MO_PANEL + o) * 2 + p % 2] = rounded[p];
        }
}

static mopd_status quantize(mo_mat *out, const mo_mat *from)
{
    if (!mo_bf16_wanted(from->n, from->k)) return MOPD_OK;
    const size_t panels = mo_ceil_div(from->n, MO_PANEL), steps = steps_of(from);
    size_t tiles;
    uint16_t *q = mo_mul(panels, steps, &tiles) ? mo_mem_alloc(tiles, MO_BF16_TILE * sizeof *q) : NULL;
    if (!q) return MOPD_E_NOMEM;
    for (size_t j = 0; j < panels; j++)
        pack_panel(mo_bf16_get(), q + j * steps * MO_BF16_TILE,
            (const float *)from->packed + j * from->k * MO_PANEL, from->k);
    *out = (mo_mat){.n = from->n, .k = from->k, .ops = &mo_gemm_bf16_ops, .packed = q, .owned = q};
    return MOPD_OK;
}

static mopd_status lay(mo_mat *out, const mo_mat_part *parts, size_t n_parts)
{
    if (out->k % MO_BF16_STEP || !mo_bf16_wanted(out->n, out->k) ||
        !mo_mat_parts_lie(parts, n_parts, out->k, MO_BF16, 2))
        return MOPD_OK;
    *out = (mo_mat){
        .n = out->n, .k = out->k, .ops = &mo_gemm_bf16_ops, .packed = parts[0].view->data, .mapped = true};
    return MOPD_OK;
}

static void row_of(const mo_mat *mat, size_t o, float *row)
{
    const uint16_t *panel = (const uint16_t *)mat->packed + o / MO_PANEL * steps_of(mat) * MO_BF16_TILE;
    for (size_t i = 0; i < mat->k; i++) {
        const uint16_t *tile = panel + i / MO_BF16_STEP * MO_BF16_TILE;
        row[i] = mo_half_bf16_to_f32(tile[(i % MO_BF16_STEP / 2 * MO_PANEL + o % MO_PANEL) * 2 + i % 2]);
    }
}

/* Rows r0..r1, steps s0..s1, of an area. */
typedef struct part {
    const mo_gemm_job *job;
    const mo_gemm_area *area;
    size_t r0, r1, s0, s1;
} part;

static void round_rows(const part *p, const mo_bf16_kern *kern, uint16_t *a)
{
    const mo_gemm_args *g = &p->job->g;
    const size_t k0 = p->s0 * MO_BF16_STEP, k = mo_min(p->s1 * MO_BF16_STEP, p->job->w->k) - k0;
    const size_t lower = (p->s1 - p->s0) * MO_BF16_TILE, rows = p->r1 - p->r0;
    MO_RACES_READ(g->a + p->r0 * g->lda + k0, g->lda, rows, k);
    for (size_t i = 0; i < mo_round_up(rows, MO_BF16_ROWS); i++) {
        uint16_t *to = a + i / MO_BF16_ROWS * lower + i % MO_BF16_ROWS * MO_BF16_STEP;
        if (i < rows)
            kern->round(to, g->a + (p->r0 + i) * g->lda + k0, k);
        else
            for (size_t s = 0; s < p->s1 - p->s0; s++)
                memset(to + s * MO_BF16_TILE, 0, MO_BF16_STEP * sizeof *to);
    }
}

static void do_block(const part *p, const mo_bf16_kern *kern, const uint16_t *a, size_t c)
{
    const mo_gemm_args *g = &p->job->g;
    const size_t steps = steps_of(p->job->w);
    const bool first = p->s0 == 0, last = p->s1 == steps;
    const mo_gemm_epilogue e = mo_gemm_epilogue_of(g, first, last, p->r0, c);
    const mo_bf16_block b = {.m = p->r1 - p->r0,
        .n = mo_min(p->area->c1 - c, MO_BF16_BLOCK),
        .steps = p->s1 - p->s0,
        .a = a,
        .lower = (p->s1 - p->s0) * MO_BF16_TILE,
        .w = (const uint16_t *)p->job->w->packed + ((g->first + c) / MO_PANEL * steps + p->s0) * MO_BF16_TILE,
        .right = steps * MO_BF16_TILE,
        .start = e.add,
        .ldstart = e.ldadd,
        .bias = first && g->bias ? g->bias + c : NULL,
        .top = e.top,
        .out = g->c + p->r0 * g->ldc + c,
        .ldout = g->ldc};
    if (b.start) MO_RACES_READ(b.start, b.ldstart, b.m, b.n);
    MO_RACES_WRITE(b.out, b.ldout, b.m, b.n);
    kern->block(&b);
}

static void do_rows(const part *p, const mo_bf16_kern *kern)
{
    _Alignas(64) uint16_t a[2 * MOST_STEPS * MO_BF16_TILE];
    round_rows(p, kern, a);
    for (size_t c = p->area->c0; c < p->area->c1; c += MO_BF16_BLOCK) do_block(p, kern, a, c);
    if (p->s1 == steps_of(p->job->w))
        mo_gemm_epilogue_finish(
            p->job->kern, &p->job->g, &(mo_gemm_area){p->r0, p->r1, p->area->c0, p->area->c1});
}

static void run(const mo_gemm_job *j, const mo_gemm_area *area)
{
    const mo_bf16_kern *amx = mo_bf16_get(), *kern = amx ? amx : mo_bf16_plain();
    const size_t steps = steps_of(j->w), turns = mo_ceil_div(steps, MOST_STEPS);
    kern->begin();
    for (size_t i = 0; i < turns; i++)
        for (size_t r = area->r0; r < area->r1; r += MO_BF16_BLOCK) {
            const part p = {j, area, r, mo_min(r + MO_BF16_BLOCK, area->r1), mo_cut(steps, turns, i),
                mo_cut(steps, turns, i + 1)};
            do_rows(&p, kern);
        }
    kern->end();
}

static void plan(mo_gemm_job *j, size_t threads)
{
    const size_t tiles = mo_ceil_div(j->g.m, MO_BF16_ROWS);
    j->group = GROUP;
    j->row_step = MO_BF16_ROWS;
    j->row_parts = mo_ceil_div(j->g.m, TASK_ROWS);
    if (threads == 1) return;
    if (j->row_parts < 2 * threads) j->row_parts = mo_min(mo_ceil_div(tiles, 2), 2 * threads);
    j->col_parts = mo_min(mo_ceil_div(2 * threads, j->row_parts), mo_ceil_div(j->g.n, 4 * MO_PANEL));
}

const mo_gemm_ops mo_gemm_bf16_ops = {
    .name = "bf16", .quantize = quantize, .lay = lay, .plan = plan, .run = run, .row = row_of};
