/* SPDX-License-Identifier: MIT
 * test_gda_file.c - Gaussian heads kept in files: the same bits again, whose model they are of, and what a file may lie in. */
#include <math.h>

#include "mopd/mopd.h"
#include "prompt/gda.h"
#include "support/forged.h"
#include "support/tiny.h"

enum { N = TINY_CLASSES * 4, D = TINY_DIM };

static const char *const more[] = {"cat", "a", "photo"};
static float x[N * D];
static int32_t y[N];

static mopd_gda *fitted(mopd_encoder *encoder)
{
    mopd_bank *bank;
    mopd_gda *g = NULL;
    tiny_features(encoder, 4, 1, 3, x, y);
    assert_ok(mopd_bank_create(&bank, encoder, tiny_classes, TINY_CLASSES, NULL, 0));
    assert_ok(mopd_gda_create(&g, bank, x, y, N, -1));
    mopd_bank_free(bank);
    return g;
}

static const char *saved(const mopd_gda *g, const char *name)
{
    static char path[2][512];
    static int k;
    k = !k;
    snprintf(path[k], sizeof path[k], "%s", test_path(name));
    assert_ok(mopd_gda_save(g, path[k]));
    return path[k];
}

static void assert_same(const mopd_gda *a, const mopd_gda *b)
{
    float la[N * 8], lb[N * 8];
    const size_t c = mopd_gda_n_classes(a);
    assert_true(c <= 8 && c == mopd_gda_n_classes(b) && mopd_gda_dim(a) == mopd_gda_dim(b));
    for (size_t i = 0; i < c; i++) assert_string_equal(mopd_gda_class_name(a, i), mopd_gda_class_name(b, i));
    assert_null(mopd_gda_class_name(b, c));
    assert_true(mopd_gda_alpha(a) == mopd_gda_alpha(b) && mopd_gda_temperature(a) == mopd_gda_temperature(b));
    assert_ok(mopd_gda_logits(a, x, N, la));
    assert_ok(mopd_gda_logits(b, x, N, lb));
    assert_memory_equal(la, lb, N * c * sizeof *la);
    assert_ok(mopd_gda_probabilities(a, x, N, la));
    assert_ok(mopd_gda_probabilities(b, x, N, lb));
    assert_memory_equal(la, lb, N * c * sizeof *la);
}

static void a_kept_head_is_the_same_head(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    mopd_bank *bank;
    mopd_gda *made = fitted(e), *kept, *one, *two;
    const char *path = saved(made, "a.safetensors");
    assert_ok(mopd_gda_open(&kept, path, e));
    assert_same(made, kept);
    forged first = forged_read(path), second = forged_read(saved(kept, "b.safetensors"));
    assert_true(first.n == second.n);
    assert_memory_equal(first.bytes, second.bytes, first.n);
    forged_free(&first);
    forged_free(&second);
    assert_ok(mopd_bank_create(&bank, e, more, 3, NULL, 0)); /* it meets new classes as before */
    assert_ok(mopd_gda_create_classes(&one, made, bank));
    assert_ok(mopd_gda_create_classes(&two, kept, bank));
    assert_same(one, two);
    mopd_gda_free(two);
    assert_ok(mopd_gda_open(
        &two, saved(one, "c.safetensors"), NULL)); /* so does a head that meets no further ones */
    assert_same(one, two);
    mopd_gda *further;
    assert_fails(mopd_gda_create_classes(&further, two, bank), MOPD_E_STATE, "cannot meet further");
    mopd_gda *all[] = {made, kept, one, two};
    for (size_t i = 0; i < 4; i++) mopd_gda_free(all[i]);
    mopd_bank_free(bank);
    mopd_encoder_close(e);
}

