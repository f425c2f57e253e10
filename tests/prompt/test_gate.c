/* SPDX-License-Identifier: MIT
 * test_gate.c - top-K, ties, softmax over the kept, blocks, use. */
#include "test.h"

#include "prompt/gate.h"

static void pick_takes_the_largest_best_first(void **state)
{
    (void)state;
    const float h[5] = {0.1f, 3, -1, 2, 2.5f};
    uint32_t kept[3];
    double alpha[3];
    mo_gate_pick(h, 5, 3, kept, alpha);
    assert_true(kept[0] == 1 && kept[1] == 4 && kept[2] == 3);
    double sum = exp(3) + exp(2.5) + exp(2);
    assert_true(fabs(alpha[0] - exp(3) / sum) < 1e-12 && fabs(alpha[2] - exp(2) / sum) < 1e-12);
    assert_true(fabs(alpha[0] + alpha[1] + alpha[2] - 1) < 1e-15);
}

static void pick_ties_go_to_the_lowest_index(void **state)
{
    (void)state;
    const float zero[6] = {0}, mixed[6] = {0, -1, 0, 0, -1, 0};
    uint32_t kept[6];
    double alpha[6];
    mo_gate_pick(zero, 6, 3, kept, alpha);
    assert_true(kept[0] == 0 && kept[1] == 1 && kept[2] == 2 && alpha[0] == alpha[2]);
    mo_gate_pick(mixed, 6, 6, kept, alpha);
    const uint32_t want[6] = {0, 2, 3, 5, 1, 4};
    assert_memory_equal(kept, want, sizeof want);
}

static void pick_survives_numbers_that_are_not_finite(void **state)
{
    (void)state;
    const float h[4] = {NAN, -INFINITY, NAN, 1};
    uint32_t kept[4];
    double alpha[4];
    mo_gate_pick(h, 4, 4, kept, alpha);
    assert_true(kept[0] == 3 && kept[1] == 0 && kept[2] == 1 && kept[3] == 2);
}

static void select_agrees_with_plain_sums(void **state)
{
    (void)state;
    enum { D = 7, M = 5, K = 2, N = 300 };
    static float g[D * M], f[N * D], weights[N * K];
    static uint32_t indices[N * K];
    test_random(g, D * M, 1);
    test_random(f, N * D, 2);
    mopd_gate *gate;
    assert_ok(mopd_gate_create_weights(&gate, g, D, M, K));
    assert_ok(mopd_gate_select(gate, f, N, indices, weights));
    double use[M], want[M] = {0};
    for (int i = 0; i < N; i++) {
        double h[M] = {0};
        for (int d = 0; d < D; d++)
            for (int m = 0; m < M; m++) h[m] += (double)f[i * D + d] * (double)g[d * M + m];
        int first = 0, second = -1;
        for (int m = 1; m < M; m++)
            if (h[m] > h[first]) first = m;
        for (int m = 0; m < M; m++)
            if (m != first && (second < 0 || h[m] > h[second])) second = m;
        assert_int_equal(indices[i * K], first);
        assert_int_equal(indices[i * K + 1], second);
        double a = 1 / (1 + exp(h[second] - h[first]));
        assert_true(fabs((double)weights[i * K] - a) < 1e-5);
        want[first] += a / N;
        want[second] += (1 - a) / N;
    }
    assert_ok(mopd_gate_use(gate, f, N, use));
    for (int m = 0; m < M; m++) assert_true(fabs(use[m] - want[m]) < 1e-6);
    assert_int_equal(mopd_gate_n_templates(gate), M);
    assert_int_equal(mopd_gate_top_k(gate), K);
    assert_int_equal(mopd_gate_dim(gate), D);
    mopd_gate_free(gate);
}

static void one_picture_alone_and_in_a_batch_is_the_same(void **state)
{
    (void)state;
    enum { D = 19, M = 12, K = 3, N = 70 };
    static float g[D * M], f[N * D], weights[N * K];
    static uint32_t indices[N * K];
    test_random(g, D * M, 3);
    test_random(f, N * D, 4);
    mopd_gate *gate;
    assert_ok(mopd_gate_create_weights(&gate, g, D, M, K));
    assert_ok(mopd_gate_select(gate, f, N, indices, weights));
    for (int i = 0; i < N; i++) {
        uint32_t index[K];
        float weight[K];
        assert_ok(mopd_gate_select(gate, f + i * D, 1, index, weight));
        assert_memory_equal(index, indices + i * K, sizeof index);
        assert_memory_equal(weight, weights + i * K, sizeof weight);
    }
    mopd_gate_free(gate);
}

