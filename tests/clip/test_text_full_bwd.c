/* SPDX-License-Identifier: MIT
 * test_text_full_bwd.c - the gradient to the context vectors through a tower without a mask: against central differences,
 * at any number of threads, in any cut; and its memory. */
#include "test.h"

#include "base/ints.h"
#include "base/pool.h"
#include "clip/text_inner.h"
#include "support/gradient.h"
#include "support/towers.h"

enum { N = 4, N_CTX = 3, MAX_WIDTH = 36, MAX_DIM = 32, END = 2 };
#define V(j) (MO_TEXT_CTX | (j))

/* Vectors before two names; a name without vectors; two vectors the other way round about one. */
static const uint32_t tokens[] = {
    V(0), V(1), V(2), 5, 6, END, V(0), V(1), V(2), 7, END, 5, 6, END, V(2), 8, V(0), END};
static const size_t start[N + 1] = {0, 6, 11, 14, 18};

typedef struct shape {
    uint32_t width, layers, heads, hidden, dim;
    mo_act act;
} shape;

static const shape shapes[] = {
    {20, 2, 2, 36, 20, MO_ACT_GELU_TANH}, {32, 3, 2, 96, 32, MO_ACT_GELU}, {36, 1, 4, 40, 24, MO_ACT_GELU}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

typedef struct scene {
    mo_config config;
    mo_weights *weights;
    mo_text *text;
    mo_text_plan *plan;
    mo_pool *pool;
    size_t n_ctx, n_out; /* floats of vectors and of features */
} scene;

static scene open_scene(const shape *of, uint32_t end_rule, size_t threads)
{
    scene s = {.config = tower_siglip_config()};
    mo_config *c = &s.config;
    c->text.stack = tower_stack(of->width, of->layers, of->heads, of->hidden);
    c->text.stack.act = of->act;
    c->text.end_rule = end_rule;
    c->text.end_id = end_rule == MO_END_FIRST ? END : 0;
    c->vit.stack.width = c->dim = of->dim;
    c->vit.stack.heads = 4;
    s.weights = tower_weights(c, 7);
    assert_ok(mo_text_create(&s.text, c, s.weights, false));
    assert_ok(mo_text_plan_create(&s.plan, s.text, tokens, start, N));
    assert_ok(mo_pool_create(&s.pool, threads));
    s.n_ctx = N_CTX * of->width;
    s.n_out = N * of->dim;
    return s;
}

static void close_scene(scene *s)
{
    mo_pool_free(s->pool);
    mo_text_plan_free(s->plan);
    mo_text_free(s->text);
    mo_weights_free(s->weights);
}

static void forward(float *out, const float *ctx, void *context)
{
    const scene *s = context;
    assert_ok(mo_text_fwd(s->text, s->pool, s->plan, ctx, NULL, out));
}

static void gradient(const scene *s, float *d_ctx, const float *ctx, const float *d_out)
{
    float out[N * MAX_DIM];
    mo_text_cache *cache;
    memset(d_ctx, 0, s->n_ctx * sizeof *d_ctx);
    assert_ok(mo_text_cache_create(&cache, s->text, s->plan));
    assert_ok(mo_text_fwd(s->text, s->pool, s->plan, ctx, cache, out));
    assert_ok(mo_text_bwd(s->text, s->pool, s->plan, cache, d_out, d_ctx));
    mo_text_cache_free(cache);
}

static void check_differences(scene *s)
{
    float ctx[N_CTX * MAX_WIDTH], d_out[N * MAX_DIM], d_ctx[N_CTX * MAX_WIDTH];
    test_random(ctx, s->n_ctx, 11);
    test_random(d_out, s->n_out, 12);
    gradient(s, d_ctx, ctx, d_out);
    double largest = 0;
    for (size_t i = 0; i < s->n_ctx; i++) largest = fmax(largest, fabs((double)d_ctx[i]));
    assert_true(largest > 0.1);
    test_gradient_check(&(test_gradient){.name = "whole texts",
        .fwd = forward,
        .ctx = s,
        .x = ctx,
        .n_x = s->n_ctx,
        .n_y = s->n_out,
        .r = d_out,
        .dx = d_ctx,
        .step = 1,
        .most = 2e-3});
}

static void gradients_match_differences(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_SHAPES; k++) {
        scene s = open_scene(&shapes[k], MO_END_LAST, 2);
        check_differences(&s);
        close_scene(&s);
    }
}

