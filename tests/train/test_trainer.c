/* SPDX-License-Identifier: MIT
 * test_trainer.c - trainers made: the parts of each method, the start, what is copied and what is refused. */
#include "support/trainings.h"

#include "prompt/bank.h"

static training x;

/* Teachers encoded by the host train the same bits, for all templates and for the first alone. */
static void given_teachers_are_the_same_as_encoded_ones(void **state)
{
    (void)state;
    const int32_t methods[] = {MOPD_METHOD_MOPD, MOPD_METHOD_KGCOOP};
    for (size_t i = 0; i < 2; i++) {
        mopd_trainer_options o = tiny_training(methods[i], 4);
        size_t n = (size_t)o.n_templates * C;
        float *teachers = malloc(n * D * sizeof *teachers);
        assert_ok(mo_bank_grid(x.encoder, tiny_classes, C, o.templates, (size_t)o.n_templates, teachers));
        mopd_trainer *a = training_create(&x, &o);
        o.teachers = teachers;
        mopd_trainer *b = training_create(&x, &o);
        training_finish(&x, a);
        training_finish(&x, b);
        assert_memory_equal(a->state.context.p, b->state.context.p, 4 * W * sizeof(float));
        mopd_trainer_free(a);
        mopd_trainer_free(b);
        teachers[(n - 1) * D] = 3;
        assert_fails(mopd_trainer_create(&a, x.encoder, tiny_classes, C, &o), MOPD_E_ARG,
            "teachers: row 29 has length");
        o.n_templates = 0;
        assert_fails(
            mopd_trainer_create(&a, x.encoder, tiny_classes, C, &o), MOPD_E_ARG, "without their templates");
        free(teachers);
    }
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    mopd_trainer *t;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    const char *const twice[] = {"cat", "cat"}, *const plain[] = {"no place"};
    assert_fails(mopd_trainer_create(&t, x.encoder, twice, 2, &o), MOPD_E_ARG, "cat");
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, 0, &o), MOPD_E_ARG, "");
    o.top_k = 6;
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG,
        "top_k is 6, there are 5 templates");
    o = tiny_training(MOPD_METHOD_MOPD, 4);
    o.templates = plain;
    o.n_templates = 1;
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG, "no place");
    o = tiny_training(MOPD_METHOD_MOPD, 4);
    o.w = 1.5f;
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG, "w is 1.5");
    o = tiny_training(MOPD_METHOD_MOPD, 4);
    o.lr = NAN;
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG, "lr is nan");
    o = tiny_training(MOPD_METHOD_MOPD, 4);
    o.steps = 7;
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG,
        "epochs is 4 and steps is 7: give one of them");
    o.epochs = 0;
    o.steps = 1048577;
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG, "steps is 1048577");
    o = tiny_training(99, 4);
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG, "method is 99");
    o = tiny_training(MOPD_METHOD_MOPD, 4);
    o.context = "a photograph taken of one";
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG, "the tower takes 24");
    o = tiny_training(MOPD_METHOD_MOPD, 4);
    o.memory_limit = 10;
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG, "memory limit");
    o.struct_size = 8;
    assert_fails(mopd_trainer_create(&t, x.encoder, tiny_classes, C, &o), MOPD_E_ARG,
        "mopd_trainer_create: struct_size of mopd_trainer_options is 8");
}

/* Parts that a method has and those it has not. */
static void trainers_are_made_of_their_method_s_parts(void **state)
{
    (void)state;
    static const struct {
        size_t teachers, kept, gate;
        bool u, second;
    } want[] = {
        [MOPD_METHOD_MOPD] = {M, 2, D * M, true, false},
        [MOPD_METHOD_MOPD_STATIC] = {M, 2, M, true, false},
        [MOPD_METHOD_MOPD_RANDOM] = {M, 2, 0, true, false},
        [MOPD_METHOD_KD] = {1, 1, 0, true, false},
        [MOPD_METHOD_COOP] = {0, 0, 0, false, false},
        [MOPD_METHOD_KGCOOP] = {1, 1, 0, false, false},
        [MOPD_METHOD_PROGRAD] = {1, 1, 0, true, true},
    };
    for (int32_t method = 0; method < MO_METHODS; method++) {
        mopd_trainer *t = training_of(&x, method, 4);
        assert_int_equal(t->set.n_templates, want[method].teachers);
        assert_int_equal(t->templates.n, want[method].teachers);
        assert_int_equal(t->set.kept, want[method].kept);
        assert_int_equal(t->state.gate.n, want[method].gate);
        assert_int_equal(t->state.context.n, 4 * W);
        assert_int_equal(t->teachers != NULL, want[method].teachers > 0);
        assert_int_equal(t->work.u != NULL, want[method].u);
        assert_int_equal(t->work.ds2 != NULL, want[method].second);
        assert_int_equal(t->work.dz2 != NULL, want[method].second);
        assert_int_equal(t->work.d_context2 != NULL, want[method].second);
        mopd_trainer_free(t);
    }
}

