/* SPDX-License-Identifier: MIT
 * test_block.c - the transformer block forward: against double precision, in place, trees and plain sequences,
 * company and threads. */
#include "test.h"

#include "support/blocks.h"
#include "support/near.h"
#include "support/paths.h"

static void norm_double(double *y, const double *x, const float *g, size_t w)
{
    double mean = 0, var = 0;
    for (size_t i = 0; i < w; i++) mean += x[i] / (double)w;
    for (size_t i = 0; i < w; i++) var += (x[i] - mean) * (x[i] - mean) / (double)w;
    for (size_t i = 0; i < w; i++) y[i] = (x[i] - mean) / sqrt(var + 1e-5) * (double)g[i] + (double)g[w + i];
}

static void linear_double(
    double *y, const double *x, const float *weights, const float *bias, size_t n, size_t k)
{
    for (size_t o = 0; o < n; o++) {
        y[o] = (double)bias[o];
        for (size_t i = 0; i < k; i++) y[o] += (double)weights[o * k + i] * x[i];
    }
}

/* One row of softmax(q k^T / sqrt d) v over all heads. */
static void attend_double(double *y, const double *qkv, const test_model *m, const mo_rows *rows, size_t r)
{
    const size_t w = m->w, d = w / m->heads;
    memset(y, 0, w * sizeof *y);
    for (size_t h = 0; h < m->heads; h++) {
        double sum = 0;
        for (size_t s = 0; s < rows->rows; s++) {
            double score = 0;
            for (size_t i = h * d; i < (h + 1) * d; i++) score += qkv[r * 3 * w + i] * qkv[s * 3 * w + w + i];
            const double e = test_sees(rows, r, s) ? exp(score / sqrt((double)d)) : 0;
            sum += e;
            for (size_t i = h * d; i < (h + 1) * d; i++) y[i] += e * qkv[s * 3 * w + 2 * w + i];
        }
        for (size_t i = h * d; i < (h + 1) * d; i++) y[i] /= sum;
    }
}

static double activated(double x, mo_act act)
{
    return act == MO_ACT_GELU ? 0.5 * x * (1 + erf(x / sqrt(2))) : x / (1 + exp(-1.702 * x));
}

static void block_double(double *y, const float *x, const test_model *m, const mo_rows *rows)
{
    const size_t w = m->w, h = m->hidden;
    double *qkv = malloc(rows->rows * 3 * w * sizeof *qkv), *t = malloc(w * sizeof *t),
           *u = malloc(h * sizeof *u), *z = calloc(w, sizeof *z); /* GCC 14 cannot tell that w is not 0 */
    assert_true(qkv && t && u && z);
    for (size_t r = 0; r < rows->rows; r++) {
        for (size_t i = 0; i < w; i++) z[i] = (double)x[r * w + i];
        norm_double(t, z, m->ln, w);
        linear_double(qkv + r * 3 * w, t, m->qkv, m->bias, 3 * w, w);
    }
    for (size_t r = 0; r < rows->rows; r++) {
        double *to = y + r * w;
        attend_double(t, qkv, m, rows, r);
        linear_double(to, t, m->out, m->bias + 3 * w, w, w);
        for (size_t i = 0; i < w; i++) to[i] += (double)x[r * w + i];
        norm_double(t, to, m->ln + 2 * w, w);
        linear_double(u, t, m->fc1, m->bias + 4 * w, h, w);
        for (size_t i = 0; i < h; i++) u[i] = activated(u[i], m->act);
        linear_double(z, u, m->fc2, m->bias + 4 * w + h, w, h);
        for (size_t i = 0; i < w; i++) to[i] += z[i];
    }
    free(qkv), free(t), free(u), free(z);
}

/* All rows, all rows in place, and every row as the last block selects its few. */
static void check(const test_model *m, const mo_rows *rows)
{
    const size_t n = rows->rows * m->w;
    float *x = test_floats(n, 9), *y = test_floats(n, 10), *z = test_floats(n, 11);
    double *want = malloc(n * sizeof *want);
    assert_non_null(want);
    block_double(want, x, m, rows);
    test_model_run(m, y, x, (mo_block_run){.rows = rows});
    for (size_t i = 0; i < n; i++) assert_near_at(y[i], want[i], 2e-5, "row %zu", i / m->w);
    test_model_run(m, z, x, (mo_block_run){.rows = rows, .select = test_every_row(), .n_select = rows->rows});
    for (size_t i = 0; i < n; i++) assert_near_at(z[i], want[i], 2e-5, "selected row %zu", i / m->w);
    test_model_run(m, x, x, (mo_block_run){.rows = rows});
    assert_memory_equal(x, y, n * sizeof *x);
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(z), free(want);
}

static void doubles(void)
{
    static const size_t models[][3] = {{24, 3, 50}, {33, 3, 40}, {48, 3, 60}, {32, 1, 60}, {16, 1, 16}};
    const mo_rows sets[] = {test_tree, test_sequences(3, 7), test_sequences(2, 45), test_sequences(3, 17)};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        test_model m = test_model_open(
            models[i][0], models[i][1], models[i][2], i % 2 ? MO_ACT_GELU : MO_ACT_QUICK_GELU);
        for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) check(&m, &sets[s]);
        test_model_close(&m);
    }
    test_model m = test_model_open(24, 3, 50, MO_ACT_QUICK_GELU);
    const mo_rows long_one = test_sequences(1, 270);
    check(&m, &long_one);
    test_model_close(&m);
}

static void blocks_match_double(void **state)
{
    (void)state;
    test_each_path(doubles);
}

