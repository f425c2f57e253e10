/* SPDX-License-Identifier: MIT
 * dataset.h - labelled pictures, and the features of them: folders, CSV lists and feature stores as one thing.
 *
 * A dataset lists classes and pictures.  Once encoded it also holds features, n x V x D: then it is a feature
 * store, which can be saved, opened, extended and withdrawn from.  Order is always the same: classes by byte
 * order of their names, pictures by class, then file name, then path, in byte order.  A dataset never changes:
 * what narrows or extends it gives a new one that shares the features.  Any number of threads may use one. */
#ifndef MOPD_DATASET_H
#define MOPD_DATASET_H

#include "encoder.h"

MOPD_BEGIN_DECLS

typedef struct mopd_dataset mopd_dataset;

/* Splits. */
#define MOPD_SPLIT_NONE (-1) /* of a picture: the data has no splits; of a selection: all of them */
#define MOPD_SPLIT_TRAIN 0
#define MOPD_SPLIT_VAL 1
#define MOPD_SPLIT_TEST 2

/* Halves of the classes in the base-to-new protocol. */
#define MOPD_SUBSET_ALL 0
#define MOPD_SUBSET_BASE 1
#define MOPD_SUBSET_NEW 2

/* Flag of mopd_dataset_options. */
#define MOPD_DATASET_READ UINT32_C(1) /* read a store instead of mapping the file, which may then change */

/* Flag of mopd_encode_options. */
#define MOPD_ENCODE_SKIP_BAD UINT32_C(1) /* leave unreadable pictures out instead of failing */

/* Flag of mopd_dataset_pick. */
#define MOPD_PICK_RELABEL UINT32_C(1) /* drop classes without a picture and number the others from 0 */

typedef struct mopd_dataset_options {
    uint32_t struct_size;
    uint32_t flags;   /* MOPD_DATASET_READ */
    const char *root; /* folder that pictures lie in; NULL: the data folder, the folder of the CSV or store */
} mopd_dataset_options;

/* One picture.  The texts belong to the dataset. */
typedef struct mopd_item {
    uint32_t struct_size;
    int32_t label;    /* class index */
    int32_t split;    /* MOPD_SPLIT_... */
    uint32_t flags;   /* none yet: 0 */
    const char *path; /* its name in the data: "train/cat/a.jpg", or as the CSV writes it */
    const char *file; /* where it lies: root and path */
    const char *hash; /* SHA-256 of the file, 64 hexadecimal digits; "" until encoded */
} mopd_item;

typedef struct mopd_dataset_info {
    uint32_t struct_size;
    uint32_t n_classes; /* C */
    uint64_t n_items;   /* n */
    uint64_t seed;      /* of the augmented views */
    uint32_t dim;       /* D, 0 until encoded */
    uint32_t n_views;   /* V rows of features a picture, 0 until encoded */
    uint32_t
        augmented; /* 1: the views are random crops (of val and test pictures V times the plain picture) */
    uint32_t n_split[3]; /* pictures of train, val, test: all 0 when the data has no splits */
} mopd_dataset_info;

typedef struct mopd_selection {
    uint32_t struct_size;
    int32_t split;  /* MOPD_SPLIT_..., default NONE; no matter where the data has no splits */
    int32_t subset; /* MOPD_SUBSET_..., default ALL */
    uint32_t shots; /* pictures a class, drawn at random; 0: all */
    uint64_t seed;  /* of the draw, default 1 */
} mopd_selection;

/* Progress of encoding: done of total pictures; path and message of a picture that could not be read, else
 * NULL.  Called on the calling thread.  Return 0 to go on, anything else to stop with CANCELLED. */
typedef int (*mopd_encode_fn)(
    void *context, size_t done, size_t total, const char *bad_path, const char *message);

typedef struct mopd_encode_options {
    uint32_t struct_size;
    uint32_t flags;      /* MOPD_ENCODE_SKIP_BAD */
    uint32_t n_views;    /* 0: the plain picture; V: V augmented views of training pictures */
    uint32_t first_view; /* views first_view .. first_view + V - 1 of the picture's endless list */
    uint64_t seed;       /* of the views, default 1 */
    mopd_encode_fn fn;   /* may be NULL */
    void *context;       /* handed to fn */
} mopd_encode_options;

