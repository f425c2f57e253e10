/* SPDX-License-Identifier: MIT
 * test_trainer_resume.c - checkpoints: stopped anywhere and resumed to the same bytes; those that belong to others, or lie. */
#include "support/trainings.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/out.h"

static training x;

static int stop_at(void *ctx, const mopd_step *step)
{
    uint32_t *left = ctx;
    (void)step;
    return --*left == 0;
}

/* Stopped after some steps and resumed in a new trainer. */
static void stopping_and_resuming_gives_the_same_bytes(void **state)
{
    (void)state;
    static const int32_t methods[] = {MOPD_METHOD_MOPD, MOPD_METHOD_MOPD_RANDOM, MOPD_METHOD_PROGRAD};
    for (int m = 0; m < 3; m++) {
        mopd_trainer_options o = tiny_training(methods[m], 5);
        mopd_run run = training_run(&x);
        mopd_trainer *t = training_create(&x, &o);
        assert_ok(mopd_trainer_note(t, "shots", "4"));
        run.checkpoint = test_path("whole-checkpoint");
        assert_ok(mopd_trainer_run(t, &run));
        training_save(t, "whole");
        mopd_trainer_free(t);
        for (uint32_t steps = 1; steps <= 15; steps += 1 + 2 * steps) { /* 1, 4, 13: within epochs 1, 2, 5 */
            uint32_t left = steps;
            t = training_create(&x, &o);
            assert_ok(mopd_trainer_note(t, "shots", "4"));
            run.checkpoint = test_path("checkpoint");
            run.on_step = stop_at;
            run.step_context = &left;
            assert_fails(mopd_trainer_run(t, &run), MOPD_E_CANCELLED, "cancelled in epoch");
            mopd_trainer_free(t);
            t = training_create(&x, &o);
            assert_ok(mopd_trainer_resume(t, test_path("checkpoint")));
            assert_int_equal(t->state.total, steps);
            run.on_step = NULL;
            assert_ok(mopd_trainer_run(t, &run));
            if (!training_same_files(test_path("whole"), training_save(t, "resumed")))
                fail_msg("another prompt after stopping at step %u", steps);
            assert_true(training_same_files(test_path("whole-checkpoint"), test_path("checkpoint")));
            mopd_trainer_free(t);
        }
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
    (void)state;
    static const int32_t methods[] = {MOPD_METHOD_MOPD, MOPD_METHOD_MOPD_RANDOM, MOPD_METHOD_PROGRAD};
    for (int m = 0; m < 3; m++) {
        mopd_trainer_options o = tiny_training(methods[m], 5);
        o.memory_limit = 40000; /* several chunks of classes */
        stopper s = {0};
        mopd_run run = training_run(&x);
        run.stop = count_asked;
        run.stop_context = &s;
        mopd_trainer *t = training_create(&x, &o);
        assert_true(mo_student_chunks(t->student) > 1);
        assert_ok(mopd_trainer_run(t, &run));
        training_save(t, "not-stopped");
        mopd_trainer_free(t);
        assert_true(s.asked > (int)(3 * o.epochs * N / o.batch)); /* more than between passes */
        const int whole = s.asked;
        run.stop = stop_asked;
        for (int at = 0; at < whole; at += 1 + whole / TEST_TIMES(23, 7)) {
            t = training_create(&x, &o);
            s = (stopper){.at = at};
            run.checkpoint = test_path("stopped-checkpoint");
            assert_fails(mopd_trainer_run(t, &run), MOPD_E_CANCELLED, "cancelled");
            assert_int_equal(s.asked, at + 1);
            mopd_trainer *resumed = training_create(&x, &o);
            assert_ok(mopd_trainer_resume(resumed, run.checkpoint));
            run.checkpoint = NULL;
            assert_ok(mopd_trainer_run(t, &run));
            training_save(t, "stopped");
            assert_ok(mopd_trainer_run(resumed, &run));
            training_save(resumed, "stopped-resumed");
            mopd_trainer_free(resumed);
            mopd_trainer_free(t);
            assert_true(training_same_files(test_path("not-stopped"), test_path("stopped")));
            assert_true(training_same_files(test_path("not-stopped"), test_path("stopped-resumed")));
        }
    }
}

static void only_the_right_checkpoint_resumes(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5);
    mopd_trainer *t = training_create(&x, &o);
    const char *prompt = training_save(t, "no-checkpoint"), *path = test_path("checkpoint");
    assert_ok(mopd_trainer_checkpoint(t, path));
    assert_fails(mopd_trainer_resume(t, prompt), MOPD_E_STATE, "not a checkpoint");
    mopd_trainer_free(t);
    o.w = 0.5f;
    t = training_create(&x, &o);
    assert_fails(mopd_trainer_resume(t, path), MOPD_E_MISMATCH, "with w 0.8, the trainer has 0.5");
    mopd_trainer_free(t);
    o = tiny_training(MOPD_METHOD_MOPD, 5);
    o.n_templates = 4;
    t = training_create(&x, &o);
    assert_fails(mopd_trainer_resume(t, path), MOPD_E_MISMATCH, "5 templates, the trainer has 4");
    mopd_trainer_free(t);
    o = tiny_training(MOPD_METHOD_MOPD, 5);
    assert_ok(mopd_trainer_create(&t, x.encoder, tiny_classes, C - 1, &o));
    assert_fails(mopd_trainer_resume(t, path), MOPD_E_MISMATCH, "6 classes, the trainer has 5");
    assert_fails(mopd_trainer_resume(t, test_path("nowhere")), MOPD_E_IO, "nowhere");
    mopd_trainer_free(t);
    mopd_prompt *p;
    mopd_prompt_info info = {.struct_size = sizeof info};
    assert_ok(mopd_prompt_open(&p, path, x.encoder));
    assert_ok(mopd_prompt_get_info(p, &info));
    assert_int_equal(info.flags, MOPD_PROMPT_GATE | MOPD_PROMPT_CHECKPOINT);
    mopd_prompt_close(p);
}

