/* SPDX-License-Identifier: MIT
 * attention_full.c - softmax(q k^T / sqrt d) v for one sequence and head at a time, on the micro-kernel, and its
 * gradients.
 *
 * Keys and values of a head are packed once into panels of 16; then BLOCK queries at a time get their scores
 * [BLOCK x L], the softmax in place, and the product with the values.  No more than these scores ever exist.
 * The way back, for texts, holds all scores of one head. */
#include "layer/attention_full.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/ints.h"
#include "math/gemm.h"
#include "math/kern.h"

#define BLOCK 36

size_t mo_attention_full_floats(size_t d, size_t n)
{
    const size_t rows = mo_round_up(n, MO_PANEL);
    return mo_plus(mo_plus(mo_times(rows, d), mo_times(n, mo_round_up(d, MO_PANEL))), mo_times(rows, BLOCK));
}

size_t mo_attention_full_bwd_floats(size_t d, size_t n)
{
    const size_t rows = mo_round_up(n, MO_PANEL);
    return mo_plus(mo_times(rows, mo_round_up(d, MO_PANEL)), mo_times(mo_times(n, 3), rows));
}

typedef struct job {
    const mo_kern *kern;
    const mo_attention *a;
    const mo_attention_grad *g;
    float *out;
    size_t d, n, per_worker, n_items;
    float scale;
    atomic_size_t next;
} job;

/* v [n x d] -> panels over the columns: to[(c / 16 * n + j) * 16 + c % 16] = v[j][c]; zeros beyond d. */
static void pack_values(float *to, const float *v, size_t ld, size_t n, size_t d)
{
    for (size_t c = 0; c < d; c += MO_PANEL) {
        float *panel = to + c * n;
        const size_t width = mo_min(MO_PANEL, d - c);
        if (width == MO_PANEL) {
            for (size_t j = 0; j < n; j++)
                memcpy(panel + j * MO_PANEL, v + j * ld + c, MO_PANEL * sizeof *to);
            continue;
        }
        for (size_t j = 0; j < n; j++) {
            memcpy(panel + j * MO_PANEL, v + j * ld + c, width * sizeof *to);
            memset(panel + j * MO_PANEL + width, 0, (MO_PANEL - width) * sizeof *to);
        }
    }
}

/* c [m x n] = a [m x k] times the panels at w. */
typedef struct product {
    float *c;
    size_t ldc, m, n, k, lda;
    const float *a, *w;
} product;

static void multiply(const mo_kern *kern, const product *p)
{
    const size_t panels = mo_ceil_div(p->n, MO_PANEL), strips = mo_ceil_div(panels, kern->tile_panels);
    const size_t tiles = mo_ceil_div(p->m, kern->tile_rows), blocks = mo_ceil_div(p->k, MO_TILE_K);
    mo_tile t = {.lda = p->lda, .panel = p->k * MO_PANEL, .ldc = p->ldc, .ldadd = p->ldc};
    for (size_t b = 0; b < blocks; b++) {
        const size_t at = mo_cut(p->k, blocks, b);
        t.k = mo_cut(p->k, blocks, b + 1) - at;
        for (size_t s = 0; s < strips; s++) {
            const size_t c = mo_cut(panels, strips, s) * MO_PANEL;
            t.n = mo_min(mo_cut(panels, strips, s + 1) * MO_PANEL, p->n) - c;
            t.w = p->w + c * p->k + at * MO_PANEL;
            for (size_t i = 0; i < tiles; i++) {
                const size_t r = mo_cut(p->m, tiles, i);
                t.m = mo_cut(p->m, tiles, i + 1) - r;
                t.a = p->a + r * p->lda + at;
                t.c = p->c + r * p->ldc + c;
                t.add = b ? t.c : NULL;
                kern->tile(&t);
            }
        }
    }
}

