/* SPDX-License-Identifier: MIT
 * settings.h - a trainer's options: checked, completed, and as the JSON that stands in a prompt file. */
#ifndef MO_TRAIN_SETTINGS_H
#define MO_TRAIN_SETTINGS_H

#include "model/encoder.h"
#include "mopd/trainer.h"
#include "prompt/method.h"

/* Options with nothing left open.  The texts are the caller's. */
typedef struct mo_settings {
    mopd_trainer_options o;
    const mo_method *method;
    const char *const *templates; /* the teachers the method uses */
    size_t n_templates;           /* M; 0 without teachers */
    size_t kept;                  /* K; 1 for the methods of one teacher, 0 without teachers */
} mo_settings;

extern const mopd_trainer_options mo_settings_defaults;

/* options: every field set.  ARG names the field and the numbers. */
mopd_status mo_settings_read(
    mo_settings *out, const mopd_encoder *encoder, const mopd_trainer_options *options);

/* One JSON object: all that decides the result but encoder, classes, templates.  mo_mem_free it. */
mopd_status mo_settings_json(const mo_settings *settings, char **json);

/* MISMATCH names the first setting that differs between two such texts. */
mopd_status mo_settings_same(const char *ours, const char *theirs, const char *path);

#endif