static void another_model_is_refused(void **state)
{
    (void)state;
    mopd_encoder *one = tiny_open(1, 1), *two = tiny_open(2, 1);
    mopd_gda *g = fitted(one), *out;
    assert_fails(
        mopd_gda_open(&out, saved(g, "a.safetensors"), two), MOPD_E_MISMATCH, mopd_encoder_fingerprint(two));
    assert_non_null(strstr(mopd_last_error(), mopd_encoder_fingerprint(one)));
    assert_null(out);
    mopd_gda_free(g);
    mopd_encoder_close(two);
    mopd_encoder_close(one);
}

static void assert_refused(const char *path, mopd_status st, const char *words)
{
    mopd_gda *g = NULL;
    assert_fails(mopd_gda_open(&g, path, NULL), st, words);
    assert_non_null(strstr(mopd_last_error(), path));
    assert_null(g);
}

static void lies_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
    } bad[] = {
        {"\"mopd.kind\":\"gda", "\"mopd.kind\":\"bank", "a bank, not a gda head"},
        {"\"mopd.fingerprint\":\"", "\"mopd.fingerprint\":\"0", "its fingerprint is too long"},
        {"\\\"alpha\\\":", "\\\"alpha\\\":-", "alpha is -"},
        {"\\\"temperature\\\":", "\\\"temperature\\\":-", "temperature is -"},
        {"\\\"temperature\\\":", "\\\"temperatura\\\":", "temperature"},
        {"\"mopd.classes\":\"[", "\"mopd.classes\":\"[\\\"more\\\",", "classes are named, text has"},
        {"\"features\":", "\"feathers\":", "features"},
        {"\"bias\":", "\"bios\":", "bias"},
        {"\"F64\"", "\"I64\"", "another shape or type than a gda head's"},
    };
    mopd_encoder *e = tiny_open(1, 1);
    mopd_gda *g = fitted(e);
    forged whole = forged_read(saved(g, "good.safetensors"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(forged_header(&whole, "forged", bad[i].from, bad[i].to), MOPD_E_FORMAT, bad[i].words);
    assert_refused(forged_header(&whole, "forged", "\"mopd.format\":\"1", "\"mopd.format\":\"2"),
        MOPD_E_VERSION, "gda head format 2, known up to 1");
    forged_free(&whole);
    g->weight[2] = NAN;
    assert_refused(
        saved(g, "spoilt.safetensors"), MOPD_E_FORMAT, "\"weight\" has a number that is not finite");
    g->weight[2] = 0;
    g->factor[D + 1] = 0;
    assert_refused(saved(g, "spoilt.safetensors"), MOPD_E_FORMAT, "factor has 0 at 1 of its diagonal");
    mopd_gda_free(g);
    mopd_encoder_close(e);
}

static void a_head_that_cannot_be_written_leaves_nothing(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    mopd_gda *g = fitted(e);
    assert_fails(mopd_gda_save(g, "/nowhere/at/all/head"), MOPD_E_IO, "/nowhere/at/all/head");
    mopd_gda_free(g);
    assert_fails(mopd_gda_open(&g, "/nowhere/at/all/head", NULL), MOPD_E_IO, "/nowhere/at/all/head");
    assert_null(g);
    mopd_encoder_close(e);
}

static mopd_status there_and_back(void *path)
{
    static const int32_t of[4] = {0, 0, 1, 1};
    mopd_bank *bank = NULL;
    mopd_gda *made = NULL, *kept = NULL;
    mopd_status st = mopd_bank_create_features(&bank, more, 2, x, D, 20);
    if (st == MOPD_OK) st = mopd_gda_create(&made, bank, x, of, 4, -1);
    if (st == MOPD_OK) st = mopd_gda_save(made, path);
    if (st == MOPD_OK) st = mopd_gda_open(&kept, path, NULL);
    if (st == MOPD_OK) assert_same(made, kept);
    mopd_gda_free(kept);
    mopd_gda_free(made);
    mopd_bank_free(bank);
    return st;
}

static void files_survive_lack_of_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("short.safetensors"));
    test_torture(there_and_back, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_head_is_the_same_head),
        cmocka_unit_test(another_model_is_refused),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(files_survive_lack_of_memory),
        cmocka_unit_test(a_head_that_cannot_be_written_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
