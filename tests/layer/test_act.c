/* SPDX-License-Identifier: MIT
 * test_act.c - activations over long arrays, forward and backward: what they are, in place, in pieces of any
 * number of threads. */
#include "test.h"

#include "layer/act.h"
#include "support/gradient.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

enum { SHORT = 259, LONG = 40000 }; /* LONG: three pieces */

static const mo_act all[] = {
    MO_ACT_NONE, MO_ACT_QUICK_GELU, MO_ACT_GELU, MO_ACT_RELU6, MO_ACT_RELU, MO_ACT_GELU_TANH};

static double activated(double x, mo_act act)
{
    if (act == MO_ACT_QUICK_GELU) return x / (1 + exp(-1.702 * x));
    if (act == MO_ACT_GELU) return 0.5 * x * (1 + erf(x / sqrt(2)));
    if (act == MO_ACT_GELU_TANH) return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    if (act == MO_ACT_RELU) return x < 0 ? 0 : x;
    return act != MO_ACT_RELU6 ? x : x < 0 ? 0 : x > 6 ? 6 : x;
}

static float *numbers(size_t n, uint32_t seed)
{
    float *x = test_floats(n, seed);
    for (size_t i = 0; i < n; i++) x[i] *= 9;
    return x;
}

static void forward(void)
{
    float *x = numbers(LONG, 1), *y = test_floats(LONG + 1, 2), *in_place = test_floats(LONG, 3);
    for (size_t a = 0; a < sizeof all / sizeof *all; a++) {
        y[LONG] = 77;
        mo_act_fwd(NULL, y, x, all[a], LONG);
        for (size_t i = 0; i < LONG; i++) assert_near(y[i], activated((double)x[i], all[a]), 2e-6);
        assert_true(y[LONG] == 77);
        memcpy(in_place, x, LONG * sizeof *x);
        mo_act_fwd(NULL, in_place, in_place, all[a], LONG);
        assert_memory_equal(in_place, y, LONG * sizeof *y);
    }
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(in_place);
}

static void activations_match_double(void **state)
{
    (void)state;
    test_each_path(forward);
}

static void run(float *y, const float *x, void *act)
{
    mo_act_fwd(NULL, y, x, *(const mo_act *)act, SHORT);
}

static void backward(void)
{
    float *x = numbers(SHORT, 1), *dy = test_floats(SHORT, 2), *dx = test_floats(SHORT, 3);
    for (size_t i = 0; i < SHORT; i++) /* not where relu6 has its corners */
        if (fabsf(x[i]) < 0.02f || fabsf(x[i] - 6) < 0.02f) x[i] = 1;
    for (size_t a = 0; a < sizeof all / sizeof *all; a++) {
        mo_act act = all[a];
        mo_act_bwd(NULL, dx, dy, x, act, SHORT);
        test_gradient_check(&(test_gradient){.name = "activation",
            .fwd = run,
            .ctx = &act,
            .x = x,
            .n_x = SHORT,
            .n_y = SHORT,
            .r = dy,
            .dx = dx,
            .step = 1,
            .most = 2e-3});
        float *in_place = test_floats(SHORT, 2); /* the same dy */
        mo_act_bwd(NULL, in_place, in_place, x, act, SHORT);
        assert_memory_equal(in_place, dx, SHORT * sizeof *dx);
        mo_mem_free(in_place);
    }
    mo_mem_free(x), mo_mem_free(dy), mo_mem_free(dx);
}

static void gradients_match_differences(void **state)
{
    (void)state;
    test_each_path(backward);
}

/* On its corners and beyond relu6 lets nothing through. */
static void relu6_has_corners(void **state)
{
    (void)state;
    const float x[6] = {-1, 0, 1e-30f, 5.9999f, 6, 7}, dy[6] = {2, 2, 2, 2, 2, 2};
    static const float want[6] = {0, 0, 2, 2, 0, 0};
    float dx[6];
    mo_act_bwd(NULL, dx, dy, x, MO_ACT_RELU6, 6);
    assert_memory_equal(dx, want, sizeof want);
}

static void threads(void)
{
    float *x = numbers(LONG, 1), *dy = test_floats(LONG, 2), *y[2], *dx[2];
    for (size_t t = 0; t < 2; t++) y[t] = test_floats(LONG, 3), dx[t] = test_floats(LONG, 4);
    for (size_t a = 0; a < sizeof all / sizeof *all; a++)
        for (size_t n = 2; n <= 3; n++) {
            mo_pool *pool;
            assert_ok(mo_pool_create(&pool, n));
            mo_act_fwd(NULL, y[0], x, all[a], LONG);
            mo_act_fwd(pool, y[1], x, all[a], LONG);
            mo_act_bwd(NULL, dx[0], dy, x, all[a], LONG);
            mo_act_bwd(pool, dx[1], dy, x, all[a], LONG);
            mo_pool_free(pool);
            assert_memory_equal(y[0], y[1], LONG * sizeof **y);
            assert_memory_equal(dx[0], dx[1], LONG * sizeof **dx);
        }
    mo_mem_free(x), mo_mem_free(dy);
    for (size_t t = 0; t < 2; t++) mo_mem_free(y[t]), mo_mem_free(dx[t]);
}

static void bits_are_the_same_at_any_thread_count(void **state)
{
    (void)state;
    test_each_path(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_match_double),
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(relu6_has_corners),
        cmocka_unit_test(bits_are_the_same_at_any_thread_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
