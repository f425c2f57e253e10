/* SPDX-License-Identifier: MIT
 * folder.c - a folder of class folders as a dataset: DATA/[SPLIT/]CLASS NAME/picture.{jpg,jpeg,png}.
 *
 * The layout has splits when folders called train, val or test, or as mo_folder_split has it, hold folders and no
 * picture.  What is passed over is counted for mopd_dataset_get_remark: hidden files, what operating systems leave,
 * files of other kinds, pictures that no class folder holds.  A picture in a folder inside a class folder is refused:
 * it may be one of the class, or the class folder is none. */
#include <string.h>

#include "base/file.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"
#include "base/places.h"
#include "base/stop.h"
#include "base/words.h"
#include "data/dataset.h"
#include "format/image_decode.h"

enum { MOST_DEEP = 32 };

/* What the walk has found so far. */
typedef struct found {
    const char *data;     /* the folder */
    mo_dataset_list list; /* paths below the data folder, owned; class names of `names` */
    mo_names names;       /* every class folder met, owner of the names */
    char *split[3];       /* the folders that are splits, below the data folder; NULL: there is none */
    mo_remarks remarks;
} found;

/* One name in a folder. */
typedef struct entry {
    const char *name;
    char *path;       /* below the data folder */
    const char *file; /* the whole path */
    bool is_folder;
} entry;

typedef mopd_status (*visit_fn)(found *f, const entry *e, void *context);

bool mo_folder_is_picture(const char *name)
{
    return *name != '.' && mo_image_takes(name);
}

static mopd_status visit(found *f, const char *below, const char *name, visit_fn fn, void *context)
{
    entry e = {.name = name, .path = *below ? mo_path_join(below, name) : mo_mem_strdup(name)};
    char *file = e.path ? mo_path_join(f->data, e.path) : NULL;
    const char *why = mo_remarks_why(name);
    mopd_status st = file ? MOPD_OK : MOPD_E_NOMEM;
    e.file = file;
    mo_file_kind kind = MO_FILE_NONE;
    if (st == MOPD_OK && !why) st = mo_file_look_at(&kind, file);
    e.is_folder = kind == MO_FILE_DIR;
    if (st == MOPD_OK) st = why ? mo_remarks_pass(&f->remarks, why, e.path, 1) : fn(f, &e, context);
    mo_mem_free(file);
    mo_mem_free(e.path);
    return st;
}

/* Visits what DATA/below ("": DATA itself) holds, in byte order; what is hidden or left over is counted. */
static mopd_status walk(found *f, const char *below, visit_fn fn, void *context)
{
    mo_names names = {0};
    char *folder = *below ? mo_path_join(f->data, below) : mo_mem_strdup(f->data);
    mopd_status st = folder ? mo_names_dir(&names, folder) : MOPD_E_NOMEM;
    for (size_t i = 0; i < names.n && st == MOPD_OK; i++) {
        st = mo_stop_check(MO_STOP_NAME);
        if (st == MOPD_OK) st = visit(f, below, names.name[i], fn, context);
    }
    mo_names_free(&names);
    mo_mem_free(folder);
    return st;
}

/* -- looking before anything is taken ----------------------------------------------------------------------- */

/* Pictures and folders of a folder; with deep those of its folders too. */
typedef struct tally {
    size_t n_pictures, n_folders;
    char *first; /* path of a picture, owned */
    bool deep;
    int depth;
    mo_places seen; /* links may lead in a ring, and several of them in more ways than can be walked */
} tally;

static mopd_status tally_entry(found *f, const entry *e, void *context)
{
    tally *t = context;
    mopd_status st = MOPD_OK;
    if (e->is_folder) {
        bool first;
        t->n_folders++;
        if (!t->deep || t->depth == MOST_DEEP) return MOPD_OK;
        if ((st = mo_places_enter(&t->seen, e->file, &first)) != MOPD_OK || !first) return st;
        t->depth++;
        st = walk(f, e->path, tally_entry, t);
        t->depth--;
    } else if (mo_folder_is_picture(e->name)) {
        if (!t->n_pictures++ && !(t->first = mo_mem_strdup(e->path))) st = MOPD_E_NOMEM;
    }
    return st;
}

/* Counts without a remark.  Free t->first. */
static mopd_status tally_folder(found *f, const char *below, bool deep, tally *t)
{
    const bool off = f->remarks.off;
    bool first;
    *t = (tally){.deep = deep};
    char *folder = mo_path_join(f->data, below);
    mopd_status st = folder ? mo_places_enter(&t->seen, folder, &first) : MOPD_E_NOMEM;
    f->remarks.off = true;
    if (st == MOPD_OK) st = walk(f, below, tally_entry, t);
    f->remarks.off = off;
    mo_places_free(&t->seen);
    mo_mem_free(folder);
    return st;
}

