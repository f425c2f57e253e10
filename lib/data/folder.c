/* SPDX-License-Identifier: MIT
 * folder.c - a folder of class folders as a dataset: DATA/[SPLIT/]CLASS NAME/picture.{jpg,jpeg,png}.
 *
 * The layout has splits when one of train, val, test holds folders and no picture.  Names that begin with
 * a dot, files of other kinds and folders inside a class folder are passed over. */
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"
#include "data/dataset.h"

/* What the walk has found so far. */
typedef struct found {
    mo_dataset_list list; /* paths below the data folder, owned; class names of `names` */
    mo_names names;       /* every class folder met, owner of the names */
} found;

bool mo_folder_is_picture(const char *name)
{
    const char *dot = strrchr(name, '.');
    return *name != '.' && dot &&
           (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png"));
}

/* How many pictures and folders a folder holds directly. */
static mopd_status look_inside(const char *folder, size_t *n_pictures, size_t *n_folders)
{
    mo_names names = {0};
    mopd_status st = mo_names_dir(&names, folder);
    *n_pictures = *n_folders = 0;
    for (size_t i = 0; i < names.n && st == MOPD_OK; i++) {
        if (names.name[i][0] == '.') continue;
        char *inner = mo_path_join(folder, names.name[i]);
        if (!inner)
            st = MOPD_E_NOMEM;
        else if (mo_file_is_dir(inner))
            ++*n_folders;
        else
            *n_pictures += mo_folder_is_picture(names.name[i]);
        mo_mem_free(inner);
    }
    mo_names_free(&names);
    return st;
}

static mopd_status add_picture(found *f, const char *class_path, const char *name, int32_t split)
{
    char *path = mo_path_join(class_path, name);
    if (!path) return MOPD_E_NOMEM;
    char *class_name = f->names.name[f->names.n - 1];
    mopd_status st = mo_dataset_list_add(&f->list, &(mo_dataset_list_row){path, class_name, split, 0});
    if (st != MOPD_OK) mo_mem_free(path);
    return st;
}

/* All pictures of DATA/below, a class folder named class_name. */
static mopd_status walk_class(
    found *f, const char *data, const char *below, const char *class_name, int32_t split)
{
    mo_names names = {0};
    char *folder = mo_path_join(data, below);
    mopd_status st = folder ? mo_names_add(&f->names, class_name, strlen(class_name)) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_names_dir(&names, folder);
    for (size_t i = 0; i < names.n && st == MOPD_OK; i++) {
        if (!mo_folder_is_picture(names.name[i])) continue;
        char *file = mo_path_join(folder, names.name[i]);
        if (!file)
            st = MOPD_E_NOMEM;
        else if (!mo_file_is_dir(file))
            st = add_picture(f, below, names.name[i], split);
        mo_mem_free(file);
    }
    mo_names_free(&names);
    mo_mem_free(folder);
    return st;
}

/* All class folders of DATA/below ("": DATA itself). */
static mopd_status walk_split(found *f, const char *data, const char *below, int32_t split)
{
    mo_names names = {0};
    char *folder = *below ? mo_path_join(data, below) : mo_mem_strdup(data);
    mopd_status st = folder ? mo_names_dir(&names, folder) : MOPD_E_NOMEM;
    for (size_t i = 0; i < names.n && st == MOPD_OK; i++) {
        if (names.name[i][0] == '.') continue;
        char *inner = mo_path_join(folder, names.name[i]);
        char *path = *below ? mo_path_join(below, names.name[i]) : mo_mem_strdup(names.name[i]);
        if (!inner || !path)
            st = MOPD_E_NOMEM;
        else if (mo_file_is_dir(inner))
            st = walk_class(f, data, path, names.name[i], split);
        mo_mem_free(inner);
        mo_mem_free(path);
    }
    mo_names_free(&names);
    mo_mem_free(folder);
    return st;
}

/* has[s]: DATA/train, val, test is there, with folders inside and no picture. */
static mopd_status find_splits(const char *data, bool has[3])
{
    mopd_status st = MOPD_OK;
    for (int32_t s = 0; s < 3 && st == MOPD_OK; s++) {
        has[s] = false;
        char *folder = mo_path_join(data, mo_dataset_split_name(s));
        if (!folder) return MOPD_E_NOMEM;
        size_t n_pictures, n_folders;
        if (mo_file_is_dir(folder)) {
            st = look_inside(folder, &n_pictures, &n_folders);
            has[s] = n_folders && !n_pictures;
        }
        mo_mem_free(folder);
    }
    return st;
}

/* A folder of pictures beside train, val and test is refused: its pictures would be left out without a word. */
static mopd_status check_beside_splits(const char *data)
{
    mo_names names = {0};
    mopd_status st = mo_names_dir(&names, data);
    for (size_t i = 0; i < names.n && st == MOPD_OK; i++) {
        const char *name = names.name[i];
        if (*name == '.' || mo_dataset_split_find(name) != MOPD_SPLIT_NONE) continue;
        char *folder = mo_path_join(data, name);
        size_t n_pictures = 0, n_folders;
        if (!folder)
            st = MOPD_E_NOMEM;
        else if (mo_file_is_dir(folder))
            st = look_inside(folder, &n_pictures, &n_folders);
        if (st == MOPD_OK && n_pictures)
            st = mo_fail(MOPD_E_FORMAT, "%s: folder '%s' holds pictures beside the splits train, val, test",
                data, name);
        mo_mem_free(folder);
    }
    mo_names_free(&names);
    return st;
}

/* Every class folder must have given a picture, in one split at least.  Pictures stand in the order
 * of the folders. */
static mopd_status check_classes(const found *f, const char *data)
{
    if (!f->names.n) return mo_fail(MOPD_E_FORMAT, "%s: no class folder", data);
    mopd_status st = MOPD_OK;
    bool *empty = mo_mem_calloc(f->names.n, sizeof *empty);
    if (!empty) return MOPD_E_NOMEM;
    for (size_t i = 0, j = 0; i < f->names.n; i++) {
        size_t first = j;
        while (j < f->list.n && f->list.row[j].class_name == f->names.name[i]) j++;
        empty[i] = j == first;
    }
    for (size_t i = 0; i < f->names.n && st == MOPD_OK; i++) {
        bool elsewhere = !empty[i];
        for (size_t k = 0; k < f->names.n && !elsewhere; k++) {
            elsewhere = !empty[k] && !strcmp(f->names.name[i], f->names.name[k]);
        }
        if (!elsewhere)
            st = mo_fail(
                MOPD_E_FORMAT, "%s: class '%s' has no picture (.jpg, .jpeg, .png)", data, f->names.name[i]);
    }
    mo_mem_free(empty);
    return st;
}

mopd_status mo_folder_open(mopd_dataset **out, const char *path, const char *root)
{
    found f = {0};
    bool has[3];
    mopd_status st = find_splits(path, has);
    if (st == MOPD_OK && (has[0] || has[1] || has[2])) {
        st = check_beside_splits(path);
        for (int32_t s = 0; s < 3 && st == MOPD_OK; s++) {
            if (has[s]) st = walk_split(&f, path, mo_dataset_split_name(s), s);
        }
    } else if (st == MOPD_OK) {
        st = walk_split(&f, path, "", MOPD_SPLIT_NONE);
    }
    if (st == MOPD_OK) st = check_classes(&f, path);
    if (st == MOPD_OK) st = mo_dataset_list_build(out, &f.list, path, root ? root : path);
    for (size_t i = 0; i < f.list.n; i++) mo_mem_free(f.list.row[i].path);
    mo_mem_free(f.list.row);
    mo_names_free(&f.names);
    return st;
}
