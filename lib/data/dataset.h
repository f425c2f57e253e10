/* SPDX-License-Identifier: MIT
 * dataset.h - what a mopd_dataset holds: some rows of a source, which all datasets made from it share.
 *
 *     source   n_rows pictures (file, split, hash), and once they are encoded n_rows x V x D floats; it never changes, and
 *              goes when the last dataset that uses it is closed
 *     dataset  n items: item i is row[i] of the source and has label[i] among C names; in the order of
 *              mo_dataset_listing_build */
#ifndef MO_DATA_DATASET_H
#define MO_DATA_DATASET_H

#include <stdatomic.h>

#include "base/mem.h"
#include "data/remarks.h"
#include "format/image_decode.h"
#include "format/safetensors.h"
#include "mopd/dataset.h"

typedef struct mo_dataset_row {
    char *file;       /* root and path; owned, or among the source's texts */
    const char *path; /* its end: the name in the data */
    int32_t split;
    uint32_t line;    /* of the CSV, 0 elsewhere */
    const char *hash; /* one of the source's, or "" */
    bool guessed;     /* nobody knows the root: it is that of a store which does not say */
} mo_dataset_row;

typedef struct mo_dataset_source {
    atomic_uint users;
    mo_dataset_row *row;
    size_t n_rows;
    char (*hash)[65];      /* of each row's file, "" until read; NULL: no file is read yet */
    char *texts;           /* all rows' files, one behind the other; NULL: each row owns its own */
    const float *features; /* n_rows x n_views x dim; in `owned` or in `file`; NULL until encoded */
    size_t n_views, dim;
    float *owned;
    mo_tensors *file;
    bool augmented, fixed; /* the views are random crops; the fixed ones */
    int32_t precision;     /* MOPD_PRECISION_... that features were made in */
    bool scaled16;         /* 16-bit grey was scaled */
    bool upright;          /* turned as EXIF says */
    bool unlabelled;       /* the one class says only that there are none */
    uint64_t seed;
    char fingerprint[65];
    char *preprocessing; /* JSON; NULL until encoded */
    mo_remarks remarks;  /* on files and pictures */
} mo_dataset_source;

struct mopd_dataset {
    mo_dataset_source *source;
    size_t n, n_classes;
    uint32_t *row;      /* n */
    int32_t *label;     /* n */
    char **name;        /* n_classes: the labels, which order and identify classes */
    char **word;        /* n_classes: what a model is to read instead; NULL: the labels are words */
    mo_remarks remarks; /* on labels; a part has none */
};

/* Several views of each picture. */
static inline bool mo_dataset_several(const mo_dataset_source *s)
{
    return s->augmented || s->fixed;
}

/* "plain", "augmented" or "fixed". */
const char *mo_dataset_views_word(bool augmented, bool fixed);

/* A source with room for n_rows and one user; hashed: and for their hashes.  mo_dataset_source_release frees it for its
 * last user. */
mopd_status mo_dataset_source_create(mo_dataset_source **out, size_t n_rows, bool hashed);
void mo_dataset_source_release(mo_dataset_source *source);

/* Sets a row's file, which is root/path, or path alone where the root is "" or the path absolute. */
mopd_status mo_dataset_row_set(mo_dataset_row *row, const char *root, const char *path, int32_t split);

/* Memory that a picture takes while a dataset is built, beside the bytes of its path and of the root: of a list, whose
 * texts stand in one block, and of a store, whose pictures have hashes. */
#define MO_DATASET_ROW_BYTES 150
#define MO_DATASET_STORED_BYTES 300
#define MO_DATASET_CLASS_BYTES 250 /* the same of a class */

/* One picture of a source.  The class name belongs to whoever found it. */
typedef struct mo_dataset_listed {
    const char *class_name;
    uint32_t row;
    uint32_t line; /* of the CSV, 0 elsewhere */
} mo_dataset_listed;

typedef struct mo_dataset_listing {
    mo_dataset_source *source; /* taken over, also on failure */
    const mo_dataset_listed *listed;
    size_t n;
    const char *const *extra; /* classes that may have no picture */
    size_t n_extra;
    const char *where; /* what lists them, for messages */
    size_t
        n_bytes; /* of the file that lists them, which classes may take no more memory than; 0: there is none */
} mo_dataset_listing;

/* A dataset over all of a source, sorted: class, file name, path, in byte order; classes are the names
 * that occur and the extra ones.  FORMAT: `where` lists one path twice; UNSUPPORTED: more classes than reading may take
 * memory for. */
mopd_status mo_dataset_listing_build(mopd_dataset **out, const mo_dataset_listing *listing);

/* One picture as a folder or a list has it.  The texts belong to whoever found it. */
typedef struct mo_dataset_list_row {
    char *path, *class_name;
    int32_t split;
    uint32_t line; /* of the CSV, 0 elsewhere */
} mo_dataset_list_row;

