/* SPDX-License-Identifier: MIT
 * test_trainer_file.c - what a trainer leaves: prompt files, their banks and gates, and the model that they belong to. */
#include "support/trainings.h"

static training x;

static void same_seed_same_file_at_any_thread_count(void **state)
{
    (void)state;
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        for (uint32_t threads = 1; threads <= 3; threads++) {
            training own;
            char name[32];
            training_open(&own, 1, threads, 2);
            mopd_trainer_options o = tiny_training(method, 5);
            mopd_trainer *t = training_create(&own, &o);
            mopd_run run = training_run(&own);
            assert_ok(mopd_trainer_run(t, &run));
            snprintf(name, sizeof name, "threads%u", (unsigned)threads);
            training_save(t, name);
            mopd_trainer_free(t);
            training_close(&own);
        }
        assert_true(training_same_files(test_path("threads1"), test_path("threads2")));
        assert_true(training_same_files(test_path("threads1"), test_path("threads3")));
    }
}

static void another_seed_is_another_file(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5);
    mopd_run run = training_run(&x);
    mopd_trainer *a = training_create(&x, &o);
    o.seed = 2;
    mopd_trainer *b = training_create(&x, &o);
    assert_ok(mopd_trainer_run(a, &run));
    assert_ok(mopd_trainer_run(b, &run));
    assert_memory_not_equal(a->state.context.p, b->state.context.p, 4 * W * sizeof(float));
    mopd_trainer_free(a);
    mopd_trainer_free(b);
}

static void a_prompt_comes_back_from_its_file(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5);
    o.class_position = MOPD_CLASS_MIDDLE;
    o.top_k = 3;
    mopd_run run = training_run(&x);
    mopd_trainer *t = training_create(&x, &o);
    assert_ok(mopd_trainer_note(t, "data", "old"));
    assert_ok(mopd_trainer_note(t, "data", "caltech \"x\""));
    assert_fails(mopd_trainer_note(t, "data", "\xff"), MOPD_E_ARG, "no UTF-8");
    assert_ok(mopd_trainer_run(t, &run));
    const char *path = training_save(t, "prompt");
    mopd_prompt *p;
    mopd_prompt_info info = {.struct_size = sizeof info};
    assert_ok(mopd_prompt_open(&p, path, x.encoder));
    assert_ok(mopd_prompt_get_info(p, &info));
    assert_int_equal(info.format, 1);
    assert_int_equal(info.method, MOPD_METHOD_MOPD);
    assert_int_equal(info.class_position, MOPD_CLASS_MIDDLE);
    assert_int_equal(info.n_context, 4);
    assert_int_equal(info.text_width, W);
    assert_int_equal(info.dim, D);
    assert_int_equal(info.n_classes, C);
    assert_int_equal(info.n_templates, M);
    assert_int_equal(info.top_k, 3);
    assert_int_equal(info.epoch, 5);
    assert_int_equal(info.flags, MOPD_PROMPT_GATE);
    assert_true(info.accuracy == t->notes.accuracy && info.accuracy > 0);
    assert_memory_equal(mopd_prompt_context(p), t->state.context.p, 4 * W * sizeof(float));
    assert_memory_equal(mopd_prompt_gate(p), t->state.gate.p, M * D * sizeof(float));
    assert_string_equal(mopd_prompt_class_name(p, 1), "sea_or_lake");
    assert_null(mopd_prompt_class_name(p, C));
    assert_string_equal(mopd_prompt_template(p, 4), "is it {}?");

    mopd_bank *a, *b;
    assert_ok(mopd_bank_create_trainer(&a, t, NULL, 0));
    assert_ok(mopd_bank_create_prompt(&b, x.encoder, NULL, 0, p));
    assert_memory_equal(mopd_bank_features(a), mopd_bank_features(b), C * D * sizeof(float));
    mopd_bank_free(a);
    mopd_bank_free(b);

    char *json, *again;
    mopd_prompt *q;
    assert_ok(mopd_prompt_describe(p, &json));
    assert_non_null(strstr(json, "\"method\":\"mopd\""));
    assert_non_null(strstr(json, "\"gate_use\":["));
    assert_non_null(strstr(json, "\"data\":\"caltech \\\"x\\\"\""));
    assert_non_null(strstr(json, mopd_encoder_fingerprint(x.encoder)));
    assert_ok(mopd_prompt_save(p, test_path("copy")));
    assert_true(training_same_files(path, test_path("copy")));
    assert_ok(mopd_prompt_open(&q, test_path("copy"), NULL));
    assert_ok(mopd_prompt_describe(q, &again));
    assert_string_equal(json, again);
    mopd_free(json);
    mopd_free(again);
    mopd_prompt_close(q);
    mopd_prompt_close(p);
    mopd_trainer_free(t);
}

