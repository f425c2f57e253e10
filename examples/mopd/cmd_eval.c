/* SPDX-License-Identifier: MIT
 * cmd_eval.c - mopd eval: accuracy, macro F1, calibration, a table of classes and the confusions, zero-shot, with a
 * learned prompt or by a recogniser. */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

static const cli_command command = {"eval", "-d DATA [options]",
    "Classifies the pictures of a data set and counts what is right.",
    "  mopd eval -d pictures/\n"
    "  mopd eval -d pictures/ -r birds.safetensors\n"
    "  mopd eval -d pictures.safetensors --split test --subset new -p prompt.safetensors\n"
    "  mopd eval -d flowers/ --templates-for flowers102 --format json\n"};

enum { MATRIX_CLASSES = 12, MOST_PAIRS = 15 };

typedef struct job {
    cli_common common;
    cli_data data;
    cli_prompts prompts;
    const char *prompt, *recognizer, *also, *split, *subset;
    double coverage, unseen;
    bool unseen_given;
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
    if (st == MOPD_OK)
        st = mopd_bank_create_prompt_unseen(bank, encoder, classes, n, prompt, (float)j->unseen);
    mopd_prompt_close(prompt);
    return st;
}

static json_t *classes_json(const eval_result *r)
{
    json_t *classes = json_array();
    for (size_t c = 0; c < r->score.n_classes; c++) {
        uint64_t correct, n = cli_score_class(&r->score, c, &correct);
        json_t *one = json_object();
        json_object_set_new(one, "name", cli_json_text(r->names.item[c]));
        json_object_set_new(one, "n", json_integer((json_int_t)n));
        json_object_set_new(one, "correct", json_integer((json_int_t)correct));
        json_array_append_new(classes, one);
    }
    return classes;
}

static void show_json(const eval_result *r)
{
    const mopd_metrics *m = &r->score.metrics;
    json_t *all = json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:o}", "n", (json_int_t)m->n, "correct",
        (json_int_t)m->correct, "accuracy", m->accuracy, "macro_f1", m->macro_f1, "ece", r->score.ece, "nll",
        r->score.nll, "classes", classes_json(r));
    if (r->promises) {
        json_object_set_new(all, "kept", r->enough ? json_real(r->kept) : json_null());
        json_object_set_new(all, "coverage", r->enough ? json_real(r->coverage) : json_null());
        json_object_set_new(all, "set_size", r->enough ? json_real(r->set_size) : json_null());
    }
    if (r->n_strangers)
        json_object_set_new(all, "strangers",
            json_pack("{s:I, s:o, s:f}", "n", (json_int_t)r->n_strangers, "refused",
                r->enough ? json_real(r->refused) : json_null(), "auroc", r->auroc));
    cli_print_json(all);
}

static void show_csv(const cli_score *score, char **names)
{
    fputs("class,n,correct,accuracy\r\n", stdout);
    for (size_t c = 0; c < score->n_classes; c++) {
        uint64_t correct, n = cli_score_class(score, c, &correct);
        cli_csv_field(names[c], false);
        printf("%llu,%llu,", (unsigned long long)n, (unsigned long long)correct);
        if (n) printf("%.6g", 100.0 * (double)correct / (double)n);
        fputs("\r\n", stdout);
    }
}

static void show_classes(const cli_score *score, char **names)
{
    static const char *const heads[] = {"class", "n", "correct", "accuracy"};
    cli_table *table = cli_table_new(4, heads);
    for (size_t c = 0; c < score->n_classes; c++) {
        uint64_t correct, n = cli_score_class(score, c, &correct);
        cli_table_cell(table, "%s", names[c]);
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
static void show_matrix(const cli_score *score, char **names)
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
        cli_table_cell(table, "%s", names[c]);
        cli_table_cell(table, "%zu", c);
        for (size_t k = 0; k < n; k++) cli_table_cell(table, "%u", score->confusion[c * n + k]);
    }
    cli_table_print_free(table);
}

