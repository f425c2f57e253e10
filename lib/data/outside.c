/* SPDX-License-Identifier: MIT
 * outside.c - pictures that do not lie below the folder that their paths start from: a list or a store names them from the
 * top, or with "..", or a symbolic link leads out.  That may be meant, and may be somebody else's doing: it is told. */
#include <string.h>

#include "base/mem.h"
#include "base/os.h"
#include "base/path.h"
#include "base/stop.h"
#include "data/dataset.h"

/* Folders as they are without links, each looked at once where pictures of one folder stand together. */
typedef struct walk {
    char *root, *folder; /* without links */
    char *of;            /* the folder as paths have it */
} walk;

static bool is_below(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    if (n && folder[n - 1] == '/') n--;
    return !strncmp(folder, path, n) && (path[n] == '/' || !path[n]);
}

static mopd_status enter_folder(walk *w, const mo_dataset_row *row)
{
    char *root = mo_mem_strndup(row->file, (size_t)(row->path - row->file)), *of = mo_path_dir(row->file);
    if (root && of && w->of && !strcmp(of, w->of)) {
        mo_mem_free(root);
        mo_mem_free(of);
        return MOPD_OK;
    }
    mo_mem_free(w->root);
    mo_mem_free(w->folder);
    mo_mem_free(w->of);
    w->of = of;
    w->root = root ? mo_path_real(root) : NULL;
    w->folder = of ? mo_path_real(of) : NULL;
    mo_mem_free(root);
    return w->of && w->root && w->folder ? MOPD_OK : MOPD_E_NOMEM;
}

/* By what is on the disk. */
static mopd_status leads_out(walk *w, const mo_dataset_row *row, bool *out)
{
    mo_os_info info;
    mopd_status st = enter_folder(w, row);
    if (st != MOPD_OK) return st;
    *out = !is_below(w->root, w->folder);
    if (*out || !mo_os_info_link(&info, row->file) || info.kind != MO_OS_LINK) return MOPD_OK;
    char *real = mo_path_real(row->file);
    if (!real) return MOPD_E_NOMEM;
    *out = !is_below(w->root, real);
    mo_mem_free(real);
    return MOPD_OK;
}

static mopd_status tell(mo_remarks *remarks, size_t n, const char *first)
{
    return mo_remarks_addf(remarks, MOPD_REMARK_OUTSIDE, n,
        n == 1 ? "%zu picture lies outside of the data's folder: %s"
               : "%zu pictures lie outside of the data's folder: %s and others",
        n, first);
}

mopd_status mo_outside_tell(mopd_dataset *d, bool links)
{
    mo_dataset_source *s = d->source;
    walk w = {0};
    size_t n = 0;
    const char *first = NULL;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < s->n_rows && st == MOPD_OK; i++) {
        bool out = !mo_path_stays(s->row[i].path);
        st = mo_stop_check(links ? MO_STOP_NAME : MO_STOP_ENTRY);
        if (st == MOPD_OK && !out && links) st = leads_out(&w, s->row + i, &out);
        if (out && !n++) first = s->row[i].path;
    }
    mo_mem_free(w.root);
    mo_mem_free(w.folder);
    mo_mem_free(w.of);
    return st == MOPD_OK && n ? tell(&s->remarks, n, first) : st;
}
