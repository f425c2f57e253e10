/* SPDX-License-Identifier: MIT
 * test_pieces_files.c - tokenizer.json and spiece.model of SentencePiece's kind: parts that are known, parts that are
 * refused by name, files that do not hold together, and scores read to the last bit. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "token/tokenizer_table.h"

/* A folder with these files; NULL leaves one out. */
typedef struct files {
    const char *json, *config, *spiece;
    size_t n_spiece;
} files;

static void write_file(const char *folder, const char *name, const char *bytes, size_t n)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    if (!bytes) return;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static mopd_status open_files(mo_tokenizer **out, files f)
{
    const char *folder = test_path("folder");
    mkdir(folder, 0777);
    write_file(folder, "tokenizer.json", f.json, f.json ? strlen(f.json) : 0);
    write_file(folder, "tokenizer_config.json", f.config, f.config ? strlen(f.config) : 0);
    write_file(folder, "spiece.model", f.spiece, f.n_spiece);
    return mo_tokenizer_open(out, folder);
}

static mo_tokenizer *open_json(const char *json, const char *config)
{
    mo_tokenizer *t;
    assert_ok(open_files(&t, (files){json, config, NULL, 0}));
    return t;
}

static void assert_ids(const mo_tokenizer *t, const char *text, size_t n, const uint32_t *want)
{
    mo_tokens got = {0};
    assert_ok(mo_tokenizer_encode(t, text, strlen(text), 0, false, &got));
    bool same = got.n == n;
    for (size_t i = 0; i < n && same; i++) same = got.id[i] == want[i];
    if (!same) fail_msg("\"%s\": %zu ids, the first %u", text, got.n, got.n ? got.id[0] : 0);
    mo_mem_free(got.id);
}
#define IDS(t, text, ...)                                                                                    \
    assert_ids(t, text, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (const uint32_t[]){__VA_ARGS__})

#define LOW "\xe2\x96\x81"
#define EOS "{\"eos_token\":\"</s>\"}"
#define VOCAB                                                                                                \
    "[[\"<pad>\",0.0],[\"</s>\",0.0],[\"<unk>\",0.0],[\"" LOW "\",-2.5],[\"" LOW                             \
    "a\",-1.0],[\"a\",-3],[\"b\",-3.0],[\"ab\",-5.5],[\"" LOW "ab\",-4.5],[\"\xc3\xa9\",-2.0]]"
