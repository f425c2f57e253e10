/* SPDX-License-Identifier: MIT
 * test_charsmap.c - rules of a small map found longest and shortest first, clusters, and maps that do not hold together.
 *
 * The map here: "a" to "x", "ab" to "yy", "e" and U+0301 to U+00E9, U+00B2 to "2", U+200B to nothing. */
#include "test.h"

#include "token/charsmap.h"

#define N_UNITS 4096

/* A trie built by hand: a node's children lie in a block of 256 units of their own. */
typedef struct map_maker {
    uint32_t unit[N_UNITS];
    size_t n_blocks;
    char text[64];
    size_t n_text;
} map_maker;

static size_t block_of(const map_maker *m, size_t node)
{
    return node ^ (size_t)(m->unit[node] >> 10 << (m->unit[node] >> 6 & 8));
}

static void give_block(map_maker *m, size_t node)
{
    const size_t block = m->n_blocks++ * 256;
    const size_t step = node ^ block;
    m->unit[node] |= (uint32_t)(step << 10);
}

static void add_rule(map_maker *m, const char *from, const char *to)
{
    size_t node = 0;
    for (const char *p = from; *p; p++) {
        const unsigned char byte = (unsigned char)*p;
        const size_t next = block_of(m, node) ^ byte;
        if (!m->unit[next]) {
            m->unit[next] = byte;
            give_block(m, next);
        }
        node = next;
    }
    m->unit[node] |= 1u << 8;
    m->unit[block_of(m, node)] = 1u << 31 | (uint32_t)m->n_text;
    memcpy(m->text + m->n_text, to, strlen(to) + 1);
    m->n_text += strlen(to) + 1;
}

static size_t make(char *out)
{
    static map_maker m;
    memset(&m, 0, sizeof m);
    m.n_blocks = 1;
    give_block(&m, 0);
    add_rule(&m, "a", "x");
    add_rule(&m, "ab", "yy");
    add_rule(&m, "e\xcc\x81", "\xc3\xa9");
    add_rule(&m, "\xc2\xb2", "2");
    add_rule(&m, "\xe2\x80\x8b", "");
    const uint32_t n = (uint32_t)(m.n_blocks * 256 * 4);
    memcpy(out, &n, 4);
    memcpy(out + 4, m.unit, n);
    memcpy(out + 4 + n, m.text, m.n_text);
    return 4 + n + m.n_text;
}

static char bytes[4 * N_UNITS + 2048];

static void the_longest_rule_wins(void **state)
{
    (void)state;
    mo_charsmap map;
    const char *to = NULL;
    size_t n_to = 9;
    assert_ok(mo_charsmap_open(&map, bytes, make(bytes), "m"));
    assert_int_equal(mo_charsmap_longest(&map, "abc", 3, &to, &n_to), 2);
    assert_int_equal(n_to, 2);
    assert_memory_equal(to, "yy", 2);
    assert_int_equal(mo_charsmap_longest(&map, "ab", 1, &to, &n_to), 1);
    assert_memory_equal(to, "x", 1);
    assert_int_equal(mo_charsmap_longest(&map, "\xe2\x80\x8b", 3, &to, &n_to), 3);
    assert_int_equal(n_to, 0);
    assert_int_equal(mo_charsmap_longest(&map, "e", 1, &to, &n_to), 0);
    assert_int_equal(mo_charsmap_longest(&map, "zz", 2, &to, &n_to), 0);
    assert_int_equal(mo_charsmap_longest(&map, "\xff\xff", 2, &to, &n_to), 0);
    assert_ok(mo_charsmap_open(&map, NULL, 0, "m"));
    assert_int_equal(mo_charsmap_longest(&map, "abc", 3, &to, &n_to), 0);
}

static void assert_clusters(const mo_charsmap *map, const char *text, const char *want)
{
    mo_buf out = {0};
    assert_ok(mo_buf_adds(&out, "<"));
    assert_ok(mo_charsmap_clusters(map, text, strlen(text), &out));
    if (strcmp(out.data + 1, want) != 0)
        fail_msg("\"%s\" becomes \"%s\", not \"%s\"", text, out.data + 1, want);
    mo_buf_free(&out);
}

/* The shortest rule of a whole short cluster, so that a mark behind a changed character is lost, as in the library. */
static void clusters_are_replaced_as_the_library_does(void **state)
{
    (void)state;
    mo_charsmap map;
    assert_ok(mo_charsmap_open(&map, bytes, make(bytes), "m"));
    assert_clusters(&map, "cabd", "cxbd");
    assert_clusters(&map, "e\xcc\x81", "\xc3\xa9");
    assert_clusters(&map, "\xc2\xb2\xcc\x81z", "2z");
    assert_clusters(&map, "\xc2\xb2\xcc\x81\xcc\x81z", "2\xcc\x81\xcc\x81z");
    assert_clusters(&map, "\xe2\x80\x8b!", "!");
    assert_clusters(&map, "", "");
    assert_ok(mo_charsmap_open(&map, NULL, 0, "m"));
    assert_clusters(&map, "ab", "ab");
}

