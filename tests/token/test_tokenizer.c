/* SPDX-License-Identifier: MIT
 * test_tokenizer.c - ids equal to transformers' on golden texts, from every layout and from the
 * block; bad inputs.
 *
 * tests/gold/tokens is written by tests/parity/tokens.py --gold. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "token/tokenizer.h"
#include "format/json.h"
#include "base/buf.h"
#include "base/mem.h"
#include "support/reload.h"

#define GOLD MOPD_TEST_DIR "/gold/tokens"

static mo_tokenizer *open_gold(const char *folder)
{
    mo_tokenizer *t;
    assert_ok(mo_tokenizer_open(&t, folder));
    return t;
}

/* Every text of a list gives the ids beside it. */
static void assert_gold(const mo_tokenizer *t, const char *path, size_t least)
{
    const mo_json *root;
    mo_tokens got = {0};
    assert_ok(mo_json_open(&root, path));
    assert_true(mo_json_count(root) >= least);
    for (size_t i = 0; i < mo_json_count(root); i++) {
        const mo_json *row = mo_json_item(root, i), *ids = mo_json_item(row, 1);
        const char *text;
        assert_true(mo_json_as_string(mo_json_item(row, 0), &text));
        got.n = 0;
        assert_ok(mo_tokenizer_encode(t, text, strlen(text), 0, false, &got));
        bool same = got.n == mo_json_count(ids);
        for (size_t k = 0; k < got.n && same; k++) {
            int64_t id = -1;
            same = mo_json_as_int(mo_json_item(ids, k), &id) && id == got.id[k];
        }
        if (!same) fail_msg("%s: row %zu: \"%s\"", path, i, text);
    }
    mo_mem_free(got.id);
    mo_json_close(root);
}

static void ids_equal_transformers(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(GOLD);
    assert_gold(t, GOLD "/texts.json", 450);
    mo_tokenizer_free(t);
}

static void added_tokens_equal_transformers(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(GOLD "/added");
    assert_gold(t, GOLD "/added/texts.json", 24);
    mo_tokenizer_free(t);
}

static void block_gives_the_same(void **state)
{
    (void)state;
    mo_tokenizer *back = test_reload(open_gold(GOLD "/added"));
    assert_gold(back, GOLD "/added/texts.json", 24);
    mo_tokenizer_free(back);
}

static void built_in_vocabulary_opens(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(MOPD_SOURCE_DIR "/examples/model/builtin");
    size_t n;
    mo_tokens ids = {0};
    assert_ok(mo_tokenizer_encode(t, "a cat", 5, 0, false, &ids));
    assert_true(ids.n >= 4);
    assert_int_equal(ids.id[0], mo_tokenizer_start(t));
    assert_int_equal(ids.id[ids.n - 1], mo_tokenizer_end(t));
    assert_int_equal(mo_tokenizer_pad(t), mo_tokenizer_end(t));
    assert_memory_equal(mo_tokenizer_token(t, mo_tokenizer_start(t), &n), "<|startoftext|>", 15);
    assert_int_equal(n, 15);
    assert_memory_equal(mo_tokenizer_token(t, ids.id[1], &n), "a</w>", 5);
    assert_int_equal(n, 5);
    assert_null(mo_tokenizer_token(t, (uint32_t)mo_tokenizer_n_ids(t), &n));
    assert_int_equal(n, 0);
    mo_mem_free(ids.id);
    mo_tokenizer_free(t);
}

