/* SPDX-License-Identifier: MIT
 * test_text_fwd.c - the text tower forward against the plainest program: one text at a time, every row of it, no tree. */
#include "test.h"

#include "base/pool.h"
#include "clip/text_inner.h"
#include "support/plain.h"
#include "support/towers.h"

enum { N = 12, MAX_TOKENS = 16, MAX_DIM = 16, MAX_WIDTH = 48, N_CTX = 3 };

typedef struct shape {
    uint32_t width, layers, heads, hidden, dim;
    mo_act act;
    mo_end_rule end;
} shape;

/* The third has rows alike in its second block too, which are different ones there, and room to make them once. */
static const shape shapes[] = {
    {20, 2, 2, 36, 12, MO_ACT_QUICK_GELU, MO_END_FIRST},
    {32, 1, 2, 32, 16, MO_ACT_GELU, MO_END_LARGEST},
    {48, 3, 3, 192, 5, MO_ACT_QUICK_GELU, MO_END_FIRST},
    {24, 2, 1, 40, 1, MO_ACT_GELU, MO_END_LARGEST},
};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static mo_config config_of(const shape *s)
{
    mo_config c = tower_config();
    c.dim = s->dim;
    c.text.stack = tower_stack(s->width, s->layers, s->heads, s->hidden);
    c.text.stack.act = s->act;
    c.text.end_rule = s->end;
    c.text.end_id = s->end == MO_END_FIRST ? 49 : 0;
    assert_ok(mo_config_check(&c, "shape"));
    return c;
}

/* feature [D] of one text of n tokens, read at its last one. */
static void plain_text(double *feature, const mo_config *c, const mo_weights *w, const uint32_t *token,
    size_t n, const float *ctx)
{
    const mo_stack_config *s = &c->text.stack;
    const size_t width = s->width;
    double *embedding = plain_get(w, "text_model.embeddings.token_embedding.weight", "");
    double *position = plain_get(w, "text_model.embeddings.position_embedding.weight", "");
    double *x = plain_make(n * width);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < width; i++) {
            const bool learned = token[r] & MO_TEXT_CTX;
            const size_t at = (token[r] & ~MO_TEXT_CTX) * width + i;
            x[r * width + i] = (learned ? (double)ctx[at] : embedding[at]) + position[r * width + i];
        }
    plain_blocks(x, n, w, "text_model", s);
    double *end = x + (n - 1) * width;
    plain_norm(end, end, w, "text_model.final_layer_norm", s->eps, (size_t[]){1, width});
    plain_linear(feature, end, w, "text_projection", false, (size_t[]){1, c->dim, width});
    free(x);
    free(position);
    free(embedding);
}

/* Texts that share beginnings, some the same, ends in between; the end token is 49, the largest.  Returns how
 * many tokens each has up to its end. */
static void make_texts(uint32_t *tokens, size_t *start, size_t *until, bool with_context)
{
    uint64_t seed = 9;
    size_t at = 0;
    for (size_t i = 0; i < N; i++) {
        start[i] = at;
        const size_t shared = i % 4 * 2, n = 4 + i % 9;
        for (size_t k = 0; k + 1 < n; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            tokens[at + k] = k < shared ? 10 + (uint32_t)k : (uint32_t)(seed >> 40) % 48;
            if (with_context && k > 0 && k <= N_CTX && i % 3)
                tokens[at + k] = MO_TEXT_CTX | (uint32_t)(k - 1);
        }
        tokens[at + n - 1] = 49;
        until[i] = n;
        at += n;
        if (i % 2) tokens[at++] = 7; /* dropped */
        if (i == 5) {                /* text 5 is text 4 again */
            at = start[5];
            for (size_t k = 0; k < until[4]; k++) tokens[at++] = tokens[start[4] + k];
            until[5] = until[4];
        }
    }
    start[N] = at;
}

