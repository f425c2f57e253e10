/* SPDX-License-Identifier: MIT
 * gemm_onednn.c - products by oneDNN: weights packed in blocks of columns, rows rounded to bfloat16 in blocks
 * of MO_ONEDNN_ROWS, the last one filled up with zeros.
 *
 * A call of oneDNN is one block of rows by one block of columns over all of k, always of the same shape; the
 * pool's threads share the blocks out and nothing else. */
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/bf16.h"
#include "math/kern.h"

#define WIDEST 512 /* columns of one call */

typedef struct job {
    const mo_kern *kern;
    const mo_mat *w;
    mo_gemm_args g;
    size_t row_parts, col_parts;
    size_t b0, b1; /* blocks of columns that are asked for */
} job;

/* Of 512, 448 ... 256 columns what leaves the least of the last block empty; few columns as they are. */
static size_t width_of(size_t n)
{
    if (n <= WIDEST) return mo_ceil_div(n, MO_PANEL) * MO_PANEL;
    size_t best = WIDEST;
    for (size_t w = WIDEST; w >= WIDEST / 2; w -= 64)
        if (mo_ceil_div(n, w) * w < mo_ceil_div(n, best) * best) best = w;
    return best;
}

static const char *block_at(const mo_mat *w, size_t b)
{
    return (const char *)w->owned + b * w->onednn->bytes;
}

/* Columns c0 .. c0 + width as a plain matrix, zeros beyond n and k. */
static void unpack(float *to, const mo_mat *mat, const mo_onednn_plan *plan, size_t c0)
{
    memset(to, 0, plan->depth * plan->width * sizeof *to);
    for (size_t c = c0; c < c0 + plan->width && c < mat->n; c += MO_PANEL)
        for (size_t i = 0; i < mat->k; i++)
            memcpy(to + i * plan->width + (c - c0), mat->panels + (c / MO_PANEL * mat->k + i) * MO_PANEL,
                MO_PANEL * sizeof *to);
}

mopd_status mo_gemm_onednn_quantize(mo_mat *mat, bool *done)
{
    *done = false;
    const mo_onednn_plan *plan;
    mopd_status st = mo_onednn_plan_get(&plan, mat->k, width_of(mat->n));
    if (st != MOPD_OK || !plan) return st;
    const size_t blocks = mo_ceil_div(mat->n, plan->width);
    float *plain = mo_mem_alloc(plan->depth * plan->width, sizeof *plain);
    char *packed = plain ? mo_mem_alloc(blocks, plan->bytes) : NULL;
    if (!packed) st = MOPD_E_NOMEM;
    bool good = packed;
    for (size_t b = 0; good && b < blocks; b++) {
        unpack(plain, mat, plan, b * plan->width);
        good = mo_onednn_pack(plan, packed + b * plan->bytes, plain);
    }
    mo_mem_free(plain);
    if (!good) {
        mo_mem_free(packed);
        mo_onednn_plan_release(plan);
        return st;
    }
    mo_mem_free(mat->owned);
    *mat = (mo_mat){.n = mat->n, .k = mat->k, .owned = (float *)(void *)packed, .onednn = plan};
    *done = true;
    return MOPD_OK;
}

/* Rows r0..r1 in bfloat16, zeros beyond k and up to whole blocks. */
static void round_rows(const job *j, mo_onednn_work *work, size_t r0, size_t r1)
{
    const size_t k = j->w->k, depth = j->w->onednn->depth,
                 rows = mo_ceil_div(r1 - r0, MO_ONEDNN_ROWS) * MO_ONEDNN_ROWS;
    for (size_t r = r0; r < r1; r++) {
        uint16_t *to = work->a + (r - r0) * depth;
        mo_bf16_round(to, j->g.a + r * j->g.lda, k);
        memset(to + k, 0, (depth - k) * sizeof *to);
    }
    memset(work->a + (r1 - r0) * depth, 0, (rows - (r1 - r0)) * depth * sizeof *work->a);
}

/* Rows r0..r1 of the result, their columns of block b, from work->c. */
static void write_back(const job *j, const mo_onednn_work *work, size_t b, size_t r0, size_t r1)
{
    const mo_gemm_args *g = &j->g;
    const size_t width = j->w->onednn->width, begin = b * width;
    const size_t from = begin > g->first ? begin : g->first, to = mo_min(begin + width, g->first + g->n);
    const size_t at = from - g->first, n = to - from;
    for (size_t r = r0; r < r1; r++) {
        const float *x = work->c + (r - r0) * width + (from - begin);
        float *c = g->c + r * g->ldc + at;
        if (g->residual && g->act == MO_ACT_NONE) {
            j->kern->add(c, x, g->residual + r * g->ldr + at, n);
            x = c;
        }
        if (g->bias)
            j->kern->add(c, x, g->bias + at, n);
        else if (x != c)
            memcpy(c, x, n * sizeof *c);
        if (g->act == MO_ACT_RELU6) j->kern->relu6(c, c, 0, 1, n);
    }
    mo_gemm_finish(j->kern, g, (size_t[2]){r0, r1}, (size_t[2]){at, at + n});
}

static void do_task(void *ctx, size_t task)
{
    const job *j = ctx;
    const mo_onednn_plan *plan = j->w->onednn;
    const size_t row = task / j->col_parts, col = task % j->col_parts, n = j->b1 - j->b0;
    const size_t blocks = mo_ceil_div(j->g.m, MO_ONEDNN_ROWS), b0 = j->b0 + mo_cut(n, j->col_parts, col);
    const size_t b1 = j->b0 + mo_cut(n, j->col_parts, col + 1),
                 r0 = mo_cut(blocks, j->row_parts, row) * MO_ONEDNN_ROWS;
    const size_t r1 = mo_min(mo_cut(blocks, j->row_parts, row + 1) * MO_ONEDNN_ROWS, j->g.m);
    mo_onednn_work *work = mo_onednn_take(plan);
    round_rows(j, work, r0, r1);
    for (size_t b = b0; b < b1; b++)
        for (size_t r = r0; r < r1; r += MO_ONEDNN_ROWS) {
            mo_onednn_multiply(plan, work, (r - r0) / MO_ONEDNN_ROWS, block_at(j->w, b));
            write_back(j, work, b, r, mo_min(r + MO_ONEDNN_ROWS, r1));
        }
    mo_onednn_give(plan, work);
}

void mo_gemm_onednn(mo_pool *pool, const mo_mat *w, const mo_gemm_args *args)
{
    job j = {.kern = mo_kern_get(), .w = w, .g = *args, .col_parts = 1};
    const size_t threads = mo_pool_now(pool), blocks = mo_ceil_div(j.g.m, MO_ONEDNN_ROWS);
    j.b0 = j.g.first / w->onednn->width;
    j.b1 = mo_ceil_div(j.g.first + j.g.n, w->onednn->width);
    j.row_parts = mo_ceil_div(blocks, w->onednn->blocks);
    if (threads > 1) {
        if (j.row_parts < 2 * threads) j.row_parts = mo_min(blocks, 2 * threads);
        j.col_parts = mo_min(mo_ceil_div(2 * threads, j.row_parts), j.b1 - j.b0);
    }
    mo_pool_run(pool, j.row_parts * j.col_parts, do_task, &j);
}

/* By products with rows of the unit matrix: bfloat16 times one is itself. */
void mo_gemm_onednn_row(const mo_mat *mat, size_t o, float *row)
{
    const mo_onednn_plan *plan = mat->onednn;
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
