/* SPDX-License-Identifier: MIT
 * recognizer.h - recognising classes from a few pictures of each, in closed form: nothing is trained, it takes a second.
 *
 * Each class is a Gaussian around its pictures, pulled towards where its name says that it lies; all share one
 * covariance; the text classifier is blended in.  Every setting is chosen so that the given pictures, each left
 * out in its turn, are as likely as can be, and so the probabilities need no further calibration.  A class
 * without pictures is answered by the same formula.
 *
 * From the pictures left out follow, with no further work, an estimate of the accuracy, a cut-off for pictures
 * of none of the classes, sets of classes that hold the true one with a promised probability, and the labels
 * that are likely wrong.
 *
 * A recogniser is unchanging: any number of threads may use one.  Extending or withdrawing makes a new one.  It
 * copies what it needs and may outlive its encoder. */
#ifndef MOPD_RECOGNIZER_H
#define MOPD_RECOGNIZER_H

#include "bank.h"
#include "prompt.h"

MOPD_BEGIN_DECLS

typedef struct mopd_recognizer mopd_recognizer;

/* What several views count for where nobody says. */
#define MOPD_VIEW_WEIGHT 2

/* How a recogniser is fitted; docs/method.md 9.5 has the formulas.  Start from mopd_recognizer_options_init. */
typedef struct mopd_recognizer_options {
    uint32_t struct_size; /* set by mopd_recognizer_options_init */
    uint32_t flags;       /* none yet: 0 */
    /* The share of pictures of the known classes that must stay known when others are refused, more than 0 and
     * less than 1; 0.95.  It moves info.cutoff alone.  Raise it when a wrongly refused picture costs more than a
     * stranger let through. */
    double keep;
    /* kappa, how many pictures a class's name counts for, 1 to 1e6: the higher, the nearer a class of few pictures
     * stays to where its name says.  lambda, how far the covariance is shrunk to a sphere, more than 0 and less
     * than 1: the higher, the less the pictures' own directions count.  0, the default of both: chosen by the
     * pictures.  Set them to repeat an earlier fit. */
    double kappa, lambda;
    /* Weights of the text classifier and of the pictures' Gaussians, up to 1e6; 0, the default: chosen by the
     * pictures, beside what is given.  Set them to repeat an earlier fit. */
    double text_weight, picture_weight;
    /* The text side: hard prompts with "{}" for the name, as in mopd_bank_create; n_templates 0, the default: "a photo
     * of a {}.".  Give sentences of your subject where names alone may mean something else.  Copied. */
    const char *const *templates;
    uint64_t n_templates;
    /* Instead of templates: a learned prompt of the same model, copied; NULL, the default: none.  For classes that
     * were learned as prompts before. */
    const mopd_prompt *prompt;
    /* How far classes that the prompt was not trained on take its context, between 0 and 1, as in
     * mopd_bank_create_prompt_unseen; 0.5.  1 takes it whole, as the published method does.  Means nothing
     * without a prompt. */
    double unseen;
    /* V, rows of features a picture; 0, the default: 1.  More are several views of it, the first as it will be recognised
     * (MOPD_ENCODE_FIXED, mopd_encoder_encode_views): the recogniser learns from their mean what a picture shows, and from
     * their differences what does not matter, unless many pictures, left out, say that it does not help: then it keeps
     * the first views.  Give them where pictures are few.  A picture is left out with all its views, and recognised by one. */
    uint64_t n_views;
    /* How many times the differences between views count, up to 1e6; 0, the default: MOPD_VIEW_WEIGHT where views help,
     * else views are not used.  Set it to use them without asking. */
    double view_weight;
} mopd_recognizer_options;

/* What a recogniser is; set struct_size before asking. */
typedef struct mopd_recognizer_info {
    uint32_t struct_size;
    uint32_t dim;        /* D, width of a feature */
    uint64_t n_pictures; /* N, that it was fitted to */
    uint64_t n_classes;  /* those answered: C */
    /* As in the options, chosen or given: together they repeat the fit. */
    double kappa, lambda, text_weight, picture_weight, keep;
    /* The score below which a picture is none of the classes; -infinity: fewer than 40 pictures. */
    double cutoff;
    /* Of the pictures left out in turn, as shares; negative: nothing could be left out (one picture a
     * class).  low and high are the 95 % interval of the accuracy (Wilson 1927). */
    double loo_accuracy, loo_low, loo_high, loo_ece;
    /* 1: the encoder that it was fitted with turned picture files as EXIF says (MOPD_OPEN_UPRIGHT), or scaled 16-bit
     * grey (MOPD_OPEN_SCALE_GREY16).  Pictures to be recognised should be read in the same way. */
    uint32_t upright, scaled16;
    uint64_t n_views;   /* V, that it learned from; 1: one view, or more would not have helped */
    double view_weight; /* as in the options; 0 with one view */
} mopd_recognizer_info;

