/* SPDX-License-Identifier: MIT
 * test_bank_file.c - banks kept in files: the same bits again, whose model they are of, and what a file may lie in. */
#include "test.h"

#include "format/safetensors.h"
#include "support/tiny.h"

static const char *const pets[] = {"cat", "red_fox", "d"};
static const char *const templates[] = {"a photo of a {}.", "{}"};

/* What a file says; each test of a lie changes one field. */
typedef struct words {
    const char *kind, *format, *fingerprint, *settings, *classes, *templates;
    const char *tensor;
    size_t shape[2];
    float length;
} words;

static const words good = {
    "bank", "1", "", "{\"logit_scale\":20}", "[\"cat\",\"dog\"]", "[]", "features", {2, 3}, 1};

static const char *write_bank(const words *x)
{
    const char *const texts[][2] = {{"mopd.kind", x->kind}, {"mopd.format", x->format},
        {"mopd.fingerprint", x->fingerprint}, {"mopd.settings", x->settings}, {"mopd.classes", x->classes},
        {"mopd.templates", x->templates}};
    static char path[512];
    float row[12];
    const size_t n = x->shape[0] * x->shape[1];
    mo_safetensors_writer *w;
    snprintf(path, sizeof path, "%s", test_path("lie.safetensors"));
    assert_ok(mo_safetensors_writer_create(&w));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i][1]) assert_ok(mo_safetensors_writer_meta(w, texts[i][0], texts[i][1]));
    assert_ok(mo_safetensors_writer_tensor(w, x->tensor, MO_F32, 2, x->shape));
    assert_ok(mo_safetensors_writer_begin(w, path));
    assert_true(n <= 12);
    for (size_t i = 0; i < n; i++) row[i] = i % x->shape[1] ? 0 : x->length;
    assert_ok(mo_safetensors_writer_floats(w, row, n));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    return path;
}

static void refused(const words *x, mopd_status want, const char *message)
{
    mopd_bank *bank = (mopd_bank *)1;
    const char *path = write_bank(x);
    assert_fails(mopd_bank_open(&bank, path, NULL), want, message);
    assert_non_null(strstr(mopd_last_error(), path));
    assert_null(bank);
}

static void a_kept_bank_is_the_same_bank(void **state)
{
    (void)state;
    char path[512], again[512];
    mopd_encoder *e = tiny_open(1, 1);
    mopd_bank *made, *kept;
    float x[TINY_DIM], a[3], b[3];
    snprintf(path, sizeof path, "%s", test_path("a.safetensors"));
    snprintf(again, sizeof again, "%s", test_path("b.safetensors"));
    assert_ok(mopd_bank_create(&made, e, pets, 3, templates, 2));
    assert_ok(mopd_bank_save(made, path));
    assert_ok(mopd_bank_open(&kept, path, e));
    assert_memory_equal(mopd_bank_features(made), mopd_bank_features(kept), 3 * TINY_DIM * sizeof(float));
    assert_true(
        mopd_bank_logit_scale(made) == mopd_bank_logit_scale(kept) && mopd_bank_logit_scale(kept) > 1);
    assert_string_equal(mopd_bank_fingerprint(kept), mopd_encoder_fingerprint(e));
    for (size_t c = 0; c < 3; c++) assert_string_equal(mopd_bank_class_name(kept, c), pets[c]);
    for (size_t m = 0; m < 2; m++) assert_string_equal(mopd_bank_template(kept, m), templates[m]);
    assert_null(mopd_bank_template(kept, 2));
    test_random(x, TINY_DIM, 3);
    assert_ok(mopd_bank_logits(made, x, 1, a));
    assert_ok(mopd_bank_logits(kept, x, 1, b));
    assert_memory_equal(a, b, sizeof a);
    assert_ok(mopd_bank_save(kept, again));
    char *one = test_read(path), *two = test_read(again);
    assert_string_equal(one + 8, two + 8);
    free(one);
    free(two);
    mopd_bank_free(kept);
    mopd_bank_free(made);
    mopd_encoder_close(e);
}

/* The numbers of a bank and its scale, by hand from a file of somebody else. */
static void a_file_of_others_is_read(void **state)
{
    (void)state;
    mopd_bank *bank;
    words x = good;
    x.templates = "[\"{}\"]";
    assert_ok(mopd_bank_open(&bank, write_bank(&x), NULL));
    assert_int_equal(mopd_bank_n_classes(bank), 2);
    assert_int_equal(mopd_bank_dim(bank), 3);
    assert_true(mopd_bank_logit_scale(bank) == 20 && mopd_bank_features(bank)[3] == 1);
    assert_string_equal(mopd_bank_fingerprint(bank), "");
    assert_string_equal(mopd_bank_template(bank, 0), "{}");
    mopd_bank_free(bank);
}

