/* SPDX-License-Identifier: MIT
 * cmd_classify.c - mopd classify: pictures against class names, zero-shot, with learned prompts or by a recogniser.
 *
 * Pictures stream: each result is printed as it comes, so a folder of a million needs no more memory than ten. */
#include "pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_command command = {"classify",
    "(--classes \"a,b\" | --class-file F | -p PROMPT | -r RECOGNIZER) [options] (IMAGE... | -d STORE)",
    "Tells which of the given classes each picture shows.  Folders are walked; pictures of a store are not "
    "encoded again.",
    "  mopd classify --classes \"cat,dog\" photo.jpg\n"
    "  mopd classify --class-file birds.txt --template \"a photo of a {}, a type of bird.\" --top 3 garden/\n"
    "  mopd classify -p prompt.safetensors forest/\n"
    "  mopd classify -p prompt.safetensors --classes \"fox,wolf\" --format json forest/\n"
    "  mopd classify -r birds.safetensors --none --set 0.9 garden/\n"
    "  mopd classify -d photos.safetensors --classes \"beach,mountains\" --format csv\n"};

typedef struct job {
    const cli_common *common;
    const cli_pictures *pictures;
    const mopd_bank *bank;             /* or */
    const mopd_recognizer *recognizer; /* with */
    bool sigmoid;                      /* each class's own probability; bias: of the bank */
    double bias;
    bool none;               /* a picture below the cut-off is none of the classes */
    double coverage, cutoff; /* coverage 0: no sets */
    mopd_match *match;       /* top of them */
    uint8_t *set;            /* a picture's set of classes */
    float score;             /* how much it seems to be of one of the classes */
    size_t top, n_bad, n_shown;
    size_t image_width, class_width;
    cli_progress progress;
} job;

