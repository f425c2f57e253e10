/* SPDX-License-Identifier: MIT
 * gemm_onednn.c - products by oneDNN: weights packed in blocks of columns, rows rounded to bfloat16 in blocks
 * of MO_ONEDNN_ROWS, the last one filled up with zeros.
 *
 * A call of oneDNN is one block of rows by one block of columns over all of k, always of the same shape; the
 * pool's threads share the blocks out and nothing else.  A matrix keeps its plan beside its packed blocks. */
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/bf16.h"
#include "math/gemm_epilogue.h"
#include "math/mat.h"

#define WIDEST 512 /* columns of one call */

static const mo_onednn_plan *plan_of(const mo_mat *mat)
{
    return mat->extra;
}

/* Of 512, 448 ... 256 columns what leaves the least of the last block empty; few columns as they are. */
static size_t width_of(size_t n)
{
    if (n <= WIDEST) return mo_round_up(n, MO_PANEL);
    size_t best = WIDEST;
    for (size_t w = WIDEST; w >= WIDEST / 2; w -= 64)
        if (mo_round_up(n, w) < mo_round_up(n, best)) best = w;
    return best;
}

static const char *block_at(const mo_mat *mat, size_t b)
{
    return (const char *)mat->packed + b * plan_of(mat)->bytes;
}

/* Columns c0 .. c0 + width as a plain matrix, zeros beyond n and k. */
static void unpack(float *to, const mo_mat *from, const mo_onednn_plan *plan, size_t c0)
{
    const float *panels = from->packed;
    memset(to, 0, plan->depth * plan->width * sizeof *to);
    for (size_t c = c0; c < c0 + plan->width && c < from->n; c += MO_PANEL)
        for (size_t i = 0; i < from->k; i++)
            memcpy(to + i * plan->width + (c - c0), panels + (c / MO_PANEL * from->k + i) * MO_PANEL,
                MO_PANEL * sizeof *to);
}

/* *packed = all blocks of columns, or NULL where oneDNN refuses.  NOMEM. */
static mopd_status pack(char **packed, const mo_onednn_plan *plan, const mo_mat *from)
{
    const size_t blocks = mo_ceil_div(from->n, plan->width);
    float *plain = mo_mem_alloc(plan->depth * plan->width, sizeof *plain);
    char *to = plain ? mo_mem_alloc(blocks, plan->bytes) : NULL;
    bool good = to;
    for (size_t b = 0; good && b < blocks; b++) {
        unpack(plain, from, plan, b * plan->width);
        good = mo_onednn_pack(plan, to + b * plan->bytes, plain);
    }
    const mopd_status st = to ? MOPD_OK : MOPD_E_NOMEM;
    mo_mem_free(plain);
    if (!good) mo_mem_free(to);
    *packed = good ? to : NULL;
    return st;
}

static mopd_status quantize(mo_mat *out, const mo_mat *from)
{
    const mo_onednn_plan *plan;
    char *packed;
    if (!mo_bf16_wanted(from->n, from->k)) return MOPD_OK;
    mopd_status st = mo_onednn_plan_get(&plan, from->k, width_of(from->n));
    if (st != MOPD_OK || !plan) return st;
    st = pack(&packed, plan, from);
    if (!packed) {
        mo_onednn_plan_release(plan);
        return st;
    }
    *out = (mo_mat){.n = from->n,
        .k = from->k,
        .ops = &mo_gemm_onednn_ops,
        .packed = packed,
        .extra = plan,
        .owned = packed};
    return MOPD_OK;
}

static void free_mat(mo_mat *mat)
{
    mo_onednn_plan_release(plan_of(mat));
    mo_mem_free(mat->owned);
}

/* Rows r0..r1 in bfloat16, zeros beyond k and up to whole blocks. */
static void round_rows(const mo_gemm_job *j, mo_onednn_work *work, size_t r0, size_t r1)
{
    const size_t k = j->w->k, depth = plan_of(j->w)->depth, rows = mo_round_up(r1 - r0, MO_ONEDNN_ROWS);
    for (size_t r = r0; r < r1; r++) {
        uint16_t *to = work->a + (r - r0) * depth;
        mo_bf16_round(to, j->g.a + r * j->g.lda, k);
        memset(to + k, 0, (depth - k) * sizeof *to);
    }
    memset(work->a + (r1 - r0) * depth, 0, (rows - (r1 - r0)) * depth * sizeof *work->a);
}

