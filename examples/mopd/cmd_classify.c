/* SPDX-License-Identifier: MIT
 * cmd_classify.c - mopd classify: pictures against class names, zero-shot or with learned prompts.
 *
 * Pictures stream: each result is printed as it comes, so a folder of a million needs no more memory than ten. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const cli_command command = {"classify", "(--classes \"a,b\" | --class-file F) [options] IMAGE...",
    "Tells which of the given classes each picture shows.  Folders are walked.",
    "  mopd classify --classes \"cat,dog\" photo.jpg\n"
    "  mopd classify --class-file birds.txt --template \"a photo of a {}, a type of bird.\" --top 3 garden/\n"
    "  mopd classify -p prompt.safetensors --classes \"fox,wolf\" --format json forest/\n"};

typedef struct job {
    const cli_common *common;
    const cli_list *images;
    const mopd_bank *bank;
    mopd_match *match; /* top of them */
    size_t top, n_bad, n_shown;
    size_t image_width, class_width;
    cli_progress progress;
} job;

static mopd_status make_bank(
    mopd_bank **bank, const mopd_encoder *encoder, const cli_prompts *p, const char *path)
{
    const char *const *classes = (const char *const *)p->class_list.item;
    const char *const *templates = (const char *const *)p->templates.item;
    if (!path) return mopd_bank_create(bank, encoder, classes, p->class_list.n, templates, p->templates.n);
    mopd_prompt *prompt;
    mopd_status st = mopd_prompt_open(&prompt, path, encoder);
    if (st != MOPD_OK) return st;
    st = mopd_bank_create_prompt(bank, encoder, classes, p->class_list.n, prompt);
    mopd_prompt_close(prompt);
    return st;
}

static json_t *match_json(const job *j, const mopd_match *m)
{
    return json_pack("{s:s, s:i, s:o, s:o}", "class", mopd_bank_class_name(j->bank, m->index), "index",
        (int)m->index, "probability", cli_json_float(m->probability), "logit", cli_json_float(m->logit));
}

