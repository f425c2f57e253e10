/* SPDX-License-Identifier: MIT
 * test_text_plan.c - the prefix tree: on random texts it has exactly the different beginnings, and every row,
 * segment and end of it is checked against the texts. */
#include "test.h"

#include "clip/text_inner.h"
#include "support/towers.h"

enum { MAX_TEXTS = 40, MAX_TOKENS = 16, VOCAB = 50, END = 49 };

static mo_weights *weights;
static mo_text *first_rule, *largest_rule;

static int open_towers(void **state)
{
    (void)state;
    mo_config c = tower_config();
    assert_int_equal(c.text.vocab, VOCAB);
    assert_int_equal(c.text.context, MAX_TOKENS);
    weights = tower_weights(&c, 1);
    assert_ok(mo_text_create(&first_rule, &c, weights, false));
    c.text.end_rule = MO_END_LARGEST;
    assert_ok(mo_text_create(&largest_rule, &c, weights, false));
    return 0;
}

static int close_towers(void **state)
{
    (void)state;
    mo_text_free(first_rule);
    mo_text_free(largest_rule);
    mo_weights_free(weights);
    return 0;
}

typedef struct texts {
    uint32_t token[MAX_TEXTS * MAX_TOKENS];
    size_t start[MAX_TEXTS + 1], n;
} texts;

static uint32_t draw(uint64_t *seed, uint32_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*seed >> 40) % n;
}

/* n texts of few different tokens, so that many begin alike; each ends with the end token. */
static texts make_texts(uint64_t seed, size_t n, uint32_t words)
{
    texts t = {.n = n};
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        t.start[i] = at;
        const size_t length = draw(&seed, MAX_TOKENS - 1);
        for (size_t k = 0; k < length; k++) {
            const uint32_t word = draw(&seed, words);
            t.token[at++] = word == 0 ? MO_TEXT_CTX | draw(&seed, 3) : word;
        }
        t.token[at++] = END;
    }
    t.start[n] = at;
    return t;
}

static bool same_beginning(const texts *t, size_t i, size_t j, size_t n)
{
    return t->start[i] + n <= t->start[i + 1] && t->start[j] + n <= t->start[j + 1] &&
           !memcmp(t->token + t->start[i], t->token + t->start[j], n * sizeof *t->token);
}

/* How many different beginnings there are. */
static size_t count_beginnings(const texts *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->n; i++)
        for (size_t n = 1; n <= t->start[i + 1] - t->start[i]; n++) {
            bool seen = false;
            for (size_t j = 0; j < i && !seen; j++) seen = same_beginning(t, i, j, n);
            count += !seen;
        }
    return count;
}

/* The row before row r in its text, -1 for a first one: by the segments. */
static ptrdiff_t parent_of(const mo_text_plan *p, size_t r)
{
    for (size_t s = 0; s < p->rows.n_segs; s++) {
        const mo_segment *g = &p->segs[s];
        if (r < g->first || r >= g->first + g->n) continue;
        if (r > g->first) return (ptrdiff_t)r - 1;
        if (g->parent < 0) return -1;
        return (ptrdiff_t)(p->segs[g->parent].first + p->segs[g->parent].n) - 1;
    }
    fail_msg("row %zu lies in no segment", r);
    return -1;
}

/* Walks from a text's end back to its beginning and finds its tokens there. */
static void check_text(const mo_text_plan *p, const texts *t, size_t i)
{
    const size_t n = t->start[i + 1] - t->start[i];
    assert_true(p->text_at[i] < p->n_select);
    ptrdiff_t row = (ptrdiff_t)p->select[p->text_at[i]];
    for (size_t k = n; k-- > 0; row = parent_of(p, (size_t)row)) {
        assert_true(row >= 0);
        assert_int_equal(p->token[row], t->token[t->start[i] + k]);
        assert_int_equal(p->depth[row], k);
    }
    assert_int_equal(row, -1);
}

/* Segments cover the rows in order, and none goes on in a single one that it could be part of. */
static void check_segments(const mo_text_plan *p)
{
    size_t at = 0;
    for (size_t s = 0; s < p->rows.n_segs; s++) {
        size_t children = 0;
        assert_int_equal(p->segs[s].first, at);
        assert_true(p->segs[s].n > 0 && p->segs[s].parent < (int32_t)s);
        at += p->segs[s].n;
        for (size_t k = 0; k < p->rows.n_segs; k++) children += p->segs[k].parent == (int32_t)s;
        if (children == 1) fail_msg("segment %zu has one child: they are one", s);
    }
    assert_int_equal(at, p->rows.rows);
    assert_ptr_equal(p->rows.segs, p->segs);
}

