/* SPDX-License-Identifier: MIT
 * cmd_fit.c - mopd fit: a recogniser from a few pictures a class, in a second. */
#include "data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_command command = {"fit", "-d DATA -o RECOGNIZER [options]",
    "Fits a recogniser to the training pictures: closed form, nothing is trained.",
    "  mopd fit -d pictures/ -o birds.safetensors\n"
    "  mopd fit -d pictures.safetensors --shots 4 --also \"heron,stork\" -o birds.safetensors\n"
    "  mopd classify -r birds.safetensors --none garden/\n"};

typedef struct job {
    cli_common common;
    cli_data data;
    cli_prompts prompts;
    const char *prompt, *also, *output, *subset, *views;
    uint64_t shots, seed;
    uint32_t n_views; /* that are asked for; 0: as the data and their likelihood say */
    double keep, unseen;
    bool unseen_given;
} job;

/* -1, or the exit status: "auto", "1" to "5". */
static int take_views(job *j)
{
    if (!strcmp(j->views, "auto")) return -1;
    j->n_views = (uint32_t)(*j->views - '0');
    if (*j->views >= '1' && *j->views <= '0' + MOPD_FIXED_VIEWS && !j->views[1]) return -1;
    return cli_usage(
        command.name, "--views '%s' is neither a number from 1 to %d nor 'auto'", j->views, MOPD_FIXED_VIEWS);
}

/* How pictures are encoded; a store holds what it holds. */
static mopd_encode_options encode_options(const job *j, const mopd_dataset *data)
{
    mopd_encode_options o;
    mopd_encode_options_init(&o, sizeof o);
    const bool store = cli_data_info(data).dim > 0;
    o.n_views = j->n_views ? j->n_views : store ? 0 : MOPD_FIXED_VIEWS;
    if (o.n_views < 2) o.n_views = 0;
    if (o.n_views) o.flags = MOPD_ENCODE_FIXED;
    return o;
}

/* Views of a picture that are learned from. */
static uint32_t views_of(const job *j, const mopd_dataset *data)
{
    const mopd_dataset_info info = cli_data_info(data);
    return j->n_views ? j->n_views : info.fixed ? info.n_views : 1;
}

/* The classes of the data, then those that are given by name alone. */
static cli_list class_names(const job *j, const mopd_dataset *data)
{
    cli_list names = {0};
    const size_t n = cli_data_info(data).n_classes;
    for (size_t c = 0; c < n; c++) cli_list_add(&names, mopd_dataset_class_name(data, c));
    if (j->also) cli_list_split(&names, j->also);
    return names;
}

/* -1, or the exit status: names that are one to a model, told before pictures are encoded. */
static int check_also(const job *j, const mopd_dataset *data)
{
    size_t same[2];
    if (!j->also) return -1;
    cli_list names = class_names(j, data);
    const mopd_status st = mopd_classes_check((const char *const *)names.item, names.n, same);
    cli_list_free(&names);
    if (st == MOPD_OK) return -1;
    return cli_fail(
        "%s: %s", same[1] < cli_data_info(data).n_classes ? j->data.path : "--also", mopd_last_error());
}

static mopd_status fit(
    mopd_recognizer **out, const job *j, const mopd_encoder *encoder, const mopd_dataset *data)
{
    mopd_prompt *prompt = NULL;
    mopd_recognizer_options o;
    mopd_status st = mopd_recognizer_options_init(&o, sizeof o);
    o.keep = j->keep;
    o.unseen = j->unseen;
    o.templates = (const char *const *)j->prompts.templates.item;
    o.n_templates = j->prompts.templates.n;
    if (st == MOPD_OK && j->prompt) st = mopd_prompt_open(&prompt, j->prompt, encoder);
    o.prompt = prompt;
    o.n_views = views_of(j, data);
    if (j->n_views > 1) o.view_weight = MOPD_VIEW_WEIGHT;
    cli_list names = class_names(j, data);
    float *features = cli_data_features(data, 0, (size_t)o.n_views);
    cli_interrupt_ends(true);
    if (st == MOPD_OK)
        st = mopd_recognizer_create(out, encoder, (const char *const *)names.item, names.n, features,
            mopd_dataset_labels(data), (size_t)cli_data_info(data).n_items, &o);
    cli_interrupt_ends(false);
    free(features);
    cli_list_free(&names);
    mopd_prompt_close(prompt);
    return st;
}

/* null where nothing could be left out. */
static json_t *loo_json(const mopd_recognizer_info *i)
{
    if (i->loo_accuracy < 0) return json_null();
    return json_pack("{s:f, s:f, s:f, s:f}", "accuracy", 100 * i->loo_accuracy, "low", 100 * i->loo_low,
        "high", 100 * i->loo_high, "ece", 100 * i->loo_ece);
}

static json_t *cutoff_json(const mopd_recognizer_info *i)
{
    return isfinite(i->cutoff) ? json_pack("{s:f, s:f}", "keep", i->keep, "value", i->cutoff) : json_null();
}

static void show_json(const job *j, const mopd_recognizer *r, const mopd_recognizer_info *i, double seconds)
{
    json_t *classes = json_array();
    for (size_t c = 0; c < i->n_classes; c++)
        json_array_append_new(classes, cli_json_text(mopd_recognizer_class_name(r, c)));
    cli_print_json(json_pack("{s:I, s:o, s:f, s:f, s:f, s:f, s:I, s:o, s:o, s:f, s:o}", "n",
        (json_int_t)i->n_pictures, "classes", classes, "kappa", i->kappa, "lambda", i->lambda, "a",
        i->text_weight, "b", i->picture_weight, "views", (json_int_t)i->n_views, "loo", loo_json(i), "cutoff",
        cutoff_json(i), "seconds", seconds, "recognizer", cli_json_text(j->output)));
}

