/* SPDX-License-Identifier: MIT
 * test_sampler.c - which pictures stand in which batch, and which teachers are drawn (docs/method.md 5.1). */
#include "test.h"

#include "train/sampler.h"

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

/* Prompts of the first release were learned in these orders: the same seed must go on giving them. */
static void orders_are_those_of_the_first_release(void **state)
{
    (void)state;
    static const uint32_t want[3][8] = {
        {6, 5, 1, 4, 3, 0, 2, 7}, {7, 2, 1, 4, 0, 3, 5, 6}, {4, 2, 3, 1, 6, 0, 7, 5}};
    static const uint64_t seeds[] = {1, 1, UINT64_MAX};
    static const size_t epochs[] = {0, 1, 49};
    for (int i = 0; i < 3; i++) {
        uint32_t order[8];
        mo_sampler_order(seeds[i], epochs[i], true, order, 8);
        assert_memory_equal(order, want[i], sizeof order);
    }
}

static void teachers_are_those_of_the_first_release(void **state)
{
    (void)state;
    static const uint32_t want[2][8] = {{9, 1, 8, 10, 2, 11, 2, 0}, {9, 2, 2, 0, 7, 10, 11, 4}};
    for (uint64_t step = 0; step < 2; step++) {
        uint32_t kept[8];
        mo_sampler_teachers(1, step, kept, 8, 12);
        assert_memory_equal(kept, want[step], sizeof kept);
    }
}

static void few_are_ordered_too(void **state)
{
    (void)state;
    uint32_t order[3] = {7, 7, 7};
    mo_sampler_order(1, 1, true, order, 0);
    assert_int_equal(order[0], 7);
    mo_sampler_order(1, 1, true, order, 1);
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], 7);
    bool turned = false;
    for (size_t epoch = 0; epoch < 20; epoch++) {
        mo_sampler_order(1, epoch, true, order, 2);
        assert_int_equal(order[0] + order[1], 1);
        turned |= order[0] == 1;
        assert_int_equal(order[2], 7);
    }
    assert_true(turned);
}

/* Over many epochs each picture stands at each place about equally often. */
static void orders_are_fair(void **state)
{
    (void)state;
    enum { SIX = 6, EPOCHS = 3000 };
    int count[SIX][SIX] = {{0}};
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        uint32_t order[SIX];
        mo_sampler_order(3, epoch, true, order, SIX);
        for (int i = 0; i < SIX; i++) count[i][order[i]]++;
    }
    for (int i = 0; i < SIX; i++)
        for (int k = 0; k < SIX; k++)
            assert_in_range(count[i][k], EPOCHS / SIX * 4 / 5, EPOCHS / SIX * 6 / 5);
}

static void one_teacher_is_always_drawn(void **state)
{
    (void)state;
    uint32_t kept[5] = {9, 9, 9, 9, 9};
    mo_sampler_teachers(1, 1, kept, 4, 1);
    for (int i = 0; i < 4; i++) assert_int_equal(kept[i], 0);
    assert_int_equal(kept[4], 9);
}

static void batches_of_any_size(void **state)
{
    (void)state;
    assert_int_equal(mo_sampler_batches(10, 1), 10);
    assert_int_equal(mo_sampler_batches(1, 1), 1);
    assert_int_equal(mo_sampler_batches(9, 10), 1);
    assert_int_equal(mo_sampler_batches(10, 10), 1);
    assert_int_equal(mo_sampler_batches(19, 10), 1);
    assert_int_equal(mo_sampler_batches(20, 10), 2);
    assert_int_equal(mo_sampler_batches(UINT32_MAX, 1), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_those_of_the_recipe),
        cmocka_unit_test(order_is_a_permutation_that_follows_seed_and_epoch),
        cmocka_unit_test(teachers_are_drawn_with_replacement),
        cmocka_unit_test(orders_are_those_of_the_first_release),
        cmocka_unit_test(teachers_are_those_of_the_first_release),
        cmocka_unit_test(few_are_ordered_too),
        cmocka_unit_test(orders_are_fair),
        cmocka_unit_test(one_teacher_is_always_drawn),
        cmocka_unit_test(batches_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
