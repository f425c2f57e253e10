/* SPDX-License-Identifier: MIT
 * cmd_bench_shots.c - mopd bench-shots: options, means and deviations.  The runs are in bench_shots.c. */
#include "bench_shots.h"

#include <stdlib.h>

static const cli_command command = {"bench-shots", "-d DATA [options]",
    "All methods on all classes: learns from a few pictures a class, tests on the test pictures.",
    "  mopd bench-shots -d pictures/\n"
    "  mopd bench-shots -d pictures.safetensors --shots 1,2,4,8,16 --methods zero-shot,fit,gda --seeds "
    "1,2,3\n"
    "  mopd bench-shots -d caltech101.safetensors --classes 10 --format json\n"};

enum { ACCURACY, ECE, SECONDS, N_FIGURES };
static const char *const keys[N_FIGURES] = {"accuracy", "ece", "seconds"};

static double figure_of(const bench_shots_cell *c, size_t k)
{
    return k == ACCURACY ? c->score.accuracy[0] : k == ECE ? c->score.ece[0] : c->score.seconds;
}

/* Over the seeds that are done; the number of those. */
static size_t summarise(const bench_shots *s, size_t method, size_t shots, bench_mean of[N_FIGURES])
{
    const bench_shots_cell *cell = bench_shots_cells(s, method, shots);
    double *x = cli_alloc(s->bench.n_seeds, sizeof *x);
    size_t n = 0;
    for (size_t k = 0; k < N_FIGURES; k++) {
        n = 0;
        for (size_t i = 0; i < s->bench.n_seeds; i++)
            if (cell[i].done) x[n++] = figure_of(cell + i, k);
        of[k] = bench_mean_of(x, n);
    }
    free(x);
    return n;
}

static json_t *seeds_json(const bench_shots *s, size_t method, size_t shots)
{
    json_t *seeds = json_array();
    for (size_t i = 0; i < s->bench.n_seeds; i++) {
        const bench_shots_cell *c = bench_shots_cells(s, method, shots) + i;
        if (!c->done) continue;
        json_t *one = json_pack("{s:I}", "seed", (json_int_t)s->bench.seed[i]);
        for (size_t k = 0; k < N_FIGURES; k++) json_object_set_new(one, keys[k], json_real(figure_of(c, k)));
        json_array_append_new(seeds, one);
    }
    return seeds;
}

static json_t *row_json(const bench_shots *s, size_t method, size_t shots)
{
    bench_mean of[N_FIGURES];
    if (!summarise(s, method, shots, of)) return NULL;
    json_t *row = json_pack("{s:s, s:I}", "method", bench_method_name(s->bench.method[method]), "shots",
        (json_int_t)s->shots[shots]);
    json_t *deviation = json_object();
    for (size_t k = 0; k < N_FIGURES; k++) {
        json_object_set_new(row, keys[k], json_real(of[k].mean));
        json_object_set_new(deviation, keys[k], json_real(of[k].deviation));
    }
    json_object_set_new(row, "deviation", deviation);
    json_object_set_new(row, "seeds", seeds_json(s, method, shots));
    return row;
}

static json_t *draws_json(const bench_shots *s)
{
    json_t *draws = json_array();
    for (size_t i = 0; i < s->bench.n_seeds; i++) {
        json_t *classes = json_array();
        for (size_t c = 0; c < s->classes[i].n; c++)
            json_array_append_new(classes, cli_json_text(s->classes[i].item[c]));
        json_array_append_new(
            draws, json_pack("{s:I, s:o}", "seed", (json_int_t)s->bench.seed[i], "classes", classes));
    }
    return draws;
}

static void show_json(const bench_shots *s)
{
    json_t *rows = json_array();
    for (size_t m = 0; m < s->bench.n_methods; m++)
        for (size_t k = 0; k < s->n_shots; k++) {
            json_t *row = row_json(s, m, k);
            if (row) json_array_append_new(rows, row);
        }
    cli_print_json(json_pack("{s:o, s:o}", "rows", rows, "draws", draws_json(s)));
}