static void gates_come_from_prompts(void **state)
{
    (void)state;
    static const int32_t methods[] = {MOPD_METHOD_MOPD, MOPD_METHOD_MOPD_STATIC, MOPD_METHOD_KD};
    for (int m = 0; m < 3; m++) {
        mopd_trainer_options o = tiny_training(methods[m], 5);
        mopd_run run = training_run(&x);
        mopd_trainer *t = training_create(&x, &o);
        assert_ok(mopd_trainer_run(t, &run));
        mopd_prompt *p;
        mopd_gate *gate;
        assert_ok(mopd_prompt_open(&p, training_save(t, "gated"), x.encoder));
        mopd_trainer_free(t);
        if (m == 2) {
            assert_fails(mopd_gate_create(&gate, p), MOPD_E_STATE, "method kd has no gate");
            assert_null(mopd_prompt_gate(p));
            mopd_prompt_close(p);
            continue;
        }
        uint32_t index[N * 2];
        float weight[N * 2];
        double use[5], sum = 0;
        assert_ok(mopd_gate_create(&gate, p));
        assert_int_equal(mopd_gate_dim(gate), m ? 0 : D);
        assert_ok(mopd_gate_select(gate, x.features, N, index, weight));
        assert_ok(mopd_gate_use(gate, x.features, N, use));
        for (int i = 0; i < 5; i++) sum += use[i];
        assert_true(fabs(sum - 1) < 1e-9);
        for (int i = 1; m && i < N; i++) assert_memory_equal(index, index + 2 * i, 2 * sizeof *index);
        mopd_gate_free(gate);
        mopd_prompt_close(p);
    }
}

/* One file of each format stays readable.  With MOPD_WRITE_GOLD set this test writes the sample anew. */
static void the_sample_of_format_1_is_readable(void **state)
{
    (void)state;
    const char *path = MOPD_TEST_DIR "/gold/prompt_format1.safetensors";
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5);
    mopd_prompt *p;
    if (getenv("MOPD_WRITE_GOLD")) {
        mopd_run run = training_run(&x);
        mopd_trainer *t = training_create(&x, &o);
        assert_ok(mopd_trainer_note(t, "data", "tiny"));
        assert_ok(mopd_trainer_run(t, &run));
        assert_ok(mopd_prompt_create_trainer(&p, t));
        assert_ok(mopd_prompt_save(p, path));
        mopd_prompt_close(p);
        mopd_trainer_free(t);
    }
    mopd_prompt_info info = {.struct_size = sizeof info};
    assert_ok(mopd_prompt_open(&p, path, NULL));
    assert_ok(mopd_prompt_get_info(p, &info));
    assert_int_equal(info.format, 1);
    assert_int_equal(info.method, MOPD_METHOD_MOPD);
    assert_int_equal(info.n_context, 4);
    assert_int_equal(info.text_width, W);
    assert_int_equal(info.dim, D);
    assert_int_equal(info.n_classes, C);
    assert_int_equal(info.n_templates, M);
    assert_int_equal(info.top_k, 2);
    assert_int_equal(info.epoch, 5);
    assert_true(info.accuracy > 0);
    assert_string_equal(mopd_prompt_class_name(p, 5), "zoo");
    assert_string_equal(mopd_prompt_template(p, 1), "{} it is");
    char *json;
    assert_ok(mopd_prompt_describe(p, &json));
    assert_non_null(strstr(json, "\"version\":\"0.1.0\""));
    assert_non_null(strstr(json, "\"data\":\"tiny\""));
    mopd_free(json);
    mopd_prompt_close(p);

    static char bytes[4096];
    size_t n = training_read(path, bytes, sizeof bytes - 1);
    char *at = strstr(bytes + 8, "\"mopd.accuracy\":\"");
    assert_non_null(at);
    at[17] = '-';
    assert_fails(
        mopd_prompt_open(&p, test_write("accuracy", bytes, n), NULL), MOPD_E_FORMAT, "accuracy is \"-");
}

static void another_model_is_a_mismatch(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_COOP, 5);
    mopd_trainer *t = training_create(&x, &o);
    const char *path = training_save(t, "foreign");
    mopd_encoder *other = tiny_open(2, 1);
    mopd_prompt *p;
    mopd_bank *bank;
    assert_fails(mopd_prompt_open(&p, path, other), MOPD_E_MISMATCH, mopd_encoder_fingerprint(other));
    assert_non_null(strstr(mopd_last_error(), mopd_encoder_fingerprint(x.encoder)));
    assert_ok(mopd_prompt_open(&p, path, NULL));
    assert_fails(
        mopd_bank_create_prompt(&bank, other, NULL, 0, p), MOPD_E_MISMATCH, "learned with the model");
    mopd_prompt_close(p);
    mopd_encoder_close(other);
    mopd_trainer_free(t);
}

