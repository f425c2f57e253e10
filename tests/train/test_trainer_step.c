/* SPDX-License-Identifier: MIT
 * test_trainer_step.c - one step: gradients of the whole loss, the update, counts, and what must not move. */
#include "support/trainings.h"

static training x;

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

static void compare_slopes(mopd_trainer *t, float **param, const float *grad, size_t n, const char *what)
{
    float f[B * D];
    int32_t y[B];
    double largest = 0;
    training_batch(&x, f, y);
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
        mopd_trainer_options o = tiny_training(method, 4);
        o.weight_decay = 0;
        o.temperature = 1.7f;
        o.lambda =
            method == MOPD_METHOD_PROGRAD ? 0 : -1; /* what projection leaves is no slope of one loss */
        mopd_trainer *t = training_create(&x, &o);
        float f[B * D], context[4 * W], gate[M * D], noise[4 * W];
        int32_t y[B];
        test_random(t->state.gate.p, t->state.gate.n, 11);
        test_random(noise, 4 * W, 12);
        for (int i = 0; i < 4 * W; i++) t->state.context.p[i] += 0.1f * noise[i];
        training_batch(&x, f, y);
        loss_at(t, f, y);
        memcpy(context, t->state.context.g, sizeof context);
        memcpy(gate, t->state.gate.g, t->state.gate.n * sizeof *gate);
        compare_slopes(t, &t->state.context.p, context, 4 * W, mopd_method_name(method));
        if (t->state.gate.n) compare_slopes(t, &t->state.gate.p, gate, t->state.gate.n, "gate");
        mopd_trainer_free(t);
    }
}

/* docs/method.md 12.5 */
static void a_teacher_like_the_student_has_no_divergence(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_KD, 4);
    o.w = 0;
    mopd_trainer *t = training_create(&x, &o);
    float f[B * D];
    int32_t y[B];
    mopd_step step = {.struct_size = sizeof step};
    training_batch(&x, f, y);
    assert_ok(mopd_trainer_step(t, f, y, B, &step));
    assert_true(step.mpd < 1e-9 && step.mpd > -1e-9);
    assert_true(step.ce > 0.01);
    assert_true(step.loss == step.mpd);
    mopd_trainer_free(t);
}

static void the_first_pick_is_the_first_templates(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    mopd_trainer *t = training_create(&x, &o);
    float f[B * D];
    int32_t y[B];
    training_batch(&x, f, y);
    assert_ok(mopd_trainer_step(t, f, y, B, NULL));
    for (int i = 0; i < 8; i++) {
        assert_int_equal(t->work.chosen[2 * i], 0);
        assert_int_equal(t->work.chosen[2 * i + 1], 1);
    }
    for (size_t d = 0; d < D; d++) /* columns outside all choices never move */
        for (size_t m = 2; m < 5; m++) assert_true(t->state.gate.p[d * 5 + m] == 0);
    mopd_trainer_free(t);
}

static void bad_pictures_are_refused(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    mopd_trainer *t = training_create(&x, &o);
    float f[9 * D];
    int32_t y[9] = {0};
    for (size_t i = 0; i < 9; i++) memcpy(f + i * D, x.features + i * x.n_views * D, D * sizeof *f);
    y[3] = C;
    assert_fails(mopd_trainer_step(t, f, y, B, NULL), MOPD_E_ARG, "label 3 is 6, there are 6 classes");
    y[3] = -1;
    assert_fails(mopd_trainer_step(t, f, y, B, NULL), MOPD_E_ARG, "label 3 is -1");
    y[3] = 0;
    assert_fails(mopd_trainer_step(t, f, y, 9, NULL), MOPD_E_ARG, "9 features, the options' batch is 8");
    assert_fails(mopd_trainer_step(t, f + 1, y, 8, NULL), MOPD_E_ARG, "not 1; are they 12 numbers wide?");
    f[5] = NAN;
    assert_fails(mopd_trainer_step(t, f, y, B, NULL), MOPD_E_NUMERIC, "feature 0 is not finite");
    mopd_trainer_free(t);
}

/* A step's memory is there from the first one on. */
static void repeated_steps_allocate_nothing(void **state)
{
    (void)state;
    float f[B * D];
    int32_t y[B];
    training_batch(&x, f, y);
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        mopd_trainer_options o = tiny_training(method, 4);
        mopd_trainer *t = training_create(&x, &o);
        mopd_step step = {.struct_size = sizeof step};
        long taken = 0;
        for (int i = 0; i < 4; i++) {
            if (i == 1) taken = test_count_taken();
            assert_ok(mopd_trainer_step(t, f, y, B, &step));
        }
        if (test_count_taken() != taken)
            fail_msg("%s: %ld blocks in three steps", mopd_method_name(method), test_count_taken() - taken);
        mopd_trainer_free(t);
    }
}

