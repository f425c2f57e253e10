/* SPDX-License-Identifier: MIT
 * test_trainer_length.c - how long a training is: epochs given, counted from steps, or left open; what files say of
 * it, and trainings stopped and resumed. */
#include "support/trainings.h"

static training x;

/* Epochs of one step where they are open: seven steps for each pair of six classes. */
enum { OPEN = 105 };

static mopd_trainer *trainer_of(uint32_t epochs, uint64_t steps, uint32_t batch)
{
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, epochs);
    o.steps = steps;
    o.batch = batch;
    return training_create(&x, &o);
}

static int keep_last(void *context, const mopd_epoch *epoch)
{
    *(mopd_epoch *)context = *epoch;
    return 0;
}

static void open_epochs_are_as_many_as_make_the_steps(void **state)
{
    (void)state;
    mopd_trainer *t = trainer_of(0, 0, N);
    mopd_epoch last = {0};
    mopd_run run = training_run(&x);
    run.on_epoch = keep_last;
    run.epoch_context = &last;
    assert_int_equal(mopd_trainer_n_epochs(t, N), OPEN);
    assert_int_equal(mopd_trainer_n_epochs(t, 1), OPEN);
    assert_int_equal(mopd_trainer_n_epochs(t, 2 * N), 53);
    assert_int_equal(mopd_trainer_n_epochs(t, 3 * N), 50);
    assert_int_equal(mopd_trainer_n_epochs(t, UINT64_MAX), 50);
    assert_int_equal(mopd_trainer_n_epochs(t, 0), 50);
    assert_true(mopd_trainer_lr(t, 51) == 0);
    assert_ok(mopd_trainer_run(t, &run));
    assert_true(last.epoch == OPEN && last.n_epochs == OPEN && last.n_steps == 1);
    assert_int_equal(t->state.total, OPEN);
    assert_true(last.lr == mopd_trainer_lr(t, OPEN) && last.lr > 0);
    assert_true(mopd_trainer_lr(t, OPEN + 1) == 0);
    assert_int_equal(mopd_trainer_n_epochs(t, 0), OPEN);
    assert_non_null(strstr(t->settings, "\"epochs\":105,"));
    assert_null(strstr(t->settings, "steps"));
    mopd_trainer_free(t);
}

/* The file of a whole training. */
static const char *file_of(mopd_trainer *t, const char *name)
{
    training_finish(&x, t);
    const char *path = training_save(t, name);
    mopd_trainer_free(t);
    return path;
}

/* However the number of epochs comes about, the same number gives the same bytes. */
static void lengths_that_are_the_same_train_the_same(void **state)
{
    (void)state;
    const char *open = file_of(trainer_of(0, 0, N), "open");
    assert_true(training_same_files(open, file_of(trainer_of(OPEN, 0, N), "epochs")));
    assert_true(training_same_files(open, file_of(trainer_of(0, OPEN, N), "steps")));
    assert_false(training_same_files(open, file_of(trainer_of(0, OPEN - 1, N), "a-step-less")));
    const char *many = file_of(trainer_of(0, 0, 8), "many"); /* three steps: 50 epochs have 150 */
    assert_true(training_same_files(many, file_of(trainer_of(50, 0, 8), "fifty")));
    assert_true(training_same_files(many, file_of(trainer_of(0, 148, 8), "rounded-up")));
    assert_false(training_same_files(many, file_of(trainer_of(0, 147, 8), "an-epoch-less")));
}

static void steps_are_rounded_up_to_whole_epochs(void **state)
{
    (void)state;
    static const struct {
        uint64_t steps, total;
    } want[] = {{1, 3}, {3, 3}, {4, 6}, {30, 30}, {31, 33}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        mopd_trainer *t = trainer_of(0, want[i].steps, 8);
        training_finish(&x, t);
        assert_int_equal(t->state.total, want[i].total);
        assert_int_equal(t->state.epoch, want[i].total / 3);
        mopd_trainer_free(t);
    }
}

static int stop_at(void *context, const mopd_step *step)
{
    uint32_t *left = context;
    (void)step;
    return --*left == 0;
}

/* A checkpoint after some steps of an open training. */
static const char *stopped_after(uint32_t steps, const char *name)
{
    mopd_trainer *t = trainer_of(0, 0, N);
    mopd_run run = training_run(&x);
    run.checkpoint = test_path(name);
    run.on_step = stop_at;
    run.step_context = &steps;
    assert_fails(mopd_trainer_run(t, &run), MOPD_E_CANCELLED, "cancelled in epoch");
    mopd_trainer_free(t);
    return test_path(name);
}

