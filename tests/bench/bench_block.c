/* SPDX-License-Identifier: MIT
 * bench_block.c - one transformer block of the towers, and what share of its time each part takes.
 *
 *     bench_block [threads [rounds]]
 *
 * Medians in milliseconds.  One thread is timed by the processor's time, more by the wall's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "layer/block.h"
#include "layer/act.h"
#include "math/kern.h"
#include "base/view.h"
#include "base/mem.h"

#define MAX_ROUNDS 99

static size_t rounds = 11;

/* A tower's block and its rows. */
typedef struct scene {
    const char *name;
    size_t w, heads, n_seqs, seq_len;
    size_t prefix; /* text: rows all sequences share; 0: pictures */
} scene;

typedef struct place {
    mo_block block;
    mo_block_transposed transposed;
    mo_block_work work;
    mo_block_cache cache;
    mo_block_run run;
    mo_rows rows;
    mo_segment *segs;
    float *x, *y, *dy;
} place;

static float *floats(size_t n, float size)
{
    float *x = mo_mem_alloc(n, sizeof *x);
    if (!x) exit(1);
    for (size_t i = 0; i < n; i++) x[i] = ((float)(i * 2654435761u % 1024) / 512 - 1) * size;
    return x;
}

static void pack(place *p, const scene *s)
{
    const size_t w = s->w;
    float *weights = floats(4 * w * w, 0.05f), *bias = floats(4 * w, 0.1f);
    const mo_view v = {.data = bias, .dtype = MO_F32, .n_dims = 1, .shape = {w}, .n = w};
    mo_view big[4];
    const size_t shapes[4][2] = {{3 * w, w}, {w, w}, {4 * w, w}, {w, 4 * w}};
    for (size_t i = 0; i < 4; i++)
        big[i] = (mo_view){.data = weights,
            .n_dims = 2,
            .shape = {shapes[i][0], shapes[i][1]},
            .n = shapes[i][0] * shapes[i][1]};
    const mo_block_parts parts = {.width = w,
        .n_heads = s->heads,
        .act = MO_ACT_QUICK_GELU,
        .eps = 1e-5f,
        .ln1_gamma = &v,
        .ln1_beta = &v,
        .ln2_gamma = &v,
        .ln2_beta = &v,
        .qkv = {{&big[0], NULL, false}},
        .n_qkv = 1,
        .out = {&big[1], NULL, false},
        .fc1 = {&big[2], NULL, false},
        .fc2 = {&big[3], NULL, false}};
    if (mo_block_pack(&p->block, &parts) != MOPD_OK ||
        mo_block_transposed_pack(&p->transposed, &p->block) != MOPD_OK)
        exit(1);
    mo_mem_free(weights), mo_mem_free(bias);
}

static void lay_rows(place *p, const scene *s)
{
    if (!s->prefix) {
        p->rows = (mo_rows){.rows = s->n_seqs * s->seq_len, .n_seqs = s->n_seqs, .seq_len = s->seq_len};
        return;
    }
    p->segs = mo_mem_alloc(s->n_seqs + 1, sizeof *p->segs);
    if (!p->segs) exit(1);
    const uint32_t n = (uint32_t)(s->seq_len - s->prefix);
    p->segs[0] = (mo_segment){0, (uint32_t)s->prefix, -1};
    for (uint32_t i = 0; i < s->n_seqs; i++) p->segs[i + 1] = (mo_segment){(uint32_t)s->prefix + i * n, n, 0};
    p->rows = (mo_rows){.rows = s->prefix + s->n_seqs * n, .segs = p->segs, .n_segs = s->n_seqs + 1};
}

enum { WHOLE, NORMS, QKV, ATTENTION, OUT, MLP, KEEP, BACK, N_PARTS };

