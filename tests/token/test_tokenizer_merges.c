/* SPDX-License-Identifier: MIT
 * test_tokenizer_merges.c - byte-pair encoding against the plainest program that does it, on random
 * vocabularies; vocabulary tables; byte symbols. */
#include "test.h"

#include "base/mem.h"
#include "token/tokenizer.h"
#include "token/tokenizer_table.h"

static void byte_symbols_are_those_of_gpt2(void **state)
{
    (void)state;
    bool seen[512] = {false};
    for (int byte = 0; byte < 256; byte++) {
        char text[4];
        size_t n = mo_tokenizer_byte_symbol((unsigned char)byte, text);
        uint32_t cp =
            n == 1 ? (unsigned char)text[0] : ((uint32_t)text[0] & 0x1f) << 6 | ((uint32_t)text[1] & 0x3f);
        assert_in_range(n, 1, 2);
        assert_true(cp < 512 && !seen[cp]); /* one for each */
        seen[cp] = true;
        bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
        if (printable)
            assert_int_equal(cp, byte);
        else
            assert_true(cp >= 256);
    }
    char space[4];
    assert_int_equal(mo_tokenizer_byte_symbol(' ', space), 2);
    assert_memory_equal(space, "\xc4\xa0", 2); /* the well-known letter G with a dot */
}

static void a_vocabulary_finds_what_was_set(void **state)
{
    (void)state;
    enum { N = 5000 };
    static char text[N][12];
    mo_tokenizer_vocab v;
    assert_ok(mo_tokenizer_vocab_open(&v, N));
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "w%u", (unsigned)i * 7);
        assert_ok(mo_tokenizer_vocab_set(&v, text[i], strlen(text[i]), i));
    }
    assert_fails(mo_tokenizer_vocab_set(&v, "more", 4, 1), MOPD_E_INTERNAL, "full");
    assert_ok(mo_tokenizer_vocab_set(&v, text[3], strlen(text[3]), 77)); /* a known text takes the new id */
    for (uint32_t i = 0; i < N; i++) {
        const mo_word *w = mo_tokenizer_vocab_find(&v, text[i], strlen(text[i]));
        assert_non_null(w);
        assert_int_equal(w->id, i == 3 ? 77 : i);
    }
    assert_null(mo_tokenizer_vocab_find(&v, "w1", 2));
    assert_null(mo_tokenizer_vocab_find(&v, "w", 1));
    mo_tokenizer_vocab_close(&v);
    assert_null(mo_tokenizer_vocab_find(&v, "w7", 2)); /* closed: empty */
    assert_fails(mo_tokenizer_vocab_open(&v, (size_t)MO_TOKEN_MAX_IDS * 3), MOPD_E_FORMAT, "at most");
}

enum { LETTERS = 4, MERGES = 40, IDS = 2 * LETTERS + MERGES + 2 };

/* A random vocabulary over a, b, c, d and their forms at the end of a word, and merges of what is there. */
typedef struct random_bpe {
    char token[IDS][64];
    mo_merge merge[MERGES];
    mo_tokenizer_vocab vocab, extra;
} random_bpe;

static uint32_t draw(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 16) % n;
}

static bool ends(const char *token)
{
    size_t n = strlen(token);
    return n > 4 && !strcmp(token + n - 4, "</w>");
}

static bool pair_is_known(const random_bpe *b, int n, uint32_t left, uint32_t right)
{
    for (int k = 0; k < n; k++)
        if (b->merge[k].left == left && b->merge[k].right == right) return true;
    return false;
}

static mo_tokenizer *make(random_bpe *b, uint32_t *seed)
{
    uint32_t n = 0;
    for (int i = 0; i < LETTERS; i++) snprintf(b->token[n++], 64, "%c", 'a' + i);
    for (int i = 0; i < LETTERS; i++) snprintf(b->token[n++], 64, "%c</w>", 'a' + i);
    for (int k = 0; k < MERGES; k++) {
        uint32_t left, right;
        do {
            left = draw(seed, n);
            right = draw(seed, n);
        } while (ends(b->token[left]) || strlen(b->token[left]) + strlen(b->token[right]) > 40 ||
                 pair_is_known(b, k, left, right));
        char joined_text[64];
        snprintf(joined_text, sizeof joined_text, "%.30s%.30s", b->token[left], b->token[right]);
        memcpy(b->token[n], joined_text, sizeof joined_text);
        uint32_t joined = n; /* the same text by another pair is the same token */
        for (uint32_t i = 0; i < n; i++)
            if (!strcmp(b->token[i], b->token[n])) joined = i;
        if (joined == n) n++;
        b->merge[k] = (mo_merge){left, right, joined};
    }
    assert_ok(mo_tokenizer_vocab_open(&b->vocab, IDS));
    assert_ok(mo_tokenizer_vocab_open(&b->extra, 2));
    for (uint32_t i = 0; i < n; i++)
        assert_ok(mo_tokenizer_vocab_set(&b->vocab, b->token[i], strlen(b->token[i]), i));
    assert_ok(mo_tokenizer_vocab_set(&b->extra, "<s>", 3, n));
    assert_ok(mo_tokenizer_vocab_set(&b->extra, "</s>", 4, n + 1));
    mo_tokenizer *t;
    const mo_tokenizer_parts parts = {.model = &b->vocab,
        .extra = &b->extra,
        .merge = b->merge,
        .n_merges = MERGES,
        .start = n,
        .end = n + 1,
        .pad = n + 1,
        .unknown = MO_TOKEN_NONE};
    assert_ok(mo_tokenizer_build(&t, &parts, "random"));
    return t;
}

