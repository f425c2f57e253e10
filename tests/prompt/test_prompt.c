/* SPDX-License-Identifier: MIT
 * test_prompt.c - a learned prompt in memory: notes, description, the encoder it belongs to, its banks. */
#include "support/prompts.h"

#include "model/encoder.h"
#include "model/fingerprint.h"
#include "prompt/bank.h"
#include "prompt/context.h"

static void assert_notes(const mo_prompt_notes *notes, const char *want)
{
    char text[256] = "";
    assert_int_equal(notes->key.n, notes->text.n);
    for (size_t i = 0; i < notes->key.n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%s", i ? " " : "", notes->key.name[i],
            notes->text.name[i]);
    assert_string_equal(text, want);
}

static void notes_are_added_or_replaced(void **state)
{
    (void)state;
    mo_prompt_notes notes = {0};
    assert_ok(mo_prompt_notes_set(&notes, "data", "a"));
    assert_ok(mo_prompt_notes_set(&notes, "shots", "16"));
    assert_ok(mo_prompt_notes_set(&notes, "dat", "b"));
    assert_notes(&notes, "data=a shots=16 dat=b");
    assert_ok(mo_prompt_notes_set(&notes, "data", "a much longer text"));
    assert_ok(mo_prompt_notes_set(&notes, "dat", ""));
    assert_notes(&notes, "data=a much longer text shots=16 dat=");
    mo_prompt_notes_free(&notes);
    assert_notes(&notes, "");
}

static void notes_that_are_there_stay(void **state)
{
    (void)state;
    mo_prompt_notes ours = {0}, theirs = {0};
    assert_ok(mo_prompt_notes_set(&ours, "data", "ours"));
    assert_ok(mo_prompt_notes_set(&theirs, "shots", "8"));
    assert_ok(mo_prompt_notes_set(&theirs, "data", "theirs"));
    assert_ok(mo_prompt_notes_adopt(&ours, &theirs));
    assert_notes(&ours, "data=ours shots=8");
    assert_notes(&theirs, "shots=8 data=theirs");
    mo_prompt_notes_free(&ours);
    mo_prompt_notes_free(&theirs);
}

static mopd_status fill_notes(void *ctx)
{
    (void)ctx;
    mo_prompt_notes a = {0}, b = {0};
    mopd_status st = mo_prompt_notes_set(&a, "key", "text");
    if (st == MOPD_OK) st = mo_prompt_notes_set(&a, "other", "text");
    if (st == MOPD_OK) st = mo_prompt_notes_set(&a, "key", "another text");
    if (st == MOPD_OK) st = mo_prompt_notes_adopt(&b, &a);
    assert_int_equal(a.key.n, a.text.n);
    mo_prompt_notes_free(&a);
    mo_prompt_notes_free(&b);
    return st;
}

static void notes_survive_lack_of_memory(void **state)
{
    (void)state;
    test_torture(fill_notes, NULL);
}

static void arrays_have_the_sizes_of_their_method(void **state)
{
    (void)state;
    static const struct {
        int32_t method;
        size_t gate;
    } want[] = {{MOPD_METHOD_MOPD, TINY_DIM * PROMPTS_TEMPLATES},
        {MOPD_METHOD_MOPD_STATIC, PROMPTS_TEMPLATES}, {MOPD_METHOD_MOPD_RANDOM, 0}, {MOPD_METHOD_COOP, 0}};
    for (size_t i = 0; i < 4; i++) {
        mopd_prompt *shared = prompts_make(want[i].method, false), *own = prompts_make(want[i].method, true);
        assert_int_equal(mo_prompt_gate_floats(shared), want[i].gate);
        assert_int_equal(mo_prompt_context_floats(shared), PROMPTS_VECTORS * TINY_WIDTH);
        assert_int_equal(mo_prompt_context_floats(own), PROMPTS_CLASSES * PROMPTS_VECTORS * TINY_WIDTH);
        mo_prompt_free(shared);
        mo_prompt_free(own);
    }
    mo_prompt_free(NULL);
}

static void assert_described(const mopd_prompt *p, const char *want)
{
    char *json = NULL;
    assert_ok(mo_prompt_describe(p, &json));
    assert_string_equal(json, want);
    mo_mem_free(json);
}

