/* SPDX-License-Identifier: MIT
 * block.c - the pre-norm transformer block: forward, forward for a backward pass, backward to its input. */
#include "layer/block.h"

#include <string.h>

#include "layer/act.h"

static size_t rows_of(const mo_block_run *run)
{
    return run->select ? run->n_select : run->rows->rows;
}

void mo_block_work_take(
    mo_block_work *work, mo_arena *arena, const mo_block *block, const mo_block_size *size)
{
    const size_t w = block->width, rows = size->rows;
    work->norm = mo_arena_floats(arena, rows * w);
    work->qkv = mo_arena_floats(arena, rows * 3 * w);
    work->att = mo_arena_floats(arena, rows * w);
    work->hidden = mo_arena_floats(arena, rows * block->hidden);
    work->attention =
        mo_arena_floats(arena, mo_attention_scratch(size->pool, w, block->n_heads, size->longest));
}

void mo_block_cache_take(
    mo_block_cache *cache, mo_arena *arena, const mo_block *block, size_t rows, size_t n_select)
{
    const size_t w = block->width, out = n_select ? n_select : rows;
    cache->stats1 = mo_arena_floats(arena, rows * 2);
    cache->qkv = mo_arena_floats(arena, rows * 3 * w);
    cache->q = n_select ? mo_arena_floats(arena, n_select * w) : NULL;
    cache->mid = mo_arena_floats(arena, out * w);
    cache->stats2 = mo_arena_floats(arena, out * 2);
    cache->hidden = mo_arena_floats(arena, out * block->hidden);
}

/* n rows of x side by side; y may be x, as the rows ascend. */
static void gather(float *y, const float *x, const uint32_t *row, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++) memmove(y + i * width, x + row[i] * width, width * sizeof *y);
}

/* qkv [rows x 3W] from the different ones among the normed rows, made where the hidden rows will be. */
static void project_duplicates(const mo_block *b, const mo_block_run *run, float *qkv)
{
    const size_t w = b->width;
    const mo_duplicates *t = run->duplicates;
    float *norm = run->work->norm, *made = run->work->hidden;
    gather(norm, norm, t->first, t->n, w);
    mo_gemm(run->pool, &b->qkv.w,
        &(mo_gemm_args){.c = made, .ldc = 3 * w, .a = norm, .lda = w, .m = t->n, .bias = b->qkv.bias});
    for (size_t r = 0; r < run->rows->rows; r++)
        memcpy(qkv + r * 3 * w, made + t->of[r] * 3 * w, 3 * w * sizeof *qkv);
}

/* Queries, keys and values from the normed rows.  With select the queries go to q [n_select x W]. */
static void project(const mo_block *b, const mo_block_run *run, float *qkv, float *q)
{
    const size_t w = b->width;
    float *norm = run->work->norm;
    mo_gemm_args g = {.c = qkv, .ldc = 3 * w, .a = norm, .lda = w, .m = run->rows->rows, .bias = b->qkv.bias};
    if (!run->select) {
        if (run->duplicates && run->duplicates->n * 3 * w <= run->rows->rows * b->hidden)
            project_duplicates(b, run, qkv);
        else
            mo_gemm(run->pool, &b->qkv.w, &g);
        return;
    }
    const bool apart = w % MO_PANEL == 0;
    if (apart) {
        g.first = w;
        g.c += w;
        g.bias = b->qkv.bias ? b->qkv.bias + w : NULL;
    }
    mo_gemm(run->pool, &b->qkv.w, &g);
    for (size_t i = 0; i < run->n_select && !apart; i++)
        memcpy(q + i * w, qkv + run->select[i] * 3 * w, w * sizeof *q);
    if (!apart) return;
    gather(norm, norm, run->select, run->n_select, w);
    mo_gemm(run->pool, &b->qkv.w,
        &(mo_gemm_args){
            .c = q, .ldc = w, .a = norm, .lda = w, .m = run->n_select, .bias = b->qkv.bias, .n = w});
}

static mo_attention attention_of(const mo_block *b, const mo_block_run *run, const float *qkv, const float *q)
{
    return (mo_attention){.width = b->width,
        .n_heads = b->n_heads,
        .rows = run->rows,
        .select = run->select,
        .n_select = run->n_select,
        .q = run->select ? q : qkv,
        .ldq = run->select ? b->width : 3 * b->width,
        .kv = qkv + b->width,
        .ldkv = 3 * b->width,
        .scratch = run->work->attention};
}

/* Whether attention of the selected rows goes without keys and values of all; what a backward pass needs has
 * them. */
static bool skips_keys_and_values(const mo_block *b, const mo_block_run *run, bool for_backward)
{
    return run->select && !for_backward && mo_mat_has_floats(&b->qkv.w) &&
           b->width / b->n_heads % MO_PANEL == 0;
}

/* att [n_select x W] from the normed rows. */
static void attend_selected(const mo_block *b, const mo_block_run *run)
{
    const size_t w = b->width;
    mo_block_work *work = run->work;
    float *q = work->hidden, *querying = work->qkv;
    gather(querying, work->norm, run->select, run->n_select, w);
    mo_gemm(run->pool, &b->qkv.w,
        &(mo_gemm_args){
            .c = q, .ldc = w, .a = querying, .lda = w, .m = run->n_select, .bias = b->qkv.bias, .n = w});
    mo_attention_selected_fwd(run->pool, work->att,
        &(mo_attention_selected){.qkv = &b->qkv.w,
            .bias = b->qkv.bias,
            .n_heads = b->n_heads,
            .rows = run->rows,
            .select = run->select,
            .n_select = run->n_select,
            .q = q,
            .x = work->norm,
            .scratch = work->attention});
}

