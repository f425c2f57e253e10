/* SPDX-License-Identifier: MIT
 * eval.h - what cmd_eval.c asks of eval_recognizer.c: a recogniser on a data set. */
#ifndef MOPD_CLI_EVAL_H
#define MOPD_CLI_EVAL_H

#include "data.h"

/* What was counted; shares in percent. */
typedef struct eval_result {
    cli_score score;
    cli_list names;        /* the classes that are answered */
    bool promises;         /* what follows is there */
    bool enough;           /* pictures for a promise: keep to set_size are there */
    double keep, kept;     /* promised of known pictures above the cut-off, and found */
    double share;          /* of sets that hold the true class: promised */
    double coverage;       /* found */
    double set_size;       /* classes in a set, on average */
    size_t n_strangers;    /* pictures of classes that it does not answer */
    double refused, auroc; /* of them below the cut-off; known ones against them by score */
} eval_result;

/* Judges the pictures of data by the recogniser of a file: -1 to go on, else the exit status.  features (n x D) are
 * those of data and change their order. */
typedef struct eval_ask {
    const cli_common *common;
    const char *path, *also; /* the file, names without pictures or NULL */
    double coverage;         /* of the sets, between 0 and 1 */
} eval_ask;
int eval_recognizer(eval_result *result, const eval_ask *ask, const mopd_encoder *encoder,
    const mopd_dataset *data, float *features);

#endif