#define F64 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void a_prompt_is_described(void **state)
{
    (void)state;
    mopd_prompt *p = prompts_make(MOPD_METHOD_MOPD, false);
    p->version = mo_mem_strdup("0.0.9");
    p->data = mo_mem_strdup("{\"pictures\":9}");
    p->gate_use = mo_mem_strdup("[0.25,0.75]");
    p->info.accuracy = 62.5;
    p->info.class_position = MOPD_CLASS_MIDDLE;
    assert_ok(mo_prompt_notes_set(&p->notes, "say \"so\"", "line\nbreak"));
    assert_described(p, "{\"kind\":\"prompt\",\"format\":1,\"version\":\"0.0.9\",\"method\":\"mopd\",\"n_"
                        "context\":2,\"text_width\":16,"
                        "\"dim\":12,\"class_position\":\"middle\",\"class_context\":false,\"gate\":true,"
                        "\"epoch\":7,\"accuracy\":62.5,"
                        "\"fingerprint\":\"" F64 "\",\"vocabulary\":\"" B64 "\","
                        "\"settings\":{\"class_position\":\"end\",\"class_context\":false,\"top_k\":1},"
                        "\"data\":{\"pictures\":9},"
                        "\"templates\":[\"a {}\",\"it is {}\"],\"gate_use\":[0.25,0.75],"
                        "\"classes\":[\"cat\",\"a b\",\"caf\u00e9 \\\"x\\\"\"],\"notes\":{\"say "
                        "\\\"so\\\"\":\"line\\nbreak\"}}");
    mo_prompt_free(p);
}

/* What is not known is left out: accuracy, vocabulary, data, gate use. */
static void a_description_leaves_out_what_is_not_there(void **state)
{
    (void)state;
    mopd_prompt *p = prompts_make(MOPD_METHOD_COOP, true);
    *p->vocabulary = 0;
    p->info.flags |= MOPD_PROMPT_CHECKPOINT;
    assert_described(p,
        "{\"kind\":\"checkpoint\",\"format\":1,\"version\":\"" MOPD_VERSION_STRING
        "\",\"method\":\"coop\",\"n_context\":2,\"text_width\":16,"
        "\"dim\":12,\"class_position\":\"end\",\"class_context\":true,\"gate\":false,\"epoch\":7,"
        "\"fingerprint\":\"" F64 "\",\"settings\":{\"class_position\":\"end\",\"class_context\":true},"
        "\"templates\":[],\"classes\":[\"cat\",\"a b\",\"caf\u00e9 \\\"x\\\"\"],\"notes\":{}}");
    mo_prompt_free(p);
}

static mopd_status describe(void *prompt)
{
    char *json = NULL;
    mopd_status st = mo_prompt_describe(prompt, &json);
    mo_mem_free(json);
    return st;
}

static void describing_survives_lack_of_memory(void **state)
{
    (void)state;
    /* the allocator is changed while nothing of the library lives: a prompt of plain memory */
    char *texts[] = {"x", "y"};
    mopd_prompt p = {.info = {.method = MOPD_METHOD_COOP}, .classes = {texts, 2}, .settings = "{}"};
    test_torture(describe, &p);
}

/* ---- with an encoder ---- */

/* A prompt of the encoder's own. */
static mopd_prompt *prompt_of(const mopd_encoder *e, bool per_class)
{
    mopd_prompt *p = prompts_make(MOPD_METHOD_COOP, per_class);
    memcpy(p->fingerprint, e->fingerprint, sizeof p->fingerprint);
    mo_fingerprint_vocabulary(p->vocabulary, e->tokenizer);
    return p;
}

static void only_its_own_encoder_fits(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1), *other = tiny_open(2, 1);
    mopd_prompt *p = prompt_of(e, false);
    assert_ok(mo_prompt_check(p, e, "here"));
    assert_fails(mo_prompt_check(p, other, "here"), MOPD_E_MISMATCH, "here: learned with the model ");
    assert_non_null(strstr(mopd_last_error(), e->fingerprint));
    assert_non_null(strstr(mopd_last_error(), other->fingerprint));
    p->vocabulary[3] = 'x';
    assert_fails(mo_prompt_check(p, e, "here"), MOPD_E_MISMATCH, "here: learned with the vocabulary ");
    *p->vocabulary = 0; /* early files name none */
    assert_ok(mo_prompt_check(p, e, "here"));
    p->info.text_width++;
    assert_fails(mo_prompt_check(p, e, "here"), MOPD_E_MISMATCH,
        "here: vectors of 17 and features of 12 numbers, the model has 16 and 12");
    p->info.text_width--;
    p->info.dim--;
    assert_fails(mo_prompt_check(p, e, "here"), MOPD_E_MISMATCH, "features of 11 numbers");
    mo_prompt_free(p);
    mopd_encoder_close(e);
    mopd_encoder_close(other);
}

