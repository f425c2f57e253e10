/* SPDX-License-Identifier: MIT
 * test_onednn.c - bfloat16 products by oneDNN: near the exact ones of rounded factors, the same bits in any company,
 * on any number of threads and beside other callers; integers where its library is not there.  What is asked of the
 * CPU is AVX-512 for bfloat16: the same calls run on AMX. */
#include "test.h"

#include <dlfcn.h>
#include <pthread.h>

#include "math/bf16.h"
#include "math/i16.h"
#include "math/kern.h"
#include "support/mats.h"
#include "base/view.h"
#include "base/mem.h"

/* Where there is none there is nothing to test, except that nothing breaks. */
#define NEED_ONEDNN()                                                                                        \
    do {                                                                                                     \
        if (mo_bf16_set("onednn") != MOPD_OK) {                                                              \
            print_message("%s\n", mopd_last_error());                                                        \
            skip();                                                                                          \
        }                                                                                                    \
    } while (0)

static int back_to_default(void **state)
{
    (void)state;
    mo_onednn_set_library(NULL);
    return mo_bf16_set(NULL) == MOPD_OK ? 0 : -1;
}

/* As IEEE rounds: to the nearest, halves to even. */
static float rounded(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t low = bits & 0xffff, high = bits >> 16;
    bits = (high + (low > 0x8000 || (low == 0x8000 && (high & 1)))) << 16;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void rounding_is_to_nearest_even(void **state)
{
    (void)state;
    if (mo_kern_avx512() == NULL || mo_kern_cpu_set("avx512") != MOPD_OK) skip();
    assert_ok(mo_kern_cpu_set(NULL));
    static const float odd[] = {
        0, -0.0f, 1e-40f, -1e-45f, 1.00390625f, 1.01171875f, -1.00390626f, 3.4e38f, INFINITY, -INFINITY};
    enum { N = 61, N_ODD = sizeof odd / sizeof *odd };
    float x[N];
    uint16_t got[N + 1];
    test_random(x, N, 7);
    memcpy(x + 20, odd, sizeof odd);
    x[50] = NAN;
    uint32_t low_nan = 0x7f800001; /* whose payload lies in the half that goes */
    memcpy(x + 51, &low_nan, sizeof low_nan);
    for (size_t n = 1; n <= N; n++) {
        memset(got, 0x55, sizeof got);
        mo_bf16_round(got, x, n);
        assert_int_equal(got[n], 0x5555);
        for (size_t i = 0; i < n; i++) {
            const uint32_t bits = (uint32_t)got[i] << 16;
            const float want = rounded(x[i]);
            float back;
            memcpy(&back, &bits, sizeof back);
            if (i == 50 || i == 51)
                assert_true(isnan(back));
            else
                assert_memory_equal(&back, &want, sizeof want);
        }
    }
}

static const size_t shapes[][3] = {{1, 1, 1}, {1, 16, 5}, {2, 17, 3}, {3, 31, 16}, {5, 33, 511}, {6, 48, 512},
    {7, 15, 513}, {63, 64, 31}, {64, 32, 32}, {65, 47, 33}, {29, 96, 64}, {50, 80, 300}, {61, 16, 767},
    {197, 40, 70}, {241, 33, 20}, {500, 3, 7}, {4, 1030, 40}, {2, 513, 64}, {3, 600, 100}, {70, 512, 9},
    {260, 768, 40}, {9, 1, 1000}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static double activated(double x, mo_act act)
{
    if (act == MO_ACT_RELU6) return x < 0 ? 0 : x > 6 ? 6 : x;
    if (act == MO_ACT_GELU) return x * (1 + erf(x / sqrt(2))) / 2;
    return act == MO_ACT_QUICK_GELU ? x / (1 + exp(-1.702 * x)) : x;
}

/* act(a w + bias) + residual of shape s, all in double but for the rounding of a and w. */
static void compare(const float *c, size_t s, const float *const in[4], const mo_gemm_args *g)
{
    const size_t n = shapes[s][1], k = shapes[s][2];
    for (size_t i = 0; i < shapes[s][0]; i++)
        for (size_t o = 0; o < n; o++) {
            double sum = 0, size = 1;
            for (size_t p = 0; p < k; p++) {
                const double x = (double)rounded(in[0][i * g->lda + p]) * (double)rounded(in[1][o * k + p]);
                sum += x, size += fabs(x);
            }
            if (g->bias) sum += (double)in[2][o];
            const double want = activated(sum, g->act) + (g->residual ? (double)in[3][i * g->ldr + o] : 0);
            const double off = fabs(c[i * g->ldc + o] - want);
            if (!(off < 1e-6 * size)) fail_msg("%zu x %zu x %zu: off by %g", shapes[s][0], n, k, off);
        }
}

static void products_are_those_of_rounded_factors(void **state)
{
    (void)state;
    NEED_ONEDNN();
    for (size_t s = 0; s < N_SHAPES; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], ldc = n + s % 4, lda = k + s % 3;
        float *a = test_floats(m * lda, 1), *w = test_floats(n * k, 2), *bias = test_floats(n, 3),
              *res = test_floats(m * ldc, 4);
        float *c = test_floats(m * ldc + 1, 5), *was = test_floats(m * ldc + 1, 5);
        const float *const in[4] = {a, w, bias, res};
        mo_mat mat = test_quantized(w, n, k);
        assert_ptr_equal(mat.ops, &mo_gemm_onednn_ops);
        for (int act = MO_ACT_NONE; act <= MO_ACT_RELU6; act++) {
            mo_gemm_args g = {.c = c, .ldc = ldc, .a = a, .lda = lda, .m = m, .ldr = ldc, .act = (mo_act)act};
            g.bias = (s + (size_t)act) % 3 ? bias : NULL;
            g.residual = (s + (size_t)act) % 2 ? res : NULL;
            memcpy(c, was, (m * ldc + 1) * sizeof *c);
            mo_gemm(NULL, &mat, &g);
            compare(c, s, in, &g);
            for (size_t i = 0; i < m * ldc + 1; i++) /* nothing beside the result is touched */
                if (i >= m * ldc || i % ldc >= n) assert_memory_equal(c + i, was + i, sizeof *c);
        }
        mo_gemm_args g = {.c = c, .ldc = ldc, .a = a, .lda = lda, .m = m, .residual = c, .ldr = ldc};
        memcpy(c, res, m * ldc * sizeof *c);
        mo_gemm(NULL, &mat, &g); /* in place */
        g.residual = res;
        compare(c, s, in, &g);
        mo_mat_free(&mat);
        mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(res), mo_mem_free(c), mo_mem_free(was);
    }
}

static void weights_can_be_read_back(void **state)
{
    (void)state;
    NEED_ONEDNN();
    const size_t n = 1030, k = 130;
    float *w = test_floats(n * k, 2), *row = test_floats(k, 1);
    mo_mat mat = test_quantized(w, n, k), back;
    for (size_t o = 0; o < n; o += 103) {
        mo_mat_row(&mat, o, row);
        for (size_t i = 0; i < k; i++) assert_true(row[i] == rounded(w[o * k + i]));
    }
    assert_fails(mo_mat_transpose(&back, &mat), MOPD_E_INTERNAL, "without floats");
    mo_mat_free(&mat);
    mo_mem_free(w), mo_mem_free(row);
}

static void row_has_same_bits_in_any_company(void **state)
{
    (void)state;
    NEED_ONEDNN();
    const size_t m = 460, n = 1100, k = 600;
    float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *all = test_floats(m * n, 3),
          *other = test_floats(m * n, 4);
    mo_mat mat = test_quantized(w, n, k);
    mo_gemm_args g = {.c = all, .ldc = n, .a = a, .lda = k, .m = m, .act = MO_ACT_GELU};
    mo_gemm(NULL, &mat, &g);
    g.c = other;
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        mo_gemm(pool, &mat, &g);
        assert_memory_equal(all, other, m * n * sizeof *all);
        g.m = 50; /* shared out by columns */
        mo_gemm(pool, &mat, &g);
        assert_memory_equal(all, other, g.m * n * sizeof *all);
        g.m = m;
        mo_pool_free(pool);
    }
    for (size_t rows = 1; rows < 140; rows += 23) {
        g.a = a + 77 * k, g.m = rows;
        mo_gemm(NULL, &mat, &g);
        assert_memory_equal(all + 77 * n, other, rows * n * sizeof *all);
    }
    static const size_t ranges[][2] = {
        {0, 1}, {32, 33}, {0, 1100}, {496, 32}, {512, 300}, {1088, 12}, {400, 0}};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        g.first = ranges[r][0], g.n = ranges[r][1], g.a = a, g.m = 70;
        mo_gemm(NULL, &mat, &g);
        const size_t cols = g.n ? g.n : n - g.first;
        for (size_t i = 0; i < g.m; i++)
            assert_memory_equal(all + i * n + g.first, other + i * n, cols * sizeof *all);
    }
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(all), mo_mem_free(other);
}

