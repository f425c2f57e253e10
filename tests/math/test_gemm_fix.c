/* SPDX-License-Identifier: MIT
 * test_gemm_fix.c - products from and to whole numbers of 16 bits: those of floats, rounded; exact where rows come reduced; the
 * same bits on every path. */
#include "test.h"

#include "base/ints.h"
#include "math/fix.h"
#include "math/i16.h"
#include "support/mats.h"
#include "support/paths.h"

enum { M = 61, LDC = 150 };
static const size_t shapes[][2] = {{96, 16}, {144, 24}, {17, 40}, {1, 5}, {130, 192}, {48, 33}, {15, 512}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static const float to = (float)MO_FIX_ONE / 6;
static float *a, *w, *bias;

static mo_mat matrix(const size_t shape[2], bool eight)
{
    mo_mat mat = test_pack(w, shape[0], shape[1]);
    assert_ok((eight ? mo_mat_quantize : mo_mat_quantize_finely)(&mat, MO_PRECISION_8));
    return mat;
}

static mo_gemm_args args_of(size_t k)
{
    return (mo_gemm_args){.ldc = LDC, .a = a, .lda = k, .m = M, .bias = bias, .act = MO_ACT_RELU6};
}

static void check_whole(const size_t shape[2], bool eight)
{
    static float c[M * LDC];
    static int16_t q[M * LDC];
    mo_mat mat = matrix(shape, eight);
    mo_gemm_args args = args_of(shape[1]);
    args.c = c;
    mo_gemm(NULL, &mat, &args);
    memset(q, 0x5a, sizeof q);
    args.c = NULL;
    args.c16 = q;
    args.c16_to = to;
    mo_gemm(NULL, &mat, &args);
    for (size_t i = 0; i < M * LDC; i++)
        assert_int_equal(q[i], i % LDC < shape[0] ? (int)nearbyintf(c[i] * to) : 0x5a5a);
    mo_mat_free(&mat);
}

static void open_numbers(void)
{
    a = test_floats(M * 2000, 1);
    w = test_floats(LDC * 2000, 2);
    bias = test_floats(LDC, 3);
    for (size_t i = 0; i < M * 2000; i++) a[i] *= 9;
}

static void close_numbers(void)
{
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias);
}

static void check_shapes(void)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        check_whole(shapes[s], true);
        check_whole(shapes[s], false);
    }
}

static void whole_numbers_are_those_of_floats_rounded(void **state)
{
    (void)state;
    open_numbers();
    test_each_path(check_shapes);
    close_numbers();
}

/* Rows as large as they may be, by plain C and by the live path. */
static int16_t rows[M * 1201];
static float want[M * LDC], got[M * LDC];

static void product(float *c, size_t k)
{
    mo_mat mat = matrix((const size_t[2]){47, k}, false);
    mo_gemm_args args = {
        .c = c, .ldc = LDC, .lda = k + 1, .m = M, .a16 = rows, .a16_scale = 0.002f, .bias = bias};
    mo_gemm(NULL, &mat, &args);
    mo_mat_free(&mat);
}

static const size_t depths[] = {1, 2, 7, 16, 96, 240, 511, 512, 513, 672, 1152, 1200};
#define N_DEPTHS (sizeof depths / sizeof *depths)

static void check_depths(void)
{
    for (size_t d = 0; d < N_DEPTHS; d++) {
        const size_t k = depths[d];
        for (size_t i = 0; i < M * (k + 1); i++)
            rows[i] = (int16_t)((i % 3 ? 1 : fabsf(a[i]) / 9) * (float)mo_i16_most(k));
        const char *name = mo_kern_get()->name;
        memset(want, 0, sizeof want);
        memset(got, 0, sizeof got);
        product(got, k);
        assert_ok(mo_kern_cpu_set("plain"));
        product(want, k);
        assert_ok(mo_kern_cpu_set(name));
        assert_memory_equal(got, want, sizeof got);
    }
}

static void reduced_rows_are_multiplied_as_they_are(void **state)
{
    (void)state;
    open_numbers();
    test_each_path(check_depths);
    close_numbers();
}

/* Inputs that all are the most, weights of one size: the sum of a block is next to 2^31, and is right. */
static void the_largest_sums_fit(void **state)
{
    (void)state;
    for (size_t d = 0; d < N_DEPTHS; d++) {
        const size_t k = depths[d];
        float ones[1200], c;
        for (size_t i = 0; i < k; i++) ones[i] = 1, rows[i] = (int16_t)mo_i16_most(k);
        mo_mat mat = test_pack(ones, 1, k);
        assert_ok(mo_mat_quantize_finely(&mat, MO_PRECISION_8));
        mo_gemm(
            NULL, &mat, &(mo_gemm_args){.c = &c, .ldc = 1, .lda = k, .m = 1, .a16 = rows, .a16_scale = 1});
        assert_true(fabs((double)c / ((double)mo_i16_most(k) * (double)k) - 1) < 1e-3);
        mo_mat_free(&mat);
    }
    assert_int_equal(mo_i16_most(1), 32767);
    assert_int_equal(mo_i16_most(512), 2894);
    assert_int_equal(mo_i16_most(1024), 2894);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_those_of_floats_rounded),
        cmocka_unit_test(reduced_rows_are_multiplied_as_they_are),
        cmocka_unit_test(the_largest_sums_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