typedef struct mo_dataset_list {
    mo_dataset_list_row *row;
    size_t n, cap;
    size_t n_bytes; /* of the file that it is from, or 0 */
} mo_dataset_list;

mopd_status mo_dataset_list_add(mo_dataset_list *list, const mo_dataset_list_row *row);

/* Gives back the room that no row takes. */
mopd_status mo_dataset_list_trim(mo_dataset_list *list);

/* A dataset of the list; paths start from root. */
mopd_status mo_dataset_list_build(
    mopd_dataset **out, const mo_dataset_list *list, const char *where, const char *root);

/* A dataset over the same source: n items from `keep` (indices into from, ascending).  class_kept: only
 * classes with class_kept[c] set (all items kept are of those), numbered from 0. */
mopd_status mo_dataset_part(
    mopd_dataset **out, const mopd_dataset *from, const size_t *keep, size_t n, const bool *class_kept);

void mo_dataset_close(mopd_dataset *d);

/* The class of all pictures of data without labels. */
#define MO_DATASET_NO_LABEL "unlabelled"

/* A file of this name is taken for a picture: by its ending, and it is not hidden. */
bool mo_folder_is_picture(const char *name);

/* The split that a folder of this name stands for, in whatever case; MOPD_SPLIT_NONE. */
int32_t mo_folder_split(const char *name);

/* Every picture below a folder, without labels. */
mopd_status mo_unlabelled_open(mopd_dataset **out, const char *path, const char *root);

/* Whether a folder has no class folder with a picture, in splits or without. */
mopd_status mo_unlabelled_tell(const char *path, bool *unlabelled);

/* Remarks on what a dataset holds: the same picture twice (added to those of the source); its labels (anew). */
mopd_status mo_remarks_twice(mopd_dataset *d);
mopd_status mo_remarks_labels(mopd_dataset *d);

/* Remarks on pictures outside of the folder that their paths start from; links: also by way of symbolic links. */
mopd_status mo_outside_tell(mopd_dataset *d, bool links);

/* The picture of item i.  MISMATCH: its file has another content than the one that was encoded. */
mopd_status mo_picture_open(mo_image *out, const mopd_dataset *d, size_t i, const mo_image_rules *rules);

/* Gives the classes of a dataset that nobody has seen yet the names of a file: a CSV label,name, or one name a line
 * in the order of the labels.  FORMAT names file and line. */
mopd_status mo_rename_file(mopd_dataset *d, const char *path);

/* The same from a list of n names, in the order of the classes.  ARG names index and name. */
mopd_status mo_rename_list(mopd_dataset *d, const char *const *names, size_t n);

/* The same with n_classes names that the dataset takes over, or frees where st tells of a failure or the memory is
 * short.  words may be NULL after a failure. */
mopd_status mo_rename_take(mopd_dataset *d, char **words, mopd_status st);

/* Classes have the names that they have in `first`, else in `second` (NULL: nothing), where those have some. */
mopd_status mo_rename_inherit(mopd_dataset *d, const mopd_dataset *first, const mopd_dataset *second);

/* FORMAT: two labels are the same words to a model; `where` lists them. */
mopd_status mo_dataset_check_words(const mopd_dataset *d, const char *where);

/* The three kinds of data; root as in mopd_dataset_options, NULL for the default. */
mopd_status mo_folder_open(mopd_dataset **out, const char *path, const char *root);
mopd_status mo_csv_open(mopd_dataset **out, const char *path, const mopd_dataset_options *options);
mopd_status mo_store_open(mopd_dataset **out, const char *path, const char *root, bool read);

/* As the public functions of the same end. */
mopd_status mo_dataset_open(mopd_dataset **out, const char *path, const mopd_dataset_options *options);
mopd_status mo_split_select(mopd_dataset **out, const mopd_dataset *d, const mopd_selection *selection);
mopd_status mo_split_pick(
    mopd_dataset **out, const mopd_dataset *d, const size_t *indices, size_t n, bool relabel);
mopd_status mo_split_withdraw(
    mopd_dataset **out, const mopd_dataset *d, const char *path, const char *class_name);
mopd_status mo_features_encode(mopd_dataset **out, const mopd_dataset *d, const mopd_dataset *known,
    const mopd_encoder *encoder, const mopd_encode_options *options);
mopd_status mo_store_save(const mopd_dataset *d, const char *path);

/* "train", "val", "test"; the number of such a name, MOPD_SPLIT_NONE for another. */
const char *mo_dataset_split_name(int32_t split);
int32_t mo_dataset_split_find(const char *name);

/* One view of one item: D floats. */
static inline const float *mo_dataset_feature(const mopd_dataset *d, size_t i, size_t view)
{
    const mo_dataset_source *s = d->source;
    return s->features + (d->row[i] * s->n_views + view) * s->dim;
}

#endif