/* Joins the first pair of the lowest rank, again and again. */
static size_t plainest(const random_bpe *b, const char *word, size_t n, uint32_t *id)
{
    for (size_t i = 0; i < n; i++) id[i] = (uint32_t)(word[i] - 'a') + (i + 1 == n ? LETTERS : 0);
    for (int k = 0; k < MERGES; k++)
        for (size_t i = 0; i + 1 < n; i++)
            if (id[i] == b->merge[k].left && id[i + 1] == b->merge[k].right) {
                id[i] = b->merge[k].joined;
                memmove(id + i + 1, id + i + 2, (n - i - 2) * sizeof *id);
                n--;
                k = -1; /* a join may have made a pair of lower rank */
                break;
            }
    return n;
}

static void words_are_joined_as_by_the_plainest_program(void **state)
{
    (void)state;
    uint32_t seed = 1, want[300];
    char word[300];
    for (int round = 0; round < 40; round++) {
        random_bpe b;
        mo_tokenizer *t = make(&b, &seed);
        mo_tokens got = {0};
        for (int i = 0; i < 60; i++) {
            size_t n = 1 + draw(&seed, i % 3 ? 12 : 200); /* short words and long ones go different ways */
            for (size_t k = 0; k < n; k++) word[k] = (char)('a' + draw(&seed, LETTERS));
            got.n = 0;
            assert_ok(mo_tokenizer_raw(t, word, n, &got));
            size_t n_want = plainest(&b, word, n, want);
            if (got.n != n_want || memcmp(got.id, want, n_want * sizeof *want))
                fail_msg("round %d: %.*s", round, (int)n, word);
        }
        mo_mem_free(got.id);
        mo_tokenizer_free(t);
        mo_tokenizer_vocab_close(&b.vocab);
        mo_tokenizer_vocab_close(&b.extra);
    }
    assert_int_equal(mo_mem_live(), 0);
}

static void a_pair_is_found_by_both_its_ids(void **state)
{
    (void)state;
    uint32_t seed = 9;
    random_bpe b;
    mo_tokenizer *t = make(&b, &seed);
    for (uint32_t left = 0; left < IDS; left++)
        for (uint32_t right = 0; right < IDS; right++) {
            uint32_t k = mo_tokenizer_merge(t, left, right);
            if (pair_is_known(&b, MERGES, left, right)) {
                assert_true(k < MERGES);
                assert_int_equal(t->merge[k].left, left);
                assert_int_equal(t->merge[k].right, right);
            } else {
                assert_int_equal(k, MO_TOKEN_NONE);
            }
        }
    mo_tokenizer_free(t);
    mo_tokenizer_vocab_close(&b.vocab);
    mo_tokenizer_vocab_close(&b.extra);
}

/* Splitting at spaces and punctuation does not reach into words: a text's ids are those of its words. */
static void a_text_is_its_words(void **state)
{
    (void)state;
    uint32_t seed = 4;
    random_bpe b;
    mo_tokenizer *t = make(&b, &seed);
    mo_tokens whole = {0}, parts = {0};
    for (int round = 0; round < 200; round++) {
        char text[200] = "";
        parts.n = whole.n = 0;
        for (int w = 0; w < 5; w++) {
            char word[20];
            size_t n = 1 + draw(&seed, 12);
            for (size_t k = 0; k < n; k++) word[k] = (char)('a' + draw(&seed, LETTERS));
            word[n] = 0;
            assert_ok(mo_tokenizer_raw(t, word, n, &parts));
            strcat(strcat(text, word), w == 2 ? "   " : w == 3 ? "\t\n" : " ");
        }
        assert_ok(mo_tokenizer_raw(t, text, strlen(text), &whole));
        assert_int_equal(whole.n, parts.n);
        assert_memory_equal(whole.id, parts.id, parts.n * sizeof *parts.id);
        for (char *c = text; *c; c++) *c = (char)(*c >= 'a' ? *c - 32 : *c); /* capitals are the same words */
        whole.n = 0;
        assert_ok(mo_tokenizer_raw(t, text, strlen(text), &whole));
        assert_memory_equal(whole.id, parts.id, parts.n * sizeof *parts.id);
    }
    mo_mem_free(whole.id);
    mo_mem_free(parts.id);
    mo_tokenizer_free(t);
    mo_tokenizer_vocab_close(&b.vocab);
    mo_tokenizer_vocab_close(&b.extra);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_symbols_are_those_of_gpt2),
        cmocka_unit_test(a_vocabulary_finds_what_was_set),
        cmocka_unit_test(words_are_joined_as_by_the_plainest_program),
        cmocka_unit_test(a_pair_is_found_by_both_its_ids),
        cmocka_unit_test(a_text_is_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
