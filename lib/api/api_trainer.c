/* SPDX-License-Identifier: MIT
 * api_trainer.c - include/mopd/trainer.h: arguments checked, options read, called down. */
#include <string.h>

#include "base/floats.h"
#include "base/labels.h"
#include "base/opts.h"
#include "base/utf8.h"
#include "format/json.h"
#include "prompt/bank.h"
#include "train/choose.h"
#include "train/trainer.h"

#define FIRST_RUN 96
#define FIRST_STEP 64

_Static_assert(sizeof(void *) != 8 || sizeof(mopd_trainer_options) == 136, "no holes in options");
_Static_assert(sizeof(void *) != 8 || sizeof(mopd_run) == 112, "no holes in mopd_run");
_Static_assert(sizeof(mopd_step) == FIRST_STEP, "no holes in mopd_step");
_Static_assert(sizeof(mopd_epoch) == 80, "no holes in mopd_epoch");

mopd_status mopd_trainer_options_init(mopd_trainer_options *options, size_t struct_size)
{
    return mo_opts_init(options, struct_size, &mo_settings_defaults, sizeof *options, MO_SETTINGS_FIRST);
}

mopd_status mopd_run_init(mopd_run *run, size_t struct_size)
{
    return mo_opts_init(run, struct_size, &mo_run_defaults, sizeof *run, FIRST_RUN);
}

mopd_status mopd_trainer_create(mopd_trainer **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const mopd_trainer_options *options)
{
    if (!out || !encoder || (n_classes && !classes)) return mo_fail(MOPD_E_ARG, "mopd_trainer_create: NULL");
    *out = NULL;
    return mo_trainer_create(out, &(mo_trainer_args){encoder, classes, n_classes, options, NULL});
}

void mopd_trainer_free(mopd_trainer *trainer)
{
    mo_trainer_free(trainer);
}

static mopd_status check_step(
    const mopd_trainer *t, const float *features, const int32_t *labels, size_t n, const mopd_step *step)
{
    if (!features || !labels || !n) return mo_fail(MOPD_E_ARG, "mopd_trainer_step: NULL, or no feature");
    if (step && step->struct_size < FIRST_STEP)
        return mo_fail(MOPD_E_ARG, "mopd_step: struct_size is %u, the first release had %d",
            (unsigned)step->struct_size, FIRST_STEP);
    if (n > t->set.o.batch)
        return mo_fail(MOPD_E_ARG, "%zu features, the options' batch is %u", n, (unsigned)t->set.o.batch);
    if (t->epoch >= t->set.o.epochs)
        return mo_fail(MOPD_E_STATE, "all %u epochs are done", (unsigned)t->set.o.epochs);
    mopd_status st = mo_labels_check(labels, n, t->n_classes);
    return st == MOPD_OK ? mo_floats_check_unit("feature", features, n, t->dim) : st;
}

mopd_status mopd_trainer_step(
    mopd_trainer *t, const float *features, const int32_t *labels, size_t n, mopd_step *step)
{
    mopd_step done;
    if (!t) return mo_fail(MOPD_E_ARG, "mopd_trainer_step: NULL");
    mopd_status st = check_step(t, features, labels, n, step);
    bool known = st == MOPD_OK && t->group.ranks > 1;
    uint64_t bits = known ? mo_trainer_bits(features, n * t->dim, labels, n) : 0;
    if ((st = mo_group_agree(&t->group, st, (mo_group_check){bits, "their batch"})) != MOPD_OK) return st;
    if ((st = mo_trainer_step(t, features, labels, n, &done)) != MOPD_OK || !step) return st;
    uint32_t size = step->struct_size;
    memset(step, 0, size);
    memcpy(step, &done, size < sizeof done ? size : sizeof done);
    step->struct_size = size;
    return MOPD_OK;
}

