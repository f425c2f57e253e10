/* SPDX-License-Identifier: MIT
 * api_trainer.c - include/mopd/trainer.h. */
#include <string.h>

#include "api/api.h"
#include "base/floats.h"
#include "base/labels.h"
#include "base/utf8.h"
#include "format/json.h"
#include "prompt/bank.h"
#include "train/choose.h"
#include "train/sampler.h"
#include "train/trainer.h"

mopd_status mopd_trainer_options_init(mopd_trainer_options *options, size_t struct_size)
{
    MO_API_NEED(options);
    const mopd_trainer_options defaults = mo_settings_defaults();
    return mo_api_init(__func__, MO_API_mopd_trainer_options, options, struct_size, &defaults);
}

mopd_status mopd_run_init(mopd_run *run, size_t struct_size)
{
    MO_API_NEED(run);
    return mo_api_init(__func__, MO_API_mopd_run, run, struct_size, &mo_run_defaults);
}

mopd_status mopd_setting_get(size_t index, mopd_setting *setting)
{
    MO_API_NEED(setting);
    const mo_setting *row = mo_settings_row(index);
    if (!row) return mo_fail(MOPD_E_ARG, "mopd_setting_get: there is no setting %zu", index);
    return mo_api_give(__func__, MO_API_mopd_setting, setting, &row->info);
}

static mopd_status read_options(
    const char *function, mopd_trainer_options *out, const mopd_trainer_options *options)
{
    const mopd_trainer_options defaults = mo_settings_defaults();
    return mo_api_read(function, MO_API_mopd_trainer_options, out, options, &defaults);
}

/* What is wrong before there is a trainer may be wrong on one rank alone: the others are told. */
static mopd_status tell_ranks(const mopd_trainer_options *options, size_t n_classes, mopd_status st)
{
    mo_group group;
    mopd_status other = mo_group_read(&group, options, n_classes);
    return mo_group_agree(&group, other != MOPD_OK ? other : st, (mo_group_check){0, ""});
}

mopd_status mopd_trainer_create(mopd_trainer **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const mopd_trainer_options *options)
{
    mopd_trainer_options o;
    MO_API_NEED_OUT(out);
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(classes, n_classes);
    mopd_status st = read_options(__func__, &o, options);
    if (st != MOPD_OK) return tell_ranks(&o, n_classes, st);
    return mo_trainer_create(out, &(mo_trainer_args){encoder, classes, n_classes, &o, NULL});
}

void mopd_trainer_free(mopd_trainer *trainer)
{
    mo_trainer_free(trainer);
}

static mopd_status check_step(const mopd_trainer *t, const float *features, const int32_t *labels, size_t n)
{
    if (n > t->set.o.batch)
        return mo_fail(MOPD_E_ARG, "%zu features, the options' batch is %u", n, (unsigned)t->set.o.batch);
    if (t->state.epoch >= t->set.o.epochs)
        return mo_fail(MOPD_E_STATE, "all %u epochs are done", (unsigned)t->set.o.epochs);
    mopd_status st = mo_labels_check(labels, n, t->n_classes);
    return st == MOPD_OK ? mo_floats_check_unit("feature", features, n, t->dim) : st;
}

mopd_status mopd_trainer_step(
    mopd_trainer *trainer, const float *features, const int32_t *labels, size_t n, mopd_step *step)
{
    mopd_step done;
    MO_API_NEED(trainer);
    mopd_status st = MO_API_HAS(features);
    if (st == MOPD_OK) st = MO_API_HAS(labels);
    if (st == MOPD_OK && !n) st = mo_api_refuse(__func__, "n", "0");
    if (st == MOPD_OK && step) st = mo_api_check_size(__func__, MO_API_mopd_step, step->struct_size);
    if (st == MOPD_OK) st = check_step(trainer, features, labels, n);
    if (st == MOPD_OK) st = mo_trainer_fix_epochs(trainer);
    bool known = st == MOPD_OK && trainer->group.ranks > 1;
    uint64_t bits = known ? mo_trainer_bits(features, n * trainer->dim, labels, n) : 0;
    st = mo_group_agree(&trainer->group, st, (mo_group_check){bits, "their batch"});
    if (st == MOPD_OK) st = mo_trainer_step(trainer, features, labels, n, &done);
    return st == MOPD_OK && step ? mo_api_give(__func__, MO_API_mopd_step, step, &done) : st;
}

