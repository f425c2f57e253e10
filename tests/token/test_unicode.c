/* SPDX-License-Identifier: MIT
 * test_unicode.c - UTF-8 as Unicode defines it, and the three Unicode versions of the reference. */
#include "test.h"

#include "token/unicode.h"
#include "base/mem.h"
#include "base/utf8.h"

static void assert_nfc(const char *text, const char *want)
{
    mo_unicode_cps cps = {0};
    char out[256];
    size_t n = 0;
    assert_ok(mo_unicode_nfc(text, strlen(text), &cps));
    for (size_t i = 0; i < cps.n; i++) n += mo_utf8_put(cps.cp[i], out + n);
    out[n] = 0;
    assert_string_equal(out, want);
    mo_mem_free(cps.cp);
}

static void every_code_point_survives_utf8(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        if (cp >= 0xd800 && cp < 0xe000) continue;
        char text[4];
        size_t at = 0, n = mo_utf8_put(cp, text);
        assert_int_equal(mo_utf8_next(text, n, &at), cp);
        assert_int_equal(at, n);
        for (size_t cut = 1; cut < n; cut++) {
            at = 0;
            assert_int_equal(mo_utf8_next(text, cut, &at), -1);
            assert_int_equal(at, 0);
        }
    }
}

static void broken_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
        "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xf0\x9f\x98",
        "\xf0\x9f\x41\x80"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        size_t at = 0;
        mo_unicode_cps cps = {0};
        assert_int_equal(mo_utf8_next(broken[i], strlen(broken[i]), &at), -1);
        assert_int_equal(mo_unicode_nfc(broken[i], strlen(broken[i]), &cps), MOPD_E_FORMAT);
        mo_mem_free(cps.cp);
    }
}

static void nfc_composes_and_orders(void **state)
{
    (void)state;
    assert_nfc("e\u0301", "\u00e9");
    assert_nfc("q\u0307\u0323", "q\u0323\u0307");
    assert_nfc("\u212b\u2126", "\u00c5\u03a9");
    assert_nfc("\u1112\u1161\u11ab", "\ud55c");
    assert_nfc("\u0958", "\u0915\u093c"); /* excluded from composition */
    assert_nfc("a\u0300\u0301", "\u00e0\u0301");
    assert_nfc("\u0301", "\u0301");
    assert_nfc("\ub05d\u11a7", "\ub05d\u11a7"); /* one below the final consonants: utf8proc 2.8 drops it */
    assert_nfc("\u1102\u116e\u11a7\u11a8", "\ub204\u11a7\u11a8");
    assert_nfc("", "");
}

static void nfc_is_of_unicode_9(void **state)
{
    (void)state;
    assert_nfc("q\u0301\u07fd", "q\u0301\u07fd"); /* U+07FD came with 11: no mark to the reference */
    assert_nfc("q\u0301\u0316", "q\u0316\u0301");
    assert_nfc("\U00011935\U00011930", "\U00011935\U00011930"); /* a composition of 13 */
    assert_nfc("a\u0898\u0301", "a\u0898\u0301");
    assert_nfc("a\u0301\u0898e\u0301", "\u00e1\u0898\u00e9");
}

static void nfc_orders_many_marks(void **state)
{
    (void)state;
    enum { N = 20000 };
    char *text = malloc(1 + 4 * N);
    size_t n = 0;
    text[n++] = 'q';
    for (int i = 0; i < N; i++) n += mo_utf8_put(i % 2 ? 0x323 : 0x301, text + n);
    mo_unicode_cps cps = {0};
    assert_ok(mo_unicode_nfc(text, n, &cps));
    assert_int_equal(cps.n, N + 1);
    for (size_t i = 1; i <= N; i++) assert_int_equal(cps.cp[i], i <= N / 2 ? 0x323 : 0x301);
    mo_mem_free(cps.cp);
    free(text);
}