static void compare(const shape *s, bool with_context, uint32_t seed)
{
    const mo_config c = config_of(s);
    mo_weights *w = tower_weights(&c, seed);
    uint32_t tokens[N * MAX_TOKENS];
    size_t start[N + 1], until[N];
    float ctx[N_CTX * MAX_WIDTH], out[N * MAX_DIM], kept[N * MAX_DIM];
    double want[MAX_DIM], largest = 0;
    mo_text *text;
    mo_text_plan *plan;
    mo_text_cache *cache;
    mo_pool *pool;
    make_texts(tokens, start, until, with_context);
    test_random(ctx, N_CTX * MAX_WIDTH, 6);
    assert_ok(mo_pool_create(&pool, 2));
    assert_ok(mo_text_create(&text, &c, w, false));
    assert_ok(mo_text_plan_create(&plan, text, tokens, start, N));
    assert_int_equal(mo_text_plan_n_ctx(plan), with_context ? N_CTX : 0);
    assert_ok(mo_text_fwd(text, pool, plan, ctx, NULL, out));
    assert_ok(mo_text_cache_create(&cache, text, plan));
    assert_ok(mo_text_fwd(text, pool, plan, ctx, cache, kept));
    for (size_t i = 0; i < N; i++) {
        plain_text(want, &c, w, tokens + start[i], until[i], ctx);
        const double a = plain_worst(out + i * c.dim, want, c.dim),
                     b = plain_worst(kept + i * c.dim, want, c.dim);
        if (!(a < 1e-5 && b < 1e-5)) fail_msg("width %u, text %zu: off by %g and %g", s->width, i, a, b);
        for (size_t d = 0; d < c.dim; d++) largest = fmax(largest, fabs(want[d]));
    }
    assert_true(largest > 0.1);
    mo_text_cache_free(cache);
    mo_text_plan_free(plan);
    mo_text_free(text);
    mo_pool_free(pool);
    mo_weights_free(w);
}

static void texts_equal_the_plain_program(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) compare(&shapes[i], false, 10 * (uint32_t)i);
}

static void texts_with_context_equal_the_plain_program(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) compare(&shapes[i], true, 10 * (uint32_t)i + 5);
}

static void embeddings_are_rows_of_the_table(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[0]);
    mo_weights *w = tower_weights(&c, 3);
    mo_text *text;
    float row[MAX_WIDTH];
    assert_ok(mo_text_create(&text, &c, w, false));
    assert_int_equal(mo_text_width(text), c.text.stack.width);
    assert_int_equal(mo_text_dim(text), c.dim);
    double *all = plain_get(w, "text_model.embeddings.token_embedding.weight", "");
    for (uint32_t t = 0; t < c.text.vocab; t += 7) {
        assert_ok(mo_text_embedding(text, t, row));
        assert_true(plain_worst(row, all + t * c.text.stack.width, c.text.stack.width) == 0);
    }
    assert_fails(
        mo_text_embedding(text, c.text.vocab, row), MOPD_E_ARG, "token 50; the vocabulary ends at 49");
    free(all);
    mo_text_free(text);
    mo_text_free(NULL);
    mo_weights_free(w);
}

/* A plan that wants vectors nobody gives. */
static void missing_context_is_a_failure(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[0]);
    mo_weights *w = tower_weights(&c, 3);
    const uint32_t tokens[] = {1, MO_TEXT_CTX, 49};
    float out[MAX_DIM];
    mo_text *text;
    mo_text_plan *plan;
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, 1));
    assert_ok(mo_text_create(&text, &c, w, false));
    assert_ok(mo_text_plan_create(&plan, text, tokens, (size_t[]){0, 3}, 1));
    assert_fails(
        mo_text_fwd(text, pool, plan, NULL, NULL, out), MOPD_E_INTERNAL, "1 context vectors, none given");
    mo_text_plan_free(plan);
    mo_text_free(text);
    mo_pool_free(pool);
    mo_weights_free(w);
}

static int stop_at(void *context)
{
    int *left = context;
    return (*left)-- == 0;
}

/* The host is asked between blocks, forward and back; whenever it says stop, the pass ends there. */
static void passes_that_are_watched_can_be_ended(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[2]);
    mo_weights *w = tower_weights(&c, 3);
    uint32_t tokens[N * MAX_TOKENS];
    size_t start[N + 1], until[N];
    float ctx[N_CTX * MAX_WIDTH], out[N * MAX_DIM], d_ctx[N_CTX * MAX_WIDTH] = {0};
    mo_text *text;
    mo_text_plan *plan;
    mo_text_cache *cache;
    mo_pool *pool;
    make_texts(tokens, start, until, true);
    test_random(ctx, N_CTX * MAX_WIDTH, 6);
    assert_ok(mo_pool_create(&pool, 2));
    assert_ok(mo_text_create(&text, &c, w, false));
    assert_ok(mo_text_plan_create(&plan, text, tokens, start, N));
    assert_ok(mo_text_cache_create(&cache, text, plan));
    for (int k = 0; k <= 3; k++) { /* three blocks */
        int left = k;
        mo_text_cache_watch(cache, stop_at, &left);
        if (k < 3)
            assert_fails(mo_text_fwd(text, pool, plan, ctx, cache, out), MOPD_E_CANCELLED, "text tower");
        else
            assert_ok(mo_text_fwd(text, pool, plan, ctx, cache, out));
    }
    for (int k = 0; k <= 3; k++) {
        int left = k;
        mo_text_cache_watch(cache, stop_at, &left);
        if (k < 3)
            assert_fails(mo_text_bwd(text, pool, plan, cache, out, d_ctx), MOPD_E_CANCELLED, "text tower");
        else
            assert_ok(mo_text_bwd(text, pool, plan, cache, out, d_ctx));
    }
    int never = 0;
    mo_text_cache_watch(cache, NULL, &never);
    assert_ok(mo_text_fwd(text, pool, plan, ctx, cache, out));
    mo_text_cache_free(cache);
    mo_text_plan_free(plan);
    mo_text_free(text);
    mo_pool_free(pool);
    mo_weights_free(w);
}

