/* SPDX-License-Identifier: MIT
 * test_pieces.c - ids of SigLIP's tokenizers equal to transformers' on golden texts, from the files and from the block;
 * what a text becomes; blocks that do not hold together.
 *
 * tests/gold/pieces is written by tests/parity/pieces.py --gold. */
#include "test.h"

#include "base/mem.h"
#include "format/json.h"
#include "support/reload.h"
#include "token/tokenizer_table.h"

#define GOLD MOPD_TEST_DIR "/gold/pieces"

static const char *const folders[] = {GOLD "/siglip", GOLD "/t5", GOLD "/siglip2", GOLD "/xlm", GOLD "/rare"};
#define N_FOLDERS (sizeof folders / sizeof *folders)

static mo_tokenizer *open_gold(const char *folder)
{
    mo_tokenizer *t;
    assert_ok(mo_tokenizer_open(&t, folder));
    return t;
}

static bool gives(const mo_tokenizer *t, const char *text, const mo_json *ids, mo_tokens *got)
{
    got->n = 0;
    assert_ok(mo_tokenizer_encode(t, text, strlen(text), 0, false, got));
    bool same = got->n == mo_json_count(ids);
    for (size_t k = 0; k < got->n && same; k++) {
        int64_t id = -1;
        same = mo_json_as_int(mo_json_item(ids, k), &id) && id == got->id[k];
    }
    return same;
}

/* Every text of a folder's list gives the ids beside it. */
static void assert_gold(const mo_tokenizer *t, const char *folder)
{
    char path[600];
    const mo_json *root;
    mo_tokens got = {0};
    snprintf(path, sizeof path, "%s/texts.json", folder);
    assert_ok(mo_json_open(&root, path));
    assert_true(mo_json_count(root) >= 130);
    for (size_t i = 0; i < mo_json_count(root); i++) {
        const char *text;
        assert_true(mo_json_as_string(mo_json_item(mo_json_item(root, i), 0), &text));
        if (!gives(t, text, mo_json_item(mo_json_item(root, i), 1), &got))
            fail_msg("%s: row %zu: \"%s\"", path, i, text);
    }
    mo_mem_free(got.id);
    mo_json_close(root);
}

static void ids_equal_transformers(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FOLDERS; i++) {
        mo_tokenizer *t = open_gold(folders[i]);
        assert_gold(t, folders[i]);
        mo_tokenizer_free(t);
    }
}

static void block_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FOLDERS; i++) {
        mo_tokenizer *back = test_reload(open_gold(folders[i]));
        assert_gold(back, folders[i]);
        mo_tokenizer_free(back);
    }
}

static void special_ids_are_the_files(void **state)
{
    (void)state;
    static const uint32_t want[N_FOLDERS][3] = {
        {UINT32_MAX, 1, 1}, {UINT32_MAX, 1, 0}, {UINT32_MAX, 1, 0}, {0, 2, 1}, {UINT32_MAX, 1, 1}};
    for (size_t i = 0; i < N_FOLDERS; i++) {
        mo_tokenizer *t = open_gold(folders[i]);
        size_t n;
        assert_int_equal(mo_tokenizer_start(t), want[i][0]);
        assert_int_equal(mo_tokenizer_has_start(t), want[i][0] != UINT32_MAX);
        assert_int_equal(mo_tokenizer_end(t), want[i][1]);
        assert_int_equal(mo_tokenizer_pad(t), want[i][2]);
        assert_true(mo_tokenizer_n_ids(t) >= 400);
        assert_non_null(mo_tokenizer_token(t, mo_tokenizer_end(t), &n));
        mo_tokenizer_free(t);
    }
}

/* Without a start the limit counts ids and end; nobody pads. */
static void limit_refuses_or_cuts(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(GOLD "/siglip");
    mo_tokens whole = {0}, ids = {0};
    const char *text = "q w e r t y u i o p";
    assert_ok(mo_tokenizer_encode(t, text, strlen(text), 0, false, &whole));
    assert_true(whole.n > 10);
    assert_ok(mo_tokenizer_encode(t, text, strlen(text), whole.n, false, &ids));
    assert_int_equal(ids.n, whole.n);
    ids.n = 0;
    assert_fails(mo_tokenizer_encode(t, text, strlen(text), whole.n - 1, false, &ids), MOPD_E_ARG,
        "tokens long with end, the limit is");
    assert_int_equal(ids.n, 0);
    assert_ok(mo_tokenizer_encode(t, text, strlen(text), 6, true, &ids));
    assert_int_equal(ids.n, 6);
    assert_memory_equal(ids.id, whole.id, 5 * sizeof *ids.id);
    assert_int_equal(ids.id[5], mo_tokenizer_end(t));
    ids.n = 0;
    assert_ok(mo_tokenizer_encode(t, "", 0, 2, false, &ids));
    assert_int_equal(ids.n, 1);
    mo_mem_free(whole.id);
    mo_mem_free(ids.id);
    mo_tokenizer_free(t);
}

