/* SPDX-License-Identifier: MIT
 * test_trainer.c - steps and runs: gradients of the whole loss, reductions of one method to another, epochs,
 * views. */
#include "test.h"

#include "prompt/bank.h"
#include "prompt/gate.h"
#include "support/tiny.h"
#include "train/trainer.h"
#include "base/floats.h"

enum { C = TINY_CLASSES, SHOTS = 4, N = C * SHOTS, V = 3, D = TINY_DIM, W = TINY_WIDTH };

static mopd_encoder *encoder;
static float features[N * V * D];
static int32_t labels[N];

static mopd_trainer_options options(int32_t method)
{
    return tiny_training(method, 4);
}

static mopd_trainer *create(const mopd_trainer_options *o)
{
    mopd_trainer *t;
    assert_ok(mopd_trainer_create(&t, encoder, tiny_classes, C, o));
    return t;
}

static mopd_run whole_run(void)
{
    mopd_run run;
    assert_ok(mopd_run_init(&run, sizeof run));
    run.n = N;
    run.n_views = V;
    run.features = features;
    run.labels = labels;
    return run;
}

/* A batch of every third picture's first view. */
static void batch(float *f, int32_t *y)
{
    for (int i = 0; i < 8; i++) {
        memcpy(f + i * D, features + 3 * i * V * D, D * sizeof *f);
        y[i] = labels[3 * i];
    }
}

/* The loss of a step from the parameters as they are; they are put back. */
static double loss_at(mopd_trainer *t, const float *f, const int32_t *y)
{
    float context[4 * W], gate[5 * D];
    mopd_step step = {.struct_size = sizeof step};
    memcpy(context, t->state.context.p, sizeof context);
    memcpy(gate, t->state.gate.p, t->state.gate.n * sizeof *gate);
    assert_ok(mopd_trainer_step(t, f, y, 8, &step));
    memcpy(t->state.context.p, context, sizeof context);
    memcpy(t->state.gate.p, gate, t->state.gate.n * sizeof *gate);
    t->state.total = 0; /* mopd-random draws anew for each step */
    return step.loss;
}

static void compare_slopes(mopd_trainer *t, float **param, const float *grad, size_t n, const char *what)
{
    float f[8 * D];
    int32_t y[8];
    double largest = 0;
    batch(f, y);
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)grad[i]));
    assert_true(largest > 0);
    for (size_t i = 0; i < n; i += 2) {
        double value[2];
        float old = (*param)[i];
        for (int k = 0; k < 2; k++) {
            (*param)[i] = old + (k ? -2e-3f : 2e-3f);
            value[k] = loss_at(t, f, y);
            (*param)[i] = old;
        }
        double slope = (value[0] - value[1]) / 4e-3;
        if (fabs(slope - (double)grad[i]) > 5e-3 * largest)
            fail_msg(
                "%s %zu: gradient %g, difference %g, largest %g", what, i, (double)grad[i], slope, largest);
    }
}

/* d loss / d context and gate of the whole method, through the tower. */
static void gradients_match_differences(void **state)
{
    (void)state;
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        mopd_trainer_options o = options(method);
        o.weight_decay = 0;
        o.temperature = 1.7f;
        o.lambda =
            method == MOPD_METHOD_PROGRAD ? 0 : -1; /* what projection leaves is no slope of one loss */
        mopd_trainer *t = create(&o);
        float f[8 * D], context[4 * W], gate[5 * D], noise[4 * W];
        int32_t y[8];
        test_random(t->state.gate.p, t->state.gate.n, 11);
        test_random(noise, 4 * W, 12);
        for (int i = 0; i < 4 * W; i++) t->state.context.p[i] += 0.1f * noise[i];
        batch(f, y);
        loss_at(t, f, y);
        memcpy(context, t->state.context.g, sizeof context);
        memcpy(gate, t->state.gate.g, t->state.gate.n * sizeof *gate);
        compare_slopes(t, &t->state.context.p, context, 4 * W, mopd_method_name(method));
        if (t->state.gate.n) compare_slopes(t, &t->state.gate.p, gate, t->state.gate.n, "gate");
        mopd_trainer_free(t);
    }
}

static void run(mopd_trainer *t)
{
    mopd_run r = whole_run();
    assert_ok(mopd_trainer_run(t, &r));
}

