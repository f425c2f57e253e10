/* SPDX-License-Identifier: MIT
 * choose_folds.h - classes and pictures shared out for choose.c.
 *
 *     fold 0    trains on one half of the classes, the other half is "new"
 *     fold 1    the other way round
 *     fold 2    trains on all classes, some of their pictures are held out
 *
 * The halves are drawn by the seed; of an odd number the first half is the larger one.  Of each class that has two
 * pictures or more, a quarter, but at least one, is held out. */
#ifndef MO_TRAIN_CHOOSE_FOLDS_H
#define MO_TRAIN_CHOOSE_FOLDS_H

#include "train/trainer.h"

#define MO_CHOOSE_HALVES 2
#define MO_CHOOSE_FOLDS 3
#define MO_CHOOSE_ALL 2 /* the fold of all classes */

/* Classes that are seen together. */
typedef struct mo_choose_half {
    const char **name; /* n, in the order of the whole list; the texts are the caller's */
    int32_t *number;   /* C: a class's number among these, -1 for a class of the other half */
    size_t n;
} mo_choose_half;

/* Some of a run's pictures, with labels in the numbering of a half. */
typedef struct mo_choose_pictures {
    uint32_t *index;
    int32_t *label;
    size_t n;
} mo_choose_pictures;

typedef struct mo_choose_fold {
    mo_choose_half base, fresh; /* classes to train on; classes pretended to be new, none in fold 2 */
    mo_choose_pictures train, held, unseen; /* of base: to learn from, held out in fold 2; of fresh: all */
    float *teachers;                        /* M x C of base x D, or NULL */
    mo_student *student;                    /* of the fresh classes; NULL in fold 2 */
    float *s;                               /* C of fresh x D: room for their features */
} mo_choose_fold;

/* What is shared out. */
typedef struct mo_choose_whole {
    const mo_trainer_args *args;
    const mopd_run *run;
    const mo_settings *set;
    const float *teachers; /* M x C x D of all classes, or NULL */
    size_t dim;            /* D */
} mo_choose_whole;

/* ARG: nothing to train on, nothing held out or no picture of a new class.  Free the folds also on failure. */
mopd_status mo_choose_folds_make(mo_choose_fold folds[MO_CHOOSE_FOLDS], const mo_choose_whole *whole);
void mo_choose_folds_free(mo_choose_fold folds[MO_CHOOSE_FOLDS]);

#endif