/* Fill in the defaults.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_options_init(mopd_dataset_options *options, size_t struct_size);
MOPD_API mopd_status mopd_selection_init(mopd_selection *selection, size_t struct_size);
MOPD_API mopd_status mopd_encode_options_init(mopd_encode_options *options, size_t struct_size);

/* Opens a folder DATA/[SPLIT/]CLASS/picture.{jpg,jpeg,png}, a CSV with header path,label[,split], or a feature
 * store; path tells which.  options may be NULL.  No picture is read.  IO: cannot be read; FORMAT: a class
 * without a picture, a bad CSV line, a store that lies (all named).  Close with mopd_dataset_close.
 * Since 0.1. */
MOPD_API mopd_status mopd_dataset_open(
    mopd_dataset **out, const char *path, const mopd_dataset_options *options);

/* Frees the dataset; takes NULL.  Datasets made from it stay usable.  Since 0.1. */
MOPD_API void mopd_dataset_close(mopd_dataset *dataset);

/* Fills info or item, whose struct_size the caller has set.  ARG: index beyond the last.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_get_info(const mopd_dataset *dataset, mopd_dataset_info *info);
MOPD_API mopd_status mopd_dataset_get_item(const mopd_dataset *dataset, size_t index, mopd_item *item);

/* The name of a class as folder or CSV has it, NULL beyond the last; all names, C of them.  Owned by the
 * dataset.  Since 0.1. */
MOPD_API const char *mopd_dataset_class_name(const mopd_dataset *dataset, size_t index);
MOPD_API const char *const *mopd_dataset_class_names(const mopd_dataset *dataset);

/* The labels, n; owned by the dataset.  Since 0.1. */
MOPD_API const int32_t *mopd_dataset_labels(const mopd_dataset *dataset);

/* The fingerprint of the encoder whose features these are, "" until encoded; owned by the dataset.  Since 0.1. */
MOPD_API const char *mopd_dataset_fingerprint(const mopd_dataset *dataset);

/* One view of one picture, D floats of length 1, owned by the dataset; NULL beyond the last or until encoded.
 * Since 0.1. */
MOPD_API const float *mopd_dataset_feature(const mopd_dataset *dataset, size_t index, size_t view);

/* features, n x n_views x D: some views of every picture, in the layout a trainer takes.  STATE until encoded,
 * ARG: no such view.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_gather(
    const mopd_dataset *dataset, size_t first_view, size_t n_views, float *features);

/* A part: first the split; then, where shots are asked for, a seeded draw without replacement in each class (all
 * of a class that has fewer), which depends on seed, class name and the class's pictures alone; then base, the
 * first ceil(C/2) of the classes that have training pictures, or new, the others, numbered from 0.  Data without
 * splits is its own train and test.  ARG: the data has splits, but no picture in this one; nothing is left.
 * Since 0.1. */
MOPD_API mopd_status mopd_dataset_select(
    mopd_dataset **out, const mopd_dataset *dataset, const mopd_selection *selection);

/* The n pictures of the given indices, ascending; classes stay unless MOPD_PICK_RELABEL is in flags.  ARG: an
 * index too large or not ascending.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_pick(
    mopd_dataset **out, const mopd_dataset *dataset, const size_t *indices, size_t n, uint32_t flags);

/* All but one picture, for leave-one-out loops: classes stay.  Cheap: features are shared.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_leave_out(mopd_dataset **out, const mopd_dataset *dataset, size_t index);

/* All but the picture of this path, or all but this class (the other NULL); a class without a picture goes too.
 * ARG: unknown path or class, or nothing would be left.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_withdraw(
    mopd_dataset **out, const mopd_dataset *dataset, const char *path, const char *class_name);

/* The dataset with its features.  known, an encoded dataset or NULL, is joined to it: what known holds is taken
 * from there, the rest is encoded; the result is what encoding all at once gives, bit for bit.  A dataset that
 * is encoded already passes through (n_views 0 takes what it has).  options may be NULL.
 * MISMATCH: features of another encoder, other views or seed, or a path that known has with another content or
 * class.  IO, FORMAT: an unreadable picture, named (with SKIP_BAD: a class that has no readable one).
 * CANCELLED: fn said so; *out holds what was reached then, for a later call to take up.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_encode(mopd_dataset **out, const mopd_dataset *dataset,
    const mopd_dataset *known, const mopd_encoder *encoder, const mopd_encode_options *options);

/* Writes an encoded dataset as a feature store (beside, then renamed).  STATE until encoded.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_save(const mopd_dataset *dataset, const char *path);

MOPD_END_DECLS

#endif
