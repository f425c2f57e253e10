/* SPDX-License-Identifier: MIT
 * doctor.h - what is wrong with a data set: what the parts of `mopd doctor` find, and where they put it. */
#ifndef MOPD_CLI_DOCTOR_H
#define MOPD_CLI_DOCTOR_H

#include "data.h"

/* A picture whose label looks wrong. */
typedef struct doctor_suspect {
    size_t index; /* in the data */
    int32_t label, other;
    double probability, other_probability; /* of the label, of the likelier class */
} doctor_suspect;

/* Two pictures that are one. */
typedef struct doctor_copy {
    size_t first, second; /* in the data */
    double likeness;      /* correlation of the pictures in small */
    bool exact;           /* the same bytes */
} doctor_copy;

/* Two classes whose names say nearly the same. */
typedef struct doctor_names {
    size_t first, second;
    double cosine;
} doctor_names;

/* How a picture file looks. */
typedef struct doctor_look {
    size_t width, height; /* 0: not at hand */
    double sharpness;
    bool tiny, blurred;
} doctor_look;

typedef struct doctor_class {
    size_t n, n_judged, correct; /* pictures to learn from; of them those judged, those found right */
} doctor_class;

typedef struct doctor {
    cli_common common;
    cli_data data;
    cli_prompts prompts;
    const char *recognizer_path, *report, *fix;

    mopd_encoder *encoder;
    mopd_dataset *all; /* encoded */
    float *features;   /* n x D */
    const int32_t *label;
    size_t n, n_classes, dim;
    cli_list bad; /* messages of pictures that cannot be read */

    mopd_recognizer *recognizer;
    mopd_recognizer_info info;
    const char *unjudged; /* why labels were not judged; NULL: they were */
    mopd_match *best;     /* n: what each picture is taken for */
    float *own;           /* n: probability of its label */
    float *row;           /* n x C: probabilities of all classes */
    uint32_t *confusion;  /* C x C, of the pictures to learn from */
    doctor_class *class;  /* C */
    doctor_suspect *suspect;
    size_t n_suspects;
    double below, alarms;    /* a label less likely than this is listed; of right ones so many are */
    double sharpness, wrong; /* t and e of doctor_noise.c */
    bool has_more;
    double more_low, more_high; /* shares */

    doctor_copy *copy;
    size_t n_copies, n_exact;
    doctor_names *names;
    size_t n_names;
    doctor_look *look; /* n */
    float *signature;  /* n x MOPD_IMAGE_SIGNATURE */
    size_t n_looked, n_tiny, n_blurred;
    double seconds;
} doctor;

/* Is picture i to be learned from? */
bool doctor_trains(const doctor *d, size_t i);
mopd_item doctor_item(const doctor *d, size_t i);
const char *doctor_split_name(int32_t split);

/* -- what is looked for: each -1 to go on, else the exit status --------------------------------------------- */

int doctor_labels(doctor *d);
int doctor_copies(doctor *d);
int doctor_class_names(doctor *d);
int doctor_looks(doctor *d);

/* By the rows of probabilities: the share of labels that are wrong; how likely that of picture i is. */
void doctor_noise_fit(doctor *d);
double doctor_noise_of(const doctor *d, size_t i);

/* A class with so few pictures that nothing can be said of it. */
bool doctor_is_few(const doctor *d, size_t c);

/* -- what is told ------------------------------------------------------------------------------------------ */

void doctor_show_text(const doctor *d);
void doctor_show_json(const doctor *d);
void doctor_show_csv(const doctor *d);
int doctor_write_page(const doctor *d);
int doctor_write_fix(const doctor *d);

#endif
