/* SPDX-License-Identifier: MIT
 * schedule.c - one epoch of warm-up, then a cosine delayed by it. */
#include "train/schedule.h"

#include <math.h>

double mo_schedule_lr(double lr, double warmup_lr, size_t n_epochs, size_t epoch)
{
    if (epoch >= n_epochs) return 0;
    if (!epoch) return warmup_lr;
    return lr / 2 * (1 + cos(3.14159265358979323846 * (double)(epoch - 1) / (double)n_epochs));
}
