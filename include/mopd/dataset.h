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

/* Flags of mopd_dataset_options. */
#define MOPD_DATASET_READ UINT32_C(1) /* read a store instead of mapping the file, which may then change */
#define MOPD_DATASET_UNLABELLED                                                                              \
    UINT32_C(2) /* take every picture below a folder, or of a list, without labels */
#define MOPD_DATASET_MAY_LACK_LABELS UINT32_C(4) /* the same where there are no class folders, or no labels */

/* Flags of mopd_encode_options. */
#define MOPD_ENCODE_SKIP_BAD UINT32_C(1) /* leave unreadable pictures out instead of failing */
#define MOPD_ENCODE_SYNC UINT32_C(2)     /* the result is what the data is, known only saves encoding */
#define MOPD_ENCODE_FIXED UINT32_C(4)    /* n_views of the fixed views, not random crops */

/* Flag of mopd_dataset_pick. */
#define MOPD_PICK_RELABEL UINT32_C(1) /* drop classes without a picture and number the others from 0 */

typedef struct mopd_dataset_options {
    uint32_t struct_size;
    /* None by default.  MOPD_DATASET_READ reads a store into memory where the file may change while it is open.
     * MOPD_DATASET_UNLABELLED takes every picture below a folder, however its folders are nested, or of a CSV,
     * whose column label is then passed over: all of one class, "unlabelled".  MOPD_DATASET_MAY_LACK_LABELS does so
     * only where a folder has no class folder with pictures, or a CSV no column label; mopd_dataset_info tells.  What
     * a store says of its labels stays. */
    uint32_t flags;
    /* Folder that the paths in a CSV or store start from.  NULL, the default: the data folder, or the folder of
     * the CSV; of a store, the folders that it remembers, or its own where it remembers none.  Set it when the
     * pictures have moved, or pictures and list lie apart. */
    const char *root;
    /* File that gives words to labels that are numbers or ids: a CSV label,name, or one name a line in the order of the
     * labels (by value where all are whole numbers).  NULL, the default: prompts read the labels.  Labels still order
     * and identify the classes, so draws, halves and stores are the same with and without. */
    const char *names;
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

/* Kinds of mopd_remark. */
#define MOPD_REMARK_PASSED_OVER 1  /* files or folders were passed over: one remark for each kind of them */
#define MOPD_REMARK_TWO_CLASSES 2  /* pictures of the same content are in two classes */
#define MOPD_REMARK_TWO_SPLITS 3   /* pictures of the same content are in two splits */
#define MOPD_REMARK_LABELS 4       /* labels are numbers or ids, and no names were given */
#define MOPD_REMARK_SAME_CLASSES 5 /* names of two classes are the same words to a model */
#define MOPD_REMARK_CUT_WHITE                                                                                \
    6 /* 16-bit grey above 255 was read as white, as Pillow reads it; told when encoded */

#define MOPD_REMARK_OUTSIDE                                                                                  \
    7 /* pictures lie outside of the folder that paths start from: named from the top or with "..", or behind a link */
#define MOPD_REMARK_UNREADABLE                                                                               \
    8 /* a folder, or what stands in one, may not be looked at, and data without labels go on: one for each */

/* What a user should be told of data that opened all the same. */
typedef struct mopd_remark {
    uint32_t struct_size;
    int32_t kind; /* MOPD_REMARK_... */
    uint64_t n;   /* of files, pictures or classes that it is about */
    const char
        *text; /* a sentence without full stop that names one or a few of them; belongs to the dataset */
} mopd_remark;

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
    uint32_t unlabelled; /* 1: there are no labels, and the one class "unlabelled" stands for that */
    uint32_t quantized;  /* MOPD_PRECISION_... that the features were computed with: F32 0, BF16 1, INT8 3 */
    uint32_t upright;    /* 1: the pictures were turned as EXIF says (MOPD_OPEN_UPRIGHT) */
    uint32_t scaled16;   /* 1: 16-bit grey was read over its whole range (MOPD_OPEN_SCALE_GREY16) */
    uint32_t fixed; /* 1: the views are the fixed ones (of val and test pictures V times the plain picture) */
    uint32_t reserved; /* 0 */
} mopd_dataset_info;

