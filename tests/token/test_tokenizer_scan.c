/* SPDX-License-Identifier: MIT
 * test_tokenizer_scan.c - the quick reader of tokenizer.json: what it reads it reads rightly, all else it
 * leaves to the tree. */
#include "test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "token/tokenizer_scan.h"

typedef struct parts {
    mo_buf file, rest;
    mo_tokenizer_scan vocab, merges;
    bool found;
} parts;

static parts find(const char *text)
{
    parts p = {0};
    mopd_status st;
    assert_ok(mo_buf_adds(&p.file, text));
    p.found = mo_tokenizer_scan_find(&p.file, &p.vocab, &p.merges, &p.rest, &st);
    assert_int_equal(st, MOPD_OK);
    return p;
}

static void parts_free(parts *p)
{
    mo_buf_free(&p->file);
    mo_buf_free(&p->rest);
}

static void both_values_are_found_in_any_order(void **state)
{
    (void)state;
    static const struct {
        const char *text, *vocab, *merges, *rest;
    } cases[] = {
        {"{\"model\":{\"vocab\":{\"a\":1},\"merges\":[\"a b\"]}}", "{\"a\":1}", "[\"a b\"]",
            "{\"model\":{\"vocab\":{},\"merges\":[]}}"},
        {"{\"x\":[1,{\"y\":2}],\"model\":{\"merges\":[],\"type\":\"BPE\",\"vocab\":{}},\"z\":null}", "{}",
            "[]", "{\"x\":[1,{\"y\":2}],\"model\":{\"merges\":[],\"type\":\"BPE\",\"vocab\":{}},\"z\":null}"},
        {" {\n\t\"model\" : { \"dropout\" : -1.5e3 , \"vocab\" : {\"}\":2} , \"merges\" : [\"] [\"] } }",
            "{\"}\":2}", "[\"] [\"]",
            " {\n\t\"model\" : { \"dropout\" : -1.5e3 , \"vocab\" : {} , \"merges\" : [] } }"},
        {"{\"a\\\"model\":1,\"model\":{\"vocab\":{\"\\\"\":3},\"merges\":[[\"a\",\"b\"]]}}", "{\"\\\"\":3}",
            "[[\"a\",\"b\"]]", "{\"a\\\"model\":1,\"model\":{\"vocab\":{},\"merges\":[]}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parts p = find(cases[i].text);
        assert_true(p.found);
        assert_int_equal(p.vocab.end - p.vocab.at, strlen(cases[i].vocab));
        assert_memory_equal(p.vocab.at, cases[i].vocab, strlen(cases[i].vocab));
        assert_int_equal(p.merges.end - p.merges.at, strlen(cases[i].merges));
        assert_memory_equal(p.merges.at, cases[i].merges, strlen(cases[i].merges));
        assert_string_equal(p.rest.data, cases[i].rest);
        parts_free(&p);
    }
}

static void what_it_does_not_know_is_left_to_the_tree(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "[]", "{}", "{\"model\":3}", "{\"model\":{}}", "{\"model\":[]}",
        "{\"model\":{\"vocab\":{}}}", "{\"model\":{\"merges\":[]}}",
        "{\"model\":{\"vocab\":[],\"merges\":[]}}", "{\"model\":{\"vocab\":{},\"merges\":{}}}",
        "{\"model\":{\"vocab\":{},\"vocab\":{},\"merges\":[]}}", "{\"model\":{\"vocab\":{},\"merges\":[",
        "{\"model\":{\"vocab\":{\"a\":1},\"merges\":[\"a", "{\"model\"",
        "{\"model\":{\"vocab\":null,\"merges\":[]}}", "{\"m\\u006fdel\":{\"vocab\":{},\"merges\":[]}}",
        "{\"a\":}", "{\"model\":{\"vocab\":{}}}]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        parts p = find(texts[i]);
        if (p.found) fail_msg("%s was read", texts[i]);
        parts_free(&p);
    }
}

