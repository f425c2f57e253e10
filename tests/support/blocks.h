/* SPDX-License-Identifier: MIT
 * blocks.h - for tests of transformer blocks: random ones with the floats they were packed from, and runs of them. */
#ifndef MOPD_TESTS_SUPPORT_BLOCKS_H
#define MOPD_TESTS_SUPPORT_BLOCKS_H

#include "layer/block.h"
#include "support/mats.h"
#include "support/trees.h"

typedef struct test_model {
    size_t w, heads, hidden;
    mo_act act;
    float *ln, *qkv, *out, *fc1, *fc2, *bias; /* ln [4 x w], bias [3w + w + hidden + w] */
    mo_block block;
    mo_block_transposed transposed;
} test_model;

static inline float *test_sized(size_t n, uint32_t seed, float size)
{
    float *x = test_floats(n, seed);
    for (size_t i = 0; i < n; i++) x[i] *= size;
    return x;
}

static inline mo_view test_vector(const float *x, size_t n)
{
    return (mo_view){.data = x, .dtype = MO_F32, .n_dims = 1, .shape = {n}, .n = n};
}

/* Views of a model's floats. */
typedef struct test_model_views {
    mo_view ln[4], qkv[3], qkv_bias[3], out, out_bias, fc1, bias1, fc2, bias2;
} test_model_views;

/* fused: queries, keys and values as one part, else as three.  parts points into views. */
static inline mo_block_parts test_model_parts(const test_model *m, test_model_views *v, bool fused)
{
    const size_t w = m->w, h = m->hidden, n = fused ? 3 * w : w;
    mo_block_parts parts = {
        .width = w, .n_heads = m->heads, .act = m->act, .eps = 1e-5f, .n_qkv = fused ? 1 : 3};
    for (size_t i = 0; i < 4; i++) v->ln[i] = test_vector(m->ln + i * w, w);
    for (size_t i = 0; i < parts.n_qkv; i++) {
        v->qkv[i] = test_view(m->qkv + i * w * w, n, w);
        v->qkv_bias[i] = test_vector(m->bias + i * w, n);
        parts.qkv[i] = (mo_linear_part){&v->qkv[i], &v->qkv_bias[i], false};
    }
    v->out = test_view(m->out, w, w), v->out_bias = test_vector(m->bias + 3 * w, w);
    v->fc1 = test_view(m->fc1, h, w), v->bias1 = test_vector(m->bias + 4 * w, h);
    v->fc2 = test_view(m->fc2, w, h), v->bias2 = test_vector(m->bias + 4 * w + h, w);
    parts.ln1_gamma = &v->ln[0], parts.ln1_beta = &v->ln[1];
    parts.ln2_gamma = &v->ln[2], parts.ln2_beta = &v->ln[3];
    parts.out = (mo_linear_part){&v->out, &v->out_bias, false};
    parts.fc1 = (mo_linear_part){&v->fc1, &v->bias1, false};
    parts.fc2 = (mo_linear_part){&v->fc2, &v->bias2, false};
    return parts;
}

static inline test_model test_model_open(size_t w, size_t heads, size_t hidden, mo_act act)
{
    test_model m = {.w = w, .heads = heads, .hidden = hidden, .act = act};
    m.ln = test_sized(4 * w, 1, 0.3f);
    for (size_t i = 0; i < w; i++) m.ln[i] += 1, m.ln[2 * w + i] += 1;
    m.qkv = test_sized(3 * w * w, 2, 0.5f);
    m.out = test_sized(w * w, 3, 0.3f);
    m.fc1 = test_sized(hidden * w, 4, 0.3f);
    m.fc2 = test_sized(w * hidden, 5, 0.3f);
    m.bias = test_sized(5 * w + hidden, 6, 0.2f);
    test_model_views views;
    const mo_block_parts parts = test_model_parts(&m, &views, w % 2);
    assert_ok(mo_block_pack(&m.block, &parts));
    assert_ok(mo_block_transposed_pack(&m.transposed, &m.block));
    return m;
}

static inline void test_model_close(test_model *m)
{
    mo_block_free(&m->block);
    mo_block_transposed_free(&m->transposed);
    mo_mem_free(m->ln), mo_mem_free(m->qkv), mo_mem_free(m->out), mo_mem_free(m->fc1), mo_mem_free(m->fc2),
        mo_mem_free(m->bias);
}

/* Work memory for a run, and a cache when one is wanted; end with mo_arena_close. */
static inline mo_arena test_model_room(
    const test_model *m, const mo_block_run *run, mo_block_work *work, mo_block_cache *cache)
{
    mo_arena arena = {0};
    const mo_block_size size = {
        run->rows->rows, mo_attention_longest(run->rows), run->pool, cache ? run->rows : NULL};
    for (int pass = 0; pass < 2; pass++) {
        mo_block_work_take(work, &arena, &m->block, &size);
        if (cache) mo_block_cache_take(cache, &arena, &m->block, run->rows->rows, run->n_select);
        if (!pass) assert_ok(mo_arena_open(&arena));
    }
    return arena;
}

/* y [n_select or rows x w] = block(x); the workspace lives for the call. */
static inline void test_model_run(const test_model *m, float *y, const float *x, mo_block_run run)
{
    mo_block_work work;
    mo_arena arena = test_model_room(m, &run, &work, NULL);
    run.work = &work;
    mo_block_fwd(&m->block, y, x, &run);
    mo_arena_close(&arena);
}

/* The same as for a backward pass. */
static inline void test_model_keep(const test_model *m, float *y, const float *x, mo_block_run run)
{
    mo_block_work work;
    mo_block_cache cache;
    mo_arena arena = test_model_room(m, &run, &work, &cache);
    run.work = &work;
    mo_block_fwd_for_backward(&m->block, y, x, &run, &cache);
    mo_arena_close(&arena);
}

/* 0, 1, 2 ...: every row of up to 300 selected. */
static inline const uint32_t *test_every_row(void)
{
    static uint32_t row[300];
    for (uint32_t r = 0; r < 300; r++) row[r] = r;
    return row;
}

#endif
