/* SPDX-License-Identifier: MIT
 * test_text_full.c - texts of a tower without a mask against the plainest program; and of each thing that saves work in
 * a causal tower, that it would be wrong here.  So nothing of it may come back. */
#include "test.h"

#include <stdatomic.h>

#include "base/pool.h"
#include "clip/text_inner.h"
#include "support/plain.h"
#include "support/towers.h"

enum { CONTEXT = 16, N = 6, MAX_DIM = 32, END = 2, PAD = 1 };

/* Texts that begin alike, two that are equal, one that fills the context, one that is its end alone. */
static const uint32_t tokens[] = {5, 6, 7, END, 5, 6, 8, END, 5, 6, 7, END, END, 9, 5, 6, END, 3, 4, 5, 6, 7,
    8, 9, 10, 11, 12, 13, 14, 15, 16, 17, END};
static const size_t start[N + 1] = {0, 4, 8, 12, 13, 17, 33};

typedef struct shape {
    uint32_t width, layers, heads, hidden, dim;
    mo_act act;
} shape;

/* Heads of 10, 16 and 9: with keys in the last block, and without. */
static const shape shapes[] = {
    {20, 2, 2, 36, 20, MO_ACT_GELU_TANH}, {32, 3, 2, 96, 32, MO_ACT_GELU}, {36, 2, 4, 40, 24, MO_ACT_GELU}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static mo_config config_of(const shape *s)
{
    mo_config c = tower_siglip_config();
    c.text.stack = tower_stack(s->width, s->layers, s->heads, s->hidden);
    c.text.stack.act = s->act;
    c.text.stack.eps = 1e-6;
    c.vit.stack.width = c.dim = s->dim;
    c.vit.stack.heads = 4;
    assert_int_equal(c.text.context, CONTEXT);
    assert_int_equal(c.text.pad_id, PAD);
    assert_ok(mo_config_check(&c, "shape"));
    return c;
}

typedef struct scene {
    mo_config config;
    mo_weights *weights;
    mo_text *text;
    mo_text_plan *plan;
} scene;

static scene open_scene(size_t i)
{
    scene s = {.config = config_of(&shapes[i])};
    s.weights = tower_weights(&s.config, 20 + (uint32_t)i);
    assert_ok(mo_text_create(&s.text, &s.config, s.weights, false));
    assert_ok(mo_text_plan_create(&s.plan, s.text, tokens, start, N));
    plain_unmasked = true;
    return s;
}

static void close_scene(scene *s)
{
    mo_text_plan_free(s->plan);
    mo_text_free(s->text);
    mo_weights_free(s->weights);
}

/* x [rows x W]: what text i is before the first block, pads behind its tokens. */
static double *embed(const scene *s, size_t i, size_t rows)
{
    const size_t width = s->config.text.stack.width, n = start[i + 1] - start[i];
    double *table = plain_get(s->weights, "text_model.embeddings.token_embedding.weight", "");
    double *position = plain_get(s->weights, "text_model.embeddings.position_embedding.weight", "");
    double *x = plain_make(rows * width);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < width; k++) {
            const uint32_t token = r < n ? tokens[start[i] + r] : PAD;
            x[r * width + k] = table[token * width + k] + position[r * width + k];
        }
    free(position);
    free(table);
    return x;
}

/* feature [D] of text i from its first `rows` rows, read at one of them. */
static void plain_text(double *feature, const scene *s, size_t i, size_t rows, size_t at)
{
    const mo_stack_config *stack = &s->config.text.stack;
    double *x = embed(s, i, rows), *end = x + at * stack->width;
    plain_blocks(x, rows, s->weights, "text_model", stack);
    plain_norm(end, end, s->weights, "text_model.final_layer_norm", stack->eps, (size_t[]){1, stack->width});
    plain_linear(
        feature, end, s->weights, "text_projection", true, (size_t[]){1, s->config.dim, stack->width});
    free(x);
}

static void encode(const scene *s, size_t threads, float *out)
{
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, threads));
    assert_ok(mo_text_fwd(s->text, pool, s->plan, NULL, NULL, out));
    mo_pool_free(pool);
}

static void texts_equal_the_plain_program(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_SHAPES; k++) {
        scene s = open_scene(k);
        float out[N * MAX_DIM], again[N * MAX_DIM];
        double want[MAX_DIM];
        encode(&s, 1, out);
        for (size_t i = 0; i < N; i++) {
            plain_text(want, &s, i, CONTEXT, CONTEXT - 1);
            const double worst = plain_worst(out + i * s.config.dim, want, s.config.dim);
            if (!(worst < 1e-5)) fail_msg("shape %zu, text %zu: off by %g", k, i, worst);
        }
        for (size_t threads = 2; threads < 4; threads++) {
            encode(&s, threads, again);
            assert_memory_equal(out, again, N * s.config.dim * sizeof *out);
        }
        close_scene(&s);
    }
}