/* What a kill between two writes leaves: a half-written file beside an old one that is whole. */
static void a_half_written_file_beside_harms_nothing(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5);
    mopd_trainer *t = training_create(&x, &o);
    const char *path = test_path("kept");
    assert_ok(mopd_trainer_checkpoint(t, path));
    mo_out out;
    assert_ok(mo_out_open(&out, path));
    assert_ok(mo_out_write(&out, "half", 4));
    fclose(out.stream); /* killed here: neither commit nor drop */
    mo_os_dir_close(out.folder);
    mo_mem_free(out.path);
    mo_mem_free(out.name);
    assert_ok(mopd_trainer_resume(t, path));
    assert_ok(mopd_trainer_checkpoint(t, path));
    assert_ok(mopd_trainer_resume(t, path));
    assert_fails(mopd_trainer_checkpoint(t, test_path("no/such/folder")), MOPD_E_IO, "folder");
    mopd_trainer_free(t);
}

/* ---- checkpoints that lie ---- */

static char whole[1 << 16]; /* a checkpoint of a trainer stopped within epoch 2 */
static size_t n_whole, n_header;

/* The checkpoint with the first `from` of its header replaced by `to`, whose length may be another. */
static const char *forge(const char *from, const char *to)
{
    static char bytes[1 << 16];
    char *at = NULL;
    for (size_t i = 8; i + strlen(from) <= 8 + n_header && !at; i++)
        if (!memcmp(whole + i, from, strlen(from))) at = whole + i;
    if (!at) fail_msg("the header has no %s", from);
    size_t before = (size_t)(at - whole), rest = before + strlen(from);
    uint64_t header = n_header + strlen(to) - strlen(from);
    memcpy(bytes, whole, before);
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + before, to, strlen(to));
    memcpy(bytes + before + strlen(to), whole + rest, n_whole - rest);
    return test_write("forged", bytes, n_whole + strlen(to) - strlen(from));
}

