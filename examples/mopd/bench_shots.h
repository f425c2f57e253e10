/* SPDX-License-Identifier: MIT
 * bench_shots.h - all methods on all classes with few and with more pictures: what cmd_bench_shots.c asks of bench_shots.c. */
#ifndef MOPD_CLI_BENCH_SHOTS_H
#define MOPD_CLI_BENCH_SHOTS_H

#include "bench.h"

/* One run of one method on one draw. */
typedef struct bench_shots_cell {
    bench_score score;
    bool done;
} bench_shots_cell;

typedef struct bench_shots {
    bench bench;
    uint64_t *shots; /* n_shots numbers of pictures a class */
    size_t n_shots;
    uint64_t n_classes;     /* drawn by the seed; 0: all */
    bench_set test;         /* of all classes */
    cli_list *classes;      /* n_seeds: those of the seed's draw */
    size_t n_tested;        /* pictures of the last draw's test */
    bench_shots_cell *cell; /* n_methods x n_shots x n_seeds */
} bench_shots;

/* -1 when every cell is done, else the exit status (EXIT_INTERRUPTED: some cells are). */
int bench_shots_run(bench_shots *s);
void bench_shots_close(bench_shots *s);

/* The cells of a method at a number of pictures, one for each seed. */
bench_shots_cell *bench_shots_cells(const bench_shots *s, size_t method, size_t shots);

#endif