static void limit_refuses_or_cuts(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(GOLD);
    mo_tokens ids = {0}, whole = {0};
    const char *text = "1 2 3 4 5 6";
    assert_ok(mo_tokenizer_encode(t, text, strlen(text), 0, false, &whole));
    assert_int_equal(whole.n, 8);
    assert_ok(mo_tokenizer_encode(t, text, strlen(text), 8, false, &ids));
    assert_int_equal(ids.n, 8);
    assert_fails(mo_tokenizer_encode(t, text, strlen(text), 7, false, &ids), MOPD_E_ARG,
        "the text is 8 tokens long with start and end, the limit is 7: \"1 2 3 4 5 6\"");
    assert_int_equal(ids.n, 8);
    assert_ok(mo_tokenizer_encode(t, text, strlen(text), 5, true, &ids)); /* appended */
    assert_int_equal(ids.n, 13);
    assert_memory_equal(ids.id + 8, whole.id, 4 * sizeof *ids.id);
    assert_int_equal(ids.id[12], mo_tokenizer_end(t));
    assert_fails(mo_tokenizer_encode(t, text, strlen(text), 1, true, &ids), MOPD_E_ARG, "no room");
    ids.n = 0;
    assert_ok(mo_tokenizer_encode(t, "", 0, 2, false, &ids));
    assert_int_equal(ids.n, 2);
    ids.n = 0;
    assert_ok(mo_tokenizer_raw(t, text, strlen(text), &ids));
    assert_int_equal(ids.n, 6);
    assert_memory_equal(ids.id, whole.id + 1, 6 * sizeof *ids.id);
    mo_mem_free(ids.id);
    mo_mem_free(whole.id);
    mo_tokenizer_free(t);
}

static void broken_utf8_names_the_byte(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(GOLD);
    mo_tokens ids = {0};
    assert_fails(mo_tokenizer_encode(t, "caf\xe9 x", 6, 0, false, &ids), MOPD_E_FORMAT, "byte 3 (0xe9)");
    assert_fails(mo_tokenizer_raw(t, "\xf0\x9f\x98", 3, &ids), MOPD_E_FORMAT, "byte 0 (0xf0)");
    assert_int_equal(ids.n, 0);
    assert_ok(mo_tokenizer_raw(t, "a\0b", 3, &ids)); /* zero is a character */
    assert_int_equal(ids.n, 3);
    mo_mem_free(ids.id);
    mo_tokenizer_free(t);
}

static void long_words_merge_like_short_ones(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(GOLD);
    char word[4096], part[40];
    mo_tokens whole = {0}, piece = {0};
    uint32_t s = 1;
    for (int run = 0; run < 300; run++) {
        size_t n = 33 + (size_t)run * 4, at = 0;
        for (size_t i = 0; i < n; i++) word[i] = "aetinosr"[(s = s * 1664525 + 1013904223) >> 24 & 7];
        whole.n = 0;
        assert_ok(mo_tokenizer_raw(t, word, n, &whole));
        for (size_t i = 0; i < whole.n; i++) { /* the tokens spell the word */
            size_t k;
            const char *token = mo_tokenizer_token(t, whole.id[i], &k);
            if (i + 1 == whole.n) k -= 4;
            assert_memory_equal(token, word + at, k);
            at += k;
        }
        assert_int_equal(at, n);
        /* "q" joins with nothing here: the long word ends as its last part does alone, the short way. */
        memset(word, 'q', n);
        for (size_t i = 0; i < 20; i++)
            part[i] = word[n - 20 + i] = "aetinosr"[(s = s * 1664525 + 1013904223) >> 24 & 7];
        whole.n = piece.n = 0;
        assert_ok(mo_tokenizer_raw(t, word, n, &whole));
        assert_ok(mo_tokenizer_raw(t, part, 20, &piece));
        assert_true(piece.n < whole.n);
        assert_memory_equal(whole.id + whole.n - piece.n, piece.id, piece.n * sizeof *piece.id);
    }
    mo_mem_free(whole.id);
    mo_mem_free(piece.id);
    mo_tokenizer_free(t);
}

/* A folder with these files; "" leaves one out. */
static const char *folder_of(const char *vocab, const char *merges, const char *json, const char *config)
{
    static int next;
    static char folder[600];
    char name[32], file[700];
    snprintf(name, sizeof name, "tok%d", next++);
    snprintf(folder, sizeof folder, "%s", test_path(name));
    assert_int_equal(mkdir(folder, 0700), 0);
    const char *const names[] = {"vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"};
    const char *const texts[] = {vocab, merges, json, config};
    for (int i = 0; i < 4; i++) {
        if (!*texts[i]) continue;
        snprintf(file, sizeof file, "%s/%s", name, names[i]);
        test_write(file, texts[i], strlen(texts[i]));
    }
    return folder;
}