mopd_status mopd_trainer_end_epoch(mopd_trainer *trainer)
{
    MO_API_NEED(trainer);
    if (trainer->state.epoch >= trainer->set.o.epochs)
        return mo_fail(MOPD_E_STATE, "all %u epochs are done", (unsigned)trainer->set.o.epochs);
    mopd_status st = mo_trainer_fix_epochs(trainer);
    if (st == MOPD_OK) mo_trainer_end_epoch(trainer);
    return st;
}

mopd_status mopd_trainer_run(mopd_trainer *trainer, const mopd_run *run)
{
    mopd_run r;
    MO_API_NEED(trainer);
    mopd_status st = MO_API_HAS(run);
    if (st == MOPD_OK) st = mo_api_read(__func__, MO_API_mopd_run, &r, run, &mo_run_defaults);
    return st == MOPD_OK ? mo_trainer_run(trainer, &r)
                         : mo_group_agree(&trainer->group, st, (mo_group_check){0, ""});
}

uint32_t mopd_trainer_n_epochs(const mopd_trainer *trainer, uint64_t n)
{
    if (!trainer) return 0;
    const size_t pictures = n < UINT32_MAX ? (size_t)n : UINT32_MAX;
    return mo_settings_epochs(
        &trainer->set, trainer->n_classes, mo_sampler_batches(pictures, trainer->set.o.batch));
}

double mopd_trainer_lr(const mopd_trainer *trainer, uint32_t epoch)
{
    return trainer && epoch ? mo_trainer_lr(trainer, epoch - 1) : 0;
}

mopd_status mopd_trainer_note(mopd_trainer *trainer, const char *key, const char *text)
{
    MO_API_NEED(trainer);
    MO_API_NEED(key);
    MO_API_NEED(text);
    if (!*key) return mo_fail(MOPD_E_ARG, "%s: key is empty", __func__);
    if (!mo_utf8_valid(key, strlen(key)) || !mo_utf8_valid(text, strlen(text)))
        return mo_fail(MOPD_E_ARG, "%s: key or text is no UTF-8", __func__);
    return mo_prompt_notes_set(&trainer->notes.host, key, text);
}

mopd_status mopd_prompt_create_trainer(mopd_prompt **out, const mopd_trainer *trainer)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(trainer);
    return mo_trainer_prompt(trainer, out);
}

mopd_status mopd_trainer_checkpoint(const mopd_trainer *trainer, const char *path)
{
    MO_API_NEED(trainer);
    MO_API_NEED(path);
    return mo_trainer_checkpoint(trainer, path);
}

mopd_status mopd_trainer_resume(mopd_trainer *trainer, const char *path)
{
    MO_API_NEED(trainer);
    MO_API_NEED(path);
    return mo_trainer_resume(trainer, path);
}

mopd_status mopd_bank_create_trainer(
    mopd_bank **out, const mopd_trainer *trainer, const char *const *classes, size_t n_classes)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(trainer);
    MO_API_NEED_LIST(classes, n_classes);
    mopd_prompt *p = NULL;
    mopd_status st = mo_trainer_prompt(trainer, &p);
    if (st == MOPD_OK) st = mo_prompt_bank(out, trainer->encoder, classes, n_classes, p);
    mo_prompt_free(p);
    return st;
}

mopd_status mopd_trainer_options_choose(mopd_trainer_options *options, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const mopd_run *run, char **report)
{
    mopd_trainer_options o;
    mopd_run r;
    if (report) *report = NULL;
    MO_API_NEED(options);
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(classes, n_classes);
    mopd_status st = read_options(__func__, &o, options);
    if (st == MOPD_OK) st = MO_API_HAS(run);
    if (st == MOPD_OK) st = mo_api_read(__func__, MO_API_mopd_run, &r, run, &mo_run_defaults);
    if (st != MOPD_OK) return tell_ranks(&o, n_classes, st);
    return mo_choose_settings(&(mo_trainer_args){encoder, classes, n_classes, &o, NULL}, options, &r, report);
}
