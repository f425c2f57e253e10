/* SPDX-License-Identifier: MIT
 * test_choice.c - a choice by name: the call before the environment, the environment before the machine. */
#include "test.h"

#include "base/choice.h"

#define VARIABLE "MOPD_TEST_CHOICE"

enum { FAST, PLAIN, NEW };
static const char *const words[] = {"fast", "plain", "new"};

/* This machine is too old for the new way. */
static const char *lacks(int32_t word)
{
    return word == NEW ? "the machine is too old" : NULL;
}

/* What the process would begin with, the environment asking for `word`, or NULL: for nothing. */
static mo_choice begin(const char *word)
{
    if (word)
        assert_int_equal(setenv(VARIABLE, word, 1), 0);
    else
        assert_int_equal(unsetenv(VARIABLE), 0);
    return (mo_choice){.variable = VARIABLE,
        .what = "way",
        .words = words,
        .n_words = 3,
        .lacks = lacks,
        .wish = MO_CHOICE_UNREAD};
}

static void nothing_asked_for_is_any(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        mo_choice c = begin(nothing[i]);
        assert_int_equal(mo_choice_get(&c), MO_CHOICE_ANY);
        assert_true(mo_choice_granted(&c));
        assert_ok(mo_choice_check(&c));
    }
}

static void environment_is_read_once(void **state)
{
    (void)state;
    mo_choice c = begin("plain");
    assert_int_equal(mo_choice_get(&c), PLAIN);
    assert_true(mo_choice_granted(&c));
    begin("fast");
    assert_int_equal(mo_choice_get(&c), PLAIN);
}

static void a_call_comes_before_the_environment(void **state)
{
    (void)state;
    mo_choice c = begin("plain");
    assert_ok(mo_choice_set(&c, "fast"));
    assert_int_equal(mo_choice_get(&c), FAST);
    assert_ok(mo_choice_set(&c, NULL));
    assert_int_equal(mo_choice_get(&c), MO_CHOICE_ANY);
    mo_choice wrong = begin("plane");
    assert_false(mo_choice_granted(&wrong));
    assert_ok(mo_choice_set(&wrong, NULL)); /* now nobody asked the environment */
    assert_true(mo_choice_granted(&wrong));
    assert_ok(mo_choice_check(&wrong));
}

static void a_call_that_fails_changes_nothing(void **state)
{
    (void)state;
    mo_choice c = begin("plain");
    assert_fails(mo_choice_set(&c, "slow"), MOPD_E_ARG, "way \"slow\": not one of fast, plain, new");
    assert_fails(mo_choice_set(&c, ""), MOPD_E_ARG, "way \"\": not one of");
    assert_fails(mo_choice_set(&c, "new"), MOPD_E_UNSUPPORTED, "way new: the machine is too old");
    assert_int_equal(mo_choice_get(&c), PLAIN);
    assert_ok(mo_choice_set(&c, "fast"));
    assert_fails(mo_choice_set(&c, "new"), MOPD_E_UNSUPPORTED, "too old");
    assert_int_equal(mo_choice_get(&c), FAST);
}

static void an_environment_that_cannot_be_granted_is_told(void **state)
{
    (void)state;
    mo_choice c = begin("plane");
    assert_int_equal(mo_choice_get(&c), MO_CHOICE_ANY);
    assert_false(mo_choice_granted(&c));
    assert_fails(mo_choice_check(&c), MOPD_E_ARG,
        VARIABLE " in the environment: way \"plane\": not one of fast, plain, new");
    c = begin("new"); /* a word, so it stays wished for */
    assert_int_equal(mo_choice_get(&c), NEW);
    assert_false(mo_choice_granted(&c));
    assert_fails(mo_choice_check(&c), MOPD_E_UNSUPPORTED,
        VARIABLE " in the environment: way new: the machine is too old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asked_for_is_any),
        cmocka_unit_test(environment_is_read_once),
        cmocka_unit_test(a_call_comes_before_the_environment),
        cmocka_unit_test(a_call_that_fails_changes_nothing),
        cmocka_unit_test(an_environment_that_cannot_be_granted_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
