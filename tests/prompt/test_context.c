/* SPDX-License-Identifier: MIT
 * test_context.c - token sequences with vectors among their tokens, and where the vectors start. */
#include "test.h"

#include "prompt/context.h"
#include "support/folders.h"
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

static mopd_encoder *truncating(void)
{
    mopd_encoder_options o;
    mopd_encoder *e = NULL;
    assert_ok(mopd_encoder_options_init(&o, sizeof o));
    o.flags = MOPD_TEXT_TRUNCATE;
    assert_ok(mopd_encoder_open(&e, tiny_model(1), &o));
    return e;
}

/* An encoder that truncates cuts the words and keeps the vectors and the end. */
static void a_prompt_too_long_is_cut_where_the_encoder_cuts(void **state)
{
    (void)state;
    mopd_encoder *e = truncating();
    static const int32_t positions[] = {MOPD_CLASS_END, MOPD_CLASS_MIDDLE, MOPD_CLASS_FRONT};
    const char *const names[] = {"hippopotamuses and all their friends"};
    for (size_t i = 0; i < 3; i++) {
        mo_tokens tokens = {0};
        size_t start[2], vectors = 0;
        assert_ok(
            mo_context_tokens(e, &(mo_context_shape){9, positions[i], false}, names, 1, &tokens, start));
        assert_int_equal(tokens.n, TINY_CONTEXT);
        assert_int_equal(tokens.id[0], START);
        assert_int_equal(tokens.id[TINY_CONTEXT - 1], END);
        for (size_t k = 0; k < tokens.n; k++)
            if (tokens.id[k] & V) assert_int_equal(tokens.id[k], V | vectors++);
        assert_int_equal(vectors, 9);
        assert_int_equal(tokens.id[1] & V, positions[i] == MOPD_CLASS_FRONT ? 0 : V);
        mo_mem_free(tokens.id);
    }
    mopd_encoder_close(e);
}

static void vectors_alone_may_be_too_many(void **state)
{
    (void)state;
    mopd_encoder *e = truncating();
    const char *const names[] = {"ox"};
    mo_tokens tokens = {0};
    size_t start[2];
    assert_fails(mo_context_tokens(e, &(mo_context_shape){23, 0, false}, names, 1, &tokens, start),
        MOPD_E_ARG, "with 23 vectors, the tower takes 24");
    tokens.n = 0;
    assert_ok(mo_context_tokens(e, &(mo_context_shape){22, 0, false}, names, 1, &tokens, start));
    assert_int_equal(tokens.n, TINY_CONTEXT); /* start, vectors, end: no word is left */
    mo_mem_free(tokens.id);
    mopd_encoder_close(e);
}

/* Sequences are appended: what stands in tokens before stays. */
static void sequences_are_appended(void **state)
{
    const mopd_encoder *e = *state;
    const char *const names[] = {"x", "y"};
    mo_tokens tokens = {0};
    size_t first[3], second[3];
    assert_ok(mo_context_tokens(e, &(mo_context_shape){1, 0, false}, names, 2, &tokens, first));
    size_t n = tokens.n;
    assert_ok(mo_context_tokens(e, &(mo_context_shape){1, 0, false}, names, 2, &tokens, second));
    assert_int_equal(tokens.n, 2 * n);
    assert_int_equal(second[0], n);
    assert_memory_equal(tokens.id, tokens.id + n, n * sizeof *tokens.id);
    mo_mem_free(tokens.id);
}

static void positions_have_names(void **state)
{
    (void)state;
    assert_string_equal(mo_context_positions[MOPD_CLASS_END], "end");
    assert_string_equal(mo_context_positions[MOPD_CLASS_MIDDLE], "middle");
    assert_string_equal(mo_context_positions[MOPD_CLASS_FRONT], "front");
}

static void vectors_are_shared_or_each_class_s(void **state)
{
    (void)state;
    assert_int_equal(mo_context_vectors(&(mo_context_shape){4, 0, false}, 7), 4);
    assert_int_equal(mo_context_vectors(&(mo_context_shape){4, 0, true}, 7), 28);
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

/* A tokenizer without a start token: the vectors, or the name, come first. */
static void there_may_be_no_start(void **state)
{
    (void)state;
    static const char pieces[] =
        "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"</s>\",0],"
        "[\"\xe2\x96\x81"
        "cat\",-1],[\"\xe2\x96\x81\",-2],[\".\",-2]]}}";
    const char *folder = folder_of("hf"), *const names[] = {"cat"};
    folder_write_text(folder, "tokenizer.json", pieces);
    folder_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"T5Tokenizer\"}");
    folder_edit(folder, "config.json", "\"eos_token_id\": 524", "\"eos_token_id\": 1");
    mopd_encoder *e = folder_open(folder, 1);
    static const struct {
        int position;
        uint32_t want[5];
    } t[] = {{MOPD_CLASS_END, {V, V | 1, 2, 4, 1}}, {MOPD_CLASS_MIDDLE, {V, 2, V | 1, 4, 1}},
        {MOPD_CLASS_FRONT, {2, V, V | 1, 4, 1}}};
    for (size_t i = 0; i < 3; i++) {
        mo_tokens tokens = {0};
        size_t start[2];
        assert_ok(
            mo_context_tokens(e, &(mo_context_shape){2, t[i].position, false}, names, 1, &tokens, start));
        assert_int_equal(tokens.n, 5);
        assert_memory_equal(tokens.id, t[i].want, sizeof t[i].want);
        mo_mem_free(tokens.id);
    }
    mo_encoder_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_are_those_of_the_method),
        cmocka_unit_test(words_give_their_number_of_vectors),
        cmocka_unit_test(a_start_from_words_is_their_embeddings),
        cmocka_unit_test(a_random_start_follows_its_seed),
        cmocka_unit_test(a_prompt_too_long_names_its_class),
        cmocka_unit_test(vectors_are_shared_or_each_class_s),
        cmocka_unit_test(positions_have_names),
        cmocka_unit_test(sequences_are_appended),
        cmocka_unit_test(vectors_alone_may_be_too_many),
        cmocka_unit_test(a_prompt_too_long_is_cut_where_the_encoder_cuts),
        cmocka_unit_test(there_may_be_no_start),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
