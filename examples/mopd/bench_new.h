/* SPDX-License-Identifier: MIT
 * bench_new.h - the base-to-new protocol: what cmd_bench_new.c asks of bench_new.c. */
#ifndef MOPD_CLI_BENCH_NEW_H
#define MOPD_CLI_BENCH_NEW_H

#include "data.h"

#define BENCH_ZERO_SHOT (-1)
#define BENCH_GDA (-2)

/* One run of one method; percentages, harmonic mean h of base and new. */
typedef struct bench_cell {
    double base, fresh, h, mixed, seconds;
    bool done;
} bench_cell;

typedef struct bench_set {
    mopd_dataset *data; /* encoded */
    float *features;    /* n x V x D */
    int32_t *labels;
    size_t n, n_views, n_classes;
    const char *const *classes;
    const char **owned; /* the mixed set's list of names */
} bench_set;

typedef struct bench {
    cli_common common;
    cli_data data;
    cli_prompts prompts;
    mopd_trainer_options options;
    uint64_t shots, n_views;
    bool automatic;
    int32_t *method; /* n_methods: MOPD_METHOD_..., or BENCH_... */
    size_t n_methods;
    uint64_t *seed;
    size_t n_seeds;

    mopd_encoder *encoder;
    mopd_dataset *all;
    size_t dim;
    bench_set base, fresh, mixed; /* test pictures */
    mopd_dataset *train;          /* encoded pictures of all seeds */
    float *teachers;  /* M x C of base x D, encoded once for all methods and seeds; NULL: none learns */
    bench_cell *cell; /* n_methods x n_seeds */
    double encode_seconds;
} bench;

/* -1 when every cell is done, else the exit status (EXIT_INTERRUPTED: some cells are). */
int bench_run(bench *b);
void bench_close(bench *b);

#endif
