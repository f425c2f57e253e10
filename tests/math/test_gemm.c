/* SPDX-License-Identifier: MIT
 * test_gemm.c - how a product is cut into tasks, told by operations of the test's own that only count: every
 * element is visited once, no cut falls within a step, no area is wider than a group. */
#include "test.h"

#include <stdatomic.h>

#if defined(MOPD_BLIS)
#include "math/ukernel.h"
#endif
#include "support/mats.h"
#include "support/needs.h"

/* What the plan of the next products will be, and what it was given. */
static mo_gemm_job cut;
static size_t threads_seen;
static atomic_size_t n_wrong;

static void plan(mo_gemm_job *j, size_t threads)
{
    threads_seen = threads;
    assert_int_equal(j->row_parts, 1);
    assert_int_equal(j->col_parts, 1);
    assert_int_equal(j->row_step, 1);
    assert_int_equal(j->col_step, MO_PANEL);
    assert_int_equal(j->group, j->g.n);
    j->row_parts = cut.row_parts, j->col_parts = cut.col_parts;
    j->row_step = cut.row_step, j->col_step = cut.col_step;
    if (cut.group) j->group = cut.group;
}

/* Counts visits in c; areas must begin and end at steps or at the ends of the result. */
static void run(const mo_gemm_job *j, const mo_gemm_area *area)
{
    const mo_gemm_args *g = &j->g;
    bool good = area->r0 < area->r1 && area->r1 <= g->m && area->c0 < area->c1 && area->c1 <= g->n;
    good = good && area->r0 % j->row_step == 0 && (area->r1 % j->row_step == 0 || area->r1 == g->m);
    good = good && area->c0 % MO_PANEL == 0 && area->c1 - area->c0 <= j->group;
    if (!cut.group) {
        good = good && area->c0 % j->col_step == 0;
        good = good && (area->c1 == g->n || area->c1 % j->col_step == 0);
    }
    if (!good) {
        atomic_fetch_add(&n_wrong, 1);
        return;
    }
    for (size_t i = area->r0; i < area->r1; i++)
        for (size_t o = area->c0; o < area->c1; o++) g->c[i * g->ldc + o]++;
}

static const mo_gemm_ops counting = {.name = "counting", .plan = plan, .run = run};

/* One product of m rows and n outputs from `first` on; `wanted`: how many outputs that must be. */
static void count(mo_pool *pool, size_t m, size_t n, size_t first, size_t wanted)
{
    const mo_mat mat = {.n = 500, .k = 7, .ops = &counting};
    float *c = mo_mem_calloc(m * 500, sizeof *c);
    assert_non_null(c);
    mo_gemm(pool, &mat, &(mo_gemm_args){.c = c, .ldc = 500, .m = m, .first = first, .n = n});
    assert_int_equal(atomic_load(&n_wrong), 0);
    for (size_t i = 0; i < m; i++)
        for (size_t o = 0; o < 500; o++)
            if (c[i * 500 + o] != (o < wanted ? 1 : 0))
                fail_msg("%zu x %zu from %zu: element %zu, %zu was visited %g times", m, n, first, i, o,
                    (double)c[i * 500 + o]);
    mo_mem_free(c);
}

static void each_cut(mo_pool *pool)
{
    for (size_t rows = 1; rows <= 7; rows += 2)
        for (size_t cols = 1; cols <= 6; cols++)
            for (size_t step = 1; step <= 25; step += 8 * step) { /* 1, 9 */
                const size_t m = step * 10 + 3;
                cut = (mo_gemm_job){.row_parts = rows, .col_parts = cols, .row_step = step, .col_step = 48};
                count(pool, m, 500, 0, 500);
                count(pool, m, 0, 32, 468);
                count(pool, m, 289, 16, 289);
                cut.group = 32;
                count(pool, m, 487, 0, 487);
            }
}

static void tasks_cover_every_element_once(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    for (size_t threads = 1; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        each_cut(pool);
        assert_int_equal(threads_seen, threads);
        mo_pool_free(pool);
    }
}

static void nothing_to_do_runs_nothing(void **state)
{
    (void)state;
    mo_mat mat = {.n = 32, .k = 7, .ops = &counting};
    float c[64] = {0};
    threads_seen = 99;
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = 32, .m = 0});
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = 32, .m = 2, .first = 32});
    mat.k = 0;
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = 32, .m = 2});
    assert_int_equal(threads_seen, 99);
    for (size_t i = 0; i < 64; i++) assert_true(c[i] == 0);
}

static void the_name_is_that_of_the_path(void **state)
{
    (void)state;
    assert_ok(mo_kern_cpu_set("plain"));
#if defined(MOPD_BLIS)
    assert_string_equal(mo_gemm_name(), mo_ukernel_name());
#else
    assert_string_equal(mo_gemm_name(), "plain 4x16");
#endif
    if (mo_kern_cpu_set("avx2") == MOPD_OK) assert_string_equal(mo_gemm_name(), "avx2 6x16");
    if (mo_kern_cpu_set("avx512") == MOPD_OK) assert_string_equal(mo_gemm_name(), "avx512 9x48");
    assert_ok(mo_kern_cpu_set(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_cover_every_element_once),
        cmocka_unit_test(nothing_to_do_runs_nothing),
        cmocka_unit_test(the_name_is_that_of_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