/* docs/method.md 12.4 */
static void mopd_without_distillation_is_coop(void **state)
{
    (void)state;
    mopd_trainer_options a = options(MOPD_METHOD_MOPD), b = options(MOPD_METHOD_COOP);
    a.w = 1;
    a.w2 = 0;
    mopd_trainer *mopd = create(&a), *coop = create(&b);
    run(mopd);
    run(coop);
    assert_memory_equal(mopd->state.context.p, coop->state.context.p, 4 * W * sizeof(float));
    for (size_t i = 0; i < mopd->state.gate.n; i++) assert_true(mopd->state.gate.p[i] == 0);
    mopd_trainer_free(mopd);
    mopd_trainer_free(coop);
}

/* docs/method.md 12.5 */
static void a_teacher_like_the_student_has_no_divergence(void **state)
{
    (void)state;
    mopd_trainer_options o = options(MOPD_METHOD_KD);
    o.w = 0;
    mopd_trainer *t = create(&o);
    float f[8 * D];
    int32_t y[8];
    mopd_step step = {.struct_size = sizeof step};
    batch(f, y);
    assert_ok(mopd_trainer_step(t, f, y, 8, &step));
    assert_true(step.mpd < 1e-9 && step.mpd > -1e-9);
    assert_true(step.ce > 0.01);
    assert_true(step.loss == step.mpd);
    mopd_trainer_free(t);
}

static void the_first_pick_is_the_first_templates(void **state)
{
    (void)state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(&o);
    float f[8 * D];
    int32_t y[8];
    batch(f, y);
    assert_ok(mopd_trainer_step(t, f, y, 8, NULL));
    for (int i = 0; i < 8; i++) {
        assert_int_equal(t->work.chosen[2 * i], 0);
        assert_int_equal(t->work.chosen[2 * i + 1], 1);
    }
    for (size_t d = 0; d < D; d++) /* columns outside all choices never move */
        for (size_t m = 2; m < 5; m++) assert_true(t->state.gate.p[d * 5 + m] == 0);
    mopd_trainer_free(t);
}

static void training_learns(void **state)
{
    (void)state;
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        mopd_trainer_options o = options(method);
        o.epochs = 12;
        mopd_trainer *t = create(&o);
        float before[4 * W];
        memcpy(before, t->state.context.p, sizeof before);
        mopd_run r = whole_run();
        float f[8 * D];
        int32_t y[8];
        batch(f, y);
        mopd_step first = {.struct_size = sizeof first};
        double start = loss_at(t, f, y);
        memset(t->state.context.v, 0, sizeof before);
        memset(t->state.gate.v, 0, t->state.gate.n * sizeof(float));
        t->state.step = 0;
        t->state.sums = (mo_sums){0};
        assert_ok(mopd_trainer_run(t, &r));
        (void)first;
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
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    o.flags = MOPD_TRAIN_NO_SHUFFLE;
    mopd_trainer *a = create(&o), *b = create(&o);
    run(a);
    for (size_t e = 0; e < o.epochs; e++) {
        for (size_t s = 0; s < N / 8; s++) {
            float f[8 * D];
            for (size_t i = 0; i < 8; i++)
                memcpy(f + i * D, features + ((8 * s + i) * V + e % V) * D, D * sizeof *f);
            mopd_step step = {.struct_size = sizeof step};
            assert_ok(mopd_trainer_step(b, f, labels + 8 * s, 8, &step));
            assert_int_equal(step.epoch, e + 1);
            assert_int_equal(step.step, s + 1);
            assert_true(step.lr == mopd_trainer_lr(b, (uint32_t)e + 1));
        }
        assert_ok(mopd_trainer_end_epoch(b));
    }
    assert_memory_equal(a->state.context.p, b->state.context.p, 4 * W * sizeof(float));
    assert_memory_equal(a->state.gate.p, b->state.gate.p, a->state.gate.n * sizeof(float));
    float f[8 * D];
    int32_t y[8];
    batch(f, y);
    assert_fails(mopd_trainer_step(b, f, y, 8, NULL), MOPD_E_STATE, "all 4 epochs");
    assert_fails(mopd_trainer_end_epoch(b), MOPD_E_STATE, "all 4 epochs");
    mopd_trainer_free(a);
    mopd_trainer_free(b);
}

