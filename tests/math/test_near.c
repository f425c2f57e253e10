/* SPDX-License-Identifier: MIT
 * test_near.c - pairs of rows that point almost the same way: all of them, the largest product first, as many as there is
 * room for. */
#include "test.h"

#include "mopd/image.h"
#include "mopd/runtime.h"

enum { N = 2500, DIM = 6 };

static float rows[N * DIM];

/* Drawn at random; number 2400 is number 10. */
static int draw(void **state)
{
    (void)state;
    uint64_t s = 7;
    for (size_t i = 0; i < N; i++) {
        double length = 0;
        for (size_t k = 0; k < DIM; k++) {
            s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            rows[i * DIM + k] = (float)(s >> 40) / (float)(1 << 24) - 0.5F;
            length += (double)rows[i * DIM + k] * (double)rows[i * DIM + k];
        }
        for (size_t k = 0; k < DIM; k++) rows[i * DIM + k] /= (float)sqrt(length);
    }
    memcpy(rows + 2400 * DIM, rows + 10 * DIM, DIM * sizeof *rows);
    return 0;
}

static double product(size_t i, size_t k)
{
    double sum = 0;
    for (size_t j = 0; j < DIM; j++) sum += (double)rows[i * DIM + j] * (double)rows[k * DIM + j];
    return sum;
}

static void every_pair_is_seen_once(void **state)
{
    (void)state;
    enum { SOME = 40, ALL = SOME * (SOME - 1) / 2 };
    static mopd_pair all[ALL + 5], few[7];
    size_t n = ALL + 5, some = 7, none = 0;
    assert_ok(mopd_pairs_find(rows, SOME, DIM, -2, all, &n));
    assert_int_equal(n, ALL);
    for (size_t i = 0; i < n; i++) {
        assert_true(fabs(product((size_t)all[i].first, (size_t)all[i].second) - all[i].cosine) < 1e-5);
        assert_true(all[i].first < all[i].second && (!i || all[i].cosine <= all[i - 1].cosine));
        for (size_t k = 0; k < i; k++)
            assert_true(all[k].first != all[i].first || all[k].second != all[i].second);
    }
    assert_ok(mopd_pairs_find(rows, SOME, DIM, -2, few, &some));
    assert_int_equal(some, 7);
    assert_memory_equal(few, all, sizeof few);
    assert_ok(mopd_pairs_find(rows, SOME, DIM, -2, NULL, &none));
    assert_int_equal(none, 0);
    n = 3;
    assert_ok(mopd_pairs_find(NULL, 0, DIM, -2, all, &n));
    assert_int_equal(n, 0);
}

static void more_rows_than_a_block_holds(void **state)
{
    (void)state;
    static mopd_pair pairs[3000];
    size_t n = 3000, high = 0;
    assert_ok(mopd_pairs_find(rows, N, DIM, 0.97, pairs, &n));
    for (size_t i = 0; i < N; i++)
        for (size_t k = i + 1; k < N; k++) high += product(i, k) > 0.97 + 1e-6;
    assert_in_range(n, high, high + 2);
    assert_int_equal(pairs[0].first, 10);
    assert_int_equal(pairs[0].second, 2400);
    size_t few = 20;
    static mopd_pair best[20]; /* far more are found than there is room for */
    assert_ok(mopd_pairs_find(rows, N, DIM, 0.5, best, &few));
    assert_int_equal(few, 20);
    assert_memory_equal(best, pairs, sizeof best);
}

static void bad_arguments_are_named(void **state)
{
    (void)state;
    mopd_pair pair;
    size_t n = 1;
    assert_fails(mopd_pairs_find(rows, 2, DIM, (double)NAN, &pair, &n), MOPD_E_ARG, "not a number");
    assert_fails(mopd_pairs_find(rows, 2, 0, 0.5, &pair, &n), MOPD_E_ARG, "dim is 0");
}

static mopd_status find(void *ctx)
{
    mopd_pair pairs[4];
    size_t n = 4;
    return mopd_pairs_find(ctx, 300, DIM, 0.9, pairs, &n);
}

static void memory_may_be_short(void **state)
{
    (void)state;
    test_torture(find, rows);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_is_seen_once),
        cmocka_unit_test(more_rows_than_a_block_holds),
        cmocka_unit_test(bad_arguments_are_named),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, draw, NULL);
}
