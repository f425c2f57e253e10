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
    work->norm = mo_arena_rows(arena, rows, w);
    work->qkv = mo_arena_rows(arena, rows, 3 * w);
    work->att = mo_arena_rows(arena, rows, w);
    work->hidden = mo_arena_rows(arena, rows, block->hidden);
    work->attention = mo_arena_floats(
        arena, size->backward ? mo_attention_bwd_scratch(size->pool, w, block->n_heads, size->backward)
                              : mo_attention_scratch(size->pool, w, block->n_heads, size->longest));
}

void mo_block_cache_take(
    mo_block_cache *cache, mo_arena *arena, const mo_block *block, size_t rows, size_t n_select)
{
    const size_t w = block->width, out = n_select ? n_select : rows;
    cache->stats1 = mo_arena_rows(arena, rows, 2);
    cache->qkv = mo_arena_rows(arena, rows, 3 * w);
    cache->q = n_select ? mo_arena_rows(arena, n_select, w) : NULL;
    cache->mid = mo_arena_rows(arena, out, w);
    cache->stats2 = mo_arena_rows(arena, out, 2);
    cache->hidden = mo_arena_rows(arena, out, block->hidden);
}

/* n rows of x side by side; y may be x, as the rows ascend. */
static void gather(float *y, const float *x, const uint32_t *row, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++) memmove(y + i * width, x + row[i] * width, width * sizeof *y);
}

/* How a block gets from its normed rows to the attention of its rows. */
typedef enum strategy {
    ALL_ROWS,           /* queries, keys and values of all rows */
    DUPLICATES_SHARED,  /* the same, made once for rows that are alike */
    SELECTED_WITH_KEYS, /* queries of the selected rows, keys and values of all */
    SELECTED_FROM_NORMS /* queries of the selected rows over normed rows, without keys and values of all */
} strategy;

/* A backward pass goes through keys and values.  What is made once waits where the hidden rows will be. */
static strategy strategy_of(const mo_block *b, const mo_block_run *run, bool for_backward)
{
    const mo_duplicates *d = run->duplicates;
    if (!run->select)
        return d && d->n * 3 * b->width <= run->rows->rows * b->hidden ? DUPLICATES_SHARED : ALL_ROWS;
    if (for_backward || !mo_mat_has_floats(&b->qkv.w) || b->width / b->n_heads % MO_PANEL)
        return SELECTED_WITH_KEYS;
    return SELECTED_FROM_NORMS;
}

