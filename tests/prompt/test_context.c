/* SPDX-License-Identifier: MIT
 * test_context.c - token sequences with vectors, where they start, class features and their gradient. */
#include "test.h"

#include "prompt/context.h"
#include "prompt/student.h"
#include "support/tiny.h"
#include "base/mem.h"

#define V MO_TEXT_CTX
enum { START = 517, END = 518, PHOTO = 515, OF = 516, A_END = 353, DOT_END = 302 };

static void expect(
    const mopd_encoder *e, mo_context_shape shape, const char *const *names, const uint32_t *want, size_t n)
{
    mo_tokens tokens = {0};
    size_t start[3];
    assert_ok(mo_context_tokens(e, &shape, names, 2, &tokens, start));
    assert_int_equal(start[2], n);
    assert_int_equal(tokens.n, n);
    for (size_t i = 0; i < n; i++)
        if (tokens.id[i] != want[i]) fail_msg("token %zu is %#x, not %#x", i, tokens.id[i], want[i]);
    assert_int_equal(tokens.id[start[1]], START);
    mo_mem_free(tokens.id);
}

static void sequences_are_those_of_the_method(void **state)
{
    const mopd_encoder *e = *state;
    const char *const names[] = {"cat", "x_y"};
    uint32_t cat[] = {99, 97, 372}, x = 376, y = 377;
    const uint32_t end[] = {START, V, V | 1, V | 2, cat[0], cat[1], cat[2], DOT_END, END, START, V, V | 1,
        V | 2, x, y, DOT_END, END};
    const uint32_t middle[] = {START, V, cat[0], cat[1], cat[2], V | 1, V | 2, DOT_END, END, START, V, x, y,
        V | 1, V | 2, DOT_END, END};
    const uint32_t front[] = {START, cat[0], cat[1], cat[2], V, V | 1, V | 2, DOT_END, END, START, x, y, V,
        V | 1, V | 2, DOT_END, END};
    const uint32_t own[] = {START, V, V | 1, V | 2, cat[0], cat[1], cat[2], DOT_END, END, START, V | 3, V | 4,
        V | 5, x, y, DOT_END, END};
    expect(e, (mo_context_shape){3, MOPD_CLASS_END, false}, names, end, 17);
    expect(e, (mo_context_shape){3, MOPD_CLASS_MIDDLE, false}, names, middle, 17);
    expect(e, (mo_context_shape){3, MOPD_CLASS_FRONT, false}, names, front, 17);
    expect(e, (mo_context_shape){3, MOPD_CLASS_END, true}, names, own, 17);
}

static void words_give_their_number_of_vectors(void **state)
{
    const mopd_encoder *e = *state;
    size_t n;
    assert_ok(mo_context_count(e, "a photo of a", 0, &n));
    assert_int_equal(n, 4);
    assert_ok(mo_context_count(e, "photo of", 2, &n));
    assert_int_equal(n, 2);
    assert_ok(mo_context_count(e, NULL, 0, &n));
    assert_int_equal(n, 4);
    assert_ok(mo_context_count(e, NULL, 16, &n));
    assert_int_equal(n, 16);
    assert_fails(mo_context_count(e, "a photo of a", 5, &n), MOPD_E_ARG, "4 tokens, n_context is 5");
    assert_fails(mo_context_count(e, " ", 0, &n), MOPD_E_ARG, "no token");
}

static void a_start_from_words_is_their_embeddings(void **state)
{
    const mopd_encoder *e = *state;
    const uint32_t ids[4] = {A_END, PHOTO, OF, A_END};
    float ctx[2 * 4 * TINY_WIDTH], row[TINY_WIDTH];
    assert_ok(mo_context_start(e, &(mo_context_shape){4, 0, true}, 2, "a photo of a", 1, ctx));
    for (size_t j = 0; j < 8; j++) {
        assert_ok(mo_text_embedding(e->text, ids[j % 4], row));
        assert_memory_equal(ctx + j * TINY_WIDTH, row, sizeof row);
    }
}

static void a_random_start_follows_its_seed(void **state)
{
    const mopd_encoder *e = *state;
    enum { N = 16 * TINY_WIDTH };
    float a[N], b[N], c[N];
    const mo_context_shape shape = {16, 0, false};
    assert_ok(mo_context_start(e, &shape, 3, NULL, 5, a));
    assert_ok(mo_context_start(e, &shape, 3, NULL, 5, b));
    assert_ok(mo_context_start(e, &shape, 3, NULL, 6, c));
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) sum += (double)a[i], squares += (double)a[i] * (double)a[i];
    assert_true(fabs(sum / N) < 0.005);
    assert_true(fabs(sqrt(squares / N) - 0.02) < 0.003);
}

static void a_prompt_too_long_names_its_class(void **state)
{
    const mopd_encoder *e = *state;
    const char *const names[] = {"ox", "hippopotamuses"};
    mo_tokens tokens = {0};
    size_t start[3];
    assert_fails(mo_context_tokens(e, &(mo_context_shape){9, 0, false}, names, 2, &tokens, start), MOPD_E_ARG,
        "\"hippopotamuses\": its prompt has 26 tokens with 9 vectors, the tower takes 24");
    mo_mem_free(tokens.id);
}

/* With the words' embeddings as vectors the student is the frozen prompt. */
static void a_student_at_its_start_is_the_frozen_prompt(void **state)
{
    const mopd_encoder *e = *state;
    const char *const names[] = {"cat", "big dog"};
    const char *const texts[] = {"a photo of a cat.", "a photo of a big dog."};
    float ctx[4 * TINY_WIDTH], got[2 * TINY_DIM], want[2 * TINY_DIM];
    mo_student *s = NULL;
    assert_ok(mo_student_create(&s, &(mo_student_args){e, {4, MOPD_CLASS_END, false}, names, 2, 0, false}));
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
    assert_ok(mo_student_create(&student, &(mo_student_args){e, shape, tiny_classes, C, limit, true}));
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
    assert_ok(mo_student_create(&a, &(mo_student_args){e, shape, tiny_classes, TINY_CLASSES, 0, true}));
    assert_ok(mo_student_create(&b, &(mo_student_args){e, shape, tiny_classes, TINY_CLASSES, 40000, true}));
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
    assert_fails(mo_student_create(
                     &s, &(mo_student_args){*state, {4, 0, false}, tiny_classes, TINY_CLASSES, 1000, true}),
        MOPD_E_ARG, "one class needs");
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
        cmocka_unit_test(sequences_are_those_of_the_method),
        cmocka_unit_test(words_give_their_number_of_vectors),
        cmocka_unit_test(a_start_from_words_is_their_embeddings),
        cmocka_unit_test(a_random_start_follows_its_seed),
        cmocka_unit_test(a_prompt_too_long_names_its_class),
        cmocka_unit_test(a_student_at_its_start_is_the_frozen_prompt),
        cmocka_unit_test(student_gradients_match_differences),
        cmocka_unit_test(chunks_change_no_feature),
        cmocka_unit_test(a_limit_below_one_class_is_refused),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
