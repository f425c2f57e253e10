/* SPDX-License-Identifier: MIT
 * test_sgd.c - the update: momentum, weight decay, and nothing where a number is not finite (docs/method.md 5.1). */
#include "test.h"

#include "train/sgd.h"

static void near(double x, double want)
{
    if (!(fabs(x / want - 1) < 1e-4)) fail_msg("%.9g is not %.9g", x, want);
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

/* Without momentum and decay it is plain descent; with momentum 1 steps never fade. */
static void momentum_and_decay_are_what_they_say(void **state)
{
    (void)state;
    float p = 1, v = 0, g = 2, next_p, next_v;
    mo_learned a = {&p, &v, &g, &next_p, &next_v, 1};
    for (int i = 1; i <= 3; i++) {
        assert_true(mo_sgd_try(&(mo_sgd){0.25f, 0, 0}, &a));
        mo_sgd_take(&a);
        assert_true(a.p[0] == 1 - 0.5f * (float)i);
    }
    float p2 = 0, v2 = 0, g2 = 1, next_p2, next_v2;
    mo_learned b = {&p2, &v2, &g2, &next_p2, &next_v2, 1};
    for (int i = 1; i <= 4; i++) {
        assert_true(mo_sgd_try(&(mo_sgd){1, 1, 0}, &b));
        mo_sgd_take(&b);
        assert_true(b.v[0] == (float)i);
    }
    assert_true(b.p[0] == -10);
}

static void trying_changes_nothing(void **state)
{
    (void)state;
    float p[3] = {1, 2, 3}, v[3] = {4, 5, 6}, g[3] = {7, 8, 9}, next_p[3], next_v[3];
    mo_learned a = {p, v, g, next_p, next_v, 3};
    assert_true(mo_sgd_try(&(mo_sgd){0.1f, 0.9f, 0.5f}, &a));
    assert_true(a.p == p && p[0] == 1 && p[2] == 3 && v[0] == 4 && v[2] == 6 && g[1] == 8);
    mo_sgd_take(&a);
    assert_true(a.p == next_p && a.v == next_v && a.next_p == p && a.next_v == v && a.g == g);
    near((double)a.v[2], 0.9 * 6 + (9 + 0.5 * 3));
    near((double)a.p[2], 3 - 0.1 * (0.9 * 6 + 9 + 0.5 * 3));
}

static void every_number_must_be_finite(void **state)
{
    (void)state;
    enum { MANY = 67 };
    float p[MANY] = {0}, v[MANY] = {0}, g[MANY] = {0}, next_p[MANY], next_v[MANY];
    mo_learned a = {p, v, g, next_p, next_v, MANY};
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    for (size_t at = 0; at < MANY; at += 11) {
        for (int i = 0; i < 3; i++) {
            float *const fields[] = {g, p, v};
            for (int f = 0; f < 3; f++) {
                fields[f][at] = wrong[i];
                assert_false(mo_sgd_try(&(mo_sgd){0.1f, 0.9f, 0.1f}, &a));
                fields[f][at] = 0;
            }
        }
        assert_true(mo_sgd_try(&(mo_sgd){0.1f, 0.9f, 0.1f}, &a));
    }
    a.n = 0;
    assert_true(mo_sgd_try(&(mo_sgd){0.1f, 0.9f, 0.1f}, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_is_the_update_of_the_recipe),
        cmocka_unit_test(sgd_changes_nothing_when_a_number_is_not_finite),
        cmocka_unit_test(sgd_leaves_zeros_without_gradient_at_zero),
        cmocka_unit_test(momentum_and_decay_are_what_they_say),
        cmocka_unit_test(trying_changes_nothing),
        cmocka_unit_test(every_number_must_be_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