/* Exchanges q and z in the vocabulary of the tiny model; once more: as it was. */
static void exchange_letters(const char *model)
{
    char vocab[512];
    snprintf(vocab, sizeof vocab, "%s/vocab.json", model);
    char *text = test_read(vocab), *q = strstr(text, "\"\\u0071\":"), *z = strstr(text, "\"\\u007a\":");
    assert_true(q && z);
    memcpy(q, "\"\\u007a\":", 9);
    memcpy(z, "\"\\u0071\":", 9);
    FILE *f = fopen(vocab, "wb");
    assert_true(f && fputs(text, f) >= 0 && !fclose(f));
    free(text);
}

/* The same weights with another vocabulary: another model to a prompt, though not to pictures. */
static void another_vocabulary_is_another_model(void **state)
{
    (void)state;
    const char *model = tiny_model(1);
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5);
    mopd_trainer *t = training_create(&x, &o);
    const char *path = training_save(t, "vocabulary-prompt");
    mopd_trainer_free(t);
    mopd_encoder *other = NULL;
    mopd_prompt *p;
    exchange_letters(model);
    assert_ok(mopd_encoder_open(&other, model, NULL));
    assert_string_equal(mopd_encoder_fingerprint(other), mopd_encoder_fingerprint(x.encoder));
    assert_fails(mopd_prompt_open(&p, path, other), MOPD_E_MISMATCH, "vocabulary");
    mopd_encoder_close(other);
    exchange_letters(model);
    assert_ok(mopd_encoder_open(&other, model, NULL));
    assert_ok(mopd_prompt_open(&p, path, other));
    mopd_prompt_close(p);
    mopd_encoder_close(other);
}

/* docs/method.md 12.7 */
static void banks_follow_their_classes(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    mopd_trainer *t = training_create(&x, &o);
    training_finish(&x, t);
    const char *const mixed[] = {"zoo", "new one", "cat"};
    mopd_bank *own, *other, *no_gate;
    assert_ok(mopd_bank_create_trainer(&own, t, NULL, 0));
    assert_ok(mopd_bank_create_trainer(&other, t, mixed, 3));
    assert_int_equal(mopd_bank_n_classes(own), C);
    const float *a = mopd_bank_features(own), *b = mopd_bank_features(other);
    assert_memory_equal(a + M * D, b, D * sizeof *a);
    assert_memory_equal(a, b + 2 * D, D * sizeof *a);
    test_random(t->state.gate.p, t->state.gate.n, 1); /* the gate has no say */
    assert_ok(mopd_bank_create_trainer(&no_gate, t, mixed, 3));
    assert_memory_equal(mopd_bank_features(no_gate), b, 3 * D * sizeof *b);
    mopd_bank_free(own);
    mopd_bank_free(other);
    mopd_bank_free(no_gate);
    mopd_trainer_free(t);
}

static void class_specific_vectors_meet_no_new_class(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_COOP, 4);
    o.flags = MOPD_TRAIN_CLASS_CONTEXT;
    mopd_trainer *t = training_create(&x, &o);
    training_finish(&x, t);
    const char *const known[] = {"zoo", "cat"}, *const fresh[] = {"zoo", "mouse"};
    mopd_bank *all, *some, *none;
    assert_ok(mopd_bank_create_trainer(&all, t, NULL, 0));
    assert_ok(mopd_bank_create_trainer(&some, t, known, 2));
    assert_memory_equal(mopd_bank_features(all), mopd_bank_features(some) + D, D * sizeof(float));
    assert_fails(mopd_bank_create_trainer(&none, t, fresh, 2), MOPD_E_STATE, "\"mouse\"");
    mopd_bank_free(all);
    mopd_bank_free(some);
    mopd_trainer_free(t);
}

static int open_all(void **state)
{
    (void)state;
    training_open(&x, 1, 2, 2);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    training_close(&x);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_file_at_any_thread_count),
        cmocka_unit_test(another_seed_is_another_file),
        cmocka_unit_test(a_prompt_comes_back_from_its_file),
        cmocka_unit_test(gates_come_from_prompts),
        cmocka_unit_test(the_sample_of_format_1_is_readable),
        cmocka_unit_test(another_model_is_a_mismatch),
        cmocka_unit_test(another_vocabulary_is_another_model),
        cmocka_unit_test(banks_follow_their_classes),
        cmocka_unit_test(class_specific_vectors_meet_no_new_class),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
