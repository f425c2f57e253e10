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
#include "runtime.h"

MOPD_BEGIN_DECLS

typedef struct mopd_trainer mopd_trainer;

/* Flags of mopd_trainer_options. */
#define MOPD_TRAIN_CLASS_CONTEXT UINT32_C(1) /* each class has vectors of its own: no other classes */
#define MOPD_TRAIN_NO_SHUFFLE UINT32_C(2)    /* pictures in the order given, every epoch */

/* One training on many processes.  Each of `ranks` trainers, given the same classes, options, features and
 * labels, encodes its share of the classes forward and back; this callback adds up what they found.  Each of
 * the n values becomes the sum of its value over all ranks, and every rank gets the same bits, as MPI_Allreduce
 * promises; so all hold the same prompt after each step, within rounding the one that a single process learns.
 *
 * All ranks make the same calls of mopd_trainer_create, _step, _run and _choose in the same order: these call
 * back, on their calling thread, equally often and with equal n everywhere (two to three times a step; n is
 * about C x D).  The other functions do not, and a trainer of one rank may do them alone.
 *
 * A failure of one rank inside those calls, a callback that cancels and data that differ end the call on
 * all ranks: the others get the status and the number of the rank that failed.  A process that fails
 * outside of them, or dies, is not seen: end the others too (MPI_Abort), or they wait.  Anything but
 * MOPD_OK from the callback ends the call with it, the step undone; the ranks have lost each other then,
 * and later calls are STATE. */
typedef mopd_status (*mopd_reduce_fn)(void *context, double *values, size_t n);

typedef struct mopd_trainer_options {
    uint32_t struct_size; /* set by mopd_trainer_options_init */
    /* MOPD_TRAIN_... bits; none by default.  MOPD_TRAIN_CLASS_CONTEXT gives each class vectors of its own:
     * it fits the trained classes closer and can answer no others.  MOPD_TRAIN_NO_SHUFFLE is for comparing
     * with another program. */
    uint32_t flags;
    /* What is learned from: MOPD_METHOD_MOPD by default, which keeps new classes best; MOPD_METHOD_COOP is the
     * quickest and the usual baseline. */
    int32_t method;
    /* Where the class name stands among the vectors: MOPD_CLASS_END by default, as in "a photo of a NAME". */
    int32_t class_position;
    /* How many vectors are learned.  0, the default: as many as `context` has tokens, 4 without words.  More of
     * them fit more pictures and overfit few. */
    uint32_t n_context;
    /* Passes over the pictures.  0, the default: 50, and more where these are fewer than 7 steps for each pair of
     * classes, up to 300 steps.  An epoch of few pictures is one step: ten classes of 16 get 300 epochs, fifty or
     * more of 16 get 50.  A number is taken as it is, 50 to repeat the published recipe.  More of them fit the
     * trained classes closer, and other classes suffer. */
    uint32_t epochs;
    /* Pictures of a step; 128.  The last incomplete batch of an epoch is dropped unless it is the only one. */
    uint32_t batch;
    /* K, how many teachers the gate keeps for each picture; 2.  1 trusts one sentence alone, M averages all of them. */
    uint32_t top_k;
    /* Learning rate at its highest, after which it falls along a cosine.  0, the default: what the model file
     * recommends, else 0.002.  A model of other feature scale needs another; too high a rate ends in
     * MOPD_E_NUMERIC or at chance. */
    float lr;
    /* Learning rate of the first epoch, 1e-5: it lets the momentum settle.  Rarely changed. */
    float warmup_lr;
    /* Momentum of stochastic gradient descent, 0.9 as in the released recipe.  Rarely changed. */
    float momentum;
    /* How strongly the parameters are drawn to 0, 5e-4 as in the released recipe.  Rarely changed. */
    float weight_decay;
    /* The loss is w CE + (1 - w) MPD + w2 MPS.  w, 0.8: how much the labels count against the teachers.  Higher
     * fits the trained classes, lower keeps new ones. */
    float w;
    /* w2, 0.1: how much the gate is taught to prefer teachers that classify the picture rightly. */
    float w2;
    /* T of the distillation, 1: higher softens what the teachers say. */
    float temperature;
    /* The weight of KgCoOp's and ProGrad's own term; other methods ignore it.  Negative, the default: 8 and 1. */
    float lambda;
    /* Decides the order of pictures, a random context and the draws of mopd-random; 1.  The same seed, features
     * and options give the same bytes; several seeds tell how much of a result is luck. */
    uint64_t seed;
    /* Bytes that the text tower may keep for the way back; beyond it the classes go in chunks that are computed
     * twice.  0, the default: 1 GiB.  Lower it for thousands of classes on a small machine. */
    uint64_t memory_limit;
    /* M and the teachers: hard prompts, each with "{}" for the class name.  0, the default: the 12 general ones
     * of mopd_templates_for("imagenet").  Sentences of your own subject teach better.  The texts are needed
     * during mopd_trainer_create alone. */
    uint64_t n_templates;
    const char *const *templates;
    /* Words whose embeddings the context starts from, "a photo of a"; NULL: random numbers of deviation
     * 0.02.  Starting from words begins at zero-shot accuracy. */
    const char *context;
    /* The templates' features, n_templates x n_classes x D, rows of length 1, where several trainings share
     * them; copied.  NULL, the default: they are encoded here, which is most of a short training's time. */
    const float *teachers;
    /* Training on several processes: which one this is, from 0; how many there are, 0 or 1 for one alone; the
     * sum over all of them, and what is handed to it.  The last two are kept while the trainer lives. */
    uint32_t rank;
    uint32_t ranks;
    mopd_reduce_fn reduce;
    void *reduce_context;
    /* The length of a training in steps instead of epochs, rounded up to whole epochs; only for
     * mopd_trainer_run, which knows how many steps an epoch of its pictures has.  0, the default: as `epochs`
     * say.  Give it to compare trainings on more and on fewer pictures. */
    uint64_t steps;
} mopd_trainer_options;

