/* SPDX-License-Identifier: MIT
 * cmd_eval.c - mopd eval: accuracy, macro F1, a table of classes and the confusions, zero-shot or with
 * a learned prompt. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

static const cli_command command = {"eval", "-d DATA [options]",
    "Classifies the pictures of a data set and counts what is right.",
    "  mopd eval -d pictures/\n"
    "  mopd eval -d pictures.safetensors --split test --subset new -p prompt.safetensors\n"
    "  mopd eval -d flowers/ --templates-for flowers102 --format json\n"};

enum { MATRIX_CLASSES = 12, MOST_PAIRS = 15 };

typedef struct job {
    cli_common common;
    cli_data data;
    cli_prompts prompts;
    const char *prompt, *split, *subset;
} job;

static mopd_status make_bank(
    mopd_bank **bank, const job *j, const mopd_encoder *encoder, const mopd_dataset *data)
{
    const char *const *classes = mopd_dataset_class_names(data);
    size_t n = cli_data_info(data).n_classes;
    if (!j->prompt)
        return mopd_bank_create(bank, encoder, classes, n, (const char *const *)j->prompts.templates.item,
            j->prompts.templates.n);
    mopd_prompt *prompt = NULL;
    mopd_status st = mopd_prompt_open(&prompt, j->prompt, encoder);
    if (st == MOPD_OK) st = mopd_bank_create_prompt(bank, encoder, classes, n, prompt);
    mopd_prompt_close(prompt);
    return st;
}

static void show_json(const cli_score *score, const mopd_dataset *data)
{
    const mopd_metrics *m = &score->metrics;
    json_t *classes = json_array();
    for (size_t c = 0; c < score->n_classes; c++) {
        uint64_t correct, n = cli_score_class(score, c, &correct);
        json_t *one = json_object();
        json_object_set_new(one, "name", cli_json_text(mopd_dataset_class_name(data, c)));
        json_object_set_new(one, "n", json_integer((json_int_t)n));
        json_object_set_new(one, "correct", json_integer((json_int_t)correct));
        json_array_append_new(classes, one);
    }
    cli_print_json(json_pack("{s:I, s:I, s:f, s:f, s:o}", "n", (json_int_t)m->n, "correct",
        (json_int_t)m->correct, "accuracy", m->accuracy, "macro_f1", m->macro_f1, "classes", classes));
}

static void show_csv(const cli_score *score, const mopd_dataset *data)
{
    fputs("class,n,correct,accuracy\r\n", stdout);
    for (size_t c = 0; c < score->n_classes; c++) {
        uint64_t correct, n = cli_score_class(score, c, &correct);
        cli_csv_field(mopd_dataset_class_name(data, c), false);
        printf("%llu,%llu,", (unsigned long long)n, (unsigned long long)correct);
        if (n) printf("%.6g", 100.0 * (double)correct / (double)n);
        fputs("\r\n", stdout);
    }
}

static void show_classes(const cli_score *score, const mopd_dataset *data)
{
    static const char *const heads[] = {"class", "n", "correct", "accuracy"};
    cli_table *table = cli_table_new(4, heads);
    for (size_t c = 0; c < score->n_classes; c++) {
        uint64_t correct, n = cli_score_class(score, c, &correct);
        cli_table_cell(table, "%s", mopd_dataset_class_name(data, c));
        cli_table_cell(table, "%llu", (unsigned long long)n);
        cli_table_cell(table, "%llu", (unsigned long long)correct);
        if (n)
            cli_table_cell(table, "%.2f", 100.0 * (double)correct / (double)n);
        else
            cli_table_cell(table, "-");
    }
    cli_table_print_free(table);
}

/* The whole matrix of a few classes: numbers of predicted classes stand above. */
static void show_matrix(const cli_score *score, const mopd_dataset *data)
{
    char number[MATRIX_CLASSES][24];
    const char *heads[MATRIX_CLASSES + 2] = {"true class", "#"};
    size_t n = score->n_classes;
    for (size_t c = 0; c < n; c++) {
        snprintf(number[c], sizeof number[c], "%zu", c);
        heads[c + 2] = number[c];
    }
    printf("\nConfusion (columns: predicted class)\n");
    cli_table *table = cli_table_new(n + 2, heads);
    for (size_t c = 0; c < n; c++) {
        cli_table_cell(table, "%s", mopd_dataset_class_name(data, c));
        cli_table_cell(table, "%zu", c);
        for (size_t k = 0; k < n; k++) cli_table_cell(table, "%u", score->confusion[c * n + k]);
    }
    cli_table_print_free(table);
}

