/* SPDX-License-Identifier: MIT
 * path.c - paths joined and taken apart. */
#include "base/path.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"

char *mo_path_join(const char *dir, const char *name)
{
    if (!*dir || *name == '/') return mo_mem_strdup(name);
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
    const size_t n = *name == '/' ? 0 : strlen(dir), n_name = strlen(name) + 1;
    const size_t slash = n && dir[n - 1] != '/' ? 1 : 0;
    memcpy(out, dir, n);
    if (slash) out[n] = '/';
    memcpy(out + n + slash, name, n_name);
    return n + slash + n_name;
}

char *mo_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return mo_mem_strdup(".");
    return slash == path ? mo_mem_strdup("/") : mo_mem_strndup(path, (size_t)(slash - path));
}

bool mo_path_stays(const char *path)
{
    if (*path == '/') return false;
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (at[0] == '.' && at[1] == '.' && (!at[2] || at[2] == '/')) return false;
    }
    return true;
}

/* The real path of what is not there: that of its folder, and its name. */
static char *real_of_missing(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    char *bare = mo_mem_strndup(path, n), *dir = bare ? mo_path_dir(bare) : NULL, *joined = NULL;
    if (dir && strcmp(dir, bare)) {
        const char *slash = strrchr(bare, '/');
        char *real = mo_path_real(dir);
        if (real) joined = mo_path_join(real, slash ? slash + 1 : bare);
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
    if (n == 1 && *folder == '/') n = 0;
    bool below = !strncmp(folder, path, n) && path[n] == '/';
    return mo_mem_strdup(below ? path + n + 1 : path);
}
