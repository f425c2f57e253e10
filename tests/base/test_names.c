/* SPDX-License-Identifier: MIT
 * test_names.c - what is written is what anybody finds who opens it, or is refused with the reason: names that Windows has not, files
 * that others hold. */
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#endif
#include "test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out.h"
#include "data/journal.h"

static int count_names(const char *folder)
{
    int n = 0;
    mo_os_names *names = mo_os_names_open(folder);
    assert_non_null(names);
    while (mo_os_names_next(names)) n++;
    mo_os_names_close(names);
    return n;
}

static void assert_holds(const char *path, const char *text)
{
    char *now = test_read(path);
    assert_string_equal(now, text);
    free(now);
}

/* Elsewhere these are names as any other. */
static void assert_written_or_refused(const char *path, const char *why)
{
#ifdef _WIN32
    assert_fails(mo_out_check(path), MOPD_E_IO, why);
    assert_fails(mo_out_save(path, "abc", 3), MOPD_E_IO, why);
    assert_int_equal(mo_os_unfit(path) != NULL, 1);
#else
    (void)why;
    assert_null(mo_os_unfit(path));
    assert_ok(mo_out_check(path));
    assert_ok(mo_out_save(path, "abc", 3));
    assert_holds(path, "abc");
#endif
}

static void names_that_windows_has_not_are_refused_there(void **state)
{
    (void)state;
    static const struct {
        const char *name, *why;
    } cases[] = {{"names/out.", "ends in a dot or a blank"}, {"names/out ", "ends in a dot or a blank"},
        {"names/out. .", "ends in a dot or a blank"}, {"names/...", "ends in a dot or a blank"},
        {"names/nul", "for a device"}, {"names/NUL", "for a device"}, {"names/nul.json", "for a device"},
        {"names/aux", "for a device"}, {"names/Aux.json", "for a device"}, {"names/CON .txt", "for a device"},
        {"names/con", "for a device"}, {"names/prn.a.b", "for a device"}, {"names/com1", "for a device"},
        {"names/COM0.json", "for a device"}, {"names/lpt9", "for a device"},
        {"names/com\xc2\xb9.x", "for a device"}, {"names/lpt\xc2\xb3", "for a device"},
        {"names/conin$", "for a device"}, {"names/CONOUT$", "for a device"}, {"names/nul:", "for a device"},
        {"names/ab:stream", "any of < > :"}, {"names/ab:stream:$DATA", "any of < > :"},
        {"names/x<y", "any of < > :"}, {"names/x>y", "any of < > :"}, {"names/x\"y", "any of < > :"},
        {"names/x|y", "any of < > :"}, {"names/x?y", "any of < > :"}, {"names/x*y", "any of < > :"},
        {"names/a\tb", "a control sign"}};
    assert_int_equal(mkdir(test_path("names"), 0700), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_written_or_refused(test_path(cases[i].name), cases[i].why);
#ifdef _WIN32
    assert_int_equal(count_names(test_path("names")), 0);
#else
    assert_int_equal(count_names(test_path("names")), sizeof cases / sizeof *cases);
#endif
}

static void other_names_are_found_by_whoever_opens_them(void **state)
{
    (void)state;
    static const char *const names[] = {"found/plain", "found/ lead", "found/.dot", "found/a.b. c",
        "found/null", "found/console.txt", "found/com", "found/com10", "found/lpt.json", "found/auxiliary",
        "found/x.nul", "found/com\xc2\xb4", "found/\xc3\xa4 \xe4\xb8\xad", "found/nul_",
        "found/a;b,c'=+[]{}~!@#$%^&()"};
    assert_int_equal(mkdir(test_path("found"), 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = test_path(names[i]);
        assert_ok(mo_out_check(path));
        assert_ok(mo_out_save(path, "abc", 3));
        assert_holds(path, "abc");
    }
    assert_int_equal(count_names(test_path("found")), sizeof names / sizeof *names);
}

static void folders_are_no_files(void **state)
{
    (void)state;
    static const char *const ends[] = {".", "..", "folder", "folder/", "folder/.", "folder/.."};
    assert_int_equal(mkdir(test_path("folder"), 0700), 0);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        assert_fails(mo_out_check(test_path(ends[i])), MOPD_E_IO, "is a directory");
}

static void a_journal_has_a_name_of_a_file(void **state)
{
    (void)state;
    const mo_journal_run run = {.dim = 4, .n_views = 1};
    mo_journal *journal;
    const char *path = test_path("aux.journal");
#ifdef _WIN32
    assert_fails(mo_journal_open(&journal, path, &run), MOPD_E_IO, "for a device");
#else
    assert_ok(mo_journal_open(&journal, path, &run));
    mo_journal_close(journal);
#endif
}

#ifdef _WIN32
static HANDLE hold(const char *path, DWORD shared)
{
    wchar_t wide[1024];
    assert_true(MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 1024) > 0);
    HANDLE handle = CreateFileW(wide, GENERIC_READ, shared, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(handle != INVALID_HANDLE_VALUE);
    return handle;
}

static void what_holds_a_file_is_told(void **state)
{
    (void)state;
    char text[64];
    const char *path = test_write("held", "old", 3);
    HANDLE other = hold(path, FILE_SHARE_READ | FILE_SHARE_WRITE); /* nobody may remove it */
    assert_fails(mo_out_save(path, "new", 3), MOPD_E_IO, "another program has the file open");
    CloseHandle(other);
    other = hold(path, 0);
    assert_int_equal(mo_os_open(path), -1);
    mo_os_error_text(errno, text, sizeof text);
    assert_string_equal(text, "another program has the file open");
    CloseHandle(other);
    assert_holds(path, "old");
    assert_ok(mo_out_save(path, "new", 3));
    assert_holds(path, "new");
}

static void case_alone_makes_no_other_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(test_path("case"), 0700), 0);
    assert_ok(mo_out_save(test_path("case/Name"), "old", 3));
    assert_ok(mo_out_save(test_path("case\\nAME"), "new", 3));
    assert_holds(test_path("case/Name"), "new");
    assert_int_equal(count_names(test_path("case")), 1);
}

static void nul_alone_takes_everything(void **state)
{
    (void)state;
    assert_ok(mo_out_check("NUL"));
    assert_ok(mo_out_save("nul", "abc", 3));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_windows_has_not_are_refused_there),
        cmocka_unit_test(other_names_are_found_by_whoever_opens_them),
        cmocka_unit_test(folders_are_no_files),
        cmocka_unit_test(a_journal_has_a_name_of_a_file),
#ifdef _WIN32
        cmocka_unit_test(what_holds_a_file_is_told),
        cmocka_unit_test(case_alone_makes_no_other_file),
        cmocka_unit_test(nul_alone_takes_everything),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
