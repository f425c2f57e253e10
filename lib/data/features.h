/* SPDX-License-Identifier: MIT
 * features.h - one encoding of a dataset's pictures, cut by what it does.
 *
 *     features.c          what is asked for is checked, then done step by step
 *     features_chunk.c    pictures read and encoded, some at a time
 *     features_join.c     what was known before and what is new become one dataset */
#ifndef MO_DATA_FEATURES_H
#define MO_DATA_FEATURES_H

#include "data/dataset.h"
#include "model/encoder.h"

/* What is encoded and how, and what has come of it.  An item is a picture of `data`. */
typedef struct mo_features_job {
    const mopd_dataset *data;
    const mopd_dataset *known; /* encoded before, or NULL */
    const mopd_encoder *encoder;
    const mopd_encode_options *options;
    size_t n_views, dim; /* of the result: V, at least 1, and D */
    bool augmented;      /* the views are random crops */
    size_t *in_known;    /* of each item: its item in `known`, SIZE_MAX when it is new */
    float *features;     /* of each item: V x D, of any value where it was not encoded */
    char (*hash)[65];    /* of each item: its content, "" when it could not be read or was not reached */
    bool cancelled;
} mo_features_job;

static inline const mo_dataset_row *mo_features_row(const mopd_dataset *d, size_t item)
{
    return d->source->row + d->row[item];
}

/* Reads all items: hashes of all, features of the new ones.  CANCELLED: those before are there. */
mopd_status mo_features_read(mo_features_job *job);

/* Looks all items up in `known`. */
mopd_status mo_features_find_known(mo_features_job *job);

/* MISMATCH: an item that `known` holds too is there under another class or split, or, where hash is not "",
 * with other content. */
mopd_status mo_features_check_known(const mo_features_job *job, size_t item, const char *hash);

/* A dataset of the pictures of `known` and of the new ones that could be read.  It takes job->features over
 * where there is no `known`. */
mopd_status mo_features_join(mopd_dataset **out, mo_features_job *job);

#endif