/* Queries, keys and values of g.m rows at g.a, or some of these outputs, to g.c. */
static void project(const mo_block *b, const mo_block_run *run, mo_gemm_args g)
{
    g.lda = b->width;
    g.bias = b->qkv.bias ? b->qkv.bias + g.first : NULL;
    mo_gemm(run->pool, &b->qkv.w, &g);
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

static void attend(const mo_block *b, const mo_block_run *run, const mo_block_cache *c)
{
    const mo_attention a = attention_of(b, run, c->qkv, c->q);
    mo_attention_fwd(run->pool, run->work->att, &a);
}

/* The strategies: att [rows or n_select x W] from the normed rows, which they may overwrite. */
static void attend_all(const mo_block *b, const mo_block_run *run, const mo_block_cache *c)
{
    project(
        b, run, (mo_gemm_args){.c = c->qkv, .ldc = 3 * b->width, .a = run->work->norm, .m = run->rows->rows});
    if (run->rope) mo_rope_apply(run->pool, c->qkv, run->rope, run->rows->n_seqs, b->width);
    attend(b, run, c);
}

static void attend_duplicates(const mo_block *b, const mo_block_run *run, const mo_block_cache *c)
{
    const size_t w = b->width;
    const mo_duplicates *d = run->duplicates;
    float *norm = run->work->norm, *made = run->work->hidden;
    gather(norm, norm, d->first, d->n, w);
    project(b, run, (mo_gemm_args){.c = made, .ldc = 3 * w, .a = norm, .m = d->n});
    for (size_t r = 0; r < run->rows->rows; r++)
        memcpy(c->qkv + r * 3 * w, made + d->of[r] * 3 * w, 3 * w * sizeof *made);
    attend(b, run, c);
}

static void attend_with_keys(const mo_block *b, const mo_block_run *run, const mo_block_cache *c)
{
    const size_t w = b->width, rows = run->rows->rows, n = run->n_select;
    float *norm = run->work->norm;
    if (w % MO_PANEL) { /* the outputs of queries do not end with a panel */
        project(b, run, (mo_gemm_args){.c = c->qkv, .ldc = 3 * w, .a = norm, .m = rows});
        for (size_t i = 0; i < n; i++)
            memcpy(c->q + i * w, c->qkv + run->select[i] * 3 * w, w * sizeof *norm);
    } else {
        project(b, run, (mo_gemm_args){.c = c->qkv + w, .ldc = 3 * w, .a = norm, .m = rows, .first = w});
        gather(norm, norm, run->select, n, w);
        project(b, run, (mo_gemm_args){.c = c->q, .ldc = w, .a = norm, .m = n, .n = w});
    }
    attend(b, run, c);
}

static void attend_from_norms(const mo_block *b, const mo_block_run *run, const mo_block_cache *c)
{
    const size_t w = b->width, n = run->n_select;
    mo_block_work *work = run->work;
    gather(work->qkv, work->norm, run->select, n, w);
    project(b, run, (mo_gemm_args){.c = c->q, .ldc = w, .a = work->qkv, .m = n, .n = w});
    mo_attention_normed_fwd(run->pool, work->att,
        &(mo_attention_normed){.qkv = &b->qkv.w,
            .bias = b->qkv.bias,
            .n_heads = b->n_heads,
            .rows = run->rows,
            .select = run->select,
            .n_select = n,
            .q = c->q,
            .x = work->norm,
            .scratch = work->attention});
}

static void show(const mo_block_run *run, mo_block_place place, const float *x, size_t rows)
{
    if (run->watch) run->watch->look(run->watch->context, run->layer, place, x, rows);
}

/* The block, its results in the places of c.  For a backward pass c keeps what was before the activation. */
static void forward(const mo_block *b, float *y, const float *x, const mo_block_run *run,
    const mo_block_cache *c, bool for_backward)
{
    static void (*const ways[])(const mo_block *, const mo_block_run *, const mo_block_cache *) = {
        [ALL_ROWS] = attend_all,
        [DUPLICATES_SHARED] = attend_duplicates,
        [SELECTED_WITH_KEYS] = attend_with_keys,
        [SELECTED_FROM_NORMS] = attend_from_norms};
    const size_t rows = rows_of(run), w = b->width;
    mo_block_work *work = run->work;
    mo_norm_fwd(run->pool, work->norm, x, &b->ln1, c->stats1, run->rows->rows);
    show(run, MO_BLOCK_QKV, work->norm, run->rows->rows);
    ways[strategy_of(b, run, for_backward)](b, run, c);
    show(run, MO_BLOCK_OUT, work->att, rows);
    const float *from = x;
    if (run->select) {
        gather(work->norm, x, run->select, run->n_select, w);
        from = work->norm;
    }
    mo_linear_fwd(run->pool, c->mid, work->att, &b->out, &(mo_linear_call){.rows = rows, .residual = from});
    mo_norm_fwd(run->pool, work->norm, c->mid, &b->ln2, c->stats2, rows);
    show(run, MO_BLOCK_FC1, work->norm, rows);
    mo_linear_fwd(run->pool, c->hidden, work->norm, &b->fc1,
        &(mo_linear_call){.rows = rows, .act = for_backward ? MO_ACT_NONE : b->act});
    if (for_backward) mo_act_fwd(run->pool, work->hidden, c->hidden, b->act, rows * b->hidden);
    mo_linear_fwd(run->pool, y, work->hidden, &b->fc2,
        &(mo_linear_call){.rows = rows,
            .residual = c->mid,
            .room = work->qkv,
            .room_bytes = rows * 3 * w * sizeof *work->qkv});
}

void mo_block_fwd(const mo_block *block, float *y, const float *x, const mo_block_run *run)
{
    /* The hidden rows come last, so the selected queries may lie there. */
    const mo_block_cache places = {
        .qkv = run->work->qkv, .q = run->work->hidden, .mid = y, .hidden = run->work->hidden};
    forward(block, y, x, run, &places, false);
}

void mo_block_fwd_for_backward(
    const mo_block *block, float *y, const float *x, const mo_block_run *run, mo_block_cache *cache)
{
    forward(block, y, x, run, cache, true);
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
