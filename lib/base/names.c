/* SPDX-License-Identifier: MIT
 * names.c - lists of names, and the names in a folder. */
#include "base/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/os.h"
#include "base/stop.h"

mopd_status mo_names_add(mo_names *names, const char *name, size_t n_bytes)
{
    if ((names->n & (names->n - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
        char **more = mo_mem_realloc(names->name, names->n ? names->n * 2 : 1, sizeof *more);
        if (!more) return MOPD_E_NOMEM;
        names->name = more;
    }
    char *copy = mo_mem_strndup(name, n_bytes);
    if (!copy) return MOPD_E_NOMEM;
    names->name[names->n++] = copy;
    return MOPD_OK;
}

mopd_status mo_names_copy(mo_names *names, const char *const *from, size_t n)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) st = mo_names_add(names, from[i], strlen(from[i]));
    return st;
}

void mo_names_free(mo_names *names)
{
    for (size_t i = 0; i < names->n; i++) mo_mem_free(names->name[i]);
    mo_mem_free(names->name);
    *names = (mo_names){0};
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

mopd_status mo_names_dir(mo_names *names, const char *path)
{
    *names = (mo_names){0};
    mo_os_names *dir = mo_os_names_open(path);
    if (!dir) return mo_fail_errno(MOPD_E_IO, "%s: cannot list", path);
    mopd_status st = MOPD_OK;
    for (const char *name; st == MOPD_OK && (name = mo_os_names_next(dir));) {
        if ((st = mo_stop_check(MO_STOP_NAME)) != MOPD_OK) break;
        st = mo_names_add(names, name, strlen(name));
    }
    if (st == MOPD_OK && errno) st = mo_fail_errno(MOPD_E_IO, "%s: cannot list", path);
    mo_os_names_close(dir);
    if (st != MOPD_OK)
        mo_names_free(names);
    else if (names->n)
        qsort(names->name, names->n, sizeof *names->name, by_bytes);
    return st;
}