#define UNIGRAM(more) "{" more "\"model\":{\"type\":\"Unigram\",\"unk_id\":2,\"vocab\":" VOCAB "}}"
#define METASPACE "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"" LOW "\"},"
#define WORDS                                                                                                \
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},{\"type\":"  \
    "\"Metaspace\",\"replacement\":\"" LOW "\",\"add_prefix_space\":true,\"prepend_scheme\":\"always\"}]},"

static void the_largest_sum_wins(void **state)
{
    (void)state;
    mo_tokenizer *t = open_json(UNIGRAM(WORDS), EOS);
    IDS(t, "a", 4, 1);
    IDS(t, "ab", 4, 6, 1);  /* -1 - 3 before -4.5 */
    IDS(t, "aab", 4, 7, 1); /* -1 - 5.5 before -1 - 3 - 3 */
    IDS(t, "b\t a", 3, 6, 4, 1);
    IDS(t, "xyz", 3, 2, 1); /* unknowns in a row are one */
    IDS(t, "xaz", 3, 2, 5, 2, 1);
    IDS(t, "", 1);
    mo_tokenizer_free(t);
}

static void a_word_is_what_the_file_says(void **state)
{
    (void)state;
    mo_tokenizer *t = open_json(UNIGRAM(METASPACE), EOS);
    IDS(t, "a  b", 4, 3, 3, 6, 1);
    mo_tokenizer_free(t);
    t = open_json(
        UNIGRAM("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"never\",\"split\":false},"),
        EOS);
    IDS(t, "a a", 5, 4, 1);
    mo_tokenizer_free(t);
    t = open_json(UNIGRAM("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"add_prefix_space\":false},"), EOS);
    IDS(t, "a a", 5, 4, 1);
    mo_tokenizer_free(t);
    t = open_json(UNIGRAM("\"pre_tokenizer\":null,"), EOS);
    IDS(t, "a a", 5, 2, 5, 1);
    mo_tokenizer_free(t);
    t = open_json(UNIGRAM(""), "{\"tokenizer_class\":\"T5TokenizerFast\"}");
    IDS(t, "a b", 4, 3, 6, 1);
    mo_tokenizer_free(t);
}

#define STEPS(list) "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" list "]},"
#define REPLACE(pattern, to) "{\"type\":\"Replace\",\"pattern\":{" pattern "},\"content\":\"" to "\"}"

static void steps_are_taken_in_order(void **state)
{
    (void)state;
    mo_tokenizer *t = open_json(UNIGRAM("\"normalizer\":{\"type\":\"Lowercase\"}," WORDS), EOS);
    IDS(t, "A \xc3\x89", 4, 3, 9, 1);
    mo_tokenizer_free(t);
    t = open_json(UNIGRAM(STEPS("{\"type\":\"Strip\"}," REPLACE("\"Regex\":\" {2,}\"", " ") "," REPLACE(
                      "\"String\":\" \"", LOW))),
        EOS);
    IDS(t, " \na   a ", 5, 4, 1);
    mo_tokenizer_free(t);
    t = open_json(
        UNIGRAM(STEPS("{\"type\":\"Strip\",\"strip_left\":false}," REPLACE("\"Regex\":\" {2,}\"", LOW))),
        EOS);
    IDS(t, "  a  ", 4, 1);
    mo_tokenizer_free(t);
}

/* A map of null is none; a class with a name too long is no known one; and unigrams have bytes, too. */
static void rare_forms_are_read(void **state)
{
    (void)state;
    mo_tokenizer *t =
        open_json(UNIGRAM("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":null},"),
            "{\"eos_token\":\"</"
            "s>\",\"tokenizer_class\":"
            "\"ATokenizerWithANameOfMoreThanSixtyThreeLettersWhichNobodyEverGaveToAny\"}");
    IDS(t, "a", 5, 1);
    mo_tokenizer_free(t);
    t = open_json("{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":true,\"vocab\":[[\"<unk>"
                  "\",0],[\"</s>\",0],"
                  "[\"a\",-1],[\"<0xC3>\",-9],[\"<0xA9>\",-9]]}}",
        EOS);
    IDS(t,
        "a\xc3\xa9"
        "a\xc3\xaa",
        2, 3, 4, 2, 0, 1);
    mo_tokenizer_free(t);
}

static void start_and_end_come_from_the_template(void **state)
{
    (void)state;
    mo_tokenizer *t = open_json(UNIGRAM("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{"
                                        "\"SpecialToken\":{\"id\":\"<pad>\"}},"
                                        "{\"Sequence\":{\"id\":\"A\"}},{\"SpecialToken\":{\"id\":\"</"
                                        "s>\"}}],\"special_tokens\":{\"<pad>\":{"
                                        "\"ids\":[0]},\"</s>\":{\"ids\":[1]}}}," WORDS),
        "{\"eos_token\":\"<unk>\"}");
    IDS(t, "a", 0, 4, 1);
    assert_int_equal(mo_tokenizer_pad(t), MO_TOKEN_NONE); /* nobody names one */
    mo_tokenizer_free(t);
    t = open_json(UNIGRAM(""),
        "{\"tokenizer_class\":\"XLMRobertaTokenizer\",\"bos_token\":\"<pad>\",\"pad_token\":\"<unk>\"}");
    IDS(t, "a", 0, 4, 1);
    assert_int_equal(mo_tokenizer_pad(t), 2);
    mo_tokenizer_free(t);
}

#define PAIRS                                                                                                \
    "\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"unk_token\":\"<unk>\",\"vocab\":{\"<pad>\":0,\"<"  \
    "eos>\":1,"                                                                                              \
    "\"<bos>\":2,\"<unk>\":3,\"a\":4,\"b\":5,\"ab\":6,\"" LOW "\":7,\"" LOW                                  \
    "ab\":8,\"<0xC3>\":9,\"<0xA9>\":10},"                                                                    \
    "\"merges\":[[\"a\",\"b\"],\"" LOW " ab\"]"

static void pairs_join_characters_and_bytes(void **state)
{
    (void)state;
    mo_tokenizer *t =
        open_json("{" PAIRS "}}", "{\"tokenizer_class\":\"GemmaTokenizer\",\"do_lower_case\":true}");
    IDS(t, "AB ab", 6, 8, 1);
    IDS(t, "\xc3\x89", 9, 10, 1); /* the lower one has bytes */
    IDS(t, "xy a", 3, 7, 4, 1);   /* fused */
    IDS(t, "<eos>a", 1, 4, 1);
    mo_tokenizer_free(t);
    t = open_json("{" PAIRS "}}", "{\"tokenizer_class\":\"GemmaTokenizer\"}");
    IDS(t, "A", 3, 1);
    mo_tokenizer_free(t);
    t = open_json("{" PAIRS "}}", "{\"tokenizer_class\":\"Siglip2Tokenizer\",\"do_lower_case\":false}");
    IDS(t, "A", 4, 1);
    mo_tokenizer_free(t);
    t = open_json("{\"normalizer\":{\"type\":\"Lowercase\"}," PAIRS "}}",
        "{\"tokenizer_class\":\"GemmaTokenizer\",\"add_bos_token\":true}");
    IDS(t, "A", 2, 4, 1);
    mo_tokenizer_free(t);
    t = open_json("{" PAIRS ",\"fuse_unk\":false}}", "{\"eos_token\":\"<eos>\"}");
    IDS(t, "xyab", 3, 3, 6, 1);
    mo_tokenizer_free(t);
    t = open_json("{" PAIRS ",\"ignore_merges\":true}}", "{\"eos_token\":\"<eos>\"}");
    IDS(t, "<unk>", 3, 1);
    IDS(t, LOW "ab", 8, 1);
    mo_tokenizer_free(t);
}

/* Scores as the nearest double, by the quick reader as by the tree. */
static void scores_are_read_to_the_last_bit(void **state)
{
    (void)state;
    static const char *const number[] = {"-3.4635426998138428", "0.1", "-12.345678901234567", "-0.0",
        "9007199254740993", "4503599627370497.5", "0.000000000000000000000000001", "-8.5",
        "1.7976931348623157", "9999999999999999999", "2.00000000000000044408", "1e3", "-1.5E-7",
        "0.12345678901234567890123456789"};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
        char json[300];
        snprintf(json, sizeof json,
            "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"</s>\",0],[\"a\",%s]]}}", number[i]);
        mo_tokenizer *t = open_json(json, EOS);
        if (t->pieces.score[1] != strtod(number[i], NULL))
            fail_msg("%s is %.17g", number[i], t->pieces.score[1]);
        mo_tokenizer_free(t);
    }
}