#define VOCAB                                                                                                \
    "{\"a\":0,\"b\":1,\"ab\":2,\"a</w>\":3,\"b</w>\":4,\"ab</"                                               \
    "w>\":5,\"<|endoftext|>\":6,\"<|startoftext|>\":7}"
#define MERGES "#version: 0.2\na b</w>\na b\n"
#define MODEL(vocab, merges)                                                                                 \
    "{\"added_tokens\":[],\"model\":{\"type\":\"BPE\",\"vocab\":" vocab ",\"merges\":" merges "}}"

static void assert_ids(const mo_tokenizer *t, const char *text, size_t n, const uint32_t *want)
{
    mo_tokens got = {0};
    assert_ok(mo_tokenizer_raw(t, text, strlen(text), &got));
    assert_int_equal(got.n, n);
    assert_memory_equal(got.id, want, n * sizeof *want);
    mo_mem_free(got.id);
}

static void unknown_bytes_become_the_unknown_token(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(folder_of(VOCAB, MERGES, "", ""));
    assert_ids(t, "AB xy ab", 4, (const uint32_t[]){5, 6, 6, 5});
    assert_ids(t, "aab", 2, (const uint32_t[]){0, 5});
    mo_tokenizer_free(t);
    t = open_gold(folder_of(VOCAB, MERGES, "", "{\"unk_token\":\"nothing\"}"));
    mo_tokens ids = {0};
    assert_fails(
        mo_tokenizer_raw(t, "abx", 3, &ids), MOPD_E_FORMAT, "no token for byte 0x78 at the end of a word");
    assert_int_equal(ids.n, 0);
    mo_mem_free(ids.id);
    mo_tokenizer_free(t);
}