/* The block, its results in the places of c; the activation goes apart when c keeps what was before it. */
static void forward(
    const mo_block *b, float *y, const float *x, const mo_block_run *run, const mo_block_cache *c)
{
    const size_t rows = rows_of(run), w = b->width;
    mo_block_work *work = run->work;
    mo_norm_fwd(run->pool, work->norm, x, &b->ln1, c->stats1, run->rows->rows);
    const bool for_backward = c->hidden != work->hidden;
    if (skips_keys_and_values(b, run, for_backward)) {
        attend_selected(b, run);
    } else {
        project(b, run, c->qkv, c->q);
        const mo_attention a = attention_of(b, run, c->qkv, c->q);
        mo_attention_fwd(run->pool, work->att, &a);
    }
    const float *from = x;
    if (run->select) {
        gather(work->norm, x, run->select, run->n_select, w);
        from = work->norm;
    }
    mo_linear_fwd(run->pool, c->mid, work->att, &b->out, &(mo_linear_call){.rows = rows, .residual = from});
    mo_norm_fwd(run->pool, work->norm, c->mid, &b->ln2, c->stats2, rows);
    mo_linear_fwd(run->pool, c->hidden, work->norm, &b->fc1,
        &(mo_linear_call){.rows = rows, .act = for_backward ? MO_ACT_NONE : b->act});
    if (for_backward) mo_act_fwd(run->pool, work->hidden, c->hidden, b->act, rows * b->hidden);
    mo_linear_fwd(run->pool, y, work->hidden, &b->fc2, &(mo_linear_call){.rows = rows, .residual = c->mid});
}

void mo_block_fwd(const mo_block *block, float *y, const float *x, const mo_block_run *run)
{
    /* The hidden rows come last, so the selected queries may lie there. */
    const mo_block_cache places = {
        .qkv = run->work->qkv, .q = run->work->hidden, .mid = y, .hidden = run->work->hidden};
    forward(block, y, x, run, &places);
}

void mo_block_fwd_for_backward(
    const mo_block *block, float *y, const float *x, const mo_block_run *run, mo_block_cache *cache)
{
    forward(block, y, x, run, cache);
}

mopd_status mo_block_transposed_pack(mo_block_transposed *out, const mo_block *block)
{
    *out = (mo_block_transposed){0};
    mopd_status st = mo_mat_transpose(&out->qkv, &block->qkv.w);
    if (st == MOPD_OK) st = mo_mat_transpose(&out->out, &block->out.w);
    if (st == MOPD_OK) st = mo_mat_transpose(&out->fc1, &block->fc1.w);
    if (st == MOPD_OK) st = mo_mat_transpose(&out->fc2, &block->fc2.w);
    if (st != MOPD_OK) mo_block_transposed_free(out);
    return st;
}

void mo_block_transposed_free(mo_block_transposed *transposed)
{
    if (!transposed) return;
    mo_mat_free(&transposed->qkv);
    mo_mat_free(&transposed->out);
    mo_mat_free(&transposed->fc1);
    mo_mat_free(&transposed->fc2);
}

/* dqkv [rows x 3W] in work->qkv given datt; rows that do not query have dq = 0. */
static void attention_bwd(
    const mo_block *b, const mo_block_run *run, const mo_block_cache *c, const float *datt)
{
    const size_t w = b->width;
    float *dqkv = run->work->qkv;
    const mo_attention a = attention_of(b, run, c->qkv, c->q);
    mo_attention_grad g = {.dout = datt, .dq = dqkv, .lddq = 3 * w, .dkv = dqkv + w, .lddkv = 3 * w};
    if (run->select) {
        g.dq = run->work->norm;
        g.lddq = w;
    }
    mo_attention_bwd(run->pool, &g, &a);
    if (!run->select) return;
    for (size_t r = 0; r < run->rows->rows; r++) memset(dqkv + r * 3 * w, 0, w * sizeof *dqkv);
    for (size_t i = 0; i < run->n_select; i++)
        memcpy(dqkv + run->select[i] * 3 * w, g.dq + i * w, w * sizeof *dqkv);
}

void mo_block_bwd(const mo_block *b, const mo_block_transposed *transposed, const mo_block_grad *g,
    const mo_block_run *run, const mo_block_cache *c)
{
    const size_t rows = rows_of(run), all = run->rows->rows, w = b->width;
    mo_block_work *work = run->work;
    float *dmid = work->att;
    mo_linear_bwd(run->pool, work->hidden, g->dy, &transposed->fc2, rows);
    mo_act_bwd(run->pool, work->hidden, work->hidden, c->hidden, b->act, rows * b->hidden);
    mo_linear_bwd(run->pool, work->norm, work->hidden, &transposed->fc1, rows);
    memcpy(dmid, g->dy, rows * w * sizeof *dmid);
    mo_norm_bwd(run->pool, &b->ln2,
        &(mo_norm_grad){.dx = dmid, .dy = work->norm, .x = c->mid, .stats = c->stats2}, rows);

    float *datt = work->hidden; /* rows x W fit: hidden >= W is checked when packing */
    mo_linear_bwd(run->pool, datt, dmid, &transposed->out, rows);
    attention_bwd(b, run, c, datt);
    mo_linear_bwd(run->pool, work->norm, work->qkv, &transposed->qkv, all);
    if (run->select) {
        memset(g->dx, 0, all * w * sizeof *g->dx);
        for (size_t i = 0; i < rows; i++) memcpy(g->dx + run->select[i] * w, dmid + i * w, w * sizeof *dmid);
    } else {
        memcpy(g->dx, dmid, all * w * sizeof *g->dx);
    }
    mo_norm_bwd(run->pool, &b->ln1,
        &(mo_norm_grad){.dx = g->dx, .dy = work->norm, .x = g->x, .stats = c->stats1}, all);
}