mopd_status mopd_trainer_end_epoch(mopd_trainer *trainer)
{
    if (!trainer) return mo_fail(MOPD_E_ARG, "mopd_trainer_end_epoch: NULL");
    if (trainer->epoch >= trainer->set.o.epochs)
        return mo_fail(MOPD_E_STATE, "all %u epochs are done", (unsigned)trainer->set.o.epochs);
    mo_trainer_end_epoch(trainer);
    return MOPD_OK;
}

static mopd_status read_run(mopd_run *out, const mopd_run *run)
{
    if (!run) return mo_fail(MOPD_E_ARG, "mopd_run: NULL");
    return mo_opts_read(out, run, &mo_run_defaults, sizeof *out, FIRST_RUN, "mopd_run");
}

mopd_status mopd_trainer_run(mopd_trainer *trainer, const mopd_run *run)
{
    mopd_run ours;
    if (!trainer) return mo_fail(MOPD_E_ARG, "mopd_trainer_run: NULL");
    mopd_status st = read_run(&ours, run);
    return st == MOPD_OK ? mo_trainer_run(trainer, &ours)
                         : mo_group_agree(&trainer->group, st, (mo_group_check){0, ""});
}

double mopd_trainer_lr(const mopd_trainer *trainer, uint32_t epoch)
{
    return trainer && epoch ? mo_trainer_lr(trainer, epoch - 1) : 0;
}

mopd_status mopd_trainer_note(mopd_trainer *trainer, const char *key, const char *text)
{
    if (!trainer || !key || !*key || !text)
        return mo_fail(MOPD_E_ARG, "mopd_trainer_note: NULL, or an empty key");
    if (!mo_utf8_valid(key, strlen(key)) || !mo_utf8_valid(text, strlen(text)))
        return mo_fail(MOPD_E_ARG, "mopd_trainer_note: key or text is no UTF-8");
    return mo_prompt_note(&trainer->note_keys, &trainer->notes, key, text);
}

mopd_status mopd_trainer_prompt(const mopd_trainer *trainer, mopd_prompt **out)
{
    if (!trainer || !out) return mo_fail(MOPD_E_ARG, "mopd_trainer_prompt: NULL");
    *out = NULL;
    return mo_trainer_prompt(trainer, out);
}

mopd_status mopd_trainer_checkpoint(const mopd_trainer *trainer, const char *path)
{
    if (!trainer || !path) return mo_fail(MOPD_E_ARG, "mopd_trainer_checkpoint: NULL");
    return mo_trainer_checkpoint(trainer, path);
}

mopd_status mopd_trainer_resume(mopd_trainer *trainer, const char *path)
{
    if (!trainer || !path) return mo_fail(MOPD_E_ARG, "mopd_trainer_resume: NULL");
    return mo_trainer_resume(trainer, path);
}

mopd_status mopd_trainer_bank(
    const mopd_trainer *trainer, mopd_bank **out, const char *const *classes, size_t n_classes)
{
    if (!trainer || !out || (n_classes && !classes)) return mo_fail(MOPD_E_ARG, "mopd_trainer_bank: NULL");
    *out = NULL;
    mopd_prompt *p = NULL;
    mopd_status st = mo_trainer_prompt(trainer, &p);
    if (st == MOPD_OK) st = mo_prompt_bank(out, trainer->encoder, classes, n_classes, p);
    mo_prompt_free(p);
    return st;
}

mopd_status mopd_trainer_choose(const mopd_encoder *encoder, const char *const *classes, size_t n_classes,
    mopd_trainer_options *options, const mopd_run *run, char **report)
{
    mopd_run ours;
    if (!encoder || !classes || !options) return mo_fail(MOPD_E_ARG, "mopd_trainer_choose: NULL");
    if (report) *report = NULL;
    mopd_status st = read_run(&ours, run);
    if (st != MOPD_OK) return st;
    return mo_choose_settings(
        &(mo_trainer_args){encoder, classes, n_classes, options, NULL}, options, &ours, report);
}