/* -- class folders ------------------------------------------------------------------------------------------ */

static mopd_status add_picture(found *f, const char *path, int32_t split)
{
    char *own = mo_mem_strdup(path), *class_name = f->names.name[f->names.n - 1];
    if (!own) return MOPD_E_NOMEM;
    mopd_status st = mo_dataset_list_add(&f->list, &(mo_dataset_list_row){own, class_name, split, 0});
    if (st != MOPD_OK) mo_mem_free(own);
    return st;
}

/* Pictures inside a class folder's folder: they may be of the class, or the class folder may be none. */
static mopd_status refuse_inner(found *f, const entry *e, const char *picture)
{
    const char *class_name = f->names.name[f->names.n - 1];
    tally own = {0};
    char *folder = mo_path_dir(e->path);
    mopd_status st = folder ? tally_folder(f, folder, false, &own) : MOPD_E_NOMEM;
    if (st == MOPD_OK)
        st = own.n_pictures ? mo_fail(MOPD_E_FORMAT,
                                  "%s: '%s' lies in a folder inside the class folder '%s': move it up into "
                                  "the class folder, or "
                                  "list the pictures in a CSV",
                                  f->data, picture, class_name)
                            : mo_fail(MOPD_E_FORMAT,
                                  "%s: class '%s' has no picture but in folders inside it ('%s'): open the "
                                  "folder that holds the "
                                  "class folders, or list the pictures in a CSV",
                                  f->data, class_name, picture);
    mo_mem_free(own.first);
    mo_mem_free(folder);
    return st;
}

/* A folder inside a class folder may hold anything but pictures. */
static mopd_status visit_inner(found *f, const entry *e)
{
    tally t;
    mopd_status st = tally_folder(f, e->path, true, &t);
    if (st == MOPD_OK && t.n_pictures) st = refuse_inner(f, e, t.first);
    mo_mem_free(t.first);
    return st == MOPD_OK ? mo_remarks_pass(&f->remarks, MO_REMARKS_EMPTY, e->path, 1) : st;
}

static mopd_status visit_picture(found *f, const entry *e, void *context)
{
    const int32_t *split = context;
    if (e->is_folder) return visit_inner(f, e);
    if (mo_folder_is_picture(e->name)) return add_picture(f, e->path, *split);
    return mo_remarks_pass_file(&f->remarks, e->path);
}

/* A file outside of the class folders. */
static mopd_status pass_file(found *f, const entry *e)
{
    if (mo_folder_is_picture(e->name)) return mo_remarks_pass(&f->remarks, MO_REMARKS_LOOSE, e->path, 1);
    return mo_remarks_pass_file(&f->remarks, e->path);
}

static mopd_status visit_class(found *f, const entry *e, void *split)
{
    if (!e->is_folder) return pass_file(f, e);
    mopd_status st = mo_names_add(&f->names, e->name, strlen(e->name));
    return st == MOPD_OK ? walk(f, e->path, visit_picture, split) : st;
}

/* -- splits ------------------------------------------------------------------------------------------------- */

