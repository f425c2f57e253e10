/* SPDX-License-Identifier: MIT
 * test_bank_texts.c - banks from names and templates through a tiny text tower. */
#include "test.h"

#include "model/encoder.h"
#include "prompt/bank.h"
#include "support/tiny.h"

static const char *const pets[] = {"cat", "red_fox", "d"};
static const char *const templates[] = {"a photo of a {}.", "{}", "{} {}"};

static void feature_is_the_normalised_mean(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 2);
    mopd_bank *bank;
    assert_ok(mopd_bank_create(&bank, e, pets, 3, templates, 3));
    static const char *const fox[] = {"a photo of a red fox.", "red fox", "red fox red fox"};
    float f[3 * TINY_DIM];
    double mean[TINY_DIM] = {0}, length = 0;
    assert_ok(mopd_encoder_encode_texts(e, fox, 3, f));
    mopd_encoder_close(e); /* the bank outlives it */
    for (int i = 0; i < 3 * TINY_DIM; i++) mean[i % TINY_DIM] += (double)f[i];
    for (int i = 0; i < TINY_DIM; i++) length += mean[i] * mean[i];
    const float *got = mopd_bank_features(bank) + TINY_DIM;
    for (int i = 0; i < TINY_DIM; i++) assert_true(fabs(mean[i] / sqrt(length) - (double)got[i]) < 1e-7);
    assert_string_equal(mopd_bank_class_name(bank, 1), "red_fox");
    mopd_bank_free(bank);
}

static void no_template_means_the_usual_one(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    mopd_bank *a, *b;
    assert_ok(mopd_bank_create(&a, e, pets, 3, NULL, 0));
    assert_ok(mopd_bank_create(&b, e, pets, 3, templates, 1));
    assert_memory_equal(mopd_bank_features(a), mopd_bank_features(b), 3 * TINY_DIM * sizeof(float));
    mopd_bank_free(a);
    mopd_bank_free(b);
    mopd_encoder_close(e);
}

/* More texts than one call takes: many classes, many templates. */
static void parts_make_the_whole(void **state)
{
    (void)state;
    enum { C = 5000, M = 1500 };
    mopd_encoder *e = tiny_open(2, 2);
    char(*text)[16] = malloc(C * sizeof *text);
    const char **names = malloc(C * sizeof *names);
    float *grid = malloc(3 * C * TINY_DIM * sizeof *grid), one[TINY_DIM];
    mopd_bank *bank, *small;
    for (int c = 0; c < C; c++) {
        snprintf(text[c], sizeof text[c], "%d", c);
        names[c] = text[c];
    }
    assert_ok(mo_bank_grid(e, names, C, templates, 2, grid));
    const char *probe[] = {"a photo of a 4999.", "4998"};
    assert_ok(mopd_encoder_encode_texts(e, probe, 1, one));
    assert_memory_equal(one, grid + 4999 * TINY_DIM, sizeof one);
    assert_ok(mopd_encoder_encode_texts(e, probe + 1, 1, one));
    assert_memory_equal(one, grid + (C + 4998) * TINY_DIM, sizeof one);
    assert_ok(mopd_bank_create(&bank, e, names, C, templates, 1)); /* blocks of classes */
    assert_ok(mopd_bank_create(&small, e, names + 4990, 10, templates, 1));
    assert_memory_equal(
        mopd_bank_features(bank) + 4990 * TINY_DIM, mopd_bank_features(small), 10 * TINY_DIM * sizeof(float));
    mopd_bank_free(bank);
    const char **many = malloc(M * sizeof *many); /* blocks of templates */
    for (int m = 0; m < M; m++) many[m] = templates[m % 3];
    mopd_bank *mean;
    assert_ok(mopd_bank_create(&bank, e, names + 4990, 10, many, M));
    assert_ok(mopd_bank_create(&mean, e, names + 4990, 10, templates, 3));
    assert_true(test_max_diff(mopd_bank_features(bank), mopd_bank_features(mean), 10 * TINY_DIM) < 1e-6);
    mopd_bank_free(bank);
    mopd_bank_free(mean);
    mopd_bank_free(small);
    free(many);
    free(grid);
    free(names);
    free(text);
    mopd_encoder_close(e);
}

static void bad_prompts_are_refused(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    mopd_bank *bank;
    static const char *const none[] = {"{}", "a photo"}, *const null[] = {NULL};
    static const char *const lengthy[] = {"a", "many many many words"}, *const twice[] = {"a", "a"};
    assert_fails(
        mopd_bank_create(&bank, e, pets, 3, none, 2), MOPD_E_ARG, "template 1, \"a photo\", has no {}");
    assert_fails(mopd_bank_create(&bank, e, pets, 3, null, 1), MOPD_E_ARG, "template 0 is NULL");
    assert_fails(mopd_bank_create(&bank, e, pets, 3, NULL, 1), MOPD_E_ARG, "templates is NULL");
    assert_fails(mopd_bank_create(&bank, e, pets, 0, none, 1), MOPD_E_ARG, "no classes");
    assert_fails(
        mopd_bank_create(&bank, e, twice, 2, none, 1), MOPD_E_ARG, "class 1, \"a\", is class 0 already");
    assert_fails(
        mopd_bank_create(&bank, e, lengthy, 2, templates + 2, 1), MOPD_E_ARG, "many many many words");
    assert_null(bank);
    mopd_encoder_close(e);
}

static const char *torture_folder;

static mopd_status create_once(void *ctx)
{
    (void)ctx;
    mopd_encoder *e;
    mopd_bank *bank = NULL;
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    mopd_status st = mopd_encoder_open(&e, torture_folder, &o);
    if (st == MOPD_OK) st = mopd_bank_create(&bank, e, pets, 3, templates, 2);
    mopd_bank_free(bank);
    mopd_encoder_close(e);
    return st;
}

static void create_survives_lack_of_memory(void **state)
{
    (void)state;
    torture_folder = tiny_model(1);
    test_torture(create_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feature_is_the_normalised_mean),
        cmocka_unit_test(no_template_means_the_usual_one),
        cmocka_unit_test(parts_make_the_whole),
        cmocka_unit_test(bad_prompts_are_refused),
        cmocka_unit_test(create_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