/* m queries of one head; `to` is the output of the first. */
static void do_queries(const job *j, float *to, const float *q, size_t m, float *scratch)
{
    const size_t n = j->n, d = j->d, ld = mo_round_up(n, MO_PANEL);
    float *keys = scratch, *values = keys + ld * d, *scores = values + n * mo_round_up(d, MO_PANEL);
    multiply(j->kern,
        &(product){.c = scores, .ldc = ld, .m = m, .n = n, .k = d, .a = q, .lda = j->a->ldq, .w = keys});
    for (size_t i = 0; i < m; i++) j->kern->softmax(scores + i * ld, scores + i * ld, j->scale, n);
    multiply(j->kern,
        &(product){.c = to, .ldc = j->a->width, .m = m, .n = d, .k = n, .a = scores, .lda = ld, .w = values});
}

/* The first of the rows that query at or behind `row`. */
static size_t first_query(const mo_attention *a, size_t row)
{
    size_t low = 0, high = a->n_select;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (a->select[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of the rows that query, those of one sequence. */
typedef struct queries {
    size_t first, n;
} queries;

static queries queries_of(const mo_attention *a, size_t seq)
{
    const size_t n = a->rows->seq_len;
    if (!a->select) return (queries){seq * n, n};
    const size_t first = first_query(a, seq * n);
    return (queries){first, first_query(a, (seq + 1) * n) - first};
}

static void do_item(const job *j, size_t seq, size_t head, float *scratch)
{
    const mo_attention *a = j->a;
    const size_t n = j->n, d = j->d;
    const float *keys = a->kv + seq * n * a->ldkv + head * d;
    const queries own = queries_of(a, seq);
    if (!own.n) return;
    j->kern->pack(scratch, keys, a->ldkv, n, d);
    pack_values(scratch + mo_round_up(n, MO_PANEL) * d, keys + a->width, a->ldkv, n, d);
    for (size_t i = 0; i < own.n; i += BLOCK) {
        const size_t at = own.first + i;
        do_queries(j, j->out + at * a->width + head * d, a->q + at * a->ldq + head * d,
            mo_min(BLOCK, own.n - i), scratch);
    }
}

static void worker(void *ctx, size_t w)
{
    job *j = ctx;
    float *scratch = j->a->scratch + w * j->per_worker;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->n_items;)
        do_item(j, i / j->a->n_heads, i % j->a->n_heads, scratch);
}

static job job_of(const mo_attention *a)
{
    const size_t n = a->rows->seq_len, d = a->width / a->n_heads;
    return (job){.kern = mo_kern_get(),
        .a = a,
        .d = d,
        .n = n,
        .per_worker = mo_attention_scratch(NULL, a->width, a->n_heads, n),
        .n_items = a->rows->n_seqs * a->n_heads,
        .scale = 1.0f / sqrtf((float)d)};
}

void mo_attention_full(mo_pool *pool, float *out, const mo_attention *a)
{
    job j = job_of(a);
    j.out = out;
    mo_pool_run(pool, mo_pool_threads(pool), worker, &j);
}

/* -- backward ------------------------------------------------------------------------------------------------- */

/* One sequence and head on the way back: m queries, n keys.  w: room for the panels of one matrix. */
typedef struct head_bwd {
    const float *q, *keys, *values, *dout;
    float *dq, *dkeys, *dvalues;
    float *w, *p, *dp, *turned; /* p, dp [m x ld], turned [n x m] */
    size_t m, n, ld;
} head_bwd;

static head_bwd head_of(const job *j, size_t seq, size_t head, float *scratch)
{
    const mo_attention *a = j->a;
    const mo_attention_grad *g = j->g;
    const queries own = queries_of(a, seq);
    const size_t n = j->n, at = head * j->d, ld = mo_round_up(n, MO_PANEL);
    const float *keys = a->kv + seq * n * a->ldkv + at;
    float *dkeys = g->dkv + seq * n * g->lddkv + at, *p = scratch + ld * mo_round_up(j->d, MO_PANEL);
    return (head_bwd){.q = a->q + own.first * a->ldq + at,
        .keys = keys,
        .values = keys + a->width,
        .dout = g->dout + own.first * a->width + at,
        .dq = g->dq + own.first * g->lddq + at,
        .dkeys = dkeys,
        .dvalues = dkeys + a->width,
        .w = scratch,
        .p = p,
        .dp = p + n * ld,
        .turned = p + 2 * n * ld,
        .m = own.n,
        .n = n,
        .ld = ld};
}

/* to [m x n] = rows of `from` times those of keys or values. */
static void score(const job *j, const head_bwd *h, float *to, const float *from, size_t ld, const float *keys)
{
    j->kern->pack(h->w, keys, j->a->ldkv, h->n, j->d);
    multiply(j->kern,
        &(product){.c = to, .ldc = h->ld, .m = h->m, .n = h->n, .k = j->d, .a = from, .lda = ld, .w = h->w});
}

/* to [n x d] = s^T from, s [m x n]: what each key or value gets from the queries' rows. */
static void gather(const job *j, const head_bwd *h, float *to, const float *s, const float *from, size_t ld)
{
    if (!h->m) {
        for (size_t i = 0; i < h->n; i++) memset(to + i * j->g->lddkv, 0, j->d * sizeof *to);
        return;
    }
    for (size_t i = 0; i < h->m; i++)
        for (size_t k = 0; k < h->n; k++) h->turned[k * h->m + i] = s[i * h->ld + k];
    pack_values(h->w, from, ld, h->m, j->d);
    multiply(j->kern, &(product){.c = to,
                          .ldc = j->g->lddkv,
                          .m = h->n,
                          .n = j->d,
                          .k = h->m,
                          .a = h->turned,
                          .lda = h->m,
                          .w = h->w});
}

/* P = softmax(q k^T s);  dv = P^T dout;  dP = dout v^T;  dS = P (dP - sum P dP) s;  dq = dS k;  dk = dS^T q. */
static void do_item_bwd(const job *j, const head_bwd *h)
{
    const size_t d = j->d;
    score(j, h, h->p, h->q, j->a->ldq, h->keys);
    for (size_t i = 0; i < h->m; i++) j->kern->softmax(h->p + i * h->ld, h->p + i * h->ld, j->scale, h->n);
    gather(j, h, h->dvalues, h->p, h->dout, j->a->width);
    score(j, h, h->dp, h->dout, j->a->width, h->values);
    for (size_t i = 0; i < h->m; i++) {
        const float *p = h->p + i * h->ld;
        float *dp = h->dp + i * h->ld;
        const float mean = j->kern->dot(p, dp, h->n);
        for (size_t k = 0; k < h->n; k++) dp[k] = p[k] * (dp[k] - mean) * j->scale;
    }
    pack_values(h->w, h->keys, j->a->ldkv, h->n, d);
    multiply(j->kern, &(product){.c = h->dq,
                          .ldc = j->g->lddq,
                          .m = h->m,
                          .n = d,
                          .k = h->n,
                          .a = h->dp,
                          .lda = h->ld,
                          .w = h->w});
    gather(j, h, h->dkeys, h->dp, h->q, j->a->ldq);
}

static void bwd_worker(void *ctx, size_t w)
{
    job *j = ctx;
    float *scratch = j->a->scratch + w * j->per_worker;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->n_items;) {
        const head_bwd h = head_of(j, i / j->a->n_heads, i % j->a->n_heads, scratch);
        do_item_bwd(j, &h);
    }
}

void mo_attention_full_bwd(mo_pool *pool, const mo_attention_grad *grad, const mo_attention *a)
{
    job j = job_of(a);
    j.g = grad;
    j.per_worker = mo_attention_full_bwd_floats(j.d, j.n);
    mo_pool_run(pool, mo_pool_threads(pool), bwd_worker, &j);
}
