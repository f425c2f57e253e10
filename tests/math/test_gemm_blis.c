/* SPDX-License-Identifier: MIT
 * test_gemm_blis.c - products by BLIS's micro-kernel: which weights are left to it, and that they take no memory. */
#include "test.h"

#include "math/gemm.h"
#include "math/kern.h"
#include "math/ukernel.h"
#include "support/mats.h"

static void it_takes_all_but_tiny_weights_on_the_plain_path(void **state)
{
    (void)state;
    const mo_ukernel *u = mo_ukernel_get();
    assert_ok(mo_kern_cpu_set("plain"));
    assert_ok(mo_gemm_blis_ops.prepare());
    const bool fits = u->rows.pack <= 96 && u->cols.pack <= 96;
    assert_int_equal(mo_gemm_blis_ops.takes(16, 16), fits);
    assert_int_equal(mo_gemm_blis_ops.takes(1000, 3072), fits);
    assert_false(mo_gemm_blis_ops.takes(15, 16));
    assert_false(mo_gemm_blis_ops.takes(16, 15));
    static const char *const paths[] = {"avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (mo_kern_cpu_set(paths[i]) == MOPD_OK) assert_false(mo_gemm_blis_ops.takes(768, 768));
    assert_ok(mo_kern_cpu_set(NULL));
}

/* Rows that fill the packed block, and one beside; columns that fill no panel; more than a block of k. */
static void rows_are_the_same_alone_and_in_any_company(void **state)
{
    (void)state;
    enum { M = 197, N = 115, K = 600 };
    assert_ok(mo_kern_cpu_set("plain"));
    float *w = test_floats(N * K, 1), *a = test_floats(M * K, 2), *all = test_floats(M * N, 3), one[N];
    mo_mat mat = test_pack(w, N, K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = all, .ldc = N, .a = a, .lda = K, .m = M});
    for (size_t i = 0; i < M; i++) {
        mo_gemm(NULL, &mat, &(mo_gemm_args){.c = one, .ldc = N, .a = a + i * K, .lda = K, .m = 1});
        assert_memory_equal(one, all + i * N, sizeof one);
        for (size_t j = 0; j < N; j += 19) {
            double want = 0;
            for (size_t p = 0; p < K; p++) want += (double)a[i * K + p] * (double)w[j * K + p];
            assert_true(fabs(want - (double)one[j]) < 1e-4);
        }
    }
    mo_mat_free(&mat);
    mo_mem_free(w), mo_mem_free(a), mo_mem_free(all);
    assert_ok(mo_kern_cpu_set(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_all_but_tiny_weights_on_the_plain_path),
        cmocka_unit_test(rows_are_the_same_alone_and_in_any_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
