/* SPDX-License-Identifier: MIT
 * trainer.h - learning a prompt from image features and labels.
 *
 * Pictures only ever go forward through a frozen tower, so a trainer eats features, not files.  A whole run
 * is one call; a host with its own loop gives batches to mopd_trainer_step.  A trainer is used by one thread
 * at a time (it computes with its encoder's threads); the same features, seed and options give the same
 * bytes at any number of them.  The encoder must stay open while the trainer lives. */
#ifndef MOPD_TRAINER_H
#define MOPD_TRAINER_H

#include "gate.h"

MOPD_BEGIN_DECLS

typedef struct mopd_trainer mopd_trainer;

/* Flags of mopd_trainer_options. */
#define MOPD_TRAIN_CLASS_CONTEXT UINT32_C(1) /* each class has vectors of its own: no other classes */
#define MOPD_TRAIN_NO_SHUFFLE UINT32_C(2)    /* pictures in the order given, every epoch */

/* One training on many processes.  Each of `ranks` trainers, given the same classes, options, features and labels,
 * encodes its share of the classes forward and back; this callback adds up what they found.  Each of the n values
 * becomes the sum of its value over all ranks, and every rank gets the same bits, as MPI_Allreduce promises; so all
 * hold the same prompt after each step, within rounding the one that a single process learns.
 *
 * All ranks make the same calls of mopd_trainer_create, _step, _run and _choose in the same order: these call back,
 * on their calling thread, equally often and with equal n everywhere (two to three times a step; n is about C x D).
 * The other functions do not, and a trainer of one rank may do them alone.
 *
 * A failure of one rank inside those calls, a callback that cancels and data that differ end the call on all ranks:
 * the others get the status and the number of the rank that failed.  A process that fails outside of them, or dies,
 * is not seen: end the others too (MPI_Abort), or they wait.  Anything but MOPD_OK from the callback ends the call
 * with it, the step undone; the ranks have lost each other then, and later calls are STATE. */
typedef mopd_status (*mopd_reduce_fn)(void *context, double *values, size_t n);

typedef struct mopd_trainer_options {
    uint32_t struct_size;
    uint32_t flags;         /* MOPD_TRAIN_... */
    int32_t method;         /* MOPD_METHOD_...; MOPD_METHOD_MOPD */
    int32_t class_position; /* MOPD_CLASS_...; MOPD_CLASS_END */
    uint32_t n_context;     /* 0: as many as `context` has tokens, 4 without */
    uint32_t epochs;        /* 50 */
    uint32_t batch;         /* 128 */
    uint32_t top_k;         /* K, teachers kept for a picture: 2 */
    float lr;               /* 0: what the encoder recommends, else 0.002 */
    float warmup_lr;        /* of the first epoch: 1e-5 */
    float momentum;         /* 0.9 */
    float weight_decay;     /* 5e-4 */
    float w;                /* loss = w CE + (1 - w) MPD + w2 MPS: 0.8 */
    float w2;               /* 0.1 */
    float temperature;      /* T of the distillation: 1 */
    float lambda;           /* of kgcoop and prograd; negative: 8 and 1 */
    uint64_t seed;          /* of shuffling, random context and mopd-random: 1 */
    uint64_t memory_limit;  /* bytes for the text tower's work; beyond it classes go in chunks.  0: 1 GiB */
    uint64_t n_templates;   /* M; 0: the 12 general ones, mopd_templates_for("imagenet") */
    const char *const *templates; /* the teachers, each with "{}"; needed during mopd_trainer_create only */
    const char *context;          /* words to start from: "a photo of a"; NULL: random, deviation 0.02 */
    const float *teachers;        /* n_templates x n_classes x D: the templates' features where several
                                     trainings share them, rows of length 1; copied.  NULL: encoded here */
    uint32_t rank;                /* which of `ranks` this is, from 0 */
    uint32_t ranks;               /* processes that train together; 0 or 1: alone, reduce is not called */
    mopd_reduce_fn reduce;
    void *reduce_context; /* handed to reduce; both are kept while the trainer lives */
} mopd_trainer_options;

