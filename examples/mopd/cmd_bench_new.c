/* SPDX-License-Identifier: MIT
 * cmd_bench_new.c - mopd bench-new: options, means and deviations.  The protocol is in bench_new.c. */
#include "bench_new.h"

#include <stdlib.h>

static const cli_command command = {"bench-new", "-d DATA [options]",
    "The base-to-new protocol: learns from base classes, tests on base, new and all classes.",
    "  mopd bench-new -d caltech101/ --shots 16 --seeds 1,2,3\n"
    "  mopd bench-new -d flowers.safetensors --methods zero-shot,fit,mopd --templates-for flowers102\n"};

enum { BASE, FRESH, H, MIXED, SECONDS, ECE, N_FIGURES };
static const char *const keys[N_FIGURES] = {"base", "new", "h", "mixed", "seconds", "ece"};

/* Over the seeds that are done; h: of the mean base and new; ece: of mixed. */
typedef struct summary {
    bench_mean of[N_FIGURES];
    size_t n;    /* seeds */
    bool spread; /* they differ by more than their number */
} summary;

static double figure_of(const bench_new_cell *c, size_t k)
{
    const double x[N_FIGURES] = {c->score.accuracy[0], c->score.accuracy[1], c->h, c->score.accuracy[2],
        c->score.seconds, c->score.ece[2]};
    return x[k];
}

static summary summarise(const bench_new *b, size_t method)
{
    summary s = {0};
    const size_t n_seeds = b->bench.n_seeds;
    const bench_new_cell *cell = b->cell + method * n_seeds;
    double *x = cli_alloc(n_seeds, sizeof *x);
    for (size_t k = 0; k < N_FIGURES; k++) {
        s.n = 0;
        for (size_t i = 0; i < n_seeds; i++)
            if (cell[i].done) x[s.n++] = figure_of(cell + i, k);
        s.of[k] = bench_mean_of(x, s.n);
    }
    for (size_t i = 1; i < n_seeds; i++) s.spread |= cell[i].done && !cell[i].repeated;
    s.of[H].mean = mopd_harmonic_mean(s.of[BASE].mean, s.of[FRESH].mean);
    free(x);
    return s;
}

static json_t *figures_json(const double x[N_FIGURES])
{
    json_t *figures = json_object();
    for (size_t k = 0; k < N_FIGURES; k++) json_object_set_new(figures, keys[k], json_real(x[k]));
    return figures;
}

static json_t *seeds_json(const bench_new *b, size_t method)
{
    json_t *seeds = json_array();
    for (size_t i = 0; i < b->bench.n_seeds; i++) {
        const bench_new_cell *c = b->cell + method * b->bench.n_seeds + i;
        double x[N_FIGURES];
        if (!c->done) continue;
        for (size_t k = 0; k < N_FIGURES; k++) x[k] = figure_of(c, k);
        json_t *one = json_pack("{s:I}", "seed", (json_int_t)b->bench.seed[i]), *figures = figures_json(x);
        json_object_update(one, figures);
        json_decref(figures);
        json_array_append_new(seeds, one);
    }
    return seeds;
}

static void show_json(const bench_new *b)
{
    json_t *rows = json_array();
    for (size_t m = 0; m < b->bench.n_methods; m++) {
        summary s = summarise(b, m);
        double mean[N_FIGURES], deviation[N_FIGURES];
        if (!s.n) continue;
        for (size_t k = 0; k < N_FIGURES; k++) mean[k] = s.of[k].mean, deviation[k] = s.of[k].deviation;
        json_t *row = json_pack("{s:s}", "method", bench_method_name(b->bench.method[m]));
        json_t *figures = figures_json(mean);
        json_object_update(row, figures);
        json_decref(figures);
        json_object_set_new(row, "deviation", figures_json(deviation));
        json_object_set_new(row, "seeds", seeds_json(b, m));
        json_array_append_new(rows, row);
    }
    cli_print_json(json_pack("{s:o}", "rows", rows));
}

static void show_csv(const bench_new *b)
{
    fputs("method,seeds,base,base_sd,new,new_sd,h,h_sd,mixed,mixed_sd,seconds,seconds_sd,ece,ece_sd\r\n",
        stdout);
    for (size_t m = 0; m < b->bench.n_methods; m++) {
        summary s = summarise(b, m);
        if (!s.n) continue;
        printf("%s,%zu", bench_method_name(b->bench.method[m]), s.n);
        for (size_t k = 0; k < N_FIGURES; k++) printf(",%.6g,%.6g", s.of[k].mean, s.of[k].deviation);
        fputs("\r\n", stdout);
    }
}

static void show_row(cli_table *table, const char *name, const summary *s)
{
    static const int shown[] = {BASE, FRESH, H, MIXED, ECE};
    cli_table_cell(table, "%s", name);
    for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
        if (s->spread)
            cli_table_cell(table, "%.2f ± %.2f", s->of[shown[k]].mean, s->of[shown[k]].deviation);
        else
            cli_table_cell(table, "%.2f", s->of[shown[k]].mean);
    }
    cli_table_cell(table, "%.2f", s->of[SECONDS].mean);
}

static void show_text(const bench_new *b)
{
    static const char *const heads[] = {"method", "base", "new", "H", "mixed", "ECE", "seconds"};
    cli_table *table = cli_table_new(7, heads);
    for (size_t m = 0; m < b->bench.n_methods; m++) {
        summary s = summarise(b, m);
        if (s.n) show_row(table, bench_method_name(b->bench.method[m]), &s);
    }
    cli_table_print_free(table);
    printf("\n%zu base and %zu new classes, %zu and %zu test pictures, %llu shots, %zu seed%s, encoding %.1f "
           "s\n",
        b->base.n_classes, b->fresh.n_classes, b->base.n, b->fresh.n, (unsigned long long)b->shots,
        b->bench.n_seeds, b->bench.n_seeds == 1 ? "" : "s", b->bench.encode_seconds);
    if (b->one_draw && b->bench.n_seeds > 1)
        puts("All seeds draw the same pictures, as no class has more: ± tells of the order in training "
             "alone.");
}

static int run(bench_new *b)
{
    int status = bench_new_run(b);
    if (b->cell && (status < 0 || status == EXIT_INTERRUPTED)) {
        if (cli_is_json(&b->bench.common))
            show_json(b);
        else if (cli_is_csv(&b->bench.common))
            show_csv(b);
        else
            show_text(b);
        if (!cli_flush()) status = EXIT_FAILED;
    }
    return status < 0 ? EXIT_DONE : status;
}

int cmd_bench_new(int argc, char **argv)
{
    bench_new b = {.shots = CLI_SHOTS};
    bench_numbers n = bench_numbers_init(&b.bench, "zero-shot,fit,gda,coop,kgcoop,prograd,mopd");
    const cli_option options[] = {
        BENCH_OPTIONS(b.bench, n),
        {"shots", 0, CLI_UINT, &b.shots, "N", "training pictures a base class; 0: all", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &b.bench.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, b.bench.data.path);
    if (status < 0 && b.shots > UINT32_MAX)
        status = cli_usage(command.name, "--shots %llu: at most %u", (unsigned long long)b.shots, UINT32_MAX);
    if (status < 0) status = bench_take_options(&b.bench, &n, command.name);
    if (status < 0) status = run(&b);
    bench_new_close(&b);
    return status;
}
