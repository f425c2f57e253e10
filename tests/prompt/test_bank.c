/* SPDX-License-Identifier: MIT
 * test_bank.c - banks of given features: names, lengths, and every refusal. */
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
    char(*text)[16] = malloc(N * sizeof *text);
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
    assert_fails(mopd_bank_logits(bank, f, 3, logits), MOPD_E_NUMERIC, "feature 2 is not finite");
    assert_fails(mopd_bank_probabilities(bank, inf, 2, logits), MOPD_E_NUMERIC, "feature 1 is not finite");
    assert_fails(mopd_bank_top(bank, f, 3, 1, best), MOPD_E_NUMERIC, "feature 2 is not finite");
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
        cmocka_unit_test(bad_names_are_named),
        cmocka_unit_test(many_names_are_checked_quickly),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(bank_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
