/* SPDX-License-Identifier: MIT
 * test_attention.c - attention forward, over whole sequences and over trees: every row against double
 * precision; the same bits selected, alone, in any tree and at any thread count. */
#include "test.h"

#include "support/attention.h"
#include "support/near.h"
#include "support/paths.h"

static void check_rows(const mo_attention *a, const float *out)
{
    double *want = malloc(a->width * sizeof *want);
    assert_non_null(want);
    const size_t n = a->select ? a->n_select : a->rows->rows;
    for (size_t i = 0; i < n; i++) {
        test_attend_double(want, a, i, a->select ? a->select[i] : i);
        for (size_t p = 0; p < a->width; p++)
            assert_near_at(out[i * a->width + p], want[p], 4e-6, "width %zu, %zu heads, %zu rows: row %zu",
                a->width, a->n_heads, a->rows->rows, i);
    }
    free(want);
}

/* Heads of 1 to 64 floats, sequences about the edges of panels and of what is done at once. */
static void whole_sequences(void)
{
    static const size_t sizes[][4] = {{1, 1, 4, 2}, {3, 7, 24, 3}, {2, 16, 33, 3}, {1, 17, 5, 5},
        {2, 35, 32, 2}, {2, 36, 32, 1}, {2, 37, 48, 3}, {1, 75, 64, 1}, {1, 270, 34, 2}, {9, 2, 20, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const mo_rows rows = test_sequences(sizes[i][0], sizes[i][1]);
        test_scene s = test_scene_open(&rows, sizes[i][2], sizes[i][3]);
        const mo_attention a = test_scene_attention(&s);
        test_attend(NULL, s.out, a);
        check_rows(&a, s.out);
        test_scene_close(&s);
    }
}

static void whole_sequences_match_double(void **state)
{
    (void)state;
    test_each_path(whole_sequences);
}

static void trees(void)
{
    static const size_t sizes[][2] = {{4, 2}, {24, 3}, {33, 3}, {5, 5}, {32, 1}, {96, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        test_scene s = test_scene_open(&test_tree, sizes[i][0], sizes[i][1]);
        const mo_attention a = test_scene_attention(&s);
        test_attend(NULL, s.out, a);
        check_rows(&a, s.out);
        test_scene_close(&s);
    }
}

static void trees_match_double(void **state)
{
    (void)state;
    test_each_path(trees);
}

/* Rows asked for alone, whose queries lie side by side: their bits among all rows. */
static void select_rows(const mo_rows *rows, const uint32_t *select, size_t n)
{
    test_scene s = test_scene_open(rows, 32, 2);
    float *q = test_floats(n * 32, 4);
    mo_attention a = test_scene_attention(&s);
    test_attend(NULL, s.out, a);
    for (size_t i = 0; i < n; i++) memcpy(q + i * 32, s.qkv + select[i] * s.ld, 32 * sizeof *q);
    a.select = select, a.n_select = n, a.q = q, a.ldq = 32;
    test_attend(NULL, s.other, a);
    check_rows(&a, s.other);
    for (size_t i = 0; i < n; i++)
        assert_memory_equal(s.other + i * 32, s.out + select[i] * 32, 32 * sizeof *q);
    mo_mem_free(q);
    test_scene_close(&s);
}

static void selections(void)
{
    static const uint32_t every[TEST_TREE_ROWS] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    const mo_rows full = test_sequences(3, 7);
    select_rows(&test_tree, test_tree_ends, TEST_TREE_SEGMENTS);
    select_rows(&test_tree, every, TEST_TREE_ROWS);
    for (size_t r = 0; r < TEST_TREE_ROWS; r++) select_rows(&test_tree, every + r, 1);
    select_rows(&full, (const uint32_t[]){0, 7, 14}, 3);
    select_rows(&full, every, 19);
    select_rows(&full, every + 13, 1);
}

static void selected_rows_have_the_bits_of_all(void **state)
{
    (void)state;
    test_each_path(selections);
}

/* The rows on the way to one leaf, as a sequence of two segments cut before its last row. */
static void one_leaf(const test_scene *s, size_t leaf)
{
    const size_t w = s->width, last = test_tree_ends[leaf];
    uint32_t row[TEST_TREE_ROWS], n = 0;
    float *qkv = test_floats(TEST_TREE_ROWS * s->ld, 5);
    for (uint32_t r = 0; r <= last; r++)
        if (test_sees(&test_tree, last, r)) row[n++] = r;
    for (size_t i = 0; i < n; i++) memcpy(qkv + i * s->ld, s->qkv + row[i] * s->ld, 3 * w * sizeof *qkv);
    const mo_segment segments[2] = {{0, n - 1, -1}, {n - 1, 1, 0}};
    const mo_rows rows = {.rows = n, .segs = segments, .n_segs = 2};
    mo_attention a = test_scene_attention(s);
    a.rows = &rows, a.q = qkv, a.kv = qkv + w;
    test_attend(NULL, s->other, a);
    for (size_t i = 0; i < n; i++)
        assert_memory_equal(s->other + i * w, s->out + row[i] * w, w * sizeof *qkv);
    mo_mem_free(qkv);
}

static void leaves(void)
{
    test_scene s = test_scene_open(&test_tree, 40, 2);
    test_attend(NULL, s.out, test_scene_attention(&s));
    for (size_t leaf = 0; leaf < TEST_TREE_SEGMENTS; leaf++) one_leaf(&s, leaf);
    test_scene_close(&s);
}

static void trees_have_the_bits_of_their_sequences(void **state)
{
    (void)state;
    test_each_path(leaves);
}

static void sequences_alone(void)
{
    const mo_rows all = test_sequences(4, 21), one = test_sequences(1, 21);
    test_scene s = test_scene_open(&all, 40, 2);
    mo_attention a = test_scene_attention(&s);
    test_attend(NULL, s.out, a);
    for (size_t q = 0; q < 4; q++) {
        a.rows = &one, a.q = s.qkv + q * 21 * s.ld, a.kv = a.q + 40;
        test_attend(NULL, s.other, a);
        assert_memory_equal(s.other, s.out + q * 21 * 40, 21 * 40 * sizeof *s.out);
    }
    test_scene_close(&s);
}

static void sequences_do_not_know_each_other(void **state)
{
    (void)state;
    test_each_path(sequences_alone);
}

static void threads(void)
{
    const mo_rows full = test_sequences(5, 19);
    const mo_rows *const sets[2] = {&test_tree, &full};
    for (size_t i = 0; i < 2; i++) {
        test_scene s = test_scene_open(sets[i], 48, 3);
        test_attend(NULL, s.out, test_scene_attention(&s));
        for (size_t n = 2; n <= 3; n++) {
            mo_pool *pool;
            assert_ok(mo_pool_create(&pool, n));
            test_attend(pool, s.other, test_scene_attention(&s));
            mo_pool_free(pool);
            assert_memory_equal(s.other, s.out, sets[i]->rows * 48 * sizeof *s.out);
        }
        test_scene_close(&s);
    }
}

static void bits_are_the_same_at_any_thread_count(void **state)
{
    (void)state;
    test_each_path(threads);
}

/* Keys that are all alike weigh all values the same: the mean of those that are seen. */
static void equal_keys(void)
{
    test_scene s = test_scene_open(&test_tree, 6, 2);
    for (size_t r = 0; r < TEST_TREE_ROWS; r++)
        for (size_t i = 0; i < 6; i++) s.qkv[r * s.ld + 6 + i] = 0.25f;
    test_attend(NULL, s.out, test_scene_attention(&s));
    for (size_t r = 0; r < TEST_TREE_ROWS; r++)
        for (size_t i = 0; i < 6; i++) {
            double sum = 0, n = 0;
            for (size_t b = 0; b < TEST_TREE_ROWS; b++)
                if (test_sees(&test_tree, r, b)) sum += (double)s.qkv[b * s.ld + 12 + i], n++;
            assert_near(s.out[r * 6 + i], sum / n, 1e-6);
        }
    test_scene_close(&s);
}

static void equal_keys_give_the_mean_of_values(void **state)
{
    (void)state;
    test_each_path(equal_keys);
}

/* A row that is no number spoils the rows that see it and no others. */
static void not_numbers(void)
{
    test_scene s = test_scene_open(&test_tree, 24, 3);
    for (size_t bad = 0; bad < TEST_TREE_ROWS; bad++) {
        float *key = s.qkv + bad * s.ld + 24, keep = *key;
        *key = NAN;
        test_attend(NULL, s.out, test_scene_attention(&s));
        for (size_t r = 0; r < TEST_TREE_ROWS; r++)
            for (size_t i = 0; i < 24; i++)
                assert_true(isnan(s.out[r * 24 + i]) == (i < 8 && test_sees(&test_tree, r, bad)));
        *key = keep;
    }
    test_scene_close(&s);
}

static void what_is_not_seen_does_no_harm(void **state)
{
    (void)state;
    test_each_path(not_numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_sequences_match_double),
        cmocka_unit_test(trees_match_double),
        cmocka_unit_test(selected_rows_have_the_bits_of_all),
        cmocka_unit_test(trees_have_the_bits_of_their_sequences),
        cmocka_unit_test(sequences_do_not_know_each_other),
        cmocka_unit_test(bits_are_the_same_at_any_thread_count),
        cmocka_unit_test(equal_keys_give_the_mean_of_values),
        cmocka_unit_test(what_is_not_seen_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