#define LOWER "{\"type\":\"Lowercase\"}"
#define LOWER4 LOWER "," LOWER "," LOWER "," LOWER
#define MAP "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAAA=\"}" /* one unit, no rule */
#define TOKEN "{\"SpecialToken\":{\"id\":\"</s>\"}}"
#define TEMPLATE(single, ids)                                                                                \
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[" single                                \
    "],\"special_tokens\":{\"</s>\":{\"ids\":" ids "}}},"

static void bad_json_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *json, *config;
        mopd_status st;
        const char *words;
    } bad[] = {
        {UNIGRAM(""), NULL, MOPD_E_FORMAT,
            "no end token: tokenizer_config.json, which names it, is not there"},
        {UNIGRAM("\"normalizer\":{\"type\":\"NFKC\"},"), EOS, MOPD_E_UNSUPPORTED,
            "the normalizer \"NFKC\" is not known"},
        {UNIGRAM(STEPS(REPLACE("\"Regex\":\"x+\"", " "))), EOS, MOPD_E_UNSUPPORTED, "Replace of \"x+\""},
        {UNIGRAM("\"normalizer\":{\"type\":\"Precompiled\"},"), EOS, MOPD_E_FORMAT, "precompiled_charsmap"},
        {UNIGRAM("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAA\"},"), EOS,
            MOPD_E_FORMAT, "3 letters, no multiple of 4"},
        {UNIGRAM("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"A-AA\"},"), EOS,
            MOPD_E_FORMAT, "precompiled_charsmap: letter 1"},
        {UNIGRAM("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAAAA==\"},"), EOS,
            MOPD_E_FORMAT, "with a trie of 0"},
        {UNIGRAM("\"pre_tokenizer\":{\"type\":\"ByteLevel\"},"), EOS, MOPD_E_UNSUPPORTED,
            "pre_tokenizer \"ByteLevel\""},
        {UNIGRAM("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\" \"}},"), EOS,
            MOPD_E_UNSUPPORTED, "Split at \" \""},
        {UNIGRAM("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"first\"},"), EOS,
            MOPD_E_UNSUPPORTED, "prepend_scheme \"first\""},
        {UNIGRAM("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"},"), EOS,
            MOPD_E_UNSUPPORTED, "replacement \"_\""},
        {UNIGRAM("\"post_processor\":{\"type\":\"ByteLevel\"},"), EOS, MOPD_E_UNSUPPORTED,
            "post_processor \"ByteLevel\""},
        {UNIGRAM("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[7]},"), EOS, MOPD_E_FORMAT,
            "neither a token nor a sequence"},
        {UNIGRAM("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
                 "\"x\"}}]},"),
            EOS, MOPD_E_FORMAT, "\"x\" has not one id"},
        {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":9,\"vocab\":[[\"</s>\",0]]}}", EOS, MOPD_E_FORMAT,
            "unk_id is 9 of 1"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0],[\"a\",1]]}}", EOS, MOPD_E_FORMAT,
            "token 1 \"a\" was there before"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}}", EOS, MOPD_E_FORMAT, "token 0 is not"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",1e300]]}}", EOS, MOPD_E_FORMAT,
            "the score of token 0"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":{}}}", EOS, MOPD_E_FORMAT, "vocab"},
        {"{" PAIRS ",\"end_of_word_suffix\":\"@@\"}}", EOS, MOPD_E_UNSUPPORTED, "words written with \"@@\""},
        {"{" PAIRS ",\"continuing_subword_prefix\":\"##\"}}", EOS, MOPD_E_UNSUPPORTED, "written with \"##\""},
        {"{" PAIRS ",\"end_of_word_suffix\":7}}", EOS, MOPD_E_FORMAT, "end_of_word_suffix"},
        {"{" PAIRS ",\"continuing_subword_prefix\":7}}", EOS, MOPD_E_FORMAT, "continuing_subword_prefix"},
        {"{" PAIRS ",\"fuse_unk\":7}}", EOS, MOPD_E_FORMAT, "fuse_unk"},
        {"{" PAIRS ",\"ignore_merges\":7}}", EOS, MOPD_E_FORMAT, "ignore_merges"},
        {"{" PAIRS "}}", "{\"tokenizer_class\":\"GemmaTokenizer\",\"do_lower_case\":7}", MOPD_E_FORMAT,
            "do_lower_case"},
        {"{" PAIRS "}}", "{\"tokenizer_class\":\"GemmaTokenizer\",\"add_bos_token\":7}", MOPD_E_FORMAT,
            "add_bos_token"},
        {"{" PAIRS "}}", "[]", MOPD_E_FORMAT, "tokenizer_config.json: not an object"},
        {"{" PAIRS "}}", "{", MOPD_E_FORMAT, "tokenizer_config.json: line"},
        {UNIGRAM("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"split\":7},"), EOS, MOPD_E_FORMAT, "split"},
        {UNIGRAM("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"add_prefix_space\":7},"), EOS, MOPD_E_FORMAT,
            "add_prefix_space"},
        {UNIGRAM("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":7},"), EOS, MOPD_E_FORMAT,
            "replacement"},
        {UNIGRAM("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":7},"), EOS, MOPD_E_FORMAT,
            "prepend_scheme"},
        {UNIGRAM(
             "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Metaspace\"},{\"type\":"
             "\"WhitespaceSplit\"}]},"),
            EOS, MOPD_E_UNSUPPORTED, "pre_tokenizer \"WhitespaceSplit\""},
        {UNIGRAM(STEPS("{\"type\":\"Strip\",\"strip_left\":7}")), EOS, MOPD_E_FORMAT, "strip_left"},
        {UNIGRAM(STEPS("{\"type\":\"Strip\",\"strip_right\":7}")), EOS, MOPD_E_FORMAT, "strip_right"},
        {UNIGRAM(STEPS(REPLACE("\"Regex\":\" {2,}\"", "x"))), EOS, MOPD_E_UNSUPPORTED,
            "Replace of \" {2,}\""},
        {UNIGRAM(STEPS(REPLACE("\"String\":\" \"", "x"))), EOS, MOPD_E_UNSUPPORTED, "Replace of \" \""},
        {UNIGRAM(STEPS("7")), EOS, MOPD_E_UNSUPPORTED, "the normalizer \"\""},
        {UNIGRAM(STEPS(LOWER4 "," LOWER4 "," LOWER4 "," LOWER4 "," LOWER)), EOS, MOPD_E_UNSUPPORTED,
            "more than 16 steps"},
        {UNIGRAM(STEPS(MAP "," MAP)), EOS, MOPD_E_UNSUPPORTED, "two Precompiled normalizers"},
        {UNIGRAM("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAA*\"},"), EOS,
            MOPD_E_FORMAT, "precompiled_charsmap: letter 3"},
        {UNIGRAM(TEMPLATE(TOKEN "," TOKEN ",{\"Sequence\":{}}", "[1]")), EOS, MOPD_E_UNSUPPORTED,
            "two tokens before a text"},
        {UNIGRAM(TEMPLATE("{\"Sequence\":{}}," TOKEN "," TOKEN, "[1]")), EOS, MOPD_E_UNSUPPORTED,
            "two tokens behind a text"},
        {UNIGRAM(TEMPLATE("{\"Sequence\":{}}," TOKEN, "[1,2]")), EOS, MOPD_E_FORMAT, "has not one id"},
        {UNIGRAM(TEMPLATE("{\"Sequence\":{}}," TOKEN, "[\"1\"]")), EOS, MOPD_E_FORMAT, "has not one id"},
        {UNIGRAM(TEMPLATE("{\"Sequence\":{}}," TOKEN, "[-1]")), EOS, MOPD_E_FORMAT, "has not one id"},
        {UNIGRAM(TEMPLATE("{\"Sequence\":{}}," TOKEN, "[4000000]")), EOS, MOPD_E_FORMAT, "has not one id"},
        {UNIGRAM(TEMPLATE("{\"Sequence\":{}}," TOKEN, "[10]")), EOS, MOPD_E_FORMAT,
            "the id of a special token is beyond 10"},
        {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":-5,\"vocab\":[[\"</s>\",0]]}}", EOS, MOPD_E_FORMAT,
            "unk_id is -5"},
        {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":\"0\",\"vocab\":[[\"</s>\",0]]}}", EOS, MOPD_E_FORMAT,
            "unk_id"},
        {"{\"model\":{\"type\":\"Unigram\",\"byte_fallback\":7,\"vocab\":[[\"</s>\",0]]}}", EOS,
            MOPD_E_FORMAT, "byte_fallback"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1e300]]}}", EOS, MOPD_E_FORMAT,
            "the score of token 0"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[1,1]]}}", EOS, MOPD_E_FORMAT, "token 0 is not"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",\"1\"]]}}", EOS, MOPD_E_FORMAT,
            "token 0 is not"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mo_tokenizer *t = (mo_tokenizer *)1;
        assert_fails(open_files(&t, (files){bad[i].json, bad[i].config, NULL, 0}), bad[i].st, bad[i].words);
        assert_null(t);
    }
}