/* A text alone has the bits that it has in company. */
static void company_changes_no_bit(void **state)
{
    (void)state;
    scene s = open_scene(1);
    float out[N * MAX_DIM], one[MAX_DIM];
    encode(&s, 1, out);
    mo_text_plan_free(s.plan);
    for (size_t i = 0; i < N; i++) {
        assert_ok(mo_text_plan_create(&s.plan, s.text, tokens, start + i, 1));
        encode(&s, 2, one);
        assert_memory_equal(one, out + i * s.config.dim, s.config.dim * sizeof *one);
        mo_text_plan_free(s.plan);
    }
    s.plan = NULL;
    close_scene(&s);
}

/* ---- what saves work in a causal tower ---- */

static double difference(const double *a, const double *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(a[i] - b[i]));
    return most;
}

/* Features of another way are far from the right ones. */
static void is_wrong(const char *what, size_t i, const double *wrong, const double *right, size_t n)
{
    if (!(difference(wrong, right, n) > 0.01)) fail_msg("%s: text %zu is the same", what, i);
}

/* Cut behind its end, read at its end, or read causally, a text is another one. */
static void cutting_at_the_end_would_be_wrong(void **state)
{
    (void)state;
    scene s = open_scene(1);
    const size_t dim = s.config.dim;
    for (size_t i = 0; i + 1 < N; i++) {
        double right[MAX_DIM], other[MAX_DIM];
        const size_t n = start[i + 1] - start[i];
        plain_text(right, &s, i, CONTEXT, CONTEXT - 1);
        plain_text(other, &s, i, n, n - 1);
        is_wrong("cut at the end", i, other, right, dim);
        plain_text(other, &s, i, CONTEXT, n - 1);
        is_wrong("read at the end", i, other, right, dim);
        plain_text(other, &s, i, n + 1, n);
        is_wrong("all pads but one left out", i, other, right, dim);
        plain_unmasked = false;
        plain_text(other, &s, i, CONTEXT, CONTEXT - 1);
        plain_unmasked = true;
        is_wrong("a causal mask", i, other, right, dim);
    }
    close_scene(&s);
}

/* Rows of a beginning that two texts share are the same before the first block, and others behind it. */
static void sharing_beginnings_would_be_wrong(void **state)
{
    (void)state;
    scene s = open_scene(1);
    const mo_stack_config *stack = &s.config.text.stack;
    const size_t width = stack->width;
    double *a = embed(&s, 0, CONTEXT), *b = embed(&s, 1, CONTEXT); /* 5 6 7 </s> and 5 6 8 </s> */
    assert_true(difference(a, b, 2 * width) == 0);
    plain_block(a, CONTEXT, s.weights, "text_model.encoder.layers.0", stack);
    plain_block(b, CONTEXT, s.weights, "text_model.encoder.layers.0", stack);
    is_wrong("shared rows", 0, a, b, 2 * width);
    is_wrong("shared pads", 0, a + 8 * width, b + 8 * width, width);
    free(a);
    free(b);
    close_scene(&s);
}

/* ---- the plan ---- */

static void every_text_has_all_its_rows(void **state)
{
    (void)state;
    scene s = open_scene(0);
    const mo_text_plan *p = s.plan;
    assert_int_equal(mo_text_plan_rows(p), 5 * CONTEXT); /* texts 0 and 2 are one */
    assert_int_equal(mo_text_plan_texts(p), N);
    assert_null(p->rows.segs);
    assert_int_equal(p->rows.n_seqs, 5);
    assert_int_equal(p->rows.seq_len, CONTEXT);
    assert_int_equal(p->n_select, 5);
    assert_int_equal(p->text_at[0], p->text_at[2]);
    for (size_t i = 0; i < N; i++) {
        const size_t n = start[i + 1] - start[i], first = p->select[p->text_at[i]] + 1 - CONTEXT;
        assert_int_equal(first % CONTEXT, 0);
        for (size_t r = 0; r < CONTEXT; r++) {
            assert_int_equal(p->token[first + r], r < n ? tokens[start[i] + r] : PAD);
            assert_int_equal(p->depth[first + r], r);
        }
    }
    close_scene(&s);
}

/* The one thing that holds: rows of a token at a depth are the same before the first block, pads among them. */
static void twins_of_the_first_block_stay(void **state)
{
    (void)state;
    scene s = open_scene(0);
    const mo_text_plan *p = s.plan;
    size_t kinds = 0;
    for (size_t r = 0; r < p->rows.rows; r++) {
        size_t first = 0;
        while (p->token[first] != p->token[r] || p->depth[first] != p->depth[r]) first++;
        assert_int_equal(p->duplicates.first[p->duplicates.of[r]], first);
        kinds += first == r;
    }
    assert_int_equal(p->duplicates.n, kinds);
    assert_true(kinds < p->rows.rows);
    close_scene(&s);
}

