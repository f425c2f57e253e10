/* SPDX-License-Identifier: MIT
 * attention_full.c - softmax(q k^T / sqrt d) v for one sequence and head at a time, on the micro-kernel.
 *
 * Keys and values of a head are packed once into panels of 16; then BLOCK queries at a time get their scores
 * [BLOCK x L], the softmax in place, and the product with the values.  No more than these scores ever exist. */
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
    return mo_round_up(n, MO_PANEL) * d + n * mo_round_up(d, MO_PANEL) + BLOCK * mo_round_up(n, MO_PANEL);
}

typedef struct job {
    const mo_kern *kern;
    const mo_attention *a;
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

static void do_item(const job *j, size_t seq, size_t head, float *scratch)
{
    const mo_attention *a = j->a;
    const size_t n = j->n, d = j->d, row0 = seq * n;
    const float *keys = a->kv + row0 * a->ldkv + head * d;
    j->kern->pack(scratch, keys, a->ldkv, n, d);
    pack_values(scratch + mo_round_up(n, MO_PANEL) * d, keys + a->width, a->ldkv, n, d);
    if (!a->select) {
        for (size_t r = 0; r < n; r += BLOCK)
            do_queries(j, j->out + (row0 + r) * a->width + head * d, a->q + (row0 + r) * a->ldq + head * d,
                mo_min(BLOCK, n - r), scratch);
        return;
    }
    for (size_t i = 0; i < a->n_select; i++)
        if (a->select[i] >= row0 && a->select[i] < row0 + n)
            do_queries(j, j->out + i * a->width + head * d, a->q + i * a->ldq + head * d, 1, scratch);
}

static void worker(void *ctx, size_t w)
{
    job *j = ctx;
    float *scratch = j->a->scratch + w * j->per_worker;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->n_items;)
        do_item(j, i / j->a->n_heads, i % j->a->n_heads, scratch);
}

void mo_attention_full(mo_pool *pool, float *out, const mo_attention *a)
{
    const size_t n = a->rows->seq_len;
    job j = {.kern = mo_kern_get(),
        .a = a,
        .out = out,
        .d = a->width / a->n_heads,
        .n = n,
        .per_worker = mo_attention_scratch(NULL, a->width, a->n_heads, n),
        .n_items = a->rows->n_seqs * a->n_heads,
        .scale = 1.0f / sqrtf((float)(a->width / a->n_heads))};
    mo_pool_run(pool, mo_pool_threads(pool), worker, &j);
}
