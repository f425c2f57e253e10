/* SPDX-License-Identifier: MIT
 * test_text_bwd.c - the text tower's gradient to the context vectors against central differences, in any cut,
 * at any number of threads; and its memory. */
#include "test.h"

#include "model/encoder.h"
#include "clip/text_inner.h"
#include "support/needs.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"

enum { N_CTX = 4, N = 5, W = 24, D = 12 };

static mopd_encoder *open_with(const char *name, uint32_t n_threads)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = n_threads};
    char path[512];
    mopd_encoder *e = NULL;
    snprintf(path, sizeof path, GOLD "%s", name);
    assert_ok(mo_encoder_open(&e, path, &o));
    assert_int_equal(mo_text_width(e->text), W);
    assert_int_equal(mo_text_dim(e->text), D);
    return e;
}

/* Start, four context vectors, a name, end; the second and the last are the same, the third has no context. */
static size_t make_tokens(const mopd_encoder *e, uint32_t *tokens, size_t *start)
{
    uint32_t s = mo_tokenizer_start(e->tokenizer), t = mo_tokenizer_end(e->tokenizer), c = MO_TEXT_CTX;
    const uint32_t rows[N][10] = {{s, c, c | 1, c | 2, c | 3, 40, 41, t},
        {s, c, c | 1, c | 2, c | 3, 40, 42, 43, t}, {s, 40, 41, t}, {s, c | 1, 77, c, c, t, 5, 5},
        {s, c, c | 1, c | 2, c | 3, 40, 42, 43, t}};
    const size_t n[N] = {8, 9, 4, 8, 9};
    size_t at = 0;
    for (int i = 0; i < N; i++) {
        start[i] = at;
        memcpy(tokens + at, rows[i], n[i] * sizeof *tokens);
        at += n[i];
    }
    start[N] = at;
    return at;
}

static mo_text_plan *make_plan(const mopd_encoder *e)
{
    uint32_t tokens[64];
    size_t start[N + 1];
    mo_text_plan *plan = NULL;
    make_tokens(e, tokens, start);
    assert_ok(mo_text_plan_create(&plan, e->text, tokens, start, N));
    return plan;
}

static void plan_shares_beginnings(void **state)
{
    (void)state;
    mopd_encoder *e = open_with("hf", 1);
    mo_text_plan *plan = make_plan(e);
    /* s; c0 c1 c2 c3 40; 41 t; 42 43 t; 40 41 t; c1 77 c0 c0 t */
    assert_int_equal(mo_text_plan_rows(plan), 1 + 5 + 2 + 3 + 3 + 5);
    assert_int_equal(mo_text_plan_texts(plan), N);
    assert_int_equal(mo_text_plan_n_ctx(plan), N_CTX);
    mo_text_plan_free(plan);
    mo_encoder_close(e);
}

static void make_context(float *ctx)
{
    test_random(ctx, N_CTX * W, 11);
}

static void cached_pass_gives_the_same_bits(void **state)
{
    (void)state;
    mopd_encoder *e = open_with("hf", 2);
    mo_text_plan *plan = make_plan(e);
    mo_text_cache *cache;
    float ctx[N_CTX * W], a[N * D], b[N * D];
    make_context(ctx);
    assert_ok(mo_text_cache_create(&cache, e->text, plan));
    assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, NULL, a));
    assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, cache, b));
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(a + D, a + 4 * D, D * sizeof *a);
    mo_text_cache_free(cache);
    mo_text_plan_free(plan);
    mo_encoder_close(e);
}

/* sum of out x weight, in double. */
static double score(const mopd_encoder *e, const mo_text_plan *plan, const float *ctx, const float *weight)
{
    float out[N * D];
    double sum = 0;
    assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, NULL, out));
    for (int i = 0; i < N * D; i++) sum += (double)out[i] * (double)weight[i];
    return sum;
}