static void maps_that_do_not_hold_together_are_refused(void **state)
{
    (void)state;
    mo_charsmap map;
    const size_t n = make(bytes);
    uint32_t n_trie, unit;
    memcpy(&n_trie, bytes, 4);
    assert_fails(mo_charsmap_open(&map, bytes, 3, "m"), MOPD_E_FORMAT, "m: a map of characters of 3 bytes");
    assert_fails(mo_charsmap_open(&map, bytes, 100, "m"), MOPD_E_FORMAT, "of 100 bytes with a trie of");
    for (uint32_t wrong = 0; wrong < 4; wrong++) {
        memcpy(bytes, &wrong, 4);
        assert_fails(mo_charsmap_open(&map, bytes, n, "m"), MOPD_E_FORMAT, "with a trie of");
    }
    make(bytes);
    assert_fails(mo_charsmap_open(&map, bytes, 4 + n_trie, "m"), MOPD_E_FORMAT, "points outside the texts");
    bytes[n - 2] = (char)0xff;
    assert_fails(mo_charsmap_open(&map, bytes, n, "m"), MOPD_E_FORMAT, "not UTF-8 at byte");
    make(bytes);
    bytes[4 + n_trie] = (char)0xc3, bytes[5 + n_trie] = (char)0xa9; /* then "yy" begins within a character */
    unit = 1u << 31 | 1;
    for (size_t at = 4; at < 4 + n_trie; at += 4) {
        uint32_t x;
        memcpy(&x, bytes + at, 4);
        if (x == (1u << 31)) memcpy(bytes + at, &unit, 4);
    }
    assert_fails(mo_charsmap_open(&map, bytes, n, "m"), MOPD_E_FORMAT, "points outside the texts");
}

/* A rule of endless text would make gigabytes of a page; one that leads back to itself is not followed forever. */
static void rules_have_a_limit(void **state)
{
    (void)state;
    mo_charsmap map;
    char text[2000];
    const char *to = NULL;
    size_t n_to = 0;
    const size_t n = make(bytes) - 1;
    memset(bytes + n, 'x', 1025); /* of U+200B, the last one */
    assert_ok(mo_charsmap_open(&map, bytes, n + 1024, "m"));
    assert_int_equal(mo_charsmap_longest(&map, "\xe2\x80\x8b", 3, &to, &n_to), 3);
    assert_int_equal(n_to, 1024);
    assert_fails(mo_charsmap_open(&map, bytes, n + 1025, "m"), MOPD_E_UNSUPPORTED, "longer than 1024 bytes");
    const uint32_t n_trie = 1024, circle = 'a' | 1u << 8 | (uint32_t)'a' << 10;
    memset(bytes, 0, 2000);
    memcpy(bytes, &n_trie, 4);
    memcpy(bytes + 4 + 4 * 'a', &circle, 4);
    assert_ok(mo_charsmap_open(&map, bytes, 4 + n_trie + 1, "m"));
    memset(text, 'a', sizeof text);
    assert_int_equal(mo_charsmap_longest(&map, text, 1000, &to, &n_to), 1000);
    assert_int_equal(mo_charsmap_longest(&map, text, sizeof text, &to, &n_to), 1024);
    assert_int_equal(n_to, 0);
}

/* Whatever the trie's bytes, an open map is walked within its end (the sanitizers watch). */
static void mutated_maps_never_crash(void **state)
{
    (void)state;
    const size_t n = make(bytes);
    char *copy = malloc(n);
    uint64_t s = 3;
    size_t n_good = 0;
    for (int run = 0; run < 3000; run++) {
        memcpy(copy, bytes, n);
        for (int k = 0; k < 3; k++) {
            s = s * UINT64_C(6364136223846793005) + 1442695040888963407u;
            copy[4 + (size_t)(s >> 33) % (n - 4)] = (char)(s >> 24);
        }
        mo_charsmap map;
        mo_buf out = {0};
        if (mo_charsmap_open(&map, copy, n, "m") == MOPD_OK) {
            n_good++;
            assert_ok(mo_charsmap_clusters(&map, "ab e\xcc\x81 \xc2\xb2 \xe2\x80\x8b", 14, &out));
        }
        mo_buf_free(&out);
    }
    assert_true(n_good > 300);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_rule_wins),
        cmocka_unit_test(clusters_are_replaced_as_the_library_does),
        cmocka_unit_test(maps_that_do_not_hold_together_are_refused),
        cmocka_unit_test(rules_have_a_limit),
        cmocka_unit_test(mutated_maps_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
