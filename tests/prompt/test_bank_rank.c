/* SPDX-License-Identifier: MIT
 * test_bank_rank.c - what a bank says of pictures: logits, probabilities, the best classes in order. */
#include "test.h"

#include "prompt/bank.h"

static const char *const abc[] = {"ant", "bee", "cat"};

static mopd_bank *random_bank(size_t n, size_t dim, uint32_t seed, float scale)
{
    mopd_bank *bank;
    float *f = malloc(n * dim * sizeof *f);
    char(*text)[32] = malloc(n * sizeof *text);
    const char **names = malloc(n * sizeof *names);
    test_random(f, n * dim, seed);
    for (size_t i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i], "class %zu", i);
        names[i] = text[i];
    }
    assert_ok(mopd_bank_create_features(&bank, names, n, f, dim, scale));
    free(names);
    free(text);
    free(f);
    return bank;
}

static void logits_are_scaled_cosines(void **state)
{
    (void)state;
    mopd_bank *bank;
    const float f[] = {1, 0, 0, 1, 0.6f, -0.8f}, x[] = {0.6f, 0.8f, -1, 0};
    float logits[6], p[6];
    assert_ok(mopd_bank_create_features(&bank, abc, 3, f, 2, 10));
    assert_ok(mopd_bank_logits(bank, x, 2, logits));
    const float want[] = {6, 8, -2.8f, -10, 0, -6};
    assert_true(test_max_diff(logits, want, 6) < 1e-5);
    assert_ok(mopd_bank_probabilities(bank, x, 2, p));
    for (int r = 0; r < 2; r++) {
        double sum = 0;
        for (int c = 0; c < 3; c++) sum += exp((double)want[3 * r + c]);
        for (int c = 0; c < 3; c++)
            assert_true(fabs(exp((double)want[3 * r + c]) / sum - (double)p[3 * r + c]) < 1e-5);
    }
    mopd_bank_free(bank);
}

static void rows_do_not_depend_on_the_batch(void **state)
{
    (void)state;
    enum { N = 67, C = 103, D = 48, TOP = 7 };
    mopd_bank *bank = random_bank(C, D, 1, 100);
    static float x[N * D], all[N * C], one[C];
    static mopd_match best[N * TOP], single[TOP];
    test_random(x, N * D, 2);
    assert_ok(mopd_bank_probabilities(bank, x, N, all));
    assert_ok(mopd_bank_top(bank, x, N, TOP, best));
    for (size_t i = 0; i < N; i++) {
        assert_ok(mopd_bank_probabilities(bank, x + i * D, 1, one));
        assert_memory_equal(one, all + i * C, sizeof one);
        assert_ok(mopd_bank_top(bank, x + i * D, 1, TOP, single));
        assert_memory_equal(single, best + i * TOP, sizeof single);
        for (int k = 0; k < TOP; k++)
            assert_memory_equal(&single[k].probability, one + single[k].index, sizeof(float));
    }
    mopd_bank_free(bank);
}

static void top_is_the_sorted_beginning(void **state)
{
    (void)state;
    enum { C = 500 };
    static float logits[C], probability[C];
    mopd_match best[C], some[C];
    for (uint32_t run = 0; run < 30; run++) {
        test_random(logits, C, run);
        for (int c = 0; c < C; c++) logits[c] = floorf(logits[c] * (run % 2 ? 4 : 1000)); /* many ties */
        memcpy(probability, logits, sizeof logits);
        mo_bank_best(logits, probability, C, C + 10, best);
        for (int i = 1; i < C; i++) {
            uint32_t a = best[i - 1].index, b = best[i].index;
            assert_true(logits[a] > logits[b] || (logits[a] == logits[b] && a < b));
            assert_true(best[i].logit == logits[b]);
        }
        for (size_t top = 1; top < 40; top += 3) {
            mo_bank_best(logits, probability, C, top, some);
            assert_memory_equal(some, best, top * sizeof *some);
        }
    }
}

static void softmax_is_stable(void **state)
{
    (void)state;
    float x[] = {10000, 10000, -10000, 0, 0, 0};
    mo_bank_softmax(x, 2, 3);
    const float want[] = {0.5f, 0.5f, 0, 1 / 3.0f, 1 / 3.0f, 1 / 3.0f};
    assert_true(test_max_diff(x, want, 6) < 1e-6);
}

