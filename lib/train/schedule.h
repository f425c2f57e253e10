/* SPDX-License-Identifier: MIT
 * schedule.h - the learning rate of an epoch (docs/method.md 5.1).
 *
 *     lr_0 = warm-up;   lr_e = lr / 2 (1 + cos(pi (e - 1) / E))  for e = 1 .. E - 1 */
#ifndef MO_TRAIN_SCHEDULE_H
#define MO_TRAIN_SCHEDULE_H

#include <stddef.h>

/* Of epoch e (from 0) of n_epochs; 0 beyond the last. */
double mo_schedule_lr(double lr, double warmup_lr, size_t n_epochs, size_t epoch);

#endif
