/* SPDX-License-Identifier: MIT
 * windows.h - the functions of POSIX that the tests' own support needs, by those of mingw-w64, with names in UTF-8. */
#ifndef MOPD_TEST_SUPPORT_WINDOWS_H
#define MOPD_TEST_SUPPORT_WINDOWS_H

#include <dirent.h>
#include <direct.h>
#include <errno.h>
#include <io.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The C library's functions of files, with names in UTF-8: names_windows.c. */
FILE *windows_fopen(const char *path, const char *mode);
int windows_link(const char *from, const char *to);
int windows_mkdir(const char *path);
int windows_rename(const char *from, const char *to);
int windows_rmdir(const char *path);
int windows_stat(const char *path, struct stat *info);
int windows_unlink(const char *path);
#define fopen(path, mode) windows_fopen(path, mode)
#define link(from, to) windows_link(from, to)
#define lstat(path, info) windows_stat(path, info)
#define mkdir(path, mode) windows_mkdir(path)
#define rename(from, to) windows_rename(from, to)
#define rmdir(path) windows_rmdir(path)
#define stat(path, info) windows_stat(path, info)
#define unlink(path) windows_unlink(path)

#define nanosleep(time, left) usleep(1000) /* it is a millisecond wherever we wait */
#define setenv(name, value, over) _putenv_s(name, value)
#define unsetenv(name) _putenv_s(name, "")
#define malloc_usable_size(block) ((block) ? _msize(block) : 0)

/* Tests that windows.txt names are not run. */
int windows_run_tests(const char *source, const char *name, const struct CMUnitTest *tests, size_t n,
    CMFixtureFunction setup, CMFixtureFunction teardown);
#undef cmocka_run_group_tests
#define cmocka_run_group_tests(tests, setup, teardown)                                                       \
    windows_run_tests(__FILE__, #tests, tests, sizeof(tests) / sizeof(tests)[0], setup, teardown)

/* What tests in windows.txt ask for. */
static inline int windows_has_none(void)
{
    errno = ENOSYS;
    return -1;
}

static inline int fork(void)
{
    return windows_has_none();
}

static inline int geteuid(void)
{
    return 1;
}

static inline int mkfifo(const char *path, int mode)
{
    (void)path, (void)mode;
    return windows_has_none();
}

static inline int symlink(const char *from, const char *to)
{
    (void)from, (void)to;
    return windows_has_none();
}

/* A new folder beside those of other programs; the path has "/". */
static inline char *mkdtemp(char *path)
{
    const char *temp = getenv("TEMP");
    static long tries;
    char random[16];
    do {
        snprintf(random, sizeof random, "%lx", (long)(size_t)&random ^ clock() ^ (++tries << 12));
        snprintf(path, 64, "%s/mopd-test-%s", temp ? temp : ".", random);
    } while (_mkdir(path) && tries < 1000);
    for (char *slash = path; (slash = strchr(slash, '\\'));) *slash = '/';
    return path;
}
#endif
