/* SPDX-License-Identifier: MIT
 * suspects.c - the labels that look wrong, cut off where right ones would begin to look so too. */
#include "suspects.h"

#include <math.h>
#include <stdlib.h>

enum { STEPS = 12 };

/* The share of right labels below a probability grows with it: halving on a scale of logarithms. */
mopd_status cli_suspects_limit(const mopd_recognizer *recognizer, double *below, double *alarms)
{
    double low = log(1e-4), high = log(0.5);
    mopd_status st = MOPD_OK;
    *below = *alarms = 0;
    for (int step = 0; step < STEPS && st == MOPD_OK; step++) {
        const double middle = (low + high) / 2;
        double share = 0;
        st = mopd_recognizer_alarms(recognizer, exp(middle), &share);
        if (share > CLI_ALARMS) {
            high = middle;
            continue;
        }
        low = middle;
        *below = exp(middle);
        *alarms = CLI_ALARMS_SURE * share;
    }
    return st;
}

mopd_status cli_suspects_find(
    mopd_suspect **out, size_t *n, double *alarms, const mopd_recognizer *recognizer)
{
    mopd_recognizer_info info = {.struct_size = sizeof info};
    double below = 0;
    *out = NULL;
    *n = 0;
    mopd_status st = mopd_recognizer_get_info(recognizer, &info);
    if (st == MOPD_OK) st = cli_suspects_limit(recognizer, &below, alarms);
    if (st != MOPD_OK) return st;
    size_t found = (size_t)info.n_pictures;
    mopd_suspect *all = cli_alloc(found, sizeof *all);
    st = mopd_recognizer_suspects(recognizer, all, &found);
    while (*n < found && all[*n].probability < below) ++*n;
    *out = all;
    return st;
}
