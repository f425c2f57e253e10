/* SPDX-License-Identifier: MIT
 * attention.h - for tests of attention: queries, keys and values of a set of rows, and what must come of them. */
#ifndef MOPD_TESTS_SUPPORT_ATTENTION_H
#define MOPD_TESTS_SUPPORT_ATTENTION_H

#include "support/mats.h"
#include "support/trees.h"

/* Rows of qkv, a few floats further apart than they are long; the first `n_select` rows of q query when they
 * are asked for alone. */
typedef struct test_scene {
    const mo_rows *rows;
    size_t width, heads, ld;
    float *qkv, *out, *other;
} test_scene;

static inline test_scene test_scene_open(const mo_rows *rows, size_t width, size_t heads)
{
    test_scene s = {.rows = rows, .width = width, .heads = heads, .ld = 3 * width + 5};
    s.qkv = test_floats(rows->rows * s.ld, 1);
    s.out = test_floats(rows->rows * width, 2);
    s.other = test_floats(rows->rows * width, 3);
    for (size_t i = 0; i < rows->rows * s.ld; i++) s.qkv[i] *= 2;
    return s;
}

static inline void test_scene_close(test_scene *s)
{
    mo_mem_free(s->qkv), mo_mem_free(s->out), mo_mem_free(s->other);
}

static inline mo_attention test_scene_attention(const test_scene *s)
{
    return (mo_attention){.width = s->width,
        .n_heads = s->heads,
        .rows = s->rows,
        .q = s->qkv,
        .kv = s->qkv + s->width,
        .ldq = s->ld,
        .ldkv = s->ld};
}

/* Scratch of exactly the size that is asked for, and a mark behind it. */
static inline float *test_scratch(const mo_pool *pool, size_t width, size_t heads, const mo_rows *rows)
{
    const size_t n = mo_attention_scratch(pool, width, heads, mo_attention_longest(rows));
    float *scratch = test_floats(n + 1, 9);
    scratch[n] = 77;
    return scratch;
}

static inline void test_scratch_end(
    float *scratch, const mo_pool *pool, size_t width, size_t heads, const mo_rows *rows)
{
    const size_t n = mo_attention_scratch(pool, width, heads, mo_attention_longest(rows));
    assert_true(scratch[n] == 77);
    mo_mem_free(scratch);
}

/* out = attention as `a` says, with room of its own. */
static inline void test_attend(mo_pool *pool, float *out, mo_attention a)
{
    a.scratch = test_scratch(pool, a.width, a.n_heads, a.rows);
    mo_attention_fwd(pool, out, &a);
    test_scratch_end(a.scratch, pool, a.width, a.n_heads, a.rows);
}

/* The query at place `query` of a->q, which is row `row`: softmax(q k^T / sqrt d) v over the rows it sees, in double. */
static inline void test_attend_double(double *out, const mo_attention *a, size_t query, size_t row)
{
    const size_t w = a->width, d = w / a->n_heads;
    for (size_t h = 0; h < a->n_heads; h++) {
        double sum = 0;
        for (size_t i = 0; i < d; i++) out[h * d + i] = 0;
        for (size_t r = 0; r < a->rows->rows; r++) {
            if (!test_sees(a->rows, row, r)) continue;
            const float *key = a->kv + r * a->ldkv + h * d;
            double score = 0;
            for (size_t i = 0; i < d; i++) score += (double)a->q[query * a->ldq + h * d + i] * (double)key[i];
            const double e = exp(score / sqrt((double)d));
            sum += e;
            for (size_t i = 0; i < d; i++) out[h * d + i] += e * (double)key[w + i];
        }
        for (size_t i = 0; i < d; i++) out[h * d + i] /= sum;
    }
}

#endif
