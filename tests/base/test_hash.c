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

/* The reference's vectors are of SipHash-2-4; those of 1-3 are of Rust's SipHasher13 and CPython 3.11's. */
static void keyed_hash_is_siphash_1_3(void **state)
{
    (void)state;
    const mo_hash_key key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
    static const uint64_t want[] = {UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93),
        UINT64_C(0x82cb9b024dc7d44d), UINT64_C(0x8bf80ab8e7ddf7fb), UINT64_C(0xcf75576088d38328),
        UINT64_C(0xdef9d52f49533b67), UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140),
        UINT64_C(0x369095118d299a8e)};
    unsigned char bytes[16];
    for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)i;
    for (size_t n = 0; n < sizeof want / sizeof *want; n++)
        assert_true(mo_hash_keyed(&key, bytes, n) == want[n]);
    const mo_hash_key other = {{1, 2}};
    assert_false(mo_hash_keyed(&key, bytes, 5) == mo_hash_keyed(&other, bytes, 5));
}

/* Pairs that one multiplier sends to one place are spread by another; the key of a process stays. */
static void keys_decide_which_pairs_collide(void **state)
{
    (void)state;
    const mo_hash_key a = mo_hash_key_get(), b = mo_hash_key_get();
    const mo_hash_key key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}},
                      other = {{UINT64_C(0x123456789abcdef), UINT64_C(0xfedcba9876543211)}};
    size_t n = 0, n_still = 0;
    assert_memory_equal(&a, &b, sizeof a);
    for (uint32_t i = 0; i < 1u << 16; i++) {
        if (mo_hash_pair(&key, i, i + 1) & 255) continue;
        n++;
        n_still += !(mo_hash_pair(&other, i, i + 1) & 255);
    }
    assert_in_range(n, 100, 500); /* of 256 */
    assert_in_range(n_still, 0, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_the_standard),
        cmocka_unit_test(known_digests),
        cmocka_unit_test(the_mix_spreads_over_small_tables),
        cmocka_unit_test(keyed_hash_is_siphash_1_3),
        cmocka_unit_test(keys_decide_which_pairs_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
