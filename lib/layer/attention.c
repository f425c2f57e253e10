/* SPDX-License-Identifier: MIT
 * attention.c - attention over a prefix tree of causal sequences, forward and backward, and over whole
 * sequences.
 *
 * Rows of a tree are few and short: each row walks its chain of segments with dot products and sums of
 * rows.  Whole sequences (pictures) go through attention_full.c. */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "layer/attention.h"
#include "layer/attention_full.h"
#include "math/kern.h"

/* Rows of a segment and of its ancestors. */
static size_t depth_of(const mo_rows *rows, size_t s)
{
    size_t n = 0;
    for (int64_t i = (int64_t)s; i >= 0; i = rows->segs[i].parent) n += rows->segs[i].n;
    return n;
}

size_t mo_rows_longest(const mo_rows *rows)
{
    if (!rows->segs) return rows->seq_len;
    size_t longest = 0;
    for (size_t s = 0; s < rows->n_segs; s++) {
        const size_t n = depth_of(rows, s);
        longest = n > longest ? n : longest;
    }
    return longest;
}

size_t mo_attention_scratch(const mo_pool *pool, size_t width, size_t n_heads, size_t longest)
{
    const size_t rows = 4 * (longest + 16), full = mo_attention_full_floats(width / n_heads, longest);
    return mo_pool_threads(pool) * (rows > full ? rows : full);
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

/* Segment of a row, by halving. */
static size_t segment_of(const mo_rows *rows, size_t row)
{
    size_t low = 0, high = rows->n_segs;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (rows->segs[middle].first <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* What rows of one segment see: runs of rows from the root down, the segment itself last. */
typedef struct chain {
    uint32_t *first, *n;   /* in the worker's scratch */
    size_t n_runs, before; /* rows before the segment */
} chain;

static chain chain_of(const mo_rows *rows, size_t seg, float *scratch, size_t longest)
{
    chain c = {.first = (uint32_t *)(void *)scratch};
    c.n = c.first + longest;
    for (int64_t i = (int64_t)seg; i >= 0; i = rows->segs[i].parent) c.n_runs++;
    size_t at = c.n_runs;
    for (int64_t i = (int64_t)seg; i >= 0; i = rows->segs[i].parent) {
        c.first[--at] = rows->segs[i].first;
        c.n[at] = rows->segs[i].n;
        if (i != (int64_t)seg) c.before += rows->segs[i].n;
    }
    return c;
}

/* One row that asks, one head. */
typedef struct ask {
    const float *q, *kv;
    size_t ldkv, width, d, row, seen;
    const chain *chain;
} ask;

static size_t run_length(const ask *a, size_t run)
{
    return run + 1 < a->chain->n_runs ? a->chain->n[run] : a->row - a->chain->first[run] + 1;
}

/* p[0 .. seen) = softmax of the scores, positions ascending. */
static void weigh(const job *j, float *p, const ask *a)
{
    size_t at = 0;
    for (size_t i = 0; i < a->chain->n_runs; i++) {
        const size_t n = run_length(a, i);
        j->kern->dots(p + at, a->q, a->kv + a->chain->first[i] * a->ldkv, a->ldkv, n, a->d);
        at += n;
    }
    j->kern->softmax(p, p, j->scale, a->seen);
}

static void ask_forward(const job *j, float *out, const ask *a, float *p)
{
    weigh(j, p, a);
    memset(out, 0, a->d * sizeof *out);
    size_t at = 0;
    for (size_t i = 0; i < a->chain->n_runs; i++) {
        const size_t n = run_length(a, i);
        j->kern->mix(out, p + at, a->kv + a->chain->first[i] * a->ldkv + a->width, a->ldkv, n, a->d);
        at += n;
    }
}

/* dS = P (dP - sum P dP) scale;  dq = sum dS k;  dk += dS q;  dv += P dout. */
static void ask_backward(const job *j, const ask *a, const float *dout, float *dq, float *p)
{
    float *dp = p + a->seen;
    float *dkv = j->g->dkv + (a->kv - j->a->kv);
    weigh(j, p, a);
    size_t at = 0;
    for (size_t i = 0; i < a->chain->n_runs; at += run_length(a, i++))
        j->kern->dots(
            dp + at, dout, a->kv + a->chain->first[i] * a->ldkv + a->width, a->ldkv, run_length(a, i), a->d);
    const float mean = j->kern->dot(p, dp, a->seen);
    for (size_t i = 0; i < a->seen; i++) dp[i] = p[i] * (dp[i] - mean) * j->scale;
    memset(dq, 0, a->d * sizeof *dq);
    at = 0;
    for (size_t i = 0; i < a->chain->n_runs; at += run_length(a, i++)) {
        const size_t first = a->chain->first[i], n = run_length(a, i);
        j->kern->mix(dq, dp + at, a->kv + first * a->ldkv, a->ldkv, n, a->d);
        j->kern->spread(dkv + first * j->g->lddkv, j->g->lddkv, dp + at, a->q, n, a->d);
        j->kern->spread(dkv + first * j->g->lddkv + a->width, j->g->lddkv, p + at, dout, n, a->d);
    }
}

/* Item i of a call: a whole segment, or one selected row. */
typedef struct item {
    size_t seg, row, end, place; /* rows row .. end-1; place: of the first among those that ask */
} item;

static item item_at(const mo_attention *a, size_t i)
{
    if (a->select) {
        const size_t row = a->select[i];
        return (item){segment_of(a->rows, row), row, row + 1, i};
    }
    const mo_segment *s = &a->rows->segs[i];
    return (item){i, s->first, s->first + s->n, s->first};
}

static ask ask_of(const job *j, const chain *c, const item *it, size_t row, size_t head)
{
    const mo_attention *a = j->a;
    return (ask){.q = a->q + (it->place + row - it->row) * a->ldq + head * j->d,
        .kv = a->kv + head * j->d,
        .ldkv = a->ldkv,
        .width = a->width,
        .d = j->d,
        .row = row,
        .seen = c->before + (row - a->rows->segs[it->seg].first) + 1,
        .chain = c};
}

static void fwd_worker(void *ctx, size_t worker)
{
    job *j = ctx;
    float *scratch = j->a->scratch + worker * j->per_worker;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->n_items;) {
        const item it = item_at(j->a, i);
        const chain c = chain_of(j->a->rows, it.seg, scratch, j->longest);
        for (size_t row = it.row; row < it.end; row++)
            for (size_t head = 0; head < j->a->n_heads; head++) {
                const ask a = ask_of(j, &c, &it, row, head);
                float *out = j->out + (it.place + row - it.row) * j->a->width + head * j->d;
                ask_forward(j, out, &a, scratch + 2 * j->longest);
            }
    }
}

/* One head: all rows that ask, in order, so that sums over descendants have one order. */
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
            const chain c = chain_of(a->rows, it.seg, scratch, j->longest);
            for (size_t row = it.row; row < it.end; row++) {
                const ask one = ask_of(j, &c, &it, row, head);
                const size_t place = it.place + row - it.row;
                ask_backward(j, &one, j->g->dout + place * a->width + head * j->d,
                    j->g->dq + place * j->g->lddq + head * j->d, scratch + 2 * j->longest);
            }
        }
    }
}

static job job_of(const mo_attention *a)
{
    const size_t longest = mo_rows_longest(a->rows);
    return (job){.kern = mo_kern_get(),
        .a = a,
        .d = a->width / a->n_heads,
        .per_worker = mo_attention_scratch(NULL, a->width, a->n_heads, longest),
        .longest = longest,
        .n_items = a->select ? a->n_select : a->rows->n_segs,
        .scale = 1.0f / sqrtf((float)(a->width / a->n_heads))};
}

void mo_attention_fwd(mo_pool *pool, float *out, const mo_attention *a)
{
    if (!a->rows->segs) {
        mo_attention_full(pool, out, a);
        return;
    }
    job j = job_of(a);
    j.out = out;
    mo_pool_run(pool, mo_pool_threads(pool), fwd_worker, &j);
}

void mo_attention_bwd(mo_pool *pool, const mo_attention_grad *grad, const mo_attention *a)
{
    job j = job_of(a);
    j.g = grad;
    mo_pool_run(pool, mo_pool_threads(pool), bwd_worker, &j);
}
