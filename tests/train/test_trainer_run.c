/* SPDX-License-Identifier: MIT
 * test_trainer_run.c - whole runs: what is learned, views and epochs, reports, and what a run notes for the prompt file. */
#include "support/trainings.h"

#include "base/floats.h"

static training x;

/* docs/method.md 12.4 */
static void mopd_without_distillation_is_coop(void **state)
{
    (void)state;
    mopd_trainer_options a = tiny_training(MOPD_METHOD_MOPD, 4), b = tiny_training(MOPD_METHOD_COOP, 4);
    a.w = 1;
    a.w2 = 0;
    mopd_trainer *mopd = training_create(&x, &a), *coop = training_create(&x, &b);
    training_finish(&x, mopd);
    training_finish(&x, coop);
    assert_memory_equal(mopd->state.context.p, coop->state.context.p, 4 * W * sizeof(float));
    for (size_t i = 0; i < mopd->state.gate.n; i++) assert_true(mopd->state.gate.p[i] == 0);
    mopd_trainer_free(mopd);
    mopd_trainer_free(coop);
}

/* The loss of a step from the parameters as they are; they are put back. */
static double loss_at(mopd_trainer *t, const float *f, const int32_t *y)
{
    float context[4 * W], gate[M * D];
    mopd_step step = {.struct_size = sizeof step};
    memcpy(context, t->state.context.p, sizeof context);
    memcpy(gate, t->state.gate.p, t->state.gate.n * sizeof *gate);
    assert_ok(mopd_trainer_step(t, f, y, B, &step));
    memcpy(t->state.context.p, context, sizeof context);
    memcpy(t->state.gate.p, gate, t->state.gate.n * sizeof *gate);
    t->state.total = 0; /* mopd-random draws anew for each step */
    return step.loss;
}

static void training_learns(void **state)
{
    (void)state;
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        mopd_trainer_options o = tiny_training(method, 4);
        o.epochs = 12;
        mopd_trainer *t = training_create(&x, &o);
        float before[4 * W];
        memcpy(before, t->state.context.p, sizeof before);
        mopd_run r = training_run(&x);
        float f[B * D];
        int32_t y[B];
        training_batch(&x, f, y);
        double start = loss_at(t, f, y);
        memset(t->state.context.v, 0, sizeof before);
        memset(t->state.gate.v, 0, t->state.gate.n * sizeof(float));
        t->state.step = 0;
        t->state.sums = (mo_sums){0};
        assert_ok(mopd_trainer_run(t, &r));
        t->state.epoch = 0;
        if (!(loss_at(t, f, y) < start)) fail_msg("%s did not learn", mopd_method_name(method));
        assert_memory_not_equal(before, t->state.context.p, sizeof before);
        assert_true(t->notes.accuracy > 50);
        mopd_trainer_free(t);
    }
}

/* The whole run equals the host's own loop over the same batches. */
static void a_run_is_its_steps(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    o.flags = MOPD_TRAIN_NO_SHUFFLE;
    mopd_trainer *a = training_create(&x, &o), *b = training_create(&x, &o);
    training_finish(&x, a);
    for (size_t e = 0; e < o.epochs; e++) {
        for (size_t s = 0; s < N / 8; s++) {
            float f[B * D];
            for (size_t i = 0; i < 8; i++)
                memcpy(f + i * D, x.features + ((8 * s + i) * x.n_views + e % x.n_views) * D, D * sizeof *f);
            mopd_step step = {.struct_size = sizeof step};
            assert_ok(mopd_trainer_step(b, f, x.labels + 8 * s, 8, &step));
            assert_int_equal(step.epoch, e + 1);
            assert_int_equal(step.step, s + 1);
            assert_true(step.lr == mopd_trainer_lr(b, (uint32_t)e + 1));
        }
        assert_ok(mopd_trainer_end_epoch(b));
    }
    assert_memory_equal(a->state.context.p, b->state.context.p, 4 * W * sizeof(float));
    assert_memory_equal(a->state.gate.p, b->state.gate.p, a->state.gate.n * sizeof(float));
    float f[B * D];
    int32_t y[B];
    training_batch(&x, f, y);
    assert_fails(mopd_trainer_step(b, f, y, B, NULL), MOPD_E_STATE, "all 4 epochs");
    assert_fails(mopd_trainer_end_epoch(b), MOPD_E_STATE, "all 4 epochs");
    mopd_trainer_free(a);
    mopd_trainer_free(b);
}

