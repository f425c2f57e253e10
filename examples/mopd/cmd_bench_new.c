/* SPDX-License-Identifier: MIT
 * cmd_bench_new.c - mopd bench-new: options, means and deviations.  The protocol is in bench_new.c. */
#include "bench_new.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_command command = {"bench-new", "-d DATA [options]",
    "The base-to-new protocol: learns from base classes, tests on base, new and all classes.",
    "  mopd bench-new -d caltech101/ --shots 16 --seeds 1,2,3\n"
    "  mopd bench-new -d flowers.safetensors --methods zero-shot,coop,mopd --templates-for flowers102\n"};

/* Mean and sample deviation over the seeds that are done; the number of those. */
typedef struct summary {
    double mean[5], deviation[5]; /* base, new, h, mixed, seconds; h: of the mean base and new */
    size_t n;
} summary;

static summary summarise(const bench *b, size_t method)
{
    summary s = {0};
    const bench_cell *cell = b->cell + method * b->n_seeds;
    for (size_t i = 0; i < b->n_seeds; i++) s.n += cell[i].done;
    for (size_t k = 0; k < 5 && s.n; k++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < b->n_seeds; i++) {
            const double x[5] = {cell[i].base, cell[i].fresh, cell[i].h, cell[i].mixed, cell[i].seconds};
            if (cell[i].done) sum += x[k];
        }
        s.mean[k] = sum / (double)s.n;
        for (size_t i = 0; i < b->n_seeds; i++) {
            const double x[5] = {cell[i].base, cell[i].fresh, cell[i].h, cell[i].mixed, cell[i].seconds};
            if (cell[i].done) squares += (x[k] - s.mean[k]) * (x[k] - s.mean[k]);
        }
        s.deviation[k] = s.n > 1 ? sqrt(squares / (double)(s.n - 1)) : 0;
    }
    s.mean[2] = mopd_harmonic_mean(s.mean[0], s.mean[1]);
    return s;
}

static const char *name_of(int32_t method)
{
    return method == BENCH_ZERO_SHOT ? "zero-shot" : method == BENCH_GDA ? "gda" : mopd_method_name(method);
}

static json_t *seeds_json(const bench *b, size_t method)
{
    json_t *seeds = json_array();
    for (size_t i = 0; i < b->n_seeds; i++) {
        const bench_cell *c = b->cell + method * b->n_seeds + i;
        if (!c->done) continue;
        json_array_append_new(
            seeds, json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "seed", (json_int_t)b->seed[i], "base",
                       c->base, "new", c->fresh, "h", c->h, "mixed", c->mixed, "seconds", c->seconds));
    }
    return seeds;
}

static void show_json(const bench *b)
{
    json_t *rows = json_array();
    for (size_t m = 0; m < b->n_methods; m++) {
        summary s = summarise(b, m);
        if (!s.n) continue;
        json_array_append_new(
            rows, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f}, s:o}", "method",
                      name_of(b->method[m]), "base", s.mean[0], "new", s.mean[1], "h", s.mean[2], "mixed",
                      s.mean[3], "seconds", s.mean[4], "deviation", "base", s.deviation[0], "new",
                      s.deviation[1], "h", s.deviation[2], "mixed", s.deviation[3], "seconds", s.deviation[4],
                      "seeds", seeds_json(b, m)));
    }
    cli_print_json(json_pack("{s:o}", "rows", rows));
}

static void show_csv(const bench *b)
{
    fputs("method,seeds,base,base_sd,new,new_sd,h,h_sd,mixed,mixed_sd,seconds,seconds_sd\r\n", stdout);
    for (size_t m = 0; m < b->n_methods; m++) {
        summary s = summarise(b, m);
        if (!s.n) continue;
        printf("%s,%zu", name_of(b->method[m]), s.n);
        for (size_t k = 0; k < 5; k++) printf(",%.6g,%.6g", s.mean[k], s.deviation[k]);
        fputs("\r\n", stdout);
    }
}

static void show_text(const bench *b)
{
    static const char *const heads[] = {"method", "base", "new", "H", "mixed", "seconds"};
    cli_table *table = cli_table_new(6, heads);
    for (size_t m = 0; m < b->n_methods; m++) {
        summary s = summarise(b, m);
        if (!s.n) continue;
        cli_table_cell(table, "%s", name_of(b->method[m]));
        for (size_t k = 0; k < 4; k++) {
            if (s.n > 1)
                cli_table_cell(table, "%.2f ± %.2f", s.mean[k], s.deviation[k]);
            else
                cli_table_cell(table, "%.2f", s.mean[k]);
        }
        cli_table_cell(table, "%.2f", s.mean[4]);
    }
    cli_table_print_free(table);
    printf("\n%zu base and %zu new classes, %zu and %zu test pictures, %llu shots, %zu seed%s, encoding %.1f "
           "s\n",
        b->base.n_classes, b->fresh.n_classes, b->base.n, b->fresh.n, (unsigned long long)b->shots,
        b->n_seeds, b->n_seeds == 1 ? "" : "s", b->encode_seconds);
}

static int run(bench *b)
{
    int status = bench_run(b);
    if (b->cell && (status < 0 || status == EXIT_INTERRUPTED)) {
        if (cli_is_json(&b->common))
            show_json(b);
        else if (cli_is_csv(&b->common))
            show_csv(b);
        else
            show_text(b);
        if (!cli_flush()) status = EXIT_FAILED;
    }
    bench_close(b);
    return status < 0 ? EXIT_DONE : status;
}

