/* SPDX-License-Identifier: MIT
 * test_clean.c - texts as ftfy (without its guesses), html.unescape, split and lower leave them.
 *
 * The expected texts are those of open_clip 3.3.0 with ftfy 6.3.1; tests/parity/clean.py compares 20,000 more. */
#include "test.h"

#include "base/utf8.h"
#include "token/clean.h"
#include "token/tokenizer.h"

typedef struct cleaned {
    const char *text, *lower, *kept; /* kept: in its own case */
} cleaned;

/* clang-format off */
static const cleaned cases[] = {
    {"men\342\200\231s shoes", "men's shoes", "men's shoes"},
    {"\342\200\234quoted\342\200\235", "\"quoted\"", "\"quoted\""},
    {"\342\200\230a\342\200\231", "'a'", "'a'"},
    {"rock \342\200\231n\342\200\231 roll", "rock 'n' roll", "rock 'n' roll"},
    {"\312\274n", "'n", "'n"},
    {"\342\200\232\342\200\233\342\200\236\342\200\237", "''\"\"", "''\"\""},
    {"\357\254\201ne \357\254\202at o\357\254\203ce \357\254\206op", "fine flat office stop", "fine flat office stop"},
    {"\357\274\243\357\274\241\357\274\264\343\200\200\357\274\221", "cat 1", "CAT 1"},
    {"\357\275\266\357\276\236", "\343\202\254", "\343\202\254"},
    {"\357\277\243", "\314\204", "\314\204"},
    {"a\015\012b\015c\342\200\250d\342\200\251e\302\205f", "a b c d e\342\200\246f", "a b c d e\342\200\246f"},
    {"\033[1;31mred\033[0m", "red", "red"},
    {"\033[31", "[31", "[31"},
    {"ab\007c\177", "abc", "abc"},
    {"\357\273\277bom", "bom", "bom"},
    {"e\314\201", "\303\251", "\303\251"},
    {"\316\221\316\243 \316\221\316\243\316\221 \316\243 a\316\243.", "\316\261\317\202 \316\261\317\203\316\261 \317\203 a\317\202.", "\316\221\316\243 \316\221\316\243\316\221 \316\243 a\316\243."},
    {"\304\260stanbul", "i\314\207stanbul", "\304\260stanbul"},
    {"'\305\277 'S don'T", "'\305\277 's don't", "'\305\277 'S don'T"},
    {"<start_of_text> a <end_of_text>", "<start_of_text> a <end_of_text>", "<start_of_text> a <end_of_text>"},
    {"<|startoftext|> a <|endoftext|>", "<|startoftext|> a <|endoftext|>", "<|startoftext|> a <|endoftext|>"},
    {"<START_OF_TEXT>", "<start_of_text>", "<START_OF_TEXT>"},
    {"&lt;b&gt; <b>&eacute;", "<b> <b>\303\251", "<b> <b>\303\251"},
    {"&amp;amp;amp;lt;", "<", "<"},
    {"&#0; &#1; &#128; &#x110000; &#xd800; &#59; &#12abc; &#x; &# &", "\357\277\275 \342\202\254 \357\277\275 \357\277\275 ; abc; &#x; &# &", "\357\277\275 \342\202\254 \357\277\275 \357\277\275 ; abc; &#x; &# &"},
    {"P&EACUTE;REZ BUNDESSTRA&SZLIG;E &AMP &COPYX", "p\303\251rez bundesstrasse & \302\251x", "P\303\211REZ BUNDESSTRASSE & \302\251X"},
    {"&notit; &not &notin;", "\302\254it; \302\254 \342\210\211", "\302\254it; \302\254 \342\210\211"},
    {"\302\200\302\223\302\237", "\342\202\254\"\303\277", "\342\202\254\"\305\270"},
    {"", "", ""},
    {"   ", "", ""},
    {" a  b\011\012 c ", "a b c", "a b c"},
    {"plain text", "plain text", "plain text"},
    {"&copy &copy; &Copy; &COPY;", "\302\251 \302\251 &copy; \302\251", "\302\251 \302\251 &Copy; \302\251"},
    {"&amp;lt;", "<", "<"},
    {"a&b", "a&b", "a&b"},
    {"&", "&", "&"},
    {"&;", "&;", "&;"},
    {"&#;", "&#;", "&#;"},
    {"&#x;", "&#x;", "&#x;"},
    {"&#xe9;&#233;&#233", "\303\251\303\251\303\251", "\303\251\303\251\303\251"},
    {"&#38;lt;", "<", "<"},
    {"<i>&amp;amp;", "<i>&", "<i>&"},
    {"x\012<b>\012&eacute;", "x <b> \303\251", "x <b> \303\251"},
    {"&fjlig; &FJLIG;", "fj fj", "fj FJ"},
    {"&ThickSpace;x", "x", "x"},
    {"&nbsp;a&nbsp;", "a", "a"},
    {"&NotEqualTilde;", "\342\211\202\314\270", "\342\211\202\314\270"},
    {"&zwnj;a", "\342\200\214a", "\342\200\214a"},
    {"\341\262\200\315\205", "\341\262\200\315\205", "\341\262\200\315\205"},
    {"&#65536;", "\360\220\200\200", "\360\220\200\200"},
    {"\341\272\236\303\237", "\303\237\303\237", "\341\272\236\303\237"},
    {"A\314\212 \342\204\253", "\303\245 \303\245", "\303\205 \303\205"},
    {"\357\274\277\357\275\236\357\275\237\357\277\256", "_~\342\246\205\342\227\213", "_~\342\246\205\342\227\213"},
    {"&lang&rang;", "&lang\342\237\251", "&lang\342\237\251"},
    {"&apos;s &quot;", "'s \"", "'s \""},
    {"&ngtr;&ngt;", "\342\211\257\342\211\257", "\342\211\257\342\211\257"},
    {"&acE;", "\342\210\276\314\263", "\342\210\276\314\263"},
    {"ab&notinva;c", "ab\342\210\211c", "ab\342\210\211c"},
    {"&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;"},
};
/* clang-format on */