static void show_pairs(const cli_score *score, const mopd_dataset *data)
{
    static const char *const heads[] = {"true class", "taken for", "pictures"};
    size_t n;
    cli_pair *pair = cli_score_pairs(score, MOST_PAIRS, &n);
    if (n) {
        printf("\nMost confused\n");
        cli_table *table = cli_table_new(3, heads);
        for (size_t i = 0; i < n; i++) {
            cli_table_cell(table, "%s", mopd_dataset_class_name(data, pair[i].is));
            cli_table_cell(table, "%s", mopd_dataset_class_name(data, pair[i].said));
            cli_table_cell(table, "%u", pair[i].n);
        }
        cli_table_print_free(table);
    }
    free(pair);
}

static bool show(const job *j, const cli_score *score, const mopd_dataset *data)
{
    const mopd_metrics *m = &score->metrics;
    if (cli_is_json(&j->common)) {
        show_json(score, data);
    } else if (cli_is_csv(&j->common)) {
        show_csv(score, data);
    } else {
        show_classes(score, data);
        if (score->n_classes <= MATRIX_CLASSES)
            show_matrix(score, data);
        else
            show_pairs(score, data);
        printf("\naccuracy %.2f%% (%llu of %llu), macro F1 %.2f%%\n", m->accuracy,
            (unsigned long long)m->correct, (unsigned long long)m->n, m->macro_f1);
    }
    return cli_flush();
}

static int classify(const job *j, const mopd_encoder *encoder, const mopd_dataset *data)
{
    mopd_bank *bank = NULL;
    cli_score score = {0};
    mopd_dataset_info info = cli_data_info(data);
    if (info.augmented && (info.n_split[MOPD_SPLIT_TRAIN] || !(info.n_split[1] + info.n_split[2])))
        cli_note(
            &j->common, "%s holds augmented views: the first of each training picture is used", j->data.path);
    float *features = cli_data_features(data, 0, 1);
    cli_interrupt_ends(true);
    mopd_status st = make_bank(&bank, j, encoder, data);
    cli_interrupt_ends(false);
    cli_samples samples = {
        features, mopd_dataset_labels(data), (size_t)info.n_items, info.dim, info.n_classes};
    if (st == MOPD_OK) st = cli_score_run(&score, cli_bank_logits, bank, &samples, NULL);
    int status = st != MOPD_OK ? cli_fail_status(st) : show(j, &score, data) ? EXIT_DONE : EXIT_FAILED;
    cli_score_free(&score);
    mopd_bank_free(bank);
    free(features);
    return status;
}

static int run(job *j, const mopd_selection *selection)
{
    mopd_dataset *all = NULL, *part = NULL, *data = NULL;
    mopd_encoder *encoder = NULL;
    mopd_encode_options options;
    mopd_encode_options_init(&options, sizeof options);
    int status = cli_data_open(&all, &j->data, command.name);
    if (status < 0) status = cli_data_select(&part, all, selection);
    if (status < 0 && !cli_open_encoder(&encoder, &j->common, 0)) status = EXIT_FAILED;
    if (status < 0) status = cli_data_encode(&data, part, NULL, encoder, &options, &j->common, &j->data);
    if (status < 0) status = classify(j, encoder, data);
    mopd_dataset_close(data);
    mopd_dataset_close(part);
    mopd_dataset_close(all);
    mopd_encoder_close(encoder);
    return status;
}

int cmd_eval(int argc, char **argv)
{
    job j = {.split = "test", .subset = "all"};
    const cli_option options[] = {
        CLI_DATA_OPTIONS(j.data),
        {"split", 0, CLI_TEXT, &j.split, "train|val|test",
            "pictures to classify; data without splits is taken whole", NULL},
        {"subset", 0, CLI_TEXT, &j.subset, "base|new|all", "which half of the classes", NULL},
        {"prompt", 'p', CLI_TEXT, &j.prompt, "PROMPT", "learned prompts (mopd train)", NULL},
        {"template", 0, CLI_LIST, &j.prompts.templates, "TEXT", "prompt with {} for the class", NULL},
        {"template-file", 0, CLI_TEXT, &j.prompts.template_file, "FILE", "prompts, one a line", NULL},
        {"templates-for", 0, CLI_TEXT, &j.prompts.templates_for, "NAME", "the twelve prompts of a task",
            NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    mopd_selection selection;
    mopd_selection_init(&selection, sizeof selection);
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    if (status < 0 && n_rest) status = cli_usage(command.name, "unexpected argument '%s'", rest[0]);
    if (status < 0) status = cli_parse_split(j.split, &selection.split, command.name);
    if (status < 0) status = cli_parse_subset(j.subset, &selection.subset, command.name);
    if (status < 0) status = cli_prompts_templates(&j.prompts);
    if (status < 0 && j.prompt && j.prompts.templates.n)
        status = cli_usage(command.name, "-p brings its own prompt: no templates beside it");
    if (status < 0) status = run(&j, &selection);
    cli_prompts_free(&j.prompts);
    return status;
}
