/* SPDX-License-Identifier: MIT
 * test_trainer_file.c - prompt files and checkpoints: same bytes at any thread count, stopped and resumed,
 * and files that do not belong or lie. */
#include "test.h"

#include "format/safetensors.h"
#include "support/tiny.h"
#include "train/choose.h"
#include "train/trainer.h"
#include "base/out.h"
#include "base/mem.h"

enum { C = TINY_CLASSES, SHOTS = 4, N = C * SHOTS, V = 2, D = TINY_DIM, W = TINY_WIDTH };

typedef struct fixture {
    mopd_encoder *encoder;
    float features[N * V * D];
    int32_t labels[N];
} fixture;

static void open_fixture(fixture *x, uint32_t model, uint32_t n_threads)
{
    x->encoder = tiny_open(model, n_threads);
    tiny_features(x->encoder, SHOTS, V, 1, x->features, x->labels);
}

static mopd_trainer_options options(int32_t method)
{
    return tiny_training(method, 5);
}

static mopd_run whole_run(const fixture *x)
{
    mopd_run run;
    assert_ok(mopd_run_init(&run, sizeof run));
    run.n = N;
    run.n_views = V;
    run.features = x->features;
    run.labels = x->labels;
    return run;
}

static mopd_trainer *create(const fixture *x, const mopd_trainer_options *o)
{
    mopd_trainer *t;
    assert_ok(mopd_trainer_create(&t, x->encoder, tiny_classes, C, o));
    return t;
}

static const char *save(const mopd_trainer *t, const char *name)
{
    mopd_prompt *p;
    const char *path = test_path(name);
    assert_ok(mopd_prompt_create_trainer(&p, t));
    assert_ok(mopd_prompt_save(p, path));
    mopd_prompt_close(p);
    return path;
}

static size_t read_file(const char *path, char *out, size_t room)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot read %s", path);
    size_t n = fread(out, 1, room, f);
    fclose(f);
    assert_true(n < room);
    return n;
}

static bool same_files(const char *a, const char *b)
{
    static char x[65536], y[65536];
    size_t n = read_file(a, x, sizeof x);
    return read_file(b, y, sizeof y) == n && !memcmp(x, y, n);
}

static void same_seed_same_file_at_any_thread_count(void **state)
{
    (void)state;
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        for (uint32_t threads = 1; threads <= 3; threads++) {
            fixture x;
            char name[32];
            open_fixture(&x, 1, threads);
            mopd_trainer_options o = options(method);
            mopd_trainer *t = create(&x, &o);
            mopd_run run = whole_run(&x);
            assert_ok(mopd_trainer_run(t, &run));
            snprintf(name, sizeof name, "threads%u", (unsigned)threads);
            save(t, name);
            mopd_trainer_free(t);
            mopd_encoder_close(x.encoder);
        }
        assert_true(same_files(test_path("threads1"), test_path("threads2")));
        assert_true(same_files(test_path("threads1"), test_path("threads3")));
    }
}

typedef struct stopper {
    int asked, at;
} stopper;

static int stop_asked(void *context)
{
    stopper *s = context;
    return s->asked++ == s->at;
}

static int count_asked(void *context)
{
    ((stopper *)context)->asked++;
    return 0;
}