/* Every beginning of a good file is refused, none is read beyond its end (the sanitizers watch). */
static void beginnings_are_refused(void **state)
{
    (void)state;
    const char *whole =
        "{\"v\":\"1\",\"model\":{\"vocab\":{\"a\\u0041\":10},\"merges\":[\"a b\",[\"c\",\"d\"]]}}";
    for (size_t n = 0; n + 1 < strlen(whole); n++) {
        char *text = malloc(n + 1);
        memcpy(text, whole, n);
        text[n] = 0;
        parts p = find(text);
        assert_int_equal(p.found, n >= strlen(whole) - 2); /* both values are whole by then */
        parts_free(&p);
        free(text);
    }
}

/* The vocabulary of a text, true when it was read. */
static bool read_vocab(const char *text, mo_tokenizer_vocab *vocab, char *room)
{
    mopd_status st;
    strcpy(room, text);
    *vocab = (mo_tokenizer_vocab){0};
    bool good = mo_tokenizer_scan_vocab((mo_tokenizer_scan){room, room + strlen(room)}, vocab, &st);
    assert_int_equal(st, MOPD_OK);
    return good;
}

static void words_mean_what_json_says(void **state)
{
    (void)state;
    mo_tokenizer_vocab v;
    char room[500];
    assert_true(read_vocab(
        " { \"a\" : 0 , \"\\u0120b\":7,\"\\\\\\/\\\"\":12,\"\xc3\xa9\":1048575 , \"\\u20AC</w>\":3}", &v,
        room));
    static const struct {
        const char *text;
        uint32_t id;
    } words[] = {{"a", 0},
        {"\xc4\xa0"
         "b",
            7},
        {"\\/\"", 12}, {"\xc3\xa9", 1048575}, {"\xe2\x82\xac</w>", 3}};
    assert_int_equal(v.n, 5);
    for (size_t i = 0; i < 5; i++) {
        const mo_word *w = mo_tokenizer_vocab_find(&v, words[i].text, strlen(words[i].text));
        assert_non_null(w);
        assert_int_equal(w->id, words[i].id);
    }
    assert_null(mo_tokenizer_vocab_find(&v, "A", 1));
    mo_tokenizer_vocab_close(&v);
}

static void doubtful_words_are_left_to_the_tree(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1 \"b\":2}",
        "{\"a\":-1}", "{\"a\":1.0}", "{\"a\":1e2}", "{\"a\":01}", "{\"a\":12345678}", "{\"a\":1048576}",
        "{\"a\":1}x", "{\"a\":1", "{\"a\":1,\"a\":2}", "{\"\\n\":1}", "{\"\\u0000\":1}",
        "{\"\\ud83d\\ude00\":1}", "{\"\\u12g4\":1}", "{\"\\u12\":1}", "{\"\t\":1}", "{\"\xff\":1}",
        "{\"\xc3\":1}", "{a:1}", "[]"};
    char room[100];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        mo_tokenizer_vocab v;
        if (read_vocab(texts[i], &v, room)) fail_msg("%s was read", texts[i]);
        mo_tokenizer_vocab_close(&v);
    }
}

static void merges_come_one_after_the_other(void **state)
{
    (void)state;
    char text[] = " [ \"a b\" , [ \"c\" , \"d\\u0041\" ],\"e\"]";
    mo_tokenizer_scan s = {text, text + strlen(text)};
    assert_true(mo_tokenizer_scan_count(&s) >= 3);
    assert_true(mo_tokenizer_scan_open(&s));
    static const struct {
        const char *a, *b;
    } want[] = {{"a b", NULL}, {"c", "dA"}, {"e", NULL}};
    for (int i = 0; i < 3; i++) {
        mo_word a, b;
        bool done;
        assert_true(mo_tokenizer_scan_merge(&s, &a, &b, &done));
        assert_int_equal(a.n_bytes, strlen(want[i].a));
        assert_memory_equal(a.text, want[i].a, a.n_bytes);
        if (want[i].b)
            assert_memory_equal(b.text, want[i].b, strlen(want[i].b));
        else
            assert_null(b.text);
        assert_int_equal(done, i == 2);
    }
}

static void broken_merges_are_told(void **state)
{
    (void)state;
    static const char *const texts[] = {"[", "[]", "[1]", "[\"a\"", "[\"a\" \"b\"]", "[\"a\",]", "[[\"a\"]]",
        "[[\"a\",\"b\",\"c\"]]", "[[\"a\",1]]", "[\"a\"]]", "[null]", "[\"\\x\"]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char room[50];
        mo_word a, b;
        bool done = false, good = true;
        strcpy(room, texts[i]);
        mo_tokenizer_scan s = {room, room + strlen(room)};
        assert_true(mo_tokenizer_scan_open(&s));
        while (good && !done) good = mo_tokenizer_scan_merge(&s, &a, &b, &done);
        if (good) fail_msg("%s was read", texts[i]);
    }
}

