/* SPDX-License-Identifier: MIT
 * rooted.h - trees that look like the system's /proc and /sys. */
#ifndef MOPD_TESTS_SUPPORT_ROOTED_H
#define MOPD_TESTS_SUPPORT_ROOTED_H

#include <sys/stat.h>

#include "test.h"

static char root[512];

/* A tree of its own for each case. */
static void begin(const char *name)
{
    snprintf(root, sizeof root, "%s", test_path(name));
}

/* Writes a file below the root, folders too. */
static void put(const char *path, const char *text)
{
    char full[1024];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *at = full + strlen(root); (at = strchr(at + 1, '/'));) {
        *at = 0;
        mkdir(full, 0777);
        *at = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int make_root(const char *name)
{
    begin(name);
    return mkdir(root, 0777);
}

#endif
