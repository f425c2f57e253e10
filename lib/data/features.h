/* SPDX-License-Identifier: MIT
 * features.h - one encoding of a dataset's pictures, cut by what it does.
 *
 *     features.c          what is asked for is checked, then done step by step
 *     features_chunk.c    pictures read and encoded, some at a time
 *     features_cache.c    features that are there already, found by a picture's content
 *     features_known.c    what has become of the pictures that were known before
 *     journal.c           features kept in a file while the encoding runs
 *     features_join.c     what was known before and what is new become one dataset */
#ifndef MO_DATA_FEATURES_H
#define MO_DATA_FEATURES_H

#include "data/dataset.h"
#include "data/features_cache.h"
#include "data/journal.h"
#include "model/encoder.h"

/* What is encoded and how, and what has come of it.  An item is a picture of `data`. */
typedef struct mo_features_job {
    const mopd_dataset *data;
    const mopd_dataset *before; /* encoded before, or NULL */
    const mopd_dataset *known;  /* the same, where its pictures stay whatever the data holds; else NULL */
    const mopd_encoder *encoder;
    const mopd_encode_options *options;
    size_t n_views, dim; /* of the result: V, at least 1, and D */
    bool augmented;      /* the views are random crops */
    bool fixed;          /* the views are the fixed ones */
    size_t *in_before;   /* of each item: the item in `before` of its path, SIZE_MAX when that is new */
    float *features;     /* of each item: V x D, of any value where it was not encoded */
    char (*hash)[65];    /* of each item: its content, "" when it could not be read or was not reached */
    bool cancelled;
    size_t n_cut; /* pictures of 16-bit grey that became white above 255, and the first of them */
    const char *first_cut;
    mo_features_cache cache; /* of `before` and the journal */
    mo_journal *journal;     /* or NULL */
    size_t *in_data;         /* of each item of `before`: the item of the data of its path, or SIZE_MAX */
    bool *used;              /* of each item of `before`: its content is in the data */
} mo_features_job;

static inline const mo_dataset_row *mo_features_row(const mopd_dataset *d, size_t item)
{
    return d->source->row + d->row[item];
}

/* Whether the item is one of those that stay as they are. */
static inline bool mo_features_is_known(const mo_features_job *job, size_t item)
{
    return job->known && job->in_before[item] != SIZE_MAX;
}

/* Reads all items: hashes of all, features of the new ones.  CANCELLED: those before are there. */
mopd_status mo_features_read(mo_features_job *job);

/* Views of pictures to test with are the plain picture, whatever views the others have. */
static inline bool mo_features_is_plain(bool several, int32_t split)
{
    return !several || split == MOPD_SPLIT_VAL || split == MOPD_SPLIT_TEST;
}

/* Looks all items up in `before`, and puts its features into the cache. */
mopd_status mo_features_find_known(mo_features_job *job);

/* An item of this content is compared with `before` and counted.  MISMATCH: `known` holds it under another class or
 * split, also where it has moved since, or with other content. */
mopd_status mo_features_meet(mo_features_job *job, size_t item, const char *hash);

/* Counts the pictures of `before` that the data does not have.  MISMATCH: the data is to replace them and has none. */
mopd_status mo_features_miss(mo_features_job *job);

/* A dataset of the pictures of `known` and of the new ones that could be read.  It takes job->features over
 * where there is no `known`. */
mopd_status mo_features_join(mopd_dataset **out, mo_features_job *job);

#endif
