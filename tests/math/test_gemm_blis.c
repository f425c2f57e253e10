/* SPDX-License-Identifier: MIT
 * test_gemm_blis.c - BLIS itself: its plain product, the sizes it must never see, and which weights are left to it. */
#include "test.h"

#include <limits.h>

#include "math/gemm_blis.h"
#include "support/mats.h"
#include "support/near.h"

static void its_product_matches_double(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {37, 50, 70}, {8, 64, 300}, {100, 33, 513}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        float *a = test_floats(m * k, 1), *b = test_floats(k * n, 2), *c = test_floats(m * n, 3);
        assert_ok(mo_gemm_blis(c, a, b, m, n, k));
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
    assert_fails(mo_gemm_blis(NULL, NULL, NULL, 0, 50, 70), MOPD_E_ARG, "product of 0 x 50 x 70");
    assert_fails(mo_gemm_blis(NULL, NULL, NULL, 5, 0, 70), MOPD_E_ARG, "product of 5 x 0 x 70");
    assert_fails(mo_gemm_blis(NULL, NULL, NULL, 5, 50, 0), MOPD_E_ARG, "product of 5 x 50 x 0");
    assert_fails(mo_gemm_blis(NULL, NULL, NULL, large, 1, 1), MOPD_E_ARG, "product of 2147483648 x 1 x 1");
    assert_fails(mo_gemm_blis(NULL, NULL, NULL, 1, large, 1), MOPD_E_ARG, "product of 1 x 2147483648 x 1");
    assert_fails(mo_gemm_blis(NULL, NULL, NULL, 1, 1, large), MOPD_E_ARG, "product of 1 x 1 x 2147483648");
}

static void it_takes_all_but_tiny_and_huge_weights_on_the_plain_path(void **state)
{
    (void)state;
    const size_t large = (size_t)INT_MAX + 1;
    assert_ok(mo_kern_cpu_set("plain"));
    assert_true(mo_gemm_blis_ops.takes(16, 16));
    assert_true(mo_gemm_blis_ops.takes(INT_MAX, INT_MAX));
    assert_false(mo_gemm_blis_ops.takes(15, 16));
    assert_false(mo_gemm_blis_ops.takes(16, 15));
    assert_false(mo_gemm_blis_ops.takes(large, 16));
    assert_false(mo_gemm_blis_ops.takes(16, large));
    static const char *const paths[] = {"avx2", "avx512"};
    for (size_t i = 0; i < 2; i++)
        if (mo_kern_cpu_set(paths[i]) == MOPD_OK) assert_false(mo_gemm_blis_ops.takes(768, 768));
    assert_ok(mo_kern_cpu_set(NULL));
}

static void its_name_says_which_kernels_it_chose(void **state)
{
    (void)state;
    const char *name = mo_gemm_blis_name();
    assert_memory_equal(name, "BLIS ", 5);
    assert_true(strlen(name) > 5);
    assert_string_equal(mo_gemm_blis_name(), name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_product_matches_double),
        cmocka_unit_test(sizes_it_would_abort_on_are_refused),
        cmocka_unit_test(it_takes_all_but_tiny_and_huge_weights_on_the_plain_path),
        cmocka_unit_test(its_name_says_which_kernels_it_chose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
