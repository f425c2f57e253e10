/* SPDX-License-Identifier: MIT
 * test_places.c - folders are told apart by what they are. */
#include "test.h"

#include <unistd.h>

#include "base/places.h"
#include "pictures.h"

static void a_folder_is_entered_once_by_whatever_path(void **state)
{
    (void)state;
    mo_places p = {0};
    bool first;
    test_text("a/file", "");
    assert_int_equal(symlink("a", test_path("link")), 0);
    assert_int_equal(mo_places_enter(&p, test_path("a"), &first), MOPD_OK);
    assert_true(first);
    assert_int_equal(mo_places_enter(&p, test_path("link"), &first), MOPD_OK);
    assert_false(first);
    assert_int_equal(mo_places_enter(&p, test_path("link/../a/."), &first), MOPD_OK);
    assert_false(first);
    mo_places_free(&p);
    assert_int_equal(mo_places_enter(&p, test_path("link"), &first), MOPD_OK);
    assert_true(first);
    mo_places_free(&p);
}

static void files_and_nothing_are_no_folders(void **state)
{
    (void)state;
    mo_places p = {0};
    bool first = true;
    test_text("b/file", "");
    assert_int_equal(mo_places_enter(&p, test_path("b/file"), &first), MOPD_OK);
    assert_false(first);
    first = true;
    assert_int_equal(mo_places_enter(&p, test_path("b/none"), &first), MOPD_OK);
    assert_false(first);
    assert_int_equal(p.n, 0);
    mo_places_free(&p);
}

static void many_folders_are_kept(void **state)
{
    (void)state;
    mo_places p = {0};
    char name[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            bool first;
            snprintf(name, sizeof name, "many/%d", i);
            if (!round) test_folder(name);
            assert_int_equal(mo_places_enter(&p, test_path(name), &first), MOPD_OK);
            assert_int_equal(first, !round);
        }
    }
    assert_int_equal(p.n, 200);
    mo_places_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_entered_once_by_whatever_path),
        cmocka_unit_test(files_and_nothing_are_no_folders),
        cmocka_unit_test(many_folders_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