/* With the embeddings of "a photo of a" as its vectors a prompt is that template. */
static void an_untrained_prompt_is_its_words(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    mopd_prompt *p = prompt_of(e, false);
    static const char *const classes[] = {"dog", "a_b", "cat"}, *const template[] = {"a photo of a {}."};
    mopd_bank *learned = NULL, *frozen = NULL;
    mo_mem_free(p->context);
    p->info.n_context = 4;
    p->context = mo_mem_alloc(4 * TINY_WIDTH, sizeof(float));
    assert_ok(mo_context_start(e, &(mo_context_shape){4, 0, false}, 1, "a photo of a", 1, p->context));
    assert_ok(mo_prompt_bank(&learned, e, classes, 3, p));
    assert_ok(mopd_bank_create(&frozen, e, classes, 3, template, 1));
    assert_true(test_max_diff(learned->feature, frozen->feature, 3 * TINY_DIM) < 1e-6);
    assert_true(learned->scale == frozen->scale);
    assert_string_equal(learned->name[1], "a_b");
    mopd_bank_free(learned);
    mopd_bank_free(frozen);
    mo_prompt_free(p);
    mopd_encoder_close(e);
}

static void a_bank_is_of_the_trained_classes_without_others(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    mopd_prompt *p = prompt_of(e, false);
    static const char *const same[] = {"cat", "a b", "caf\u00e9 \"x\""}, *const twice[] = {"cat", "cat"};
    mopd_bank *a = NULL, *b = NULL, *none = NULL;
    assert_ok(mo_prompt_bank(&a, e, NULL, 0, p));
    assert_ok(mo_prompt_bank(&b, e, same, 3, p));
    assert_int_equal(a->n_classes, 3);
    for (size_t c = 0; c < 3; c++) assert_string_equal(a->name[c], same[c]);
    assert_memory_equal(a->feature, b->feature, 3 * TINY_DIM * sizeof(float));
    assert_fails(mo_prompt_bank(&none, e, twice, 2, p), MOPD_E_ARG, "class 1, \"cat\", is class 0 already");
    assert_null(none);
    mopd_bank_free(a);
    mopd_bank_free(b);
    mo_prompt_free(p);
    mopd_encoder_close(e);
}

static void class_specific_vectors_go_with_their_class(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    mopd_prompt *p = prompt_of(e, true);
    static const char *const turned[] = {"a b", "cat"}, *const fresh[] = {"cat", "mouse"};
    mopd_bank *all = NULL, *some = NULL, *none = NULL;
    assert_ok(mo_prompt_bank(&all, e, NULL, 0, p));
    assert_ok(mo_prompt_bank(&some, e, turned, 2, p));
    assert_memory_equal(some->feature, all->feature + TINY_DIM, TINY_DIM * sizeof(float));
    assert_memory_equal(some->feature + TINY_DIM, all->feature, TINY_DIM * sizeof(float));
    assert_fails(mo_prompt_bank(&none, e, fresh, 2, p), MOPD_E_STATE,
        "class \"mouse\": a class-specific prompt meets only the classes it was trained on");
    assert_null(none);
    mopd_bank_free(all);
    mopd_bank_free(some);
    mo_prompt_free(p);
    mopd_encoder_close(e);
}

static const char *torture_model;

static mopd_status make_bank(void *ctx)
{
    (void)ctx;
    float context[2 * 2 * TINY_WIDTH];
    char *names[] = {"cat", "dog"};
    const char *const one[] = {"dog"};
    mopd_prompt p = {.info = {.flags = MOPD_PROMPT_CLASS_CONTEXT,
                         .n_context = 2,
                         .text_width = TINY_WIDTH,
                         .dim = TINY_DIM,
                         .n_classes = 2},
        .classes = {names, 2},
        .context = context};
    mopd_encoder *e = NULL;
    mopd_bank *bank = NULL;
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    test_random(context, 2 * 2 * TINY_WIDTH, 1);
    mopd_status st = mopd_encoder_open(&e, torture_model, &o);
    if (st == MOPD_OK) st = mo_prompt_bank(&bank, e, one, 1, &p);
    mopd_bank_free(bank);
    mopd_encoder_close(e);
    return st;
}

static void banks_survive_lack_of_memory(void **state)
{
    (void)state;
    torture_model = tiny_model(1);
    test_torture(make_bank, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_are_added_or_replaced),
        cmocka_unit_test(notes_that_are_there_stay),
        cmocka_unit_test(notes_survive_lack_of_memory),
        cmocka_unit_test(arrays_have_the_sizes_of_their_method),
        cmocka_unit_test(a_prompt_is_described),
        cmocka_unit_test(a_description_leaves_out_what_is_not_there),
        cmocka_unit_test(describing_survives_lack_of_memory),
        cmocka_unit_test(only_its_own_encoder_fits),
        cmocka_unit_test(an_untrained_prompt_is_its_words),
        cmocka_unit_test(a_bank_is_of_the_trained_classes_without_others),
        cmocka_unit_test(class_specific_vectors_go_with_their_class),
        cmocka_unit_test(banks_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
