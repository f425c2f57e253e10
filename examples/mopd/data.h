/* SPDX-License-Identifier: MIT
 * data.h - what train, eval, bench-new and features share: opening data, encoding it with a
 * progress bar, scoring. */
#ifndef MOPD_CLI_DATA_H
#define MOPD_CLI_DATA_H

#include "cli.h"

#define CLI_SHOTS 16         /* pictures of a class that a training draws */
#define CLI_MOST_VIEWS 65536 /* of a picture */

/* Where labelled pictures come from; filled by options. */
typedef struct cli_data {
    const char *path;     /* -d: folder, CSV or store */
    const char *pictures; /* --pictures: the folder that a store's or list's paths are in, NULL: its own */
    const char *names;    /* --names: words for labels that are none */
    bool skip_bad;        /* --skip-bad */
    bool unlabelled;      /* --unlabelled: labels are not looked for */
    bool may_lack_labels; /* the command needs none; set by it before cli_data_open */
    const char *hint;     /* said of data whose folders or lines do not make sense; NULL */
    size_t n_bad;         /* counted by cli_data_encode */
    cli_list *bad; /* set by a command that tells faults of the pictures itself: what is wrong with unreadable
                           * ones goes there, they are left out, and nothing is remarked; else NULL */
} cli_data;

/* The rows of an option table for a cli_data. */
#define CLI_DATA_OPTIONS(data)                                                                               \
    {"data", 'd', CLI_IN, &(data).path, "DATA", "folder of class folders, CSV list or feature store", NULL}, \
        {"pictures", 0, CLI_IN, &(data).pictures, "DIR",                                                     \
            "folder that the paths of a list or store start from", NULL},                                    \
        {"names", 0, CLI_IN, &(data).names, "FILE",                                                          \
            "words for labels that are none: CSV label,name, or one name a line in the order of the labels", \
            NULL},                                                                                           \
    {                                                                                                        \
        "skip-bad", 0, CLI_FLAG, &(data).skip_bad, NULL, "leave unreadable pictures out instead of failing", \
            NULL                                                                                             \
    }

/* Each of these returns -1 to go on, else the exit status after reporting.  Opening refuses data without labels unless
 * the command needs none. */
int cli_data_open(mopd_dataset **out, const cli_data *data, const char *command);
int cli_data_select(mopd_dataset **out, const mopd_dataset *from, const mopd_selection *selection);

/* With features: what a store holds, or the pictures encoded as options say (fn and context are set here).
 * known as in mopd_dataset_encode.  On Ctrl-C: EXIT_INTERRUPTED, *out what was reached or NULL. */
int cli_data_encode(mopd_dataset **out, const mopd_dataset *from, const mopd_dataset *known,
    const mopd_encoder *encoder, const mopd_encode_options *options, const cli_common *common,
    cli_data *data);

/* The model, which reads pictures as `store` says that its own were read, where --orientation is not given; NULL, or data
 * that is not encoded: says nothing.  -1 to go on, else the exit status. */
int cli_data_open_encoder(mopd_encoder **encoder, const mopd_dataset *store, cli_common *common);

/* The model and the whole data with features, as cli_data_encode gives them; the caller frees what is not NULL, also
 * after a failure. */
int cli_data_open_encoded(
    mopd_dataset **out, mopd_encoder **encoder, cli_data *data, cli_common *common, const char *command);

/* Views first .. first + n - 1 of every picture, n_items x n x D, to be freed. */
float *cli_data_features(const mopd_dataset *data, size_t first, size_t n);

mopd_dataset_info cli_data_info(const mopd_dataset *data);

/* "train", "val", "test" and "base", "new", "all" as numbers. */
int cli_parse_split(const char *text, int32_t *split, const char *command);
int cli_parse_subset(const char *text, int32_t *subset, const char *command);

/* Counts of predictions. */
typedef struct cli_score {
    size_t n_classes;
    uint32_t *confusion; /* C x C, row: true class */
    mopd_metrics metrics;
    double ece, nll; /* calibration error in percent, mean log loss */
} cli_score;

/* Logits of n features; context is a bank, a head or a recogniser. */
typedef mopd_status (*cli_logits_fn)(const void *context, const float *features, size_t n, float *logits);
mopd_status cli_bank_logits(const void *bank, const float *features, size_t n, float *logits);
mopd_status cli_gda_logits(const void *gda, const float *features, size_t n, float *logits);
mopd_status cli_recognizer_logits(const void *recognizer, const float *features, size_t n, float *logits);

/* The recogniser of a file, for its own classes and those of also, "a,b" (NULL: none), that it has no picture of: -1 to
 * go on, else the exit status. */
int cli_recognizer_open(
    mopd_recognizer **out, const mopd_encoder *encoder, const char *path, const char *also);

/* Pictures are read as those of a recogniser's file were, unless the user says otherwise or a store that is read does.
 * path may be NULL. */
void cli_recognizer_reading(cli_common *common, const char *path);

typedef struct cli_samples {
    const float *features; /* n x dim */
    const int32_t *labels;
    size_t n, dim, n_classes;
} cli_samples;

/* predicted (n, may be NULL): the class of each picture. */
mopd_status cli_score_run(cli_score *score, cli_logits_fn logits, const void *context,
    const cli_samples *samples, int32_t *predicted);
uint64_t cli_score_class(const cli_score *score, size_t c, uint64_t *correct);
void cli_score_free(cli_score *score);

/* Pairs (true, predicted) of different classes by how often they occur, most first; ties in class order. */
typedef struct cli_pair {
    size_t is, said;
    uint32_t n;
} cli_pair;

/* At most `most` pairs, to be freed. */
cli_pair *cli_score_pairs(const cli_score *score, size_t most, size_t *n);

/* A file could be saved at this path, before hours of work: -1, else EXIT_FAILED after reporting.  path may be NULL. */
int cli_check_writable(const char *path);

#endif