static void gradient(const mopd_encoder *e, const mo_text_plan *plan, const float *weight, float *d_ctx)
{
    float ctx[N_CTX * W], out[N * D];
    mo_text_cache *cache;
    make_context(ctx);
    memset(d_ctx, 0, N_CTX * W * sizeof *d_ctx);
    assert_ok(mo_text_cache_create(&cache, e->text, plan));
    assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, cache, out));
    assert_ok(mo_text_bwd(e->text, e->pool, plan, cache, weight, d_ctx));
    mo_text_cache_free(cache);
}

static void bwd_matches_differences(void **state)
{
    (void)state;
    static const char *const models[] = {"hf", "hf-largest", "locked"};
    for (int m = 0; m < 3; m++) {
        mopd_encoder *e = open_with(models[m], 2);
        mo_text_plan *plan = make_plan(e);
        float ctx[N_CTX * W], weight[N * D], d_ctx[N_CTX * W];
        double worst = 0, largest = 0;
        make_context(ctx);
        test_random(weight, N * D, 12);
        gradient(e, plan, weight, d_ctx);
        for (int i = 0; i < N_CTX * W; i++) {
            const float h = 1.0f / 128, kept = ctx[i];
            ctx[i] = kept + h;
            double up = score(e, plan, ctx, weight);
            ctx[i] = kept - h;
            double down = score(e, plan, ctx, weight);
            ctx[i] = kept;
            double want = (up - down) / (2 * (double)h), diff = fabs(want - (double)d_ctx[i]);
            if (diff > worst) worst = diff;
            if (fabs(want) > largest) largest = fabs(want);
        }
        if (!(worst < 1e-3 * largest) || !(largest > 0.1))
            fail_msg("%s: gradient off by %g, largest entry %g", models[m], worst, largest);
        mo_text_plan_free(plan);
        mo_encoder_close(e);
    }
}

static void bwd_same_bits_at_any_threads(void **state)
{
    (void)state;
    float weight[N * D], want[N_CTX * W], got[N_CTX * W];
    test_random(weight, N * D, 13);
    for (uint32_t n_threads = 1; n_threads <= 3; n_threads++) {
        mopd_encoder *e = open_with("hf", n_threads);
        mo_text_plan *plan = make_plan(e);
        gradient(e, plan, weight, n_threads == 1 ? want : got);
        if (n_threads > 1) assert_memory_equal(want, got, sizeof want);
        mo_text_plan_free(plan);
        mo_encoder_close(e);
    }
}

/* The gradient of all texts is the sum over texts alone. */
static void bwd_adds_over_chunks(void **state)
{
    (void)state;
    mopd_encoder *e = open_with("hf", 2);
    uint32_t tokens[64];
    size_t start[N + 1];
    float weight[N * D], want[N_CTX * W], sum[N_CTX * W] = {0}, ctx[N_CTX * W], out[D];
    mo_text_plan *plan = make_plan(e);
    test_random(weight, N * D, 14);
    gradient(e, plan, weight, want);
    mo_text_plan_free(plan);
    make_tokens(e, tokens, start);
    make_context(ctx);
    for (int i = 0; i < N; i++) {
        mo_text_cache *cache;
        assert_ok(mo_text_plan_create(&plan, e->text, tokens, start + i, 1));
        assert_ok(mo_text_cache_create(&cache, e->text, plan));
        assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, cache, out));
        assert_ok(mo_text_bwd(e->text, e->pool, plan, cache, weight + i * D, sum));
        mo_text_cache_free(cache);
        mo_text_plan_free(plan);
    }
    assert_true(test_max_diff(want, sum, N_CTX * W) < 1e-4);
    mo_encoder_close(e);
}