/* Rows alike are those of one token at one depth, and the first of each kind stands for all. */
static void check_duplicates(const mo_text_plan *p)
{
    size_t kinds = 0;
    for (size_t r = 0; r < p->rows.rows; r++) {
        size_t first = 0;
        while (p->token[first] != p->token[r] || p->depth[first] != p->depth[r]) first++;
        assert_int_equal(p->duplicates.first[p->duplicates.of[r]], first);
        if (first == r) assert_int_equal(p->duplicates.of[r], kinds++);
    }
    assert_int_equal(p->duplicates.n, kinds);
}

static void check_select(const mo_text_plan *p)
{
    for (size_t i = 0; i < p->n_select; i++) {
        bool read = false;
        assert_true(i == 0 || p->select[i - 1] < p->select[i]);
        for (size_t k = 0; k < p->n && !read; k++) read = p->text_at[k] == i;
        if (!read) fail_msg("no text reads selected row %zu", i);
    }
}

static void trees_of_random_texts_hold_every_text(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const texts t = make_texts(seed, 1 + (size_t)seed % MAX_TEXTS, 2 + (uint32_t)seed % 5);
        mo_text_plan *p;
        assert_ok(mo_text_plan_create(&p, first_rule, t.token, t.start, t.n));
        assert_int_equal(mo_text_plan_texts(p), t.n);
        assert_int_equal(mo_text_plan_rows(p), count_beginnings(&t));
        for (size_t i = 0; i < t.n; i++) check_text(p, &t, i);
        check_segments(p);
        check_duplicates(p);
        check_select(p);
        mo_text_plan_free(p);
    }
    mo_text_plan_free(NULL);
}

/* The order in which texts are given changes only which is which. */
static void order_changes_no_row(void **state)
{
    (void)state;
    const texts t = make_texts(77, 20, 3);
    texts back = {.n = t.n};
    mo_text_plan *a, *b;
    size_t at = 0;
    for (size_t i = 0; i < t.n; i++) {
        const size_t from = t.n - 1 - i;
        back.start[i] = at;
        for (size_t k = t.start[from]; k < t.start[from + 1]; k++) back.token[at++] = t.token[k];
    }
    back.start[t.n] = at;
    assert_ok(mo_text_plan_create(&a, first_rule, t.token, t.start, t.n));
    assert_ok(mo_text_plan_create(&b, first_rule, back.token, back.start, back.n));
    assert_int_equal(a->rows.rows, b->rows.rows);
    assert_memory_equal(a->token, b->token, a->rows.rows * sizeof *a->token);
    assert_memory_equal(a->depth, b->depth, a->rows.rows * sizeof *a->depth);
    for (size_t i = 0; i < t.n; i++) assert_int_equal(a->text_at[i], b->text_at[t.n - 1 - i]);
    mo_text_plan_free(a);
    mo_text_plan_free(b);
}

static void the_largest_context_reference_counts(void **state)
{
    (void)state;
    static const struct {
        uint32_t token[4];
        size_t n_ctx;
    } cases[] = {{{1, 2, 3, END}, 0}, {{MO_TEXT_CTX, 2, 3, END}, 1},
        {{MO_TEXT_CTX | 6, 2, MO_TEXT_CTX, END}, 7},
        {{1, 2, END, MO_TEXT_CTX | 9}, 0} /* dropped behind the end */};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_text_plan *p;
        assert_ok(mo_text_plan_create(&p, first_rule, cases[i].token, (size_t[]){0, 4}, 1));
        assert_int_equal(mo_text_plan_n_ctx(p), cases[i].n_ctx);
        mo_text_plan_free(p);
    }
}

/* s 40 41 t; 42 t; 43 41 t: the ends and both 41 stand at one depth each. */
static void rows_alike_are_known(void **state)
{
    (void)state;
    const uint32_t tokens[] = {1, 40, 41, END, 1, 40, 42, END, 1, 43, 41, END};
    mo_text_plan *p;
    assert_ok(mo_text_plan_create(&p, first_rule, tokens, (size_t[]){0, 4, 8, 12}, 3));
    assert_int_equal(mo_text_plan_rows(p), 9);
    assert_int_equal(p->duplicates.n, 6);
    mo_text_plan_free(p);
}

