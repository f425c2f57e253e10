/* SPDX-License-Identifier: MIT
 * path.c - paths joined and taken apart. */
#include "base/path.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

char *mo_path_join(const char *dir, const char *name)
{
    if (!*dir || *name == '/') return mo_mem_strdup(name);
    size_t n = strlen(dir);
    mo_buf buf = {0};
    mopd_status st = mo_buf_addf(&buf, dir[n - 1] == '/' ? "%s%s" : "%s/%s", dir, name);
    if (st != MOPD_OK) mo_buf_free(&buf);
    return mo_buf_take(&buf);
}

char *mo_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return mo_mem_strdup(".");
    return slash == path ? mo_mem_strdup("/") : mo_mem_strndup(path, (size_t)(slash - path));
}
