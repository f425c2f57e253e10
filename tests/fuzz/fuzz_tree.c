/* SPDX-License-Identifier: MIT
 * fuzz_tree.c - a tree of folders and files, whose names the input makes, as a data set.
 *
 * Each line of the input is the path of a file.  The files are empty: a data set reads names alone when it opens. */
#define _GNU_SOURCE
#include "dataset.h"
#include "files.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILES 32
#define MAX_PATH 200

/* Whether a part of the path leads outside or is nothing. */
static bool is_bad(const char *path)
{
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        size_t n = strcspn(part, "/");
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.')) return true;
    }
    return false;
}

/* Makes the folders above a path and the file itself; what cannot be made is left out. */
static void make_file(const char *root, char *path)
{
    char full[MAX_PATH + 600];
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        snprintf(full, sizeof full, "%s/%s", root, path);
        mkdir(full, 0700);
        *slash = '/';
    }
    snprintf(full, sizeof full, "%s/%s", root, path);
    FILE *f = fopen(full, "wb");
    if (f) fclose(f);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    const char *root = fuzz_folder_empty();
    const char *at = (const char *)data, *end = at + n;
    for (int i = 0; i < MAX_FILES && at < end; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        char path[MAX_PATH] = {0};
        if (length < sizeof path) memcpy(path, at, length);
        if (!is_bad(path)) make_file(root, path);
        at += length + 1;
    }
    fuzz_dataset_open(root);
}
