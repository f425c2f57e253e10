/* SPDX-License-Identifier: MIT
 * group.h - one training on many processes: shares of the classes, and sums over the ranks.
 *
 *     values = head | payload;  reduce(values) = the same bits on every rank
 *
 * The caller's callback is all that ranks know of each other.  The head of every sum tells who failed, how
 * many added up, and whether all are at the same place with the same data: a rank that fails alone still takes
 * part in the next sum, and there all learn of it, so that nobody waits for one who has left.  Rule for
 * callers: what may fail on one rank only is followed by a sum that is given its status.  Alone (ranks 1) a
 * sum does nothing. */
#ifndef MO_TRAIN_GROUP_H
#define MO_TRAIN_GROUP_H

#include "base/mem.h"
#include "mopd/trainer.h"

#define MO_GROUP_STATUSES 16 /* 1 .. 15 below zero; 0: any other */

/* In front of every payload.  A check value is cut into four pieces of 16 bits: their sums and sums of squares
 * are exact, and tell whether all are alike. */
typedef struct mo_group_head {
    double ranks, rank_codes;         /* 1, and a number made of the rank */
    double failed[MO_GROUP_STATUSES]; /* 1 where this rank failed so */
    double failed_rank;               /* its rank */
    double check[4], square[4];
} mo_group_head;

#define MO_GROUP_HEAD (sizeof(mo_group_head) / sizeof(double))

typedef struct mo_group {
    uint32_t rank, ranks; /* ranks 1: alone */
    mopd_reduce_fn reduce;
    void *context;
    double rank_codes; /* what the rank_codes of all ranks add up to */
    size_t first, n;   /* this rank's classes; n 0: it only listens */
    double *values;    /* head and payload, the owner's */
    bool broken;       /* the callback failed: no sum any more */
} mo_group;

/* Whose values are the same on all ranks, and what they are, for a message. */
typedef struct mo_group_check {
    uint64_t bits;
    const char *what;
} mo_group_check;

/* ARG: a rank that is none of `ranks`, no callback.  Even then the group may tell the others (mo_group_agree). */
mopd_status mo_group_read(mo_group *group, const mopd_trainer_options *options, size_t n_classes);

/* How many doubles `values` has for a payload of n; 0 alone. */
size_t mo_group_room(const mo_group *group, size_t n);

/* The payload, n zeroes to begin with; n at most what `values` was made for. */
double *mo_group_payload(mo_group *group, size_t n);

/* Adds up n payload values over all ranks; st is this rank's own, returned when it is no success.  Otherwise
 * the status of a rank that failed; MISMATCH where the ranks' check values differ; ARG where not `ranks` ranks
 * added up; what the callback said. */
mopd_status mo_group_sum(mo_group *group, mopd_status st, mo_group_check check, size_t n);

/* The same without payload: needs no values. */
mopd_status mo_group_agree(mo_group *group, mopd_status st, mo_group_check check);

/* C rows of dim floats, of which each rank has its own, group->n from group->first; own may lie in all. */
typedef struct mo_group_table {
    const float *own;
    float *all;
    size_t n_classes, dim;
} mo_group_table;

/* all = every rank's own rows, to the bit. */
mopd_status mo_group_rows(mo_group *group, mopd_status st, mo_group_check check, const mo_group_table *table);

#endif
