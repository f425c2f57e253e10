/* SPDX-License-Identifier: MIT
 * test_block_ways.c - the four ways from normed rows to attention: all rows, duplicates shared, selected rows
 * with keys of all, selected rows from normed rows.  Each is told by what only it does, and has the bits or the
 * bounds it must. */
#include "test.h"

#include "math/bf16.h"
#include "support/blocks.h"
#include "support/near.h"
#include "support/paths.h"

enum { ROWS = 51, LENGTH = 17 };

static const mo_rows *sequences(void)
{
    static mo_rows rows;
    rows = test_sequences(ROWS / LENGTH, LENGTH);
    return &rows;
}

/* Selected rows in some company and at some thread count: the bits they have when every row is selected. */
static void select_case(const test_model *m, const mo_rows *rows, const uint32_t *select, size_t n)
{
    const size_t w = m->w;
    float *x = test_floats(rows->rows * w, 9), *every = test_floats(rows->rows * w, 10),
          *some = test_floats(rows->rows * w, 11);
    test_model_run(
        m, every, x, (mo_block_run){.rows = rows, .select = test_every_row(), .n_select = rows->rows});
    for (size_t threads = 1; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        test_model_run(
            m, some, x, (mo_block_run){.pool = pool, .rows = rows, .select = select, .n_select = n});
        for (size_t i = 0; i < n; i++)
            assert_memory_equal(some + i * w, every + select[i] * w, w * sizeof *some);
        for (size_t i = 0; i < n; i++) {
            test_model_run(
                m, some, x, (mo_block_run){.pool = pool, .rows = rows, .select = select + i, .n_select = 1});
            assert_memory_equal(some, every + select[i] * w, w * sizeof *some);
        }
        mo_pool_free(pool);
    }
    mo_mem_free(x), mo_mem_free(every), mo_mem_free(some);
}

/* Heads of 8 and 16, widths that do and do not end with a panel. */
static const size_t models[][3] = {{24, 3, 50}, {32, 4, 40}, {48, 3, 60}, {32, 1, 33}};
#define N_MODELS (sizeof models / sizeof *models)

static test_model open_model(size_t i)
{
    return test_model_open(models[i][0], models[i][1], models[i][2], i % 2 ? MO_ACT_GELU : MO_ACT_QUICK_GELU);
}

static bool from_norms(const test_model *m)
{
    return m->w / m->heads % MO_PANEL == 0;
}

static void selections(void)
{
    static const uint32_t firsts[] = {0, LENGTH, 2 * LENGTH};
    for (size_t i = 0; i < N_MODELS; i++) {
        test_model m = open_model(i);
        select_case(&m, &test_tree, test_tree_ends, TEST_TREE_SEGMENTS);
        select_case(&m, sequences(), firsts, 3);
        test_model_close(&m);
    }
}

static void selected_rows_have_the_same_bits_in_any_company(void **state)
{
    (void)state;
    test_each_path(selections);
}

/* With keys and values of all, selected rows have the very bits that they have among all rows; from normed rows
 * their sums go another way, and end within a few roundings. */
static void ways_of_selected(void)
{
    for (size_t i = 0; i < N_MODELS; i++) {
        test_model m = open_model(i);
        const size_t n = ROWS * m.w;
        float *x = test_floats(n, 9), *all = test_floats(n, 10), *some = test_floats(n, 11);
        const mo_block_run whole = {.rows = sequences()};
        const mo_block_run every = {.rows = sequences(), .select = test_every_row(), .n_select = ROWS};
        test_model_run(&m, all, x, whole);
        test_model_run(&m, some, x, every);
        if (from_norms(&m))
            assert_memory_not_equal(some, all, n * sizeof *all);
        else
            assert_memory_equal(some, all, n * sizeof *all);
        for (size_t p = 0; p < n; p++) assert_near(some[p], all[p], 1e-5);
        test_model_keep(&m, some, x, every); /* what is kept for a backward pass needs keys and values */
        assert_memory_equal(some, all, n * sizeof *all);
        test_model_keep(&m, some, x, whole);
        assert_memory_equal(some, all, n * sizeof *all);
        mo_mem_free(x), mo_mem_free(all), mo_mem_free(some);
        test_model_close(&m);
    }
}

static void selected_rows_go_without_keys_where_they_can(void **state)
{
    (void)state;
    test_each_path(ways_of_selected);
}