static void another_model_is_refused(void **state)
{
    (void)state;
    char path[512];
    mopd_encoder *one = tiny_open(1, 1), *two = tiny_open(2, 1);
    mopd_bank *bank, *given;
    float f[3 * TINY_DIM];
    snprintf(path, sizeof path, "%s", test_path("other.safetensors"));
    assert_ok(mopd_bank_create(&bank, one, pets, 3, NULL, 0));
    assert_ok(mopd_bank_save(bank, path));
    mopd_bank_free(bank);
    assert_fails(mopd_bank_open(&bank, path, two), MOPD_E_MISMATCH, mopd_encoder_fingerprint(two));
    assert_non_null(strstr(mopd_last_error(), mopd_encoder_fingerprint(one)));
    assert_null(bank);
    test_random(f, 3 * TINY_DIM, 1);
    assert_ok(mopd_bank_create_features(&given, pets, 3, f, TINY_DIM, 5));
    assert_string_equal(mopd_bank_fingerprint(given), "");
    assert_ok(mopd_bank_save(given, path));
    assert_ok(mopd_bank_open(&bank, path, two)); /* whose features they are is not known */
    mopd_bank_free(bank);
    assert_fails(mopd_bank_open(&bank, write_bank(&good), two), MOPD_E_MISMATCH, "features of 3 numbers");
    mopd_bank_free(given);
    mopd_encoder_close(two);
    mopd_encoder_close(one);
}

static void lies_are_refused(void **state)
{
    (void)state;
    words x;
    char long_name[80];
    memset(long_name, 'f', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
#define LIE(field, value, status, message)                                                                   \
    x = good;                                                                                                \
    x.field = (value);                                                                                       \
    refused(&x, status, message)
    LIE(kind, "store", MOPD_E_FORMAT, "a store, not a bank");
    LIE(kind, NULL, MOPD_E_FORMAT, "mopd.kind");
    LIE(format, "2", MOPD_E_VERSION, "bank format 2");
    LIE(format, NULL, MOPD_E_FORMAT, "mopd.format");
    LIE(fingerprint, NULL, MOPD_E_FORMAT, "mopd.fingerprint");
    LIE(fingerprint, long_name, MOPD_E_FORMAT, "fingerprint is too long");
    LIE(settings, NULL, MOPD_E_FORMAT, "mopd.settings");
    LIE(settings, "{}", MOPD_E_FORMAT, "logit_scale");
    LIE(settings, "{\"logit_scale\":\"20\"}", MOPD_E_FORMAT, "logit_scale");
    LIE(settings, "{\"logit_scale\":1e300}", MOPD_E_FORMAT, "logit_scale is 1e+300");
    LIE(classes, "[\"cat\"]", MOPD_E_FORMAT, "1 classes are named, features has 2 rows");
    LIE(classes, "[]", MOPD_E_FORMAT, "no classes");
    LIE(classes, "[\"cat\",\"cat\"]", MOPD_E_FORMAT, "class 1, \"cat\", is class 0 already");
    LIE(classes, "[\"cat\",\"\"]", MOPD_E_FORMAT, "class 1 has an empty name");
    LIE(classes, "[\"cat\",3]", MOPD_E_FORMAT, "mopd.classes");
    LIE(classes, NULL, MOPD_E_FORMAT, "mopd.classes");
    LIE(templates, "{}", MOPD_E_FORMAT, "mopd.templates");
    LIE(tensor, "feature", MOPD_E_FORMAT, "features");
    LIE(shape[1], 0, MOPD_E_FORMAT, "features has another shape");
    LIE(length, 2, MOPD_E_FORMAT, "feature of class 0 has length 2");
    LIE(length, NAN, MOPD_E_FORMAT, "not finite");
#undef LIE
}

static void a_bank_that_cannot_be_written_leaves_nothing(void **state)
{
    (void)state;
    mopd_bank *bank;
    const float f[] = {1, 0, 0, 1, 1, 1};
    assert_ok(mopd_bank_create_features(&bank, pets, 3, f, 2, 5));
    assert_fails(mopd_bank_save(bank, "/nowhere/at/all/bank"), MOPD_E_IO, "/nowhere/at/all/bank");
    mopd_bank_free(bank);
    assert_fails(mopd_bank_open(&bank, "/nowhere/at/all/bank", NULL), MOPD_E_IO, "/nowhere/at/all/bank");
    assert_null(bank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_bank_is_the_same_bank),
        cmocka_unit_test(a_file_of_others_is_read),
        cmocka_unit_test(another_model_is_refused),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(a_bank_that_cannot_be_written_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