typedef struct mopd_selection {
    uint32_t struct_size; /* set by mopd_selection_init */
    /* MOPD_SPLIT_...: which pictures; NONE, the default, takes all.  Data without splits is taken whole whatever is asked. */
    int32_t split;
    /* MOPD_SUBSET_...: which half of the classes, for the base-to-new protocol; ALL by default. */
    int32_t subset;
    /* Pictures of each class, drawn without replacement; 0, the default: all.  A class that has fewer gives what it has. */
    uint32_t shots;
    /* Decides the draw, 1 by default: the same seed draws the same pictures of a class whatever other classes there are. */
    uint64_t seed;
} mopd_selection;

/* Progress of encoding: done of total pictures; path and message of a picture that could not be read, else
 * NULL.  Called on the calling thread.  Return 0 to go on, anything else to stop with CANCELLED. */
typedef int (*mopd_encode_fn)(
    void *context, size_t done, size_t total, const char *bad_path, const char *message);

/* What an encoding did.  Set struct_size to the sizeof before the call. */
typedef struct mopd_encode_counts {
    uint32_t struct_size;
    uint32_t flags;       /* none yet: 0 */
    uint64_t n_encoded;   /* pictures that went through the tower */
    uint64_t n_resumed;   /* taken from the journal of a call that did not come to its end */
    uint64_t n_known;     /* taken from known, in its place */
    uint64_t n_moved;     /* taken from known, where they have another path, class or split */
    uint64_t n_withdrawn; /* of known, left out because the data has them no more (MOPD_ENCODE_SYNC) */
    uint64_t n_gone;      /* of known, kept, though neither the data nor the disk has them */
    uint64_t n_bad;       /* could not be read */
} mopd_encode_counts;

typedef struct mopd_encode_options {
    uint32_t struct_size; /* set by mopd_encode_options_init */
    /* None by default: an unreadable picture ends the call, and pictures that known holds stay.
     * MOPD_ENCODE_SKIP_BAD leaves unreadable ones out, reported to fn.  MOPD_ENCODE_SYNC makes the result what the
     * data is: what has moved is found by its content and has the class, split and path of the data, what the data
     * no longer has is left out; use it where the data is all that the store is made of.  MOPD_ENCODE_FIXED encodes the
     * first n_views, 1 to MOPD_FIXED_VIEWS, of the fixed views of each training picture instead of random crops: for
     * recognisers, which learn more from them. */
    uint32_t flags;
    /* 0, the default: each picture as it is tested, encoded once.  V: that many random crops of each training
     * picture, which makes training with augmentation possible and takes V times as long. */
    uint32_t n_views;
    /* Views first_view .. first_view + V - 1 of a picture's endless list, 0 by default: for encoding more of them later. */
    uint32_t first_view;
    /* Decides the crops, 1 by default. */
    uint64_t seed;
    /* Told of each picture; NULL, the default: nobody is.  context is handed to it. */
    mopd_encode_fn fn;
    void *context;
    /* Filled with what was done, also where the call is cancelled; NULL, the default: nothing is. */
    mopd_encode_counts *counts;
    /* A file that keeps what is encoded while the call runs, so that a program that is killed loses some
     * pictures and not all.  NULL, the default: none.  It is made where it is missing.  One of the same encoder, views
     * and seed is gone on from, whichever data it was for; the features are the same bits.  It is left there, unless
     * it holds no picture: remove it once the result is saved.  Set it for more pictures than you would encode twice. */
    const char *journal;
} mopd_encode_options;

/* Fill in the defaults, as far as the caller's struct of struct_size bytes reaches.  ARG: a size below that of
 * the first release.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_options_init(mopd_dataset_options *options, size_t struct_size);
MOPD_API mopd_status mopd_selection_init(mopd_selection *selection, size_t struct_size);
MOPD_API mopd_status mopd_encode_options_init(mopd_encode_options *options, size_t struct_size);

/* Opens a folder DATA/[SPLIT/]CLASS/picture.{jpg,jpeg,png}, a CSV with header path,label[,split], or a feature
 * store; what lies at path tells which.  Folders train, val and test (also training, valid, validation and testing, in
 * upper or lower case) that hold class folders are splits, and no class folder may stand beside them.  Data without
 * labels needs a flag of the options.  What is passed over is told by mopd_dataset_get_remark.  No picture is read yet,
 * so that a million of them open in
 * seconds.  options may be NULL.
 *
 * IO: cannot be read; FORMAT: a class without a picture, a picture in a folder inside a class folder, a bad CSV line,
 * a path listed twice, two classes that are the same words to a model (mopd_classes_check), a file of names that does
 * not fit, a store that lies (all named, with their line or place).  *out is NULL on failure.  Close with mopd_dataset_close.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_open(
    mopd_dataset **out, const char *path, const mopd_dataset_options *options);

/* Frees the dataset; takes NULL.  Datasets that were made from it share its pictures and features and stay usable.
 * What its functions gave as "owned by the dataset" is gone.  No call with it may be running.  Since 0.1. */