static void open_trainings_resume_to_the_same_bytes(void **state)
{
    (void)state;
    static const uint32_t steps[] = {1, 5, 60, OPEN - 1};
    const char *whole = file_of(trainer_of(0, 0, N), "whole");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i += TEST_TIMES(1, 2)) {
        const char *checkpoint = stopped_after(steps[i], "stopped");
        mopd_trainer *open = trainer_of(0, 0, N), *given = trainer_of(OPEN, 0, N),
                     *counted = trainer_of(0, OPEN, N);
        assert_ok(mopd_trainer_resume(open, checkpoint));
        assert_int_equal(open->state.total, steps[i]);
        assert_int_equal(mopd_trainer_n_epochs(open, 0), OPEN);
        assert_true(mopd_trainer_lr(open, OPEN) > 0);
        assert_ok(mopd_trainer_resume(given, checkpoint));
        assert_ok(mopd_trainer_resume(counted, checkpoint));
        assert_true(training_same_files(whole, file_of(open, "resumed")));
        assert_true(training_same_files(whole, file_of(given, "resumed-given")));
        assert_true(training_same_files(whole, file_of(counted, "resumed-counted")));
    }
}

static void another_length_does_not_resume(void **state)
{
    (void)state;
    const char *checkpoint = stopped_after(4, "other-length");
    mopd_trainer *t = trainer_of(50, 0, N);
    assert_fails(mopd_trainer_resume(t, checkpoint), MOPD_E_MISMATCH, "with epochs 105, the trainer has 50");
    mopd_trainer_free(t);
    t = trainer_of(0, 30, N); /* which is seen when the steps of an epoch are known */
    mopd_run run = training_run(&x);
    assert_ok(mopd_trainer_resume(t, checkpoint));
    assert_fails(
        mopd_trainer_run(t, &run), MOPD_E_MISMATCH, "the run began with 105 epochs, its options now make 30");
    assert_int_equal(t->state.total, 4);
    mopd_trainer_free(t);
    t = trainer_of(0, 0, N);
    assert_ok(mopd_trainer_resume(t, checkpoint));
    run.n = 8;
    assert_fails(mopd_trainer_run(t, &run), MOPD_E_MISMATCH, "the run began with the data");
    assert_ok(mopd_trainer_resume(t, checkpoint)); /* again, over what is there */
    training_finish(&x, t);
    assert_int_equal(t->state.total, OPEN);
    mopd_trainer_free(t);
}

/* A checkpoint from before the first step binds to no length: the data say it. */
static void a_training_not_begun_is_still_open(void **state)
{
    (void)state;
    mopd_trainer *t = trainer_of(0, 0, 8), *again = trainer_of(0, 0, 8);
    mopd_run run = training_run(&x);
    assert_ok(mopd_trainer_checkpoint(t, test_path("not-begun")));
    assert_ok(mopd_trainer_resume(again, test_path("not-begun")));
    run.labels = NULL;
    assert_fails(mopd_trainer_run(again, &run), MOPD_E_ARG, "labels");
    run = training_run(&x);
    run.n = 8;
    uint32_t left = 1;
    run.on_step = stop_at;
    run.step_context = &left;
    assert_fails(mopd_trainer_run(again, &run), MOPD_E_CANCELLED, "");
    assert_int_equal(mopd_trainer_n_epochs(again, 0), OPEN);
    mopd_trainer_free(t);
    mopd_trainer_free(again);
}

static void a_loop_of_the_host_s_own_has_fifty_epochs(void **state)
{
    (void)state;
    float f[B * D];
    int32_t y[B];
    mopd_trainer *t = trainer_of(0, 0, N);
    training_batch(&x, f, y);
    assert_ok(mopd_trainer_step(t, f, y, B, NULL));
    assert_int_equal(mopd_trainer_n_epochs(t, N), 50); /* from now on */
    for (int e = 0; e < 49; e++) assert_ok(mopd_trainer_end_epoch(t));
    training_finish(&x, t); /* the last one by a run */
    assert_int_equal(t->state.epoch, 50);
    assert_int_equal(t->state.total, 1 + 1);
    assert_fails(mopd_trainer_step(t, f, y, B, NULL), MOPD_E_STATE, "all 50 epochs");
    mopd_trainer_free(t);
    t = trainer_of(0, 90, 8);
    assert_fails(
        mopd_trainer_step(t, f, y, B, NULL), MOPD_E_STATE, "steps are counted by mopd_trainer_run alone");
    assert_fails(mopd_trainer_end_epoch(t), MOPD_E_STATE, "steps are counted by mopd_trainer_run alone");
    training_finish(&x, t);
    assert_int_equal(t->state.total, 90);
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
        cmocka_unit_test(open_epochs_are_as_many_as_make_the_steps),
        cmocka_unit_test(lengths_that_are_the_same_train_the_same),
        cmocka_unit_test(steps_are_rounded_up_to_whole_epochs),
        cmocka_unit_test(open_trainings_resume_to_the_same_bytes),
        cmocka_unit_test(another_length_does_not_resume),
        cmocka_unit_test(a_training_not_begun_is_still_open),
        cmocka_unit_test(a_loop_of_the_host_s_own_has_fifty_epochs),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