/* Rows of the result from work->c, which is block b of columns: those of them that are in the area. */
static void write_back(const mo_gemm_job *j, const mo_onednn_work *work, size_t b, const mo_gemm_area *area)
{
    const mo_gemm_args *g = &j->g;
    const size_t width = plan_of(j->w)->width, begin = mo_max(b * width, g->first + area->c0);
    const size_t at = begin - g->first, n = mo_min((b + 1) * width - begin, area->c1 - at);
    const float *x = work->c + (begin - b * width);
    for (size_t r = area->r0; r < area->r1; r++, x += width) {
        const mo_gemm_epilogue e = mo_gemm_epilogue_of(g, true, true, r, at);
        mo_gemm_epilogue_row(j->kern, g->c + r * g->ldc + at, x, &e, n);
    }
    mo_gemm_epilogue_finish(j->kern, g, &(mo_gemm_area){area->r0, area->r1, at, at + n});
}

static void run(const mo_gemm_job *j, const mo_gemm_area *area)
{
    const mo_onednn_plan *plan = plan_of(j->w);
    const size_t b0 = (j->g.first + area->c0) / plan->width;
    const size_t b1 = mo_ceil_div(j->g.first + area->c1, plan->width);
    mo_onednn_work *work = mo_onednn_take(plan);
    round_rows(j, work, area->r0, area->r1);
    for (size_t b = b0; b < b1; b++)
        for (size_t r = area->r0; r < area->r1; r += MO_ONEDNN_ROWS) {
            const mo_gemm_area rows = {r, mo_min(r + MO_ONEDNN_ROWS, area->r1), area->c0, area->c1};
            mo_onednn_multiply(plan, work, (r - area->r0) / MO_ONEDNN_ROWS, block_at(j->w, b));
            write_back(j, work, b, &rows);
        }
    mo_onednn_give(plan, work);
}

static void plan(mo_gemm_job *j, size_t threads)
{
    const mo_onednn_plan *shape = plan_of(j->w);
    const size_t blocks = mo_ceil_div(j->g.m, MO_ONEDNN_ROWS);
    j->row_step = MO_ONEDNN_ROWS;
    j->col_step = shape->width;
    j->before = j->g.first % shape->width;
    j->row_parts = mo_ceil_div(blocks, shape->blocks);
    if (threads == 1) return;
    const size_t columns = mo_ceil_div(j->before + j->g.n, shape->width);
    if (j->row_parts < 2 * threads) j->row_parts = mo_min(blocks, 2 * threads);
    j->col_parts = mo_min(mo_ceil_div(2 * threads, j->row_parts), columns);
}

/* By products with rows of the unit matrix: bfloat16 times one is itself. */
static void row_of(const mo_mat *mat, size_t o, float *row)
{
    const mo_onednn_plan *plan = plan_of(mat);
    mo_onednn_work *work = mo_onednn_take(plan);
    for (size_t i = 0; i < mat->k; i += MO_ONEDNN_ROWS) {
        const size_t n = mo_min(MO_ONEDNN_ROWS, mat->k - i);
        memset(work->a, 0, MO_ONEDNN_ROWS * plan->depth * sizeof *work->a);
        for (size_t r = 0; r < n; r++) work->a[r * plan->depth + i + r] = 0x3f80; /* 1 */
        mo_onednn_multiply(plan, work, 0, block_at(mat, o / plan->width));
        for (size_t r = 0; r < n; r++) row[i + r] = work->c[r * plan->width + o % plan->width];
    }
    mo_onednn_give(plan, work);
}

const mo_gemm_ops mo_gemm_onednn_ops = {
    .name = "onednn", .quantize = quantize, .plan = plan, .run = run, .row = row_of, .free = free_mat};
