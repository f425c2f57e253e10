/* SPDX-License-Identifier: MIT
 * train.h - what cmd_train.c, train_job.c and train_report.c share: the options of a training and the run itself. */
#ifndef MOPD_CLI_TRAIN_H
#define MOPD_CLI_TRAIN_H

#include "data.h"

typedef struct train_job {
    cli_common common;
    cli_data data;
    cli_prompts prompts; /* the teachers */
    mopd_selection selection;
    mopd_trainer_options options;
    const char *split, *subset, *views, *output, *checkpoint, *resume, *report;
    bool automatic, unread; /* unread: nobody takes what is printed */
    size_t n_views;         /* of --views */
    bool fresh, views_given;

    mopd_encoder *encoder;
    mopd_dataset *all, *part,
        *encoded;    /* DATA, what is trained on, that with features (NULL with fresh views) */
    float *features; /* n x n_views x D, NULL with fresh views */
    mopd_trainer *trainer;
    mopd_epoch *epochs; /* those of this call */
    size_t n_epochs;
    double seconds, accuracy;
    cli_progress progress;
} train_job;

/* Opens, selects and encodes: -1 to go on, else the exit status. */
int train_open(train_job *j);

/* Creates the trainer (after --auto), resumes, runs; EXIT_INTERRUPTED leaves a trainer that holds
 * what was reached. */
int train_run(train_job *j);

/* How pictures are encoded: the views are those of the seed. */
mopd_encode_options train_encode_options(const train_job *j);

/* The report page about what was learned (train_report.c). */
int train_report(train_job *j, const mopd_prompt *prompt);

void train_close(train_job *j);

#endif