/* Kinds of settings. */
#define MOPD_SETTING_COUNT 0  /* a whole number */
#define MOPD_SETTING_REAL 1   /* a float */
#define MOPD_SETTING_CHOICE 2 /* one of `choices` */
#define MOPD_SETTING_FLAG 3   /* 0 or 1: a bit of mopd_trainer_options.flags */
#define MOPD_SETTING_TEXT 4   /* words, or NULL */

/* What the library knows of one option of a training: for help texts, forms and checks before a trainer is made.  All
 * texts are static. */
typedef struct mopd_setting {
    uint32_t struct_size;
    int32_t kind;       /* MOPD_SETTING_... */
    double preset;      /* what mopd_trainer_options_init sets, for a choice its index; 0 for a text */
    double least, most; /* the limits, both allowed; 0 and 0 for a text */
    const char *name;   /* of the field of mopd_trainer_options; "class_context" and "shuffle" are flags */
    const char *text;   /* what it does, in one line */
    const char *open; /* what the preset leaves open and becomes: "8 for kgcoop, 1 for prograd"; else NULL */
    const char *preset_text;    /* the preset of a text, else NULL */
    const char *const *choices; /* of a choice the names of 0 to `most`, else NULL */
} mopd_setting;

/* What a step did.  Losses are of the weights before the update. */
typedef struct mopd_step {
    uint32_t struct_size;
    uint32_t epoch;     /* from 1 */
    uint32_t step;      /* in this epoch, from 1 */
    uint32_t n_correct; /* of the batch, by the weights before the update */
    double lr;
    double loss; /* the method's sum; for prograd its cross-entropy */
    double ce;   /* cross-entropy */
    double mpd;  /* distillation from the teachers, 0 where the method has none */
    double mps;  /* the teachers' own cross-entropy, 0 where the method has none */
    double reg;  /* kgcoop: 1 - mean cosine to the teacher; prograd: KL from it; else 0 */
} mopd_step;

/* What an epoch did: means over its steps. */
typedef struct mopd_epoch {
    uint32_t struct_size;
    uint32_t epoch; /* from 1 */
    uint32_t n_epochs;
    uint32_t n_steps;
    double lr, loss, ce, mpd, mps, reg;
    double accuracy; /* in percent, over the batches of the epoch */
    double seconds;  /* of this epoch in this call */
} mopd_epoch;

/* Return 0 to go on, anything else to stop with CANCELLED after what was reached (and its checkpoint). */
typedef int (*mopd_step_fn)(void *context, const mopd_step *step);
typedef int (*mopd_epoch_fn)(void *context, const mopd_epoch *epoch);

/* Asked many times in every step, on the calling thread: return 0 to go on, anything else to abandon the step.  The run
 * ends with CANCELLED as after the step before (and its checkpoint). */
typedef int (*mopd_stop_fn)(void *context);

/* Fresh features of all pictures, n x D, for an epoch (from 1).  Anything but MOPD_OK ends the run with
 * it. */
typedef mopd_status (*mopd_views_fn)(void *context, uint32_t epoch, float *features);

/* A whole run.  Epoch e (from 0) sees view e mod n_views of each picture. */
typedef struct mopd_run {
    uint32_t struct_size;
    uint32_t flags;        /* none yet: 0 */
    uint64_t n;            /* pictures */
    uint64_t n_views;      /* V: 1 or more; 1 with `views` */
    const float *features; /* n x V x D, rows of length 1; NULL with `views` */
    const int32_t *labels; /* n, each from 0 to C - 1 */
    mopd_views_fn views;   /* NULL: `features` */
    void *views_context;
    mopd_step_fn on_step; /* may be NULL */
    void *step_context;
    mopd_epoch_fn on_epoch; /* may be NULL */
    void *epoch_context;
    const char *checkpoint; /* written after every epoch and when cancelled, by rank 0 alone; NULL: none */
    mopd_stop_fn stop;      /* may be NULL; of several ranks any one may stop all */
    void *stop_context;
} mopd_run;