/* A tokenizer.json with n added tokens, or a configuration with n more. */
static void write_added(mo_buf *out, size_t n, bool in_config)
{
    assert_ok(mo_buf_adds(out, in_config ? "{\"eos_token\":\"</s>\",\"extra_special_tokens\":[\"\"" : "{"));
    if (!in_config) assert_ok(mo_buf_adds(out, "\"added_tokens\":["));
    for (size_t i = 0; i < n; i++)
        assert_ok(in_config
                      ? mo_buf_addf(out, ",\"<%zu>\"", i)
                      : mo_buf_addf(out, "%s{\"id\":%zu,\"content\":\"<%zu>\"}", i ? "," : "", 10 + i, i));
    assert_ok(mo_buf_adds(out,
        in_config ? "]}" : "]," WORDS "\"model\":{\"type\":\"Unigram\",\"unk_id\":2,\"vocab\":" VOCAB "}}"));
    assert_ok(mo_buf_add(out, "", 1));
}

/* None is looked for among all others: opening takes a moment with thousands of them. */
static void many_added_tokens_are_read(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        mo_buf json = {0}, config = {0};
        mo_tokenizer *t = NULL;
        write_added(&json, k == 1 ? 20000 : k == 2 ? 0 : 100, false);
        write_added(&config, k == 2 ? 20000 : k == 1 ? 0 : 100, true);
        const files f = {json.data, config.data, NULL, 0};
        assert_ok(open_files(&t, f));
        IDS(t, "a<7>a", 4, 17, 4, 1);
        if (k) IDS(t, "<19999>a<199990>", 20009, 4, 2, 1);
        mo_tokenizer_free(t);
        mo_buf_free(&json);
        mo_buf_free(&config);
    }
}

