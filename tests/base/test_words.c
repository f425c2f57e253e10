/* SPDX-License-Identifier: MIT
 * test_words.c - words that stand for numbers, and lists of them in messages. */
#include "test.h"

#include "base/words.h"

static const char *const sizes[] = {"small", "mid", "large"};

static void words_are_found_whole(void **state)
{
    (void)state;
    for (int32_t i = 0; i < 3; i++) assert_int_equal(mo_words_find(sizes, 3, sizes[i]), i);
    assert_int_equal(mo_words_find(sizes, 3, "smal"), -1);
    assert_int_equal(mo_words_find(sizes, 3, "smaller"), -1);
    assert_int_equal(mo_words_find(sizes, 3, ""), -1);
    assert_int_equal(mo_words_find(sizes, 2, "large"), -1);
    assert_int_equal(mo_words_find(NULL, 0, "small"), -1);
}

static void lists_are_joined_and_cut(void **state)
{
    (void)state;
    char out[20];
    mo_words_join(sizes, 3, out, sizeof out);
    assert_string_equal(out, "small, mid, large");
    mo_words_join(sizes, 1, out, sizeof out);
    assert_string_equal(out, "small");
    mo_words_join(sizes, 0, out, sizeof out);
    assert_string_equal(out, "");
    static const char *const cut[] = {"", "s", "sm", "sma", "smal", "small", "small,", "small, ", "small, m"};
    for (size_t room = 1; room <= 9; room++) {
        memset(out, '!', sizeof out);
        mo_words_join(sizes, 3, out, room);
        assert_string_equal(out, cut[room - 1]);
        assert_int_equal(out[room], '!');
    }
}

static void case_is_that_of_ascii(void **state)
{
    (void)state;
    assert_true(mo_words_alike("Train", "tRAIN") && mo_words_alike("", ""));
    assert_false(mo_words_alike("train", "training") || mo_words_alike("training", "train"));
    assert_false(mo_words_alike("[", "{") || mo_words_alike("@", "`")); /* beside the letters */
    assert_false(mo_words_alike("\xc4", "\xe4"));
    assert_true(mo_words_begins("Class_7", "class") && mo_words_begins("any", ""));
    assert_false(mo_words_begins("cla", "class"));
}

#define SEVEN 7

static void numbers_become_texts(void **state)
{
    (void)state;
    assert_string_equal(MO_WORDS_OF(SEVEN) " of them", "7 of them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_whole),
        cmocka_unit_test(lists_are_joined_and_cut),
        cmocka_unit_test(case_is_that_of_ascii),
        cmocka_unit_test(numbers_become_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