static void names_of_specials_come_from_the_configuration(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(folder_of("", "", MODEL(VOCAB, "[\"a b</w>\",[\"a\",\"b\"]]"),
        "{\"bos_token\":\"<s>\",\"eos_token\":{\"__type\":\"AddedToken\",\"content\":\"</"
        "s>\",\"normalized\":true},"
        "\"pad_token\":\"ab</w>\",\"added_tokens_decoder\":{\"9\":{\"content\":\"ab\",\"lstrip\":true}}}"));
    assert_int_equal(mo_tokenizer_start(t), 8);
    assert_int_equal(mo_tokenizer_end(t), 9);
    assert_int_equal(mo_tokenizer_pad(t), 5);
    assert_int_equal(mo_tokenizer_n_ids(t), 10);
    assert_ids(t, "b </S> ab<s>", 4, (const uint32_t[]){4, 9, 2, 8});
    mo_tokenizer_free(t);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *vocab, *merges, *json, *config;
        mopd_status st;
        const char *words;
    } t[] = {
        {"", "", "", "", MOPD_E_IO,
            "no tokenizer.json, no spiece.model, no vocab.json with merges.txt, no bpe_simple"},
        {VOCAB, "", "", "", MOPD_E_IO, "merges.txt: missing (vocab.json is there)"},
        {"", MERGES, "", "", MOPD_E_IO, "vocab.json: missing"},
        {"[1]", MERGES, "", "", MOPD_E_FORMAT, "vocab.json: not an object"},
        {"{\"a\":-1}", MERGES, "", "", MOPD_E_FORMAT, "the id of \"a\" is not a number from 0 to"},
        {"{\"a\":\"b\"}", MERGES, "", "", MOPD_E_FORMAT, "the id of \"a\""},
        {"{\"a\":99999999}", MERGES, "", "", MOPD_E_FORMAT, "the id of \"a\""},
        {"{\"a\":1,\"a\":2}", MERGES, "", "", MOPD_E_FORMAT, "vocab.json"},
        {"{\"a\":1,\"b\":1}", "", "{\"model\":{\"vocab\":{\"a\":1,\"b\":1},\"merges\":[]}}", "",
            MOPD_E_FORMAT, "id 1 belongs to \"a\" and to \"b\""},
        {VOCAB, "a\n", "", "", MOPD_E_FORMAT, "merges.txt: merge 0 is \"a\", not two parts"},
        {VOCAB, "a b\n\na b", "", "", MOPD_E_FORMAT, "merge 1 is \"\", not two parts"},
        {VOCAB, "a b c\n", "", "", MOPD_E_FORMAT, "not two parts"},
        {VOCAB, "a x\n", "", "", MOPD_E_FORMAT, "merge 0: \"x\" is not in the vocabulary"},
        {VOCAB, "b a\n", "", "", MOPD_E_FORMAT, "merge 0: \"ba\" is not in the vocabulary"},
        {"", "", "{", "", MOPD_E_FORMAT, "tokenizer.json"},
        {"", "", "{}", "", MOPD_E_FORMAT, "model"},
        {"", "", "{\"model\":{\"type\":\"WordPiece\"}}", "", MOPD_E_UNSUPPORTED, "a WordPiece tokenizer"},
        {"", "", "{\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"_\"}}", "", MOPD_E_UNSUPPORTED,
            "words end in"},
        {"", "", MODEL(VOCAB, "[1]"), "", MOPD_E_FORMAT, "merge 0 is neither"},
        {"", "", MODEL(VOCAB, "[[\"a\",\"b\",\"c\"]]"), "", MOPD_E_FORMAT, "merge 0 is neither"},
        {"", "", "{\"model\":{\"vocab\":{},\"merges\":[]},\"added_tokens\":[\"x\"]}", "", MOPD_E_FORMAT,
            "added_tokens[0] is not an object"},
        {"", "", "{\"model\":{\"vocab\":{},\"merges\":[]},\"added_tokens\":[{\"content\":\"x\"}]}", "",
            MOPD_E_FORMAT, "id"},
        {VOCAB, MERGES, "", "[]", MOPD_E_FORMAT, "tokenizer_config.json: not an object"},
        {VOCAB, MERGES, "", "{\"eos_token\":null}", MOPD_E_FORMAT, "no end token"},
        {VOCAB, MERGES, "", "{\"bos_token\":7}", MOPD_E_FORMAT, "bos_token is neither a text nor a token"},
        {VOCAB, MERGES, "", "{\"added_tokens_decoder\":{\"x\":{\"content\":\"y\"}}}", MOPD_E_FORMAT,
            "\"x\" is not an id"},
        {VOCAB, MERGES, "", "{\"added_tokens_decoder\":{\"8\":{\"content\":\"y\",\"single_word\":true}}}",
            MOPD_E_UNSUPPORTED, "\"y\" matches single words only"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        mo_tokenizer *out = (mo_tokenizer *)1;
        assert_fails(mo_tokenizer_open(&out, folder_of(t[i].vocab, t[i].merges, t[i].json, t[i].config)),
            t[i].st, t[i].words);
        assert_null(out);
    }
}

static void simple_vocabulary_has_openai_order(void **state)
{
    (void)state;
    const char *text = "\"bpe_simple_vocab_16e6.txt#version: 0.2\ni n\nt h\ni n</w>\n";
    const char *path = test_write("bpe.txt", text, strlen(text));
    mo_tokenizer *t;
    size_t n;
    assert_ok(mo_tokenizer_open_simple(&t, path));
    assert_int_equal(mo_tokenizer_n_ids(t), 517);
    assert_int_equal(mo_tokenizer_start(t), 515);
    assert_int_equal(mo_tokenizer_end(t), 516);
    assert_memory_equal(mo_tokenizer_token(t, 0, &n), "!", 1);
    assert_memory_equal(mo_tokenizer_token(t, 94, &n), "\u00a1", 2);
    assert_memory_equal(mo_tokenizer_token(t, 188, &n), "\u0100", 2);
    assert_memory_equal(mo_tokenizer_token(t, 256, &n), "!</w>", 5);
    assert_ids(t, "thin in", 3, (const uint32_t[]){513, 514, 514});
    mo_tokenizer_free(t);
    path = test_write("bad.txt", "x\na b c\n", 8);
    assert_fails(mo_tokenizer_open_simple(&t, path), MOPD_E_FORMAT, "line 2 is \"a b c\", not two parts");
    path = test_write("empty.txt", "", 0);
    assert_fails(mo_tokenizer_open_simple(&t, path), MOPD_E_FORMAT, "empty");
    path = test_write("short.gz", "\x1f\x8b\x08", 3);
    assert_fails(mo_tokenizer_open_simple(&t, path), MOPD_E_FORMAT, "short.gz");
    assert_fails(mo_tokenizer_open_simple(&t, test_path("none")), MOPD_E_IO, "none");
}

