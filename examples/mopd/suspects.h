/* SPDX-License-Identifier: MIT
 * suspects.h - labels that look wrong: how small a label's probability must be for that. */
#ifndef MOPD_CLI_SUSPECTS_H
#define MOPD_CLI_SUSPECTS_H

#include "cli.h"

/* Of pictures with right labels, how many may be listed all the same by the recogniser's own word.  Of its hardest
 * pictures it is too sure: on clean sets (Caltech-101, EuroSAT, Flowers-102) one to two times as many were. */
#define CLI_ALARMS 0.006
#define CLI_ALARMS_SURE 2

/* *below: a label less likely than this looks wrong; of right ones a share of *alarms at most does. */
mopd_status cli_suspects_limit(const mopd_recognizer *recognizer, double *below, double *alarms);

/* The pictures of the fit whose label looks wrong, most suspicious first, *n of them, to be freed. */
mopd_status cli_suspects_find(
    mopd_suspect **out, size_t *n, double *alarms, const mopd_recognizer *recognizer);

#endif