static void create_refuses_bad_sizes_and_numbers(void **state)
{
    (void)state;
    float g[6] = {0};
    mopd_gate *gate;
    assert_fails(mopd_gate_create_weights(&gate, g, 2, 3, 4), MOPD_E_ARG, "4 of 3");
    assert_fails(mopd_gate_create_weights(&gate, g, 2, 3, 0), MOPD_E_ARG, "0 of 3");
    assert_fails(mopd_gate_create_weights(&gate, NULL, 2, 3, 1), MOPD_E_ARG, "NULL");
    g[4] = NAN;
    assert_fails(mopd_gate_create_weights(&gate, g, 2, 3, 1), MOPD_E_NUMERIC, "not finite");
    mopd_gate_free(NULL);
}

/* Without a picture's say: the same templates for all. */
static void static_scores_are_the_same_for_all_pictures(void **state)
{
    (void)state;
    enum { M = 4, K = 2, N = 600 }; /* more pictures than are picked at once */
    const float scores[M] = {0, 2, -1, 1};
    static uint32_t indices[N * K];
    static float weights[N * K];
    double use[M] = {0};
    mopd_gate *gate = NULL;
    assert_ok(mo_gate_create(&gate, scores, 0, M, K));
    assert_ok(mo_gate_select(gate, NULL, N, indices, weights));
    for (int i = 0; i < N; i++) {
        assert_true(indices[i * K] == 1 && indices[i * K + 1] == 3);
        assert_true(fabs((double)weights[i * K] - 1 / (1 + exp(-1))) < 1e-6);
    }
    assert_ok(mo_gate_use(gate, NULL, N, use));
    assert_true(use[0] == 0 && use[2] == 0);
    assert_true(fabs(use[1] + use[3] - N) < 1e-6 && fabs(use[1] / N - 1 / (1 + exp(-1))) < 1e-9);
    mo_gate_free(gate);
}

static void use_is_added_up(void **state)
{
    (void)state;
    const float scores[2] = {1, 0};
    double use[2] = {5, 7};
    mopd_gate *gate = NULL;
    assert_ok(mo_gate_create(&gate, scores, 0, 2, 1));
    assert_ok(mo_gate_use(gate, NULL, 3, use));
    assert_true(use[0] == 8 && use[1] == 7);
    assert_ok(mo_gate_use(gate, NULL, 0, use));
    assert_true(use[0] == 8 && use[1] == 7);
    mo_gate_free(gate);
}

static void all_templates_may_be_kept(void **state)
{
    (void)state;
    enum { M = 12 };
    float h[M];
    uint32_t kept[M];
    double alpha[M], sum = 0;
    test_random(h, M, 5);
    mo_gate_pick(h, M, M, kept, alpha);
    for (int j = 0; j < M; j++) {
        sum += alpha[j];
        if (j) assert_true(h[kept[j - 1]] >= h[kept[j]] && alpha[j - 1] >= alpha[j]);
    }
    assert_true(fabs(sum - 1) < 1e-12);
}

static void the_gate_owns_its_weights(void **state)
{
    (void)state;
    float g[4] = {1, 0, 0, 1}, f[2] = {1, 0}, weight;
    uint32_t index;
    mopd_gate *gate;
    assert_ok(mopd_gate_create_weights(&gate, g, 2, 2, 1));
    memset(g, 0, sizeof g);
    g[1] = 9;
    assert_ok(mopd_gate_select(gate, f, 1, &index, &weight));
    assert_true(index == 0 && weight == 1);
    mopd_gate_free(gate);
    assert_fails(mo_gate_create(&gate, g, SIZE_MAX / 2, 4, 1), MOPD_E_ARG, "gate: ");
}

static mopd_status use_a_gate(void *ctx)
{
    float g[6] = {1, 2, 3, 4, 5, 6}, f[2] = {0, 1}, weight[2];
    uint32_t index[2];
    double use[3];
    (void)ctx;
    mopd_gate *gate = NULL;
    mopd_status st = mopd_gate_create_weights(&gate, g, 2, 3, 2);
    if (st == MOPD_OK) st = mopd_gate_select(gate, f, 1, index, weight);
    if (st == MOPD_OK) st = mopd_gate_use(gate, f, 1, use);
    mopd_gate_free(gate);
    return st;
}

static void out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    test_torture(use_a_gate, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pick_takes_the_largest_best_first),
        cmocka_unit_test(pick_ties_go_to_the_lowest_index),
        cmocka_unit_test(pick_survives_numbers_that_are_not_finite),
        cmocka_unit_test(select_agrees_with_plain_sums),
        cmocka_unit_test(one_picture_alone_and_in_a_batch_is_the_same),
        cmocka_unit_test(create_refuses_bad_sizes_and_numbers),
        cmocka_unit_test(static_scores_are_the_same_for_all_pictures),
        cmocka_unit_test(use_is_added_up),
        cmocka_unit_test(all_templates_may_be_kept),
        cmocka_unit_test(the_gate_owns_its_weights),
        cmocka_unit_test(out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