static mopd_status give(void *ctx, uint32_t epoch, float *out)
{
    (void)ctx;
    for (size_t i = 0; i < N; i++)
        memcpy(out + i * D, features + (i * V + (epoch - 1) % V) * D, D * sizeof *out);
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
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *a = create(&o), *b = create(&o), *c = create(&o);
    mopd_run r = whole_run();
    run(a);
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

/* Teachers encoded by the host train the same bits, for all templates and for the first alone. */
static void given_teachers_are_the_same_as_encoded_ones(void **state)
{
    (void)state;
    const int32_t methods[] = {MOPD_METHOD_MOPD, MOPD_METHOD_KGCOOP};
    for (size_t i = 0; i < 2; i++) {
        mopd_trainer_options o = options(methods[i]);
        size_t n = (size_t)o.n_templates * C;
        float *teachers = malloc(n * D * sizeof *teachers);
        assert_ok(mo_bank_grid(encoder, tiny_classes, C, o.templates, (size_t)o.n_templates, teachers));
        mopd_trainer *a = create(&o);
        o.teachers = teachers;
        mopd_trainer *b = create(&o);
        run(a);
        run(b);
        assert_memory_equal(a->state.context.p, b->state.context.p, 4 * W * sizeof(float));
        mopd_trainer_free(a);
        mopd_trainer_free(b);
        teachers[(n - 1) * D] = 3;
        assert_fails(
            mopd_trainer_create(&a, encoder, tiny_classes, C, &o), MOPD_E_ARG, "teachers: row 29 has length");
        o.n_templates = 0;
        assert_fails(
            mopd_trainer_create(&a, encoder, tiny_classes, C, &o), MOPD_E_ARG, "without their templates");
        free(teachers);
    }
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
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(&o);
    mopd_epoch epochs[4] = {{0}};
    mopd_run r = whole_run();
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
        mopd_trainer_options o = options(method);
        mopd_trainer *a = create(&o);
        o.memory_limit = 40000;
        mopd_trainer *b = create(&o);
        assert_true(mo_student_chunks(b->student) > 1);
        run(a);
        run(b);
        assert_true(test_max_diff(a->state.context.p, b->state.context.p, 4 * W) < 1e-5);
        mopd_trainer_free(a);
        mopd_trainer_free(b);
    }
}

