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

/* Start from mopd_recognizer_options_init. */
typedef struct mopd_recognizer_options {
    uint32_t struct_size;
    uint32_t flags; /* none yet */
    /* The share of pictures of the known classes that must stay known when others are refused, between 0 and 1;
     * 0.95.  Raise it when a wrongly refused picture costs more than a stranger let through. */
    double keep;
    /* How many pictures a class's name counts for (kappa), and how far the covariance is shrunk (lambda,
     * between 0 and 1); 0: chosen by the pictures.  Set them to repeat an earlier fit to the bit. */
    double kappa, lambda;
    /* Weights of the text classifier and of the pictures; 0: chosen by the pictures, beside what is given. */
    double text_weight, picture_weight;
    /* The text side: hard prompts with "{}" for the name, as in mopd_bank_create; NULL: "a photo of a {}.". */
    const char *const *templates;
    uint64_t n_templates;
    /* Instead of templates: a learned prompt; NULL: none. */
    const mopd_prompt *prompt;
    /* How far classes that the prompt was not trained on take its context, between 0 and 1, as in
     * mopd_bank_create_prompt_unseen; 0.5.  1 takes it whole, as the published method does. */
    double unseen;
} mopd_recognizer_options;

/* What a recogniser is; set struct_size before asking. */
typedef struct mopd_recognizer_info {
    uint32_t struct_size;
    uint32_t dim;        /* D */
    uint64_t n_pictures; /* N */
    uint64_t n_classes;  /* those answered: C */
    double kappa, lambda, text_weight, picture_weight, keep;
    /* The energy below which a picture is none of the classes; -infinity: fewer than 40 pictures. */
    double cutoff;
    /* Of the pictures left out in turn, as shares; negative: nothing could be left out (one picture a
     * class).  low and high are the 95 % interval of the accuracy (Wilson 1927). */
    double loo_accuracy, loo_low, loo_high, loo_ece;
} mopd_recognizer_info;

/* A picture whose label is likely wrong. */
typedef struct mopd_suspect {
    uint64_t index;     /* of the picture, in the order of fitting */
    int32_t label;      /* as given */
    int32_t other;      /* the likelier class */
    double probability; /* of the given label, when the picture is left out */
} mopd_suspect;

/* Flags of mopd_recognizer_extend and _withdraw.  CHOOSE: choose all settings anew, as fitting does, instead
 * of keeping them. */
#define MOPD_RECOGNIZER_CHOOSE UINT32_C(1)

MOPD_API mopd_status mopd_recognizer_options_init(mopd_recognizer_options *options, size_t struct_size);

/* Fits to n features, n x D, rows of length 1, with labels in [0, n_classes); a class may have no picture, and
 * n may be 0.  The encoder makes the text side.  ARG: a bad list of classes (names that are the same words to the
 * model too, mopd_classes_check), a label out of range, a row that is not of length 1.  About 0.3 s for 1,632 pictures
 * of 102 classes at D = 512.  Free with mopd_recognizer_close.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_create(mopd_recognizer **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const float *features, const int32_t *labels, size_t n,
    const mopd_recognizer_options *options);

/* The same with n more pictures; settings are kept unless MOPD_RECOGNIZER_CHOOSE is set.  labels count all
 * classes that it was made or extended for, in their order.  Its logits are those of fitting anew with the same
 * settings (to 1e-9).  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_extend(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const float *features, const int32_t *labels, size_t n, uint32_t flags);

/* The same without n of its pictures, named by their index, each once.  The others move up.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_withdraw(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const size_t *indices, size_t n, uint32_t flags);

/* The same for another list of classes: those it knows keep their pictures, others are answered by their name
 * alone.  The encoder must be the one of the fit (MISMATCH).  ARG: a bad list of classes, names that are the same
 * words to the model as another of the list or as a class that it knows.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_with_classes(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const mopd_encoder *encoder, const char *const *classes, size_t n_classes);

/* One safetensors file.  open: FORMAT, VERSION; MISMATCH when encoder is not NULL and another than at the fit.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_save(const mopd_recognizer *recognizer, const char *path);
MOPD_API mopd_status mopd_recognizer_open(
    mopd_recognizer **out, const char *path, const mopd_encoder *encoder);

/* Frees; takes NULL.  Since 0.1. */
MOPD_API void mopd_recognizer_close(mopd_recognizer *recognizer);

/* Leaves pictures out when nobody did yet, which takes as long as a fit.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_get_info(const mopd_recognizer *recognizer, mopd_recognizer_info *info);

/* The name of an answered class, NULL beyond the last; of any class that extend counts.  Since 0.1. */
MOPD_API const char *mopd_recognizer_class_name(const mopd_recognizer *recognizer, size_t index);

/* logits, or probabilities (softmax over the classes), n x C, of n features, n x D.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_logits(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *logits);
MOPD_API mopd_status mopd_recognizer_probabilities(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *probabilities);

/* matches, n x min(top, C): as mopd_bank_top.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_top(
    const mopd_recognizer *recognizer, const float *features, size_t n, size_t top, mopd_match *matches);

/* scores, n: the energy of a picture (log sum exp of its logits).  Below info.cutoff it is none of the classes:
 * of known pictures the promised share stays above; how many strangers fall below is not promised.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_scores(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *scores);

/* in, n x C, 1 for each class of a picture's set: sets hold the true class with probability `coverage` (between
 * 0 and 1) for pictures of the known classes (conformal prediction by the pictures left out).  Never
 * empty.  STATE: fewer than 40 pictures.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_sets(
    const mopd_recognizer *recognizer, const float *features, size_t n, double coverage, uint8_t *in);

/* The pictures whose label is likely wrong, the most suspicious first: those for which another class is
 * likelier when they are left out.  *n: room in `suspects`, then how many were written.  STATE: nothing could
 * be left out.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_suspects(
    const mopd_recognizer *recognizer, mopd_suspect *suspects, size_t *n);

/* probabilities, N x C of the caller (info.n_pictures, info.n_classes): what is said of each picture of the fit
 * when it is left out.  From them follow confusions, accuracies of single classes, reliability.  STATE: nothing
 * could be left out.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_left_out(const mopd_recognizer *recognizer, float *probabilities);

/* *share: of pictures with right labels, how many would be given less than `probability` for their own class,
 * going by what the recogniser says of the pictures left out.  Suspects with a smaller probability are a list
 * with so many false alarms to be expected.  ARG: a probability outside of 0 to 1; STATE as above.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_alarms(
    const mopd_recognizer *recognizer, double probability, double *share);

/* What twice as many pictures of each class would add to the accuracy, roughly: from *low to *high, shares of at
 * least 0.  Found by fitting to either half of the pictures and testing on the other, which takes two more
 * fits.  STATE: fewer than four pictures a class.  Since 0.1. */
MOPD_API mopd_status mopd_recognizer_more(const mopd_recognizer *recognizer, double *low, double *high);

MOPD_END_DECLS

#endif