/* A refused checkpoint leaves the trainer as it was. */
static void assert_not_resumed(mopd_trainer *t, const char *path, mopd_status st, const char *words)
{
    float context[4 * W], gate[M * D];
    const mo_trainer_state before = t->state;
    memcpy(context, t->state.context.p, sizeof context);
    memcpy(gate, t->state.gate.p, sizeof gate);
    assert_fails(mopd_trainer_resume(t, path), st, words);
    assert_non_null(strstr(mopd_last_error(), path));
    assert_memory_equal(&before, &t->state, sizeof before);
    assert_memory_equal(context, t->state.context.p, sizeof context);
    assert_memory_equal(gate, t->state.gate.p, sizeof gate);
    assert_true(t->notes.accuracy == -1 && !t->notes.data && !t->notes.host.key.n);
}

static void the_true_checkpoint_is_taken_over(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 5);
    assert_ok(mopd_trainer_note(t, "shots", "mine"));
    assert_ok(mopd_trainer_resume(t, test_write("true", whole, n_whole)));
    assert_true(t->state.epoch == 1 && t->state.step == 1 && t->state.total == 4);
    assert_int_equal(t->state.sums.n_seen, B);
    assert_true(t->state.sums.loss > 0 && t->state.sums.n_correct <= B);
    assert_int_equal(t->notes.host.key.n, 2); /* its own stays, the other comes */
    assert_string_equal(t->notes.host.text.name[0], "mine");
    assert_string_equal(t->notes.host.text.name[1], "tiny");
    assert_non_null(t->notes.data);
    assert_ok(mopd_trainer_checkpoint(t, test_path("true-again")));
    assert_ok(mopd_trainer_resume(t, test_path("true-again"))); /* as often as one likes */
    assert_int_equal(t->state.total, 4);
    mopd_trainer_free(t);
}

static void positions_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
    } lies[] = {
        {"\"mopd.position\":\"{", "\"mopd.position\":\"[", "mopd.position"},
        {"\\\"epoch\\\":1", "\\\"epoch\\\":-1", "position \"epoch\" is -1"},
        {"\\\"epoch\\\":1", "\\\"epoch\\\":6", "6 epochs of 5 are done"},
        {"\\\"epoch\\\":1", "\\\"epoch\\\":1.5", "epoch"},
        {"\\\"epoch\\\":1", "\\\"epoch\\\":\\\"1\\\"", "epoch"},
        {"\\\"epoch\\\":1", "\\\"epuch\\\":1", "epoch"},
        {"\\\"step\\\":1", "\\\"step\\\":9223372036854775807", "position \"step\" is 9223372036854775807"},
        {"\\\"step\\\":1", "\\\"stop\\\":1", "step"},
        {"\\\"total\\\":4", "\\\"total\\\":-4", "position \"total\" is -4"},
        {"\\\"loss\\\":", "\\\"lost\\\":", "loss"},
        {"\\\"ce\\\":", "\\\"ce\\\":null,\\\"c\\\":", "ce"},
        {"\\\"mpd\\\":", "\\\"mpd\\\":\\\"x\\\",\\\"m\\\":", "mpd"},
        {"\\\"mps\\\":", "\\\"mqs\\\":", "mps"},
        {"\\\"reg\\\":", "\\\"rag\\\":", "reg"},
        {"\\\"correct\\\":", "\\\"correct\\\":-1,\\\"c\\\":", "position \"correct\" is -1"},
        {"\\\"seen\\\":8", "\\\"seen\\\":false", "seen"},
        {"\"velocity.context\"", "\"velocity.kontext\"", "velocity.context"},
        {"\"velocity.gate\"", "\"velocity.gates\"", "velocity.gate"},
        {"\"velocity.gate\":{\"dtype\":\"F32\"", "\"velocity.gate\":{\"dtype\":\"I32\"",
            "tensor \"velocity.gate\" holds 60 numbers, 60 finite ones are needed"},
    };
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 5);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        assert_not_resumed(t, forge(lies[i].from, lies[i].to), MOPD_E_FORMAT, lies[i].words);
    mopd_trainer_free(t);
}