static void assert_same(const mo_tokenizer *t, const char *a, const char *b)
{
    mo_tokens x = {0}, y = {0};
    assert_ok(mo_tokenizer_encode(t, a, strlen(a), 0, false, &x));
    assert_ok(mo_tokenizer_encode(t, b, strlen(b), 0, false, &y));
    if (x.n != y.n || memcmp(x.id, y.id, x.n * sizeof *x.id) != 0) fail_msg("\"%s\" is not \"%s\"", a, b);
    mo_mem_free(x.id);
    mo_mem_free(y.id);
}

/* The traps of the three ways with texts: "_", the final ".", "-" and case. */
static void each_layout_cleans_in_its_own_way(void **state)
{
    (void)state;
    mo_tokenizer *siglip = open_gold(GOLD "/siglip"), *t5 = open_gold(GOLD "/t5"),
                 *gemma = open_gold(GOLD "/siglip2");
    assert_same(siglip, "Tabby_Cat, wire-haired.", "tabbycat wirehaired");
    assert_same(gemma, "TABBY cat", "tabby cat");
    mo_tokenizer_set_cleaning(t5, MO_CLEANING_CANONICAL_IN_OPEN_CLIP);
    mo_tokenizer_set_cleaning(gemma, MO_CLEANING_CANONICAL_IN_OPEN_CLIP);
    assert_same(t5, "Tabby_Cat,  wire-haired &amp; so.", "tabby cat wirehaired so");
    assert_same(gemma, "Tabby_Cat,  wire-haired.", "tabby cat wirehaired");
    mo_tokenizer_set_cleaning(t5, MO_CLEANING_LOWER_IN_OPEN_CLIP);
    assert_same(t5, " A  &lt;B ", "a <b");
    mo_tokenizer_free(siglip);
    mo_tokenizer_free(t5);
    mo_tokenizer_free(gemma);
}

static void a_long_text_ends(void **state)
{
    (void)state;
    char *text = malloc(40001);
    memset(text, 'a', 40000);
    text[40000] = 0;
    for (size_t i = 0; i < N_FOLDERS; i++) {
        mo_tokenizer *t = open_gold(folders[i]);
        mo_tokens ids = {0};
        assert_ok(mo_tokenizer_raw(t, text, 40000, &ids));
        assert_true(ids.n > 100 && ids.n <= 40001);
        mo_mem_free(ids.id);
        mo_tokenizer_free(t);
    }
    free(text);
}

static void broken_utf8_names_the_byte(void **state)
{
    (void)state;
    mo_tokenizer *t = open_gold(GOLD "/t5");
    mo_tokens ids = {0};
    assert_fails(mo_tokenizer_raw(t, "ab\xff", 3, &ids), MOPD_E_FORMAT, "not UTF-8 at byte 2 (0xff)");
    assert_int_equal(ids.n, 0);
    mo_mem_free(ids.id);
    mo_tokenizer_free(t);
}

/* ---- blocks ---- */

static mo_buf block_of(const char *folder)
{
    mo_buf out = {0};
    mo_tokenizer *t = open_gold(folder);
    assert_ok(mo_tokenizer_save(t, &out));
    mo_tokenizer_free(t);
    return out;
}

