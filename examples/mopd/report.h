/* SPDX-License-Identifier: MIT
 * report.h - one self-contained HTML page about a training: how good it is beside what needs no training, which classes
 * and pictures go wrong, which labels look wrong; then curves, gate, settings. */
#ifndef MOPD_CLI_REPORT_H
#define MOPD_CLI_REPORT_H

#include "data.h"
#include "page.h"

/* A method on the pictures of the page. */
typedef struct report_row {
    const char *name, *note;
    uint64_t correct, n; /* n 0: it could not be measured, and note says why */
    int32_t *predicted;  /* n; NULL: not picture by picture */
} report_row;

enum { REPORT_ROWS = 4 }; /* what was learned first; zero-shot, gda, fit */

typedef struct report {
    const mopd_epoch *epochs;
    size_t n_epochs;
    double seconds;
    const char *path, *model;  /* of the data and of the encoder, as the command was given them */
    const mopd_prompt *prompt; /* its method, templates and gate */
    const mopd_dataset *data;  /* the pictures that were classified, encoded */
    const float *features;     /* n x D, in the order of data */
    const mopd_match *best;    /* n: what each was taken for, and how surely */
    const cli_score *score;
    const char *scored_on; /* "test pictures" */
    bool seen;             /* they are those of the training */
    const report_row *row; /* REPORT_ROWS */
    const mopd_dataset *learned;
    const mopd_suspect *suspect; /* of learned */
    size_t n_suspects;
    const char *no_suspects; /* why they are not known; NULL: they are */
    double alarms;           /* pictures that such a list holds though their labels are right */
} report;

/* Writes the page: -1, else the exit status after reporting. */
int report_write(const char *path, const report *r);

/* -- pieces, each writing one section --------------------------------------------------------------------- */

void report_accuracy(FILE *f, const report *r);
void report_classes(FILE *f, const report *r);
void report_confusions(FILE *f, const report *r);
void report_suspects(FILE *f, const report *r);
void report_curves(FILE *f, const report *r);
void report_gate(FILE *f, const report *r);

#endif