static void a_new_trainer_stands_at_its_start(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_MOPD, 4);
    const mo_trainer_state *s = &t->state;
    float start[4 * W];
    assert_ok(mo_context_start(x.encoder, &t->shape, C, "a photo of a", 1, start));
    assert_memory_equal(s->context.p, start, sizeof start);
    for (size_t i = 0; i < s->context.n; i++) assert_true(s->context.v[i] == 0);
    for (size_t i = 0; i < s->gate.n; i++) assert_true(s->gate.p[i] == 0 && s->gate.v[i] == 0);
    assert_true(!s->epoch && !s->step && !s->total && !s->sums.n_seen && s->sums.loss == 0);
    assert_true(t->notes.accuracy == -1 && !t->notes.data && !t->notes.gate_use && !t->notes.host.key.n);
    mopd_trainer_free(t);
    mopd_trainer_free(NULL);
}

static void random_vectors_follow_the_seed(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_COOP, 4);
    o.context = NULL;
    o.n_context = 7;
    mopd_trainer *a = training_create(&x, &o), *b = training_create(&x, &o);
    o.seed = 2;
    mopd_trainer *c = training_create(&x, &o);
    assert_int_equal(a->state.context.n, 7 * W);
    training_same(a, b);
    assert_memory_not_equal(a->state.context.p, c->state.context.p, 7 * W * sizeof(float));
    mopd_trainer_free(a);
    mopd_trainer_free(b);
    mopd_trainer_free(c);
}

/* Nothing of the caller's is needed once there is a trainer. */
static void texts_and_teachers_are_copied(void **state)
{
    (void)state;
    char names[C][32], sentences[M][64], words[16] = "a photo of a";
    const char *classes[C], *templates[M];
    for (int c = 0; c < C; c++) classes[c] = strcpy(names[c], tiny_classes[c]);
    for (int m = 0; m < M; m++) templates[m] = strcpy(sentences[m], tiny_templates[m]);
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 2);
    o.templates = templates;
    o.context = words;
    mopd_trainer *a = training_of(&x, MOPD_METHOD_MOPD, 2), *b = NULL;
    assert_ok(mopd_trainer_create(&b, x.encoder, classes, C, &o));
    memset(names, 'z', sizeof names);
    memset(sentences, 'z', sizeof sentences);
    memset(words, 'z', sizeof words);
    training_finish(&x, a);
    training_finish(&x, b);
    assert_true(training_same_files(training_save(a, "own"), training_save(b, "copied")));
    mopd_trainer_free(a);
    mopd_trainer_free(b);
}

static void learning_rates_are_those_of_the_options(void **state)
{
    (void)state;
    mopd_trainer *t = training_of(&x, MOPD_METHOD_COOP, 3);
    assert_true(mopd_trainer_lr(t, 0) == 0);
    assert_true(mopd_trainer_lr(t, 1) == (double)0.01f);
    assert_true(mopd_trainer_lr(t, 2) == (double)0.02f);
    assert_true(mopd_trainer_lr(t, 3) > 0 && mopd_trainer_lr(t, 3) < 0.02);
    assert_true(mopd_trainer_lr(t, 4) == 0 && mopd_trainer_lr(t, UINT32_MAX) == 0);
    assert_true(mopd_trainer_lr(NULL, 1) == 0);
    mopd_trainer_free(t);
}

static void the_limit_says_how_many_chunks(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_COOP, 3);
    mopd_trainer *one = training_create(&x, &o);
    o.memory_limit = 40000;
    mopd_trainer *more = training_create(&x, &o);
    assert_int_equal(mo_student_chunks(one->student), 1);
    assert_true(mo_student_chunks(more->student) > 1);
    mopd_trainer_free(one);
    mopd_trainer_free(more);
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
        cmocka_unit_test(given_teachers_are_the_same_as_encoded_ones),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(trainers_are_made_of_their_method_s_parts),
        cmocka_unit_test(a_new_trainer_stands_at_its_start),
        cmocka_unit_test(random_vectors_follow_the_seed),
        cmocka_unit_test(texts_and_teachers_are_copied),
        cmocka_unit_test(learning_rates_are_those_of_the_options),
        cmocka_unit_test(the_limit_says_how_many_chunks),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