static void one_class_is_certain(void **state)
{
    (void)state;
    mopd_bank *bank;
    const float f[] = {0, 2}, x[] = {1, 0, 0, -1};
    mopd_match best[2];
    assert_ok(mopd_bank_create_features(&bank, abc, 1, f, 2, 100));
    assert_ok(mopd_bank_top(bank, x, 2, 5, best));
    assert_true(best[0].probability == 1 && best[1].probability == 1 && best[1].logit == -100);
    mopd_bank_free(bank);
}

/* Ties go to the lower class, in probabilities of one row as in the list. */
static void equal_logits_stand_in_the_order_of_classes(void **state)
{
    (void)state;
    mopd_bank *bank;
    const float f[] = {1, 0, 0, 1, 1, 0}, x[] = {1, 0};
    mopd_match best[3];
    assert_ok(mopd_bank_create_features(&bank, abc, 3, f, 2, 10));
    assert_ok(mopd_bank_top(bank, x, 1, 3, best));
    assert_true(best[0].index == 0 && best[1].index == 2 && best[2].index == 1);
    assert_true(best[0].probability == best[1].probability && best[0].logit == best[1].logit);
    mopd_bank_free(bank);
}

static void more_than_all_classes_are_all_classes(void **state)
{
    (void)state;
    enum { C = 5, D = 4, N = 3 };
    mopd_bank *bank = random_bank(C, D, 3, 10);
    float x[N * D];
    mopd_match all[N * C], more[N * C + 1];
    test_random(x, N * D, 4);
    memset(more, 0x55, sizeof more);
    assert_ok(mopd_bank_top(bank, x, N, C, all));
    assert_ok(mopd_bank_top(bank, x, N, SIZE_MAX, more)); /* rows of C, not of SIZE_MAX */
    assert_memory_equal(all, more, sizeof all);
    assert_int_equal(more[N * C].index, 0x55555555);
    mopd_bank_free(bank);
}

static void probabilities_add_up_to_1(void **state)
{
    (void)state;
    enum { C = 41, D = 8, N = 5 };
    static const float scales[] = {0, 1, 100, 1000, -50};
    float x[N * D], p[N * C], z[N * C];
    test_random(x, N * D, 6);
    for (size_t s = 0; s < 5; s++) {
        mopd_bank *bank = random_bank(C, D, 5, scales[s]);
        assert_ok(mopd_bank_probabilities(bank, x, N, p));
        assert_ok(mopd_bank_logits(bank, x, N, z));
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int c = 0; c < C; c++) {
                sum += (double)p[i * C + c];
                for (int k = 0; k < C; k++) /* the order is that of the logits */
                    if (z[i * C + c] > z[i * C + k]) assert_true(p[i * C + c] >= p[i * C + k]);
            }
            assert_true(fabs(sum - 1) < 1e-5);
        }
        mopd_bank_free(bank);
    }
}

static void too_many_pictures_are_refused(void **state)
{
    (void)state;
    mopd_bank *bank = random_bank(3, 2, 7, 1);
    float x[2] = {1, 0};
    mopd_match best[1];
    assert_fails(mopd_bank_logits(bank, x, SIZE_MAX / 2, x), MOPD_E_ARG, "more than memory can have");
    assert_fails(mopd_bank_logits(bank, x, SIZE_MAX / 3 + 1, x), MOPD_E_ARG, "more than memory can have");
    assert_fails(mopd_bank_top(bank, x, SIZE_MAX, 1, best), MOPD_E_ARG, "more than memory can have");
    mopd_bank_free(bank);
}

/* Many threads may ask one bank. */
static void asking_changes_nothing(void **state)
{
    (void)state;
    enum { C = 17, D = 9 };
    mopd_bank *bank = random_bank(C, D, 8, 30);
    float before[C * D], x[D], z[C];
    memcpy(before, mopd_bank_features(bank), sizeof before);
    test_random(x, D, 9);
    for (int i = 0; i < 3; i++) assert_ok(mopd_bank_logits(bank, x, 1, z));
    assert_memory_equal(before, mopd_bank_features(bank), sizeof before);
    mopd_bank_free(bank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_scaled_cosines),
        cmocka_unit_test(rows_do_not_depend_on_the_batch),
        cmocka_unit_test(top_is_the_sorted_beginning),
        cmocka_unit_test(softmax_is_stable),
        cmocka_unit_test(one_class_is_certain),
        cmocka_unit_test(equal_logits_stand_in_the_order_of_classes),
        cmocka_unit_test(more_than_all_classes_are_all_classes),
        cmocka_unit_test(probabilities_add_up_to_1),
        cmocka_unit_test(too_many_pictures_are_refused),
        cmocka_unit_test(asking_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
