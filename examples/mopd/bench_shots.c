/* SPDX-License-Identifier: MIT
 * bench_shots.c - every method learns from a few pictures of all classes and classifies test pictures among all of them.
 *
 * A seed draws the pictures and, where fewer classes are asked for, the classes.  The pictures of a class are those
 * that train --shots and fit --shots draw by the same seed. */
#include "bench_shots.h"

#include <stdlib.h>
#include <string.h>

bench_shots_cell *bench_shots_cells(const bench_shots *s, size_t method, size_t shots)
{
    return s->cell + (method * s->n_shots + shots) * s->bench.n_seeds;
}

static bool *wanted_classes(const bench_set *set, const cli_list *names)
{
    bool *wanted = cli_alloc(set->n_classes, sizeof *wanted);
    for (size_t c = 0; c < set->n_classes; c++)
        for (size_t k = 0; k < names->n && !wanted[c]; k++)
            wanted[c] = !strcmp(set->classes[c], names->item[k]);
    return wanted;
}

static int pick_named(bench_set *out, const bench_set *set, const cli_list *names)
{
    bool *wanted = wanted_classes(set, names);
    int status = bench_pick_classes(out, set, wanted);
    free(wanted);
    return status;
}

/* SplitMix64 (Steele et al. 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* How many pictures each class has to draw from, to be freed; *most: the largest number. */
static size_t *count_pictures(const mopd_dataset *train, size_t *most)
{
    size_t *count = cli_alloc(cli_data_info(train).n_classes, sizeof *count);
    *most = 0;
    for (size_t i = 0; i < (size_t)cli_data_info(train).n_items; i++) {
        const size_t of = ++count[mopd_dataset_labels(train)[i]];
        if (of > *most) *most = of;
    }
    return count;
}

/* n of the classes that have training pictures, or all of them, in their order. */
static cli_list draw_classes(const mopd_dataset *train, uint64_t n, uint64_t seed)
{
    cli_list drawn = {0};
    const size_t n_classes = cli_data_info(train).n_classes;
    size_t most, *count = count_pictures(train, &most), to_come = 0;
    for (size_t c = 0; c < n_classes; c++) to_come += count[c] > 0;
    size_t wanted = n && n < to_come ? (size_t)n : to_come;
    for (size_t c = 0; c < n_classes; c++) {
        if (!count[c] || next_random(&seed) % to_come-- >= wanted) continue;
        cli_list_add(&drawn, mopd_dataset_class_name(train, c));
        wanted--;
    }
    free(count);
    return drawn;
}

/* The test pictures numbered by the classes that were learned; out shares the features. */
static void number_as(bench_set *out, const bench_set *test, const bench_set *train)
{
    *out = *test;
    out->classes = train->classes;
    out->n_classes = train->n_classes;
    out->labels = cli_alloc(test->n, sizeof *out->labels);
    for (size_t i = 0; i < test->n; i++) {
        const char *name = test->classes[test->labels[i]];
        size_t c = 0;
        while (strcmp(train->classes[c], name)) c++; /* it was picked by the same names */
        out->labels[i] = (int32_t)c;
    }
}

/* One draw: every method. */
static int run_draw(bench_shots *s, const bench_set *train, const bench_set *test, size_t shots, size_t seed)
{
    bench *b = &s->bench;
    const bench_task task = {train, {test}, 1, b->seed[seed]};
    for (size_t m = 0; m < b->n_methods; m++) {
        bench_shots_cell *cell = bench_shots_cells(s, m, shots) + seed;
        if (b->method[m] == BENCH_ZERO_SHOT && shots) {
            *cell = bench_shots_cells(s, m, 0)[seed];
            continue;
        }
        mopd_status st = bench_run_method(b, b->method[m], &task, &cell->score);
        if (st != MOPD_OK) return cli_fail_status(st);
        cell->done = true;
    }
    return -1;
}

static int run_shots(bench_shots *s, const bench_set *test, size_t shots, size_t seed)
{
    bench *b = &s->bench;
    bench_set all = {0}, train = {0}, numbered = {0};
    int status = bench_open_draw(b, MOPD_SUBSET_ALL, s->shots[shots], b->seed[seed], &all);
    if (status < 0) status = pick_named(&train, &all, s->classes + seed);
    if (status < 0 && !shots) status = bench_encode_teachers(b, train.classes, train.n_classes);
    if (status < 0) {
        number_as(&numbered, test, &train);
        s->n_tested = test->n;
        status = run_draw(s, &train, &numbered, shots, seed);
        free(numbered.labels);
    }
    bench_set_free(&all);
    bench_set_free(&train);
    return status;
}

static int run_seed(bench_shots *s, size_t seed, cli_progress *progress, size_t *done)
{
    bench *b = &s->bench;
    bench_set test = {0};
    s->classes[seed] = draw_classes(b->train, s->n_classes, b->seed[seed]);
    int status = pick_named(&test, &s->test, s->classes + seed);
    for (size_t k = 0; k < s->n_shots && status < 0; k++) {
        status = run_shots(s, &test, k, seed);
        cli_progress_update(progress, ++*done);
    }
    bench_set_free(&test);
    return status;
}

/* Numbers beyond what any class has would draw the same again. */
static void leave_out_repeats(bench_shots *s)
{
    size_t most, kept = 0;
    free(count_pictures(s->bench.train, &most));
    bool enough = false;
    for (size_t k = 0; k < s->n_shots; k++) {
        if (s->shots[k] >= most && enough) {
            cli_note(&s->bench.common,
                "no class has more than %zu pictures to draw: --shots %llu is left out", most,
                (unsigned long long)s->shots[k]);
            continue;
        }
        enough |= s->shots[k] >= most;
        s->shots[kept++] = s->shots[k];
    }
    s->n_shots = kept;
}

int bench_shots_run(bench_shots *s)
{
    bench *b = &s->bench;
    cli_progress progress;
    size_t done = 0;
    int status = bench_open(b, "bench-shots");
    if (status < 0) status = bench_open_test(b, &s->test, MOPD_SUBSET_ALL);
    for (size_t i = 0; i < b->n_seeds * s->n_shots && status < 0; i++)
        status = bench_add_draw(b, MOPD_SUBSET_ALL, s->shots[i % s->n_shots], b->seed[i / s->n_shots]);
    if (status >= 0) return status;
    leave_out_repeats(s);
    s->classes = cli_alloc(b->n_seeds, sizeof *s->classes);
    s->cell = cli_alloc(b->n_methods * s->n_shots * b->n_seeds, sizeof *s->cell);
    cli_progress_start(&progress, &b->common, "bench-shots", s->n_shots * b->n_seeds);
    for (size_t i = 0; i < b->n_seeds && status < 0; i++) status = run_seed(s, i, &progress, &done);
    cli_progress_end(&progress);
    return status;
}

void bench_shots_close(bench_shots *s)
{
    for (size_t i = 0; s->classes && i < s->bench.n_seeds; i++) cli_list_free(s->classes + i);
    free(s->classes);
    free(s->shots);
    free(s->cell);
    bench_set_free(&s->test);
    bench_close(&s->bench);
}
