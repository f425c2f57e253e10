/* SPDX-License-Identifier: MIT
 * test_student.c - class features as a function of the vectors: the frozen prompt, gradients, chunks, stops. */
#include "test.h"

#include "prompt/context.h"
#include "prompt/student.h"
#include "support/tiny.h"

/* With the words' embeddings as vectors the student is the frozen prompt. */
static void a_student_at_its_start_is_the_frozen_prompt(void **state)
{
    const mopd_encoder *e = *state;
    const char *const names[] = {"cat", "big dog"};
    const char *const texts[] = {"a photo of a cat.", "a photo of a big dog."};
    float ctx[4 * TINY_WIDTH], got[2 * TINY_DIM], want[2 * TINY_DIM];
    mo_student *s = NULL;
    assert_ok(
        mo_student_create(&s, &(mo_student_args){e, {4, MOPD_CLASS_END, false}, names, 2, 0, false, NULL}));
    assert_ok(mo_context_start(e, &(mo_context_shape){4, 0, false}, 2, "a photo of a", 1, ctx));
    assert_ok(mo_student_fwd(s, ctx, got));
    assert_ok(mopd_encoder_encode_texts(e, texts, 2, want));
    assert_true(test_max_diff(got, want, 2 * TINY_DIM) < 1e-6);
    mo_student_free(s);
}

/* d sum(features x weights) / d ctx against central differences, for each place of the name. */
static void gradient_matches_differences(const mopd_encoder *e, mo_context_shape shape, size_t limit)
{
    enum { C = TINY_CLASSES };
    size_t n = mo_context_vectors(&shape, C) * TINY_WIDTH;
    float *ctx = malloc(n * sizeof *ctx), *grad = malloc(n * sizeof *grad), s[C * TINY_DIM],
          weight[C * TINY_DIM], d[C * TINY_DIM];
    mo_student *student = NULL;
    test_random(ctx, n, 3);
    test_random(weight, C * TINY_DIM, 4);
    memcpy(d, weight, sizeof d);
    assert_ok(mo_student_create(&student, &(mo_student_args){e, shape, tiny_classes, C, limit, true, NULL}));
    if (limit) assert_true(mo_student_chunks(student) > 1);
    assert_ok(mo_student_fwd(student, ctx, s));
    assert_ok(mo_student_bwd(student, ctx, s, 1, (float *const[]){d}, (float *const[]){grad}));
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)grad[i]));
    for (size_t i = 0; i < n; i += 3) {
        double value[2];
        float old = ctx[i];
        for (int k = 0; k < 2; k++) {
            ctx[i] = old + (k ? -4e-3f : 4e-3f);
            assert_ok(mo_student_fwd(student, ctx, s));
            value[k] = 0;
            for (int j = 0; j < C * TINY_DIM; j++) value[k] += (double)s[j] * (double)weight[j];
        }
        ctx[i] = old;
        double slope = (value[0] - value[1]) / 8e-3;
        if (fabs(slope - (double)grad[i]) > 2e-3 * largest)
            fail_msg("vector number %zu: gradient %g, difference %g, largest %g", i, (double)grad[i], slope,
                largest);
    }
    mo_student_free(student);
    free(grad);
    free(ctx);
}

static void student_gradients_match_differences(void **state)
{
    gradient_matches_differences(*state, (mo_context_shape){4, MOPD_CLASS_END, false}, 0);
    gradient_matches_differences(*state, (mo_context_shape){3, MOPD_CLASS_MIDDLE, false}, 0);
    gradient_matches_differences(*state, (mo_context_shape){2, MOPD_CLASS_FRONT, false}, 0);
    gradient_matches_differences(*state, (mo_context_shape){2, MOPD_CLASS_END, true}, 0);
    gradient_matches_differences(*state, (mo_context_shape){4, MOPD_CLASS_END, false}, 40000);
    gradient_matches_differences(*state, (mo_context_shape){2, MOPD_CLASS_END, true}, 40000);
}

static void chunks_change_no_feature(void **state)
{
    const mopd_encoder *e = *state;
    float ctx[4 * TINY_WIDTH], whole[TINY_CLASSES * TINY_DIM], parts[TINY_CLASSES * TINY_DIM];
    const mo_context_shape shape = {4, MOPD_CLASS_END, false};
    mo_student *a = NULL, *b = NULL;
    test_random(ctx, 4 * TINY_WIDTH, 9);
    assert_ok(mo_student_create(&a, &(mo_student_args){e, shape, tiny_classes, TINY_CLASSES, 0, true, NULL}));
    assert_ok(
        mo_student_create(&b, &(mo_student_args){e, shape, tiny_classes, TINY_CLASSES, 40000, true, NULL}));
    assert_int_equal(mo_student_chunks(a), 1);
    assert_true(mo_student_chunks(b) > 1);
    assert_ok(mo_student_fwd(a, ctx, whole));
    assert_ok(mo_student_fwd(b, ctx, parts));
    assert_memory_equal(whole, parts, sizeof whole);
    mo_student_free(a);
    mo_student_free(b);
}