static void rows_that_are_not_numbers_keep_to_themselves(void **state)
{
    (void)state;
    NEED_ONEDNN();
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    enum { M = 7, N = 20, K = 37 };
    float a[M * K], w[N * K], c[M * N];
    test_random(a, M * K, 1);
    test_random(w, N * K, 2);
    for (size_t i = 0; i < 3; i++) a[(2 * i + 1) * K] = odd[i];
    w[3 * K + 5] = NAN;
    mo_mat mat = test_quantized(w, N, K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = N, .a = a, .lda = K, .m = M});
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++) assert_true((isfinite(c[i * N + j]) != 0) == (i % 2 == 0 && j != 3));
    mo_mat_free(&mat);
}

typedef struct caller {
    const mo_mat *mat;
    const float *a, *want;
    bool same;
} caller;

enum { CALL_M = 70, CALL_N = 600, CALL_K = 64 };

static void *call_again(void *ctx)
{
    caller *me = ctx;
    float *c = malloc(CALL_M * CALL_N * sizeof *c);
    me->same = true;
    for (int i = 0; c && i < 20; i++) {
        mo_gemm(
            NULL, me->mat, &(mo_gemm_args){.c = c, .ldc = CALL_N, .a = me->a, .lda = CALL_K, .m = CALL_M});
        me->same = me->same && !memcmp(c, me->want, CALL_M * CALL_N * sizeof *c);
    }
    free(c);
    return NULL;
}