/* The split that a folder of this name may be. */
int32_t mo_folder_split(const char *name)
{
    static const struct {
        const char *name;
        int32_t split;
    } known[] = {{"train", MOPD_SPLIT_TRAIN}, {"training", MOPD_SPLIT_TRAIN}, {"val", MOPD_SPLIT_VAL},
        {"valid", MOPD_SPLIT_VAL}, {"validation", MOPD_SPLIT_VAL}, {"test", MOPD_SPLIT_TEST},
        {"testing", MOPD_SPLIT_TEST}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (mo_words_alike(name, known[i].name)) return known[i].split;
    return MOPD_SPLIT_NONE;
}

/* f->split: a folder of such a name that holds folders and no picture. */
static mopd_status find_split(found *f, const entry *e, void *context)
{
    tally t;
    (void)context;
    const int32_t split = e->is_folder ? mo_folder_split(e->name) : MOPD_SPLIT_NONE;
    if (split == MOPD_SPLIT_NONE) return MOPD_OK;
    mopd_status st = tally_folder(f, e->path, false, &t);
    const bool holds_classes = t.n_folders && !t.n_pictures;
    mo_mem_free(t.first);
    if (st != MOPD_OK || !holds_classes) return st;
    if (f->split[split])
        return mo_fail(MOPD_E_FORMAT, "%s: '%s' and '%s' are both the split %s: make them one", f->data,
            f->split[split], e->name, mo_dataset_split_name(split));
    return (f->split[split] = mo_mem_strdup(e->name)) ? MOPD_OK : MOPD_E_NOMEM;
}

/* A class folder beside the splits is refused.  Other folders are passed over, and counted where they hold pictures. */
static mopd_status visit_beside(found *f, const entry *e)
{
    tally direct, all = {0};
    mopd_status st = tally_folder(f, e->path, false, &direct);
    if (st == MOPD_OK && direct.n_pictures)
        st = mo_fail(MOPD_E_FORMAT, "%s: folder '%s' holds pictures beside the splits train, val, test",
            f->data, e->name);
    if (st == MOPD_OK) st = tally_folder(f, e->path, true, &all);
    if (st == MOPD_OK)
        st = all.n_pictures ? mo_remarks_pass(&f->remarks, MO_REMARKS_BESIDE, all.first, all.n_pictures)
                            : mo_remarks_pass(&f->remarks, MO_REMARKS_EMPTY, e->path, 1);
    mo_mem_free(direct.first);
    mo_mem_free(all.first);
    return st;
}

static mopd_status visit_split(found *f, const entry *e, void *context)
{
    (void)context;
    if (!e->is_folder) return pass_file(f, e);
    for (int32_t s = 0; s < 3; s++)
        if (f->split[s] && !strcmp(f->split[s], e->name)) return walk(f, e->path, visit_class, &s);
    return visit_beside(f, e);
}

/* -- the whole ---------------------------------------------------------------------------------------------- */

/* Every class folder must have given a picture, in one split at least.  Pictures stand in the order
 * of the folders. */
static mopd_status check_classes(const found *f)
{
    if (!f->names.n)
        return mo_fail(MOPD_E_FORMAT,
            "%s: no class folder: put the pictures of each class into a folder named for it, or name them "
            "with their labels in a CSV",
            f->data);
    mopd_status st = MOPD_OK;
    mo_lookup filled = {0}; /* classes that have a picture in some split */
    bool *empty = mo_mem_calloc(f->names.n, sizeof *empty);
    if (!empty) return MOPD_E_NOMEM;
    for (size_t i = 0, j = 0; i < f->names.n; i++) {
        size_t first = j;
        while (j < f->list.n && f->list.row[j].class_name == f->names.name[i]) j++;
        empty[i] = j == first;
    }
    if (st == MOPD_OK) st = mo_lookup_open(&filled, f->names.n);
    for (size_t i = 0; i < f->names.n && st == MOPD_OK; i++)
        if (!empty[i]) mo_lookup_add(&filled, f->names.name[i], i);
    for (size_t i = 0; i < f->names.n && st == MOPD_OK; i++) {
        if (mo_lookup_find(&filled, f->names.name[i]) == SIZE_MAX)
            st = mo_fail(MOPD_E_FORMAT, "%s: class '%s' has no picture (.jpg, .png and so on)", f->data,
                f->names.name[i]);
    }
    mo_lookup_close(&filled);
    mo_mem_free(empty);
    return st;
}

static mopd_status find(found *f)
{
    int32_t none = MOPD_SPLIT_NONE;
    f->remarks.off = true;
    mopd_status st = walk(f, "", find_split, NULL);
    f->remarks.off = false;
    if (st != MOPD_OK) return st;
    const bool splits = f->split[0] || f->split[1] || f->split[2];
    return splits ? walk(f, "", visit_split, NULL) : walk(f, "", visit_class, &none);
}

mopd_status mo_folder_open(mopd_dataset **out, const char *path, const char *root)
{
    found f = {.data = path};
    mopd_status st = find(&f);
    if (st == MOPD_OK) st = check_classes(&f);
    if (st == MOPD_OK) st = mo_remarks_finish(&f.remarks);
    if (st == MOPD_OK) st = mo_dataset_list_build(out, &f.list, path, root ? root : path);
    if (st == MOPD_OK) {
        (*out)->source->remarks = f.remarks;
        f.remarks = (mo_remarks){0};
    }
    for (size_t i = 0; i < f.list.n; i++) mo_mem_free(f.list.row[i].path);
    for (size_t s = 0; s < 3; s++) mo_mem_free(f.split[s]);
    mo_mem_free(f.list.row);
    mo_names_free(&f.names);
    mo_remarks_free(&f.remarks);
    return st;
}