/* -1, or the exit status. */
static int make_bank(
    mopd_bank **bank, const mopd_encoder *encoder, const cli_prompts *p, const char *path, double unseen)
{
    const char *const *classes = (const char *const *)p->class_list.item;
    const char *const *templates = (const char *const *)p->templates.item;
    mopd_prompt *prompt = NULL;
    mopd_status st =
        path ? mopd_prompt_open(&prompt, path, encoder)
             : mopd_bank_create(bank, encoder, classes, p->class_list.n, templates, p->templates.n);
    if (st == MOPD_OK && path)
        st = mopd_bank_create_prompt_unseen(bank, encoder, classes, p->class_list.n, prompt, (float)unseen);
    mopd_prompt_close(prompt);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

static const char *class_name(const job *j, size_t index)
{
    return j->bank ? mopd_bank_class_name(j->bank, index) : mopd_recognizer_class_name(j->recognizer, index);
}

static size_t n_classes(const job *j)
{
    mopd_recognizer_info info = {.struct_size = sizeof info};
    if (j->bank) return mopd_bank_n_classes(j->bank);
    return mopd_recognizer_get_info(j->recognizer, &info) == MOPD_OK ? (size_t)info.n_classes : 0;
}

static bool is_known(const job *j)
{
    return (double)j->score >= j->cutoff;
}

/* What is shown for the best class of a picture. */
static const char *answer(const job *j, const mopd_match *m)
{
    return j->none && !is_known(j) ? "none of these" : class_name(j, m->index);
}

static json_t *match_json(const job *j, const mopd_match *m)
{
    return json_pack("{s:o, s:i, s:o, s:o}", "class", cli_json_text(class_name(j, m->index)), "index",
        (int)m->index, "probability", cli_json_float(m->probability), "logit", cli_json_float(m->logit));
}

/* What a recogniser says beside the best classes. */
static void add_recognizer_json(json_t *one, const job *j)
{
    json_object_set_new(one, "known", json_boolean(is_known(j)));
    json_object_set_new(one, "score", cli_json_float(j->score));
    if (j->none && !is_known(j)) json_object_set_new(one, "answer", json_string("none of these"));
    if (j->coverage == 0) return;
    json_t *set = json_array();
    for (size_t c = 0; c < n_classes(j); c++)
        if (j->set[c]) json_array_append_new(set, cli_json_text(class_name(j, c)));
    json_object_set_new(one, "set", set);
}

static void show_json(job *j, const char *image, const char *error)
{
    json_t *one = json_pack("{s:o}", "image", cli_json_text(image));
    if (error) {
        json_object_set_new(one, "error", cli_json_text(error));
    } else {
        json_t *top = json_array();
        for (size_t i = 0; i < j->top; i++) json_array_append_new(top, match_json(j, j->match + i));
        json_object_set_new(one, "top", top);
        if (j->recognizer) add_recognizer_json(one, j);
    }
    if (j->n_shown) putchar(',');
    json_dumpf(one, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(one);
}

/* The end of the document: remarks and names that are no UTF-8, if there are any. */
static void show_json_end(void)
{
    const char *key;
    json_t *end = json_object(), *value;
    cli_remarks_add(end);
    cli_json_add_bytes(end);
    fputs("]", stdout);
    json_object_foreach(end, key, value)
    {
        printf(",\"%s\":", key);
        json_dumpf(value, stdout, JSON_COMPACT);
    }
    fputs("}\n", stdout);
    json_decref(end);
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
        cli_csv_field(i ? class_name(j, m->index) : answer(j, m), false);
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
        if (!i && j->none && !is_known(j)) {
            printf("%-*s  %s\n", (int)j->image_width, cli_shown(image), cli_shown(answer(j, m)));
            return;
        }
        printf("%-*s  %-*s  %10.2f%%\n", (int)j->image_width, i ? "" : cli_shown(image), (int)j->class_width,
            cli_shown(class_name(j, m->index)), 100.0 * (double)m->probability);
    }
}

/* Shares among the classes become what each is for itself; the order stays. */
static void apply_sigmoid(job *j)
{
    for (size_t i = 0; i < j->top; i++)
        j->match[i].probability = (float)(1 / (1 + exp(-((double)j->match[i].logit + j->bias))));
}

static mopd_status judge_by_bank(job *j, const float *feature)
{
    mopd_status st = mopd_bank_top(j->bank, feature, 1, j->top, j->match);
    if (st == MOPD_OK && j->sigmoid) apply_sigmoid(j);
    return st;
}

static mopd_status judge(job *j, const float *feature)
{
    if (j->bank) return judge_by_bank(j, feature);
    mopd_status st = mopd_recognizer_top(j->recognizer, feature, 1, j->top, j->match);
    if (st == MOPD_OK) st = mopd_recognizer_scores(j->recognizer, feature, 1, &j->score);
    if (st == MOPD_OK && j->coverage > 0)
        st = mopd_recognizer_sets(j->recognizer, feature, 1, j->coverage, j->set);
    return st;
}

static int encoded(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    job *j = context;
    const char *image = j->pictures->files.item[index], *error = NULL;
    if (status == MOPD_OK) cli_remarks_file(image, message);
    if (status == MOPD_OK) status = judge(j, feature), message = mopd_last_error();
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
    for (size_t i = 0; i < j->pictures->files.n; i++) {
        size_t n = strlen(j->pictures->files.item[i]);
        if (n > j->image_width) j->image_width = n < 60 ? n : 60;
    }
    if (j->none) j->class_width = strlen("none of these");
    for (size_t i = 0, n_all = n_classes(j); i < n_all; i++) {
        size_t n = strlen(class_name(j, i));
        if (n > j->class_width) j->class_width = n < 40 ? n : 40;
    }
}

static int classify_all(job *j, const mopd_encoder *encoder)
{
    fit_columns(j);
    cli_progress_start(&j->progress, j->common, "classify", j->pictures->files.n);
    if (cli_is_json(j->common)) fputs("{\"results\":[", stdout);
    mopd_status st = cli_pictures_each(j->pictures, encoder, encoded, j);
    cli_progress_end(&j->progress);
    if (cli_is_json(j->common)) show_json_end();
    if (!cli_flush()) return EXIT_FAILED;
    if (st != MOPD_OK) return cli_fail_status(st);
    return j->n_bad ? EXIT_FAILED : EXIT_DONE;
}

/* How pictures are judged: names and a prompt, or a recogniser; and where they are, when none are named. */
typedef struct judges {
    cli_data data;
    const char *prompt, *recognizer, *also;
    bool none, unseen_given, coverage_given, sigmoid;
    double coverage, unseen;
    uint64_t top;
} judges;

/* -1 to go on. */
static int take_bias(job *j, const judges *by)
{
    j->sigmoid = by->sigmoid;
    if (!by->sigmoid) return -1;
    j->bias = (double)mopd_bank_logit_bias(j->bank);
    if (!isnan(j->bias)) return -1;
    return cli_fail(
        "--sigmoid: the model has no logit bias: it was not trained with a sigmoid loss, as SigLIP is");
}

static int classify_by(job *j, const mopd_encoder *encoder, const judges *by)
{
    mopd_recognizer_info info = {.struct_size = sizeof info};
    const size_t n = n_classes(j);
    j->top = by->top < n ? (size_t)by->top : n;
    j->match = cli_alloc(j->top, sizeof *j->match);
    j->set = cli_alloc(n, 1);
    if (j->recognizer) {
        mopd_recognizer_get_info(j->recognizer, &info);
        j->cutoff = info.cutoff;
        j->none = by->none;
        j->coverage = by->coverage;
        if (j->none && info.cutoff < -1e300)
            cli_note(
                j->common, "fewer than 40 pictures: too few to say that a picture is none of the classes");
    }
    if (n == 1 && !j->none)
        cli_note(j->common, "one class alone always has 100%%: name what else the pictures may show%s",
            j->recognizer ? ", or ask with --none"
                          : ", or fit a recogniser (mopd fit), which says when it is none of the classes");
    int status = classify_all(j, encoder);
    free(j->match);
    free(j->set);
    return status;
}

static int run(const cli_common *common, const cli_prompts *prompts, judges *by, cli_pictures *pictures)
{
    mopd_encoder *encoder = NULL;
    mopd_bank *bank = NULL;
    mopd_recognizer *recognizer = NULL;
    int status = cli_open_encoder(&encoder, common, 0);
    if (status >= 0) return status;
    cli_interrupt_ends(true);
    status = by->recognizer ? cli_recognizer_open(&recognizer, encoder, by->recognizer, by->also)
                            : make_bank(&bank, encoder, prompts, by->prompt, by->unseen);
    cli_interrupt_ends(false);
    if (status < 0) {
        cli_remarks_letters(encoder, (const char *const *)prompts->class_list.item, prompts->class_list.n);
        status = cli_pictures_ready(pictures, &by->data, encoder, common);
    }
    if (status < 0) {
        job j = {.common = common, .pictures = pictures, .bank = bank, .recognizer = recognizer};
        status = take_bias(&j, by);
        if (status < 0) status = classify_by(&j, encoder, by);
    }
    mopd_bank_free(bank);
    mopd_recognizer_close(recognizer);
    mopd_encoder_close(encoder);
    return status;
}

/* Options that do not go together: -1 to go on. */
static int check_judges(const judges *by, const cli_prompts *prompts)
{
    if (by->recognizer && (by->prompt || prompts->classes || prompts->class_file || prompts->templates.n))
        return cli_usage(command.name, "-r brings its own classes and prompts: --also adds names to them");
    if (by->recognizer && by->sigmoid)
        return cli_usage(
            command.name, "--sigmoid goes with names or -p: a recogniser's probabilities are its own");
    if (!by->recognizer && (by->also || by->none || by->coverage_given))
        return cli_usage(command.name, "--also, --none and --set go with -r RECOGNIZER");
    if (by->coverage_given && !(by->coverage > 0 && by->coverage < 1))
        return cli_usage(command.name, "--set %.10g: more than 0 and less than 1", by->coverage);
    if (by->prompt && prompts->templates.n)
        return cli_usage(command.name, "-p brings its own prompt: no templates beside it");
    if (by->unseen_given && !by->prompt) return cli_usage(command.name, "--unseen goes with -p PROMPT");
    if (cli_check_unseen(by->unseen, command.name) >= 0) return EXIT_USAGE;
    return by->top ? -1 : cli_usage(command.name, "--top 0: at least 1");
}

int cmd_classify(int argc, char **argv)
{
    cli_common common;
    cli_prompts prompts = {0};
    judges by = {.top = 1, .unseen = CLI_UNSEEN};
    const cli_option options[] = {
        {"classes", 0, CLI_TEXT, &prompts.classes, "\"a,b\"", "class names, separated by commas", NULL},
        {"class-file", 0, CLI_IN, &prompts.class_file, "FILE", "class names, one a line", NULL},
        CLI_TEMPLATE_OPTIONS(prompts, CLI_ONE_PROMPT, "prompts"),
        {"prompt", 'p', CLI_IN, &by.prompt, "PROMPT",
            "learned prompts (mopd train); without names, for the classes that they were learned from", NULL},
        {"unseen", 0, CLI_REAL, &by.unseen, "SHARE", "with -p: " CLI_UNSEEN_HELP, &by.unseen_given},
        {"recognizer", 'r', CLI_IN, &by.recognizer, "RECOGNIZER", "a fitted recogniser (mopd fit)", NULL},
        {"also", 0, CLI_TEXT, &by.also, "\"a,b\"", "with -r: more classes, by their names", NULL},
        {"none", 0, CLI_FLAG, &by.none, NULL, "with -r: say \"none of these\" of pictures that are", NULL},
        {"set", 0, CLI_REAL, &by.coverage, "SHARE",
            "with -r: all classes that the true one is among so often", &by.coverage_given},
        {"sigmoid", 0, CLI_FLAG, &by.sigmoid, NULL,
            "of models like SigLIP: each class's own probability, not its share among the given", NULL},
        {"top", 0, CLI_UINT, &by.top, "N", "classes shown a picture", NULL},
        CLI_DATA_OPTIONS(by.data),
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &common, options, argc, argv, &rest, &n_rest);
    cli_pictures pictures = {0};
    bool named = prompts.classes || prompts.class_file; /* without, a prompt or a recogniser brings its own */
    if (status < 0 && !by.recognizer && (named || !by.prompt))
        status = cli_prompts_classes(&prompts, command.name);
    if (status < 0) status = cli_prompts_templates(&prompts);
    if (status < 0) status = check_judges(&by, &prompts);
    if (status < 0) status = cli_pictures_open(&pictures, &by.data, rest, n_rest, command.name);
    if (status < 0) cli_recognizer_reading(&common, by.recognizer);
    if (status < 0) status = run(&common, &prompts, &by, &pictures);
    cli_pictures_close(&pictures);
    cli_prompts_free(&prompts);
    return status;
}
