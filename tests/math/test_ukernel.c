/* SPDX-License-Identifier: MIT
 * test_ukernel.c - BLIS: its micro-kernel on tiles of all sizes, its whole product, and the sizes that it must never see. */
#include "test.h"

#include <limits.h>

#include "math/ukernel.h"
#include "support/mats.h"
#include "support/near.h"

static void its_product_matches_double(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {37, 50, 70}, {8, 64, 300}, {100, 33, 513}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        float *a = test_floats(m * k, 1), *b = test_floats(k * n, 2), *c = test_floats(m * n, 3);
        assert_ok(mo_ukernel_product(c, a, b, m, n, k));
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                double want = 0;
                for (size_t p = 0; p < k; p++) want += (double)a[i * k + p] * (double)b[p * n + j];
                assert_near_at(c[i * n + j], want, 1e-6 * (4 + (double)k / 16), "%zu, %zu", i, j);
            }
        mo_mem_free(a), mo_mem_free(b), mo_mem_free(c);
    }
}

/* BLIS would end the process; nothing is read or written. */
static void sizes_it_would_abort_on_are_refused(void **state)
{
    (void)state;
    const size_t large = (size_t)INT_MAX + 1;
    assert_fails(mo_ukernel_product(NULL, NULL, NULL, 0, 50, 70), MOPD_E_ARG, "product of 0 x 50 x 70");
    assert_fails(mo_ukernel_product(NULL, NULL, NULL, 5, 0, 70), MOPD_E_ARG, "product of 5 x 0 x 70");
    assert_fails(mo_ukernel_product(NULL, NULL, NULL, 5, 50, 0), MOPD_E_ARG, "product of 5 x 50 x 0");
    assert_fails(
        mo_ukernel_product(NULL, NULL, NULL, large, 1, 1), MOPD_E_ARG, "product of 2147483648 x 1 x 1");
    assert_fails(
        mo_ukernel_product(NULL, NULL, NULL, 1, large, 1), MOPD_E_ARG, "product of 1 x 2147483648 x 1");
    assert_fails(
        mo_ukernel_product(NULL, NULL, NULL, 1, 1, large), MOPD_E_ARG, "product of 1 x 1 x 2147483648");
}

/* A tile of m x n in both storages of c, with panels at the end of their blocks but for the slack. */
static void check_tile(size_t m, size_t n, size_t k, bool by_rows, bool add)
{
    const mo_ukernel *u = mo_ukernel_get();
    const size_t ldc = 70;
    float *a = test_floats(u->rows.pack * k + MO_UKERNEL_SLACK, 1),
          *b = test_floats(u->cols.pack * k + MO_UKERNEL_SLACK, 2), *c = test_floats(ldc * ldc, 3),
          *before = test_floats(ldc * ldc, 3);
    mo_ukernel_tile t = {a, b, c, m, n, k, by_rows ? ldc : 1, by_rows ? 1 : ldc, add};
    for (size_t i = 0; i < m && !add; i++)
        for (size_t j = 0; j < n; j++) c[i * t.rs + j * t.cs] = NAN; /* is not read */
    mo_ukernel_run(&t);
    for (size_t i = 0; i < ldc; i++)
        for (size_t j = 0; j < ldc; j++) {
            const size_t at = i * t.rs + j * t.cs;
            double want = i >= m || j >= n || add ? (double)before[at] : 0;
            for (size_t p = 0; i < m && j < n && p < k; p++)
                want += (double)a[p * u->rows.pack + i] * (double)b[p * u->cols.pack + j];
            assert_near_at(c[at], want, i < m && j < n ? 2e-6 * (4 + (double)k / 16) : 0, "%zu, %zu", i, j);
        }
    mo_mem_free(a), mo_mem_free(b), mo_mem_free(c), mo_mem_free(before);
}

static void the_micro_kernel_fills_tiles_and_corners(void **state)
{
    (void)state;
    static const size_t depths[] = {1, 2, 7, 64, 256};
    assert_ok(mo_ukernel_prepare());
    const mo_ukernel *u = mo_ukernel_get();
    assert_true(u->rows.n && u->cols.n && u->rows.pack >= u->rows.n && u->cols.pack >= u->cols.n);
    if (u->rows.n > 70 || u->cols.n > 70) skip(); /* not used: gemm_blis.c */
    for (size_t d = 0; d < 5; d++)
        for (size_t way = 0; way < 4; way++) {
            check_tile(u->rows.n, u->cols.n, depths[d], way & 1, way & 2);
            check_tile(1, 1, depths[d], way & 1, way & 2);
            check_tile(u->rows.n - 1, u->cols.n, depths[d], way & 1, way & 2);
            check_tile(u->rows.n, u->cols.n - 1, depths[d], way & 1, way & 2);
        }
}

static void its_name_says_which_kernels_it_chose(void **state)
{
    (void)state;
    const char *name = mo_ukernel_name();
    assert_memory_equal(name, "BLIS ", 5);
    assert_true(strlen(name) > 5);
    assert_string_equal(mo_ukernel_name(), name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_product_matches_double),
        cmocka_unit_test(sizes_it_would_abort_on_are_refused),
        cmocka_unit_test(the_micro_kernel_fills_tiles_and_corners),
        cmocka_unit_test(its_name_says_which_kernels_it_chose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