static void show_json(job *j, const char *image, const char *error)
{
    json_t *one = json_pack("{s:s}", "image", image); /* NULL for a name that is no UTF-8 */
    if (!one) one = json_pack("{s:s}", "image", "(a name that is not UTF-8)");
    if (error) {
        json_object_set_new(one, "error", json_string(error));
    } else {
        json_t *top = json_array();
        for (size_t i = 0; i < j->top; i++) json_array_append_new(top, match_json(j, j->match + i));
        json_object_set_new(one, "top", top);
    }
    if (j->n_shown) putchar(',');
    json_dumpf(one, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(one);
}

static void show_csv(job *j, const char *image, const char *error)
{
    char number[2][32];
    if (!j->n_shown) fputs("image,rank,class,index,probability,logit,error\r\n", stdout);
    for (size_t i = 0; i < (error ? 1 : j->top); i++) {
        cli_csv_field(image, false);
        if (error) {
            fputs(",,,,,", stdout);
            cli_csv_field(error, true);
            return;
        }
        const mopd_match *m = j->match + i;
        printf("%zu,", i + 1);
        cli_csv_field(mopd_bank_class_name(j->bank, m->index), false);
        snprintf(number[0], sizeof number[0], "%.9g", (double)m->probability);
        snprintf(number[1], sizeof number[1], "%.9g", (double)m->logit);
        printf("%u,%s,%s,\r\n", (unsigned)m->index, number[0], number[1]);
    }
}

static void show_text(job *j, const char *image, const char *error)
{
    if (error) return;
    if (!j->n_shown)
        printf("%-*s  %-*s  probability\n", (int)j->image_width, "image", (int)j->class_width, "class");
    for (size_t i = 0; i < j->top; i++) {
        const mopd_match *m = j->match + i;
        printf("%-*s  %-*s  %10.2f%%\n", (int)j->image_width, i ? "" : image, (int)j->class_width,
            mopd_bank_class_name(j->bank, m->index), 100.0 * (double)m->probability);
    }
}

static int encoded(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    job *j = context;
    const char *image = j->images->item[index], *error = NULL;
    if (status == MOPD_OK)
        status = mopd_bank_top(j->bank, feature, 1, j->top, j->match), message = mopd_last_error();
    if (status != MOPD_OK) {
        error = message;
        j->n_bad++;
        cli_progress_end(&j->progress);
        cli_fail("%s", message);
    }
    if (cli_is_json(j->common))
        show_json(j, image, error);
    else if (cli_is_csv(j->common))
        show_csv(j, image, error);
    else
        show_text(j, image, error);
    if (!error || cli_is_json(j->common) || cli_is_csv(j->common)) j->n_shown++;
    cli_progress_update(&j->progress, index + 1);
    return cli_interrupted() || ferror(stdout);
}

static void fit_columns(job *j)
{
    j->image_width = j->class_width = 5;
    for (size_t i = 0; i < j->images->n; i++) {
        size_t n = strlen(j->images->item[i]);
        if (n > j->image_width) j->image_width = n < 60 ? n : 60;
    }
    for (size_t i = 0; i < mopd_bank_n_classes(j->bank); i++) {
        size_t n = strlen(mopd_bank_class_name(j->bank, i));
        if (n > j->class_width) j->class_width = n < 40 ? n : 40;
    }
}

static int classify_all(job *j, const mopd_encoder *encoder)
{
    fit_columns(j);
    cli_progress_start(&j->progress, j->common, "classify", j->images->n);
    if (cli_is_json(j->common)) fputs("{\"results\":[", stdout);
    mopd_status st =
        mopd_encoder_encode_files(encoder, (const char *const *)j->images->item, j->images->n, encoded, j);
    cli_progress_end(&j->progress);
    if (cli_is_json(j->common)) fputs("]}\n", stdout);
    if (!cli_flush()) return EXIT_FAILED;
    if (st != MOPD_OK) return cli_fail_status(st);
    return j->n_bad ? EXIT_FAILED : EXIT_DONE;
}

static int run(const cli_common *common, const cli_prompts *prompts, const char *prompt, uint64_t top,
    const cli_list *images)
{
    mopd_encoder *encoder = NULL;
    mopd_bank *bank = NULL;
    if (!cli_open_encoder(&encoder, common, 0)) return EXIT_FAILED;
    cli_interrupt_ends(true);
    mopd_status st = make_bank(&bank, encoder, prompts, prompt);
    cli_interrupt_ends(false);
    int status;
    if (st != MOPD_OK) {
        status = cli_fail_status(st);
    } else {
        size_t n = mopd_bank_n_classes(bank);
        job j = {.common = common, .images = images, .bank = bank, .top = top < n ? (size_t)top : n};
        j.match = cli_alloc(j.top, sizeof *j.match);
        status = classify_all(&j, encoder);
        free(j.match);
    }
    mopd_bank_free(bank);
    mopd_encoder_close(encoder);
    return status;
}

int cmd_classify(int argc, char **argv)
{
    cli_common common;
    cli_prompts prompts = {0};
    const char *prompt = NULL;
    uint64_t top = 1;
    const cli_option options[] = {
        {"classes", 0, CLI_TEXT, &prompts.classes, "\"a,b\"", "class names, separated by commas", NULL},
        {"class-file", 0, CLI_TEXT, &prompts.class_file, "FILE", "class names, one a line", NULL},
        {"template", 0, CLI_LIST, &prompts.templates, "TEXT", "prompt with {} for the class", NULL},
        {"template-file", 0, CLI_TEXT, &prompts.template_file, "FILE", "prompts, one a line", NULL},
        {"templates-for", 0, CLI_TEXT, &prompts.templates_for, "NAME",
            "the twelve prompts of a task: imagenet, dtd ...", NULL},
        {"prompt", 'p', CLI_TEXT, &prompt, "PROMPT", "learned prompts (mopd train)", NULL},
        {"top", 0, CLI_UINT, &top, "N", "classes shown a picture", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &common, options, argc, argv, &rest, &n_rest);
    cli_list images = {0};
    if (status < 0) status = cli_prompts_classes(&prompts, command.name);
    if (status < 0) status = cli_prompts_templates(&prompts);
    if (status < 0 && prompt && prompts.templates.n)
        status = cli_usage(command.name, "-p brings its own prompt: no templates beside it");
    if (status < 0 && !n_rest) status = cli_usage(command.name, "no pictures");
    if (status < 0 && !top) status = cli_usage(command.name, "--top: at least 1");
    for (size_t i = 0; status < 0 && i < n_rest; i++) {
        if (!cli_list_pictures(&images, rest[i])) status = EXIT_FAILED;
    }
    if (status < 0) status = run(&common, &prompts, prompt, top, &images);
    cli_list_free(&images);
    cli_prompts_free(&prompts);
    return status;
}