/* Each leaf of the tree as a plain causal sequence of its own gives its rows the same bits, selected or not. */
static void one_leaf(
    const test_model *m, size_t leaf, const float *x, const float *all, const float *selected)
{
    const size_t w = m->w;
    uint32_t row[TEST_TREE_ROWS], n = 0;
    for (uint32_t r = 0; r < TEST_TREE_ROWS; r++)
        if (test_sees(&test_tree, test_tree_ends[leaf], r)) row[n++] = r;
    /* cut anywhere: two segments instead of one or three */
    const mo_segment alone[2] = {{0, n - 1, -1}, {n - 1, 1, 0}};
    const mo_rows rows = {.rows = n, .segs = alone, .n_segs = 2};
    float *xs = test_floats(n * w, 1), *ys = test_floats(n * w, 2);
    for (size_t i = 0; i < n; i++) memcpy(xs + i * w, x + row[i] * w, w * sizeof *x);
    test_model_run(m, ys, xs, (mo_block_run){.rows = &rows});
    for (size_t i = 0; i < n; i++) assert_memory_equal(ys + i * w, all + row[i] * w, w * sizeof *x);
    test_model_run(m, ys, xs, (mo_block_run){.rows = &rows, .select = test_every_row(), .n_select = n});
    for (size_t i = 0; i < n; i++) assert_memory_equal(ys + i * w, selected + row[i] * w, w * sizeof *x);
    mo_mem_free(xs), mo_mem_free(ys);
}

static void leaves(void)
{
    test_model m = test_model_open(32, 2, 48, MO_ACT_QUICK_GELU);
    const size_t n = TEST_TREE_ROWS * 32;
    float *x = test_floats(n, 9), *all = test_floats(n, 10), *selected = test_floats(n, 11);
    test_model_run(&m, all, x, (mo_block_run){.rows = &test_tree});
    test_model_run(&m, selected, x,
        (mo_block_run){.rows = &test_tree, .select = test_every_row(), .n_select = TEST_TREE_ROWS});
    for (size_t leaf = 0; leaf < TEST_TREE_SEGMENTS; leaf++) one_leaf(&m, leaf, x, all, selected);
    mo_mem_free(x), mo_mem_free(all), mo_mem_free(selected);
    test_model_close(&m);
}

static void a_tree_has_the_bits_of_its_sequences(void **state)
{
    (void)state;
    test_each_path(leaves);
}

static void sequences_alone(void)
{
    test_model m = test_model_open(32, 4, 40, MO_ACT_GELU);
    const mo_rows all = test_sequences(3, 17), one = test_sequences(1, 17);
    float *x = test_floats(51 * 32, 9), *y = test_floats(51 * 32, 10), *alone = test_floats(17 * 32, 11);
    test_model_run(&m, y, x, (mo_block_run){.rows = &all});
    for (size_t s = 0; s < 3; s++) {
        test_model_run(&m, alone, x + s * 17 * 32, (mo_block_run){.rows = &one});
        assert_memory_equal(alone, y + s * 17 * 32, 17 * 32 * sizeof *y);
    }
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(alone);
    test_model_close(&m);
}

static void a_sequence_alone_has_its_bits_among_others(void **state)
{
    (void)state;
    test_each_path(sequences_alone);
}

static void threads(void)
{
    test_model m = test_model_open(48, 3, 60, MO_ACT_GELU);
    const mo_rows sets[] = {test_tree, test_sequences(3, 17)};
    for (size_t s = 0; s < 2; s++) {
        const size_t n = sets[s].rows * 48;
        float *x = test_floats(n, 9), *y = test_floats(n, 10), *z = test_floats(n, 11);
        test_model_run(&m, y, x, (mo_block_run){.rows = &sets[s]});
        for (size_t threads = 2; threads <= 3; threads++) {
            mo_pool *pool;
            assert_ok(mo_pool_create(&pool, threads));
            test_model_run(&m, z, x, (mo_block_run){.rows = &sets[s], .pool = pool});
            mo_pool_free(pool);
            assert_memory_equal(z, y, n * sizeof *y);
        }
        mo_mem_free(x), mo_mem_free(y), mo_mem_free(z);
    }
    test_model_close(&m);
}

static void bits_are_the_same_at_any_thread_count(void **state)
{
    (void)state;
    test_each_path(threads);
}

/* Where a product of the sizes is none, so is the memory: not that of what is left of the number. */
static void sizes_beyond_all_take_no_memory(void **state)
{
    (void)state;
    const size_t rows = SIZE_MAX / 64 + 1, few[][2] = {{64, 1}, {1, 64}};
    for (size_t i = 0; i < 2; i++) {
        const mo_block b = {.width = few[i][0], .hidden = few[i][1], .n_heads = few[i][0]};
        const mo_block_size size = {.rows = rows, .longest = 1};
        mo_arena work = {0}, kept = {0};
        mo_block_work w;
        mo_block_cache c;
        mo_block_work_take(&w, &work, &b, &size);
        assert_true(work.used == SIZE_MAX);
        mo_block_cache_take(&c, &kept, &b, rows, 0);
        assert_true(kept.used == SIZE_MAX);
    }
    assert_true(mo_attention_scratch(NULL, 64, 1, rows) == SIZE_MAX);
    assert_true(mo_attention_bwd_scratch(NULL, 16, 1,
                    &(mo_rows){.rows = SIZE_MAX / 4, .n_seqs = 1, .seq_len = SIZE_MAX / 4}) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_match_double),
        cmocka_unit_test(a_tree_has_the_bits_of_its_sequences),
        cmocka_unit_test(a_sequence_alone_has_its_bits_among_others),
        cmocka_unit_test(bits_are_the_same_at_any_thread_count),
        cmocka_unit_test(sizes_beyond_all_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