/* Without an unknown token a character that no piece covers is named. */
static void a_character_without_piece_is_named(void **state)
{
    (void)state;
    mo_tokens ids = {0};
    mo_tokenizer *t =
        open_json("{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"</s>\",0],[\"a\",-1]]}}", EOS);
    IDS(t, "aa", 1, 1, 0);
    assert_fails(mo_tokenizer_raw(t, "a\xc3\xa9", 3, &ids), MOPD_E_FORMAT, "no piece for \"\xc3\xa9\"");
    assert_int_equal(ids.n, 0);
    mo_tokenizer_free(t);
    t = open_json(
        "{\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{\"</s>\":0,\"a\":1},\"merges\":[]}}",
        EOS);
    assert_fails(mo_tokenizer_raw(t, "x", 1, &ids), MOPD_E_FORMAT, "no token for \"x\"");
    mo_tokenizer_free(t);
    mo_mem_free(ids.id);
}

/* ---- spiece.model ---- */

/* Appends a field of kind 2, whose length is below 128. */
static void add_message(mo_buf *out, char number, const void *bytes, size_t n)
{
    const char head[2] = {(char)(number << 3 | 2), (char)n};
    assert_ok(mo_buf_add(out, head, 2));
    assert_ok(mo_buf_add(out, bytes, n));
}

