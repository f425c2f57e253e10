/* SPDX-License-Identifier: MIT
 * test_block_bwd.c - the transformer block backward to its input: against central differences, all rows or
 * some, in place, the same bits at any thread count. */
#include "test.h"

#include "support/blocks.h"
#include "support/gradient.h"
#include "support/paths.h"

typedef struct problem {
    const test_model *m;
    mo_block_run run;
    size_t n, n_out; /* floats of x and of y */
} problem;

static problem problem_of(const test_model *m, const mo_rows *rows, const uint32_t *select, size_t n_select)
{
    return (problem){.m = m,
        .run = {.rows = rows, .select = select, .n_select = n_select},
        .n = rows->rows * m->w,
        .n_out = (select ? n_select : rows->rows) * m->w};
}

static void run(float *y, const float *x, void *ctx)
{
    const problem *p = ctx;
    test_model_run(p->m, y, x, p->run);
}

/* dx given dy; dx may be dy. */
static void backward(const problem *p, mo_pool *pool, float *dx, const float *dy, const float *x)
{
    mo_block_run now = p->run;
    mo_block_work work;
    mo_block_cache cache;
    now.pool = pool;
    mo_arena arena = test_model_room(p->m, &now, &work, &cache);
    float *y = test_floats(p->n_out, 3);
    now.work = &work;
    mo_block_fwd_for_backward(&p->m->block, y, x, &now, &cache);
    mo_block_bwd(&p->m->block, &p->m->transposed, &(mo_block_grad){dx, dy, x}, &now, &cache);
    mo_arena_close(&arena);
    mo_mem_free(y);
}

static void check(const test_model *m, const mo_rows *rows, const uint32_t *select, size_t n_select)
{
    problem p = problem_of(m, rows, select, n_select);
    float *x = test_floats(p.n, 9), *dy = test_floats(p.n, 12), *dx = test_floats(p.n, 13),
          *again = test_floats(p.n, 14);
    backward(&p, NULL, dx, dy, x);
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        backward(&p, pool, again, dy, x);
        mo_pool_free(pool);
        assert_memory_equal(again, dx, p.n * sizeof *dx);
    }
    test_gradient_check(&(test_gradient){.name = "block",
        .fwd = run,
        .ctx = &p,
        .x = x,
        .n_x = p.n,
        .n_y = p.n_out,
        .r = dy,
        .dx = dx,
        .step = 5,
        .most = 3e-3});
    if (!select) {
        backward(&p, NULL, dy, dy, x); /* in place */
        assert_memory_equal(dy, dx, p.n * sizeof *dx);
    }
    mo_mem_free(x), mo_mem_free(dy), mo_mem_free(dx), mo_mem_free(again);
}

static void gradients(void)
{
    static const size_t models[][3] = {{24, 3, 50}, {32, 4, 40}, {48, 3, 60}};
    const mo_rows two = test_sequences(2, 7);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        test_model m = test_model_open(
            models[i][0], models[i][1], models[i][2], i % 2 ? MO_ACT_GELU : MO_ACT_QUICK_GELU);
        check(&m, &test_tree, NULL, 0);
        check(&m, &test_tree, test_tree_ends, TEST_TREE_SEGMENTS);
        check(&m, &two, NULL, 0);
        check(&m, &two, (const uint32_t[]){6, 13}, 2);
        test_model_close(&m);
    }
}

static void gradients_match_differences(void **state)
{
    (void)state;
    test_each_path(gradients);
}

/* What a selected row does not see has no gradient, to the last bit. */
static void unseen(void)
{
    test_model m = test_model_open(24, 3, 50, MO_ACT_GELU);
    const problem p = problem_of(&m, &test_tree, test_tree_ends + 2, 1);
    float *x = test_floats(p.n, 9), *dy = test_floats(p.n_out, 12), *dx = test_floats(p.n, 13);
    backward(&p, NULL, dx, dy, x);
    for (size_t i = 0; i < p.n; i++) {
        const bool seen = test_sees(&test_tree, test_tree_ends[2], i / m.w);
        assert_int_equal(dx[i] != 0, seen);
    }
    mo_mem_free(x), mo_mem_free(dy), mo_mem_free(dx);
    test_model_close(&m);
}

static void rows_that_are_not_seen_have_no_gradient(void **state)
{
    (void)state;
    test_each_path(unseen);
}

/* Twice the dy, twice the dx: the pass is linear, and doubling is exact. */
static void doubled(void)
{
    test_model m = test_model_open(32, 2, 40, MO_ACT_QUICK_GELU);
    const problem p = problem_of(&m, &test_tree, NULL, 0);
    float *x = test_floats(p.n, 9), *dy = test_floats(p.n, 12), *dx = test_floats(p.n, 13),
          *twice = test_floats(p.n, 14);
    backward(&p, NULL, dx, dy, x);
    for (size_t i = 0; i < p.n; i++) dy[i] *= 2;
    backward(&p, NULL, twice, dy, x);
    for (size_t i = 0; i < p.n; i++) assert_true(twice[i] == 2 * dx[i]);
    mo_mem_free(x), mo_mem_free(dy), mo_mem_free(dx), mo_mem_free(twice);
    test_model_close(&m);
}

static void gradients_are_linear(void **state)
{
    (void)state;
    test_each_path(doubled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(rows_that_are_not_seen_have_no_gradient),
        cmocka_unit_test(gradients_are_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
