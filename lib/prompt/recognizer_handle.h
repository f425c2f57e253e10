/* SPDX-License-Identifier: MIT
 * recognizer_handle.h - what a mopd_recognizer holds: pictures, sums, the fit, and what leaving out says of it.
 *
 * Unchanging after creation.  The rows of pictures left out are made when somebody first asks for what follows from them. */
#ifndef MO_PROMPT_RECOGNIZER_HANDLE_H
#define MO_PROMPT_RECOGNIZER_HANDLE_H

#include "base/names.h"
#include "base/once.h"
#include "mopd/recognizer.h"
#include "prompt/recognizer.h"

#define MO_RECOGNIZER_LEAST 40 /* pictures, below which nothing is promised */

/* What the rows of pictures left out say; all of classes that are answered. */
typedef struct mo_recognizer_judgement {
    size_t n;        /* pictures that could be left out */
    double *score;   /* n, ascending: of a picture, mo_recognizer_score */
    double *own;     /* n, ascending: probability of the picture's own class */
    double accuracy; /* share */
    double ece;      /* share; 15 bins */
} mo_recognizer_judgement;

struct mopd_recognizer {
    mo_recognizer_data data; /* points to what follows */
    float *features, *text;
    int32_t *labels;
    mo_names classes; /* C */
    uint32_t *shown;  /* n_shown of them are answered, in this order */
    size_t n_shown;
    mo_recognizer_sums sums;
    mo_recognizer_fit fit;
    double keep;                /* share of known pictures that stay known */
    char fingerprint[65];       /* of the encoder */
    bool upright, scaled16;     /* its encoder turned pictures as EXIF says, scaled 16-bit grey */
    mo_names templates;         /* of the text side; none with a prompt */
    struct mopd_prompt *prompt; /* NULL: templates */
    double unseen;              /* how far classes that it was not trained on take its context */
    mo_once once;               /* level 1: loo and judgement */
    double *loo;                /* N x C logits, each picture left out; NULL where nothing can be */
    double sure;                /* of the score; below 0: not known before rows are left out */
    mo_recognizer_judgement judgement;
};

/* An empty handle; its lock is there.  NULL: no memory. */
mopd_recognizer *mo_recognizer_new(void);
void mo_recognizer_free(mopd_recognizer *recognizer);

/* r->data.n_views is set before.  Room for n pictures and classes as many as there are names, copied from what is given; labels NULL: to be filled. */
mopd_status mo_recognizer_set_pictures(
    mopd_recognizer *r, const float *features, const int32_t *labels, size_t n);
mopd_status mo_recognizer_set_text(mopd_recognizer *r, const float *text, size_t n_classes, size_t dim);

/* As the public functions of the same end. */
mopd_status mo_recognizer_create(mopd_recognizer **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const float *features, const int32_t *labels, size_t n,
    const mopd_recognizer_options *options);
mopd_status mo_recognizer_extend(mopd_recognizer **out, const mopd_recognizer *from, const float *features,
    size_t n_views, const int32_t *labels, size_t n, bool choose);
mopd_status mo_recognizer_withdraw(
    mopd_recognizer **out, const mopd_recognizer *from, const size_t *indices, size_t n, bool choose);
mopd_status mo_recognizer_with_classes(mopd_recognizer **out, const mopd_recognizer *from,
    const mopd_encoder *encoder, const char *const *classes, size_t n_classes);
mopd_status mo_recognizer_save(const mopd_recognizer *r, const char *path);
mopd_status mo_recognizer_open(mopd_recognizer **out, const char *path);

/* logits, n x n_shown. */
void mo_recognizer_logits(const mopd_recognizer *r, const float *features, size_t n, float *logits);

/* Makes the rows of pictures left out, and finds what they say, once. */
mopd_status mo_recognizer_judge(const mopd_recognizer *r);

/* Log of the sum of exponentials of n logits. */
double mo_recognizer_energy(const float *logits, size_t n);

/* How much a picture seems to be of one of the classes, by its energy, its largest logit and `sure`. */
double mo_recognizer_score(double energy, double most, double sure);

/* The best `sure`, from classes of which it is pretended that they are not known; 0: energy alone tells as well, or there are
 * too few pictures or classes. */
mopd_status mo_recognizer_find_sure(double *sure, const mopd_recognizer *r, mo_pool *pool);

/* scores (n) of pictures. */
mopd_status mo_recognizer_scores(const mopd_recognizer *r, const float *features, size_t n, float *scores);

/* The score below which a picture is none of the classes, so that `keep` of the known ones stay; false where
 * there are too few pictures to promise that. */
bool mo_recognizer_cutoff(const mopd_recognizer *r, double keep, double *cutoff);

/* in, n x n_shown, 0 or 1: classes that are likely enough for the true one to be among them with this
 * probability; at least one.  STATE where there are too few pictures. */
mopd_status mo_recognizer_sets(
    const mopd_recognizer *r, const float *features, size_t n, double coverage, uint8_t *in);

/* The likeliest wrong labels, most suspicious first; *n: room, then how many. */
mopd_status mo_recognizer_suspects(const mopd_recognizer *r, mopd_suspect *suspects, size_t *n);

/* As the public functions of the same end. */
mopd_status mo_recognizer_left_out(const mopd_recognizer *r, float *probabilities);
mopd_status mo_recognizer_alarms(const mopd_recognizer *r, double probability, double *share);
mopd_status mo_recognizer_more(const mopd_recognizer *r, double *low, double *high);

#endif