static void assert_cleans(const char *text, const char *want, bool lower)
{
    mo_buf out = {0};
    assert_ok(mo_clean_text(&out, text, strlen(text), lower ? MO_CLEAN_LOWER : MO_CLEAN_AS_IS));
    if (out.size != strlen(want) || memcmp(out.data, want, out.size) != 0)
        fail_msg("\"%s\" becomes \"%.*s\", not \"%s\"", text, (int)out.size, out.data, want);
    mo_buf_free(&out);
}

static void texts_are_cleaned_as_the_reference_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_cleans(cases[i].text, cases[i].lower, true);
        assert_cleans(cases[i].text, cases[i].kept, false);
    }
}

static void assert_becomes(const mo_buf *out, const char *text, const char *want)
{
    if (out->size != strlen(want) || memcmp(out->data, want, out->size) != 0)
        fail_msg("\"%s\" becomes \"%.*s\", not \"%s\"", text, (int)out->size, out->data, want);
}

/* Where open_clip's canonical form and SiglipTokenizer's differ: "_", entities, and what a final sigma looks past. */
static void canonical_texts_have_no_punctuation(void **state)
{
    (void)state;
    static const struct {
        const char *text, *open_clip, *siglip;
    } t[] = {{"Tabby_Cat, wire-haired.", "tabby cat wirehaired", "tabbycat wirehaired"},
        {"  a &amp; B\t\n", "a b", "a amp b"}, {"__init__", "init", "init"}, {"", "", ""}, {"...", "", ""},
        {"\316\221\316\243.\316\221", "\316\261\317\203\316\261", "\316\261\317\203\316\261"},
        {"\316\221\316\243!", "\316\261\317\202", "\316\261\317\202"},
        {"\342\200\234x\342\200\235 \177", "x", "\342\200\234x\342\200\235 \177"},
        {"\357\274\241\357\274\216", "a", "\357\275\201\357\274\216"}, {"\302\240a\034b", "ab", "a b"}};
    mo_buf out = {0};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        assert_ok(mo_clean_text(&out, t[i].text, strlen(t[i].text), MO_CLEAN_CANONICAL));
        assert_becomes(&out, t[i].text, t[i].open_clip);
        assert_ok(mo_clean_siglip(&out, t[i].text, strlen(t[i].text), true));
        assert_becomes(&out, t[i].text, t[i].siglip);
    }
    assert_ok(mo_clean_siglip(&out, "A_B", 3, false));
    assert_becomes(&out, "A_B", "AB");
    assert_fails(mo_clean_siglip(&out, "a\377", 2, true), MOPD_E_FORMAT, "is not UTF-8");
    mo_buf_free(&out);
}