MOPD_API void mopd_dataset_close(mopd_dataset *dataset);

/* Fill info, or the item of an index in the dataset's order, whose struct_size the caller has set to their
 * sizeof.  The texts of an item belong to the dataset.  A shorter struct gets what fits, of a longer one the
 * rest is zero.  ARG: an index beyond the last picture (both numbers are named).  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_get_info(const mopd_dataset *dataset, mopd_dataset_info *info);
MOPD_API mopd_status mopd_dataset_get_item(const mopd_dataset *dataset, size_t index, mopd_item *item);

/* Opens the picture of an item to show it.  The paths of a list or a store are those of whoever made it, so the file is
 * read once, and where the item has a hash, only what has this hash is decoded: MISMATCH for any other file.  No message
 * shows what is in a file.  IO, FORMAT, UNSUPPORTED and options as with mopd_image_open; ARG: an index beyond the last
 * picture.  *out is NULL on failure; close it with mopd_image_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_open_image(
    mopd_image **out, const mopd_dataset *dataset, size_t index, const mopd_image_options *options);

/* The index-th remark on what was left out or looks wrong: of a folder what was passed over, of a store and of what
 * mopd_dataset_encode gives pictures that are in two classes or splits, of all of them labels that are no words.  A
 * part of a dataset has those of the whole on files and pictures.  struct_size of the caller's remark is set before
 * the call.  ARG: there are no more, so a loop that begins with 0 ends there.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_get_remark(const mopd_dataset *dataset, size_t index, mopd_remark *remark);

/* The name of a class for prompts, as folder or CSV has it, NULL beyond the last; all names, C of them, in the form
 * that mopd_bank_create and mopd_trainer_create take.  Classes are in byte order of their labels.  Owned by the
 * dataset; NULL for NULL.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_dataset_class_name(const mopd_dataset *dataset, size_t index);
MOPD_API const char *const *mopd_dataset_class_names(const mopd_dataset *dataset);

/* The label of a class as folder or CSV has it, NULL beyond the last: another text than its name where names were
 * given.  Owned by the dataset; NULL for NULL.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_dataset_label_name(const mopd_dataset *dataset, size_t index);

/* The dataset with other names for prompts: n of them, one for each class in the order of the classes; labels, draws and
 * features stay.  For labels that are numbers or ids, where the words are in the program; a file of them is an option of
 * mopd_dataset_open.  ARG: another number of names, one that is empty or no UTF-8, two that are the same words to a
 * model.  Close with mopd_dataset_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_with_names(
    mopd_dataset **out, const mopd_dataset *dataset, const char *const *names, size_t n);

/* The class of each picture, n numbers from 0 to C - 1 in the dataset's order, as a trainer takes them.  Owned
 * by the dataset; NULL for NULL.  Any thread.  Since 0.1. */
MOPD_API const int32_t *mopd_dataset_labels(const mopd_dataset *dataset);

/* The fingerprint of the encoder whose features these are, "" until encoded and for NULL: compare it with
 * mopd_encoder_fingerprint before using features with a model.  Owned by the dataset.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_dataset_fingerprint(const mopd_dataset *dataset);

/* One view of one picture: D floats of length 1 that are not copied, for reading single features in
 * place.  view is 0 for plain pictures.  NULL beyond the last picture or view, and until encoded.  Owned by the
 * dataset.  Any thread.  Since 0.1. */
MOPD_API const float *mopd_dataset_feature(const mopd_dataset *dataset, size_t index, size_t view);

