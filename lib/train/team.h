/* SPDX-License-Identifier: MIT
 * team.h - one training on many processes: shares of the classes, and sums over the ranks.
 *
 *     values = head | payload;  reduce(values) = the same bits on every rank
 *
 * The caller's callback is all that ranks know of each other.  The head of every sum tells who failed, how many added
 * up, and whether all are at the same place with the same data: a rank that fails alone still takes part in the next
 * sum, and there all learn of it, so that nobody waits for one who has left.  Rule for callers: what may fail on one
 * rank only is followed by a sum that is given its status.  Alone (ranks 1) a sum does nothing. */
#ifndef MO_TRAIN_TEAM_H
#define MO_TRAIN_TEAM_H

#include "base/mem.h"
#include "mopd/trainer.h"

#define MO_TEAM_STATUSES 16 /* 1 .. 15 below zero; 0: any other */

/* In front of every payload.  A word is cut into four pieces of 16 bits: their sums and sums of squares are exact, and
 * tell whether all are alike. */
typedef struct mo_team_head {
    double ranks, places;            /* 1, and a number made of the rank */
    double failed[MO_TEAM_STATUSES]; /* 1 where this rank failed so */
    double failed_rank;              /* its rank */
    double word[4], square[4];
} mo_team_head;

#define MO_TEAM_HEAD (sizeof(mo_team_head) / sizeof(double))

typedef struct mo_team {
    uint32_t rank, ranks; /* ranks 1: alone */
    mopd_reduce_fn reduce;
    void *context;
    double places;   /* what the places of all ranks add up to */
    size_t first, n; /* this rank's classes; n 0: it only listens */
    double *values;  /* head and payload, the owner's */
    bool broken;     /* the callback failed: no sum any more */
} mo_team;

/* Whose values are the same on all ranks, and what they are, for a message. */
typedef struct mo_team_word {
    uint64_t bits;
    const char *what;
} mo_team_word;

/* ARG: a rank that is none of `ranks`, no callback.  Even then the team may tell the others (mo_team_agree). */
mopd_status mo_team_read(mo_team *team, const mopd_trainer_options *options, size_t n_classes);

/* How many doubles `values` has for a payload of n; 0 alone. */
size_t mo_team_room(const mo_team *team, size_t n);

/* The payload, n zeroes to begin with; n at most what `values` was made for. */
double *mo_team_payload(mo_team *team, size_t n);

/* Adds up n payload values over all ranks; st is this rank's own, returned when it is no success.  Otherwise the status
 * of a rank that failed; MISMATCH where the ranks' words differ; ARG where not `ranks` ranks added up; what the callback
 * said. */
mopd_status mo_team_sum(mo_team *team, mopd_status st, mo_team_word word, size_t n);

/* The same without payload: needs no values. */
mopd_status mo_team_agree(mo_team *team, mopd_status st, mo_team_word word);

/* C rows of dim floats, of which each rank has its own, team->n from team->first; own may lie in all. */
typedef struct mo_team_table {
    const float *own;
    float *all;
    size_t n_classes, dim;
} mo_team_table;

/* all = every rank's own rows, to the bit. */
mopd_status mo_team_rows(mo_team *team, mopd_status st, mo_team_word word, const mo_team_table *table);

#endif