static void classes_are_of_unicode_16(void **state)
{
    (void)state;
    static const struct {
        uint32_t cp;
        mo_uclass class;
    } t[] = {{'a', MO_U_LETTER}, {'Z', MO_U_LETTER}, {'5', MO_U_NUMBER}, {'_', MO_U_OTHER}, {' ', MO_U_SPACE},
        {'\t', MO_U_SPACE}, {0x1c, MO_U_OTHER}, {0x1f, MO_U_OTHER}, {0x85, MO_U_SPACE}, {0xa0, MO_U_SPACE},
        {0x180e, MO_U_OTHER}, {0x200b, MO_U_OTHER}, {0x2028, MO_U_SPACE}, {0x3000, MO_U_SPACE},
        {0xbd, MO_U_NUMBER}, {0x2167, MO_U_NUMBER}, {0x301, MO_U_OTHER}, {0x6f22, MO_U_LETTER},
        {0x1f600, MO_U_OTHER}, {0x1c89, MO_U_LETTER}, {0x10d40, MO_U_NUMBER}, {0x2ebf0, MO_U_LETTER},
        {0xa7ce, MO_U_OTHER}, {0x323b0, MO_U_OTHER}, {0xe000, MO_U_OTHER}, {0x10ffff, MO_U_OTHER}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (mo_unicode_class(t[i].cp) != t[i].class) fail_msg("U+%04X", (unsigned)t[i].cp);
    size_t n[4] = {0}; /* what Oniguruma counts over all code points */
    for (uint32_t cp = 0; cp < 0x110000; cp++)
        if (cp < 0xd800 || cp >= 0xe000) n[mo_unicode_class(cp)]++;
    assert_int_equal(n[MO_U_LETTER], 141028);
    assert_int_equal(n[MO_U_NUMBER], 1911);
    assert_int_equal(n[MO_U_SPACE], 25);
}

static void lower_case_is_of_unicode_17(void **state)
{
    (void)state;
    static const uint32_t t[][2] = {{'A', 'a'}, {'[', '['}, {'@', '@'}, {0xc9, 0xe9}, {0x3a3, 0x3c3},
        {0x1c5, 0x1c6}, {0x1e9e, 0xdf}, {0x212a, 'k'}, {0x10400, 0x10428}, {0x2160, 0x2170}, {0x24b6, 0x24d0},
        {0x1c89, 0x1c8a}, {0xa7dc, 0x19b}, {0x10d65, 0x10d85}, {0x16ea0, 0x16ebb}, {0x13a0, 0xab70},
        {0xdf, 0xdf}};
    uint32_t out[2];
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        assert_int_equal(mo_unicode_lower(t[i][0], out), 1);
        assert_int_equal(out[0], t[i][1]);
    }
    assert_int_equal(mo_unicode_lower(0x130, out), 2);
    assert_int_equal(out[0], 'i');
    assert_int_equal(out[1], 0x307);
    size_t n = 0; /* Rust changes as many */
    for (uint32_t cp = 0; cp < 0x110000; cp++) n += mo_unicode_lower(cp, out) == 2 || out[0] != cp;
    assert_int_equal(n, 1488);
}

static mopd_status nfc_once(void *text)
{
    mo_unicode_cps cps = {0};
    mopd_status st = mo_unicode_nfc(text, strlen(text), &cps);
    mo_mem_free(cps.cp);
    return st;
}

static void nfc_survives_lack_of_memory(void **state)
{
    (void)state;
    test_torture(
        nfc_once, "\u0390\u0390\u0390\u0390 q\u0301\u0323 \u07fd\u0390\u0390\u0390\u0390\u0390\u0390");
}

static void clusters_are_what_one_sees_as_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } t[] = {{"ab", 1}, {"e\xcc\x81x", 3}, {"\r\nx", 2}, {"\n\r", 1}, {"\xea\xb0\x80\xe1\x86\xa8x", 6},
        {"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9x", 11}, {"\xcc\x81x", 2},
        {"\xe0\xb8\x81\xe0\xb8\xb3x", 6}, {"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa\xf0\x9f\x87\xa9", 8},
        {"\xff", 1}, {"a\xff", 1}, {"", 0}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_int_equal(mo_unicode_cluster(t[i].text, strlen(t[i].text)), t[i].n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_survives_utf8),
        cmocka_unit_test(broken_utf8_is_refused),
        cmocka_unit_test(nfc_composes_and_orders),
        cmocka_unit_test(nfc_is_of_unicode_9),
        cmocka_unit_test(nfc_orders_many_marks),
        cmocka_unit_test(classes_are_of_unicode_16),
        cmocka_unit_test(lower_case_is_of_unicode_17),
        cmocka_unit_test(nfc_survives_lack_of_memory),
        cmocka_unit_test(clusters_are_what_one_sees_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
