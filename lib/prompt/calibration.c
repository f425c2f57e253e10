/* SPDX-License-Identifier: MIT
 * calibration.c - expected calibration error and log loss from sums over answers. */
#include "prompt/calibration.h"

#include <math.h>

enum { RIGHT = MO_CALIBRATION_BINS, SAID = 2 * MO_CALIBRATION_BINS, LOSS = 3 * MO_CALIBRATION_BINS };

void mo_calibration_add(double *sums, double said, bool right, double log_loss)
{
    size_t bin = (size_t)(said * MO_CALIBRATION_BINS);
    if (bin >= MO_CALIBRATION_BINS) bin = MO_CALIBRATION_BINS - 1;
    sums[bin]++;
    sums[RIGHT + bin] += right;
    sums[SAID + bin] += said;
    sums[LOSS] += log_loss;
}

static double count(const double *sums)
{
    double n = 0;
    for (size_t b = 0; b < MO_CALIBRATION_BINS; b++) n += sums[b];
    return n;
}

double mo_calibration_ece(const double *sums)
{
    const double n = count(sums);
    double sum = 0;
    for (size_t b = 0; b < MO_CALIBRATION_BINS; b++) sum += fabs(sums[RIGHT + b] - sums[SAID + b]);
    return n > 0 ? sum / n : 0;
}

double mo_calibration_nll(const double *sums)
{
    const double n = count(sums);
    return n > 0 ? sums[LOSS] / n : 0;
}
