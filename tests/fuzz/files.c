/* SPDX-License-Identifier: MIT
 * files.c - inputs as files and folders, for readers that take paths.
 *
 * They lie in a folder of this process under TMPDIR, which is removed when the process ends. */
#define _GNU_SOURCE
#include "files.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static char room[256];

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void remove_room(void)
{
    remove_tree(room);
}

/* name in a temporary folder of this process, which is removed at its end. */
static const char *path_of(const char *name)
{
    static char path[512];
    if (!*room) {
        const char *parent = getenv("TMPDIR");
        snprintf(room, sizeof room, "%s/mopd-fuzz-XXXXXX", parent ? parent : "/tmp");
        FUZZ_MUST(mkdtemp(room));
        atexit(remove_room);
    }
    snprintf(path, sizeof path, "%s/%s", room, name);
    return path;
}

static void write_file(const char *path, const uint8_t *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    FUZZ_MUST(f);
    FUZZ_MUST(fwrite(data, 1, n, f) == n);
    FUZZ_MUST(!fclose(f));
}

const char *fuzz_file(const uint8_t *data, size_t n)
{
    const char *path = path_of("input");
    write_file(path, data, n);
    return path;
}

const char *fuzz_beside(const char *name)
{
    static char paths[2][512], *path = paths[0];
    path = path == paths[0] ? paths[1] : paths[0];
    snprintf(path, sizeof paths[0], "%s", path_of(name));
    return path;
}

void fuzz_same(const char *first, const char *second)
{
    FILE *a = fopen(first, "rb"), *b = fopen(second, "rb");
    int c;
    FUZZ_MUST(a && b);
    do {
        c = getc(a);
        FUZZ_MUST(c == getc(b));
    } while (c != EOF);
    fclose(a);
    fclose(b);
}

const char *fuzz_base(const char *name)
{
    static char paths[2][512], *path = paths[0];
    path = path == paths[0] ? paths[1] : paths[0];
    snprintf(path, sizeof paths[0], "%s/%s", MOPD_FUZZ_BASE, name);
    return path;
}

int fuzz_folder_line(const fuzz_folder *folder, const uint8_t *data, size_t n, size_t *n_line)
{
    for (size_t i = 0; i < folder->n_names && n > 2 && data[0] == '@' && data[1] == '@'; i++) {
        size_t length = strlen(folder->names[i]);
        if (n < length + 3 || memcmp(data + 2, folder->names[i], length) || data[2 + length] != '\n')
            continue;
        *n_line = length + 3;
        return (int)i;
    }
    return -1;
}

/* Makes a file be that of the base folder, where that has one. */
static void link_base(const fuzz_folder *folder, const char *name)
{
    char from[600];
    unlink(path_of(name));
    if (!folder->base) return;
    snprintf(from, sizeof from, "%s/%s", fuzz_base(folder->base), name);
    if (!access(from, R_OK)) FUZZ_MUST(!symlink(from, path_of(name)));
}

const char *fuzz_folder_write(const fuzz_folder *folder, const uint8_t *data, size_t n)
{
    static bool is_base[FUZZ_MOST_FILES]; /* since the input before */
    bool given[FUZZ_MOST_FILES] = {false};
    FUZZ_MUST(folder->n_names <= FUZZ_MOST_FILES);
    for (size_t at = 0, n_line = 0; at < n;) {
        int file = fuzz_folder_line(folder, data + at, n - at, &n_line);
        size_t from = at += file < 0 ? 1 : n_line, next;
        while (at < n && fuzz_folder_line(folder, data + at, n - at, &next) < 0) at++;
        if (file < 0 || given[file]) continue;
        given[file] = true;
        unlink(path_of(folder->names[file]));
        if (at - from != 1 || data[from] != '-')
            write_file(path_of(folder->names[file]), data + from, at - from);
    }
    for (size_t i = 0; i < folder->n_names; i++) {
        if (!given[i] && !is_base[i]) link_base(folder, folder->names[i]);
        is_base[i] = !given[i];
    }
    path_of("");
    return room;
}

const char *fuzz_folder_empty(void)
{
    static char folder[512];
    if (*folder) remove_tree(folder);
    snprintf(folder, sizeof folder, "%s", path_of("folder"));
    FUZZ_MUST(!mkdir(folder, 0700));
    return folder;
}
