/* SPDX-License-Identifier: MIT
 * calibration.h - how far probabilities can be believed: answers counted in bins of equal width by the probability
 * that they were given with, and the logarithm of what the true class got.
 *
 *     ECE = sum over bins |right answers - sum of probabilities| / n     (Naeini et al. 2015)
 *     NLL = - sum over pictures ln p(true class) / n */
#ifndef MO_PROMPT_CALIBRATION_H
#define MO_PROMPT_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>

enum { MO_CALIBRATION_BINS = 15, MO_CALIBRATION_SUMS = 3 * MO_CALIBRATION_BINS + 1 };

/* sums (46): for each bin the answers, then the right ones, then the sum of their probabilities; at last the sum of
 * -ln p(true class).  Adds an answer given with probability `said`. */
void mo_calibration_add(double *sums, double said, bool right, double log_loss);

/* Shares; 0 where nothing was added. */
double mo_calibration_ece(const double *sums);
double mo_calibration_nll(const double *sums);

#endif