/* p - lr (0.9 v + g + decay p), from the gradients that the step leaves. */
static void a_step_is_one_update(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    o.weight_decay = 0.25f;
    mopd_trainer *t = training_create(&x, &o);
    mo_learned *const learned[] = {&t->state.context, &t->state.gate};
    float f[B * D], p[2][4 * W], v[2][4 * W];
    int32_t y[B];
    training_batch(&x, f, y);
    for (int round = 0; round < 3; round++) {
        for (int k = 0; k < 2; k++) {
            memcpy(p[k], learned[k]->p, learned[k]->n * sizeof(float));
            memcpy(v[k], learned[k]->v, learned[k]->n * sizeof(float));
        }
        mopd_step step = {.struct_size = sizeof step};
        assert_ok(mopd_trainer_step(t, f, y, B, &step));
        for (int k = 0; k < 2; k++)
            for (size_t i = 0; i < learned[k]->n; i++) {
                double g = (double)learned[k]->g[i] + 0.25 * (double)p[k][i],
                       next = 0.9 * (double)v[k][i] + g;
                assert_true(fabs((double)learned[k]->v[i] - next) < 1e-5 * (1 + fabs(next)));
                assert_true(fabs((double)learned[k]->p[i] - ((double)p[k][i] - step.lr * next)) < 1e-6);
            }
    }
    mopd_trainer_free(t);
}

static void sums_and_counts_add_up(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 4);
    float f[B * D];
    int32_t y[B];
    double loss = 0, ce = 0;
    uint64_t correct = 0;
    training_batch(&x, f, y);
    for (uint32_t i = 1; i <= 3; i++) {
        mopd_step step = {.struct_size = sizeof step};
        assert_ok(mopd_trainer_step(t, f, y, i == 3 ? 5 : B, &step));
        assert_int_equal(step.epoch, 1);
        assert_int_equal(step.step, i);
        loss += step.loss;
        ce += step.ce;
        correct += step.n_correct;
        double want = (double)0.8f * step.ce + (1 - (double)0.8f) * step.mpd + (double)0.1f * step.mps;
        assert_true(fabs(step.loss - want) < 1e-12);
    }
    assert_true(t->state.sums.loss == loss && t->state.sums.ce == ce);
    assert_int_equal(t->state.sums.n_correct, correct);
    assert_int_equal(t->state.sums.n_seen, 2 * B + 5);
    assert_int_equal(t->state.total, 3);
    assert_ok(mopd_trainer_end_epoch(t));
    assert_true(t->state.sums.loss == 0 && t->state.step == 0 && t->state.epoch == 1 && t->state.total == 3);
    mopd_trainer_free(t);
}

/* Correct ones are counted by the weights before the update. */
static void right_answers_are_those_of_the_bank_before(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_COOP, 4);
    float f[B * D], logits[B * C];
    int32_t y[B];
    training_batch(&x, f, y);
    for (int i = 0; i < 3; i++) {
        mopd_bank *bank = NULL;
        mopd_step step = {.struct_size = sizeof step};
        size_t correct = 0;
        assert_ok(mopd_bank_create_trainer(&bank, t, NULL, 0));
        assert_ok(mopd_bank_logits(bank, f, B, logits));
        assert_ok(mopd_trainer_step(t, f, y, B, &step));
        for (int k = 0; k < B; k++) {
            int best = 0;
            for (int c = 1; c < C; c++)
                if (logits[k * C + c] > logits[k * C + best]) best = c;
            correct += best == y[k];
        }
        assert_int_equal(step.n_correct, correct);
        mopd_bank_free(bank);
    }
    mopd_trainer_free(t);
}

static void drawn_teachers_follow_seed_and_step(void **state)
{
    (void)state;
    mopd_trainer *a = training_of(&x, MOPD_METHOD_MOPD_RANDOM, 4),
                 *b = training_of(&x, MOPD_METHOD_MOPD_RANDOM, 4);
    float f[B * D];
    int32_t y[B];
    uint32_t first[2 * B];
    training_batch(&x, f, y);
    assert_ok(mopd_trainer_step(a, f, y, B, NULL));
    assert_ok(mopd_trainer_step(b, f, y, B, NULL));
    assert_memory_equal(a->work.chosen, b->work.chosen, sizeof first);
    memcpy(first, a->work.chosen, sizeof first);
    for (int i = 0; i < 2 * B; i++) assert_true(first[i] < M && a->work.alpha[i] == 0.5);
    assert_ok(mopd_trainer_step(a, f, y, B, NULL));
    assert_memory_not_equal(a->work.chosen, first, sizeof first);
    mopd_trainer_free(a);
    mopd_trainer_free(b);
}