static void add_piece(mo_buf *out, const char *text, float score, char type)
{
    mo_buf piece = {0};
    add_message(&piece, 1, text, strlen(text));
    assert_ok(mo_buf_add(&piece, "\x15", 1));
    assert_ok(mo_buf_add(&piece, &score, 4));
    assert_ok(mo_buf_add(&piece, (const char[]){0x18, type}, 2));
    add_message(out, 1, piece.data, piece.size);
    mo_buf_free(&piece);
}

/* <pad>, </s>, <unk>, then pieces. */
static mo_buf small_spiece(void)
{
    mo_buf out = {0};
    add_piece(&out, "<pad>", 0, 3);
    add_piece(&out, "</s>", 0, 3);
    add_piece(&out, "<unk>", 0, 2);
    add_piece(&out, LOW, -2, 1);
    add_piece(&out, LOW "cat", -4, 1);
    add_piece(&out, "s", -3, 1);
    add_piece(&out, LOW "cats", -1, 5); /* unused */
    add_piece(&out, "unk", -9, 1);
    return out;
}

static mopd_status open_spiece(mo_tokenizer **out, const mo_buf *model, const char *config)
{
    return open_files(out, (files){NULL, config, model->data, model->size});
}

static void spiece_is_read_as_siglip_does(void **state)
{
    (void)state;
    mo_buf model = small_spiece();
    mo_tokenizer *t;
    assert_ok(open_spiece(&t, &model, NULL));
    assert_int_equal(mo_tokenizer_end(t), 1);
    assert_int_equal(mo_tokenizer_pad(t), 1);
    assert_false(mo_tokenizer_has_start(t));
    IDS(t, "CAT's", 4, 5, 1); /* lower, without punctuation; the unused piece is not found */
    IDS(t, " cat\tcat ", 3, 4, 4, 1);
    IDS(t, "cat</s>", 4, 1); /* an end that is there is not written again */
    IDS(t, "</s>s", 1, 5, 1);
    IDS(t, "</s>cat", 1); /* unknowns join the unknown token's own text, and go with it */
    IDS(t, "", 1);
    mo_tokenizer_free(t);
    assert_ok(open_spiece(&t, &model, "{\"do_lower_case\":false,\"legacy\":false}"));
    IDS(t, "cat Cat", 4, 3, 2, 1);
    mo_tokenizer_free(t);
    mo_buf_free(&model);
}

