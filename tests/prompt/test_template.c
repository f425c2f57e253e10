/* SPDX-License-Identifier: MIT
 * test_template.c - hard prompts filled and checked; the task pools as docs/method.md 6.1 lists them. */
#include "test.h"

#include "prompt/template.h"
#include "base/buf.h"

static void assert_fill(const char *template, const char *name, const char *want)
{
    mo_buf out = {0};
    assert_ok(mo_template_fill(template, name, &out));
    assert_string_equal(out.data, want);
    mo_buf_free(&out);
}

static void fill_replaces_every_hole(void **state)
{
    (void)state;
    assert_fill("a photo of a {}.", "cat", "a photo of a cat.");
    assert_fill("{}", "red_fox__x", "red fox  x");
    assert_fill("{} and {}{", "a{}b", "a{}b and a{}b{");
    assert_fill("a_{}_b", "x", "a_x_b"); /* only the name's underscores */
    assert_fill("{} x", "caf\u00e9", "caf\u00e9 x");
}

static void check_names_the_template(void **state)
{
    (void)state;
    assert_ok(mo_template_check("{}", 0));
    assert_fails(mo_template_check("a photo", 3), MOPD_E_ARG, "template 3, \"a photo\", has no {}");
    assert_fails(mo_template_check("", 0), MOPD_E_ARG, "template 0, \"\", has no {}");
    assert_fails(mo_template_check(NULL, 1), MOPD_E_ARG, "template 1 is NULL");
    assert_fails(mo_template_check("a {} \xff", 2), MOPD_E_ARG, "template 2 is not UTF-8 at byte 5");
}

static void pools_follow_the_patterns(void **state)
{
    (void)state;
    static const char *const names[] = {"imagenet", "caltech101", "oxfordpets", "stanfordcars", "flowers102",
        "food101", "fgvcaircraft", "sun397", "dtd", "eurosat", "ucf101"};
    static const char *const direct[] = {"an image of a {}.", "an image of a {}.",
        "an image of a {}, a type of pet.", "an image of a {}.", "an image of a {}, a type of flower.",
        "an image of {}, a type of food.", "an image of a {}, a type of aircraft.", "an image of a {}.",
        "an image of {}, a type of texture.", "a centered satellite image of {}.",
        "an image of a person doing {}."};
    static const char *const labeled[] = {"a picture, labeled as {}.", "a picture, labeled as {}.",
        "a picture of a pet, labeled as {}.", "a picture, labeled as {}.",
        "a picture of a flower, labeled as {}.", "a picture of food, labeled as {}.",
        "a picture of a aircraft, labeled as {}.", "a picture, labeled as {}.",
        "a picture of a texture, labeled as {}.", "a centered satellite picture, labeled as {}.",
        "a picture of a person doing, labeled as {}."};
    for (size_t i = 0; i < 11; i++) {
        const char *const *list;
        size_t n;
        assert_ok(mopd_templates_for(names[i], &list, &n));
        assert_int_equal(n, 12);
        assert_string_equal(list[2], direct[i]);
        assert_string_equal(list[8], labeled[i]);
        for (size_t a = 0; a < n; a++) {
            assert_ok(mo_template_check(list[a], a));
            for (size_t b = 0; b < a; b++) assert_string_not_equal(list[a], list[b]);
        }
    }
}

static void one_pool_is_written_out(void **state)
{
    (void)state;
    static const char *const want[12] = {"a photo of a {}, a type of pet.",
        "a picture of a {}, a type of pet.", "an image of a {}, a type of pet.",
        "a photo of a pet, classified as {}.", "a photo of a pet, categorized as {}.",
        "a photo of a pet, labeled as {}.", "a picture of a pet, classified as {}.",
        "a picture of a pet, categorized as {}.", "a picture of a pet, labeled as {}.",
        "an image of a pet, classified as {}.", "an image of a pet, categorized as {}.",
        "an image of a pet, labeled as {}."};
    const char *const *list;
    size_t n;
    assert_ok(mopd_templates_for("OxfordPets", &list, &n));
    assert_int_equal(n, 12);
    for (size_t i = 0; i < 12; i++) assert_string_equal(list[i], want[i]);
}

static void unknown_pool_lists_the_known(void **state)
{
    (void)state;
    const char *const *list = (const char *const *)state;
    size_t n = 5;
    assert_fails(mopd_templates_for("pets", &list, &n), MOPD_E_ARG,
        "no templates for \"pets\"; known are imagenet, caltech101, oxfordpets, stanfordcars, flowers102, "
        "food101, "
        "fgvcaircraft, sun397, dtd, eurosat, ucf101");
    assert_null(list);
    assert_int_equal(n, 0);
    assert_fails(mopd_templates_for("oxfordpet", &list, &n), MOPD_E_ARG, "oxfordpet");
    assert_fails(mopd_templates_for("oxfordpetss", &list, &n), MOPD_E_ARG, "oxfordpetss");
    assert_fails(mopd_templates_for(NULL, &list, &n), MOPD_E_ARG, "name is NULL");
    assert_fails(mopd_templates_for("dtd", NULL, &n), MOPD_E_ARG, "templates is NULL");
    assert_fails(mopd_templates_for("dtd", &list, NULL), MOPD_E_ARG, "n is NULL");
}

static mopd_status fill_once(void *ctx)
{
    (void)ctx;
    mo_buf out = {0};
    mopd_status st =
        mo_template_fill("{} a long template that needs more than a first block, {}.", "name_of_class", &out);
    mo_buf_free(&out);
    return st;
}

static void fill_survives_lack_of_memory(void **state)
{
    (void)state;
    test_torture(fill_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill_replaces_every_hole),
        cmocka_unit_test(check_names_the_template),
        cmocka_unit_test(pools_follow_the_patterns),
        cmocka_unit_test(one_pool_is_written_out),
        cmocka_unit_test(unknown_pool_lists_the_known),
        cmocka_unit_test(fill_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