static void ends_follow_the_rule(void **state)
{
    (void)state;
    static const struct {
        uint32_t token[6];
        size_t first, largest;
    } cases[] = {
        {{1, 2, END, 3, END, 4}, 2, 2},
        {{1, 48, 2, 48, 3, 4}, 0,
            1}, /* no end: the first rule reads row 0, the other the first of the largest */
        {{MO_TEXT_CTX | 100, 1, 5, 2, 3, 4}, 0, 2},
        {{END, 1, 1, 1, 1, 1}, 0, 0},
        {{0, 0, 0, 0, 0, 0}, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(mo_text_end(first_rule, cases[i].token, 6), cases[i].first);
        assert_int_equal(mo_text_end(largest_rule, cases[i].token, 6), cases[i].largest);
    }
}

static void bad_tokens_are_refused(void **state)
{
    (void)state;
    mo_text_plan *p = (mo_text_plan *)(uintptr_t)1;
    uint32_t tokens[64];
    for (uint32_t i = 0; i < 64; i++) tokens[i] = i % END;
    tokens[40] = END;
    assert_fails(
        mo_text_plan_create(&p, first_rule, tokens, (size_t[]){0}, 0), MOPD_E_ARG, "a plan of no texts");
    assert_null(p);
    assert_fails(mo_text_plan_create(&p, first_rule, tokens + 38, (size_t[]){0, 3, 3}, 2), MOPD_E_ARG,
        "text 1 has no tokens");
    assert_fails(mo_text_plan_create(&p, first_rule, tokens, (size_t[]){0, 41}, 1), MOPD_E_ARG,
        "text 0 has 41 tokens; the model reads 16");
    tokens[2] = VOCAB;
    tokens[3] = END;
    assert_fails(mo_text_plan_create(&p, first_rule, tokens, (size_t[]){0, 4}, 1), MOPD_E_ARG,
        "text 0, token 2: id 50; the vocabulary ends at 49");
    tokens[2] = UINT32_MAX >> 1;
    assert_fails(
        mo_text_plan_create(&p, first_rule, tokens, (size_t[]){0, 4}, 1), MOPD_E_ARG, "id 2147483647");
    assert_null(p);
}

/* A text of exactly the context length is read; what follows its end does not count. */
static void the_longest_text_fits(void **state)
{
    (void)state;
    uint32_t tokens[30];
    mo_text_plan *p;
    for (uint32_t i = 0; i < 30; i++) tokens[i] = 1 + i;
    tokens[MAX_TOKENS - 1] = END;
    assert_ok(mo_text_plan_create(&p, first_rule, tokens, (size_t[]){0, 30}, 1));
    assert_int_equal(mo_text_plan_rows(p), MAX_TOKENS);
    assert_int_equal(p->rows.n_segs, 1);
    mo_text_plan_free(p);
}

static void caches_fit_smaller_plans(void **state)
{
    (void)state;
    const uint32_t tokens[] = {1, 2, 3, END, 1, 2, END, 5, END};
    const size_t start[] = {0, 4, 7, 9};
    mo_text_plan *all, *two, *one;
    mo_text_cache *cache;
    assert_ok(mo_text_plan_create(&all, first_rule, tokens, start, 3));
    assert_ok(mo_text_plan_create(&two, first_rule, tokens, start, 2));
    assert_ok(mo_text_plan_create(&one, first_rule, tokens, start, 1));
    assert_ok(mo_text_cache_create(&cache, first_rule, two));
    assert_true(mo_text_cache_fits(cache, two) && mo_text_cache_fits(cache, one));
    assert_false(mo_text_cache_fits(cache, all));
    assert_true(mo_text_cache_bytes(first_rule, one) < mo_text_cache_bytes(first_rule, two));
    assert_true(mo_text_cache_bytes(first_rule, two) < mo_text_cache_bytes(first_rule, all));
    mo_text_cache_free(cache);
    mo_text_cache_free(NULL);
    mo_text_plan_free(one);
    mo_text_plan_free(two);
    mo_text_plan_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_of_random_texts_hold_every_text),
        cmocka_unit_test(order_changes_no_row),
        cmocka_unit_test(the_largest_context_reference_counts),
        cmocka_unit_test(rows_alike_are_known),
        cmocka_unit_test(ends_follow_the_rule),
        cmocka_unit_test(bad_tokens_are_refused),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(caches_fit_smaller_plans),
    };
    return cmocka_run_group_tests(tests, open_towers, close_towers);
}
