/* SPDX-License-Identifier: MIT
 * hub_cache.c - follows refs/main, or takes the only snapshot. */
#include "model/layouts/hub_cache.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"

#define LONGEST 256 /* bytes of refs/main */

/* The snapshot that refs/main names; NULL: the file is not there or names no folder. */
static mopd_status named(char **out, const char *path, const char *snapshots)
{
    mo_buf text = {0};
    char *ref = mo_path_join(path, "refs/main");
    if (!ref) return MOPD_E_NOMEM;
    mopd_status st = mo_file_exists(ref) ? mo_file_read(&text, ref, LONGEST) : MOPD_OK;
    mo_mem_free(ref);
    if (st != MOPD_OK || !text.size) return st;
    if (st == MOPD_OK && text.size) {
        text.data[strcspn(text.data, "\r\n/")] = 0;
        if (*text.data && *text.data != '.' && !(*out = mo_path_join(snapshots, text.data)))
            st = MOPD_E_NOMEM;
    }
    mo_buf_free(&text);
    if (*out && !mo_file_is_dir(*out)) {
        mo_mem_free(*out);
        *out = NULL;
    }
    return st;
}

static mopd_status only(char **out, const char *snapshots)
{
    mo_names names = {0};
    mopd_status st = mo_names_dir(&names, snapshots);
    if (st != MOPD_OK) return st;
    if (names.n == 1)
        st = (*out = mo_path_join(snapshots, names.name[0])) ? MOPD_OK : MOPD_E_NOMEM;
    else if (names.n == 0)
        st = mo_fail(MOPD_E_IO, "%s: a cache of Hugging Face's hub without a snapshot", snapshots);
    else
        st = mo_fail(MOPD_E_FORMAT, "%s: %s or %s: refs/main names neither; give the snapshot's folder",
            snapshots, names.name[0], names.name[1]);
    mo_names_free(&names);
    return st;
}

mopd_status mo_hub_cache_find(char **out, const char *path)
{
    *out = NULL;
    char *snapshots = mo_path_join(path, "snapshots");
    if (!snapshots) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    if (mo_file_is_dir(snapshots)) st = named(out, path, snapshots);
    if (mo_file_is_dir(snapshots) && st == MOPD_OK && !*out) st = only(out, snapshots);
    mo_mem_free(snapshots);
    return st;
}
