/* SPDX-License-Identifier: MIT
 * test_attention_bwd.c - attention backward over a tree and over whole sequences: queries, keys and values against
 * central differences, all rows or some, the same bits at any thread count. */
#include "test.h"

#include "support/attention.h"
#include "support/gradient.h"
#include "support/near.h"
#include "support/paths.h"

enum { W = 24, HEADS = 3 };

/* Which of the rows query; NULL: all. */
typedef struct selection {
    const mo_rows *rows;
    const uint32_t *row;
    size_t n;
} selection;

static size_t queries_of(const selection *s)
{
    return s->row ? s->n : s->rows->rows;
}

/* x = queries [n x W], then keys and values [rows x 2W]. */
static mo_attention attention_of(const float *x, const selection *s)
{
    return (mo_attention){.width = W,
        .n_heads = HEADS,
        .rows = s->rows,
        .select = s->row,
        .n_select = s->n,
        .q = x,
        .ldq = W,
        .kv = x + queries_of(s) * W,
        .ldkv = 2 * W};
}

static void run(float *y, const float *x, void *ctx)
{
    test_attend(NULL, y, attention_of(x, ctx));
}

/* dx laid out as x; what lay there before does not matter. */
static void backward(mo_pool *pool, float *dx, const float *dy, const float *x, const selection *s)
{
    mo_attention a = attention_of(x, s);
    const mo_attention_grad g = {
        .dout = dy, .dq = dx, .dkv = dx + queries_of(s) * W, .lddq = W, .lddkv = 2 * W};
    const size_t room = mo_attention_bwd_scratch(pool, W, HEADS, s->rows);
    a.scratch = test_floats(room + 1, 9);
    a.scratch[room] = 77;
    mo_attention_bwd(pool, &g, &a);
    assert_true(a.scratch[room] == 77);
    mo_mem_free(a.scratch);
}

static void check(const selection *s)
{
    const size_t n_y = queries_of(s) * W, n_x = n_y + s->rows->rows * 2 * W;
    float *x = test_floats(n_x, 1), *dy = test_floats(n_y, 2), *dx = test_floats(n_x, 3),
          *again = test_floats(n_x, 4);
    backward(NULL, dx, dy, x, s);
    test_gradient_check(&(test_gradient){.name = "attention",
        .fwd = run,
        .ctx = (void *)(uintptr_t)s,
        .x = x,
        .n_x = n_x,
        .n_y = n_y,
        .r = dy,
        .dx = dx,
        .step = 5,
        .most = 2e-3});
    for (size_t threads = 2; threads <= 4; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        backward(pool, again, dy, x, s);
        mo_pool_free(pool);
        assert_memory_equal(again, dx, n_x * sizeof *dx);
    }
    mo_mem_free(x), mo_mem_free(dy), mo_mem_free(dx), mo_mem_free(again);
}

static void each_selection(void)
{
    const mo_rows one = test_sequences(1, 17), three = test_sequences(3, 6);
    check(&(selection){&test_tree, NULL, 0});
    check(&(selection){&test_tree, test_tree_ends, TEST_TREE_SEGMENTS});
    check(&(selection){&test_tree, test_tree_ends + 2, 1});
    check(&(selection){&one, NULL, 0});
    check(&(selection){&three, NULL, 0});
    check(&(selection){&three, (const uint32_t[]){5, 11, 17}, 3});   /* the last of each */
    check(&(selection){&three, (const uint32_t[]){0, 2, 3, 13}, 4}); /* none of the second */
}

static void gradients_match_differences_at_any_thread_count(void **state)
{
    (void)state;
    test_each_path(each_selection);
}

/* Rows that no selected row sees have no gradient; those that one sees have. */
static void unseen_of(const mo_rows *rows)
{
    static const uint32_t one[1] = {9};
    const selection s = {rows, one, 1};
    const size_t n_x = W + rows->rows * 2 * W;
    float *x = test_floats(n_x, 1), *dy = test_floats(W, 2), *dx = test_floats(n_x, 3);
    backward(NULL, dx, dy, x, &s);
    for (size_t r = 0; r < rows->rows; r++)
        for (size_t i = 0; i < 2 * W; i++)
            assert_int_equal(dx[W + r * 2 * W + i] != 0, test_sees(rows, 9, r));
    mo_mem_free(x), mo_mem_free(dy), mo_mem_free(dx);
}

static void unseen(void)
{
    const mo_rows three = test_sequences(3, 6);
    unseen_of(&test_tree);
    unseen_of(&three);
}

static void rows_that_nobody_sees_have_no_gradient(void **state)
{
    (void)state;
    test_each_path(unseen);
}

/* Weights sum to one: as much of dout as arrives is handed on to the values; and shifting all keys that a row
 * sees by the same changes nothing, so that their gradients cancel. */
static void sums(void)
{
    const selection s = {&test_tree, test_tree_ends + 5, 1}; /* a root of its own: rows 15 .. 18 */
    const size_t n_x = W + TEST_TREE_ROWS * 2 * W;
    float *x = test_floats(n_x, 1), *dy = test_floats(W, 2), *dx = test_floats(n_x, 3);
    backward(NULL, dx, dy, x, &s);
    for (size_t i = 0; i < W; i++) {
        double keys = 0, values = 0;
        for (size_t r = 15; r < 19; r++) {
            keys += (double)dx[W + r * 2 * W + i];
            values += (double)dx[W + r * 2 * W + W + i];
        }
        assert_near(keys, 0, 1e-7);
        assert_near(values, dy[i], 2e-7);
    }
    mo_mem_free(x), mo_mem_free(dy), mo_mem_free(dx);
}

static void gradients_of_values_sum_to_what_arrives(void **state)
{
    (void)state;
    test_each_path(sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences_at_any_thread_count),
        cmocka_unit_test(rows_that_nobody_sees_have_no_gradient),
        cmocka_unit_test(gradients_of_values_sum_to_what_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
