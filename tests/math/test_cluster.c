/* SPDX-License-Identifier: MIT
 * test_cluster.c - rows that stand for many: one of each heap, the largest first, each once, the same at any thread count. */
#include "test.h"

#include "mopd/dataset.h"
#include "mopd/runtime.h"

enum { HEAPS = 5, DIM = 7, N = 500 };

static float rows[N * DIM];

/* Heap h has 20 (h + 1) rows and more around a corner of its own. */
static size_t heap_of(size_t i)
{
    static const size_t ends[HEAPS] = {20, 60, 140, 280, N};
    size_t h = 0;
    while (i >= ends[h]) h++;
    return h;
}

static int draw(void **state)
{
    (void)state;
    uint64_t s = 3;
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < DIM; k++) {
            s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            rows[i * DIM + k] = (k == heap_of(i)) + 0.2F * ((float)(s >> 40) / (float)(1 << 24) - 0.5F);
        }
    return 0;
}

/* k-means may end where two clusters share a heap; mostly it does not, and then each heap gives its middle. */
static void every_heap_gives_its_middle_the_largest_first(void **state)
{
    (void)state;
    int whole = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        size_t chosen[HEAPS], in_order = 0;
        assert_ok(mopd_clusters_choose(rows, N, DIM, HEAPS, seed, chosen));
        for (size_t k = 0; k < HEAPS; k++) {
            double far = 0;
            for (size_t d = 0; d < DIM; d++)
                far += pow((double)rows[chosen[k] * DIM + d] - (d == heap_of(chosen[k])), 2);
            assert_true(far < 0.04); /* 0.023 is usual */
            in_order += heap_of(chosen[k]) == HEAPS - 1 - k;
        }
        whole += in_order == HEAPS;
    }
    assert_in_range(whole, 12, 20);
}

static void each_row_is_chosen_once_even_where_all_are_alike(void **state)
{
    (void)state;
    static const float same[12 * 2] = {0};
    bool seen[N] = {false};
    size_t chosen[N];
    assert_ok(mopd_clusters_choose(same, 12, 2, 12, 1, chosen));
    for (size_t i = 0; i < 12; i++) {
        assert_false(seen[chosen[i]]);
        seen[chosen[i]] = true;
    }
    memset(seen, 0, sizeof seen);
    assert_ok(mopd_clusters_choose(rows, N, DIM, N, 1, chosen));
    for (size_t i = 0; i < N; i++) {
        assert_false(seen[chosen[i]]);
        seen[chosen[i]] = true;
    }
}

static void threads_do_not_matter_and_seeds_do(void **state)
{
    (void)state;
    size_t a[40], b[40];
    for (uint32_t threads = 1; threads <= 3; threads++) {
        assert_ok(mopd_runtime_set_threads(threads));
        assert_ok(mopd_clusters_choose(rows, N, DIM, 40, 9, threads == 1 ? a : b));
        if (threads > 1) assert_memory_equal(a, b, sizeof a);
    }
    assert_ok(mopd_runtime_set_threads(0));
    assert_ok(mopd_clusters_choose(rows, N, DIM, 40, 10, b));
    assert_memory_not_equal(a, b, sizeof a);
}

static void bad_arguments_are_named(void **state)
{
    (void)state;
    size_t chosen[3];
    const float bad[2] = {0, NAN};
    assert_fails(mopd_clusters_choose(rows, 2, DIM, 3, 1, chosen), MOPD_E_ARG, "3 clusters of 2 rows");
    assert_fails(mopd_clusters_choose(rows, 2, DIM, 0, 1, chosen), MOPD_E_ARG, "n_clusters is 0");
    assert_fails(mopd_clusters_choose(bad, 2, 1, 1, 1, chosen), MOPD_E_NUMERIC, "row 1");
}

static mopd_status find(void *ctx)
{
    size_t chosen[4];
    return mopd_clusters_choose(ctx, 50, DIM, 4, 1, chosen);
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
        cmocka_unit_test(every_heap_gives_its_middle_the_largest_first),
        cmocka_unit_test(each_row_is_chosen_once_even_where_all_are_alike),
        cmocka_unit_test(threads_do_not_matter_and_seeds_do),
        cmocka_unit_test(bad_arguments_are_named),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, draw, NULL);
}
