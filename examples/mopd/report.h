/* SPDX-License-Identifier: MIT
 * report.h - one self-contained HTML page about a training: curves, classes, gate, confusions
 * with their pictures. */
#ifndef MOPD_CLI_REPORT_H
#define MOPD_CLI_REPORT_H

#include "data.h"

typedef struct report {
    const char *title;
    const mopd_epoch *epochs;
    size_t n_epochs;
    double seconds;
    const mopd_prompt *prompt; /* its method, templates and gate */
    const mopd_dataset *data;  /* the pictures that were classified, encoded */
    const float *features;     /* n x D, in the order of data */
    const int32_t *predicted;  /* n */
    const cli_score *score;
    const char *scored_on; /* "test pictures" */
} report;

/* Writes the page beside path and renames it: -1, else the exit status after reporting. */
int report_write(const char *path, const report *r);

/* -- pieces, each writing one section
 * ------------------------------------------------------------------------ */

/* Text with <, >, &, quotes escaped; control bytes and broken UTF-8 replaced. */
void report_text(FILE *f, const char *text);

void report_curves(FILE *f, const report *r);
void report_gate(FILE *f, const report *r);
void report_confusions(FILE *f, const report *r);

#endif
