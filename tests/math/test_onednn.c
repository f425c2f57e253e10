/* SPDX-License-Identifier: MIT
 * test_onednn.c - the library itself: rounding to bfloat16, plans that are shared and given back, what OpenMP
 * is left as, and what happens where the library is not there. */
#include "test.h"

#include <dlfcn.h>
#include <pthread.h>

#include "math/i16.h"
#include "support/mats.h"
#include "support/onednn.h"

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
            const float want = test_rounded(x[i]);
            float back;
            memcpy(&back, &bits, sizeof back);
            if (i == 50 || i == 51)
                assert_true(isnan(back));
            else
                assert_memory_equal(&back, &want, sizeof want);
        }
    }
}

static void plans_of_one_shape_are_one(void **state)
{
    (void)state;
    TEST_NEED_ONEDNN();
    const mo_onednn_plan *a, *b, *other;
    assert_ok(mo_onednn_plan_get(&a, 70, 48));
    assert_ok(mo_onednn_plan_get(&b, 70, 48));
    assert_ok(mo_onednn_plan_get(&other, 70, 64));
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, other);
    assert_int_equal(a->k, 70);
    assert_int_equal(a->depth, 96);
    assert_int_equal(a->width, 48);
    assert_int_equal(a->bytes % 64, 0);
    assert_true(a->bytes >= 96 * 48 * sizeof(uint16_t));
    assert_true(a->blocks >= 1 && a->blocks <= MO_ONEDNN_BLOCKS);
    mo_onednn_plan_release(a);
    assert_int_equal(b->k, 70); /* still there for its other user */
    mo_onednn_plan_release(b), mo_onednn_plan_release(other), mo_onednn_plan_release(NULL);
}

/* The upper half of a float that has no more. */
static uint16_t upper(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)(bits >> 16);
}

/* Whole numbers, so that nothing is rounded. */
static void a_plan_multiplies_one_block_of_rows(void **state)
{
    (void)state;
    TEST_NEED_ONEDNN();
    enum { K = 33, DEPTH = 64, WIDTH = 32 };
    const mo_onednn_plan *plan;
    float *w = test_floats(DEPTH * WIDTH, 1), *rows = test_floats(MO_ONEDNN_ROWS * DEPTH, 2);
    assert_ok(mo_onednn_plan_get(&plan, K, WIDTH));
    char *packed = mo_mem_alloc(plan->bytes, 1);
    assert_non_null(packed);
    for (size_t i = 0; i < DEPTH * WIDTH; i++) w[i] = i / WIDTH < K ? rintf(w[i] * 50) : 0;
    assert_true(mo_onednn_pack(plan, packed, w));
    mo_onednn_work *work = mo_onednn_take(plan);
    for (size_t block = 0; block < plan->blocks; block++) {
        test_random(rows, MO_ONEDNN_ROWS * DEPTH, 2 + (uint32_t)block);
        for (size_t i = 0; i < MO_ONEDNN_ROWS * DEPTH; i++) {
            rows[i] = rintf(rows[i] * 20);
            work->a[block * MO_ONEDNN_ROWS * DEPTH + i] = upper(rows[i]);
        }
        mo_onednn_multiply(plan, work, block, packed);
        for (size_t r = 0; r < MO_ONEDNN_ROWS; r++)
            for (size_t o = 0; o < WIDTH; o++) {
                float want = 0;
                for (size_t i = 0; i < K; i++) want += rows[r * DEPTH + i] * w[i * WIDTH + o];
                assert_true(work->c[r * WIDTH + o] == want);
            }
    }
    mo_onednn_give(plan, work);
    mo_onednn_plan_release(plan);
    mo_mem_free(packed), mo_mem_free(w), mo_mem_free(rows);
}

/* Room that was given back is taken again. */
static void room_is_used_again(void **state)
{
    (void)state;
    TEST_NEED_ONEDNN();
    const mo_onednn_plan *plan;
    assert_ok(mo_onednn_plan_get(&plan, 20, 16));
    mo_onednn_work *a = mo_onednn_take(plan), *b = mo_onednn_take(plan);
    assert_ptr_not_equal(a, b);
    mo_onednn_give(plan, a);
    assert_ptr_equal(mo_onednn_take(plan), a);
    mo_onednn_give(plan, a), mo_onednn_give(plan, b);
    mo_onednn_plan_release(plan);
}

typedef struct opener {
    const float *w;
} opener;

/* Openers pack while others compute, of the same shape and of others. */
static void *open_again(void *ctx)
{
    opener *me = ctx;
    for (size_t i = 0; i < 5; i++) {
        mo_mat mat = test_quantized(me->w, 16 + 16 * (i % 2), 32);
        mo_mat_free(&mat);
    }
    return NULL;
}

static void matrices_come_and_go_on_many_threads(void **state)
{
    (void)state;
    TEST_NEED_ONEDNN();
    float *w = test_floats(32 * 32, 2);
    opener me = {.w = w};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, open_again, &me), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    mo_mem_free(w);
}

static void openmp_is_left_as_it_was(void **state)
{
    (void)state;
    TEST_NEED_ONEDNN();
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

#define test(name) cmocka_unit_test_setup_teardown(name, test_onednn_default, test_onednn_default)

int main(void)
{
    unsetenv("MOPD_BF16");
    const struct CMUnitTest tests[] = {
        test(rounding_is_to_nearest_even),
        test(plans_of_one_shape_are_one),
        test(a_plan_multiplies_one_block_of_rows),
        test(room_is_used_again),
        test(matrices_come_and_go_on_many_threads),
        test(openmp_is_left_as_it_was),
        test(without_its_library_it_is_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
