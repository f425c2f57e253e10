/* SPDX-License-Identifier: MIT
 * choose.h - w, w2, K and the length of a training without any test picture: part of the training classes are
 * pretended to be new.
 *
 * Two folds: a seeded half of the classes is trained on and the other half is "new", then the other way
 * round.  A quarter of each trained class's pictures is held out.  One setting after another is tried
 * around the best so far; the score is the harmonic mean of held-out accuracy and new accuracy, each the
 * mean of both folds.  New classes take the context half-way back to its words (prompt/prompt_bank.c). */
#ifndef MO_TRAIN_CHOOSE_H
#define MO_TRAIN_CHOOSE_H

#include "train/trainer.h"

/* As mopd_trainer_options_choose; args->options is where the trials start, the chosen numbers go to options. */
mopd_status mo_choose_settings(
    const mo_trainer_args *args, mopd_trainer_options *options, const mopd_run *run, char **report);

#endif
