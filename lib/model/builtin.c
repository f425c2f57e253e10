/* SPDX-License-Identifier: MIT
 * builtin.c - finds the built-in model: the environment, beside the library, the installation prefix.
 *
 *     $MOPD_MODEL | LIB/../share/mopd/builtin.safetensors | LIB/../../share/... | PREFIX/share/... */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr */
#endif
#include "model/builtin.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"

#ifndef MOPD_INSTALL_DATADIR
#define MOPD_INSTALL_DATADIR "/usr/local/share"
#endif

static const char here; /* an address inside this library */

typedef struct search {
    mo_buf tried;
    char *found;
} search;

/* Takes dir/name when it is a file; otherwise notes that it was looked at. */
static mopd_status look(search *s, const char *dir, const char *name)
{
    char *path = mo_path_join(dir, name);
    if (!path) return MOPD_E_NOMEM;
    if (mo_file_exists(path)) {
        s->found = path;
        return MOPD_OK;
    }
    mopd_status st = mo_buf_addf(&s->tried, "%s%s", s->tried.size ? ", " : "", path);
    mo_mem_free(path);
    return st;
}

static mopd_status look_beside_library(search *s)
{
    static const char *const steps[] = {
        "../share/mopd/builtin.safetensors", "../../share/mopd/builtin.safetensors", "builtin.safetensors"};
    Dl_info info;
    if (!dladdr(&here, &info) || !info.dli_fname) return MOPD_OK;
    char *dir = mo_path_dir(info.dli_fname);
    if (!dir) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && st == MOPD_OK && !s->found; i++)
        st = look(s, dir, steps[i]);
    mo_mem_free(dir);
    return st;
}

mopd_status mo_builtin_path(char **path)
{
    *path = NULL;
    const char *named = getenv("MOPD_MODEL");
    if (named && *named) return (*path = mo_mem_strdup(named)) ? MOPD_OK : MOPD_E_NOMEM;
    search s = {0};
    mopd_status st = look_beside_library(&s);
    if (st == MOPD_OK && !s.found) st = look(&s, MOPD_INSTALL_DATADIR, "mopd/builtin.safetensors");
    if (st == MOPD_OK && !s.found)
        st = mo_fail(MOPD_E_IO,
            "no built-in model: looked at %s; name one with MOPD_MODEL, or make it with "
            "scripts/model.sh and install it",
            s.tried.data ? s.tried.data : "nothing");
    mo_buf_free(&s.tried);
    *path = s.found;
    return st;
}
