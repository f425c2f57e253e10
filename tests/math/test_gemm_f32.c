/* SPDX-License-Identifier: MIT
 * test_gemm_f32.c - products over floats: how they are planned for threads, sums over many blocks of k, and
 * every size about the edges of tiles, panels and blocks. */
#include "test.h"

#include "base/ints.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

/* The plan of m x n x k for that many threads. */
static mo_gemm_job planned(size_t m, size_t n, size_t k, size_t threads)
{
    static mo_mat mat;
    mat = (mo_mat){.n = n, .k = k, .ops = &mo_gemm_f32_ops};
    mo_gemm_job j = {.w = &mat, .kern = mo_kern_get(), .row_parts = 1, .col_parts = 1, .row_step = 1};
    j.g.m = m, j.g.n = n;
    mo_gemm_f32_ops.plan(&j, threads);
    return j;
}

static void one_thread_takes_rows_in_turn(void)
{
    const mo_gemm_job j = planned(1000, 800, 300, 1);
    assert_int_equal(j.row_parts, 5); /* of 240 at most */
    assert_int_equal(j.col_parts, 1);
    assert_int_equal(j.col_step, MO_PANEL * mo_kern_get()->tile_panels);
    assert_int_equal(j.group, mo_kern_get()->group);
    assert_int_equal(planned(1, 800, 300, 1).row_parts, 1);
    assert_int_equal(planned(240, 800, 300, 1).row_parts, 1);
    assert_int_equal(planned(241, 800, 300, 1).row_parts, 2);
}

/* Small weights: rows alone, as far as they go. */
static void threads_share_rows_while_weights_are_small(void)
{
    const size_t height = mo_kern_get()->tile_rows;
    const mo_gemm_job j = planned(12544, 32, 27, 2), few = planned(2 * height, 512, 512, 2);
    assert_int_equal(j.row_parts, 48); /* 24 for each thread */
    assert_int_equal(j.col_parts, 1);
    assert_int_equal(planned(40 * height, 64, 64, 2).row_parts, 20); /* two tiles each */
    assert_int_equal(few.row_parts, 1);
    assert_true(few.col_parts > 1);
}

/* Large weights: columns, but no task of less than two panels and of less than a tile. */
static void threads_share_columns_of_large_weights(void)
{
    const size_t wide = mo_kern_get()->tile_panels;
    for (size_t n = 16; n <= 4096; n *= 2)
        for (size_t threads = 2; threads <= 64; threads *= 2) {
            const mo_gemm_job j = planned(50, n, 1 << 18, threads);
            const size_t panels = n / MO_PANEL;
            assert_int_equal(j.row_parts, 1);
            assert_true(j.col_parts >= 1 && j.col_parts <= mo_ceil_div(panels, 2));
            assert_true(j.col_parts <= mo_ceil_div(panels, wide));
            if (panels >= 24 * threads * mo_max(wide, 2)) assert_int_equal(j.col_parts, 24 * threads);
        }
}

static void plans(void)
{
    one_thread_takes_rows_in_turn();
    threads_share_rows_while_weights_are_small();
    threads_share_columns_of_large_weights();
}

static void plans_are_cut_for_threads(void **state)
{
    (void)state;
    test_each_path(plans);
}

#if defined(MOPD_BLIS)
/* Each of its tasks packs its rows anew, so it has four panels at least. */
static void blis_has_wider_tasks(void **state)
{
    (void)state;
    assert_ok(mo_kern_cpu_set("plain"));
    mo_mat mat = {.n = 512, .k = 1 << 18, .ops = &mo_gemm_blis_ops};
    mo_gemm_job j = {.w = &mat, .kern = mo_kern_get(), .row_parts = 1, .col_parts = 1, .row_step = 1};
    j.g.m = 10, j.g.n = 512;
    mo_gemm_blis_ops.plan(&j, 64);
    assert_int_equal(j.col_parts, 8);
    assert_ok(mo_kern_cpu_set(NULL));
}
#endif

/* c [m x n] of m x n x k against double, every element. */
static void product(size_t m, size_t n, size_t k)
{
    float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *c = test_floats(m * n, 3);
    mo_mat mat = test_pack(w, n, k);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = n, .a = a, .lda = k, .m = m});
    for (size_t i = 0; i < m; i++)
        for (size_t o = 0; o < n; o++)
            assert_near_at(c[i * n + o], test_dot(a + i * k, w + o * k, k), 1e-6 * (4 + (double)k / 16),
                "%zu x %zu x %zu at %zu, %zu", m, n, k, i, o);
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(c);
}

static void edges(void)
{
    for (size_t m = 1; m <= 20; m++) product(m, 17, 5);
    for (size_t n = 1; n <= 100; n++) product(3, n, 5);
    for (size_t k = 1; k <= 40; k++) product(7, 17, k);
    static const size_t depths[] = {255, 256, 257, 511, 512, 513, 767, 768, 769, 1023, 1025, 1537, 2305};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) product(10, 50, depths[i]);
    product(11, 130, 300); /* more than a group of columns on the plain path and on AVX2 */
    product(11, 900, 300);
}

static void sizes_about_every_edge_match_double(void **state)
{
    (void)state;
    test_each_path(edges);
}

/* A product's sum is that of its blocks of k, each one chain of its own, the first one first: the same products
 * in parts, added in that order, have the same bits. */
static void blocks(void)
{
    /* few outputs on the plain path, so that they are not BLIS's */
    const size_t m = 13, n = mo_kern_get() == mo_kern_plain() ? 15 : 40, k = 700,
                 parts = mo_ceil_div(k, MO_TILE_K);
    float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *c = test_floats(m * n, 3),
          *sum = test_floats(m * n, 4), *some = test_floats(n * k, 5);
    mo_mat mat = test_pack(w, n, k);
    assert_ptr_equal(mat.ops, &mo_gemm_f32_ops);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = n, .a = a, .lda = k, .m = m});
    for (size_t b = 0; b < parts; b++) {
        const size_t from = mo_cut(k, parts, b), d = mo_cut(k, parts, b + 1) - from;
        for (size_t o = 0; o < n; o++) memcpy(some + o * d, w + o * k + from, d * sizeof *w);
        mo_mat part = test_pack(some, n, d);
        mo_gemm(NULL, &part,
            &(mo_gemm_args){
                .c = sum, .ldc = n, .a = a + from, .lda = k, .m = m, .residual = b ? sum : NULL, .ldr = n});
        mo_mat_free(&part);
    }
    assert_memory_equal(c, sum, m * n * sizeof *c);
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(c), mo_mem_free(sum), mo_mem_free(some);
}

static void blocks_of_inputs_are_chains_of_their_own(void **state)
{
    (void)state;
    test_each_path(blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_cut_for_threads),
#if defined(MOPD_BLIS)
        cmocka_unit_test(blis_has_wider_tasks),
#endif
        cmocka_unit_test(sizes_about_every_edge_match_double),
        cmocka_unit_test(blocks_of_inputs_are_chains_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
