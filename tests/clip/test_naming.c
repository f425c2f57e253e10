/* SPDX-License-Identifier: MIT
 * test_naming.c - patterns with one *, in tables read from the top. */
#include "test.h"

#include "clip/naming.h"
#include "support/towers.h"

#define TABLE(rules)                                                                                         \
    (mo_naming)                                                                                              \
    {                                                                                                        \
        .rule = rules, .n_rules = sizeof(rules) / sizeof *(rules)                                            \
    }

static void assert_stored(const mo_naming *naming, const char *name, const char *want)
{
    mo_naming_place at;
    mo_naming_find(&at, naming, name);
    if (strcmp(at.name, want) != 0) fail_msg("%s is stored as %s, not %s", name, at.name, want);
}

static void stars_carry_text_over(void **state)
{
    (void)state;
    static const mo_naming_rule rules[] = {{"exact", "other", 0, 0, false},
        {"layers.*.norm", "blocks.*.ln", 0, 0, false}, {"head.*", "*", 0, 0, false},
        {"*.tail", "t.*", 0, 0, false}, {"same.*", "always", 0, 0, false}, {"plain", "with.*", 0, 0, false}};
    static const char *const cases[][2] = {{"exact", "other"}, {"exact.", "exact."},
        {"layers.0.norm", "blocks.0.ln"}, {"layers.123.norm", "blocks.123.ln"},
        {"layers..norm", "blocks..ln"}, {"layers.norm", "layers.norm"}, {"layers.a.b.norm", "blocks.a.b.ln"},
        {"layers.1.norms", "layers.1.norms"}, {"head.x.weight", "x.weight"}, {"head.", ""}, {"head", "head"},
        {"ahead.x", "ahead.x"}, {"a.tail", "t.a"}, {".tail", "t."}, {"same.7", "always"}, {"plain", "with."},
        {"", ""}};
    const mo_naming naming = TABLE(rules);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_stored(&naming, cases[i][0], cases[i][1]);
}

static void the_first_rule_that_fits_is_taken(void **state)
{
    (void)state;
    static const mo_naming_rule rules[] = {{"a.b", "first", 0, 0, false}, {"a.*", "second.*", 1, 2, true},
        {"*", "third.*", 0, 0, false}, {"a.b", "never", 0, 0, false}};
    const mo_naming naming = TABLE(rules);
    mo_naming_place at;
    assert_stored(&naming, "a.b", "first");
    assert_stored(&naming, "b.a", "third.b.a");
    mo_naming_find(&at, &naming, "a.c");
    assert_string_equal(at.name, "second.c");
    assert_true(at.part == 1 && at.parts == 2 && at.in_out);
    mo_naming_find(&at, &naming, "a.b");
    assert_true(at.part == 0 && at.parts == 0 && !at.in_out);
}

static void without_a_rule_names_stay(void **state)
{
    (void)state;
    const mo_naming none = {0};
    tower_list l = tower_params(&(const mo_config[]){tower_config()}[0]);
    for (size_t i = 0; i < l.n; i++) assert_stored(&none, l.spec[i].name, l.spec[i].name);
    free(l.spec);
    assert_false(mo_naming_ignores(&none, "anything"));
}

/* What does not fit is cut, never written beyond. */
static void long_names_are_cut(void **state)
{
    (void)state;
    char name[300], want[MO_NAMING_LONGEST];
    static const mo_naming_rule rules[] = {{"*", "prefix.*", 0, 0, false}};
    const mo_naming none = {0}, prefixed = TABLE(rules);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    snprintf(want, sizeof want, "%.*s", MO_NAMING_LONGEST - 1, name);
    assert_stored(&none, name, want);
    memcpy(want, "prefix.", 7);
    assert_stored(&prefixed, name, want);
}

static void ignored_tensors_are_patterns_too(void **state)
{
    (void)state;
    static const char *const ignored[] = {"*position_ids", "vocab_size", "a.*.buffer"};
    const mo_naming naming = {.ignored = ignored, .n_ignored = 3};
    static const char *const yes[] = {
        "position_ids", "text.embeddings.position_ids", "vocab_size", "a.1.buffer"};
    static const char *const no[] = {"position_id", "position_ids.x", "my.vocab_size", "a.buffer", ""};
    for (size_t i = 0; i < 4; i++) assert_true(mo_naming_ignores(&naming, yes[i]));
    for (size_t i = 0; i < 5; i++) assert_false(mo_naming_ignores(&naming, no[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stars_carry_text_over),
        cmocka_unit_test(the_first_rule_that_fits_is_taken),
        cmocka_unit_test(without_a_rule_names_stay),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(ignored_tensors_are_patterns_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
