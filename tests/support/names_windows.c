/* SPDX-License-Identifier: MIT
 * names_windows.c - the C library's functions of files, with names in UTF-8; tests that Windows cannot pass, by windows.txt. */
#define WIN32_LEAN_AND_MEAN
#include "test.h"

#include <windows.h>

#undef fopen
#undef mkdir
#undef rename
#undef rmdir
#undef stat
#undef unlink

enum { LONGEST = 4096 };

static const wchar_t *wide(wchar_t out[LONGEST], const char *text)
{
    if (!MultiByteToWideChar(CP_UTF8, 0, text, -1, out, LONGEST)) *out = 0;
    return out;
}

FILE *windows_fopen(const char *path, const char *mode)
{
    wchar_t name[LONGEST], how[LONGEST];
    return _wfopen(wide(name, path), wide(how, mode));
}

int windows_link(const char *from, const char *to)
{
    wchar_t name[LONGEST], other[LONGEST];
    return CreateHardLinkW(wide(other, to), wide(name, from), NULL) ? 0 : -1;
}

int windows_mkdir(const char *path)
{
    wchar_t name[LONGEST];
    return _wmkdir(wide(name, path));
}

int windows_rename(const char *from, const char *to)
{
    wchar_t name[LONGEST], other[LONGEST];
    return MoveFileExW(wide(name, from), wide(other, to), MOVEFILE_REPLACE_EXISTING) ? 0 : -1;
}

int windows_rmdir(const char *path)
{
    wchar_t name[LONGEST];
    return _wrmdir(wide(name, path));
}

int windows_stat(const char *path, struct stat *info)
{
    wchar_t name[LONGEST];
    return wstat(wide(name, path), info);
}

int windows_unlink(const char *path)
{
    wchar_t name[LONGEST];
    return _wunlink(wide(name, path));
}

/* -- what is left out ----------------------------------------------------------------------------------------- */

/* Whether the list has "FOLDER.NAME.TEST" of "../tests/FOLDER/test_NAME.c". */
static bool is_left_out(const char *source, const char *test)
{
    char path[LONGEST], line[LONGEST], *name;
    snprintf(path, sizeof path, "%s", source);
    name = strstr(path, "/test_");
    char *folder = strstr(path, "tests/");
    if (!name || !folder) return false;
    *name = 0, path[strlen(path)] = 0;
    char wanted[LONGEST];
    snprintf(wanted, sizeof wanted, "%s.%.*s.%s ", folder + 6, (int)strcspn(name + 6, "."), name + 6, test);
    FILE *f = fopen(MOPD_TEST_LEFT_OUT, "r");
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) found = !strncmp(line, wanted, strlen(wanted));
    if (f) fclose(f);
    return found;
}

int windows_run_tests(const char *source, const char *name, const struct CMUnitTest *tests, size_t n,
    CMFixtureFunction setup, CMFixtureFunction teardown)
{
    struct CMUnitTest kept[256];
    size_t n_kept = 0;
    for (size_t i = 0; i < n && i < 256; i++)
        if (!is_left_out(source, tests[i].name)) kept[n_kept++] = tests[i];
    printf("left out on Windows: %zu\n", n - n_kept);
    return _cmocka_run_group_tests(name, kept, n_kept, setup, teardown);
}