static mopd_status give(void *ctx, uint32_t epoch, float *out)
{
    (void)ctx;
    for (size_t i = 0; i < N; i++)
        memcpy(out + i * D, x.features + (i * x.n_views + (epoch - 1) % x.n_views) * D, D * sizeof *out);
    return MOPD_OK;
}

static mopd_status give_nothing(void *ctx, uint32_t epoch, float *out)
{
    (void)ctx, (void)out;
    return epoch == 2 ? MOPD_E_IO : give(ctx, epoch, out);
}

static void fresh_features_are_the_same_as_stored_ones(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    mopd_trainer *a = training_create(&x, &o), *b = training_create(&x, &o), *c = training_create(&x, &o);
    mopd_run r = training_run(&x);
    training_finish(&x, a);
    r.features = NULL;
    r.n_views = 1;
    r.views = give;
    assert_ok(mopd_trainer_run(b, &r));
    assert_memory_equal(a->state.context.p, b->state.context.p, 4 * W * sizeof(float));
    r.views = give_nothing;
    assert_fails(mopd_trainer_run(c, &r), MOPD_E_IO, "fresh features of epoch 2");
    assert_int_equal(c->state.epoch, 1);
    mopd_trainer_free(a);
    mopd_trainer_free(b);
    mopd_trainer_free(c);
}

static int keep_epoch(void *ctx, const mopd_epoch *epoch)
{
    mopd_epoch *kept = ctx;
    kept[epoch->epoch - 1] = *epoch;
    return 0;
}

static void epochs_are_reported(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    mopd_trainer *t = training_create(&x, &o);
    mopd_epoch epochs[4] = {{0}};
    mopd_run r = training_run(&x);
    r.on_epoch = keep_epoch;
    r.epoch_context = epochs;
    assert_ok(mopd_trainer_run(t, &r));
    for (uint32_t e = 0; e < 4; e++) {
        assert_int_equal(epochs[e].epoch, e + 1);
        assert_int_equal(epochs[e].n_epochs, 4);
        assert_int_equal(epochs[e].n_steps, 3);
        assert_true(epochs[e].lr == mopd_trainer_lr(t, e + 1));
        double want = 0.8f * epochs[e].ce + (1 - (double)0.8f) * epochs[e].mpd + (double)0.1f * epochs[e].mps;
        assert_true(fabs(epochs[e].loss - want) < 1e-6);
        assert_true(epochs[e].accuracy >= 0 && epochs[e].accuracy <= 100);
        assert_true(epochs[e].mps > 0 && epochs[e].seconds >= 0);
    }
    assert_true(mopd_trainer_lr(t, 1) == (double)0.01f);
    assert_true(mopd_trainer_lr(t, 2) == (double)0.02f);
    assert_true(mopd_trainer_lr(t, 5) == 0);
    mopd_trainer_free(t);
}

/* What a sum over chunks changes is the last bits. */
static void chunks_train_the_same(void **state)
{
    (void)state;
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method += MOPD_METHOD_PROGRAD) {
        mopd_trainer_options o = tiny_training(method, 4);
        mopd_trainer *a = training_create(&x, &o);
        o.memory_limit = 40000;
        mopd_trainer *b = training_create(&x, &o);
        assert_true(mo_student_chunks(b->student) > 1);
        training_finish(&x, a);
        training_finish(&x, b);
        assert_true(test_max_diff(a->state.context.p, b->state.context.p, 4 * W) < 1e-5);
        mopd_trainer_free(a);
        mopd_trainer_free(b);
    }
}

static void numbers_that_overflow_are_named_and_the_last_good_state_kept(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_COOP, 4);
    o.lr = o.warmup_lr = 1e6f;
    o.weight_decay = 1e6f;
    mopd_trainer *t = training_create(&x, &o);
    mopd_run r = training_run(&x);
    assert_fails(mopd_trainer_run(t, &r), MOPD_E_NUMERIC, "epoch ");
    assert_true(mo_floats_finite(t->state.context.p, t->state.context.n));
    assert_true(mo_floats_finite(t->state.context.v, t->state.context.n));
    assert_true(t->state.total > 0);
    mopd_prompt *p;
    assert_ok(mopd_prompt_create_trainer(&p, t));
    mopd_prompt_close(p);
    mopd_trainer_free(t);
}

