/* SPDX-License-Identifier: MIT
 * unlabelled.c - every picture below a folder, without labels: a photo library by year and month, a pool to label.
 *
 * All pictures are of one class that says so.  What is hidden, left there by operating systems or no picture is counted
 * for mopd_dataset_get_remark; a folder that leads back to one that it lies in is passed over. */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"
#include "data/dataset.h"

#define MOST_DEEP 64

/* A folder that is being walked, and those that it lies in. */
typedef struct level {
    const struct level *above;
    const char *path;  /* below the data folder, "" for itself */
    struct stat about; /* of the folder */
    int depth;
    mo_remarks *remarks;
} level;

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

static bool is_walked_already(const level *l, const struct stat *about)
{
    for (; l; l = l->above) {
        if (l->about.st_dev == about->st_dev && l->about.st_ino == about->st_ino) return true;
    }
    return false;
}

static mopd_status walk(mo_dataset_list *list, const char *data, const level *l);

/* What stands in a folder under this name. */
static mopd_status visit(mo_dataset_list *list, const char *data, const level *l, const char *name)
{
    level inner = {.above = l, .depth = l->depth + 1, .remarks = l->remarks};
    char *path = join(l->path, name), *file = path ? mo_path_join(data, path) : NULL;
    mopd_status st = file ? MOPD_OK : MOPD_E_NOMEM;
    const bool there = file && !stat(file, &inner.about);
    const char *why = mo_remarks_why(name);
    inner.path = path;
    if (st == MOPD_OK && why) {
        st = mo_remarks_pass(l->remarks, why, path, 1);
    } else if (there && S_ISDIR(inner.about.st_mode)) {
        if (inner.depth > MOST_DEEP)
            st = mo_fail(MOPD_E_UNSUPPORTED, "%s: folders are nested deeper than %d", file, MOST_DEEP);
        else if (!is_walked_already(l, &inner.about))
            st = walk(list, data, &inner);
    } else if (there && mo_folder_is_picture(name)) {
        st = add_picture(list, l->path, name);
    } else if (st == MOPD_OK) {
        st = mo_remarks_pass_file(l->remarks, path);
    }
    mo_mem_free(path);
    mo_mem_free(file);
    return st;
}

static mopd_status walk(mo_dataset_list *list, const char *data, const level *l)
{
    mo_names names = {0};
    char *folder = *l->path ? mo_path_join(data, l->path) : mo_mem_strdup(data);
    mopd_status st = folder ? mo_names_dir(&names, folder) : MOPD_E_NOMEM;
    for (size_t i = 0; i < names.n && st == MOPD_OK; i++) st = visit(list, data, l, names.name[i]);
    mo_names_free(&names);
    mo_mem_free(folder);
    return st;
}

mopd_status mo_unlabelled_open(mopd_dataset **out, const char *path, const char *root)
{
    mo_dataset_list list = {0};
    mo_remarks remarks = {0};
    level top = {.path = "", .remarks = &remarks};
    mopd_status st = stat(path, &top.about) ? mo_fail_errno(MOPD_E_IO, "%s: cannot list", path) : MOPD_OK;
    if (st == MOPD_OK) st = walk(&list, path, &top);
    if (st == MOPD_OK && !list.n)
        st = mo_fail(MOPD_E_FORMAT, "%s: no picture (.jpg, .png and so on) below this folder", path);
    if (st == MOPD_OK) st = mo_remarks_finish(&remarks);
    if (st == MOPD_OK) st = mo_dataset_list_build(out, &list, path, root ? root : path);
    if (st == MOPD_OK) {
        (*out)->source->unlabelled = true;
        (*out)->source->remarks = remarks;
        remarks = (mo_remarks){0};
    }
    mo_remarks_free(&remarks);
    for (size_t i = 0; i < list.n; i++) mo_mem_free(list.row[i].path);
    mo_mem_free(list.row);
    return st;
}

/* Whether a folder holds a picture directly. */
static mopd_status holds_picture(const char *folder, bool *holds)
{
    mo_names names = {0};
    mopd_status st = mo_names_dir(&names, folder);
    for (size_t i = 0; i < names.n && st == MOPD_OK && !*holds; i++) {
        if (mo_remarks_why(names.name[i]) || !mo_folder_is_picture(names.name[i])) continue;
        char *file = mo_path_join(folder, names.name[i]);
        if (!file) st = MOPD_E_NOMEM;
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
        if (!inner) st = MOPD_E_NOMEM;
        if (dir) st = holds_picture(inner, holds);
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