static void bad_blocks_are_refused(void **state)
{
    (void)state;
    mo_buf good = block_of(GOLD "/t5");
    mo_tokenizer *back;
    uint32_t *head = malloc(good.size);
    const size_t n_ids = ((const uint32_t *)(const void *)good.data)[3], order = 24 + 2 * n_ids;
    const struct {
        size_t at;
        uint32_t value;
        mopd_status st;
        const char *words;
    } bad[] = {{0, 1, MOPD_E_FORMAT, "not a vocabulary"}, {1, 2, MOPD_E_VERSION, "format 2, known up to 1"},
        {1, 0, MOPD_E_FORMAT, "holds"}, {2, 0, MOPD_E_FORMAT, "says 0"}, {3, 7, MOPD_E_FORMAT, "holds"},
        {4, UINT32_MAX, MOPD_E_FORMAT, "holds 0"},
        {7, (uint32_t)n_ids, MOPD_E_FORMAT, "id of a special token"},
        {8, UINT32_MAX, MOPD_E_FORMAT, "id of a special token"},
        {11, 3, MOPD_E_FORMAT, "a tokenizer of kind 3"}, {11, 2, MOPD_E_FORMAT, "a tokenizer of kind 2"},
        {12, 1u << 20, MOPD_E_FORMAT, "with flags"}, {15, 99, MOPD_E_FORMAT, "holds 0"},
        {23, 1, MOPD_E_FORMAT, "holds"}, {25, 0x7ff80000, MOPD_E_FORMAT, "the score of token 0 is"},
        {25, 0x7ff00000, MOPD_E_FORMAT, "the score of"},
        {order, (uint32_t)n_ids, MOPD_E_FORMAT, "in the order"}, {order, 300, MOPD_E_FORMAT, "out of order"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(head, good.data, good.size);
        head[bad[i].at] = bad[i].value;
        assert_fails(mo_tokenizer_load(&back, head, good.size, "b"), bad[i].st, bad[i].words);
        assert_null(back);
    }
    assert_fails(mo_tokenizer_load(&back, good.data, 60, "b"), MOPD_E_FORMAT, "b: a vocabulary of 60 bytes");
    assert_fails(mo_tokenizer_load(&back, good.data, good.size - 4, "b"), MOPD_E_FORMAT, "holds");
    free(head);
    mo_buf_free(&good);
}

/* Whatever the bytes, loading fails or gives something that can be used. */
static void mutated_blocks_never_crash(void **state)
{
    (void)state;
    static const char text[] = "a Photo </s>of\xe2\x96\x81x \xef\xbd\x85\xcc\x81 \xe6\x9d\xb1 <eos>\n\n z_";
    for (size_t f = 0; f < N_FOLDERS; f++) {
        mo_buf good = block_of(folders[f]);
        char *bytes = malloc(good.size);
        uint64_t s = 5;
        size_t n_good = 0;
        mo_tokens ids = {0};
        for (int run = 0; run < TEST_TIMES(2000, 300); run++) {
            memcpy(bytes, good.data, good.size);
            s = s * UINT64_C(6364136223846793005) + 1442695040888963407u;
            const size_t at = (size_t)(s >> 33) % (run % 3 ? good.size : 128);
            bytes[at] = (char)(run % 2 ? bytes[at] ^ (1 << (s >> 20 & 7)) : (int)(s >> 24 & 255));
            mo_tokenizer *back;
            if (mo_tokenizer_load(&back, bytes, good.size, "fuzz") != MOPD_OK) continue;
            n_good++;
            ids.n = 0;
            if (mo_tokenizer_raw(back, text, sizeof text - 1, &ids) == MOPD_OK)
                for (size_t i = 0; i < ids.n; i++) assert_true(ids.id[i] < mo_tokenizer_n_ids(back));
            mo_tokenizer_free(back);
        }
        assert_true(n_good > 50);
        mo_mem_free(ids.id);
        free(bytes);
        mo_buf_free(&good);
    }
}

static mopd_status open_and_encode(void *folder)
{
    mo_tokenizer *t = NULL;
    mo_tokens ids = {0};
    mopd_status st = mo_tokenizer_open(&t, folder);
    if (st == MOPD_OK) st = mo_tokenizer_encode(t, "a Photo </s> \xe6\x9d\xb1 x", 16, 64, true, &ids);
    mo_mem_free(ids.id);
    mo_tokenizer_free(t);
    return st;
}

static void tokenizers_survive_lack_of_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FOLDERS; i++) {
        char folder[600];
        snprintf(folder, sizeof folder, "%s", folders[i]);
        test_torture(open_and_encode, folder);
    }
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_equal_transformers),
        cmocka_unit_test(block_gives_the_same),
        cmocka_unit_test(special_ids_are_the_files),
        cmocka_unit_test(limit_refuses_or_cuts),
        cmocka_unit_test(each_layout_cleans_in_its_own_way),
        cmocka_unit_test(a_long_text_ends),
        cmocka_unit_test(broken_utf8_names_the_byte),
        cmocka_unit_test(bad_blocks_are_refused),
        cmocka_unit_test(mutated_blocks_never_crash),
        cmocka_unit_test(tokenizers_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