static void a_limit_below_one_class_is_refused(void **state)
{
    mo_student *s = NULL;
    assert_fails(mo_student_create(&s,
                     &(mo_student_args){*state, {4, 0, false}, tiny_classes, TINY_CLASSES, 1000, true, NULL}),
        MOPD_E_ARG, "one class needs");
}

/* The gradient as a student with these vectors gives it; d_features is copied, for it is overwritten. */
static void gradient_of(mo_student *s, const float *ctx, const float *d_features, float *grad)
{
    float features[TINY_CLASSES * TINY_DIM], d[TINY_CLASSES * TINY_DIM];
    memcpy(d, d_features, sizeof d);
    assert_ok(mo_student_fwd(s, ctx, features));
    assert_ok(mo_student_bwd(s, ctx, features, 1, (float *const[]){d}, (float *const[]){grad}));
}

/* Two gradients of one forward pass are those of two passes, to the bit. */
static void two_gradients_at_once_are_each_alone(void **state)
{
    const mo_context_shape shape = {3, MOPD_CLASS_END, false};
    enum { N = 3 * TINY_WIDTH, ALL = TINY_CLASSES * TINY_DIM };
    for (size_t limit = 0; limit <= 40000; limit += 40000) {
        float ctx[N], s[ALL], a[ALL], b[ALL], c[ALL], d[ALL], one[N], two[N], first[N], second[N];
        mo_student *student = NULL;
        test_random(ctx, N, 5);
        test_random(a, ALL, 6);
        test_random(b, ALL, 7);
        memcpy(c, a, sizeof c);
        memcpy(d, b, sizeof d);
        assert_ok(mo_student_create(
            &student, &(mo_student_args){*state, shape, tiny_classes, TINY_CLASSES, limit, true, NULL}));
        gradient_of(student, ctx, a, one);
        gradient_of(student, ctx, b, two);
        assert_ok(mo_student_fwd(student, ctx, s));
        assert_ok(
            mo_student_bwd(student, ctx, s, 2, (float *const[]){c, d}, (float *const[]){first, second}));
        assert_memory_equal(first, one, sizeof one);
        assert_memory_equal(second, two, sizeof two);
        mo_student_free(student);
    }
}

/* A class's own vectors move by its own feature alone. */
static void own_vectors_learn_from_their_class_alone(void **state)
{
    const mo_context_shape shape = {2, MOPD_CLASS_FRONT, true};
    enum { EACH = 2 * TINY_WIDTH, N = TINY_CLASSES * EACH, ALL = TINY_CLASSES * TINY_DIM };
    float ctx[N], d[ALL] = {0}, grad[N];
    mo_student *s = NULL;
    test_random(ctx, N, 8);
    test_random(d + 3 * TINY_DIM, TINY_DIM, 9);
    assert_ok(
        mo_student_create(&s, &(mo_student_args){*state, shape, tiny_classes, TINY_CLASSES, 0, true, NULL}));
    gradient_of(s, ctx, d, grad);
    for (int i = 0; i < N; i++)
        if (i / EACH != 3) assert_true(grad[i] == 0);
    double largest = 0;
    for (int i = 3 * EACH; i < 4 * EACH; i++) largest = fmax(largest, fabs((double)grad[i]));
    assert_true(largest > 1e-4);
    mo_student_free(s);
}

static void training_changes_no_feature(void **state)
{
    const mo_context_shape shape = {4, MOPD_CLASS_MIDDLE, false};
    float ctx[4 * TINY_WIDTH], a[TINY_CLASSES * TINY_DIM], b[TINY_CLASSES * TINY_DIM];
    mo_student *learns = NULL, *only = NULL;
    test_random(ctx, 4 * TINY_WIDTH, 10);
    assert_ok(mo_student_create(
        &learns, &(mo_student_args){*state, shape, tiny_classes, TINY_CLASSES, 0, true, NULL}));
    assert_ok(mo_student_create(
        &only, &(mo_student_args){*state, shape, tiny_classes, TINY_CLASSES, 0, false, NULL}));
    assert_ok(mo_student_fwd(learns, ctx, a));
    assert_ok(mo_student_fwd(only, ctx, b));
    assert_true(test_max_diff(a, b, TINY_CLASSES * TINY_DIM) < 1e-6);
    mo_student_free(learns);
    mo_student_free(only);
}

static void features_have_length_1(void **state)
{
    float ctx[2 * TINY_WIDTH], s[TINY_CLASSES * TINY_DIM];
    mo_student *student = NULL;
    test_random(ctx, 2 * TINY_WIDTH, 11);
    assert_ok(mo_student_create(
        &student, &(mo_student_args){*state, {2, 0, false}, tiny_classes, TINY_CLASSES, 0, false, NULL}));
    assert_ok(mo_student_fwd(student, ctx, s));
    for (int c = 0; c < TINY_CLASSES; c++) {
        double sum = 0;
        for (int d = 0; d < TINY_DIM; d++) sum += (double)s[c * TINY_DIM + d] * (double)s[c * TINY_DIM + d];
        assert_true(fabs(sum - 1) < 1e-6);
    }
    mo_student_free(student);
}