/* A token's embedding standing in the context's place gives what the token gives. */
static void context_stands_where_tokens_would(void **state)
{
    (void)state;
    mopd_encoder *e = open_with("hf", 1);
    uint32_t s = mo_tokenizer_start(e->tokenizer), t = mo_tokenizer_end(e->tokenizer);
    const uint32_t words[] = {s, 300, 301, 40, t, s, MO_TEXT_CTX, MO_TEXT_CTX | 1, 40, t};
    float ctx[2 * W], out[2 * D];
    mo_text_plan *plan;
    assert_ok(mo_text_embedding(e->text, 300, ctx));
    assert_ok(mo_text_embedding(e->text, 301, ctx + W));
    assert_fails(mo_text_embedding(e->text, 100000, ctx), MOPD_E_ARG, "vocabulary");
    assert_ok(mo_text_plan_create(&plan, e->text, words, (size_t[]){0, 5, 10}, 2));
    assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, NULL, out));
    assert_memory_equal(out, out + D, D * sizeof *out);
    mo_text_plan_free(plan);
    mo_encoder_close(e);
}

/* What is counted is what is taken: cache and both passes' work, at several numbers of threads. */
static void sizes_are_known_before(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    for (uint32_t threads = 1; threads <= 3; threads++) {
        mopd_encoder *e = open_with("hf", threads);
        mo_text_plan *plan = make_plan(e);
        mo_text_cache *cache;
        float ctx[N_CTX * W], out[N * D], d_ctx[N_CTX * W] = {0};
        make_context(ctx);
        assert_ok(mo_text_prepare(e->text, true));
        const size_t bytes = mo_text_cache_bytes(e->text, plan),
                     fwd = mo_text_fwd_bytes(e->text, e->pool, plan),
                     bwd = mo_text_bwd_bytes(e->text, e->pool, plan);
        /* two blocks of 19 rows: at least inputs, qkv, hidden */
        assert_true(bytes > 19 * (W + 3 * W + 40) * sizeof(float) &&
                    bytes < 2 * 19 * (5 * W + 2 * 40 + 8) * sizeof(float) + 2 * 10 * 64);
        assert_int_equal(e->text->packs->pool.bytes, 0);
        assert_ok(mo_text_cache_create(&cache, e->text, plan));
        assert_int_equal(cache->arena.cap, bytes);
        assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, cache, out));
        assert_int_equal(e->text->packs->pool.bytes, fwd);
        assert_ok(mo_text_bwd(e->text, e->pool, plan, cache, out, d_ctx));
        assert_int_equal(e->text->packs->pool.bytes, fwd < bwd ? fwd + bwd : fwd);
        mo_text_cache_free(cache);
        if (threads == 1)
            assert_int_equal(mo_text_work_bytes(e->text, plan), fwd > bwd ? fwd : bwd);
        else
            assert_true(mo_text_work_bytes(e->text, plan) < (fwd > bwd ? fwd : bwd));
        mo_text_plan_free(plan);
        mo_encoder_close(e);
    }
}

/* Forward, forward that keeps, and the way back: working memory stays with the tower. */
static void repeated_passes_allocate_nothing(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        test_count_start();
        mopd_encoder *e = open_with("hf", threads);
        mo_text_plan *plan = make_plan(e);
        float ctx[N_CTX * W], out[N * D], d_ctx[N_CTX * W] = {0};
        mo_text_cache *cache;
        long taken = 0;
        make_context(ctx);
        assert_ok(mo_text_cache_create(&cache, e->text, plan));
        for (int i = 0; i < 3; i++) {
            if (i == 1) taken = test_count_taken();
            assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, NULL, out));
            assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, cache, out));
            assert_ok(mo_text_bwd(e->text, e->pool, plan, cache, out, d_ctx));
        }
        assert_int_equal(test_count_taken(), taken);
        mo_text_cache_free(cache);
        mo_text_plan_free(plan);
        mo_encoder_close(e);
        assert_int_equal(test_count_live(), 0);
    }
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_shares_beginnings),
        cmocka_unit_test(cached_pass_gives_the_same_bits),
        cmocka_unit_test(bwd_matches_differences),
        cmocka_unit_test(bwd_same_bits_at_any_threads),
        cmocka_unit_test(bwd_adds_over_chunks),
        cmocka_unit_test(context_stands_where_tokens_would),
        cmocka_unit_test(sizes_are_known_before),
        cmocka_unit_test(repeated_passes_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