/* Wherever in a step a run is stopped, it goes on, or is resumed from its checkpoint, as if nothing had happened. */
static void a_step_abandoned_harms_nothing(void **state)
{
    const fixture *x = *state;
    static const int32_t methods[] = {MOPD_METHOD_MOPD, MOPD_METHOD_MOPD_RANDOM, MOPD_METHOD_PROGRAD};
    for (int m = 0; m < 3; m++) {
        mopd_trainer_options o = options(methods[m]);
        o.memory_limit = 40000; /* several chunks of classes */
        stopper s = {0};
        mopd_run run = whole_run(x);
        run.stop = count_asked;
        run.stop_context = &s;
        mopd_trainer *t = create(x, &o);
        assert_true(mo_student_chunks(t->student) > 1);
        assert_ok(mopd_trainer_run(t, &run));
        save(t, "not-stopped");
        mopd_trainer_free(t);
        assert_true(s.asked > (int)(3 * o.epochs * N / o.batch)); /* more than between passes */
        const int whole = s.asked;
        run.stop = stop_asked;
        for (int at = 0; at < whole; at += 1 + whole / 23) {
            t = create(x, &o);
            s = (stopper){.at = at};
            run.checkpoint = test_path("stopped-checkpoint");
            assert_fails(mopd_trainer_run(t, &run), MOPD_E_CANCELLED, "cancelled");
            assert_int_equal(s.asked, at + 1);
            mopd_trainer *resumed = create(x, &o);
            assert_ok(mopd_trainer_resume(resumed, run.checkpoint));
            run.checkpoint = NULL;
            assert_ok(mopd_trainer_run(t, &run));
            save(t, "stopped");
            assert_ok(mopd_trainer_run(resumed, &run));
            save(resumed, "stopped-resumed");
            mopd_trainer_free(resumed);
            mopd_trainer_free(t);
            assert_true(same_files(test_path("not-stopped"), test_path("stopped")));
            assert_true(same_files(test_path("not-stopped"), test_path("stopped-resumed")));
        }
    }
}

static void another_seed_is_another_file(void **state)
{
    const fixture *x = *state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_run run = whole_run(x);
    mopd_trainer *a = create(x, &o);
    o.seed = 2;
    mopd_trainer *b = create(x, &o);
    assert_ok(mopd_trainer_run(a, &run));
    assert_ok(mopd_trainer_run(b, &run));
    assert_memory_not_equal(a->state.context.p, b->state.context.p, 4 * W * sizeof(float));
    mopd_trainer_free(a);
    mopd_trainer_free(b);
}

static int stop_at(void *ctx, const mopd_step *step)
{
    uint32_t *left = ctx;
    (void)step;
    return --*left == 0;
}

/* Stopped after some steps and resumed in a new trainer. */
static void stopping_and_resuming_gives_the_same_bytes(void **state)
{
    const fixture *x = *state;
    static const int32_t methods[] = {MOPD_METHOD_MOPD, MOPD_METHOD_MOPD_RANDOM, MOPD_METHOD_PROGRAD};
    for (int m = 0; m < 3; m++) {
        mopd_trainer_options o = options(methods[m]);
        mopd_run run = whole_run(x);
        mopd_trainer *t = create(x, &o);
        assert_ok(mopd_trainer_note(t, "shots", "4"));
        run.checkpoint = test_path("whole-checkpoint");
        assert_ok(mopd_trainer_run(t, &run));
        save(t, "whole");
        mopd_trainer_free(t);
        for (uint32_t steps = 1; steps <= 15; steps += 1 + 2 * steps) { /* 1, 4, 13: within epochs 1, 2, 5 */
            uint32_t left = steps;
            t = create(x, &o);
            assert_ok(mopd_trainer_note(t, "shots", "4"));
            run.checkpoint = test_path("checkpoint");
            run.on_step = stop_at;
            run.step_context = &left;
            assert_fails(mopd_trainer_run(t, &run), MOPD_E_CANCELLED, "cancelled in epoch");
            mopd_trainer_free(t);
            t = create(x, &o);
            assert_ok(mopd_trainer_resume(t, test_path("checkpoint")));
            assert_int_equal(t->state.total, steps);
            run.on_step = NULL;
            assert_ok(mopd_trainer_run(t, &run));
            if (!same_files(test_path("whole"), save(t, "resumed")))
                fail_msg("another prompt after stopping at step %u", steps);
            assert_true(same_files(test_path("whole-checkpoint"), test_path("checkpoint")));
            mopd_trainer_free(t);
        }
    }
}

static int stop_after_epoch(void *ctx, const mopd_epoch *epoch)
{
    return epoch->epoch == *(uint32_t *)ctx;
}