static void a_feature_that_is_not_finite_names_its_class(void **state)
{
    const mo_context_shape shape = {1, 0, true};
    float ctx[TINY_CLASSES * TINY_WIDTH], s[TINY_CLASSES * TINY_DIM];
    mo_student *student = NULL;
    test_random(ctx, TINY_CLASSES * TINY_WIDTH, 12);
    ctx[3 * TINY_WIDTH + 5] = NAN;
    assert_ok(mo_student_create(
        &student, &(mo_student_args){*state, shape, tiny_classes, TINY_CLASSES, 0, true, NULL}));
    assert_fails(mo_student_fwd(student, ctx, s), MOPD_E_NUMERIC,
        "the text feature of class 3 (\"a b\") is zero or not finite");
    test_random(ctx, TINY_CLASSES * TINY_WIDTH, 12);
    assert_ok(mo_student_fwd(student, ctx, s)); /* and the student goes on */
    mo_student_free(student);
}

static int count_down(void *left)
{
    int *n = left;
    return (*n)-- == 0;
}

/* Both passes end wherever they are asked to; afterwards they work as before. */
static void passes_can_be_stopped(void **state)
{
    const mo_context_shape shape = {2, 0, false};
    enum { N = 2 * TINY_WIDTH, ALL = TINY_CLASSES * TINY_DIM };
    for (size_t limit = 0; limit <= 40000; limit += 40000) {
        float ctx[N], s[ALL], d[ALL], weight[ALL], want[N], grad[N];
        mo_student *student = NULL;
        test_random(ctx, N, 13);
        test_random(weight, ALL, 14);
        assert_ok(mo_student_create(
            &student, &(mo_student_args){*state, shape, tiny_classes, TINY_CLASSES, limit, true, NULL}));
        gradient_of(student, ctx, weight, want);
        int n_forward = 0, n_back = 0, left;
        for (left = n_forward;; left = ++n_forward) {
            mo_student_watch(student, count_down, &left);
            mopd_status st = mo_student_fwd(student, ctx, s);
            if (st == MOPD_OK) break;
            assert_int_equal(st, MOPD_E_CANCELLED);
        }
        for (left = n_back;; left = ++n_back) {
            mo_student_watch(student, NULL, NULL);
            assert_ok(mo_student_fwd(student, ctx, s));
            memcpy(d, weight, sizeof d);
            mo_student_watch(student, count_down, &left);
            mopd_status st = mo_student_bwd(student, ctx, s, 1, (float *const[]){d}, (float *const[]){grad});
            if (st == MOPD_OK) break;
            assert_int_equal(st, MOPD_E_CANCELLED);
        }
        assert_true(n_forward > 1 && n_back > 1);
        assert_memory_equal(grad, want, sizeof want);
        mo_student_watch(student, NULL, NULL);
        gradient_of(student, ctx, weight, grad);
        assert_memory_equal(grad, want, sizeof want);
        mo_student_free(student);
    }
}

/* As few chunks as the limit needs, down to one class each. */
static void a_lower_limit_makes_more_chunks(void **state)
{
    size_t before = 0;
    for (size_t limit = 200000; limit >= 18000; limit -= limit / 8) {
        mo_student *s = NULL;
        mopd_status st = mo_student_create(
            &s, &(mo_student_args){*state, {4, 0, false}, tiny_classes, TINY_CLASSES, limit, true, NULL});
        if (st != MOPD_OK) {
            assert_int_equal(st, MOPD_E_ARG);
            assert_non_null(strstr(mopd_last_error(), "memory limit: one class needs"));
            break;
        }
        assert_in_range(mo_student_chunks(s), before ? before : 1, TINY_CLASSES);
        before = mo_student_chunks(s);
        mo_student_free(s);
    }
    assert_true(before > 2);
}

static int open_model(void **state)
{
    *state = tiny_open(1, 1);
    return 0;
}

static int close_model(void **state)
{
    mopd_encoder_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_student_at_its_start_is_the_frozen_prompt),
        cmocka_unit_test(student_gradients_match_differences),
        cmocka_unit_test(chunks_change_no_feature),
        cmocka_unit_test(a_limit_below_one_class_is_refused),
        cmocka_unit_test(two_gradients_at_once_are_each_alone),
        cmocka_unit_test(own_vectors_learn_from_their_class_alone),
        cmocka_unit_test(training_changes_no_feature),
        cmocka_unit_test(features_have_length_1),
        cmocka_unit_test(a_feature_that_is_not_finite_names_its_class),
        cmocka_unit_test(passes_can_be_stopped),
        cmocka_unit_test(a_lower_limit_makes_more_chunks),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
