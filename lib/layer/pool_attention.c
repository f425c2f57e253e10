/* SPDX-License-Identifier: MIT
 * pool_attention.c - the mean and the positions as rows of one sequence, of which the first one queries. */
#include "layer/pool_attention.h"

#include "base/ints.h"
#include "base/mem.h"
#include "layer/mean_pool.h"
#include "math/kern.h"

void mo_pool_attention_free(mo_pool_attention *a)
{
    if (!a) return;
    mo_linear_free(&a->qkv);
    mo_linear_free(&a->proj);
    mo_mem_free(a->position);
    *a = (mo_pool_attention){0};
}

void mo_pool_attention_take(
    mo_pool_attention_work *work, mo_arena *arena, const mo_pool_attention *a, const mo_pool *pool, size_t n)
{
    const size_t e = a->qkv.w.k;
    work->rows = mo_arena_rows(arena, mo_times(n, a->positions + 1), e);
    work->mean = mo_arena_rows(arena, n, e);
    work->q = mo_arena_rows(arena, n, e);
    work->mixed = mo_arena_rows(arena, n, e);
    work->scratch = mo_arena_floats(arena, mo_attention_scratch(pool, e, a->n_heads, a->positions + 1));
    work->select = mo_arena_take(arena, n, sizeof *work->select);
}

typedef struct job {
    const mo_kern *kern;
    const mo_pool_attention *a;
    const mo_pool_attention_work *work;
    const float *x;
} job;

/* One map's rows with their positions. */
static void place(void *ctx, size_t i)
{
    const job *j = ctx;
    const size_t e = j->a->qkv.w.k, p = j->a->positions;
    float *rows = j->work->rows + i * (p + 1) * e;
    const float *x = j->x + i * p * e;
    j->kern->add(rows, j->work->mean + i * e, j->a->position, e);
    j->kern->add(rows + e, x, j->a->position + e, p * e);
    j->work->select[i] = (uint32_t)(i * (p + 1));
}

void mo_pool_attention_fwd(mo_pool *pool, float *y, const float *x, const mo_pool_attention *a, size_t n,
    const mo_pool_attention_work *work)
{
    const size_t e = a->qkv.w.k, length = a->positions + 1;
    job j = {mo_kern_get(), a, work, x};
    mo_mean_pool_fwd(pool, work->mean, x, (const size_t[3]){n, a->positions, 1}, e);
    mo_pool_run(pool, n, place, &j);
    mo_gemm(pool, &a->qkv.w,
        &(mo_gemm_args){
            .c = work->q, .ldc = e, .a = work->rows, .lda = length * e, .m = n, .bias = a->qkv.bias, .n = e});
    const mo_rows rows = {.rows = n * length, .n_seqs = n, .seq_len = length};
    const mo_attention_normed attention = {.qkv = &a->qkv.w,
        .bias = a->qkv.bias,
        .n_heads = a->n_heads,
        .rows = &rows,
        .select = work->select,
        .n_select = n,
        .q = work->q,
        .x = work->rows,
        .scratch = work->scratch};
    mo_attention_normed_fwd(pool, work->mixed, &attention);
    mo_linear_fwd(pool, y, work->mixed, &a->proj, &(mo_linear_call){.rows = n});
}
