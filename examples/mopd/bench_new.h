/* SPDX-License-Identifier: MIT
 * bench_new.h - the base-to-new protocol: what cmd_bench_new.c asks of bench_new.c. */
#ifndef MOPD_CLI_BENCH_NEW_H
#define MOPD_CLI_BENCH_NEW_H

#include "bench.h"

/* One run of one method: base, new and mixed, and the harmonic mean h of base and new. */
typedef struct bench_new_cell {
    bench_score score;
    double h;
    bool done, repeated; /* repeated: that of the seed before, as nothing is left to chance */
} bench_new_cell;

typedef struct bench_new {
    bench bench;
    uint64_t shots;
    bench_set base, fresh, mixed; /* test pictures */
    bench_new_cell *cell;         /* n_methods x n_seeds */
    bool one_draw;                /* all seeds draw the same pictures */
} bench_new;

/* -1 when every cell is done, else the exit status (EXIT_INTERRUPTED: some cells are). */
int bench_new_run(bench_new *n);
void bench_new_close(bench_new *n);

#endif
