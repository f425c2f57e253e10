/* SPDX-License-Identifier: MIT
 * builtin.c - finds the built-in model: the environment, beside the library, the installation prefix.
 *
 *     $MOPD_MODEL | LIB/../share/mopd/builtin.safetensors | LIB/../../share/... | PREFIX/share/... */
#include "model/builtin.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
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

/* The path of the file that is mapped at an address, as the lines of /proc/self/maps tell it: "from-to ... /path".
 * NULL: no such line, or no file. */
static char *mapped_path(char *maps, uintptr_t address)
{
    for (char *line = maps, *end; (end = strchr(line, '\n')); line = end + 1) {
        char *at = line;
        *end = 0;
        const unsigned long long from = strtoull(at, &at, 16),
                                 to = *at == '-' ? strtoull(at + 1, &at, 16) : 0;
        if (address >= from && address < to) return strchr(at, '/');
    }
    return NULL;
}

/* The file that this library (or the program it is linked into) was loaded from; NULL where it cannot be told.
 * The loader keeps a path as it was given: with a relative LD_LIBRARY_PATH it means another file as soon as the
 * program changes its folder, but the kernel knows the whole one. */
static mopd_status own_path(char **path)
{
    char told[MO_OS_PATH];
    mo_buf maps = {0};
    mopd_status st = MOPD_OK;
    *path = NULL;
    if (!mo_os_loaded_from(told, &here)) return MOPD_OK;
    if (!mo_path_is_whole(told)) st = mo_file_read(&maps, "/proc/self/maps", (size_t)64 << 20);
    if (st == MOPD_E_NOMEM) return st;
    const char *whole = maps.size ? mapped_path(maps.data, (uintptr_t)&here) : NULL;
    *path = mo_mem_strdup(whole ? whole : told);
    mo_buf_free(&maps);
    return *path ? MOPD_OK : MOPD_E_NOMEM;
}

static mopd_status look_beside_library(search *s)
{
    static const char *const steps[] = {
        "../share/mopd/builtin.safetensors", "../../share/mopd/builtin.safetensors", "builtin.safetensors"};
    char *library, *dir = NULL;
    mopd_status st = own_path(&library);
    if (st != MOPD_OK || !library) return st;
    if (!(dir = mo_path_dir(library))) st = MOPD_E_NOMEM;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && st == MOPD_OK && !s->found; i++)
        st = look(s, dir, steps[i]);
    mo_mem_free(dir);
    mo_mem_free(library);
    return st;
}

mopd_status mo_builtin_path(char **path)
{
    *path = NULL;
    char named[MO_OS_PATH];
    if (mo_os_setting(named, "MOPD_MODEL")) return (*path = mo_mem_strdup(named)) ? MOPD_OK : MOPD_E_NOMEM;
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