/* A spiece.model comes before tokenizer.json for SigLIP's class alone. */
static void the_class_chooses_the_file(void **state)
{
    (void)state;
    mo_buf model = small_spiece();
    mo_tokenizer *t;
    assert_ok(open_files(&t, (files){UNIGRAM(WORDS), EOS, model.data, model.size}));
    IDS(t, "ab", 4, 6, 1);
    mo_tokenizer_free(t);
    assert_ok(open_files(
        &t, (files){UNIGRAM(WORDS), "{\"tokenizer_class\":\"SiglipTokenizer\"}", model.data, model.size}));
    IDS(t, "cats", 4, 5, 1);
    mo_tokenizer_free(t);
    mo_buf_free(&model);
}

static void bad_spieces_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        size_t n;
        const char *config;
        mopd_status st;
        const char *words;
    } bad[] = {
        {"\x12\x02\x18\x02", 4, NULL, MOPD_E_UNSUPPORTED, "a model of kind 2 (BPE: tokenizer.json is wanted"},
        {"\x12\x02\x18\x04", 4, NULL, MOPD_E_UNSUPPORTED, "a model of kind 4; unigram"},
        {"\x12\x03\xc0\x01\x01", 5, NULL, MOPD_E_UNSUPPORTED, "treat_whitespace_as_suffix is set"},
        {"\x1a\x02\x28\x00", 4, NULL, MOPD_E_UNSUPPORTED, "escape_whitespaces is not set"},
        {"\x1a\x06\x12\x04\xff\xff\xff\xff", 8, NULL, MOPD_E_FORMAT, "a map of characters"},
        {"\x0a\x03\x0a\x01s", 5, NULL, MOPD_E_FORMAT, "piece 8 \"s\" was there before"},
        {"\x0a\x05\x0a\x01q\x18\x04", 7, NULL, MOPD_E_UNSUPPORTED, "piece 8 \"q\" is defined by a user"},
        {"\x0a\x08\x0a\x01q\x15\x00\x00\xc0\x7f", 10, NULL, MOPD_E_FORMAT, "the score of piece 8"},
        {"\x0a\x02\x08\x01", 4, NULL, MOPD_E_FORMAT, "field 1 is of kind 0"},
        {"\x0a\x7f", 2, NULL, MOPD_E_FORMAT, "a length reaches beyond the message"},
        {"\x08\x01", 2, NULL, MOPD_E_FORMAT, "field 1 is of kind 0, not a message"},
        {"\x12\x02\x1a\x00", 4, NULL, MOPD_E_FORMAT, "field 3 is of kind 2, not a number"},
        {"\x1a\x02\x10\x01", 4, NULL, MOPD_E_FORMAT, "field 2 is of kind 0, not a message"},
        {"\x1a\x01\x80", 3, NULL, MOPD_E_FORMAT, "a key does not end"},
        {"\x12\x01\x80", 3, NULL, MOPD_E_FORMAT, "a key does not end"},
        {"\x10\x01", 2, NULL, MOPD_E_FORMAT, "field 2 is of kind 0, not a message"},
        {"\x0a\x02\x10\x01", 4, NULL, MOPD_E_FORMAT, "field 2 is of kind 0, not a float"},
        {"\x0a\x02\x1a\x00", 4, NULL, MOPD_E_FORMAT, "field 3 is of kind 2, not a number"},
        {"\x0a\x01\x80", 3, NULL, MOPD_E_FORMAT, "a key does not end"},
        {"", 0, "{\"do_lower_case\":7}", MOPD_E_FORMAT, "do_lower_case"},
        {"", 0, "{\"legacy\":7}", MOPD_E_FORMAT, "legacy"},
        {"", 0, "{\"unk_token\":null}", MOPD_E_UNSUPPORTED, "the unknown token \"\" is not"},
        {"", 0, "{\"unk_token\":\"<pad>\"}", MOPD_E_UNSUPPORTED, "\"<pad>\" is not the unknown piece"},
        {"", 0, "{\"eos_token\":null}", MOPD_E_FORMAT, "no end token"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mo_buf model = small_spiece();
        mo_tokenizer *t = (mo_tokenizer *)1;
        assert_ok(mo_buf_add(&model, bad[i].more, bad[i].n));
        assert_fails(open_spiece(&t, &model, bad[i].config), bad[i].st, bad[i].words);
        assert_null(t);
        mo_buf_free(&model);
    }
    mo_tokenizer *t;
    assert_fails(open_files(&t, (files){NULL, NULL, "", 0}), MOPD_E_FORMAT, "0 pieces");
    mo_buf none = {0};
    add_piece(&none, "a", 0, 1);
    assert_fails(open_spiece(&t, &none, NULL), MOPD_E_FORMAT, "no piece is the unknown one");
    mo_buf_free(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_sum_wins),
        cmocka_unit_test(a_word_is_what_the_file_says),
        cmocka_unit_test(steps_are_taken_in_order),
        cmocka_unit_test(rare_forms_are_read),
        cmocka_unit_test(start_and_end_come_from_the_template),
        cmocka_unit_test(pairs_join_characters_and_bytes),
        cmocka_unit_test(scores_are_read_to_the_last_bit),
        cmocka_unit_test(bad_json_is_refused_by_name),
        cmocka_unit_test(many_added_tokens_are_read),
        cmocka_unit_test(a_character_without_piece_is_named),
        cmocka_unit_test(spiece_is_read_as_siglip_does),
        cmocka_unit_test(the_class_chooses_the_file),
        cmocka_unit_test(bad_spieces_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
