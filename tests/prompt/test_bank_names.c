/* SPDX-License-Identifier: MIT
 * test_bank_names.c - class names that are one to a model are refused where text alone tells classes apart. */
#include "test.h"

#include "support/tiny.h"

static const char *const one[] = {"dog", "Ice_Cream", "cat", "ice cream"},
                         *const twice[] = {"dog", "cat", "dog"},
                         *const apart[] = {"Faces", "Faces_easy", "face"};

static void a_list_of_names_is_checked(void **state)
{
    (void)state;
    size_t same[2] = {9, 9};
    assert_ok(mopd_classes_check(apart, 3, same));
    assert_int_equal(same[0], 3);
    assert_int_equal(same[1], 3);
    assert_fails(mopd_classes_check(one, 4, same), MOPD_E_ARG,
        "class 3, \"ice cream\", is the same words to a model as class 1, \"Ice_Cream\"");
    assert_int_equal(same[0], 1);
    assert_int_equal(same[1], 3);
    assert_fails(mopd_classes_check(twice, 3, same), MOPD_E_ARG, "class 2, \"dog\", is class 0 already");
    assert_int_equal(same[0], 0);
    assert_int_equal(same[1], 2);
    const char *const empty[] = {"a", ""};
    assert_fails(mopd_classes_check(empty, 2, same), MOPD_E_ARG, "class 1 has an empty name");
    assert_int_equal(same[1], 2);
    const char *const blank[] = {"a", " _\t"};
    assert_fails(mopd_classes_check(blank, 2, same), MOPD_E_ARG, "class 1 has an empty name");
    assert_fails(mopd_classes_check(NULL, 0, NULL), MOPD_E_ARG, "no classes");
    assert_fails(mopd_classes_check(one, 4, NULL), MOPD_E_ARG, "ice cream");
}

static void banks_and_trainings_refuse_names_that_are_one(void **state)
{
    (void)state;
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_bank *bank = NULL;
    mopd_trainer *trainer = NULL;
    mopd_prompt *prompt = NULL;
    mopd_trainer_options options = tiny_training(MOPD_METHOD_COOP, 2);
    assert_fails(mopd_bank_create(&bank, encoder, one, 4, NULL, 0), MOPD_E_ARG, "\"Ice_Cream\"");
    assert_null(bank);
    assert_fails(mopd_trainer_create(&trainer, encoder, one, 4, &options), MOPD_E_ARG, "\"Ice_Cream\"");
    assert_null(trainer);
    assert_ok(mopd_trainer_create(&trainer, encoder, apart, 3, &options));
    assert_ok(mopd_prompt_create_trainer(&prompt, trainer));
    assert_fails(mopd_bank_create_prompt(&bank, encoder, one, 4, prompt), MOPD_E_ARG, "\"Ice_Cream\"");
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    mopd_encoder_close(encoder);
}

/* Contexts of their own and given features can tell them apart. */
static void names_that_something_else_tells_apart_stay(void **state)
{
    (void)state;
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_bank *bank = NULL;
    mopd_trainer *trainer = NULL;
    mopd_prompt *prompt = NULL;
    const float features[] = {1, 0, 0, 1, 1, 1, 2, 1};
    mopd_trainer_options options = tiny_training(MOPD_METHOD_COOP, 2);
    options.flags |= MOPD_TRAIN_CLASS_CONTEXT;
    assert_ok(mopd_trainer_create(&trainer, encoder, one, 4, &options));
    assert_ok(mopd_prompt_create_trainer(&prompt, trainer));
    assert_ok(mopd_bank_create_prompt(&bank, encoder, NULL, 0, prompt));
    mopd_bank_free(bank);
    assert_ok(mopd_bank_create_features(&bank, one, 4, features, 2, 1));
    mopd_bank_free(bank);
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    mopd_encoder_close(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_names_is_checked),
        cmocka_unit_test(banks_and_trainings_refuse_names_that_are_one),
        cmocka_unit_test(names_that_something_else_tells_apart_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
