/* SPDX-License-Identifier: MIT
 * test_attention_normed.c - attention of a few rows over normed rows, without keys and values of all: against
 * attention in double over keys and values written out, in any company, at any thread count. */
#include "test.h"

#include "support/attention.h"
#include "support/near.h"
#include "support/paths.h"

/* A layer of queries, keys and values over normed rows x. */
typedef struct layer {
    const mo_rows *rows;
    size_t w, heads;
    float *weights, *bias, *x, *qkv, *q, *out, *other;
    mo_mat mat;
} layer;

static layer open_layer(const mo_rows *rows, size_t w, size_t heads, bool with_bias)
{
    layer l = {.rows = rows, .w = w, .heads = heads};
    l.weights = test_floats(3 * w * w, 1);
    for (size_t i = 0; i < 3 * w * w; i++) l.weights[i] *= 0.5f;
    l.bias = with_bias ? test_floats(3 * w, 2) : NULL;
    l.x = test_floats(rows->rows * w, 3);
    l.qkv = test_floats(rows->rows * 3 * w, 4);
    l.q = test_floats(rows->rows * w, 5);
    l.out = test_floats(rows->rows * w, 6);
    l.other = test_floats(rows->rows * w, 7);
    l.mat = test_pack(l.weights, 3 * w, w);
    for (size_t r = 0; r < rows->rows; r++)
        for (size_t o = 0; o < 3 * w; o++)
            l.qkv[r * 3 * w + o] =
                (float)(test_dot(l.x + r * w, l.weights + o * w, w) + (with_bias ? (double)l.bias[o] : 0));
    return l;
}

static void close_layer(layer *l)
{
    mo_mat_free(&l->mat);
    mo_mem_free(l->weights), mo_mem_free(l->bias), mo_mem_free(l->x), mo_mem_free(l->qkv);
    mo_mem_free(l->q), mo_mem_free(l->out), mo_mem_free(l->other);
}

static void run(const layer *l, mo_pool *pool, float *out, const uint32_t *select, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(l->q + i * l->w, l->qkv + select[i] * 3 * l->w, l->w * sizeof *l->q);
    float *scratch = test_scratch(pool, l->w, l->heads, l->rows);
    mo_attention_normed_fwd(pool, out,
        &(mo_attention_normed){.qkv = &l->mat,
            .bias = l->bias,
            .n_heads = l->heads,
            .rows = l->rows,
            .select = select,
            .n_select = n,
            .q = l->q,
            .x = l->x,
            .scratch = scratch});
    test_scratch_end(scratch, pool, l->w, l->heads, l->rows);
}

static const uint32_t *every(void)
{
    static uint32_t row[60];
    for (uint32_t i = 0; i < 60; i++) row[i] = i;
    return row;
}

static void check(const mo_rows *rows, size_t w, size_t heads, bool with_bias)
{
    layer l = open_layer(rows, w, heads, with_bias);
    double *want = malloc(w * sizeof *want);
    assert_non_null(want);
    const mo_attention a = {
        .width = w, .n_heads = heads, .rows = rows, .q = l.qkv, .ldq = 3 * w, .kv = l.qkv + w, .ldkv = 3 * w};
    run(&l, NULL, l.out, every(), rows->rows);
    for (size_t r = 0; r < rows->rows; r++) {
        test_attend_double(want, &a, r, r);
        for (size_t i = 0; i < w; i++)
            assert_near_at(l.out[r * w + i], want[i], 2e-5, "width %zu, %zu heads, row %zu", w, heads, r);
    }
    free(want);
    close_layer(&l);
}

static void sizes(void)
{
    const mo_rows full = test_sequences(3, 17), short_ones = test_sequences(20, 1);
    check(&test_tree, 32, 2, true);
    check(&test_tree, 48, 3, false);
    check(&test_tree, 16, 1, true);
    check(&full, 64, 2, true);
    check(&full, 32, 1, false);
    check(&short_ones, 32, 2, true);
}

static void rows_match_keys_and_values_written_out(void **state)
{
    (void)state;
    test_each_path(sizes);
}

/* Any selection: 16 rows go together, so one, a few, one group, one more, all. */
static void selections(void)
{
    const mo_rows rows = test_sequences(2, 30);
    layer l = open_layer(&rows, 32, 2, true);
    run(&l, NULL, l.out, every(), 60);
    static const size_t counts[] = {1, 2, 15, 16, 17, 32, 33, 59};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (uint32_t from = 0; from + counts[c] <= 60; from += 9) {
            run(&l, NULL, l.other, every() + from, counts[c]);
            assert_memory_equal(l.other, l.out + from * 32, counts[c] * 32 * sizeof *l.out);
        }
    static const uint32_t firsts[2] = {0, 30};
    run(&l, NULL, l.other, firsts, 2);
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(l.other + i * 32, l.out + firsts[i] * 32, 32 * sizeof *l.out);
    close_layer(&l);
}

static void rows_have_the_same_bits_in_any_selection(void **state)
{
    (void)state;
    test_each_path(selections);
}

static void threads(void)
{
    const mo_rows full = test_sequences(3, 19);
    const mo_rows *const sets[2] = {&test_tree, &full};
    for (size_t i = 0; i < 2; i++) {
        layer l = open_layer(sets[i], 48, 3, true);
        run(&l, NULL, l.out, every(), sets[i]->rows);
        for (size_t n = 2; n <= 3; n++) {
            mo_pool *pool;
            assert_ok(mo_pool_create(&pool, n));
            run(&l, pool, l.other, every(), sets[i]->rows);
            mo_pool_free(pool);
            assert_memory_equal(l.other, l.out, sets[i]->rows * 48 * sizeof *l.out);
        }
        close_layer(&l);
    }
}

static void bits_are_the_same_at_any_thread_count(void **state)
{
    (void)state;
    test_each_path(threads);
}

/* Rows beyond a sequence are not read: no number there does any harm. */
static void others(void)
{
    layer l = open_layer(&test_tree, 32, 2, true);
    run(&l, NULL, l.out, test_tree_ends + 2, 1);
    for (size_t r = 0; r < TEST_TREE_ROWS; r++)
        if (!test_sees(&test_tree, test_tree_ends[2], r)) l.x[r * 32 + r] = NAN;
    run(&l, NULL, l.other, test_tree_ends + 2, 1);
    assert_memory_equal(l.other, l.out, 32 * sizeof *l.out);
    close_layer(&l);
}

static void rows_that_are_not_seen_are_not_read(void **state)
{
    (void)state;
    test_each_path(others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_match_keys_and_values_written_out),
        cmocka_unit_test(rows_have_the_same_bits_in_any_selection),
        cmocka_unit_test(bits_are_the_same_at_any_thread_count),
        cmocka_unit_test(rows_that_are_not_seen_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