static int stop_after_epoch(void *ctx, const mopd_epoch *epoch)
{
    return epoch->epoch == *(uint32_t *)ctx;
}

static void a_cancelled_trainer_runs_on(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5);
    mopd_run run = training_run(&x);
    mopd_trainer *a = training_create(&x, &o), *b = training_create(&x, &o);
    assert_ok(mopd_trainer_run(a, &run));
    uint32_t after = 2;
    run.on_epoch = stop_after_epoch;
    run.epoch_context = &after;
    assert_fails(mopd_trainer_run(b, &run), MOPD_E_CANCELLED, "cancelled after epoch 2");
    run.on_epoch = NULL;
    run.n_views = 1;
    assert_fails(mopd_trainer_run(b, &run), MOPD_E_MISMATCH, "\"views\":3");
    run.n_views = x.n_views;
    assert_ok(mopd_trainer_run(b, &run));
    assert_true(training_same_files(training_save(a, "a"), training_save(b, "b")));
    mopd_trainer_free(a);
    mopd_trainer_free(b);
}

static void assert_not_run(mopd_trainer *t, const mopd_run *run, mopd_status st, const char *words)
{
    assert_fails(mopd_trainer_run(t, run), st, words);
    assert_true(t->state.total == 0 && t->state.epoch == 0 && !t->notes.data);
}

static void bad_runs_are_refused(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 4);
    mopd_run r = training_run(&x);
    int32_t wrong[N];
    memcpy(wrong, x.labels, sizeof wrong);
    wrong[N - 1] = 77;
    r.labels = wrong;
    assert_not_run(t, &r, MOPD_E_ARG, "label 23 is 77");
    r.labels = NULL;
    assert_not_run(t, &r, MOPD_E_ARG, "labels is NULL");
    r = training_run(&x);
    r.n = 0;
    assert_not_run(t, &r, MOPD_E_ARG, "0 pictures");
    r.n = (uint64_t)UINT32_MAX + 1;
    assert_not_run(t, &r, MOPD_E_ARG, "4294967296 pictures");
    r = training_run(&x);
    r.views = give;
    assert_not_run(t, &r, MOPD_E_ARG, "either features or a views callback");
    r.features = NULL;
    assert_not_run(t, &r, MOPD_E_ARG, "n_views is 3");
    r.views = NULL;
    assert_not_run(t, &r, MOPD_E_ARG, "either features or a views callback");
    r = training_run(&x);
    r.n_views = 0;
    assert_not_run(t, &r, MOPD_E_ARG, "n_views is 0");
    r.n_views = (uint64_t)UINT32_MAX + 1;
    assert_not_run(t, &r, MOPD_E_ARG, "n_views is 4294967296");
    r = training_run(&x);
    r.n = r.n_views = UINT32_MAX;
    assert_not_run(t, &r, MOPD_E_ARG, "4294967295 pictures x 4294967295 views");
    r = training_run(&x);
    r.flags = 1;
    assert_not_run(t, &r, MOPD_E_VERSION, "mopd_run");
    float *spoiled = malloc(sizeof x.features);
    memcpy(spoiled, x.features, sizeof x.features);
    spoiled[(N * x.n_views - 1) * D] += 0.5f; /* the last view of the last picture */
    r = training_run(&x);
    r.features = spoiled;
    assert_not_run(t, &r, MOPD_E_ARG, "feature 71 has length");
    free(spoiled);
    mopd_trainer_free(t);
}

/* Fresh features are looked at like all others, in every epoch. */
static mopd_status give_too_long(void *ctx, uint32_t epoch, float *out)
{
    mopd_status st = give(ctx, epoch, out);
    if (epoch == 3) out[7 * D] += 1;
    return st;
}

static void fresh_features_are_checked(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_COOP, 4);
    mopd_run r = training_run(&x);
    r.features = NULL;
    r.n_views = 1;
    r.views = give_too_long;
    assert_fails(mopd_trainer_run(t, &r), MOPD_E_ARG, "fresh features of epoch 3: feature 7 has length");
    assert_int_equal(t->state.epoch, 2);
    assert_non_null(strstr(t->notes.data, "\"fresh_views\":true"));
    mopd_trainer_free(t);
}