/* Whatever is in a text, what comes of it is UTF-8, and no step goes on for ever. */
static void any_text_ends_as_utf8(void **state)
{
    (void)state;
    static const char *const parts[] = {"&", "#", ";", "x", "amp", "AMP;", "lt;", "\033[", "1;", "m", "\r",
        "\n", "<", "\302\205", "\357\254\203", "\357\277\243", "e", "\314\201", "\316\243", " ",
        "\357\274\246", "9"};
    uint32_t seed = 7;
    for (int turn = 0; turn < 2000; turn++) {
        char text[200] = "";
        for (int k = 0; k < 20; k++) {
            seed = seed * 1664525u + 1013904223u;
            strcat(text, parts[(seed >> 16) % (sizeof parts / sizeof *parts)]);
        }
        mo_buf out = {0};
        assert_ok(mo_clean_text(&out, text, strlen(text), (mo_clean_case)(turn % 3)));
        assert_true(mo_utf8_valid(out.data, out.size));
        mo_buf_free(&out);
    }
}

static void what_is_no_utf8_is_refused(void **state)
{
    (void)state;
    mo_buf out = {0};
    assert_fails(mo_clean_text(&out, "a\377", 2, MO_CLEAN_LOWER), MOPD_E_FORMAT, "is not UTF-8");
    assert_fails(mo_clean_apostrophes(&out, "a\377", 2), MOPD_E_FORMAT, "is not UTF-8");
    mo_buf_free(&out);
}

static void curly_apostrophes_become_straight(void **state)
{
    (void)state;
    static const char text[] =
        "men\342\200\231s \342\200\230a\342\200\231 \312\274n \342\200\234q\342\200\235",
                      want[] = "men's 'a' 'n \342\200\234q\342\200\235";
    mo_buf out = {0};
    assert_ok(mo_clean_apostrophes(&out, text, sizeof text - 1));
    assert_int_equal(out.size, sizeof want - 1);
    assert_memory_equal(out.data, want, out.size);
    mo_buf_free(&out);
}

static mopd_status clean_something(void *ctx)
{
    mo_buf out = {0};
    (void)ctx;
    mopd_status st = mo_clean_text(&out, "&eacute;\357\254\201\033[1mx &amp;", 21, MO_CLEAN_LOWER);
    mo_buf_free(&out);
    return st;
}

static void cleaning_survives_failing_memory(void **state)
{
    (void)state;
    test_torture(clean_something, NULL);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

static void cleanings_have_words(void **state)
{
    (void)state;
    for (int i = MO_CLEANING_TRANSFORMERS; i <= MO_CLEANING_CANONICAL_IN_OPEN_CLIP; i++) {
        mo_cleaning found;
        assert_true(mo_tokenizer_cleaning_find(&found, mo_tokenizer_cleaning_name((mo_cleaning)i)));
        assert_int_equal(found, i);
    }
    assert_false(mo_tokenizer_cleaning_find(&(mo_cleaning){0}, "ftfy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_cleaned_as_the_reference_does),
        cmocka_unit_test(canonical_texts_have_no_punctuation),
        cmocka_unit_test(any_text_ends_as_utf8),
        cmocka_unit_test(what_is_no_utf8_is_refused),
        cmocka_unit_test(curly_apostrophes_become_straight),
        cmocka_unit_test(cleaning_survives_failing_memory),
        cmocka_unit_test(cleanings_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