static void show_csv(const bench_shots *s)
{
    bench_mean of[N_FIGURES];
    fputs("method,shots,seeds,accuracy,accuracy_sd,ece,ece_sd,seconds,seconds_sd\r\n", stdout);
    for (size_t m = 0; m < s->bench.n_methods; m++)
        for (size_t k = 0; k < s->n_shots; k++) {
            const size_t n = summarise(s, m, k, of);
            if (!n) continue;
            printf("%s,%llu,%zu", bench_method_name(s->bench.method[m]), (unsigned long long)s->shots[k], n);
            for (size_t i = 0; i < N_FIGURES; i++) printf(",%.6g,%.6g", of[i].mean, of[i].deviation);
            fputs("\r\n", stdout);
        }
}

/* A line for each method, a column for each number of pictures. */
static void show_figure(const bench_shots *s, size_t figure)
{
    char(*number)[24] = cli_alloc(s->n_shots, sizeof *number);
    const char **heads = cli_alloc(s->n_shots + 1, sizeof *heads);
    heads[0] = "method";
    for (size_t k = 0; k < s->n_shots; k++) {
        snprintf(number[k], sizeof number[k], "%llu", (unsigned long long)s->shots[k]);
        heads[k + 1] = number[k];
    }
    cli_table *table = cli_table_new(s->n_shots + 1, heads);
    for (size_t m = 0; m < s->bench.n_methods; m++) {
        cli_table_cell(table, "%s", bench_method_name(s->bench.method[m]));
        for (size_t k = 0; k < s->n_shots; k++) {
            bench_mean of[N_FIGURES];
            const size_t n = summarise(s, m, k, of);
            if (n && figure == SECONDS)
                cli_table_cell(table, "%.2f", of[figure].mean);
            else if (n > 1)
                cli_table_cell(table, "%.1f ± %.1f", of[figure].mean, of[figure].deviation);
            else if (n)
                cli_table_cell(table, "%.1f", of[figure].mean);
            else
                cli_table_cell(table, "-");
        }
    }
    cli_table_print_free(table);
    free(number);
    free(heads);
}

static void show_text(const bench_shots *s)
{
    puts("Accuracy in percent, by the number of pictures a class");
    show_figure(s, ACCURACY);
    puts("\nCalibration error (ECE) in percent");
    show_figure(s, ECE);
    puts("\nSeconds to learn or fit");
    show_figure(s, SECONDS);
    printf("\n%zu classes, %zu test pictures, %zu seed%s, encoding %.1f s\n", s->classes[0].n, s->n_tested,
        s->bench.n_seeds, s->bench.n_seeds == 1 ? "" : "s", s->bench.encode_seconds);
}

static int run(bench_shots *s)
{
    int status = bench_shots_run(s);
    if (s->cell && (status < 0 || status == EXIT_INTERRUPTED)) {
        if (cli_is_json(&s->bench.common))
            show_json(s);
        else if (cli_is_csv(&s->bench.common))
            show_csv(s);
        else
            show_text(s);
        if (!cli_flush()) status = EXIT_FAILED;
    }
    return status < 0 ? EXIT_DONE : status;
}

/* Rising numbers of at least one picture: -1 to go on. */
static int take_shots(bench_shots *s, const char *text)
{
    int status = bench_take_counts(&s->shots, &s->n_shots, text, "shots", command.name);
    for (size_t k = 0; k < s->n_shots && status < 0; k++)
        if (s->shots[k] < 1 || s->shots[k] > UINT32_MAX || (k && s->shots[k] <= s->shots[k - 1]))
            status = cli_usage(command.name, "--shots %s: numbers from 1 on that rise", text);
    return status;
}

int cmd_bench_shots(int argc, char **argv)
{
    bench_shots s = {.n_shots = 0};
    const char *shots = "1,2,5,10,16";
    bench_numbers n = bench_numbers_init(&s.bench, "zero-shot,fit,gda,coop,mopd,mopd-paper");
    const cli_option options[] = {
        BENCH_OPTIONS(s.bench, n),
        {"shots", 0, CLI_TEXT, &shots, "1,2", "training pictures a class", NULL},
        {"classes", 0, CLI_UINT, &s.n_classes, "N", "as many classes, drawn by the seed (default: all)",
            NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &s.bench.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, s.bench.data.path);
    if (status < 0) status = bench_take_options(&s.bench, &n, command.name);
    if (status < 0) status = take_shots(&s, shots);
    if (status < 0) status = run(&s);
    bench_shots_close(&s);
    return status;
}