/* A picture whose label is likely wrong. */
typedef struct mopd_suspect {
    uint64_t index;     /* of the picture, in the order of fitting */
    int32_t label;      /* as given */
    int32_t other;      /* the likelier class */
    double probability; /* of the given label, from 0 to 1, when the picture is left out */
} mopd_suspect;

/* Flags of mopd_recognizer_extend and _withdraw.  CHOOSE: choose all settings anew, as fitting does, instead
 * of keeping them. */
#define MOPD_RECOGNIZER_CHOOSE UINT32_C(1)

/* Fills in the defaults: keep 0.95, unseen 0.5, all else 0 or NULL.  struct_size is sizeof of the caller's
 * struct.  ARG: a size below that of the first release.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_options_init(mopd_recognizer_options *options, size_t struct_size);

/* Fits to n features, n x D, rows of length 1, with labels in [0, n_classes); a class may have no picture, and n may
 * be 0.  The encoder, which made the features, encodes the names; everything is copied.  options may be NULL for the
 * defaults.  0.3 to 0.5 s for 1,632 pictures of 102 classes at D = 512, on the calling thread and some of its own.
 *
 * ARG: a bad list of classes (names that are the same words to the model too, mopd_classes_check), an option or a label
 * out of range, a row that is not of length 1, templates beside a prompt; NUMERIC: a row is not finite; MISMATCH: the
 * prompt is another model's; STATE: its vectors are each class's own, and a class has none; CANCELLED by the progress
 * of a share (mopd_encoder_share).  *out is NULL on failure.  Free with mopd_recognizer_close.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_create(mopd_recognizer **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const float *features, const int32_t *labels, size_t n,
    const mopd_recognizer_options *options);

/* Another one with n more pictures, features n x D, rows of length 1; the old one stays as it is.  Settings are kept
 * unless MOPD_RECOGNIZER_CHOOSE is set, or there was no picture before.  labels count all classes that it was made
 * or extended for, in their order, also those that it does not answer now.  Its logits are those of fitting
 * anew with the same settings (to 1e-9).  No encoder is needed.  Errors as above.  Free with
 * mopd_recognizer_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_extend(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const float *features, const int32_t *labels, size_t n, uint32_t flags);

/* The same of pictures of which there are several views: features n x n_views x D, n_views that of its info.  To a recogniser
 * that learned from several views, mopd_recognizer_extend gives pictures whose views are all alike.  ARG: another number
 * of views.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_extend_views(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const float *features, size_t n_views, const int32_t *labels, size_t n, uint32_t flags);

/* Another one without n of its pictures, named by their index in the order of fitting, each once; those behind move
 * up.  For pictures whose label was wrong, or that must be forgotten: nothing of them stays.  A class that loses its
 * last picture is answered by its name.  Settings as in mopd_recognizer_extend.  ARG: an index beyond the last, or
 * named twice.  Free with mopd_recognizer_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_withdraw(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const size_t *indices, size_t n, uint32_t flags);

/* Another one for another list of classes: those it knows, by the same spelling, keep their pictures, others are
 * answered by their name alone, and those left out are kept for a later list.  Only new names are encoded.
 *
 * MISMATCH: the encoder is not the one of the fit; ARG: a bad list of classes, a name that is the same words to the
 * model as another of the list or as a class that it knows by another spelling; STATE and CANCELLED as in
 * mopd_recognizer_create.  Free with mopd_recognizer_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_with_classes(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const mopd_encoder *encoder, const char *const *classes, size_t n_classes);

/* Writes everything as one safetensors file (docs/files.md), the pictures' features and labels too, beside path, synced
 * and renamed: what was there stays whole until the new file is.  IO: cannot be written, with the system's
 * reason.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_save(const mopd_recognizer *recognizer, const char *path);

/* Reads such a file: the recogniser that was saved, with the same answers.  encoder may be NULL; otherwise it is compared, so
 * that features never meet another model's: MISMATCH names both.  FORMAT: no recogniser, or its parts do not agree;
 * VERSION: newer than this library; IO: cannot be read.  *out is NULL on failure.  Free with
 * mopd_recognizer_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_open(
    mopd_recognizer **out, const char *path, const mopd_encoder *encoder);

/* Frees the recogniser; takes NULL.  No call with it may be running; what was made from it lives on.  Since 0.1. */
MOPD_API void mopd_recognizer_close(mopd_recognizer *recognizer);

