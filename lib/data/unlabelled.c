/* SPDX-License-Identifier: MIT
 * unlabelled.c - every picture below a folder, without labels: a photo library by year and month, a pool to label.
 *
 * All pictures are of one class that says so.  What is hidden, left there by operating systems or no picture is counted
 * for mopd_dataset_get_remark; each folder is walked once, by whatever links one comes to it. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"
#include "base/places.h"
#include "base/stop.h"
#include "data/dataset.h"

#define MOST_DEEP 64

/* What a walk has found so far. */
typedef struct found {
    const char *data; /* the folder */
    mo_dataset_list list;
    mo_remarks remarks;
    mo_places seen;
} found;

static char *join(const char *below, const char *name)
{
    return *below ? mo_path_join(below, name) : mo_mem_strdup(name);
}

static mopd_status add_picture(mo_dataset_list *list, const char *below, const char *name)
{
    static char none[] = MO_DATASET_NO_LABEL;
    char *path = join(below, name);
    if (!path) return MOPD_E_NOMEM;
    mopd_status st = mo_dataset_list_add(list, &(mo_dataset_list_row){path, none, MOPD_SPLIT_NONE, 0});
    if (st != MOPD_OK) mo_mem_free(path);
    return st;
}

static mopd_status walk(found *f, const char *below, int depth);

static mopd_status visit_folder(found *f, const char *file, const char *path, int depth)
{
    bool first;
    if (depth > MOST_DEEP)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: folders are nested deeper than %d", file, MOST_DEEP);
    mopd_status st = mo_places_enter(&f->seen, file, &first);
    return st == MOPD_OK && first ? walk(f, path, depth) : st;
}

/* What stands in the folder `below` under this name, which lies at `file`. */
static mopd_status visit_what(found *f, const char *below, int depth, const char *name, const char *file)
{
    mo_file_kind kind;
    const char *path = file + strlen(file) - strlen(name) - (*below ? strlen(below) + 1 : 0);
    const char *why = mo_remarks_why(name);
    if (why) return mo_remarks_pass(&f->remarks, why, path, 1);
    const mopd_status st = mo_file_look_at(&kind, file);
    if (st != MOPD_OK) return st;
    if (kind == MO_FILE_DIR) return visit_folder(f, file, path, depth + 1);
    if (kind == MO_FILE_OTHER && mo_folder_is_picture(name)) return add_picture(&f->list, below, name);
    return mo_remarks_pass_file(&f->remarks, path);
}

/* What may not be looked at is told, and the rest goes on. */
static mopd_status visit(found *f, const char *below, int depth, const char *name)
{
    char *path = join(below, name), *file = path ? mo_path_join(f->data, path) : NULL;
    mopd_status st = file ? visit_what(f, below, depth, name, file) : MOPD_E_NOMEM;
    if (st == MOPD_E_IO)
        st = mo_remarks_addf(&f->remarks, MOPD_REMARK_UNREADABLE, 1, "%s", mo_fail_message());
    mo_mem_free(path);
    mo_mem_free(file);
    return st;
}

static mopd_status walk(found *f, const char *below, int depth)
{
    mo_names names = {0};
    char *folder = *below ? mo_path_join(f->data, below) : mo_mem_strdup(f->data);
    mopd_status st = folder ? mo_names_dir(&names, folder) : MOPD_E_NOMEM;
    for (size_t i = 0; i < names.n && st == MOPD_OK; i++) {
        st = mo_stop_check(MO_STOP_NAME);
        if (st == MOPD_OK) st = visit(f, below, depth, names.name[i]);
    }
    mo_names_free(&names);
    mo_mem_free(folder);
    return st;
}

mopd_status mo_unlabelled_open(mopd_dataset **out, const char *path, const char *root)
{
    bool first;
    found f = {.data = path};
    mopd_status st = mo_places_enter(&f.seen, path, &first);
    if (st == MOPD_OK) st = walk(&f, "", 0);
    if (st == MOPD_OK && !f.list.n)
        st = mo_fail(MOPD_E_FORMAT, "%s: no picture (.jpg, .png and so on) below this folder", path);
    if (st == MOPD_OK) st = mo_remarks_finish(&f.remarks);
    if (st == MOPD_OK) st = mo_dataset_list_build(out, &f.list, path, root ? root : path);
    if (st == MOPD_OK) {
        (*out)->source->unlabelled = true;
        (*out)->source->remarks = f.remarks;
        f.remarks = (mo_remarks){0};
    }
    mo_places_free(&f.seen);
    mo_remarks_free(&f.remarks);
    for (size_t i = 0; i < f.list.n; i++) mo_mem_free(f.list.row[i].path);
    mo_mem_free(f.list.row);
    return st;
}

/* Whether a folder holds a picture directly.  One that may not be looked at holds none that is known. */
static mopd_status holds_picture(const char *folder, bool *holds)
{
    mo_names names = {0};
    mopd_status st = mo_names_dir(&names, folder);
    if (st == MOPD_E_IO) return MOPD_OK;
    for (size_t i = 0; i < names.n && st == MOPD_OK && !*holds; i++) {
        if (mo_remarks_why(names.name[i]) || !mo_folder_is_picture(names.name[i])) continue;
        char *file = mo_path_join(folder, names.name[i]);
        st = file ? mo_stop_check(MO_STOP_NAME) : MOPD_E_NOMEM;
        *holds = file && !mo_file_is_dir(file);
        mo_mem_free(file);
    }
    mo_names_free(&names);
    return st;
}

/* Whether a folder holds a class folder with a picture; splits: or one of its folders that are splits does. */
static mopd_status holds_class(const char *folder, bool splits, bool *holds)
{
    mo_names names = {0};
    mopd_status st = mo_names_dir(&names, folder);
    for (size_t i = 0; i < names.n && st == MOPD_OK && !*holds; i++) {
        const char *name = names.name[i];
        if (mo_remarks_why(name)) continue;
        char *inner = mo_path_join(folder, name);
        const bool dir = inner && mo_file_is_dir(inner);
        st = inner ? mo_stop_check(MO_STOP_NAME) : MOPD_E_NOMEM;
        if (dir && st == MOPD_OK) st = holds_picture(inner, holds);
        if (dir && st == MOPD_OK && !*holds && splits && mo_folder_split(name) != MOPD_SPLIT_NONE)
            st = holds_class(inner, false, holds);
        mo_mem_free(inner);
    }
    mo_names_free(&names);
    return st;
}

mopd_status mo_unlabelled_tell(const char *path, bool *unlabelled)
{
    bool labelled = false;
    mopd_status st = holds_class(path, true, &labelled);
    *unlabelled = st == MOPD_OK && !labelled;
    return st;
}
