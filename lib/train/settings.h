/* SPDX-License-Identifier: MIT
 * settings.h - a trainer's options: one table of their defaults and limits, options checked and completed with
 * it, and the JSON that stands in a prompt file.
 *
 * settings_table.c holds the table; settings.c reads options with it; settings_json.c writes and compares the JSON. */
#ifndef MO_TRAIN_SETTINGS_H
#define MO_TRAIN_SETTINGS_H

#include "model/encoder.h"
#include "mopd/trainer.h"
#include "prompt/method.h"

/* What the table knows of one setting: what hosts are told of it, and where its value stands in the options. */
typedef struct mo_setting {
    mopd_setting info;
    size_t at, bytes;                      /* of the field in mopd_trainer_options */
    uint32_t bit;                          /* MOPD_SETTING_FLAG: set where the value is not the preset */
    bool unrecorded;                       /* decides no result: stands in no prompt file */
    bool (*used)(const mo_method *method); /* NULL: every method uses it */
} mo_setting;

/* The learning rate where neither the options nor the model name one: that of CoOp, KgCoOp and MoPD on CLIP. */
#define MO_SETTINGS_LR 0.002

/* Where neither epochs nor steps are given: so many epochs, and more where these are fewer steps than so many for
 * each pair of classes that there is to tell apart, up to so many in all. */
#define MO_SETTINGS_EPOCHS 50
#define MO_SETTINGS_PAIR_STEPS 7
#define MO_SETTINGS_STEPS 300

/* Row i of the table, in the order of the prompt file's JSON; NULL behind the last one. */
const mo_setting *mo_settings_row(size_t i);

/* The value of a setting: a whole number, an index among the choices, 0 or 1. */
uint64_t mo_settings_whole(const mo_setting *row, const mopd_trainer_options *o);
float mo_settings_real(const mo_setting *row, const mopd_trainer_options *o);

/* Every option as the table presets it. */
mopd_trainer_options mo_settings_defaults(void);

/* Options with nothing left open.  The texts are the caller's. */
typedef struct mo_settings {
    mopd_trainer_options o;
    const mo_method *method;
    bool open_epochs; /* not given: a run counts steps (mo_settings_epochs); o.epochs holds until then */
    const char *const *templates; /* the teachers the method uses */
    size_t n_templates;           /* M; 0 without teachers */
    size_t kept;                  /* K; 1 for the methods of one teacher, 0 without teachers */
} mo_settings;

/* options: every field set.  ARG names the field and the numbers. */
mopd_status mo_settings_read(
    mo_settings *out, const mopd_encoder *encoder, const mopd_trainer_options *options);

/* How many epochs a run of n_batches steps an epoch takes: those given, or as many whole ones as make the steps.
 * n_batches 0: as many as are known without. */
uint32_t mo_settings_epochs(const mo_settings *settings, size_t n_classes, size_t n_batches);

/* One JSON object: all that decides the result but encoder, classes, templates.  mo_mem_free it. */
mopd_status mo_settings_json(const mo_settings *settings, char **json);

/* MISMATCH names the first setting that differs between two such texts. */
mopd_status mo_settings_same(const char *ours, const char *theirs, const char *path);

#endif
