/* SPDX-License-Identifier: MIT
 * choose.h - w, w2, K and the length of a training without any test picture: part of the training classes are
 * pretended to be new.
 *
 * Three folds: a seeded half of the classes is trained on and the other half is "new", then the other way round; then
 * all classes are trained on and a quarter of each one's pictures is held out.  One setting after another is tried
 * around the best so far; the score is the harmonic mean of held-out accuracy and new accuracy.
 *
 * The defaults are tried first.  What gives less than they on held-out pictures is not chosen, and they stay where the
 * best is not a standard error above them.  Halves of few classes are so easy that a training too short for all looks
 * long enough there, and new classes gain by a short one; so trained classes are judged where all of them are told
 * apart.  New classes take the context half-way back to its words (prompt/prompt_bank.c). */
#ifndef MO_TRAIN_CHOOSE_H
#define MO_TRAIN_CHOOSE_H

#include "train/trainer.h"

/* As mopd_trainer_options_choose; args->options is where the trials start, the chosen numbers go to options. */
mopd_status mo_choose_settings(
    const mo_trainer_args *args, mopd_trainer_options *options, const mopd_run *run, char **report);

#endif