/* Fill in the defaults.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_options_init(mopd_trainer_options *options, size_t struct_size);
MOPD_API mopd_status mopd_run_init(mopd_run *run, size_t struct_size);

/* Setting number `index`, from 0; setting has its struct_size set by the caller.  ARG behind the last one, so a loop ends
 * there.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_setting_get(size_t index, mopd_setting *setting);

/* A trainer for n_classes classes: encodes the templates' features once, starts the context.  options may be
 * NULL; nothing of them is kept but `reduce`.  ARG: an option out of range, K above M, names or templates as
 * mopd_bank_create, a prompt longer than the tower takes (class named).  Free with mopd_trainer_free.  Since
 * 0.1. */
MOPD_API mopd_status mopd_trainer_create(mopd_trainer **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const mopd_trainer_options *options);

/* Frees the trainer; takes NULL.  Since 0.1. */
MOPD_API void mopd_trainer_free(mopd_trainer *trainer);

/* One step of SGD on n features, n x D, rows of length 1, with labels, n, at the learning rate of the
 * current epoch. step (may be NULL) has its struct_size set by the caller.  NUMERIC: the loss or gradient is
 * not finite (the step is named), nothing was changed; ARG: a label is out of range, n above the options'
 * batch; STATE: all epochs are done.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_step(
    mopd_trainer *trainer, const float *features, const int32_t *labels, size_t n, mopd_step *step);

/* Ends an epoch driven by mopd_trainer_step: the next step uses the next learning rate.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_end_epoch(mopd_trainer *trainer);

/* All epochs that are left, with seeded shuffling; the last short batch is dropped unless it is the only
 * one. CANCELLED: a callback said so; the trainer holds what was reached and may run on.  NUMERIC as
 * above.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_run(mopd_trainer *trainer, const mopd_run *run);

/* The learning rate of an epoch (from 1), 0 beyond the last.  Since 0.1. */
MOPD_API double mopd_trainer_lr(const mopd_trainer *trainer, uint32_t epoch);

/* A text that goes into the prompt file as "note." + key (data set, shots, how settings were chosen);
 * replaces one of the same key.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_note(mopd_trainer *trainer, const char *key, const char *text);

/* The prompt as it is now; close with mopd_prompt_close.  Since 0.1. */
MOPD_API mopd_status mopd_prompt_create_trainer(mopd_prompt **out, const mopd_trainer *trainer);

/* Writes prompt, optimiser and position as a checkpoint, beside path and then renamed.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_checkpoint(const mopd_trainer *trainer, const char *path);

/* Goes back to a checkpoint written by a trainer of the same encoder, classes and options: what follows is
 * what would have followed, bit for bit.  MISMATCH names what differs; STATE: a prompt file without
 * optimiser.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_resume(mopd_trainer *trainer, const char *path);

/* A bank with the prompt as it is now, for any classes; n_classes 0: those trained on.  As
 * mopd_bank_create_prompt. Since 0.1. */
MOPD_API mopd_status mopd_bank_create_trainer(
    mopd_bank **out, const mopd_trainer *trainer, const char *const *classes, size_t n_classes);

/* Chooses options->w, w2 and top_k without any test picture: half of the classes (seeded) are pretended to
 * be new, short trainings on the other half are compared by the harmonic mean of the accuracy on held-out
 * pictures of the one half and on the pictures of the other.  run gives features (not `views`) and labels;
 * its on_step and stop are called. *report (may be NULL) gets what was tried as JSON, for mopd_trainer_note; free with
 * mopd_free. ARG: fewer than 4 classes, no class with 2 pictures, a method without w.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_options_choose(mopd_trainer_options *options, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const mopd_run *run, char **report);

/* The former names of mopd_prompt_create_trainer, mopd_bank_create_trainer and mopd_trainer_options_choose.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_prompt(const mopd_trainer *trainer, mopd_prompt **out)
    MOPD_DEPRECATED("use mopd_prompt_create_trainer");
MOPD_API mopd_status mopd_trainer_bank(const mopd_trainer *trainer, mopd_bank **out,
    const char *const *classes, size_t n_classes) MOPD_DEPRECATED("use mopd_bank_create_trainer");
MOPD_API mopd_status mopd_trainer_choose(const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, mopd_trainer_options *options, const mopd_run *run, char **report)
    MOPD_DEPRECATED("use mopd_trainer_options_choose");

MOPD_END_DECLS

#endif
