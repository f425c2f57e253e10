/* SPDX-License-Identifier: MIT
 * test_hash.c - SHA-256 of the standard, and the mix for tables. */
#include "test.h"

#include "base/hash.h"
#include "base/sha256.h"

static void hash_in_pieces(char hex[65], const char *text, size_t n, size_t first)
{
    mo_sha256 s;
    mo_sha256_init(&s);
    mo_sha256_add(&s, text, first);
    mo_sha256_add(&s, text + first, n - first);
    mo_sha256_hex(&s, hex);
}

static void sha256_of_the_standard(void **state)
{
    (void)state;
    char hex[65], other[65], a[1000];
    hash_in_pieces(hex, "abc", 3, 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    memset(a, 'a', sizeof a);
    mo_sha256 s;
    mo_sha256_init(&s);
    for (size_t i = 0; i < 1000; i++) mo_sha256_add(&s, a, sizeof a); /* a million 'a' */
    mo_sha256_hex(&s, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    for (size_t n = 50; n < 140; n++) { /* all paddings: the pieces do not matter */
        hash_in_pieces(hex, a, n, 0);
        hash_in_pieces(other, a, n, 13);
        assert_string_equal(hex, other);
    }
}

static void known_digests(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } cases[] = {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmno"
         "pqrst"
         "nopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"}};
    char hex[65];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t cut = 0; cut <= strlen(cases[i].text); cut += 7) {
            hash_in_pieces(hex, cases[i].text, strlen(cases[i].text), cut);
            assert_string_equal(hex, cases[i].hex);
        }
    }
}

static void the_mix_spreads_over_small_tables(void **state)
{
    (void)state;
    size_t slots[64] = {0};
    char text[16];
    for (int i = 0; i < 6400; i++) {
        int n = snprintf(text, sizeof text, "class %d", i);
        slots[mo_hash_bytes(text, (size_t)n) & 63]++;
    }
    for (int i = 0; i < 64; i++) assert_in_range(slots[i], 50, 150); /* 5 deviations of 10 */
    assert_true(mo_hash_bytes("ab", 2) == mo_hash_bytes("abc", 2));
    assert_false(mo_hash_bytes("ab", 2) == mo_hash_bytes("ba", 2));
    assert_false(mo_hash_bytes("a\0", 2) == mo_hash_bytes("a", 1));
    assert_true(mo_hash_bytes("", 0) == mo_hash_bytes(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_the_standard),
        cmocka_unit_test(known_digests),
        cmocka_unit_test(the_mix_spreads_over_small_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