static mopd_status make_and_train(const mo_config *c, const mo_weights *w)
{
    static const uint32_t tokens[] = {1, MO_TEXT_CTX, 5, 49, 1, MO_TEXT_CTX, 49};
    float ctx[MAX_WIDTH] = {0.5f}, out[2 * MAX_DIM], d_ctx[MAX_WIDTH] = {0};
    mo_text *text = NULL;
    mo_text_plan *plan = NULL;
    mo_text_cache *cache = NULL;
    mo_pool *pool = NULL;
    mopd_status st = mo_pool_create(&pool, 1);
    if (st == MOPD_OK) st = mo_text_create(&text, c, w, false);
    if (st == MOPD_OK) st = mo_text_plan_create(&plan, text, tokens, (size_t[]){0, 4, 7}, 2);
    if (st == MOPD_OK) st = mo_text_cache_create(&cache, text, plan);
    if (st == MOPD_OK) st = mo_text_fwd(text, pool, plan, ctx, cache, out);
    if (st == MOPD_OK) st = mo_text_bwd(text, pool, plan, cache, out, d_ctx);
    mo_text_cache_free(cache);
    mo_text_plan_free(plan);
    mo_text_free(text);
    mo_pool_free(pool);
    return st;
}

static void text_tower_survives_failing_memory(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[0]);
    test_torture(tower_run, &(tower_torture){tower_write("torture.safetensors", &c, 1), &c, make_and_train});
    assert_ok(mopd_runtime_set_allocator(NULL));
}

/* What trains is float whatever the tower: the way back has the gradient of the exact features. */
static void training_a_quantized_tower_is_exact(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[2]);
    mo_weights *w = tower_weights(&c, 3);
    uint32_t tokens[N * MAX_TOKENS];
    size_t start[N + 1], until[N];
    float ctx[N_CTX * MAX_WIDTH], out[3][N * MAX_DIM], d_ctx[2][N_CTX * MAX_WIDTH];
    mo_pool *pool;
    make_texts(tokens, start, until, true);
    test_random(ctx, N_CTX * MAX_WIDTH, 6);
    assert_ok(mo_pool_create(&pool, 2));
    for (int quantized = 0; quantized < 2; quantized++) {
        mo_text *text;
        mo_text_plan *plan;
        mo_text_cache *cache;
        memset(d_ctx[quantized], 0, sizeof d_ctx[quantized]);
        assert_ok(mo_text_create(&text, &c, w, (mo_precision)quantized));
        assert_ok(mo_text_plan_create(&plan, text, tokens, start, N));
        assert_ok(mo_text_cache_create(&cache, text, plan));
        assert_ok(mo_text_fwd(text, pool, plan, ctx, cache, out[quantized]));
        assert_ok(mo_text_bwd(text, pool, plan, cache, out[quantized], d_ctx[quantized]));
        if (quantized) assert_ok(mo_text_fwd(text, pool, plan, ctx, NULL, out[2]));
        mo_text_cache_free(cache);
        mo_text_plan_free(plan);
        mo_text_free(text);
    }
    assert_memory_equal(out[0], out[1], N * c.dim * sizeof **out);
    assert_memory_equal(d_ctx[0], d_ctx[1], N_CTX * c.text.stack.width * sizeof **d_ctx);
    const double diff = test_max_diff(out[0], out[2], N * c.dim);
    if (!(diff > 0 && diff < 0.05)) fail_msg("reduced features are off by %g", diff);
    mo_pool_free(pool);
    mo_weights_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_equal_the_plain_program),
        cmocka_unit_test(texts_with_context_equal_the_plain_program),
        cmocka_unit_test(embeddings_are_rows_of_the_table),
        cmocka_unit_test(missing_context_is_a_failure),
        cmocka_unit_test(passes_that_are_watched_can_be_ended),
        cmocka_unit_test(text_tower_survives_failing_memory),
        cmocka_unit_test(training_a_quantized_tower_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