static void a_run_notes_what_it_was_given(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 2);
    training_finish(&x, t);
    assert_string_equal(t->notes.data,
        "{\"classes\":6,\"pictures\":24,\"views\":3,\"fresh_views\":false,\"steps_per_epoch\":3}");
    double sum = 0, shares[M];
    assert_int_equal(sscanf(t->notes.gate_use, "[%lf,%lf,%lf,%lf,%lf]", shares, shares + 1, shares + 2,
                         shares + 3, shares + 4),
        M);
    for (int m = 0; m < M; m++) sum += shares[m];
    assert_true(fabs(sum - 1) < 1e-9);
    mopd_trainer_free(t);
    t = training_of(&x, MOPD_METHOD_KD, 2);
    training_finish(&x, t);
    assert_null(t->notes.gate_use);
    mopd_trainer_free(t);
}

/* The accuracy of the prompt file is that of the bank on the first views. */
static void accuracy_is_measured_with_what_was_learned(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 6);
    mopd_bank *bank = NULL;
    float logits[N * C], first[N * D];
    uint32_t confusion[C * C] = {0};
    mopd_metrics metrics = {.struct_size = sizeof metrics};
    training_finish(&x, t);
    for (size_t i = 0; i < N; i++) memcpy(first + i * D, x.features + i * x.n_views * D, D * sizeof *first);
    assert_ok(mopd_bank_create_trainer(&bank, t, NULL, 0));
    assert_ok(mopd_bank_logits(bank, first, N, logits));
    assert_ok(mopd_confusion_add(confusion, C, logits, x.labels, N));
    assert_ok(mopd_confusion_get_metrics(confusion, C, &metrics));
    assert_true(fabs(metrics.accuracy - t->notes.accuracy) < 1e-9);
    mopd_bank_free(bank);
    mopd_trainer_free(t);
}

/* Fewer pictures than a batch are one batch; of more the incomplete last one is left out. */
static void epochs_have_their_number_of_steps(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        uint32_t batch, steps;
    } want[] = {{24, 8, 3}, {24, 24, 1}, {24, 25, 1}, {24, 7, 3}, {5, 8, 1}, {1, 8, 1}, {24, 1, 24}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        mopd_trainer_options o = tiny_training(MOPD_METHOD_COOP, 1);
        mopd_epoch epoch[1] = {{0}};
        o.batch = want[i].batch;
        mopd_trainer *t = training_create(&x, &o);
        mopd_run r = training_run(&x);
        r.n = want[i].n;
        r.on_epoch = keep_epoch;
        r.epoch_context = epoch;
        assert_ok(mopd_trainer_run(t, &r));
        assert_int_equal(epoch->n_steps, want[i].steps);
        assert_int_equal(t->state.total, want[i].steps);
        mopd_trainer_free(t);
    }
}

static void a_finished_trainer_has_nothing_left_to_do(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 2);
    training_finish(&x, t);
    const char *before = training_save(t, "finished");
    training_finish(&x, t);
    assert_true(training_same_files(before, training_save(t, "finished-again")));
    assert_int_equal(t->state.total, 6);
    mopd_trainer_free(t);
}

static int open_all(void **state)
{
    (void)state;
    training_open(&x, 1, 2, 3);
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
        cmocka_unit_test(mopd_without_distillation_is_coop),
        cmocka_unit_test(training_learns),
        cmocka_unit_test(a_run_is_its_steps),
        cmocka_unit_test(fresh_features_are_the_same_as_stored_ones),
        cmocka_unit_test(epochs_are_reported),
        cmocka_unit_test(chunks_train_the_same),
        cmocka_unit_test(numbers_that_overflow_are_named_and_the_last_good_state_kept),
        cmocka_unit_test(a_cancelled_trainer_runs_on),
        cmocka_unit_test(bad_runs_are_refused),
        cmocka_unit_test(fresh_features_are_checked),
        cmocka_unit_test(a_run_notes_what_it_was_given),
        cmocka_unit_test(accuracy_is_measured_with_what_was_learned),
        cmocka_unit_test(epochs_have_their_number_of_steps),
        cmocka_unit_test(a_finished_trainer_has_nothing_left_to_do),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
