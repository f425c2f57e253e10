/* SPDX-License-Identifier: MIT
 * windows.h - the functions of POSIX that the tests' own support needs, by those of mingw-w64. */
#ifndef MOPD_TEST_SUPPORT_WINDOWS_H
#define MOPD_TEST_SUPPORT_WINDOWS_H

#include <direct.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define mkdir(path, mode) _mkdir(path)
#define lstat(path, info) stat(path, info)
#define nanosleep(time, left) usleep(1000) /* it is a millisecond wherever we wait */
#define setenv(name, value, over) _putenv_s(name, value)
#define unsetenv(name) _putenv_s(name, "")
#define malloc_usable_size(block) ((block) ? _msize(block) : 0)

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
