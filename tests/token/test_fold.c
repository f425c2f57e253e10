/* SPDX-License-Identifier: MIT
 * test_fold.c - class names that are the same words to a model, and names that are not. */
#include "test.h"

#include "support/tiny.h"

#include "base/mem.h"
#include "token/fold.h"

/* Names that are one, and names that differ, each pair behind the other. */
static const char *const alike[][2] = {
    {"Cup", "cup"},
    {"ice_cream", "ice cream"},
    {"ice  cream", " ice cream "},
    {"_", " "},
    {"caf\u00e9", "cafe\u0301"},
    {"\u00c9T\u00c9", "e\u0301te\u0301"},
    {"A320", "a 320"},
    {"cat.", "cat ."},
    {"tab\there", "tab here"},
    {"\u212bngstrom", "\u00e5ngstrom"},
    {"\xff", "\xff"},
};
static const char *const apart[][2] = {
    {"cup", "cups"},
    {"Faces", "Faces_easy"},
    {"ice-cream", "ice cream"},
    {"caf\u00e9", "cafe"},
    {"icecream", "ice cream"},
    {"a b", "b a"},
    {"1", "11"},
    {"\xff", "\xfe"},
    {"cup", ""},
};

static void names_of_the_same_words_are_found(void **state)
{
    (void)state;
    size_t same[2];
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        assert_ok(mo_fold_find(alike[i], 2, same));
        if (same[0] != 0 || same[1] != 1) fail_msg("'%s' and '%s' differ", alike[i][0], alike[i][1]);
    }
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        assert_ok(mo_fold_find(apart[i], 2, same));
        if (same[0] != 2 || same[1] != 2) fail_msg("'%s' and '%s' are one", apart[i][0], apart[i][1]);
    }
}

/* The tokenizer is who decides: words are the same where the tokens are. */
static void words_are_those_of_the_tokenizer(void **state)
{
    (void)state;
    mopd_encoder *encoder = tiny_open(1, 1);
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        uint32_t *ids[2];
        size_t n[2];
        if (alike[i][0][0] == '_' || alike[i][0][0] == '\xff') continue; /* prompts put a blank for "_" */
        for (int k = 0; k < 2; k++) {
            char text[64];
            snprintf(text, sizeof text, "a photo of a %s", alike[i][k]);
            for (char *at = text; *at; at++) *at = *at == '_' ? ' ' : *at;
            assert_ok(mopd_encoder_tokenize(encoder, text, &ids[k], &n[k]));
        }
        if (n[0] != n[1] || memcmp(ids[0], ids[1], n[0] * sizeof *ids[0]) != 0)
            fail_msg("'%s' and '%s' are other tokens", alike[i][0], alike[i][1]);
        mopd_free(ids[0]);
        mopd_free(ids[1]);
    }
    mopd_encoder_close(encoder);
}

static void the_first_repetition_among_many_is_told(void **state)
{
    (void)state;
    enum { N = 5000 };
    static char text[N][16];
    const char *names[N];
    size_t same[2];
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "name %d", i);
        names[i] = text[i];
    }
    assert_ok(mo_fold_find(names, N, same));
    assert_int_equal(same[1], N);
    names[4000] = "NAME_17";
    names[4500] = "Name 3";
    assert_ok(mo_fold_find(names, N, same));
    assert_int_equal(same[0], 17);
    assert_int_equal(same[1], 4000);
    assert_ok(mo_fold_find(names, 0, same));
    assert_int_equal(same[1], 0);
}

static mopd_status find(void *context)
{
    size_t same[2];
    return mo_fold_find(context, 3, same);
}

static void finding_survives_lack_of_memory(void **state)
{
    (void)state;
    static const char *names[] = {"caf\u00e9", "a longer name of a class", "Cafe\u0301"};
    test_torture(find, names);
}

static void names_are_found_among_others(void **state)
{
    (void)state;
    static const char *const list[] = {"ice_cream", "Cup", "cafe\u0301"}, *const names[] = {"cup",
                                                                              "ice  cream", "caf\u00e9",
                                                                              "ice", "cream ice", ""};
    static const bool want[] = {true, true, true, false, false, false};
    bool among[6];
    assert_ok(mo_fold_among(names, 6, list, 3, among));
    assert_memory_equal(among, want, sizeof want);
    assert_ok(mo_fold_among(names, 6, list, 0, among));
    for (int i = 0; i < 6; i++) assert_false(among[i]);
    assert_ok(mo_fold_among(names, 0, list, 3, NULL));
}

static mopd_status find_among(void *context)
{
    bool among[3];
    return mo_fold_among(context, 3, context, 2, among);
}

static void finding_among_survives_lack_of_memory(void **state)
{
    (void)state;
    static const char *names[] = {"a", "b c", "D"};
    test_torture(find_among, names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_same_words_are_found),
        cmocka_unit_test(words_are_those_of_the_tokenizer),
        cmocka_unit_test(the_first_repetition_among_many_is_told),
        cmocka_unit_test(finding_survives_lack_of_memory),
        cmocka_unit_test(names_are_found_among_others),
        cmocka_unit_test(finding_among_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