static void other_trainings_are_refused(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 5);
    assert_not_resumed(t, forge("\"mopd.position\"", "\"mopd.positiom\""), MOPD_E_STATE, "not a checkpoint");
    assert_not_resumed(t, forge("[\\\"cat\\\",\\\"sea_or_lake\\\"", "[\\\"sea_or_lake\\\",\\\"cat\\\""),
        MOPD_E_MISMATCH, "classes 0 is \"sea_or_lake\", the trainer has \"cat\"");
    assert_not_resumed(t, forge("\\\"{} it is\\\"", "\\\"{} it was\\\""), MOPD_E_MISMATCH,
        "templates 1 is \"{} it was\", the trainer has \"{} it is\"");
    assert_not_resumed(t, forge("\\\"epochs\\\":5", "\\\"epochs\\\":6"), MOPD_E_MISMATCH,
        "was made with epochs 6, the trainer has 5");
    assert_not_resumed(t, forge("\"mopd.fingerprint\":\"", "\"mopd.fingerprint\":\"\",\"x\":\""),
        MOPD_E_MISMATCH, "learned with the model ");
    mopd_trainer_free(t);
}

/* Velocities stand at the end of the file, that of the context first. */
static void velocities_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    static char copy[1 << 16];
    static const float wrong[] = {NAN, INFINITY};
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 5);
    size_t gate = n_whole - M * D * sizeof(float), context = gate - 4 * W * sizeof(float);
    for (int i = 0; i < 2; i++) {
        memcpy(copy, whole, n_whole);
        memcpy(copy + context, wrong + i, 4);
        assert_not_resumed(t, test_write("spoiled", copy, n_whole), MOPD_E_FORMAT,
            "tensor \"velocity.context\" holds 64 numbers, 64 finite ones are needed");
        memcpy(copy, whole, n_whole);
        memcpy(copy + n_whole - 4, wrong + i, 4);
        assert_not_resumed(
            t, test_write("spoiled", copy, n_whole), MOPD_E_FORMAT, "tensor \"velocity.gate\"");
    }
    mopd_trainer_free(t);
}

static void checkpoints_cut_short_are_refused(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 5);
    for (size_t n = 0; n < n_whole; n += 1 + n % 131)
        assert_not_resumed(t, test_write("cut", whole, n), MOPD_E_FORMAT, "cut");
    mopd_trainer_free(t);
}

static int open_all(void **state)
{
    (void)state;
    uint64_t header;
    uint32_t left = 4;
    const char *path = test_path("stopped-in-epoch-2");
    training_open(&x, 1, 2, 2);
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 5);
    mopd_run run = training_run(&x);
    run.on_step = stop_at;
    run.step_context = &left;
    run.checkpoint = path;
    assert_ok(mopd_trainer_note(t, "data", "tiny"));
    assert_ok(mopd_trainer_note(t, "shots", "theirs"));
    assert_fails(mopd_trainer_run(t, &run), MOPD_E_CANCELLED, "in epoch 2 after step 1");
    mopd_trainer_free(t);
    n_whole = training_read(path, whole, sizeof whole);
    memcpy(&header, whole, sizeof header);
    n_header = (size_t)header;
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
        cmocka_unit_test(stopping_and_resuming_gives_the_same_bytes),
        cmocka_unit_test(a_step_abandoned_harms_nothing),
        cmocka_unit_test(only_the_right_checkpoint_resumes),
        cmocka_unit_test(a_half_written_file_beside_harms_nothing),
        cmocka_unit_test(the_true_checkpoint_is_taken_over),
        cmocka_unit_test(positions_that_lie_are_refused),
        cmocka_unit_test(other_trainings_are_refused),
        cmocka_unit_test(velocities_that_are_not_finite_are_refused),
        cmocka_unit_test(checkpoints_cut_short_are_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