static void many_callers_at_once(void **state)
{
    (void)state;
    NEED_ONEDNN();
    float *a = test_floats(CALL_M * CALL_K, 1), *w = test_floats(CALL_N * CALL_K, 2),
          *want = test_floats(CALL_M * CALL_N, 3);
    mo_mat mat = test_quantized(w, CALL_N, CALL_K);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = want, .ldc = CALL_N, .a = a, .lda = CALL_K, .m = CALL_M});
    caller callers[8];
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) {
        callers[i] = (caller){.mat = &mat, .a = a, .want = want};
        assert_int_equal(pthread_create(&threads[i], NULL, call_again, &callers[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(callers[i].same);
    }
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(want);
}

/* Openers pack while others compute, of the same shape and of others. */
static void *open_again(void *ctx)
{
    caller *me = ctx;
    for (size_t i = 0; i < 5; i++) {
        mo_mat mat = test_quantized(me->a, 16 + 16 * (i % 2), 32);
        mo_mat_free(&mat);
    }
    return NULL;
}

static void matrices_come_and_go_on_many_threads(void **state)
{
    (void)state;
    NEED_ONEDNN();
    float *w = test_floats(32 * 32, 2);
    caller me = {.a = w};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, open_again, &me), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    mo_mem_free(w);
}

static void openmp_is_left_as_it_was(void **state)
{
    (void)state;
    NEED_ONEDNN();
    void *gomp = dlopen("libgomp.so.1", RTLD_NOW | RTLD_NOLOAD);
    if (!gomp) skip(); /* another OpenMP */
    void (*set)(int);
    int (*get)(void);
    void *found[2] = {dlsym(gomp, "omp_set_num_threads"), dlsym(gomp, "omp_get_max_threads")};
    memcpy(&set, &found[0], sizeof set);
    memcpy(&get, &found[1], sizeof get);
    const int before = get();
    float a[3 * 40], w[20 * 40], c[3 * 20];
    test_random(a, 120, 1);
    test_random(w, 800, 2);
    for (int threads = 1; threads < 6; threads += 2) {
        set(threads);
        mo_mat mat = test_quantized(w, 20, 40);
        assert_int_equal(get(), threads);
        mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = 20, .a = a, .lda = 40, .m = 3});
        assert_int_equal(get(), threads);
        mo_mat_free(&mat);
    }
    set(before);
    dlclose(gomp);
}

