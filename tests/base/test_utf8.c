/* SPDX-License-Identifier: MIT
 * test_utf8.c - UTF-8 read, written and checked: every character, every broken form of the standard. */
#include "test.h"

#include "base/utf8.h"

static void every_character_goes_there_and_back(void **state)
{
    (void)state;
    char text[4];
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        if (cp == 0xd800) cp = 0xe000; /* surrogates are no characters */
        size_t at = 0, n = mo_utf8_put(cp, text);
        if (mo_utf8_next(text, n, &at) != (int32_t)cp || at != n) fail_msg("U+%04X", (unsigned)cp);
    }
}

static void lengths_are_those_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        uint32_t cp;
        size_t n;
    } cases[] = {
        {0, 1}, {0x7f, 1}, {0x80, 2}, {0x7ff, 2}, {0x800, 3}, {0xffff, 3}, {0x10000, 4}, {0x10ffff, 4}};
    char text[4];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(mo_utf8_put(cases[i].cp, text), cases[i].n);
}

/* Table 3-7 of the standard, for two bytes and for the first two of three and four. */
static bool may_follow(unsigned first, unsigned second)
{
    if (second < 0x80 || second > 0xbf) return false;
    if (first == 0xe0) return second >= 0xa0;
    if (first == 0xed) return second <= 0x9f;
    if (first == 0xf0) return second >= 0x90;
    if (first == 0xf4) return second <= 0x8f;
    return true;
}

static void every_pair_of_bytes_is_judged_as_the_table_says(void **state)
{
    (void)state;
    for (unsigned a = 0x80; a < 0x100; a++)
        for (unsigned b = 0; b < 0x100; b++) {
            const char text[] = {(char)a, (char)b, (char)0x80, (char)0x80};
            size_t n = a >= 0xf0 ? 4 : a >= 0xe0 ? 3 : 2, at = 0;
            bool good = a >= 0xc2 && a <= 0xf4 && may_follow(a, b);
            if ((mo_utf8_next(text, n, &at) >= 0) != good) fail_msg("%02x %02x", a, b);
            assert_int_equal(at, good ? n : 0);
            assert_int_equal(mo_utf8_valid(text, n), good);
        }
}

static void what_is_cut_short_is_broken(void **state)
{
    (void)state;
    static const char *const texts[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x88"};
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 1; n <= strlen(texts[i]); n++) {
            size_t at = 0;
            assert_int_equal(mo_utf8_next(texts[i], n, &at) >= 0, n == strlen(texts[i]));
        }
    size_t at = 0;
    assert_int_equal(mo_utf8_next("", 0, &at), -1);
}

static void the_prefix_ends_at_the_first_broken_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n, good;
    } cases[] = {{"", 0, 0}, {"abc", 3, 3}, {"a\xff", 2, 1}, {"\xc3\xa9\xc3", 3, 2}, {"a\0b\x80", 4, 3},
        {"\xed\xa0\x80", 3, 0}, {"x\xc0\xaf", 3, 1}, {"\xf4\x90\x80\x80", 4, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(mo_utf8_prefix(cases[i].text, cases[i].n), cases[i].good);
        assert_int_equal(mo_utf8_valid(cases[i].text, cases[i].n), cases[i].good == cases[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_goes_there_and_back),
        cmocka_unit_test(lengths_are_those_of_the_standard),
        cmocka_unit_test(every_pair_of_bytes_is_judged_as_the_table_says),
        cmocka_unit_test(what_is_cut_short_is_broken),
        cmocka_unit_test(the_prefix_ends_at_the_first_broken_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
