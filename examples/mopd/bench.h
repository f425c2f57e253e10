/* SPDX-License-Identifier: MIT
 * bench.h - what bench-new and bench-shots share: data, draws of training pictures, methods run and scored. */
#ifndef MOPD_CLI_BENCH_H
#define MOPD_CLI_BENCH_H

#include "data.h"

/* Methods beside MOPD_METHOD_...; PAPER: mopd with the settings of the released runs;
 * FIT_ONE: fit to one view of each picture where a store has more. */
enum { BENCH_ZERO_SHOT = -1, BENCH_FIT = -2, BENCH_GDA = -3, BENCH_PAPER = -4, BENCH_FIT_ONE = -5 };

enum { BENCH_MOST_TESTS = 3 };

/* Pictures and their classes. */
typedef struct bench_set {
    mopd_dataset *data; /* encoded */
    float *features;    /* n x V x D */
    float *fixed;       /* n x n_fixed x D: the fixed views, for fit alone; NULL: none */
    int32_t *labels;
    size_t n, n_views, n_fixed, n_classes;
    const char *const *classes;
    const char **owned; /* a joined set's list of names */
} bench_set;

/* What one run of a method gave on each set of test pictures, in percent. */
typedef struct bench_score {
    double accuracy[BENCH_MOST_TESTS], ece[BENCH_MOST_TESTS];
    double seconds; /* of learning or fitting, text features included */
} bench_score;

typedef struct bench {
    cli_common common;
    cli_data data;
    cli_prompts prompts;
    mopd_trainer_options options;
    uint64_t n_views;
    double unseen; /* how far classes that are not learned take a learned context */
    bool automatic;
    int32_t *method; /* n_methods: MOPD_METHOD_..., or BENCH_... */
    size_t n_methods;
    uint64_t *seed;
    size_t n_seeds;

    mopd_encoder *encoder;
    mopd_dataset *all;   /* not encoded */
    mopd_dataset *train; /* encoded pictures of all draws */
    size_t dim;
    float *
        teachers; /* M x C of the classes that are learned, encoded once for all methods; NULL: none learns */
    double encode_seconds;
} bench;

/* -- bench_options.c ------------------------------------------------------------------------------------------ */

/* Numbers as the parser reads them. */
typedef struct bench_numbers {
    cli_length length;
    uint64_t batch, top_k;
    double lr, w, w2, temperature;
    const char *methods, *seeds, *context;
    bool w2_given, top_k_given;
} bench_numbers;

/* The defaults of both. */
bench_numbers bench_numbers_init(bench *b, const char *methods);

/* The rows of an option table for a bench and its numbers. */
#define BENCH_OPTIONS(b, n)                                                                                  \
    CLI_DATA_OPTIONS((b).data),                                                                              \
        {"methods", 0, CLI_TEXT, &(n).methods, "A,B", "methods to compare, commas between them", NULL},      \
        {"seeds", 0, CLI_TEXT, &(n).seeds, "1,2", "seeds of the draws and trainings to average over", NULL}, \
        CLI_TEMPLATE_OPTIONS((b).prompts, "a teacher; the first is the zero-shot prompt", "teachers"),       \
        CLI_LENGTH_OPTIONS((n).length), {"batch", 0, CLI_UINT, &(n).batch, "N", NULL, NULL},                 \
        {"lr", 0, CLI_REAL, &(n).lr, "X", NULL, NULL}, {"w", 0, CLI_REAL, &(n).w, "X", NULL, NULL},          \
        {"w2", 0, CLI_REAL, &(n).w2, "X", NULL, &(n).w2_given},                                              \
        {"top-k", 0, CLI_UINT, &(n).top_k, "K", NULL, &(n).top_k_given},                                     \
        {"temperature", 0, CLI_REAL, &(n).temperature, "T", NULL, NULL},                                     \
        {"context", 0, CLI_TEXT, &(n).context, "TEXT", NULL, NULL},                                          \
        {"unseen", 0, CLI_REAL, &(b).unseen, "SHARE", CLI_UNSEEN_HELP, NULL},                                \
        {"views", 0, CLI_UINT, &(b).n_views, "V",                                                            \
            "augmented views of training pictures (default: 0, the plain one)", NULL},                       \
    {                                                                                                        \
        "auto", 0, CLI_FLAG, &(b).automatic, NULL,                                                           \
            "mopd chooses w, w2, top-k and length by held-out pictures and pretended new classes", NULL      \
    }

/* Takes the numbers, methods and seeds: -1 to go on, else the exit status. */
int bench_take_options(bench *b, const bench_numbers *n, const char *command);

/* Whole numbers with commas between them, to be freed; the same status. */
int bench_take_counts(uint64_t **out, size_t *n, const char *text, const char *option, const char *command);

const char *bench_method_name(int32_t method);

/* Means and sample deviations of n numbers; the deviation of one is 0. */
typedef struct bench_mean {
    double mean, deviation;
} bench_mean;
bench_mean bench_mean_of(const double *x, size_t n);

/* -- bench_sets.c --------------------------------------------------------------------------------------------- */

/* Each returns -1 to go on, else the exit status after reporting. */
int bench_open(bench *b, const char *command);

/* All test pictures of a subset. */
int bench_open_test(bench *b, bench_set *set, int32_t subset);

/* b->train takes in what a draw of so many pictures a class draws. */
int bench_add_draw(bench *b, int32_t subset, uint64_t shots, uint64_t seed);

/* The pictures of a draw that was taken in before. */
int bench_open_draw(const bench *b, int32_t subset, uint64_t shots, uint64_t seed, bench_set *set);

/* The pictures of some classes, wanted[c] of the set's classes, numbered anew. */
int bench_pick_classes(bench_set *out, const bench_set *set, const bool *wanted);

/* The two sets one behind the other: the classes of the second are numbered behind those of the first. */
void bench_join(bench_set *out, const bench_set *first, const bench_set *second, size_t dim);
void bench_set_free(bench_set *set);

void bench_close(bench *b);

/* -- bench_methods.c ------------------------------------------------------------------------------------------ */

/* b->teachers for the classes that are learned, where a method needs them. */
int bench_encode_teachers(bench *b, const char *const *classes, size_t n_classes);

/* Learns from train, whose classes are those of tests[0], and scores the pictures of n_tests sets. */
typedef struct bench_task {
    const bench_set *train, *tests[BENCH_MOST_TESTS];
    size_t n_tests;
    uint64_t seed;
} bench_task;
mopd_status bench_run_method(const bench *b, int32_t method, const bench_task *task, bench_score *score);

#endif
