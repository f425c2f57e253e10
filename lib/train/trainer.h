/* SPDX-License-Identifier: MIT
 * trainer.h - one training: what stays, what learns, and the work memory of a step.
 *
 *     context -> student features s (C x D) -> logits z (B x C) --+
 *     teachers t (M x C x D) -> logits u (B x M x C) -------------+--> losses -> dz -> ds -> d context
 *     features f (B x D) -> gate scores h (B x M) -> K of M ------+           -> dh -> d gate
 *
 * On many processes each encodes its share of the classes; s and the gradients are sums over all
 * (train/group.h).  trainer.c creates and frees, trainer_teachers.c encodes teachers, trainer_step.c does a
 * step, trainer_run.c runs epochs, trainer_file.c makes prompts and checkpoints, trainer_resume.c goes back to
 * one, choose.c trains on pretended new classes. */
#ifndef MO_TRAIN_TRAINER_H
#define MO_TRAIN_TRAINER_H

#include "base/arena.h"
#include "base/names.h"
#include "prompt/loss.h"
#include "prompt/promptfile.h"
#include "prompt/student.h"
#include "train/group.h"
#include "train/settings.h"
#include "train/sgd.h"

/* Numbers of a step that rank 0 tells all: its losses, so that all judge them alike. */
#define MO_GROUP_STEP 7

/* Sums over the steps of an epoch. */
typedef struct mo_sums {
    double loss, ce, mpd, mps, reg;
    uint64_t n_correct, n_seen;
} mo_sums;

/* What a checkpoint holds: what has been learned, and how far the run has come. */
typedef struct mo_trainer_state {
    mo_learned context, gate; /* vectors x W; D x M, M scores, or n 0: none */
    uint64_t epoch;           /* epochs that are done */
    uint64_t step, total;     /* steps that are done: in this epoch, in all */
    mo_sums sums;             /* of this epoch */
} mo_trainer_state;

/* Work memory of one step: nothing in it outlives the step but s, the features of the last one.  B is
 * the options' batch. */
typedef struct mo_trainer_work {
    float *s, *ds;     /* C x D: student features and their gradient */
    float *z, *dz;     /* B x C: student logits and their gradient */
    float *u;          /* B x M x C: teacher logits; NULL where no loss needs them */
    float *h, *dh;     /* B x M: gate scores and their gradient */
    uint32_t *chosen;  /* B x K: the teachers of each picture */
    double *alpha;     /* B x K: their weights */
    double *loss;      /* mo_loss_work(B, K) doubles */
    float *features;   /* B x D: a batch gathered from a run's pictures */
    int32_t *labels;   /* B */
    float *ds2, *dz2;  /* ProGrad: the same gradients of the divergence from the teacher; else NULL */
    float *d_context2; /* vectors x W: and that of the context */
} mo_trainer_work;

/* One number of a state as it stands in a checkpoint's JSON. */
typedef struct mo_trainer_position {
    const char *key;
    size_t at; /* offset of the field in mo_trainer_state */
    bool real; /* a double; else a uint64_t */
} mo_trainer_position;

/* Number i of them in the order of the file; NULL behind the last one. */
const mo_trainer_position *mo_trainer_position_row(size_t i);

/* What a prompt file says beside what was learned. */
typedef struct mo_trainer_notes {
    char *data;      /* JSON: what was trained on, or NULL */
    char *gate_use;  /* JSON: how often the gate takes each template, or NULL */
    double accuracy; /* in percent, on the training pictures; negative: not measured */
    mo_prompt_notes host;
} mo_trainer_notes;

struct mopd_trainer {
    const mopd_encoder *encoder;
    mo_settings set; /* its texts: words, templates below */
    char *words;     /* the context's first words, or NULL */
    char *settings;  /* JSON */
    mo_names classes, templates;
    size_t n_classes, dim, width; /* C, D, W */
    mo_context_shape shape;
    mo_loss_weights weights;
    mo_group group;
    mo_student *student; /* of this rank's classes; NULL when it has none */
    float *teachers;     /* M x C x D, or NULL */
    mo_arena block;      /* the arrays of state and work, and the group's values */
    mo_trainer_state state;
    mo_trainer_work work;
    mo_trainer_notes notes;
};

typedef struct mo_trainer_args {
    const mopd_encoder *encoder;
    const char *const *classes;
    size_t n_classes;
    const mopd_trainer_options *options;
    const float *teachers; /* M x C x D computed before; NULL: the options' own, or encoded */
} mo_trainer_args;

mopd_status mo_trainer_create(mopd_trainer **out, const mo_trainer_args *args);
void mo_trainer_free(mopd_trainer *trainer);

/* ARG: the options give teachers without templates, or rows that are not of length 1; NUMERIC: not finite. */
mopd_status mo_trainer_check_teachers(const mo_trainer_args *args, const mo_settings *settings);

/* Teacher features of these classes as the settings say, M x C x D: args' own, the options', or encoded by the
 * group, whose payload takes C x D; NULL without teachers.  mo_mem_free them. */
mopd_status mo_trainer_teachers(
    float **out, const mo_trainer_args *args, const mo_settings *settings, mo_group *group);

/* What must be the same on all ranks: the bits of a batch, or of a run's data. */
uint64_t mo_trainer_bits(const float *features, size_t n_floats, const int32_t *labels, size_t n);

/* Before a run of n_batches steps an epoch: the number of its epochs where that is open, also in the settings'
 * JSON.  MISMATCH: it has begun with another number. */
mopd_status mo_trainer_count_epochs(mopd_trainer *trainer, size_t n_batches);

/* Before a host's own step: the epochs are as many as they are.  STATE: they are to be counted in steps. */
mopd_status mo_trainer_fix_epochs(mopd_trainer *trainer);

/* Student features s (C x D) of the context as it is; the group's sum takes st, this rank's status so far. */
mopd_status mo_trainer_features(mopd_trainer *trainer, mopd_status st);

/* A step on checked input of at most `batch` rows; step is filled wholly.  Nothing is changed on failure. */
mopd_status mo_trainer_step(
    mopd_trainer *trainer, const float *features, const int32_t *labels, size_t n, mopd_step *out);

/* Student logits z (B x C) of n <= batch features with `rows`, n_rows features of classes. */
void mo_trainer_logits(const mopd_trainer *trainer, const float *features, size_t n, const float *rows,
    size_t n_rows, float *logits);

void mo_trainer_end_epoch(mopd_trainer *trainer);
double mo_trainer_lr(const mopd_trainer *trainer, uint64_t epoch); /* epoch from 0 */
mopd_status mo_trainer_run(mopd_trainer *trainer, const mopd_run *run);

mopd_status mo_trainer_prompt(const mopd_trainer *trainer, mopd_prompt **out);
mopd_status mo_trainer_checkpoint(const mopd_trainer *trainer, const char *path);
mopd_status mo_trainer_resume(mopd_trainer *trainer, const char *path);

extern const mopd_run mo_run_defaults;

#endif
