/* SPDX-License-Identifier: MIT
 * test_bank.c - banks of given features: logits, probabilities, ranking, and every refusal. */
#include "test.h"

#include "base/mem.h"
#include "prompt/bank.h"

static const char *const abc[] = {"ant", "bee", "cat"};

static void features_are_copied_and_normalised(void **state)
{
    (void)state;
    mopd_bank *bank;
    float f[] = {3, 4, 0, 0, -2, 0, 1, 1, 1};
    assert_ok(mopd_bank_create_features(&bank, abc, 3, f, 3, 10));
    memset(f, 0, sizeof f);
    const float *g = mopd_bank_features(bank);
    const float want[] = {0.6f, 0.8f, 0, 0, -1, 0, 0.57735027f, 0.57735027f, 0.57735027f};
    assert_true(test_max_diff(g, want, 9) < 1e-7);
    assert_int_equal(mopd_bank_n_classes(bank), 3);
    assert_int_equal(mopd_bank_dim(bank), 3);
    assert_string_equal(mopd_bank_class_name(bank, 2), "cat");
    assert_ptr_not_equal(mopd_bank_class_name(bank, 2), abc[2]);
    assert_null(mopd_bank_class_name(bank, 3));
    mopd_bank_free(bank);
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

static void bad_names_are_named(void **state)
{
    (void)state;
    mopd_bank *bank;
    const float f[] = {1, 1, 1};
    const char *const null[] = {"a", NULL}, *const empty[] = {"a", "b", ""},
                      *const twice[] = {"x", "dog", "dog"};
    const char *const broken[] = {"a", "b\xe9"};
    assert_fails(mopd_bank_create_features(&bank, abc, 0, f, 1, 1), MOPD_E_ARG, "no classes");
    assert_fails(mopd_bank_create_features(&bank, NULL, 2, f, 1, 1), MOPD_E_ARG,
        "mopd_bank_create_features: classes is NULL");
    assert_fails(mopd_bank_create_features(&bank, null, 2, f, 1, 1), MOPD_E_ARG, "class 1 is NULL");
    assert_fails(
        mopd_bank_create_features(&bank, empty, 3, f, 1, 1), MOPD_E_ARG, "class 2 has an empty name");
    assert_fails(mopd_bank_create_features(&bank, twice, 3, f, 1, 1), MOPD_E_ARG,
        "class 2, \"dog\", is class 1 already");
    assert_fails(mopd_bank_create_features(&bank, broken, 2, f, 1, 1), MOPD_E_ARG,
        "the name of class 1 is not UTF-8 at byte 1");
    assert_null(bank);
}

static void many_names_are_checked_quickly(void **state)
{
    (void)state;
    enum { N = 100000 };
    char(*text)[8] = malloc(N * sizeof *text);
    const char **names = malloc(N * sizeof *names);
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "%d", i);
        names[i] = text[i];
    }
    assert_ok(mo_bank_check_names(names, N));
    names[N - 1] = text[17];
    assert_fails(mo_bank_check_names(names, N), MOPD_E_ARG, "class 99999, \"17\", is class 17 already");
    free(names);
    free(text);
}

static void bad_numbers_are_refused(void **state)
{
    (void)state;
    mopd_bank *bank;
    float f[] = {1, 0, 0, 1, NAN, 1}, zero[6] = {1, 1}, inf[] = {1, 1, INFINITY, 0, 1, 1}, logits[9];
    mopd_match best[3];
    assert_fails(
        mopd_bank_create_features(&bank, abc, 3, f, 2, 1), MOPD_E_NUMERIC, "class \"cat\" is not finite");
    assert_fails(
        mopd_bank_create_features(&bank, abc, 3, zero, 2, 1), MOPD_E_NUMERIC, "class \"bee\" is zero");
    assert_fails(
        mopd_bank_create_features(&bank, abc, 3, inf, 2, 1), MOPD_E_NUMERIC, "class \"bee\" is not finite");
    assert_fails(mopd_bank_create_features(&bank, abc, 2, f, 2, NAN), MOPD_E_NUMERIC, "logit scale");
    assert_ok(mopd_bank_create_features(&bank, abc, 2, f, 2, 1));
    assert_fails(mopd_bank_logits(bank, f, 3, logits), MOPD_E_NUMERIC, "image 2 is not finite");
    assert_fails(mopd_bank_probabilities(bank, inf, 2, logits), MOPD_E_NUMERIC, "image 1 is not finite");
    assert_fails(mopd_bank_top(bank, f, 3, 1, best), MOPD_E_NUMERIC, "image 2 is not finite");
    mopd_bank_free(bank);
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    mopd_bank *bank = (mopd_bank *)1;
    const float f[] = {1, 1};
    float out[1];
    mopd_match best;
    assert_fails(mopd_bank_create(&bank, NULL, abc, 3, NULL, 0), MOPD_E_ARG, "encoder is NULL");
    assert_null(bank);
    assert_fails(mopd_bank_create(NULL, NULL, abc, 3, NULL, 0), MOPD_E_ARG, "out is NULL");
    assert_fails(mopd_bank_create_features(NULL, abc, 1, f, 1, 1), MOPD_E_ARG, "out is NULL");
    assert_fails(mopd_bank_create_features(&bank, abc, 1, NULL, 1, 1), MOPD_E_ARG, "features is NULL");
    assert_fails(mopd_bank_create_features(&bank, abc, 1, f, 0, 1), MOPD_E_ARG, "dim is 0");
    assert_ok(mopd_bank_create_features(&bank, abc, 1, f, 2, 1));
    assert_fails(mopd_bank_logits(NULL, f, 1, out), MOPD_E_ARG, "bank is NULL");
    assert_fails(mopd_bank_logits(bank, NULL, 1, out), MOPD_E_ARG, "features is NULL");
    assert_fails(mopd_bank_probabilities(bank, f, 1, NULL), MOPD_E_ARG, "probabilities is NULL");
    assert_fails(mopd_bank_top(bank, f, 1, 1, NULL), MOPD_E_ARG, "matches is NULL");
    assert_fails(mopd_bank_top(bank, f, 1, 0, &best), MOPD_E_ARG, "top is 0");
    assert_ok(mopd_bank_top(bank, NULL, 0, 1, NULL));
    assert_ok(mopd_bank_logits(bank, NULL, 0, NULL));
    mopd_bank_free(bank);
    mopd_bank_free(NULL);
    assert_int_equal(mopd_bank_n_classes(NULL), 0);
    assert_int_equal(mopd_bank_dim(NULL), 0);
    assert_null(mopd_bank_features(NULL));
    assert_null(mopd_bank_class_name(NULL, 0));
}

static mopd_status make_and_rank(void *ctx)
{
    (void)ctx;
    mopd_bank *bank;
    const float f[] = {1, 0, 0, 1, 1, 1};
    mopd_match best[6];
    mopd_status st = mopd_bank_create_features(&bank, abc, 3, f, 2, 1);
    if (st == MOPD_OK) st = mopd_bank_top(bank, f, 3, 2, best);
    mopd_bank_free(bank);
    return st;
}

static void bank_survives_lack_of_memory(void **state)
{
    (void)state;
    test_torture(make_and_rank, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_copied_and_normalised),
        cmocka_unit_test(logits_are_scaled_cosines),
        cmocka_unit_test(rows_do_not_depend_on_the_batch),
        cmocka_unit_test(top_is_the_sorted_beginning),
        cmocka_unit_test(softmax_is_stable),
        cmocka_unit_test(one_class_is_certain),
        cmocka_unit_test(bad_names_are_named),
        cmocka_unit_test(many_names_are_checked_quickly),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(bank_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
