/* SPDX-License-Identifier: MIT
 * test_rng.c - random numbers: the published generator, unbiased, the same everywhere. */
#include "test.h"

#include "base/rng.h"

static void rng_is_xoshiro256starstar(void **state)
{
    (void)state;
    mo_rng r = {
        {1, 2, 3, 4}}; /* worked by hand from the authors' code: s1 = 2 -> rotl(10, 7) x 9 = 11520, ... */
    assert_true(mo_rng_next(&r) == 11520);
    assert_true(mo_rng_next(&r) == 0);
    assert_true(mo_rng_next(&r) == 1509978240);
    assert_true(mo_rng_next(&r) == UINT64_C(1215971899390074240));
    double sum = 0, square = 0;
    mo_rng_seed(&r, 7);
    for (int i = 0; i < 20000; i++) {
        double x = mo_rng_normal(&r), u = mo_rng_unit(&r);
        sum += x;
        square += x * x;
        assert_true(u >= 0 && u < 1 && mo_rng_below(&r, 7) < 7);
    }
    assert_true(fabs(sum / 20000) < 0.03 && fabs(square / 20000 - 1) < 0.05);
}

static void shuffle_is_a_permutation(void **state)
{
    (void)state;
    uint32_t x[100], seen[100] = {0};
    mo_rng r;
    int moved = 0;
    for (uint32_t i = 0; i < 100; i++) x[i] = i;
    mo_rng_seed(&r, 1);
    mo_rng_shuffle(&r, x, 100);
    for (uint32_t i = 0; i < 100; i++) seen[x[i]]++, moved += x[i] != i;
    for (int i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
    assert_true(moved > 80);
}

static void a_seed_is_a_stream_of_its_own(void **state)
{
    (void)state;
    mo_rng a, b, c;
    mo_rng_seed(&a, 1);
    mo_rng_seed(&b, 1);
    mo_rng_seed(&c, 2);
    int same = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t x = mo_rng_next(&a);
        assert_true(x == mo_rng_next(&b));
        same += x == mo_rng_next(&c);
    }
    assert_int_equal(same, 0);
    mo_rng_seed(&a, 0); /* no seed gives the state of zeros, in which the generator would stay */
    assert_true(a.s[0] | a.s[1] | a.s[2] | a.s[3]);
}

static void purposes_do_not_overlap(void **state)
{
    (void)state;
    enum { SEEDS = 30, PURPOSES = 30 };
    uint64_t seen[SEEDS * PURPOSES];
    size_t n = 0;
    for (uint64_t s = 0; s < SEEDS; s++)
        for (uint64_t p = 0; p < PURPOSES; p++) {
            uint64_t x = mo_rng_mix(s, p);
            assert_true(x == mo_rng_mix(s, p));
            for (size_t i = 0; i < n; i++) assert_false(seen[i] == x);
            seen[n++] = x;
        }
}

static void below_is_even(void **state)
{
    (void)state;
    mo_rng r;
    mo_rng_seed(&r, 5);
    assert_int_equal(mo_rng_below(&r, 1), 0);
    size_t counts[7] = {0};
    for (int i = 0; i < 70000; i++) counts[mo_rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++) assert_in_range(counts[i], 9500, 10500); /* 5 deviations of 93 */
    const uint64_t large = UINT64_C(3) << 62; /* a quarter of all draws is rejected */
    for (int i = 0; i < 1000; i++) assert_true(mo_rng_below(&r, large) < large);
}

static void every_place_is_reached_by_every_item(void **state)
{
    (void)state;
    mo_rng r;
    mo_rng_seed(&r, 3);
    size_t at[5][5] = {{0}};
    for (int round = 0; round < 5000; round++) {
        uint32_t x[5] = {0, 1, 2, 3, 4};
        mo_rng_shuffle(&r, x, 5);
        for (int i = 0; i < 5; i++) at[i][x[i]]++;
    }
    for (int i = 0; i < 25; i++) assert_in_range(at[i / 5][i % 5], 850, 1150); /* 5 deviations of 28 */
    uint32_t one = 9;
    mo_rng_shuffle(&r, &one, 1);
    mo_rng_shuffle(&r, NULL, 0);
    assert_int_equal(one, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng_is_xoshiro256starstar),
        cmocka_unit_test(shuffle_is_a_permutation),
        cmocka_unit_test(a_seed_is_a_stream_of_its_own),
        cmocka_unit_test(purposes_do_not_overlap),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(every_place_is_reached_by_every_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
