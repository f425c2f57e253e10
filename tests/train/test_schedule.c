/* SPDX-License-Identifier: MIT
 * test_schedule.c - the learning-rate list of the recipe (docs/method.md 5.1, 5.2). */
#include "test.h"

#include "train/schedule.h"

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

static void rates_fall_from_the_second_epoch_on(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 200; n += 7) {
        for (size_t e = 2; e < n; e++) assert_true(rate(n, e) < rate(n, e - 1));
        for (size_t e = 0; e < n; e++) assert_true(rate(n, e) > 0 && rate(n, e) <= 0.002);
        for (size_t e = n; e < n + 3; e++) assert_true(rate(n, e) == 0);
    }
    assert_true(rate(0, 0) == 0);
    assert_true(rate(50, SIZE_MAX) == 0);
}

/* At half of the epochs behind the warm-up half of the rate is left. */
static void the_cosine_is_half_way_at_half(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 100; n += 2) near(mo_schedule_lr(1, 0.5, n, n / 2 + 1 < n ? n / 2 + 1 : 0), 0.5);
    assert_true(mo_schedule_lr(3, 7, 10, 0) == 7); /* the warm-up may be higher */
    assert_true(mo_schedule_lr(3, 0, 10, 0) == 0);
    assert_true(mo_schedule_lr(3, 0, 2, 1) == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_the_list_of_the_recipe),
        cmocka_unit_test(rates_fall_from_the_second_epoch_on),
        cmocka_unit_test(the_cosine_is_half_way_at_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