/* Copies views first_view .. first_view + n_views - 1 of every picture: features, n x n_views x D floats of the
 * caller, in the layout that mopd_run takes.  With first_view 0 and n_views 1: the plain features in the order
 * of the labels.  STATE until encoded; ARG: no such view.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_gather(
    const mopd_dataset *dataset, size_t first_view, size_t n_views, float *features);

/* A part of a dataset, as the few-shot protocols cut it (docs/method.md 5.3): first the split; then, where
 * shots are asked for, a seeded draw without replacement in each class, which depends on seed, class name and
 * the class's pictures alone; then base, the first ceil(C/2) of the classes that have training pictures, or
 * new, the others, numbered from 0.  Data without splits is its own train and test.
 *
 * selection NULL: everything.  Features are shared, so it is cheap.  ARG: the data has splits, but no picture in
 * this one; nothing is left.  Close with mopd_dataset_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_select(
    mopd_dataset **out, const mopd_dataset *dataset, const mopd_selection *selection);

/* The n pictures of the given indices, which ascend: for cross-validation, filters and selections of your own.  All
 * classes stay, with or without a picture, so that labels mean the same, unless MOPD_PICK_RELABEL is in flags.
 * Features are shared.  ARG: no index, one that is too large or does not ascend (named).  Close with
 * mopd_dataset_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_pick(
    mopd_dataset **out, const mopd_dataset *dataset, const size_t *indices, size_t n, uint32_t flags);

/* All but one picture, for leave-one-out loops: all classes stay, so that labels mean the same, and features are
 * shared, so that it is cheap.  ARG: an index beyond the last.  Close with mopd_dataset_close.  Any thread.
 * Since 0.1. */
MOPD_API mopd_status mopd_dataset_leave_out(mopd_dataset **out, const mopd_dataset *dataset, size_t index);

/* All but the picture of this path (as mopd_item.path has it), or all but the class of this name; the other argument
 * is NULL.  A class that is left without a picture goes too, and the others are numbered anew.  For taking back what
 * somebody no longer wants used: save the result over the store.  ARG: unknown path or class, both or neither given,
 * or nothing would be left.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_withdraw(
    mopd_dataset **out, const mopd_dataset *dataset, const char *path, const char *class_name);

/* The dataset with its features, computed by the encoder's threads.  known, an encoded dataset or NULL, is
 * joined to it: what known holds is taken from there, the rest is encoded; the result is what encoding all at
 * once gives, bit for bit.  A dataset that is encoded already passes through (n_views 0 takes what it
 * has).  options may be NULL.
 *
 * MISMATCH: features of another encoder, other views or seed; a path that known has with another content or
 * class; a picture that has moved to another class or split since (MOPD_ENCODE_SYNC takes both as the data has
 * them); with SYNC, no picture of known is in the data.  IO, FORMAT: an unreadable picture, named (with SKIP_BAD: a
 * class that has no readable one); a journal that cannot be written, or is none.  STATE: another call uses the
 * journal.  CANCELLED: fn said so; then, and only then, *out holds what was reached although the call failed (NULL
 * with SYNC: known stays as it is): close it, or hand it to a later call as known.  Since 0.1. */
MOPD_API mopd_status mopd_dataset_encode(mopd_dataset **out, const mopd_dataset *dataset,
    const mopd_dataset *known, const mopd_encoder *encoder, const mopd_encode_options *options);

/* chosen, n_clusters numbers of the caller: those of the n rows, n x dim, that stand for all: k-means makes
 * n_clusters clusters of them, and each gives the row nearest to its middle, the largest cluster first.  For
 * choosing which pictures to label, by their features: pictures that mean the same are taken once.  The same
 * seed chooses the same rows, with any number of threads.  ARG: n_clusters is 0 or more than n; NUMERIC: a
 * number is not finite.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_clusters_choose(
    const float *rows, size_t n, size_t dim, size_t n_clusters, uint64_t seed, size_t *chosen);

/* Writes an encoded dataset as a feature store: one safetensors file with features, labels, splits, paths, hashes and
 * the model's fingerprint, written beside path, synced and renamed, so that a store that was there is whole until the
 * new one is.  The same dataset gives the same bytes.  STATE until encoded; IO: cannot be written.  Any thread.
 * Since 0.1. */
MOPD_API mopd_status mopd_dataset_save(const mopd_dataset *dataset, const char *path);

MOPD_END_DECLS

#endif