static void texts_too_long_and_ids_beyond_are_refused(void **state)
{
    (void)state;
    scene s = open_scene(0);
    uint32_t many[CONTEXT + 1];
    mo_text_plan *p;
    for (uint32_t i = 0; i <= CONTEXT; i++) many[i] = END; /* an end in it does not cut it */
    assert_fails(mo_text_plan_create(&p, s.text, many, (size_t[]){0, CONTEXT + 1}, 1), MOPD_E_ARG,
        "text 0 has 17 tokens; the model reads 16");
    many[3] = 50;
    assert_fails(mo_text_plan_create(&p, s.text, many, (size_t[]){0, 5}, 1), MOPD_E_ARG,
        "text 0, token 3: id 50; the vocabulary ends at 49");
    assert_int_equal(mo_text_plan_most(s.text, 3), CONTEXT);
    assert_int_equal(mo_text_end(s.text, tokens, 4), CONTEXT - 1);
    close_scene(&s);
}

/* Other rules of where a text is read stand on its own tokens, not on pads. */
static void other_ends_are_read_in_the_text(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        scene s = {.config = config_of(&shapes[0])};
        s.config.text.end_rule = first ? MO_END_FIRST : MO_END_LARGEST;
        s.config.text.end_id = first ? END : 0;
        s.weights = tower_weights(&s.config, 3);
        float out[N * MAX_DIM];
        double want[MAX_DIM];
        assert_ok(mo_text_create(&s.text, &s.config, s.weights, false));
        assert_ok(mo_text_plan_create(&s.plan, s.text, tokens, start, N));
        plain_unmasked = true;
        encode(&s, 1, out);
        for (size_t i = 0; i < N; i++) {
            plain_text(want, &s, i, CONTEXT, mo_text_end(s.text, tokens + start[i], start[i + 1] - start[i]));
            assert_true(plain_worst(out + i * s.config.dim, want, s.config.dim) < 1e-5);
        }
        close_scene(&s);
    }
}

/* ---- memory ---- */

static atomic_size_t asked; /* bytes of all blocks that the library asked for */

static void *asked_get(size_t n, void *context)
{
    (void)context;
    atomic_fetch_add(&asked, n);
    return malloc(n);
}

static void *asked_resize(void *block, size_t n, void *context)
{
    (void)context;
    atomic_fetch_add(&asked, n);
    return realloc(block, n);
}

static void asked_free(void *block, void *context)
{
    (void)context;
    free(block);
}

static mopd_status make_and_encode(const mo_config *c, const mo_weights *w)
{
    float out[N * MAX_DIM];
    mo_text *text = NULL;
    mo_text_plan *plan = NULL;
    mo_pool *pool = NULL;
    mopd_status st = mo_pool_create(&pool, 1);
    if (st == MOPD_OK) st = mo_text_create(&text, c, w, false);
    if (st == MOPD_OK) st = mo_text_plan_create(&plan, text, tokens, start, N);
    if (st == MOPD_OK) st = mo_text_fwd(text, pool, plan, NULL, NULL, out);
    mo_text_plan_free(plan);
    mo_text_free(text);
    mo_pool_free(pool);
    return st;
}

/* Of the table of tokens, half of SigLIP 2's file, the rows of the texts at hand are read where they lie: making the
 * tower and encoding takes less memory than a tenth of it. */
static void the_table_of_tokens_stays_in_the_file(void **state)
{
    (void)state;
    const mopd_allocator a = {asked_get, asked_resize, asked_free, NULL};
    mo_config c = config_of(&shapes[0]);
    c.text.vocab = 200000;
    assert_ok(mopd_runtime_set_allocator(&a));
    mo_weights *w = tower_weights(&c, 1);
    asked = 0;
    assert_ok(make_and_encode(&c, w));
    const size_t table = (size_t)c.text.vocab * c.text.stack.width * sizeof(float);
    if (!(asked > 0 && asked < table / 10)) fail_msg("%zu bytes beside a table of %zu", (size_t)asked, table);
    mo_weights_free(w);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

static void whole_texts_survive_failing_memory(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[0]);
    test_torture(tower_run, &(tower_torture){tower_write("torture.safetensors", &c, 1), &c, make_and_encode});
    assert_ok(mopd_runtime_set_allocator(NULL));
}

static void quantized_features_are_near(void **state)
{
    (void)state;
    scene s = open_scene(1);
    float out[N * MAX_DIM], reduced[N * MAX_DIM];
    encode(&s, 1, out);
    mo_text_free(s.text);
    assert_ok(mo_text_create(&s.text, &s.config, s.weights, true));
    encode(&s, 2, reduced);
    const double diff = test_max_diff(out, reduced, N * s.config.dim);
    if (!(diff > 0 && diff < 0.05)) fail_msg("off by %g", diff);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_equal_the_plain_program),
        cmocka_unit_test(company_changes_no_bit),
        cmocka_unit_test(cutting_at_the_end_would_be_wrong),
        cmocka_unit_test(sharing_beginnings_would_be_wrong),
        cmocka_unit_test(every_text_has_all_its_rows),
        cmocka_unit_test(twins_of_the_first_block_stay),
        cmocka_unit_test(texts_too_long_and_ids_beyond_are_refused),
        cmocka_unit_test(other_ends_are_read_in_the_text),
        cmocka_unit_test(the_table_of_tokens_stays_in_the_file),
        cmocka_unit_test(whole_texts_survive_failing_memory),
        cmocka_unit_test(quantized_features_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
