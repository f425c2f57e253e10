/* SPDX-License-Identifier: MIT
 * path.c - paths joined and taken apart. */
#include "base/path.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"

#if MO_OS_DRIVES
static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* Of "C:" at the beginning. */
static size_t drive_bytes(const char *path)
{
    const char letter = (char)(*path | 32);
    return letter >= 'a' && letter <= 'z' && path[1] == ':' ? 2 : 0;
}
#else
static bool is_slash(char c)
{
    return c == '/';
}

static size_t drive_bytes(const char *path)
{
    (void)path;
    return 0;
}
#endif

/* Bytes of what a path from the top begins with, "/" or "C:/"; 0 for another path. */
static size_t top_bytes(const char *path)
{
    const size_t drive = drive_bytes(path);
    return drive + is_slash(path[drive]);
}

bool mo_path_is_whole(const char *path)
{
    return top_bytes(path) > 0;
}

const char *mo_path_name(const char *path)
{
    const char *name = path + top_bytes(path);
    for (const char *at = name; *at; at++)
        if (is_slash(*at)) name = at + 1;
    return name;
}

char *mo_path_join(const char *dir, const char *name)
{
    if (!*dir || top_bytes(name)) return mo_mem_strdup(name);
    char *joined = mo_mem_alloc(mo_path_join_bytes(dir, name), 1);
    if (joined) mo_path_join_to(joined, dir, name);
    return joined;
}

size_t mo_path_join_bytes(const char *dir, const char *name)
{
    return strlen(dir) + strlen(name) + 2;
}

size_t mo_path_join_to(char *out, const char *dir, const char *name)
{
    const size_t n = top_bytes(name) ? 0 : strlen(dir), n_name = strlen(name) + 1;
    const size_t slash = n && !is_slash(dir[n - 1]) ? 1 : 0;
    memcpy(out, dir, n);
    if (slash) out[n] = '/';
    memcpy(out + n + slash, name, n_name);
    return n + slash + n_name;
}

char *mo_path_dir(const char *path)
{
    const size_t top = top_bytes(path), before = (size_t)(mo_path_name(path) - path);
    if (!before) return mo_mem_strdup(".");
    return mo_mem_strndup(path, before > top ? before - 1 : top);
}

bool mo_path_stays(const char *path)
{
    if (top_bytes(path)) return false;
    for (const char *at = path; *at; at++) {
        const bool begins = at == path || is_slash(at[-1]);
        if (begins && at[0] == '.' && at[1] == '.' && (!at[2] || is_slash(at[2]))) return false;
    }
    return true;
}

/* The real path of what is not there: that of its folder, and its name. */
static char *real_of_missing(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && is_slash(path[n - 1])) n--;
    char *bare = mo_mem_strndup(path, n), *dir = bare ? mo_path_dir(bare) : NULL, *joined = NULL;
    if (dir && strcmp(dir, bare)) {
        char *real = mo_path_real(dir);
        if (real) joined = mo_path_join(real, mo_path_name(bare));
        mo_mem_free(real);
    } else if (dir) {
        joined = mo_mem_strdup(bare);
    }
    mo_mem_free(dir);
    mo_mem_free(bare);
    return joined;
}

char *mo_path_real(const char *path)
{
    char real[MO_OS_PATH];
    return mo_os_real(real, *path ? path : ".") ? mo_mem_strdup(real) : real_of_missing(path);
}

char *mo_path_below(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    if (!strcmp(folder, path)) return mo_mem_strdup("");
    if (n && folder[n - 1] == '/') n--;
    bool below = !strncmp(folder, path, n) && path[n] == '/';
    return mo_mem_strdup(below ? path + n + 1 : path);
}