/* As in MobileCLIP: no mask, and read at the end token. */
static void gradients_match_where_a_text_is_read_at_its_end(void **state)
{
    (void)state;
    scene s = open_scene(&shapes[0], MO_END_FIRST, 1);
    check_differences(&s);
    close_scene(&s);
}

static void any_threads_give_the_same_bits(void **state)
{
    (void)state;
    float ctx[N_CTX * MAX_WIDTH], d_out[N * MAX_DIM], want[N_CTX * MAX_WIDTH], got[N_CTX * MAX_WIDTH];
    for (size_t threads = 1; threads < 4; threads++) {
        scene s = open_scene(&shapes[1], MO_END_LAST, threads);
        test_random(ctx, s.n_ctx, 13);
        test_random(d_out, s.n_out, 14);
        gradient(&s, threads == 1 ? want : got, ctx, d_out);
        if (threads > 1) assert_memory_equal(want, got, s.n_ctx * sizeof *want);
        close_scene(&s);
    }
}

/* The gradient of all texts is the sum over texts alone. */
static void texts_alone_add_up(void **state)
{
    (void)state;
    scene s = open_scene(&shapes[1], MO_END_LAST, 2);
    float ctx[N_CTX * MAX_WIDTH], d_out[N * MAX_DIM], want[N_CTX * MAX_WIDTH], one[N_CTX * MAX_WIDTH],
        sum[N_CTX * MAX_WIDTH] = {0};
    test_random(ctx, s.n_ctx, 13);
    test_random(d_out, s.n_out, 14);
    gradient(&s, want, ctx, d_out);
    mo_text_plan_free(s.plan);
    for (size_t i = 0; i < N; i++) {
        assert_ok(mo_text_plan_create(&s.plan, s.text, tokens, start + i, 1));
        gradient(&s, one, ctx, d_out + i * s.config.dim);
        for (size_t k = 0; k < s.n_ctx; k++) sum[k] += one[k];
        mo_text_plan_free(s.plan);
    }
    s.plan = NULL;
    assert_true(test_max_diff(want, sum, s.n_ctx) < 1e-4);
    close_scene(&s);
}

/* What is counted is what is taken, in one thread and in several. */
static void sizes_are_known_before(void **state)
{
    (void)state;
    for (size_t threads = 1; threads < 4; threads++) {
        scene s = open_scene(&shapes[1], MO_END_LAST, threads);
        float ctx[N_CTX * MAX_WIDTH], d_ctx[N_CTX * MAX_WIDTH] = {0}, out[N * MAX_DIM];
        mo_text_cache *cache;
        test_random(ctx, s.n_ctx, 13);
        assert_ok(mo_text_prepare(s.text, true));
        const size_t bytes = mo_text_cache_bytes(s.text, s.plan),
                     fwd = mo_text_fwd_bytes(s.text, s.pool, s.plan),
                     bwd = mo_text_bwd_bytes(s.text, s.pool, s.plan);
        assert_ok(mo_text_cache_create(&cache, s.text, s.plan));
        assert_int_equal(cache->arena.cap, bytes);
        assert_ok(mo_text_fwd(s.text, s.pool, s.plan, ctx, cache, out));
        assert_int_equal(s.text->packs->pool.bytes, fwd);
        assert_ok(mo_text_bwd(s.text, s.pool, s.plan, cache, out, d_ctx));
        assert_int_equal(s.text->packs->pool.bytes, fwd < bwd ? fwd + bwd : fwd);
        if (threads == 1) assert_int_equal(mo_text_work_bytes(s.text, s.plan), mo_max(fwd, bwd));
        mo_text_cache_free(cache);
        close_scene(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(gradients_match_where_a_text_is_read_at_its_end),
        cmocka_unit_test(any_threads_give_the_same_bits),
        cmocka_unit_test(texts_alone_add_up),
        cmocka_unit_test(sizes_are_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
