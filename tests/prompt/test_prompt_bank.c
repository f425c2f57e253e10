/* SPDX-License-Identifier: MIT
 * test_prompt_bank.c - banks of a learned prompt: classes that it was trained on, others that take part of what it
 * learned, and prompts whose start is not known. */
#include "support/prompts.h"

#include "model/encoder.h"
#include "model/fingerprint.h"
#include "prompt/bank.h"
#include "prompt/context.h"

enum { WORDS = 4 }; /* "a photo of a" */

#define SETTINGS(context) "{\"class_position\":\"end\",\"class_context\":false,\"context\":" context "}"

static mopd_encoder *e;

/* A prompt of the encoder's own with other settings and a context of four vectors near the words. */
static mopd_prompt *prompt_with(const char *settings)
{
    mopd_prompt *p = prompts_make(MOPD_METHOD_COOP, false);
    float far[WORDS * TINY_WIDTH];
    memcpy(p->fingerprint, e->fingerprint, sizeof p->fingerprint);
    mo_fingerprint_vocabulary(p->vocabulary, e->tokenizer);
    mo_mem_free(p->settings);
    mo_mem_free(p->context);
    p->settings = mo_mem_strdup(settings);
    p->info.n_context = WORDS;
    p->context = mo_mem_alloc(WORDS * TINY_WIDTH, sizeof(float));
    assert_ok(mo_context_start(e, &(mo_context_shape){WORDS, 0, false}, 1, "a photo of a", 1, p->context));
    test_random(far, WORDS * TINY_WIDTH, 7);
    for (int i = 0; i < WORDS * TINY_WIDTH; i++) p->context[i] += 0.3f * far[i];
    return p;
}

/* Features of classes by a prompt whose context is as far as this from the words. */
static void features_of(mopd_prompt *p, float share, const char *const *classes, size_t n, float *features)
{
    mopd_bank *bank = NULL;
    float start[WORDS * TINY_WIDTH], learned[WORDS * TINY_WIDTH];
    memcpy(learned, p->context, sizeof learned);
    assert_ok(mo_context_start(e, &(mo_context_shape){WORDS, 0, false}, 1, "a photo of a", 1, start));
    for (int i = 0; i < WORDS * TINY_WIDTH; i++) p->context[i] = start[i] + share * (learned[i] - start[i]);
    assert_ok(mopd_bank_create_prompt(&bank, e, classes, n, p));
    memcpy(features, mopd_bank_features(bank), n * TINY_DIM * sizeof *features);
    memcpy(p->context, learned, sizeof learned);
    mopd_bank_free(bank);
}

static mopd_bank *bank_of(const mopd_prompt *p, const char *const *classes, size_t n, float share)
{
    mopd_bank *bank = NULL;
    assert_ok(mopd_bank_create_prompt_unseen(&bank, e, classes, n, p, share));
    return bank;
}

static const char *const mixed[] = {"dog", "Cat", "mouse", "a_b", "bird"};
static const bool trained[] = {false, true, false, true, false}; /* "a b" and "a_b" are the same words */

static void other_classes_take_part_of_the_context(void **state)
{
    (void)state;
    static const float shares[] = {0, 0.25f, 0.5f, 1};
    mopd_prompt *p = prompt_with(SETTINGS("\"a photo of a\""));
    float whole[5 * TINY_DIM], part[5 * TINY_DIM];
    features_of(p, 1, mixed, 5, whole);
    for (size_t k = 0; k < 4; k++) {
        mopd_bank *bank = bank_of(p, mixed, 5, shares[k]);
        features_of(p, shares[k], mixed, 5, part);
        for (size_t c = 0; c < 5; c++) {
            const float *have = mopd_bank_features(bank) + c * TINY_DIM;
            assert_string_equal(mopd_bank_class_name(bank, c), mixed[c]);
            if (trained[c])
                assert_memory_equal(have, whole + c * TINY_DIM, TINY_DIM * sizeof *have);
            else
                assert_true(test_max_diff(have, part + c * TINY_DIM, TINY_DIM) < 1e-6);
            if (!trained[c] && shares[k] < 1)
                assert_true(test_max_diff(have, whole + c * TINY_DIM, TINY_DIM) > 1e-3);
        }
        mopd_bank_free(bank);
    }
    mo_prompt_free(p);
}

/* Share 0 is the frozen text. */
static void none_of_the_context_is_its_words(void **state)
{
    (void)state;
    static const char *const classes[] = {"dog", "bird"}, *const template[] = {"a photo of a {}."};
    mopd_prompt *p = prompt_with(SETTINGS("\"a photo of a\""));
    mopd_bank *learned = bank_of(p, classes, 2, 0), *frozen = NULL;
    assert_ok(mopd_bank_create(&frozen, e, classes, 2, template, 1));
    assert_true(test_max_diff(learned->feature, frozen->feature, 2 * TINY_DIM) < 1e-6);
    mopd_bank_free(learned);
    mopd_bank_free(frozen);
    mo_prompt_free(p);
}