static mopd_status find_and_read(void *unused)
{
    (void)unused;
    mo_buf file = {0}, rest = {0};
    mo_tokenizer_scan vocab, merges;
    mo_tokenizer_vocab words = {0};
    mopd_status st = mo_buf_adds(&file, "{\"model\":{\"vocab\":{\"a\":1,\"b\":2},\"merges\":[\"a b\"]}}");
    if (st == MOPD_OK) mo_tokenizer_scan_find(&file, &vocab, &merges, &rest, &st);
    if (st == MOPD_OK) mo_tokenizer_scan_vocab(vocab, &words, &st);
    mo_tokenizer_vocab_close(&words);
    mo_buf_free(&file);
    mo_buf_free(&rest);
    return st;
}

static void scanning_survives_lack_of_memory(void **state)
{
    (void)state;
    test_torture(find_and_read, NULL);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

/* A list of pieces has no merges beside it. */
static void pieces_are_read_in_order(void **state)
{
    (void)state;
    parts p = find("{\"model\":{\"unk_id\":0,\"vocab\":[ [\"a\\u0062\" , -1.5 ],[\"[\",0]]}}");
    mo_tokenizer_vocab vocab;
    mopd_status st;
    double score[3];
    assert_true(p.found);
    assert_null(p.merges.at);
    assert_string_equal(p.rest.data, "{\"model\":{\"unk_id\":0,\"vocab\":[]}}");
    assert_ok(mo_tokenizer_vocab_open(&vocab, 3));
    assert_true(mo_tokenizer_scan_pieces(p.vocab, &vocab, score, &st));
    assert_int_equal(vocab.n, 2);
    assert_true(score[0] == -1.5 && score[1] == 0);
    assert_int_equal(mo_tokenizer_vocab_find(&vocab, "ab", 2)->id, 0);
    assert_int_equal(mo_tokenizer_vocab_find(&vocab, "[", 1)->id, 1);
    mo_tokenizer_vocab_close(&vocab);
    parts_free(&p);
}

static void odd_lists_of_pieces_are_left_to_the_tree(void **state)
{
    (void)state;
    static const char *const lists[] = {"[]", "[[\"a\"]]", "[[\"a\",1],]", "[[\"a\",1]", "[[\"a\",1e3]]",
        "[[\"a\",.5]]", "[[\"a\",1.]]", "[[\"a\",01]]", "[[\"a\",- ]]", "[[\"a\",1],[\"a\",2]]", "[[1,1]]",
        "[[\"a\",1]] x", "[[\"a\",12345678901234567890]]", "[[\"a\",0.0000000000000000000000000001]]",
        "[[\"a\",1],[\"b\",1],[\"c\",1],[\"d\",1]]"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char text[100];
        mo_tokenizer_vocab vocab;
        mopd_status st = MOPD_OK;
        double score[3];
        snprintf(text, sizeof text, "%s", lists[i]);
        assert_ok(mo_tokenizer_vocab_open(&vocab, 3));
        if (mo_tokenizer_scan_pieces((mo_tokenizer_scan){text, text + strlen(text)}, &vocab, score, &st))
            fail_msg("%s was read", lists[i]);
        assert_int_equal(st, MOPD_OK);
        mo_tokenizer_vocab_close(&vocab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_values_are_found_in_any_order),
        cmocka_unit_test(what_it_does_not_know_is_left_to_the_tree),
        cmocka_unit_test(beginnings_are_refused),
        cmocka_unit_test(words_mean_what_json_says),
        cmocka_unit_test(doubtful_words_are_left_to_the_tree),
        cmocka_unit_test(merges_come_one_after_the_other),
        cmocka_unit_test(broken_merges_are_told),
        cmocka_unit_test(scanning_survives_lack_of_memory),
        cmocka_unit_test(pieces_are_read_in_order),
        cmocka_unit_test(odd_lists_of_pieces_are_left_to_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