/* Quantized weights have no floats to multiply from the left: keys and values of all. */
static void quantized(void)
{
    assert_ok(mo_bf16_set("integers"));
    test_model m = test_model_open(32, 2, 40, MO_ACT_GELU);
    const size_t n = ROWS * 32;
    float *x = test_floats(n, 9), *floats = test_floats(n, 10), *all = test_floats(n, 11),
          *some = test_floats(n, 12);
    const mo_block_run every = {.rows = sequences(), .select = test_every_row(), .n_select = ROWS};
    test_model_run(&m, floats, x, every);
    assert_ok(mo_block_quantize(&m.block, MO_PRECISION_16));
    test_model_run(&m, all, x, (mo_block_run){.rows = sequences()});
    test_model_run(&m, some, x, every);
    assert_memory_equal(some, all, n * sizeof *all);
    for (size_t i = 0; i < n; i++) assert_near(all[i], floats[i], 5e-3);
    assert_memory_not_equal(all, floats, n * sizeof *all);
    mo_mem_free(x), mo_mem_free(floats), mo_mem_free(all), mo_mem_free(some);
    test_model_close(&m);
    assert_ok(mo_bf16_set(NULL));
}

static void quantized_blocks_have_keys_and_values(void **state)
{
    (void)state;
    test_each_path(quantized);
}

/* Row r is said to be row of[r]: the first `different` rows, then these again. */
typedef struct alike {
    uint32_t first[ROWS], of[ROWS];
    mo_duplicates duplicates;
} alike;

static void fill_alike(alike *a, uint32_t different)
{
    for (uint32_t r = 0; r < ROWS; r++) {
        a->first[r] = r;
        a->of[r] = r < different ? r : r * r % different;
    }
    a->duplicates = (mo_duplicates){different, a->first, a->of};
}

/* Rows that are alike have the bits of rows, however many are and whether there is room to share them or not. */
static void duplicates_case(const test_model *m, uint32_t different)
{
    alike a;
    fill_alike(&a, different);
    float *x = test_floats(ROWS * m->w, 9), *want = test_floats(ROWS * m->w, 10),
          *got = test_floats(ROWS * m->w, 11);
    for (size_t r = 0; r < ROWS; r++) memcpy(x + r * m->w, x + a.of[r] * m->w, m->w * sizeof *x);
    test_model_run(m, want, x, (mo_block_run){.rows = sequences()});
    test_model_run(m, got, x, (mo_block_run){.rows = sequences(), .duplicates = &a.duplicates});
    assert_memory_equal(got, want, ROWS * m->w * sizeof *got);
    test_model_keep(m, got, x, (mo_block_run){.rows = sequences(), .duplicates = &a.duplicates});
    assert_memory_equal(got, want, ROWS * m->w * sizeof *got);
    mo_mem_free(x), mo_mem_free(want), mo_mem_free(got);
}

static void duplicates(void)
{
    test_model wide = test_model_open(24, 3, 96, MO_ACT_GELU),
               small = test_model_open(24, 3, 24, MO_ACT_GELU);
    for (uint32_t different = 1; different <= ROWS; different += 5) {
        duplicates_case(&wide, different);
        duplicates_case(&small, different);
    }
    test_model_close(&wide), test_model_close(&small);
}

static void rows_alike_have_the_bits_of_rows(void **state)
{
    (void)state;
    test_each_path(duplicates);
}

/* Told a lie about two rows, the block believes it exactly where what is shared fits among the hidden rows:
 * queries, keys and values of `different` rows, 3 W floats each, in ROWS hidden rows. */
static bool is_shared(const test_model *m, uint32_t different, const uint32_t *select, size_t n_select)
{
    alike a;
    fill_alike(&a, different);
    float *x = test_floats(ROWS * m->w, 9), *want = test_floats(ROWS * m->w, 10),
          *got = test_floats(ROWS * m->w, 10);
    mo_block_run run = {.rows = sequences(), .select = select, .n_select = n_select};
    test_model_run(m, want, x, run);
    run.duplicates = &a.duplicates;
    test_model_run(m, got, x, run);
    const bool same = !memcmp(got, want, ROWS * m->w * sizeof *got);
    mo_mem_free(x), mo_mem_free(want), mo_mem_free(got);
    return !same;
}

static void duplicates_are_shared_where_there_is_room(void **state)
{
    (void)state;
    test_model small = test_model_open(24, 3, 24, MO_ACT_GELU),
               wide = test_model_open(24, 3, 96, MO_ACT_GELU);
    assert_true(is_shared(&small, ROWS / 3, NULL, 0)); /* 17 x 72 = 51 x 24 */
    assert_false(is_shared(&small, ROWS / 3 + 1, NULL, 0));
    assert_true(is_shared(&wide, ROWS - 1, NULL, 0));
    assert_false(is_shared(&wide, ROWS / 3, test_every_row(), ROWS)); /* not beside a selection */
    test_model_close(&small), test_model_close(&wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selected_rows_have_the_same_bits_in_any_company),
        cmocka_unit_test(selected_rows_go_without_keys_where_they_can),
        cmocka_unit_test(quantized_blocks_have_keys_and_values),
        cmocka_unit_test(rows_alike_have_the_bits_of_rows),
        cmocka_unit_test(duplicates_are_shared_where_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
