/* SPDX-License-Identifier: MIT
 * test_schedule.c - the learning-rate list, batches, orders and the update (docs/method.md 5.1, 5.2). */
#include "test.h"

#include "train/sampler.h"
#include "train/schedule.h"
#include "train/sgd.h"

static void near(double x, double want)
{
    if (!(fabs(x / want - 1) < 1e-4)) fail_msg("%.9g is not %.9g", x, want);
}

static double rate(size_t n, size_t e)
{
    return mo_schedule_lr(0.002, 1e-5, n, e);
}

static void rates_are_the_list_of_the_recipe(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double last_but_one, last;
    } want[] = {{25, 7.0224e-5, 3.1417e-5}, {50, 1.7713e-5, 7.8853e-6}, {100, 4.4380e-6, 1.9733e-6}};
    for (size_t i = 0; i < 3; i++) {
        size_t n = want[i].n;
        assert_true(rate(n, 0) == 1e-5);
        assert_true(rate(n, 1) == 0.002);
        for (size_t e = 1; e < n; e++)
            near(rate(n, e), 0.001 * (1 + cos(3.141592653589793 * ((double)e - 1) / (double)n)));
        near(rate(n, n - 2), want[i].last_but_one);
        near(rate(n, n - 1), want[i].last);
        assert_true(rate(n, n) == 0);
    }
    assert_true(rate(1, 0) == 1e-5);
}

static void batches_are_those_of_the_recipe(void **state)
{
    (void)state;
    static const size_t want[][2] = {{8000, 62}, {800, 6}, {304, 2}, {1568, 12}, {816, 6}, {3184, 24},
        {384, 3}, {80, 1}, {128, 1}, {127, 1}, {255, 1}, {0, 0}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(mo_sampler_batches(want[i][0], 128), want[i][1]);
}

static void order_is_a_permutation_that_follows_seed_and_epoch(void **state)
{
    (void)state;
    enum { N = 100 };
    uint32_t a[N], b[N];
    bool seen[N] = {false};
    mo_sampler_order(7, 3, true, a, N);
    mo_sampler_order(7, 3, true, b, N);
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < N; i++) {
        assert_true(a[i] < N && !seen[a[i]]);
        seen[a[i]] = true;
    }
    mo_sampler_order(7, 4, true, b, N);
    assert_memory_not_equal(a, b, sizeof a);
    mo_sampler_order(8, 3, true, b, N);
    assert_memory_not_equal(a, b, sizeof a);
    mo_sampler_order(8, 3, false, b, N);
    for (uint32_t i = 0; i < N; i++) assert_int_equal(b[i], i);
}

static void teachers_are_drawn_with_replacement(void **state)
{
    (void)state;
    enum { N = 4000, M = 12 };
    static uint32_t kept[N], again[N];
    int count[M] = {0}, repeats = 0;
    mo_sampler_teachers(1, 5, kept, N, M);
    mo_sampler_teachers(1, 5, again, N, M);
    assert_memory_equal(kept, again, sizeof kept);
    for (int i = 0; i < N; i++) {
        assert_true(kept[i] < M);
        count[kept[i]]++;
        if (i % 2) repeats += kept[i] == kept[i - 1];
    }
    for (int m = 0; m < M; m++) assert_true(count[m] > N / M * 3 / 4 && count[m] < N / M * 5 / 4);
    assert_true(repeats > 100 && repeats < 250);
}

/* g + wd p; v = 0.9 v + g; p - lr v, by hand over two steps. */
static void sgd_is_the_update_of_the_recipe(void **state)
{
    (void)state;
    float p = 2, v = 0, g = 0.5f, next_p, next_v;
    mo_learned a = {&p, &v, &g, &next_p, &next_v, 1};
    mo_sgd sgd = {0.1f, 0.9f, 5e-4f};
    double wp = 2, wv = 0;
    for (int i = 0; i < 2; i++) {
        wv = 0.9 * wv + (0.5 + 5e-4 * wp);
        wp -= 0.1 * wv;
        assert_true(mo_sgd_try(&sgd, &a));
        mo_sgd_take(&a);
        near((double)a.p[0], wp);
        near((double)a.v[0], wv);
    }
}

static void sgd_changes_nothing_when_a_number_is_not_finite(void **state)
{
    (void)state;
    float p[2] = {1, 2}, v[2] = {3, 4}, g[2] = {0, INFINITY}, next_p[2], next_v[2];
    mo_learned a = {p, v, g, next_p, next_v, 2};
    assert_false(mo_sgd_try(&(mo_sgd){0.1f, 0.9f, 0}, &a));
    assert_true(a.p[0] == 1 && a.p[1] == 2 && a.v[0] == 3 && a.v[1] == 4);
    g[1] = 3e38f;
    assert_false(mo_sgd_try(&(mo_sgd){1e6f, 0.9f, 0}, &a));
    assert_true(a.p[1] == 2);
}

static void sgd_leaves_zeros_without_gradient_at_zero(void **state)
{
    (void)state;
    float p[1] = {0}, v[1] = {0}, g[1] = {0}, next_p[1], next_v[1];
    mo_learned a = {p, v, g, next_p, next_v, 1};
    assert_true(mo_sgd_try(&(mo_sgd){0.1f, 0.9f, 5e-4f}, &a));
    mo_sgd_take(&a);
    assert_true(a.p[0] == 0 && a.v[0] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_the_list_of_the_recipe),
        cmocka_unit_test(batches_are_those_of_the_recipe),
        cmocka_unit_test(order_is_a_permutation_that_follows_seed_and_epoch),
        cmocka_unit_test(teachers_are_drawn_with_replacement),
        cmocka_unit_test(sgd_is_the_update_of_the_recipe),
        cmocka_unit_test(sgd_changes_nothing_when_a_number_is_not_finite),
        cmocka_unit_test(sgd_leaves_zeros_without_gradient_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