/* The gradients of a step from disturbed vectors, labels moved on by `shift` classes; the trainer is freed by the caller. */
static mopd_trainer *step_against_labels(const mopd_trainer_options *o, int32_t shift)
{
    mopd_trainer *t = training_create(&x, o);
    float noise[4 * W], f[B * D];
    int32_t y[B];
    test_random(noise, 4 * W, 21);
    for (int i = 0; i < 4 * W; i++) t->state.context.p[i] += 0.2f * noise[i];
    training_batch(&x, f, y);
    for (int i = 0; i < B; i++) y[i] = (y[i] + shift) % C;
    assert_ok(mopd_trainer_step(t, f, y, B, NULL));
    return t;
}

/* ProGrad: a gradient that opposes the teacher's loses just that part; one that does not is left as it is. */
static void projected_gradients_do_not_oppose_the_teacher(void **state)
{
    (void)state;
    mopd_trainer_options projects = tiny_training(MOPD_METHOD_PROGRAD, 4), keeps = projects,
                         coop = tiny_training(MOPD_METHOD_COOP, 4);
    int n_opposed = 0, n_agreed = 0;
    keeps.lambda = 0;
    for (int32_t shift = 0; shift < C; shift++) {
        mopd_trainer *a = step_against_labels(&projects, shift), *b = step_against_labels(&keeps, shift),
                     *c = step_against_labels(&coop, shift);
        double before = 0, after = 0, length = 0;
        assert_memory_equal(b->state.context.g, c->state.context.g, 4 * W * sizeof(float));
        for (int i = 0; i < 4 * W; i++) {
            double teacher = (double)a->work.d_context2[i];
            before += (double)b->state.context.g[i] * teacher;
            after += (double)a->state.context.g[i] * teacher;
            length += teacher * teacher;
        }
        assert_true(length > 0);
        if (before < 0)
            assert_true(fabs(after) < 1e-4 * fabs(before));
        else
            assert_memory_equal(a->state.context.g, b->state.context.g, 4 * W * sizeof(float));
        n_opposed += before < 0;
        n_agreed += before >= 0;
        mopd_trainer_free(a);
        mopd_trainer_free(b);
        mopd_trainer_free(c);
    }
    assert_true(n_opposed > 0 && n_agreed > 0);
}

/* Of two arrays that learn neither moves when one cannot. */
static void a_gate_that_overflows_moves_nothing(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD_STATIC, 4);
    o.weight_decay = 10;
    mopd_trainer *t = training_create(&x, &o);
    float before[4 * W], f[B * D];
    int32_t y[B];
    mopd_step step = {.struct_size = sizeof step};
    training_batch(&x, f, y);
    t->state.gate.p[4] = 3e38f;
    memcpy(before, t->state.context.p, sizeof before);
    assert_fails(mopd_trainer_step(t, f, y, B, &step), MOPD_E_NUMERIC,
        "epoch 1, step 1: the gradient of the gate is not finite");
    assert_memory_equal(t->state.context.p, before, sizeof before);
    assert_true(t->state.total == 0 && t->state.sums.n_seen == 0 && t->state.gate.p[4] == 3e38f);
    mopd_trainer_free(t);
}

static void vectors_that_are_not_finite_are_told(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_COOP, 4);
    float f[B * D];
    int32_t y[B];
    training_batch(&x, f, y);
    t->state.context.p[3] = NAN;
    assert_fails(mopd_trainer_step(t, f, y, B, NULL), MOPD_E_NUMERIC,
        "epoch 1, step 1: the text feature of class 0 (\"cat\") is zero or not finite");
    assert_int_equal(t->state.total, 0);
    mopd_trainer_free(t);
}

static int open_all(void **state)
{
    (void)state;
    test_count_start();
    training_open(&x, 1, 2, 3);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    training_close(&x);
    assert_int_equal(test_count_live(), 0);
    assert_ok(mopd_runtime_set_allocator(NULL));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(a_teacher_like_the_student_has_no_divergence),
        cmocka_unit_test(the_first_pick_is_the_first_templates),
        cmocka_unit_test(bad_pictures_are_refused),
        cmocka_unit_test(repeated_steps_allocate_nothing),
        cmocka_unit_test(a_step_is_one_update),
        cmocka_unit_test(sums_and_counts_add_up),
        cmocka_unit_test(right_answers_are_those_of_the_bank_before),
        cmocka_unit_test(drawn_teachers_follow_seed_and_step),
        cmocka_unit_test(projected_gradients_do_not_oppose_the_teacher),
        cmocka_unit_test(a_gate_that_overflows_moves_nothing),
        cmocka_unit_test(vectors_that_are_not_finite_are_told),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