static void packing_survives_no_memory(void **state)
{
    (void)state;
    NEED_ONEDNN();
    float w[20 * 30];
    test_random(w, 600, 1);
    mo_view v = test_view(w, 20, 30);
    test_torture(test_pack_and_quantize, &v);
}

static void without_its_library_it_is_integers(void **state)
{
    (void)state;
    static const char *const names[] = {"libmopd-no-such-library.so", "libm.so.6"};
    float w[20 * 30];
    test_random(w, 600, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(mo_bf16_set("integers"));
        mo_onednn_set_library(names[i]);
        assert_int_equal(mo_onednn_load(), MO_ONEDNN_NONE);
        assert_fails(mo_bf16_set("onednn"), MOPD_E_UNSUPPORTED, "bf16 by onednn");
        for (size_t wish = 0; wish < 2; wish++) {
            mo_onednn_set_library(NULL); /* there when it was asked for, then not */
            const bool there = wish && mo_bf16_set("onednn") == MOPD_OK;
            if (!there) assert_ok(mo_bf16_set(NULL));
            mo_onednn_set_library(names[i]);
            mo_mat mat = test_quantized(w, 20, 30);
            assert_ptr_equal(mat.ops, &mo_gemm_i16_ops);
            mo_mat_free(&mat);
            assert_string_equal(mo_bf16_name(), mo_i16_get()->name);
            assert_true(mo_bf16_as_wished() || !there);
        }
        assert_ok(mo_bf16_set(NULL));
    }
    mo_onednn_set_library(NULL);
}

static void the_choice_is_by_name_else_by_cpu(void **state)
{
    (void)state;
    assert_fails(mo_bf16_set("amx"), MOPD_E_ARG, "\"amx\": not one of onednn, integers");
    assert_ok(mo_bf16_set("integers"));
    assert_int_equal(mo_bf16_kind(), MO_ONEDNN_NONE);
    assert_false(mo_bf16_wanted(768, 768));
    assert_ok(mo_bf16_set(NULL));
    assert_true(mo_bf16_kind() == MO_ONEDNN_AMX || mo_bf16_kind() == MO_ONEDNN_NONE);
    assert_false(mo_bf16_wanted(96, 16)); /* small products are integers' even on AMX */
    NEED_ONEDNN();
    assert_true(mo_bf16_wanted(96, 16));
    assert_memory_equal(mo_bf16_name(), "onednn ", 7);
    assert_ok(mo_kern_cpu_set("avx2")); /* hides bfloat16 */
    assert_false(mo_bf16_wanted(768, 768));
    assert_string_equal(mo_bf16_name(), "avx2");
    assert_fails(mo_bf16_set("onednn"), MOPD_E_UNSUPPORTED, "MOPD_CPU");
    assert_ok(mo_kern_cpu_set(NULL));
}

#define test(name) cmocka_unit_test_setup_teardown(name, back_to_default, back_to_default)

int main(void)
{
    unsetenv("MOPD_BF16");
    const struct CMUnitTest tests[] = {
        test(rounding_is_to_nearest_even),
        test(products_are_those_of_rounded_factors),
        test(weights_can_be_read_back),
        test(row_has_same_bits_in_any_company),
        test(rows_that_are_not_numbers_keep_to_themselves),
        test(many_callers_at_once),
        test(matrices_come_and_go_on_many_threads),
        test(openmp_is_left_as_it_was),
        test(packing_survives_no_memory),
        test(without_its_library_it_is_integers),
        test(the_choice_is_by_name_else_by_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
