/* SPDX-License-Identifier: MIT
 * test_recognizer_prompt.c - recognisers whose text side is a learned prompt: how far classes that it was not trained
 * on take its context, from fitting to other classes asked of an opened file. */
#include "test.h"

#include "mopd/mopd.h"
#include "prompt/recognizer_handle.h"
#include "support/tiny.h"

enum { TRAINED = 3, PER_CLASS = 4, N = TINY_CLASSES * PER_CLASS };

static float x[N * TINY_DIM];
static int32_t y[N];
static mopd_encoder *encoder;
static mopd_prompt *prompt;

/* A prompt that has learned the first classes. */
static int open_all(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_COOP, 6);
    mopd_trainer *t = NULL;
    mopd_run run;
    encoder = tiny_open(1, 2);
    tiny_features(encoder, PER_CLASS, 1, 3, x, y);
    assert_ok(mopd_run_init(&run, sizeof run));
    run.n = TRAINED * PER_CLASS;
    run.features = x;
    run.labels = y;
    o.context = "a photo of a";
    assert_ok(mopd_trainer_create(&t, encoder, tiny_classes, TRAINED, &o));
    assert_ok(mopd_trainer_run(t, &run));
    assert_ok(mopd_prompt_create_trainer(&prompt, t));
    mopd_trainer_free(t);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    mopd_prompt_close(prompt);
    mopd_encoder_close(encoder);
    return 0;
}

static mopd_recognizer_options options_of(double unseen)
{
    mopd_recognizer_options o;
    assert_ok(mopd_recognizer_options_init(&o, sizeof o));
    assert_true(o.unseen == 0.5);
    o.prompt = prompt;
    o.unseen = unseen;
    return o;
}

static mopd_recognizer *fitted(double unseen)
{
    const mopd_recognizer_options o = options_of(unseen);
    mopd_recognizer *r = NULL;
    assert_ok(mopd_recognizer_create(&r, encoder, tiny_classes, TINY_CLASSES, x, y, N, &o));
    return r;
}

static void its_text_side_is_the_bank_of_that_share(void **state)
{
    (void)state;
    static const double shares[] = {0, 0.5, 1};
    for (int i = 0; i < 3; i++) {
        mopd_recognizer *r = fitted(shares[i]);
        mopd_bank *bank = NULL;
        assert_ok(mopd_bank_create_prompt_unseen(
            &bank, encoder, tiny_classes, TINY_CLASSES, prompt, (float)shares[i]));
        assert_memory_equal(r->text, mopd_bank_features(bank), TINY_CLASSES * TINY_DIM * sizeof *r->text);
        mopd_bank_free(bank);
        mopd_recognizer_close(r);
    }
}

/* Other classes asked of a file, or of what was extended, get the share of the fit. */
static void the_share_goes_with_the_file(void **state)
{
    (void)state;
    static const char *const names[] = {"new", "other"};
    const char *path = test_path("share.safetensors");
    for (int i = 0; i < 2; i++) {
        mopd_recognizer *r = fitted(i ? 0.25 : 1), *back = NULL, *more = NULL, *a = NULL, *b = NULL;
        assert_ok(mopd_recognizer_save(r, path));
        assert_ok(mopd_recognizer_open(&back, path, encoder));
        assert_true(back->unseen == r->unseen);
        assert_ok(mopd_recognizer_extend(&more, r, x, y, 1, 0));
        assert_ok(mopd_recognizer_with_classes(&a, back, encoder, names, 2));
        assert_ok(mopd_recognizer_with_classes(&b, more, encoder, names, 2));
        mopd_bank *bank = NULL;
        assert_ok(mopd_bank_create_prompt_unseen(&bank, encoder, names, 2, prompt, i ? 0.25f : 1));
        const float *own[] = {a->text + TINY_CLASSES * TINY_DIM, b->text + TINY_CLASSES * TINY_DIM};
        for (int k = 0; k < 2; k++)
            assert_memory_equal(own[k], mopd_bank_features(bank), 2 * TINY_DIM * sizeof(float));
        mopd_bank_free(bank);
        mopd_recognizer_close(a);
        mopd_recognizer_close(b);
        mopd_recognizer_close(more);
        mopd_recognizer_close(back);
        mopd_recognizer_close(r);
    }
}

/* A file's share as somebody else might write it, in as many bytes. */
static mopd_status open_with(const char *path, const char *now, const char *then, mopd_recognizer **out)
{
    size_t n = 0;
    FILE *f = fopen(path, "rb");
    static char text[1 << 18];
    assert_non_null(f);
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    char *at = NULL;
    for (size_t i = 0; i + strlen(now) < n && !at; i++)
        if (!memcmp(text + i, now, strlen(now))) at = text + i;
    assert_true(at && strlen(now) == strlen(then) && n < sizeof text);
    memcpy(at, then, strlen(then));
    return mopd_recognizer_open(out, test_write("other-share.safetensors", text, n), NULL);
}

static void files_with_another_share_or_none(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(0.5), *back = NULL;
    const char *path = test_path("half.safetensors");
    assert_ok(mopd_recognizer_save(r, path));
    mopd_recognizer_close(r);
    assert_ok(
        open_with(path, "\\\"unseen\\\":0.5", "\\\"UNSEEN\\\":0.5", &back)); /* as before there were shares */
    assert_true(back->unseen == 1);
    mopd_recognizer_close(back);
    assert_fails(
        open_with(path, "\\\"unseen\\\":0.5", "\\\"unseen\\\":1.5", &back), MOPD_E_FORMAT, "unseen is 1.5");
    assert_fails(open_with(path, "\\\"unseen\\\":0.5", "\\\"unseen\\\":\"x\"", &back), MOPD_E_FORMAT, "");
}

static void shares_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const double wrong[] = {-0.1, 1.1, (double)NAN};
    for (int i = 0; i < 3; i++) {
        const mopd_recognizer_options o = options_of(wrong[i]);
        mopd_recognizer *r = NULL;
        assert_fails(mopd_recognizer_create(&r, encoder, tiny_classes, TINY_CLASSES, x, y, N, &o), MOPD_E_ARG,
            "mopd_recognizer_options: unseen is ");
        assert_null(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_text_side_is_the_bank_of_that_share),
        cmocka_unit_test(the_share_goes_with_the_file),
        cmocka_unit_test(files_with_another_share_or_none),
        cmocka_unit_test(shares_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
