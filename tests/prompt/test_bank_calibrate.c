/* SPDX-License-Identifier: MIT
 * test_bank_calibrate.c - a bank that is too sure gets the scale of the pictures that it is shown. */
#include "test.h"

#include "support/tiny.h"

enum { N = 400, C = 4, D = 6 };

static const char *const names[] = {"ant", "bee", "cat", "dog"};
static float feature[C * D], x[N * D];
static int32_t labels[N];

static mopd_bank *bank_of(float scale)
{
    mopd_bank *bank;
    assert_ok(mopd_bank_create_features(&bank, names, C, feature, D, scale));
    return bank;
}

/* Pictures whose labels are drawn with the probabilities of a bank of scale 5. */
static int draw(void **state)
{
    (void)state;
    float p[N * C], chance[N];
    test_random(feature, C * D, 1);
    test_random(x, N * D, 2);
    test_random(chance, N, 3); /* -1 to 1 */
    for (size_t i = 0; i < N; i++) {
        double square = 0;
        for (size_t k = 0; k < D; k++) square += (double)x[i * D + k] * (double)x[i * D + k];
        for (size_t k = 0; k < D; k++) x[i * D + k] /= (float)sqrt(square);
    }
    mopd_bank *truth = bank_of(5);
    assert_ok(mopd_bank_probabilities(truth, x, N, p));
    mopd_bank_free(truth);
    for (size_t i = 0; i < N; i++) {
        double left = ((double)chance[i] + 1) / 2;
        for (labels[i] = 0; labels[i] < C - 1 && (left -= (double)p[i * C + (size_t)labels[i]]) > 0;)
            labels[i]++;
    }
    return 0;
}

/* n times what is least: mean -log p(label) + (ln T)^2 / n. */
static double loss(float scale, double t)
{
    float p[N * C];
    double sum = log(t) * log(t);
    mopd_bank *bank = bank_of((float)((double)scale / t));
    assert_ok(mopd_bank_probabilities(bank, x, N, p));
    mopd_bank_free(bank);
    for (size_t i = 0; i < N; i++) sum -= log((double)p[i * C + (size_t)labels[i]]);
    return sum;
}

static void the_scale_is_that_of_the_pictures(void **state)
{
    (void)state;
    for (float scale = 0.5f; scale < 600; scale *= 10) {
        mopd_bank *bank = bank_of(scale), *tuned;
        assert_ok(mopd_bank_create_calibrated(&tuned, bank, x, labels, N));
        const double found = (double)mopd_bank_logit_scale(tuned), t = (double)scale / found;
        assert_true(found > 4 && found < 6.5);
        for (int k = -10; k <= 10; k++) assert_true(loss(scale, t) <= loss(scale, t * exp(0.1 * k)) + 1e-3);
        assert_memory_equal(mopd_bank_features(bank), mopd_bank_features(tuned), C * D * sizeof(float));
        for (size_t c = 0; c < C; c++) assert_string_equal(mopd_bank_class_name(tuned, c), names[c]);
        mopd_bank_free(tuned);
        mopd_bank_free(bank);
    }
}

/* One class, or pictures that are all right however sure the bank is: T stays finite. */
static void certain_pictures_have_a_scale(void **state)
{
    (void)state;
    const int32_t none[2] = {0, 0};
    int32_t best[N];
    mopd_match match;
    mopd_bank *bank, *tuned;
    assert_ok(mopd_bank_create_features(&bank, names, 1, feature, D, 20));
    assert_ok(mopd_bank_create_calibrated(&tuned, bank, x, none, 2));
    assert_true(fabs((double)mopd_bank_logit_scale(tuned) - 20) < 1e-4);
    mopd_bank_free(tuned);
    mopd_bank_free(bank);
    bank = bank_of(20);
    for (size_t i = 0; i < N; i++) {
        assert_ok(mopd_bank_top(bank, x + i * D, 1, 1, &match));
        best[i] = (int32_t)match.index;
    }
    assert_ok(mopd_bank_create_calibrated(&tuned, bank, x, best, N));
    assert_true(mopd_bank_logit_scale(tuned) > 20 && mopd_bank_logit_scale(tuned) < 20 * 60);
    mopd_bank_free(tuned);
    mopd_bank_free(bank);
}

/* Model and templates stay, so that a calibrated bank is saved and opened as any other. */
static void it_is_a_bank_of_the_same_model(void **state)
{
    (void)state;
    static const char *const sentences[] = {"a photo of a {}.", "{}"};
    enum { M = TINY_CLASSES * 2 };
    float rows[M * TINY_DIM];
    int32_t of[M];
    char path[512];
    mopd_encoder *e = tiny_open(1, 1);
    mopd_bank *bank, *tuned, *kept;
    tiny_features(e, 2, 1, 5, rows, of);
    assert_ok(mopd_bank_create(&bank, e, tiny_classes, TINY_CLASSES, sentences, 2));
    assert_ok(mopd_bank_create_calibrated(&tuned, bank, rows, of, M));
    snprintf(path, sizeof path, "%s", test_path("tuned.safetensors"));
    assert_ok(mopd_bank_save(tuned, path));
    assert_ok(mopd_bank_open(&kept, path, e));
    assert_true(mopd_bank_logit_scale(kept) == mopd_bank_logit_scale(tuned));
    assert_true(mopd_bank_logit_scale(kept) != mopd_bank_logit_scale(bank));
    assert_string_equal(mopd_bank_fingerprint(kept), mopd_encoder_fingerprint(e));
    for (size_t m = 0; m < 2; m++) assert_string_equal(mopd_bank_template(kept, m), sentences[m]);
    mopd_bank *all[] = {bank, tuned, kept};
    for (size_t i = 0; i < 3; i++) mopd_bank_free(all[i]);
    mopd_encoder_close(e);
}

static void bad_pictures_are_refused(void **state)
{
    (void)state;
    mopd_bank *bank = bank_of(20), *out = (mopd_bank *)1;
    const int32_t wrong[] = {0, 4};
    float row[D] = {NAN};
    assert_fails(mopd_bank_create_calibrated(&out, bank, x, wrong, 2), MOPD_E_ARG,
        "label 1 is 4, there are 4 classes");
    assert_null(out);
    assert_fails(mopd_bank_create_calibrated(&out, bank, x, labels, 0), MOPD_E_ARG, "n is 0");
    assert_fails(mopd_bank_create_calibrated(&out, bank, row, labels, 1), MOPD_E_NUMERIC, "not finite");
    assert_null(out);
    mopd_bank_free(bank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scale_is_that_of_the_pictures),
        cmocka_unit_test(certain_pictures_have_a_scale),
        cmocka_unit_test(it_is_a_bank_of_the_same_model),
        cmocka_unit_test(bad_pictures_are_refused),
    };
    return cmocka_run_group_tests(tests, draw, NULL);
}