/* Kinds of settings. */
#define MOPD_SETTING_COUNT 0  /* a whole number */
#define MOPD_SETTING_REAL 1   /* a float */
#define MOPD_SETTING_CHOICE 2 /* one of `choices` */
#define MOPD_SETTING_FLAG 3   /* 0 or 1: a bit of mopd_trainer_options.flags */
#define MOPD_SETTING_TEXT 4   /* words, or NULL */

/* What the library knows of one option of a training: for help texts, forms and checks before a trainer is
 * made.  All texts are static. */
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

/* What an epoch did: means over its steps; losses are called as in mopd_step. */
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

/* Fresh features of all pictures, n x D, for an epoch (from 1).  Anything but MOPD_OK ends the run with it. */
typedef mopd_status (*mopd_views_fn)(void *context, uint32_t epoch, float *features);

/* A whole run.  Epoch e (from 0) sees view e mod n_views of each picture.  mopd_run_init leaves n, features and
 * labels to be set: n 0, n_views 1, all pointers NULL. */
typedef struct mopd_run {
    uint32_t struct_size;
    uint32_t flags; /* none yet: 0 */
    uint64_t n;     /* pictures */
    /* V, augmented views of each picture, of which one epoch after the other sees the next; 1 for plain
     * pictures, and with `views`. */
    uint64_t n_views;
    const float *features; /* n x V x D, rows of length 1; NULL with `views`.  Needed while the run lasts */
    const int32_t *labels; /* n, each from 0 to C - 1 */
    /* Instead of features: gives each epoch fresh ones, for augmentation without an end.  NULL, the default: `features`. */
    mopd_views_fn views;
    void *views_context;
    /* Told of every step and of every epoch, on the calling thread; each may be NULL and may stop the run. */
    mopd_step_fn on_step;
    void *step_context;
    mopd_epoch_fn on_epoch;
    void *epoch_context;
    /* Where a checkpoint is written after every epoch and when cancelled, by rank 0 alone; NULL, the default: nowhere. */
    const char *checkpoint;
    /* Asked many times within a step, for a program that must be able to stop at once; may be NULL.  The step is then
     * abandoned: the run ends with CANCELLED as after the step before (and its checkpoint).  Of several ranks any one
     * may stop all. */
    mopd_stop_fn stop;
    void *stop_context;
} mopd_run;

/* Fill in the defaults.  struct_size is sizeof of the caller's struct: a program that was compiled with an
 * older header has a shorter one, and gets as many fields as it knows.  ARG: a size below that of the first
 * release.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_options_init(mopd_trainer_options *options, size_t struct_size);
MOPD_API mopd_status mopd_run_init(mopd_run *run, size_t struct_size);

/* Setting number `index`, from 0; setting has its struct_size set by the caller.  ARG behind the last one, so a
 * loop ends there.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_setting_get(size_t index, mopd_setting *setting);

/* A trainer for n_classes classes, whose names are copied.  It encodes the templates with all names once (M x C
 * texts, which is most of the time of a short training) and starts the context from its words.
 *
 * options may be NULL for the defaults; nothing of them is kept but `reduce` and its context.  The encoder must
 * stay open as long as the trainer lives.  ARG: an option out of range (the field and its limits are named), K above
 * M, names or templates that mopd_bank_create would refuse, a prompt longer than the tower takes (the class is
 * named), one class that alone needs more than memory_limit.  Free with mopd_trainer_free.  Any thread; afterwards
 * one at a time.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_create(mopd_trainer **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const mopd_trainer_options *options);

/* Frees the trainer; takes NULL.  Prompts and banks that were made from it live on.  No call with it may be running.
 * Since 0.1. */
MOPD_API void mopd_trainer_free(mopd_trainer *trainer);