/* docs/method.md 12.7 */
static void banks_follow_their_classes(void **state)
{
    (void)state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(&o);
    run(t);
    const char *const mixed[] = {"zoo", "new one", "cat"};
    mopd_bank *own, *other, *no_gate;
    assert_ok(mopd_bank_create_trainer(&own, t, NULL, 0));
    assert_ok(mopd_bank_create_trainer(&other, t, mixed, 3));
    assert_int_equal(mopd_bank_n_classes(own), C);
    const float *a = mopd_bank_features(own), *b = mopd_bank_features(other);
    assert_memory_equal(a + 5 * D, b, D * sizeof *a);
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
    mopd_trainer_options o = options(MOPD_METHOD_COOP);
    o.flags = MOPD_TRAIN_CLASS_CONTEXT;
    mopd_trainer *t = create(&o);
    run(t);
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

static void numbers_that_overflow_are_named_and_the_last_good_state_kept(void **state)
{
    (void)state;
    mopd_trainer_options o = options(MOPD_METHOD_COOP);
    o.lr = o.warmup_lr = 1e6f;
    o.weight_decay = 1e6f;
    mopd_trainer *t = create(&o);
    mopd_run r = whole_run();
    assert_fails(mopd_trainer_run(t, &r), MOPD_E_NUMERIC, "epoch ");
    assert_true(mo_floats_finite(t->state.context.p, t->state.context.n));
    assert_true(mo_floats_finite(t->state.context.v, t->state.context.n));
    assert_true(t->state.total > 0);
    mopd_prompt *p;
    assert_ok(mopd_prompt_create_trainer(&p, t));
    mopd_prompt_close(p);
    mopd_trainer_free(t);
}

static void bad_pictures_are_refused(void **state)
{
    (void)state;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    mopd_trainer *t = create(&o);
    float f[9 * D];
    int32_t y[9] = {0};
    for (int i = 0; i < 9; i++) memcpy(f + i * D, features + i * V * D, D * sizeof *f);
    y[3] = C;
    assert_fails(mopd_trainer_step(t, f, y, 8, NULL), MOPD_E_ARG, "label 3 is 6, there are 6 classes");
    y[3] = -1;
    assert_fails(mopd_trainer_step(t, f, y, 8, NULL), MOPD_E_ARG, "label 3 is -1");
    y[3] = 0;
    assert_fails(mopd_trainer_step(t, f, y, 9, NULL), MOPD_E_ARG, "9 features, the options' batch is 8");
    assert_fails(mopd_trainer_step(t, f + 1, y, 8, NULL), MOPD_E_ARG, "not 1; are they 12 numbers wide?");
    f[5] = NAN;
    assert_fails(mopd_trainer_step(t, f, y, 8, NULL), MOPD_E_NUMERIC, "feature 0 is not finite");
    mopd_run r = whole_run();
    int32_t wrong[N];
    memcpy(wrong, labels, sizeof wrong);
    wrong[N - 1] = 77;
    r.labels = wrong;
    assert_fails(mopd_trainer_run(t, &r), MOPD_E_ARG, "label 23 is 77");
    r = whole_run();
    r.n = 0;
    assert_fails(mopd_trainer_run(t, &r), MOPD_E_ARG, "0 pictures");
    r = whole_run();
    r.views = give;
    assert_fails(mopd_trainer_run(t, &r), MOPD_E_ARG, "either features or a views callback");
    mopd_trainer_free(t);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    mopd_trainer *t;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    const char *const twice[] = {"cat", "cat"}, *const plain[] = {"no place"};
    assert_fails(mopd_trainer_create(&t, encoder, twice, 2, &o), MOPD_E_ARG, "cat");
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, 0, &o), MOPD_E_ARG, "");
    o.top_k = 6;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG,
        "top_k is 6, there are 5 templates");
    o = options(MOPD_METHOD_MOPD);
    o.templates = plain;
    o.n_templates = 1;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "no place");
    o = options(MOPD_METHOD_MOPD);
    o.w = 1.5f;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "w is 1.5");
    o = options(MOPD_METHOD_MOPD);
    o.lr = NAN;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "lr is nan");
    o = options(MOPD_METHOD_MOPD);
    o.epochs = 0;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "epochs is 0");
    o = options(99);
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "method is 99");
    o = options(MOPD_METHOD_MOPD);
    o.context = "a photograph taken of one";
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "the tower takes 24");
    o = options(MOPD_METHOD_MOPD);
    o.memory_limit = 10;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "memory limit");
    o.struct_size = 8;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "struct_size is 8");
}

/* A step's memory is there from the first one on. */
static void repeated_steps_allocate_nothing(void **state)
{
    (void)state;
    float f[8 * D];
    int32_t y[8];
    batch(f, y);
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        mopd_trainer_options o = options(method);
        mopd_trainer *t = create(&o);
        mopd_step step = {.struct_size = sizeof step};
        long taken = 0;
        for (int i = 0; i < 4; i++) {
            if (i == 1) taken = test_count_taken();
            assert_ok(mopd_trainer_step(t, f, y, 8, &step));
        }
        if (test_count_taken() != taken)
            fail_msg("%s: %ld blocks in three steps", mopd_method_name(method), test_count_taken() - taken);
        mopd_trainer_free(t);
    }
}

static int open_all(void **state)
{
    (void)state;
    test_count_start();
    encoder = tiny_open(1, 2);
    tiny_features(encoder, SHOTS, V, 1, features, labels);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    mopd_encoder_close(encoder);
    assert_int_equal(test_count_live(), 0);
    assert_ok(mopd_runtime_set_allocator(NULL));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(mopd_without_distillation_is_coop),
        cmocka_unit_test(a_teacher_like_the_student_has_no_divergence),
        cmocka_unit_test(the_first_pick_is_the_first_templates),
        cmocka_unit_test(training_learns),
        cmocka_unit_test(a_run_is_its_steps),
        cmocka_unit_test(fresh_features_are_the_same_as_stored_ones),
        cmocka_unit_test(given_teachers_are_the_same_as_encoded_ones),
        cmocka_unit_test(epochs_are_reported),
        cmocka_unit_test(chunks_train_the_same),
        cmocka_unit_test(banks_follow_their_classes),
        cmocka_unit_test(class_specific_vectors_meet_no_new_class),
        cmocka_unit_test(numbers_that_overflow_are_named_and_the_last_good_state_kept),
        cmocka_unit_test(bad_pictures_are_refused),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(repeated_steps_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
