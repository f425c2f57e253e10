/* SPDX-License-Identifier: MIT
 * attention_tree.c - attention over a prefix tree of causal sequences, forward and backward.
 *
 * Sequences of a tree are short: each row walks its chain of segments with dot products and sums of rows. */
#include "layer/attention_tree.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "layer/attention_chain.h"
#include "math/kern.h"

size_t mo_attention_tree_floats(size_t longest)
{
    return 4 * (longest + 16);
}

typedef struct job {
    const mo_kern *kern;
    const mo_attention *a;
    const mo_attention_grad *g;
    float *out;
    size_t d, per_worker, n_items, longest;
    float scale;
    atomic_size_t next;
} job;

/* One row that queries, one head. */
typedef struct query {
    const float *q, *kv;
    size_t ldkv, width, d;
    const mo_chain *chain;
} query;

/* p[0 .. seen) = softmax of the scores, positions ascending. */
static void weigh(const job *j, float *p, const query *a)
{
    const mo_chain *c = a->chain;
    size_t at = 0;
    for (size_t i = 0; i < c->n_runs; at += c->runs[i++].n)
        j->kern->dots(p + at, a->q, a->kv + c->runs[i].first * a->ldkv, a->ldkv, c->runs[i].n, a->d);
    j->kern->softmax(p, p, j->scale, c->seen);
}

static void query_fwd(const job *j, float *out, const query *a, float *p)
{
    const mo_chain *c = a->chain;
    weigh(j, p, a);
    memset(out, 0, a->d * sizeof *out);
    for (size_t i = 0; i < c->n_runs; p += c->runs[i++].n)
        j->kern->mix(out, p, a->kv + c->runs[i].first * a->ldkv + a->width, a->ldkv, c->runs[i].n, a->d);
}

/* dS = P (dP - sum P dP) scale;  dq = sum dS k;  dk += dS q;  dv += P dout. */
static void query_bwd(const job *j, const query *a, const float *dout, float *dq, float *p)
{
    const mo_chain *c = a->chain;
    float *dp = p + c->seen;
    float *dkv = j->g->dkv + (a->kv - j->a->kv);
    weigh(j, p, a);
    size_t at = 0;
    for (size_t i = 0; i < c->n_runs; at += c->runs[i++].n)
        j->kern->dots(
            dp + at, dout, a->kv + c->runs[i].first * a->ldkv + a->width, a->ldkv, c->runs[i].n, a->d);
    const float mean = j->kern->dot(p, dp, c->seen);
    for (size_t i = 0; i < c->seen; i++) dp[i] = p[i] * (dp[i] - mean) * j->scale;
    memset(dq, 0, a->d * sizeof *dq);
    at = 0;
    for (size_t i = 0; i < c->n_runs; at += c->runs[i++].n) {
        const size_t first = c->runs[i].first, n = c->runs[i].n;
        j->kern->mix(dq, dp + at, a->kv + first * a->ldkv, a->ldkv, n, a->d);
        j->kern->spread(dkv + first * j->g->lddkv, j->g->lddkv, dp + at, a->q, n, a->d);
        j->kern->spread(dkv + first * j->g->lddkv + a->width, j->g->lddkv, p + at, dout, n, a->d);
    }
}

/* Item i of a call: a whole segment, or one selected row. */
typedef struct item {
    size_t seg, row, end, at_query; /* rows row .. end-1; at_query: of the first among those that query */
} item;

static item item_at(const mo_attention *a, size_t i)
{
    if (a->select) {
        const size_t row = a->select[i];
        return (item){mo_attention_chain_segment(a->rows, row), row, row + 1, i};
    }
    const mo_segment *s = &a->rows->segs[i];
    return (item){i, s->first, s->first + s->n, s->first};
}

static query query_at(const job *j, const mo_chain *c, size_t at_query, size_t head)
{
    const mo_attention *a = j->a;
    return (query){.q = a->q + at_query * a->ldq + head * j->d,
        .kv = a->kv + head * j->d,
        .ldkv = a->ldkv,
        .width = a->width,
        .d = j->d,
        .chain = c};
}

static void fwd_worker(void *ctx, size_t worker)
{
    job *j = ctx;
    float *scratch = j->a->scratch + worker * j->per_worker;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->n_items;) {
        const item it = item_at(j->a, i);
        for (size_t row = it.row; row < it.end; row++) {
            const mo_chain c = mo_attention_chain_of(j->a->rows, it.seg, row, (mo_run *)(void *)scratch);
            const size_t at_query = it.at_query + row - it.row;
            for (size_t head = 0; head < j->a->n_heads; head++) {
                const query a = query_at(j, &c, at_query, head);
                query_fwd(j, j->out + at_query * j->a->width + head * j->d, &a, scratch + 2 * j->longest);
            }
        }
    }
}

/* One head: all rows that query, in order, so that sums over descendants have one order. */
static void bwd_worker(void *ctx, size_t worker)
{
    job *j = ctx;
    const mo_attention *a = j->a;
    float *scratch = a->scratch + worker * j->per_worker;
    for (size_t head; (head = atomic_fetch_add(&j->next, 1)) < a->n_heads;) {
        for (size_t r = 0; r < a->rows->rows; r++) {
            float *dk = j->g->dkv + r * j->g->lddkv + head * j->d;
            memset(dk, 0, j->d * sizeof *dk);
            memset(dk + a->width, 0, j->d * sizeof *dk);
        }
        for (size_t i = 0; i < j->n_items; i++) {
            const item it = item_at(a, i);
            for (size_t row = it.row; row < it.end; row++) {
                const mo_chain c = mo_attention_chain_of(a->rows, it.seg, row, (mo_run *)(void *)scratch);
                const size_t at_query = it.at_query + row - it.row;
                const query one = query_at(j, &c, at_query, head);
                query_bwd(j, &one, j->g->dout + at_query * a->width + head * j->d,
                    j->g->dq + at_query * j->g->lddq + head * j->d, scratch + 2 * j->longest);
            }
        }
    }
}

static job job_of(const mo_attention *a)
{
    const size_t longest = mo_attention_longest(a->rows);
    return (job){.kern = mo_kern_get(),
        .a = a,
        .d = a->width / a->n_heads,
        .per_worker = mo_attention_scratch(NULL, a->width, a->n_heads, longest),
        .longest = longest,
        .n_items = a->select ? a->n_select : a->rows->n_segs,
        .scale = 1.0f / sqrtf((float)(a->width / a->n_heads))};
}

void mo_attention_tree_fwd(mo_pool *pool, float *out, const mo_attention *a)
{
    job j = job_of(a);
    j.out = out;
    mo_pool_run(pool, mo_pool_threads(pool), fwd_worker, &j);
}

void mo_attention_tree_bwd(mo_pool *pool, const mo_attention_grad *grad, const mo_attention *a)
{
    job j = job_of(a);
    j.g = grad;
    mo_pool_run(pool, mo_pool_threads(pool), bwd_worker, &j);
}