/* One step of stochastic gradient descent on a batch, at the learning rate of the current epoch: for hosts that
 * drive their own loop, with pictures that come from anywhere.  features are n x D, rows of length 1; labels
 * are n, each from 0 to C - 1; n is at most the options' batch.  Nothing of them is kept.
 *
 * step, which may be NULL, tells what was done; the caller has set its struct_size.  NUMERIC: the loss or a
 * gradient is not finite (the step is named); then nothing was changed.  ARG: a label out of range, a row that
 * is not of length 1, too large a batch; STATE: all epochs are done, or the options count in steps.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_step(
    mopd_trainer *trainer, const float *features, const int32_t *labels, size_t n, mopd_step *step);

/* Ends an epoch that mopd_trainer_step has driven: the next step uses the next learning rate.  mopd_trainer_run
 * does it by itself.  STATE: all epochs are done.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_end_epoch(mopd_trainer *trainer);

/* Runs all epochs that are left.  Each shuffles the pictures by the options' seed and the epoch's number alone,
 * so that a resumed run sees the same batches; the last incomplete batch is dropped unless it is the only one.
 *
 * Callbacks are called on the calling thread.  Where one of them stops the run, the call is CANCELLED, the
 * trainer holds what was reached, its checkpoint is written, and it may run on.  NUMERIC as above; IO when the
 * checkpoint cannot be written: the trainer then holds the epoch that was not.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_run(mopd_trainer *trainer, const mopd_run *run);

/* How many epochs mopd_trainer_run takes over n pictures, which decides where the options leave the epochs open
 * or count in steps; n 0: as many as are known now, which are 50 before the first run where they are open.  For a
 * progress bar, or for a host's own loop.  0 for NULL.  Since 0.1. */
MOPD_API uint32_t mopd_trainer_n_epochs(const mopd_trainer *trainer, uint64_t n);

/* The learning rate of an epoch, counted from 1: the warm-up's in the first, then half a cosine from `lr`
 * down.  0 beyond the last epoch and for NULL.  Where the options leave the epochs open, their number is known once
 * mopd_trainer_run begins; until then, and in a host's own loop, there are 50.  Since 0.1. */
MOPD_API double mopd_trainer_lr(const mopd_trainer *trainer, uint32_t epoch);

/* The key of a note that says which pictures a training learns from, by their content: mopd_trainer_resume compares it. */
#define MOPD_NOTE_PICTURES "pictures"

/* Keeps a text that goes into the prompt file's metadata as "note." and key: the data set, the number of shots, how
 * settings were chosen, who made it.  Both are copied; a text of the same key is replaced.  ARG: not UTF-8, or an
 * empty key.  Read back by mopd_prompt_describe.  NOMEM.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_note(mopd_trainer *trainer, const char *key, const char *text);

/* The prompt as it is now, a copy that the trainer's further steps do not change: save it with
 * mopd_prompt_save, make a bank of it, or look at its vectors.  May be called between steps.  Close with
 * mopd_prompt_close.  Since 0.1. */
MOPD_API mopd_status mopd_prompt_create_trainer(mopd_prompt **out, const mopd_trainer *trainer);

/* Writes prompt, optimiser and position as one file from which mopd_trainer_resume goes on.  It is written
 * beside path, synced and renamed, so that a checkpoint that was there stays whole until the new one is.  A
 * checkpoint is a prompt file too: it opens with mopd_prompt_open.  IO: cannot be written.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_checkpoint(const mopd_trainer *trainer, const char *path);

/* Goes back to a checkpoint that a trainer of the same encoder, classes and options has written: what follows
 * is what would have followed then, bit for bit, also on another number of threads.  The data is the caller's
 * to give again.  MISMATCH names what differs (another model, class, template or setting; other
 * pictures, where both have a note MOPD_NOTE_PICTURES); STATE: a prompt file
 * without an optimiser; FORMAT: not such a file.  On failure the trainer is as it was.  Since 0.1. */
MOPD_API mopd_status mopd_trainer_resume(mopd_trainer *trainer, const char *path);

/* A bank with the prompt as it is now, for any classes, as mopd_bank_create_prompt makes it of a file: for
 * looking at the accuracy during training without writing anything.  n_classes 0: those trained on.  Free with
 * mopd_bank_free.  Since 0.1. */
MOPD_API mopd_status mopd_bank_create_trainer(
    mopd_bank **out, const mopd_trainer *trainer, const char *const *classes, size_t n_classes);

/* Chooses options->w, w2, top_k and, where neither epochs nor steps are given, epochs, without any test picture.  Trainings
 * of half the length on all classes tell the accuracy on a quarter of the pictures, held out; trainings on half of the
 * classes, drawn by the seed, and then on the other half tell the accuracy on the half that is pretended to be new, which
 * takes the context half-way (0.5 in mopd_bank_create_prompt_unseen).  The best harmonic mean of the two is chosen among
 * those that give up nothing on held-out pictures against the options' defaults, so that it costs no trained class what new
 * ones gain.  It takes some thirty short trainings.
 *
 * run gives features (not `views`) and labels; its on_step and stop are called.  *report, which may be NULL, gets what was
 * tried as JSON, for mopd_trainer_note; free it with mopd_free.  ARG: fewer than 4 classes, no class with 2 pictures, a
 * method without w.  CANCELLED: options are as they were.  Any thread.  Since 0.1. */
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
