/* SPDX-License-Identifier: MIT
 * attention_normed.c - attention of a few rows over the normed rows themselves, for the last block of a tower. */
#include "layer/attention_normed.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/ints.h"
#include "layer/attention_chain.h"
#include "math/kern.h"

#define GROUP 16 /* rows that query at a time */

size_t mo_attention_normed_floats(size_t width, size_t longest)
{
    return (1 + GROUP) * width + 3 * longest;
}

typedef struct job {
    const mo_kern *kern;
    const mo_attention_normed *a;
    float *out;
    size_t w, d, per_worker, longest, n_items;
    float scale;
    atomic_size_t next;
} job;

/* z [W] = sum over the rows that row `place` sees of softmax(u x_j / sqrt d) x_j. */
static void gather(const job *j, float *z, const float *u, size_t place, float *scratch)
{
    const mo_attention_normed *a = j->a;
    const size_t row = a->select[place];
    float *p = scratch + 2 * j->longest;
    const mo_chain c = mo_attention_chain_of(
        a->rows, mo_attention_chain_segment(a->rows, row), row, (mo_run *)(void *)scratch);
    size_t at = 0;
    for (size_t i = 0; i < c.n_runs; at += c.runs[i++].n)
        j->kern->dots(p + at, u, a->x + c.runs[i].first * j->w, j->w, c.runs[i].n, j->w);
    j->kern->softmax(p, p, j->scale, c.seen);
    memset(z, 0, j->w * sizeof *z);
    for (size_t i = 0; i < c.n_runs; p += c.runs[i++].n)
        j->kern->mix(z, p, a->x + c.runs[i].first * j->w, j->w, c.runs[i].n, j->w);
}

/* One head of rows first .. first+m-1 of those that query. */
static void do_item(const job *j, size_t first, size_t m, size_t head, float *scratch)
{
    const mo_attention_normed *a = j->a;
    const size_t w = j->w, d = j->d, at = head * d;
    float *u = scratch, *z = u + w, *rest = z + GROUP * w;
    for (size_t i = 0; i < m; i++) {
        mo_mat_product_transposed(u, a->q + (first + i) * w + at, a->qkv, w + at, d);
        gather(j, z + i * w, u, first + i, rest);
    }
    mo_gemm(NULL, a->qkv,
        &(mo_gemm_args){.c = j->out + first * w + at,
            .ldc = w,
            .a = z,
            .lda = w,
            .m = m,
            .bias = a->bias ? a->bias + 2 * w + at : NULL,
            .first = 2 * w + at,
            .n = d});
}

static void worker(void *ctx, size_t self)
{
    job *j = ctx;
    float *scratch = j->a->scratch + self * j->per_worker;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->n_items;) {
        const size_t first = i / j->a->n_heads * GROUP;
        do_item(j, first, mo_min(GROUP, j->a->n_select - first), i % j->a->n_heads, scratch);
    }
}

void mo_attention_normed_fwd(mo_pool *pool, float *out, const mo_attention_normed *a)
{
    const size_t w = a->qkv->k, longest = mo_attention_longest(a->rows);
    job j = {.kern = mo_kern_get(),
        .a = a,
        .out = out,
        .w = w,
        .d = w / a->n_heads,
        .per_worker = mo_attention_scratch(NULL, w, a->n_heads, longest),
        .longest = longest,
        .n_items = mo_ceil_div(a->n_select, GROUP) * a->n_heads,
        .scale = 1.0f / sqrtf((float)(w / a->n_heads))};
    mo_pool_run(pool, mo_pool_threads(pool), worker, &j);
}