static void show_text(const job *j, const mopd_recognizer_info *i, double seconds)
{
    printf("%llu pictures of %llu classes in %.2f s\n", (unsigned long long)i->n_pictures,
        (unsigned long long)i->n_classes, seconds);
    if (i->n_views > 1) printf("learned from %llu views of each\n", (unsigned long long)i->n_views);
    if (i->loo_accuracy < 0)
        puts("one picture a class: how right it is cannot be told from them");
    else
        printf("accuracy by leaving one out %.1f%% (95 %% interval %.1f to %.1f), calibration error %.1f%%\n",
            100 * i->loo_accuracy, 100 * i->loo_low, 100 * i->loo_high, 100 * i->loo_ece);
    if (isfinite(i->cutoff))
        printf("none of these: keeps %.0f%% of known pictures\n", 100 * i->keep);
    else
        puts("none of these: fewer than 40 pictures, too few for a promise");
    printf("written to %s\n", cli_shown(j->output));
}

static int save_and_show(const job *j, const mopd_recognizer *r, double seconds)
{
    mopd_recognizer_info info = {.struct_size = sizeof info};
    mopd_status st = mopd_recognizer_get_info(r, &info);
    if (st == MOPD_OK) st = mopd_recognizer_save(r, j->output);
    if (st != MOPD_OK) return cli_fail_status(st);
    if (cli_is_json(&j->common))
        show_json(j, r, &info, seconds);
    else if (!j->common.quiet)
        show_text(j, &info, seconds);
    return cli_flush() ? EXIT_DONE : EXIT_FAILED;
}

static int run(job *j, const mopd_selection *selection)
{
    mopd_dataset *all = NULL, *part = NULL, *data = NULL;
    mopd_encoder *encoder = NULL;
    mopd_recognizer *recognizer = NULL;
    int status = cli_check_writable(j->output);
    if (status < 0) status = cli_data_open(&all, &j->data, command.name);
    if (status < 0) status = cli_data_select(&part, all, selection);
    if (status < 0) status = check_also(j, part);
    if (status < 0) status = cli_data_open_encoder(&encoder, all, &j->common);
    if (status < 0) {
        const mopd_encode_options options = encode_options(j, part);
        status = cli_data_encode(&data, part, NULL, encoder, &options, &j->common, &j->data);
    }
    if (status < 0) {
        const double start = cli_seconds();
        mopd_status st = fit(&recognizer, j, encoder, data);
        status = st == MOPD_OK ? save_and_show(j, recognizer, cli_seconds() - start) : cli_fail_status(st);
    }
    mopd_recognizer_close(recognizer);
    mopd_dataset_close(data);
    mopd_dataset_close(part);
    mopd_dataset_close(all);
    mopd_encoder_close(encoder);
    return status;
}

int cmd_fit(int argc, char **argv)
{
    job j = {.subset = "all", .views = "auto", .seed = 1, .keep = 0.95, .unseen = CLI_UNSEEN};
    const cli_option options[] = {
        CLI_DATA_OPTIONS(j.data),
        {"output", 'o', CLI_OUT, &j.output, "RECOGNIZER", "the file to write", NULL},
        {"also", 0, CLI_TEXT, &j.also, "\"a,b\"", "classes that have no pictures, by their names", NULL},
        {"shots", 0, CLI_UINT, &j.shots, "N", "draw so many pictures of each class (default: all)", NULL},
        {"seed", 0, CLI_UINT, &j.seed, "N", "of the draw", NULL},
        {"subset", 0, CLI_TEXT, &j.subset, "base|new|all", "which half of the classes", NULL},
        {"views", 0, CLI_TEXT, &j.views, "auto|N",
            "of each picture, its mirror image and closer ones, to learn from: 1 to 5, or 5 where that helps",
            NULL},
        {"keep", 0, CLI_REAL, &j.keep, "SHARE", "of known pictures that stay known with --none", NULL},
        {"prompt", 'p', CLI_IN, &j.prompt, "PROMPT", "learned prompts for the text side (mopd train)", NULL},
        {"unseen", 0, CLI_REAL, &j.unseen, "SHARE", "with -p: " CLI_UNSEEN_HELP, &j.unseen_given},
        CLI_TEMPLATE_OPTIONS(j.prompts, CLI_ONE_PROMPT, "prompts"),
        {0},
    };
    char **rest;
    size_t n_rest;
    mopd_selection selection;
    mopd_selection_init(&selection, sizeof selection);
    selection.split = MOPD_SPLIT_TRAIN;
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, j.data.path);
    if (status < 0 && !j.output) status = cli_usage(command.name, "no output: give -o RECOGNIZER");
    if (status < 0 && j.shots > UINT32_MAX)
        status = cli_usage(command.name, "--shots %llu: at most %u", (unsigned long long)j.shots, UINT32_MAX);
    if (status < 0 && !(j.keep > 0 && j.keep < 1))
        status = cli_usage(command.name, "--keep %.10g: more than 0 and less than 1", j.keep);
    if (status < 0) status = take_views(&j);
    if (status < 0) status = cli_parse_subset(j.subset, &selection.subset, command.name);
    if (status < 0) status = cli_prompts_templates(&j.prompts);
    if (status < 0 && j.prompt && j.prompts.templates.n)
        status = cli_usage(command.name, "-p brings its own prompt: no templates beside it");
    if (status < 0 && j.unseen_given && !j.prompt)
        status = cli_usage(command.name, "--unseen goes with -p PROMPT");
    if (status < 0) status = cli_check_unseen(j.unseen, command.name);
    selection.shots = (uint32_t)j.shots;
    selection.seed = j.seed;
    if (status < 0) status = run(&j, &selection);
    cli_prompts_free(&j.prompts);
    return status;
}