static void show_pairs(const cli_score *score, char **names)
{
    static const char *const heads[] = {"true class", "taken for", "pictures"};
    size_t n;
    cli_pair *pair = cli_score_pairs(score, MOST_PAIRS, &n);
    if (n) {
        printf("\nMost confused\n");
        cli_table *table = cli_table_new(3, heads);
        for (size_t i = 0; i < n; i++) {
            cli_table_cell(table, "%s", names[pair[i].is]);
            cli_table_cell(table, "%s", names[pair[i].said]);
            cli_table_cell(table, "%u", pair[i].n);
        }
        cli_table_print_free(table);
    }
    free(pair);
}

static void show_promises(const eval_result *r)
{
    if (r->enough) {
        printf("known pictures kept %.1f%% (promised %.0f%%); sets hold the true class in %.1f%% (promised "
               "%.0f%%), %.2f classes on average\n",
            r->kept, r->keep, r->coverage, r->share, r->set_size);
    } else {
        puts("fitted to fewer than 40 pictures: too few for a promise");
    }
    if (!r->n_strangers) return;
    printf("strangers: %zu pictures, ", r->n_strangers);
    if (r->enough) printf("refused %.1f%%, ", r->refused);
    printf("AUROC %.1f%%\n", r->auroc);
}

static void show_text(const eval_result *r)
{
    const mopd_metrics *m = &r->score.metrics;
    show_classes(&r->score, r->names.item);
    if (r->score.n_classes <= MATRIX_CLASSES)
        show_matrix(&r->score, r->names.item);
    else
        show_pairs(&r->score, r->names.item);
    printf("\naccuracy %.2f%% (%llu of %llu), macro F1 %.2f%%\n", m->accuracy, (unsigned long long)m->correct,
        (unsigned long long)m->n, m->macro_f1);
    printf("calibration error (ECE) %.1f%%, log loss (NLL) %.3f\n", r->score.ece, r->score.nll);
    if (r->promises) show_promises(r);
}

static bool show(const job *j, const eval_result *r)
{
    if (cli_is_json(&j->common))
        show_json(r);
    else if (cli_is_csv(&j->common))
        show_csv(&r->score, r->names.item);
    else
        show_text(r);
    return cli_flush();
}