static void bad_blocks_are_refused(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(folder_of(VOCAB, MERGES, "", "")), *back;
    mo_buf good = {0};
    assert_ok(mo_tokenizer_save(t, &good));
    mo_tokenizer_free(t);
    assert_fails(mo_tokenizer_load(&back, good.data, 3, "b"), MOPD_E_FORMAT, "b: a vocabulary of 3 bytes");
    assert_fails(mo_tokenizer_load(&back, good.data, good.size - 4, "b"), MOPD_E_FORMAT, "holds");
    uint32_t *head = malloc(good.size);
    static const struct {
        size_t at;
        uint32_t value;
        mopd_status st;
        const char *words;
    } bad[] = {{0, 1, MOPD_E_FORMAT, "not a vocabulary"}, {1, 2, MOPD_E_VERSION, "format 2, known up to 1"},
        {1, 0, MOPD_E_FORMAT, "holds"}, {2, 0, MOPD_E_FORMAT, "says 0"}, {3, 7, MOPD_E_FORMAT, "holds"},
        {4, UINT32_MAX, MOPD_E_FORMAT, "holds 0"}, {7, 8, MOPD_E_FORMAT, "beyond 8"},
        {10, 8, MOPD_E_FORMAT, "beyond 8"}, {11, 8, MOPD_E_FORMAT, "beyond 8"},
        {523, 9, MOPD_E_FORMAT, "merge 0 is 9 +"}, {530, 1000, MOPD_E_FORMAT, "token 0 lies outside"},
        {538, 8, MOPD_E_FORMAT, "added token 0"}, {539, 8, MOPD_E_FORMAT, "added token 0"},
        {541, 0, MOPD_E_FORMAT, "added token 0"}, {541, 900, MOPD_E_FORMAT, "added token 0"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(head, good.data, good.size);
        head[bad[i].at] = bad[i].value;
        assert_fails(mo_tokenizer_load(&back, head, good.size, "b"), bad[i].st, bad[i].words);
        assert_null(back);
    }
    memcpy(head, good.data, good.size);
    memcpy(head + 526, head + 523, 12);
    assert_fails(
        mo_tokenizer_load(&back, head, good.size, "b"), MOPD_E_FORMAT, "merges 0 and 1 join the same pair");
    free(head);
    mo_buf_free(&good);
}

static void assert_same_block(const char *json_a, const char *json_b)
{
    mo_tokenizer *a = open_gold(folder_of("", "", json_a, "")), *b = open_gold(folder_of("", "", json_b, ""));
    mo_buf x = {0}, y = {0};
    assert_ok(mo_tokenizer_save(a, &x));
    assert_ok(mo_tokenizer_save(b, &y));
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    mo_buf_free(&x);
    mo_buf_free(&y);
    mo_tokenizer_free(a);
    mo_tokenizer_free(b);
}

/* Surrogates, an empty list and other rare spellings go through the tree, the usual ones do not. */
static void every_spelling_of_json_gives_the_same(void **state)
{
    (void)state;
    static const char plain[] =
        "{\"model\":{\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"\U0001f600\\\\\\/\":3,\"\u00e9\\\"\":4},"
        "\"merges\":[[\"a\",\"b\"]]}}";
    assert_same_block(plain, " {\t\"x\" : [{},\"}\",-1.5e3,null] ,\"model\" :\r\n{ \"merges\" : [ \"a b\" ] "
                             ", \"type\":\"BPE\", \"vocab\" : { \"a\""
                             " : 0 , \"\\u0062\":1,\"ab\":2,\"\U0001f600\\u005c\\u002f\":3 , "
                             "\"\\u00E9\\u0022\"\n:4 } } , \"y\": true }\n");
    assert_same_block(plain,
        "{\"model\":{\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"\\ud83d\\ude00\\\\/\":3,\"\u00e9\\\"\":4},"
        "\"merges\":[[\"a\",\"b\"]]}}");
    assert_same_block("{\"model\":{\"vocab\":{\"a\":7},\"merges\":[]}}",
        "{\"mod\\u0065l\":{\"vocab\":{\"a\":7},\"merges\":[ ]}}");
    static const char *const wrong[] = {"{\"model\":{\"vocab\":{\"a\":0,},\"merges\":[\"a b\"]}}",
        "{\"model\":{\"vocab\":{\"a\":01},\"merges\":[\"a b\"]}}",
        "{\"model\":{\"vocab\":{\"a\":0],\"merges\":[\"a b\"]}}",
        "{\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"a b\"}}}",
        "{\"model\":{\"vocab\":{\"a\":0},\"merges\":[]},}",
        "{\"model\":{\"vocab\":{\"a\":0,\"a\":1},\"merges\":[]}}",
        "{\"model\":{\"vocab\":{\"a\":0},\"merges\":[]}} x",
        "{\"model\":{\"vocab\":{\"a\":0},\"vocab\":{\"a\":0},\"merges\":[\"a a\"]}}",
        "{\"model\":{\"vocab\":{\"a\n\":0},\"merges\":[\"a b\"]}}",
        "{\"model\":{\"vocab\":{\"\xff\":0},\"merges\":[\"a b\"]}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mo_tokenizer *t;
        assert_fails(
            mo_tokenizer_open(&t, folder_of("", "", wrong[i], "")), MOPD_E_FORMAT, "tokenizer.json: line");
    }
}

/* Whatever the bytes, loading fails or gives something that can be used. */
static void mutated_blocks_never_crash(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(
                     folder_of(VOCAB, MERGES, "", "{\"unk_token\":\"<New>\",\"pad_token\":\"<  P>\"}")),
                 *back;
    mo_buf good = {0};
    assert_ok(mo_tokenizer_save(t, &good));
    mo_tokenizer_free(t);
    char *bytes = malloc(good.size);
    uint64_t s = 12345;
    size_t n_good = 0;
    mo_tokens ids = {0};
    for (int run = 0; run < 20000; run++) {
        memcpy(bytes, good.data, good.size);
        for (int k = 0; k < 1 + run % 3; k++) {
            s = s * UINT64_C(6364136223846793005) + 1442695040888963407u;
            size_t at = (size_t)(s >> 33) % good.size; /* half of them not among the 512 bytes' ids */
            if (run % 2) at = at < good.size / 2 ? at % 44 : good.size - 1 - at % 200;
            bytes[at] = (char)(run % 5 ? bytes[at] ^ (1 << (s >> 20 & 7)) : (int)(s >> 24 & 255));
        }
        if (mo_tokenizer_load(&back, bytes, good.size, "fuzz") != MOPD_OK) continue;
        n_good++;
        ids.n = 0;
        static const char text[] =
            "ab <|endoftext|>aabb ba <new> < p>x \u00e9 abababababababababababababababababababab";
        if (mo_tokenizer_raw(back, text, sizeof text - 1, &ids) == MOPD_OK)
            for (size_t i = 0; i < ids.n; i++) assert_true(ids.id[i] < mo_tokenizer_n_ids(back));
        mo_tokenizer_free(back);
    }
    assert_true(n_good > 1000 && n_good < 19000);
    mo_mem_free(ids.id);
    free(bytes);
    mo_buf_free(&good);
}

static void mutated_json_never_crashes(void **state)
{
    (void)state;
    static const char good[] =
        "{\"added_tokens\":[{\"id\":6,\"content\":\"<|endoftext|>\",\"normalized\":true,\"special\":true,"
        "\"lstrip\":false}],\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\",\"vocab\":" VOCAB
        ",\"merges\":[\"a b</w>\",[\"a\",\"b\"]]}}";
    const char *folder = folder_of("", "", good, "{\"bos_token\":\"a\"}");
    char path[700], text[sizeof good];
    uint64_t s = 7;
    size_t n_good = 0;
    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    for (int run = 0; run < 3000; run++) {
        memcpy(text, good, sizeof good);
        for (int k = 0; k < 1 + run % 2; k++) {
            s = s * UINT64_C(6364136223846793005) + 1442695040888963407u;
            static const char bytes[] = "\"\\{}[]:,0123456789-abtnue </w>\xc3\xa9\xff";
            text[(s >> 33) % (sizeof good - 1)] = bytes[(s >> 8) % (sizeof bytes - 1)];
        }
        unlink(path);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        fwrite(text, 1, sizeof good - 1, f);
        fclose(f);
        mo_tokenizer *t;
        mo_tokens ids = {0};
        if (mo_tokenizer_open(&t, folder) != MOPD_OK) continue;
        n_good++;
        (void)mo_tokenizer_raw(t, "ab aab <|endoftext|> x", 22, &ids);
        mo_mem_free(ids.id);
        mo_tokenizer_free(t);
    }
    assert_true(n_good > 50);
}

static mopd_status open_and_encode(void *folder)
{
    mo_tokenizer *t;
    mo_tokens ids = {0};
    mopd_status st = mo_tokenizer_open(&t, folder);
    if (st != MOPD_OK) return st;
    static const char text[] = "a photo of a caf\u00e9 <|endoftext|> ab";
    st = mo_tokenizer_encode(t, text, sizeof text - 1, 0, false, &ids);
    mo_mem_free(ids.id);
    mo_buf block = {0};
    mo_tokenizer *back = NULL;
    if (st == MOPD_OK) st = mo_tokenizer_save(t, &block);
    if (st == MOPD_OK) st = mo_tokenizer_load(&back, block.data, block.size, "block");
    mo_buf_free(&block);
    mo_tokenizer_free(back);
    mo_tokenizer_free(t);
    return st;
}

static mopd_status open_simple_once(void *path)
{
    mo_tokenizer *t;
    mopd_status st = mo_tokenizer_open_simple(&t, path);
    mo_tokenizer_free(t);
    return st;
}

static void tokenizer_survives_lack_of_memory(void **state)
{
    (void)state;
    char folder[600];
    snprintf(folder, sizeof folder, "%s", folder_of(VOCAB, MERGES, "", "{\"pad_token\":\"<P>\"}"));
    test_torture(open_and_encode, folder);
    snprintf(folder, sizeof folder, "%s",
        folder_of("", "", MODEL(VOCAB, "[[\"a\",\"b\"]]"),
            "{\"added_tokens_decoder\":{\"9\":{\"content\":\"< N>\",\"normalized\":true}}}"));
    test_torture(open_and_encode, folder);
    const char *text = "x\ni n\nt h\n";
    snprintf(folder, sizeof folder, "%s", test_write("torture.txt", text, strlen(text)));
    test_torture(open_simple_once, folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_equal_transformers),
        cmocka_unit_test(added_tokens_equal_transformers),
        cmocka_unit_test(block_gives_the_same),
        cmocka_unit_test(built_in_vocabulary_opens),
        cmocka_unit_test(limit_refuses_or_cuts),
        cmocka_unit_test(broken_utf8_names_the_byte),
        cmocka_unit_test(long_words_merge_like_short_ones),
        cmocka_unit_test(unknown_bytes_become_the_unknown_token),
        cmocka_unit_test(names_of_specials_come_from_the_configuration),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(simple_vocabulary_has_openai_order),
        cmocka_unit_test(bad_blocks_are_refused),
        cmocka_unit_test(every_spelling_of_json_gives_the_same),
        cmocka_unit_test(mutated_blocks_never_crash),
        cmocka_unit_test(mutated_json_never_crashes),
        cmocka_unit_test(tokenizer_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