static void part(place *p, int which)
{
    const size_t rows = p->rows.rows, w = p->block.width;
    const mo_attention a = {.width = w,
        .n_heads = p->block.n_heads,
        .rows = &p->rows,
        .q = p->work.qkv,
        .kv = p->work.qkv + w,
        .ldq = 3 * w,
        .ldkv = 3 * w,
        .scratch = p->work.attention};
    mo_pool *pool = p->run.pool;
    const mo_linear_call call = {.rows = rows, .act = which == MLP ? MO_ACT_QUICK_GELU : MO_ACT_NONE};
    const mo_linear_call add = {.rows = rows, .residual = p->x};
    const mo_block_grad grad = {p->y, p->dy, p->x};
    if (which == WHOLE) mo_block_fwd(&p->block, p->y, p->x, &p->run);
    if (which == NORMS)
        for (int i = 0; i < 2; i++) mo_norm_fwd(pool, p->work.norm, p->x, &p->block.ln1, NULL, rows);
    if (which == QKV) mo_linear_fwd(pool, p->work.qkv, p->work.norm, &p->block.qkv, &call);
    if (which == ATTENTION) mo_attention_fwd(pool, p->work.att, &a);
    if (which == OUT) mo_linear_fwd(pool, p->y, p->work.att, &p->block.out, &add);
    if (which == MLP) {
        mo_linear_fwd(pool, p->work.hidden, p->work.norm, &p->block.fc1, &call);
        mo_linear_fwd(pool, p->y, p->work.hidden, &p->block.fc2, &add);
    }
    if (which == KEEP) mo_block_fwd_for_backward(&p->block, p->y, p->x, &p->run, &p->cache);
    if (which == BACK) mo_block_bwd(&p->block, &p->transposed, &grad, &p->run, &p->cache);
}

static double measure(place *p, int which)
{
    double t[MAX_ROUNDS];
    for (size_t r = 0; r < rounds; r++) {
        const double start = now();
        part(p, which);
        t[r] = now() - start;
    }
    qsort(t, rounds, sizeof *t, ascending);
    return t[rounds / 2];
}

static void bench(mo_pool *pool, const scene *s)
{
    place p = {0};
    pack(&p, s);
    lay_rows(&p, s);
    mo_arena arena = {0};
    for (int pass = 0; pass < 2; pass++) {
        mo_block_work_take(&p.work, &arena, &p.block, &(mo_block_size){p.rows.rows, s->seq_len, pool, NULL});
        mo_block_cache_take(&p.cache, &arena, &p.block, p.rows.rows, 0);
        if (!pass && mo_arena_open(&arena) != MOPD_OK) exit(1);
    }
    p.run = (mo_block_run){.pool = pool, .rows = &p.rows, .work = &p.work};
    p.x = floats(p.rows.rows * s->w, 1), p.y = floats(p.rows.rows * s->w, 1),
    p.dy = floats(p.rows.rows * s->w, 1);
    double t[N_PARTS] = {0};
    for (int i = 0; i < (s->prefix ? N_PARTS : KEEP); i++) t[i] = measure(&p, i);
    const double gflop = 2e-9 * (double)p.rows.rows * 12 * (double)(s->w * s->w);
    printf("%-22s %8.3f %6.1f | %7.3f %7.3f %7.3f %7.3f %7.3f | %7.3f %7.3f\n", s->name, t[WHOLE],
        1e3 * gflop / t[WHOLE], t[NORMS], t[QKV], t[ATTENTION], t[OUT], t[MLP], t[KEEP], t[BACK]);
    mo_arena_close(&arena);
    mo_block_free(&p.block), mo_block_transposed_free(&p.transposed);
    mo_mem_free(p.segs), mo_mem_free(p.x), mo_mem_free(p.y), mo_mem_free(p.dy);
}

int main(int argc, char **argv)
{
    static const scene scenes[] = {{"B/16, 1 picture", 768, 12, 1, 197, 0},
        {"B/16, 4 pictures", 768, 12, 4, 197, 0}, {"B/32, 1 picture", 768, 12, 1, 50, 0},
        {"B/32, 16 pictures", 768, 12, 16, 50, 0}, {"L/14, 1 picture", 1024, 16, 1, 257, 0},
        {"1 text of 77", 512, 8, 1, 77, 1}, {"64 texts of 5 + 7", 512, 8, 64, 12, 5},
        {"1000 texts of 5 + 4", 512, 8, 1000, 9, 5}};
    const size_t threads = argc > 1 ? (size_t)atoi(argv[1]) : 1;
    if (argc > 2) rounds = (size_t)atoi(argv[2]);
    if (rounds < 1 || rounds > MAX_ROUNDS) return 1;
    mo_pool *pool = NULL;
    if (threads > 1 && mo_pool_create(&pool, threads) != MOPD_OK) return 1;
    if (threads > 1) clock_used = CLOCK_MONOTONIC;
    printf("%s, %zu thread(s), ms\n%-22s %8s %6s | %7s %7s %7s %7s %7s | %7s %7s\n", mo_gemm_name(), threads,
        "", "block", "GF/s", "norms", "qkv", "attent", "out", "mlp", "keep", "back");
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) bench(pool, &scenes[i]);
    mo_pool_free(pool);
    return 0;
}