/* Fills info, whose struct_size the caller has set: sizes, settings, and what leaving each picture out says.  The first of
 * this and of the calls below that speak of pictures left out leaves them out, which takes as long as a fit and is kept;
 * threads that ask meanwhile wait for it.  NOMEM.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_get_info(const mopd_recognizer *recognizer, mopd_recognizer_info *info);

/* The name of an answered class as it was given, in the order of the columns of logits; owned by the recogniser; NULL beyond
 * the last and for NULL, so a loop ends there.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_recognizer_class_name(const mopd_recognizer *recognizer, size_t index);

/* logits, or probabilities (softmax over the answered classes, rows summing to 1), n x C floats of the caller, of n
 * features, n x D, rows of length 1.  Probabilities are calibrated for pictures of the classes; a picture of none of
 * them gets a largest one too, which mopd_recognizer_scores tells.  A row depends on its own feature alone.  n may be
 * 0.  NUMERIC: a feature is not finite, or longer than 1e6; ARG: n is beyond all memory.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_logits(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *logits);
MOPD_API mopd_status mopd_recognizer_probabilities(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *probabilities);

/* matches, n x min(top, C) of the caller: the best classes of each picture, best first, ties to the lower index, with
 * logit and probability.  The whole answer for most programs.  ARG: top 0; NOMEM; other errors as above.  Any thread.
 * Since 0.1. */
MOPD_API mopd_status mopd_recognizer_top(
    const mopd_recognizer *recognizer, const float *features, size_t n, size_t top, mopd_match *matches);

/* scores, n floats of the caller: how much each picture seems to be of one of the classes.  It is the energy, the logarithm
 * of the sum of exponentials of its logits, and where that tells pictures of classes left out better 1 or 3 times the
 * logarithm of its largest probability (docs/method.md 9.5).  Below info.cutoff it is none of the classes: of known
 * pictures the promised share stays above; how many strangers fall below is not promised.  The first call leaves the
 * pictures out, as info does.  NOMEM.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_scores(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *scores);

/* in, n x C bytes of the caller, 1 for each class of a picture's set, else 0: sets hold the true class with probability
 * `coverage` for pictures of the known classes (conformal prediction by the pictures left out).  Never empty; a
 * larger set says that the picture is harder.  ARG: coverage is not more than 0 and less than 1; STATE: fewer than
 * 40 pictures can be left out.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_sets(
    const mopd_recognizer *recognizer, const float *features, size_t n, double coverage, uint8_t *in);

/* The pictures whose label is likely wrong, the most suspicious first: those for which another class is
 * likelier when they are left out.  *n: room in `suspects`, which are the caller's, then how many were written; N is
 * always room enough.  STATE: nothing could be left out.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_suspects(
    const mopd_recognizer *recognizer, mopd_suspect *suspects, size_t *n);

/* probabilities, N x C of the caller (info.n_pictures, info.n_classes): what is said of each picture of the fit
 * when it is left out.  From them follow confusions, accuracies of single classes, reliability.  STATE:
 * nothing could be left out.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_left_out(const mopd_recognizer *recognizer, float *probabilities);

/* *share: of pictures with right labels, how many would be given less than `probability` for their own class,
 * going by what the recogniser says of the pictures left out.  Suspects with a smaller probability are a list
 * with so many false alarms to be expected.  ARG: a probability outside of 0 to 1; STATE as above.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_alarms(
    const mopd_recognizer *recognizer, double probability, double *share);

/* What twice as many pictures of each class would add to the accuracy, roughly: from *low to *high, shares of at
 * least 0.  Found by fitting to either half of the pictures and testing on the other, which takes two more
 * fits each time it is called.  STATE: fewer than four pictures in the median class.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_more(const mopd_recognizer *recognizer, double *low, double *high);

MOPD_END_DECLS

#endif