/* By names and prompts. */
static int by_bank(eval_result *out, const job *j, const mopd_encoder *encoder, const mopd_dataset *data,
    const float *features)
{
    mopd_bank *bank = NULL;
    const mopd_dataset_info info = cli_data_info(data);
    cli_interrupt_ends(true);
    mopd_status st = make_bank(&bank, j, encoder, data);
    cli_interrupt_ends(false);
    const cli_samples samples = {
        features, mopd_dataset_labels(data), (size_t)info.n_items, info.dim, info.n_classes};
    if (st == MOPD_OK) st = cli_score_run(&out->score, cli_bank_logits, bank, &samples, NULL);
    for (size_t c = 0; c < info.n_classes; c++) cli_list_add(&out->names, mopd_dataset_class_name(data, c));
    mopd_bank_free(bank);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

/* Pictures that something was learned from tell little of how right it is. */
static void tell_splits(const job *j, const mopd_dataset *data)
{
    const mopd_dataset_info info = cli_data_info(data);
    const char *learned = j->recognizer ? j->recognizer : j->prompt;
    if (learned && !(info.n_split[0] + info.n_split[1] + info.n_split[2]))
        cli_note(&j->common,
            "%s has no splits: where %s learned from these pictures, new ones will be told less well",
            j->data.path, learned);
}

static int classify(const job *j, const mopd_encoder *encoder, const mopd_dataset *data)
{
    eval_result result = {0};
    const mopd_dataset_info info = cli_data_info(data);
    if (info.augmented && (info.n_split[MOPD_SPLIT_TRAIN] || !(info.n_split[1] + info.n_split[2])))
        cli_note(
            &j->common, "%s holds augmented views: the first of each training picture is used", j->data.path);
    float *features = cli_data_features(data, 0, 1);
    const eval_ask ask = {&j->common, j->recognizer, j->also, j->coverage};
    int status = j->recognizer ? eval_recognizer(&result, &ask, encoder, data, features)
                               : by_bank(&result, j, encoder, data, features);
    if (status < 0) tell_splits(j, data);
    if (status < 0) status = show(j, &result) ? EXIT_DONE : EXIT_FAILED;
    cli_score_free(&result.score);
    cli_list_free(&result.names);
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
    if (status < 0) cli_recognizer_reading(&j->common, j->recognizer);
    if (status < 0) status = cli_data_open_encoder(&encoder, all, &j->common);
    if (status < 0) status = cli_data_encode(&data, part, NULL, encoder, &options, &j->common, &j->data);
    if (status < 0) status = classify(j, encoder, data);
    mopd_dataset_close(data);
    mopd_dataset_close(part);
    mopd_dataset_close(all);
    mopd_encoder_close(encoder);
    return status;
}

/* Options that do not go together: -1 to go on. */
static int check(const job *j, bool coverage_given)
{
    if (j->prompt && j->prompts.templates.n)
        return cli_usage(command.name, "-p brings its own prompt: no templates beside it");
    if (j->recognizer && (j->prompt || j->prompts.templates.n))
        return cli_usage(command.name, "-r brings its own prompts: neither -p nor templates beside it");
    if (!j->recognizer && (j->also || coverage_given))
        return cli_usage(command.name, "--also and --set go with -r RECOGNIZER");
    if (!(j->coverage > 0 && j->coverage < 1))
        return cli_usage(command.name, "--set %.10g: more than 0 and less than 1", j->coverage);
    if (j->unseen_given && !j->prompt) return cli_usage(command.name, "--unseen goes with -p PROMPT");
    return cli_check_unseen(j->unseen, command.name);
}

int cmd_eval(int argc, char **argv)
{
    job j = {.split = "test", .subset = "all", .coverage = 0.9, .unseen = CLI_UNSEEN};
    bool coverage_given = false;
    const cli_option options[] = {
        CLI_DATA_OPTIONS(j.data),
        {"split", 0, CLI_TEXT, &j.split, "train|val|test",
            "pictures to classify; data without splits is taken whole", NULL},
        {"subset", 0, CLI_TEXT, &j.subset, "base|new|all", "which half of the classes", NULL},
        {"recognizer", 'r', CLI_IN, &j.recognizer, "RECOGNIZER", "a fitted recogniser (mopd fit)", NULL},
        {"also", 0, CLI_TEXT, &j.also, "\"a,b\"", "with -r: more classes, by their names", NULL},
        {"set", 0, CLI_REAL, &j.coverage, "SHARE", "with -r: of sets that hold the true class",
            &coverage_given},
        {"prompt", 'p', CLI_IN, &j.prompt, "PROMPT", "learned prompts (mopd train)", NULL},
        {"unseen", 0, CLI_REAL, &j.unseen, "SHARE", "with -p: " CLI_UNSEEN_HELP, &j.unseen_given},
        CLI_TEMPLATE_OPTIONS(j.prompts, CLI_ONE_PROMPT, "prompts"),
        {0},
    };
    char **rest;
    size_t n_rest;
    mopd_selection selection;
    mopd_selection_init(&selection, sizeof selection);
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, j.data.path);
    if (status < 0) status = cli_parse_split(j.split, &selection.split, command.name);
    if (status < 0) status = cli_parse_subset(j.subset, &selection.subset, command.name);
    if (status < 0) status = cli_prompts_templates(&j.prompts);
    if (status < 0) status = check(&j, coverage_given);
    if (status < 0) status = run(&j, &selection);
    cli_prompts_free(&j.prompts);
    return status;
}