static int take_methods(bench *b, const char *text)
{
    cli_list names = {0};
    int status = -1;
    cli_list_split(&names, text);
    b->method = cli_alloc(names.n, sizeof *b->method);
    for (size_t i = 0; i < names.n && status < 0; i++) {
        int32_t *m = b->method + b->n_methods++;
        if (!strcmp(names.item[i], "zero-shot"))
            *m = BENCH_ZERO_SHOT;
        else if (!strcmp(names.item[i], "gda"))
            *m = BENCH_GDA;
        else if (mopd_method_find(names.item[i], m) != MOPD_OK)
            status = cli_usage(command.name, "--methods: %s; zero-shot and gda too", mopd_last_error());
    }
    cli_list_free(&names);
    return status;
}

static int take_seeds(bench *b, const char *text)
{
    cli_list numbers = {0};
    int status = -1;
    cli_list_split(&numbers, text);
    b->seed = cli_alloc(numbers.n, sizeof *b->seed);
    for (size_t i = 0; i < numbers.n && status < 0; i++) {
        const char *word = numbers.item[i];
        char *end;
        errno = 0;
        b->seed[b->n_seeds++] = strtoull(word, &end, 10);
        if (errno || *end || *word < '0' || *word > '9')
            status = cli_usage(command.name, "--seeds: '%s' is not a whole number", word);
    }
    cli_list_free(&numbers);
    return status;
}

/* Numbers as the parser reads them. */
typedef struct numbers {
    uint64_t epochs, batch, top_k;
    double lr, w, w2, temperature;
    const char *methods, *seeds, *context;
    bool w2_given, top_k_given;
} numbers;

static int take_options(bench *b, const numbers *n)
{
    mopd_trainer_options *o = &b->options;
    if (b->shots > UINT32_MAX || b->n_views > CLI_MOST_VIEWS)
        return cli_usage(command.name, "--shots or --views: too many");
    if (b->automatic && (n->w2_given || n->top_k_given))
        return cli_usage(command.name, "--auto chooses w2 and top-k: do not give them beside it");
    o->epochs = (uint32_t)n->epochs;
    o->batch = (uint32_t)n->batch;
    o->top_k = (uint32_t)n->top_k;
    o->lr = (float)n->lr;
    o->w = (float)n->w;
    o->w2 = (float)n->w2;
    o->temperature = (float)n->temperature;
    if (n->context) o->context = *n->context ? n->context : NULL;
    if (!b->prompts.templates.n && !b->prompts.template_file && !b->prompts.templates_for)
        b->prompts.templates_for = "imagenet"; /* the general ones */
    int status = cli_prompts_templates(&b->prompts);
    o->templates = (const char *const *)b->prompts.templates.item;
    o->n_templates = b->prompts.templates.n;
    if (status < 0) status = take_methods(b, n->methods);
    if (status < 0) status = take_seeds(b, n->seeds);
    return status;
}

int cmd_bench_new(int argc, char **argv)
{
    bench b = {.shots = CLI_SHOTS};
    mopd_trainer_options *o = &b.options;
    mopd_trainer_options_init(o, sizeof *o);
    numbers n = {o->epochs, o->batch, o->top_k, (double)o->lr, (double)o->w, (double)o->w2,
        (double)o->temperature, "zero-shot,gda,coop,kgcoop,prograd,mopd", "1,2,3", NULL, false, false};
    const cli_option options[] = {
        CLI_DATA_OPTIONS(b.data),
        {"methods", 0, CLI_TEXT, &n.methods, "A,B", "methods to compare, commas between them", NULL},
        {"seeds", 0, CLI_TEXT, &n.seeds, "1,2", "seeds of the draws and trainings to average over", NULL},
        {"shots", 0, CLI_UINT, &b.shots, "N", "training pictures a base class; 0: all", NULL},
        {"template", 0, CLI_LIST, &b.prompts.templates, "TEXT",
            "a teacher; the first is the zero-shot prompt", NULL},
        {"template-file", 0, CLI_TEXT, &b.prompts.template_file, "FILE", "teachers, one a line", NULL},
        {"templates-for", 0, CLI_TEXT, &b.prompts.templates_for, "NAME", "the twelve teachers of a task",
            NULL},
        {"epochs", 0, CLI_UINT, &n.epochs, "N", NULL, NULL},
        {"batch", 0, CLI_UINT, &n.batch, "N", NULL, NULL},
        {"lr", 0, CLI_REAL, &n.lr, "X", NULL, NULL},
        {"w", 0, CLI_REAL, &n.w, "X", NULL, NULL},
        {"w2", 0, CLI_REAL, &n.w2, "X", NULL, &n.w2_given},
        {"top-k", 0, CLI_UINT, &n.top_k, "K", NULL, &n.top_k_given},
        {"temperature", 0, CLI_REAL, &n.temperature, "T", NULL, NULL},
        {"context", 0, CLI_TEXT, &n.context, "TEXT", NULL, NULL},
        {"views", 0, CLI_UINT, &b.n_views, "V",
            "augmented views of training pictures (default: 0, the plain one)", NULL},
        {"auto", 0, CLI_FLAG, &b.automatic, NULL, "mopd chooses w, w2 and top-k on pretended new classes",
            NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &b.common, options, argc, argv, &rest, &n_rest);
    if (status < 0 && n_rest) status = cli_usage(command.name, "unexpected argument '%s'", rest[0]);
    if (status < 0) status = take_options(&b, &n);
    if (status < 0) status = run(&b);
    cli_prompts_free(&b.prompts);
    free(b.method);
    free(b.seed);
    return status;
}
