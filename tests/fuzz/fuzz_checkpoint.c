/* SPDX-License-Identifier: MIT
 * fuzz_checkpoint.c - bytes as a checkpoint that a trainer goes back to; then it runs on for a step. */
#include "files.h"
#include "fuzz.h"
#include "model.h"
#include "mutate.h"

#include <stdlib.h>

static mopd_trainer *trainer;

static void free_trainer(void)
{
    mopd_trainer_free(trainer);
}

/* Options are the library's own, as those of the checkpoint that seeds.py makes. */
static void make_trainer(void)
{
    static const char *const classes[2] = {"cat", "dog"};
    const mopd_encoder *encoder = fuzz_encoder();
    FUZZ_MUST(!atexit(free_trainer)); /* runs before the encoder is closed */
    FUZZ_MUST(mopd_trainer_create(&trainer, encoder, classes, 2, NULL) == MOPD_OK);
}

static int stop(void *context, const mopd_step *step)
{
    (void)context, (void)step;
    return 1;
}

/* Where the trainer is can be written, and it comes back to it. */
static void save(void)
{
    const char *first = fuzz_beside("first"), *second = fuzz_beside("second");
    FUZZ_MUST(mopd_trainer_checkpoint(trainer, first) == MOPD_OK);
    FUZZ_MUST(mopd_trainer_resume(trainer, first) == MOPD_OK);
    FUZZ_MUST(mopd_trainer_checkpoint(trainer, second) == MOPD_OK);
    fuzz_same(first, second);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    static const float features[2 * 4] = {1, 0, 0, 0, 0, 1, 0, 0};
    static const int32_t labels[2] = {0, 1};
    mopd_run run;
    if (!trainer) make_trainer();
    if (!fuzz_good(mopd_trainer_resume(trainer, fuzz_file(data, n)))) return;
    FUZZ_MUST(mopd_run_init(&run, sizeof run) == MOPD_OK);
    run.n = 2;
    run.n_views = 1;
    run.features = features;
    run.labels = labels;
    run.on_step = stop;
    fuzz_good(mopd_trainer_run(trainer, &run));
    save();
}

FUZZ_MUTATES_TENSORS
