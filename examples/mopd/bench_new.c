/* SPDX-License-Identifier: MIT
 * bench_new.c - base-to-new: learn from a few pictures of the base classes, then classify test pictures of base
 * classes among base classes, of new ones among new ones, and of both among all (mixed). */
#include "bench_new.h"

#include <stdlib.h>

/* Learns nothing from chance: the same pictures give the same answers whatever the seed. */
static bool is_closed_form(int32_t method)
{
    return method == BENCH_ZERO_SHOT || method == BENCH_FIT || method == BENCH_FIT_ONE || method == BENCH_GDA;
}

static int run_cell(bench_new *n, const bench_set *train, size_t method, size_t seed)
{
    bench *b = &n->bench;
    bench_new_cell *cell = n->cell + method * b->n_seeds + seed;
    const bench_task task = {train, {&n->base, &n->fresh, &n->mixed}, 3, b->seed[seed]};
    if (seed && is_closed_form(b->method[method]) && (n->one_draw || b->method[method] == BENCH_ZERO_SHOT)) {
        *cell = *(cell - 1);
        cell->repeated = true;
        return -1;
    }
    mopd_status st = bench_run_method(b, b->method[method], &task, &cell->score);
    if (st != MOPD_OK) return cli_fail_status(st);
    cell->h = mopd_harmonic_mean(cell->score.accuracy[0], cell->score.accuracy[1]);
    cell->done = true;
    return -1;
}

static int run_cells(bench_new *n)
{
    bench *b = &n->bench;
    cli_progress progress;
    size_t done = 0;
    int status = -1;
    cli_progress_start(&progress, &b->common, "bench-new", b->n_methods * b->n_seeds);
    for (size_t s = 0; s < b->n_seeds && status < 0; s++) {
        bench_set train = {0};
        status = bench_open_draw(b, MOPD_SUBSET_BASE, n->shots, b->seed[s], &train);
        if (status < 0 && train.n_classes != n->base.n_classes)
            status = cli_fail("%s: %zu base classes have training pictures, %zu test pictures", b->data.path,
                train.n_classes, n->base.n_classes);
        if (status < 0 && !s) n->one_draw = train.n == (size_t)cli_data_info(b->train).n_items;
        for (size_t m = 0; m < b->n_methods && status < 0; m++) {
            status = run_cell(n, &train, m, s);
            cli_progress_update(&progress, ++done);
        }
        bench_set_free(&train);
    }
    cli_progress_end(&progress);
    return status;
}

int bench_new_run(bench_new *n)
{
    bench *b = &n->bench;
    int status = bench_open(b, "bench-new");
    if (status < 0) status = bench_open_test(b, &n->base, MOPD_SUBSET_BASE);
    if (status < 0) status = bench_open_test(b, &n->fresh, MOPD_SUBSET_NEW);
    for (size_t s = 0; s < b->n_seeds && status < 0; s++)
        status = bench_add_draw(b, MOPD_SUBSET_BASE, n->shots, b->seed[s]);
    if (status < 0) status = bench_encode_teachers(b, n->base.classes, n->base.n_classes);
    if (status >= 0) return status;
    bench_join(&n->mixed, &n->base, &n->fresh, b->dim);
    n->cell = cli_alloc(b->n_methods * b->n_seeds, sizeof *n->cell);
    return run_cells(n);
}

void bench_new_close(bench_new *n)
{
    bench_set_free(&n->base);
    bench_set_free(&n->fresh);
    bench_set_free(&n->mixed);
    free(n->cell);
    bench_close(&n->bench);
}