/* Trained classes alone, in any order and without a list, keep their bits at any share. */
static void trained_classes_keep_their_bits(void **state)
{
    (void)state;
    static const char *const turned[] = {"a b", "cat"};
    mopd_prompt *p = prompt_with(SETTINGS("\"a photo of a\""));
    mopd_bank *whole = NULL, *half = bank_of(p, NULL, 0, 0.5f), *some = bank_of(p, turned, 2, 0.5f);
    assert_ok(mopd_bank_create_prompt(&whole, e, NULL, 0, p));
    assert_memory_equal(whole->feature, half->feature, PROMPTS_CLASSES * TINY_DIM * sizeof(float));
    assert_memory_equal(whole->feature, some->feature + TINY_DIM, TINY_DIM * sizeof(float));
    assert_memory_equal(whole->feature + TINY_DIM, some->feature, TINY_DIM * sizeof(float));
    mopd_bank_free(whole);
    mopd_bank_free(half);
    mopd_bank_free(some);
    mo_prompt_free(p);
}

/* A context that began as random numbers, or of which nobody says how it began, is taken whole. */
static void a_start_that_is_not_known_is_not_gone_back_to(void **state)
{
    (void)state;
    static const char *const settings[] = {
        SETTINGS("null"), SETTINGS("7"), "{\"class_position\":\"end\",\"class_context\":false}"};
    float whole[5 * TINY_DIM];
    for (size_t i = 0; i < 3; i++) {
        mopd_prompt *p = prompt_with(settings[i]);
        features_of(p, 1, mixed, 5, whole);
        mopd_bank *bank = bank_of(p, mixed, 5, 0.5f);
        assert_memory_equal(bank->feature, whole, sizeof whole);
        mopd_bank_free(bank);
        mo_prompt_free(p);
    }
}

static void refuse(const mopd_prompt *p, float share, mopd_status st, const char *words)
{
    mopd_bank *bank = (mopd_bank *)&bank;
    assert_fails(mopd_bank_create_prompt_unseen(&bank, e, mixed, 5, p, share), st, words);
    assert_null(bank);
}

static void shares_and_starts_that_cannot_be_are_refused(void **state)
{
    (void)state;
    mopd_prompt *p = prompt_with(SETTINGS("\"a photo of a\""));
    refuse(p, -0.01f, MOPD_E_ARG, "share is -0.01, 0 to 1 are allowed");
    refuse(p, 1.01f, MOPD_E_ARG, "share is 1.01");
    refuse(p, NAN, MOPD_E_ARG, "share is nan");
    p->fingerprint[0] = 'x';
    refuse(p, 0.5f, MOPD_E_MISMATCH, "learned with the model");
    mo_prompt_free(p);
    p = prompt_with(SETTINGS("\"a photo of\""));
    refuse(p, 0.5f, MOPD_E_FORMAT, "its context of 4 vectors began with \"a photo of\", 3 tokens");
    mo_prompt_free(p);
    p = prompt_with("{\"class_position\":");
    refuse(p, 0.5f, MOPD_E_FORMAT, "prompt: mopd.settings");
    mo_prompt_free(p);
}

/* Class-specific vectors have nothing for other classes, whatever the share. */
static void class_specific_contexts_are_whole(void **state)
{
    (void)state;
    static const char *const turned[] = {"a b", "cat"};
    mopd_prompt *p = prompts_make(MOPD_METHOD_COOP, true);
    memcpy(p->fingerprint, e->fingerprint, sizeof p->fingerprint);
    *p->vocabulary = 0;
    mopd_bank *whole = NULL, *half = bank_of(p, turned, 2, 0.5f);
    assert_ok(mopd_bank_create_prompt(&whole, e, turned, 2, p));
    assert_memory_equal(whole->feature, half->feature, 2 * TINY_DIM * sizeof(float));
    refuse(p, 0.5f, MOPD_E_STATE, "class \"dog\": a class-specific prompt");
    mopd_bank_free(whole);
    mopd_bank_free(half);
    mo_prompt_free(p);
}

static const char *torture_model;

static mopd_status make_bank(void *ctx)
{
    (void)ctx;
    float context[WORDS * TINY_WIDTH];
    char *names[] = {"cat", "dog"};
    mopd_prompt p = {.info = {.n_context = WORDS, .text_width = TINY_WIDTH, .dim = TINY_DIM, .n_classes = 2},
        .classes = {names, 2},
        .settings = SETTINGS("\"a photo of a\""),
        .context = context};
    mopd_encoder *own = NULL;
    mopd_bank *bank = NULL;
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    test_random(context, WORDS * TINY_WIDTH, 1);
    mopd_status st = mopd_encoder_open(&own, torture_model, &o);
    if (st == MOPD_OK) st = mo_prompt_bank_unseen(&bank, own, mixed, 2, &p, 0.5f);
    mopd_bank_free(bank);
    mopd_encoder_close(own);
    return st;
}

static void banks_survive_lack_of_memory(void **state)
{
    (void)state;
    torture_model = tiny_model(1);
    mopd_encoder_close(e); /* the allocator is changed while nothing of the library lives */
    e = NULL;
    test_torture(make_bank, NULL);
}

static int open_all(void **state)
{
    (void)state;
    e = tiny_open(1, 2);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_classes_take_part_of_the_context),
        cmocka_unit_test(none_of_the_context_is_its_words),
        cmocka_unit_test(trained_classes_keep_their_bits),
        cmocka_unit_test(a_start_that_is_not_known_is_not_gone_back_to),
        cmocka_unit_test(shares_and_starts_that_cannot_be_are_refused),
        cmocka_unit_test(class_specific_contexts_are_whole),
        cmocka_unit_test(banks_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, open_all, NULL);
}