static void a_cancelled_trainer_runs_on(void **state)
{
    const fixture *x = *state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_run run = whole_run(x);
    mopd_trainer *a = create(x, &o), *b = create(x, &o);
    assert_ok(mopd_trainer_run(a, &run));
    uint32_t after = 2;
    run.on_epoch = stop_after_epoch;
    run.epoch_context = &after;
    assert_fails(mopd_trainer_run(b, &run), MOPD_E_CANCELLED, "cancelled after epoch 2");
    run.on_epoch = NULL;
    run.n_views = 1;
    assert_fails(mopd_trainer_run(b, &run), MOPD_E_MISMATCH, "\"views\":2");
    run.n_views = V;
    assert_ok(mopd_trainer_run(b, &run));
    assert_true(same_files(save(a, "a"), save(b, "b")));
    mopd_trainer_free(a);
    mopd_trainer_free(b);
}

static void a_prompt_comes_back_from_its_file(void **state)
{
    const fixture *x = *state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    o.class_position = MOPD_CLASS_MIDDLE;
    o.top_k = 3;
    mopd_run run = whole_run(x);
    mopd_trainer *t = create(x, &o);
    assert_ok(mopd_trainer_note(t, "data", "old"));
    assert_ok(mopd_trainer_note(t, "data", "caltech \"x\""));
    assert_fails(mopd_trainer_note(t, "data", "\xff"), MOPD_E_ARG, "no UTF-8");
    assert_ok(mopd_trainer_run(t, &run));
    const char *path = save(t, "prompt");
    mopd_prompt *p;
    mopd_prompt_info info = {.struct_size = sizeof info};
    assert_ok(mopd_prompt_open(&p, path, x->encoder));
    assert_ok(mopd_prompt_get_info(p, &info));
    assert_int_equal(info.format, 1);
    assert_int_equal(info.method, MOPD_METHOD_MOPD);
    assert_int_equal(info.class_position, MOPD_CLASS_MIDDLE);
    assert_int_equal(info.n_context, 4);
    assert_int_equal(info.text_width, W);
    assert_int_equal(info.dim, D);
    assert_int_equal(info.n_classes, C);
    assert_int_equal(info.n_templates, 5);
    assert_int_equal(info.top_k, 3);
    assert_int_equal(info.epoch, 5);
    assert_int_equal(info.flags, MOPD_PROMPT_GATE);
    assert_true(info.accuracy == t->notes.accuracy && info.accuracy > 0);
    assert_memory_equal(mopd_prompt_context(p), t->state.context.p, 4 * W * sizeof(float));
    assert_memory_equal(mopd_prompt_gate(p), t->state.gate.p, 5 * D * sizeof(float));
    assert_string_equal(mopd_prompt_class_name(p, 1), "sea_or_lake");
    assert_null(mopd_prompt_class_name(p, C));
    assert_string_equal(mopd_prompt_template(p, 4), "is it {}?");

    mopd_bank *a, *b;
    assert_ok(mopd_bank_create_trainer(&a, t, NULL, 0));
    assert_ok(mopd_bank_create_prompt(&b, x->encoder, NULL, 0, p));
    assert_memory_equal(mopd_bank_features(a), mopd_bank_features(b), C * D * sizeof(float));
    mopd_bank_free(a);
    mopd_bank_free(b);

    char *json, *again;
    mopd_prompt *q;
    assert_ok(mopd_prompt_describe(p, &json));
    assert_non_null(strstr(json, "\"method\":\"mopd\""));
    assert_non_null(strstr(json, "\"gate_use\":["));
    assert_non_null(strstr(json, "\"data\":\"caltech \\\"x\\\"\""));
    assert_non_null(strstr(json, mopd_encoder_fingerprint(x->encoder)));
    assert_ok(mopd_prompt_save(p, test_path("copy")));
    assert_true(same_files(path, test_path("copy")));
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
    const fixture *x = *state;
    static const int32_t methods[] = {MOPD_METHOD_MOPD, MOPD_METHOD_MOPD_STATIC, MOPD_METHOD_KD};
    for (int m = 0; m < 3; m++) {
        mopd_trainer_options o = options(methods[m]);
        mopd_run run = whole_run(x);
        mopd_trainer *t = create(x, &o);
        assert_ok(mopd_trainer_run(t, &run));
        mopd_prompt *p;
        mopd_gate *gate;
        assert_ok(mopd_prompt_open(&p, save(t, "gated"), x->encoder));
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
        assert_ok(mopd_gate_select(gate, x->features, N, index, weight));
        assert_ok(mopd_gate_use(gate, x->features, N, use));
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
    const fixture *x = *state;
    const char *path = MOPD_TEST_DIR "/gold/prompt_format1.safetensors";
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_prompt *p;
    if (getenv("MOPD_WRITE_GOLD")) {
        mopd_run run = whole_run(x);
        mopd_trainer *t = create(x, &o);
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
    assert_int_equal(info.n_templates, 5);
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
    size_t n = read_file(path, bytes, sizeof bytes - 1);
    char *at = strstr(bytes + 8, "\"mopd.accuracy\":\"");
    assert_non_null(at);
    at[17] = '-';
    assert_fails(
        mopd_prompt_open(&p, test_write("accuracy", bytes, n), NULL), MOPD_E_FORMAT, "accuracy is \"-");
}

/* ---- files that do not belong, or lie ---- */

static void another_model_is_a_mismatch(void **state)
{
    const fixture *x = *state;
    mopd_trainer_options o = options(MOPD_METHOD_COOP);
    mopd_trainer *t = create(x, &o);
    const char *path = save(t, "foreign");
    mopd_encoder *other = tiny_open(2, 1);
    mopd_prompt *p;
    mopd_bank *bank;
    assert_fails(mopd_prompt_open(&p, path, other), MOPD_E_MISMATCH, mopd_encoder_fingerprint(other));
    assert_non_null(strstr(mopd_last_error(), mopd_encoder_fingerprint(x->encoder)));
    assert_ok(mopd_prompt_open(&p, path, NULL));
    assert_fails(
        mopd_bank_create_prompt(&bank, other, NULL, 0, p), MOPD_E_MISMATCH, "learned with the model");
    mopd_prompt_close(p);
    mopd_encoder_close(other);
    mopd_trainer_free(t);
}

static void only_the_right_checkpoint_resumes(void **state)
{
    const fixture *x = *state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(x, &o);
    const char *prompt = save(t, "no-checkpoint"), *path = test_path("checkpoint");
    assert_ok(mopd_trainer_checkpoint(t, path));
    assert_fails(mopd_trainer_resume(t, prompt), MOPD_E_STATE, "not a checkpoint");
    mopd_trainer_free(t);
    o.w = 0.5f;
    t = create(x, &o);
    assert_fails(mopd_trainer_resume(t, path), MOPD_E_MISMATCH, "with w 0.8, the trainer has 0.5");
    mopd_trainer_free(t);
    o = options(MOPD_METHOD_MOPD);
    o.n_templates = 4;
    t = create(x, &o);
    assert_fails(mopd_trainer_resume(t, path), MOPD_E_MISMATCH, "5 templates, the trainer has 4");
    mopd_trainer_free(t);
    o = options(MOPD_METHOD_MOPD);
    assert_ok(mopd_trainer_create(&t, x->encoder, tiny_classes, C - 1, &o));
    assert_fails(mopd_trainer_resume(t, path), MOPD_E_MISMATCH, "6 classes, the trainer has 5");
    assert_fails(mopd_trainer_resume(t, test_path("nowhere")), MOPD_E_IO, "nowhere");
    mopd_trainer_free(t);
    mopd_prompt *p;
    mopd_prompt_info info = {.struct_size = sizeof info};
    assert_ok(mopd_prompt_open(&p, path, x->encoder));
    assert_ok(mopd_prompt_get_info(p, &info));
    assert_int_equal(info.flags, MOPD_PROMPT_GATE | MOPD_PROMPT_CHECKPOINT);
    mopd_prompt_close(p);
}

/* Cut at every length: always an error, never a crash. */
static void truncated_files_are_refused(void **state)
{
    const fixture *x = *state;
    static char bytes[65536];
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(x, &o);
    size_t n = read_file(save(t, "long"), bytes, sizeof bytes);
    mopd_trainer_free(t);
    for (size_t cut = 0; cut < n; cut += 1 + cut % 97) {
        mopd_prompt *p;
        const char *path = test_write("short", bytes, cut);
        assert_fails(mopd_prompt_open(&p, path, x->encoder), MOPD_E_FORMAT, "short");
        assert_null(p);
    }
}

/* A prompt file whose metadata was changed: `from` replaced by `to`, of the same length. */
static const char *forge(const fixture *x, const char *from, const char *to)
{
    static char bytes[65536];
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(x, &o);
    size_t n = read_file(save(t, "true"), bytes, sizeof bytes), length = strlen(from);
    mopd_trainer_free(t);
    assert_int_equal(length, strlen(to));
    bool found = false;
    for (size_t i = 0; i + length <= n; i++) {
        if (memcmp(bytes + i, from, length) != 0) continue;
        memcpy(bytes + i, to, length);
        found = true;
    }
    assert_true(found);
    return test_write("forged", bytes, n);
}

static void files_that_lie_are_refused(void **state)
{
    const fixture *x = *state;
    mopd_prompt *p;
    static const struct {
        const char *from, *to;
        mopd_status st;
        const char *words;
    } lies[] = {
        {"\"mopd.format\":\"1\"", "\"mopd.format\":\"2\"", MOPD_E_VERSION,
            "format 2, this library reads format 1"},
        {"\"mopd.format\":\"1\"", "\"mopd.format\":\"x\"", MOPD_E_FORMAT, "not a number"},
        {"\"mopd.kind\"", "\"mopd.kinD\"", MOPD_E_FORMAT, "not a prompt file"},
        {"\"mopd.method\":\"mopd\"", "\"mopd.method\":\"mopf\"", MOPD_E_FORMAT, "method \"mopf\" is unknown"},
        {"\"mopd.classes\":\"[", "\"mopd.classes\":\"{", MOPD_E_FORMAT, "mopd.classes"},
        {"\"mopd.classes\":", "\"mopd.clasess\":", MOPD_E_FORMAT, "\"mopd.classes\" is missing"},
        {"\\\"top_k\\\":2", "\\\"top_k\\\":9", MOPD_E_FORMAT, "top_k is 9 of 5"},
        {"\"mopd.dim\":\"12\"", "\"mopd.dim\":\"13\"", MOPD_E_FORMAT, "tensor \"gate\""},
        {"\\\"class_position\\\":\\\"end\\\"", "\\\"class_position\\\":\\\"enD\\\"", MOPD_E_FORMAT,
            "class_position"},
        {"\"context\"", "\"kontext\"", MOPD_E_FORMAT, "context"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const char *path = forge(x, lies[i].from, lies[i].to);
        assert_fails(mopd_prompt_open(&p, path, NULL), lies[i].st, lies[i].words);
    }
    assert_fails(mopd_prompt_open(&p, test_write("text", "hello, world", 12), NULL), MOPD_E_FORMAT, "text");
    assert_fails(mopd_prompt_open(&p, test_path("missing"), NULL), MOPD_E_IO, "missing");
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
    const fixture *x = *state;
    const char *model = tiny_model(1);
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(x, &o);
    const char *path = save(t, "vocabulary-prompt");
    mopd_trainer_free(t);
    mopd_encoder *other = NULL;
    mopd_prompt *p;
    exchange_letters(model);
    assert_ok(mopd_encoder_open(&other, model, NULL));
    assert_string_equal(mopd_encoder_fingerprint(other), mopd_encoder_fingerprint(x->encoder));
    assert_fails(mopd_prompt_open(&p, path, other), MOPD_E_MISMATCH, "vocabulary");
    mopd_encoder_close(other);
    exchange_letters(model);
    assert_ok(mopd_encoder_open(&other, model, NULL));
    assert_ok(mopd_prompt_open(&p, path, other));
    mopd_prompt_close(p);
    mopd_encoder_close(other);
}

/* What a kill between two writes leaves: a half-written file beside an old one that is whole. */
static void a_half_written_file_beside_harms_nothing(void **state)
{
    const fixture *x = *state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(x, &o);
    const char *path = test_path("kept");
    assert_ok(mopd_trainer_checkpoint(t, path));
    mo_out out;
    assert_ok(mo_out_open(&out, path));
    assert_ok(mo_out_write(&out, "half", 4));
    fclose(out.stream); /* killed here: neither commit nor drop */
    mo_mem_free(out.path);
    mo_mem_free(out.temp);
    assert_ok(mopd_trainer_resume(t, path));
    assert_ok(mopd_trainer_checkpoint(t, path));
    assert_ok(mopd_trainer_resume(t, path));
    assert_fails(mopd_trainer_checkpoint(t, test_path("no/such/folder")), MOPD_E_IO, "folder");
    mopd_trainer_free(t);
}

/* ---- choosing settings ---- */

static void settings_are_chosen_and_reported(void **state)
{
    const fixture *x = *state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD), again = o;
    mopd_run run = whole_run(x);
    char *report, *second;
    assert_ok(mopd_trainer_options_choose(&o, x->encoder, tiny_classes, C, &run, &report));
    assert_ok(mopd_trainer_options_choose(&again, x->encoder, tiny_classes, C, &run, &second));
    assert_string_equal(report, second);
    assert_true(o.w == again.w && o.w2 == again.w2 && o.top_k == again.top_k);
    assert_true(o.w > 0 && o.w <= 1 && o.top_k >= 1 && o.top_k <= 3);
    assert_int_equal(o.epochs, 5);
    assert_non_null(strstr(report, "\"base_classes\":3,\"new_classes\":3"));
    assert_non_null(strstr(report, "\"train\":9,\"held_out\":3"));
    int tried = 0;
    for (const char *at = report; (at = strstr(at, "\"h\":")); at++) tried++;
    assert_true(tried >= 6);
    mopd_free(report);
    mopd_free(second);
}

static void choosing_needs_something_to_choose_from(void **state)
{
    const fixture *x = *state;
    mopd_run run = whole_run(x);
    mopd_trainer_options o = options(MOPD_METHOD_COOP);
    assert_fails(
        mopd_trainer_options_choose(&o, x->encoder, tiny_classes, C, &run, NULL), MOPD_E_ARG, "method coop");
    o = options(MOPD_METHOD_MOPD);
    o.flags = MOPD_TRAIN_CLASS_CONTEXT;
    assert_fails(mopd_trainer_options_choose(&o, x->encoder, tiny_classes, C, &run, NULL), MOPD_E_ARG,
        "class-specific");
    o.flags = 0;
    run.n = 3 * SHOTS;
    assert_fails(
        mopd_trainer_options_choose(&o, x->encoder, tiny_classes, 3, &run, NULL), MOPD_E_ARG, "3 classes");
    uint32_t left = 3;
    run = whole_run(x);
    run.on_step = stop_at;
    run.step_context = &left;
    assert_fails(mopd_trainer_options_choose(&o, x->encoder, tiny_classes, C, &run, NULL), MOPD_E_CANCELLED,
        "cancelled");
}

/* ---- torture ---- */

static mopd_status all_of_it(void *ctx)
{
    const fixture *x = ctx;
    const char *const two[] = {"cat", "dog"};
    mopd_encoder_options eo;
    mopd_encoder *e = NULL;
    mopd_trainer *t = NULL;
    mopd_prompt *p = NULL;
    mopd_bank *bank = NULL;
    char *json = NULL, *report = NULL;
    int32_t labels[4] = {0, 1, 0, 1};
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_run run = whole_run(x);
    o.epochs = 2;
    o.n_templates = 2;
    run.n = 4;
    run.labels = labels;
    const char *checkpoint = test_path("torture-checkpoint");
    mopd_status st = mopd_encoder_options_init(&eo, sizeof eo);
    eo.n_threads = 1;
    if (st == MOPD_OK) st = mopd_encoder_open(&e, tiny_model(1), &eo);
    if (st == MOPD_OK) st = mopd_trainer_create(&t, e, two, 2, &o);
    if (st == MOPD_OK) st = mopd_trainer_note(t, "key", "text");
    if (st == MOPD_OK) st = mopd_trainer_run(t, &run);
    if (st == MOPD_OK) st = mopd_trainer_checkpoint(t, checkpoint);
    if (st == MOPD_OK) st = mopd_trainer_resume(t, checkpoint);
    if (st == MOPD_OK) st = mopd_prompt_create_trainer(&p, t);
    if (st == MOPD_OK) st = mopd_prompt_save(p, test_path("torture"));
    mopd_prompt_close(p);
    p = NULL;
    if (st == MOPD_OK) st = mopd_prompt_open(&p, test_path("torture"), e);
    if (st == MOPD_OK) st = mopd_prompt_describe(p, &json);
    if (st == MOPD_OK) st = mopd_bank_create_prompt(&bank, e, two, 2, p);
    mopd_free(report);
    mopd_free(json);
    mopd_bank_free(bank);
    mopd_prompt_close(p);
    mopd_trainer_free(t);
    mopd_encoder_close(e);
    return st;
}

static mopd_status choice(void *ctx)
{
    const fixture *x = ctx;
    mopd_encoder_options eo;
    mopd_encoder *e = NULL;
    char *report = NULL;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD_STATIC);
    mopd_run run = whole_run(x);
    o.epochs = 1;
    o.n_templates = 1;
    o.top_k = 1;
    mopd_status st = mopd_encoder_options_init(&eo, sizeof eo);
    eo.n_threads = 1;
    if (st == MOPD_OK) st = mopd_encoder_open(&e, tiny_model(1), &eo);
    if (st == MOPD_OK) st = mopd_trainer_options_choose(&o, e, tiny_classes, C, &run, &report);
    mopd_free(report);
    mopd_encoder_close(e);
    return st;
}

static void out_of_memory_leaks_nothing(void **state)
{
    fixture *x = *state;
    mopd_encoder_close(x->encoder); /* an allocator is changed while nothing lives */
    x->encoder = NULL;
    test_torture(all_of_it, x);
    test_torture(choice, x);
}

static int open_all(void **state)
{
    static fixture x;
    open_fixture(&x, 1, 2);
    *state = &x;
    return 0;
}

static int close_all(void **state)
{
    mopd_encoder_close(((fixture *)*state)->encoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_file_at_any_thread_count),
        cmocka_unit_test(another_seed_is_another_file),
        cmocka_unit_test(stopping_and_resuming_gives_the_same_bytes),
        cmocka_unit_test(a_cancelled_trainer_runs_on),
        cmocka_unit_test(a_prompt_comes_back_from_its_file),
        cmocka_unit_test(gates_come_from_prompts),
        cmocka_unit_test(the_sample_of_format_1_is_readable),
        cmocka_unit_test(another_model_is_a_mismatch),
        cmocka_unit_test(only_the_right_checkpoint_resumes),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(files_that_lie_are_refused),
        cmocka_unit_test(another_vocabulary_is_another_model),
        cmocka_unit_test(a_step_abandoned_harms_nothing),
        cmocka_unit_test(a_half_written_file_beside_harms_nothing),
        cmocka_unit_test(settings_are_chosen_and_reported),
        cmocka_unit_test(choosing_needs_something_to_choose_from),
        cmocka_unit_test(out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
