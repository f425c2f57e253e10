/* SPDX-License-Identifier: MIT
 * cmd_train.c - mopd train: options in, prompt file out.  The work is in train_job.c. */
#include "train.h"

#include <stdlib.h>
#include <string.h>

static const cli_command command = {"train", "-d DATA [options] -o PROMPT",
    "Learns prompts from a few pictures a class.  The prompt file serves any class names afterwards.",
    "  mopd train -d pictures/ -o prompt.safetensors\n"
    "  mopd train -d pictures/ --subset base --shots 16 --seed 1 --report page.html -o prompt.safetensors\n"
    "  mopd train -d flowers/ --templates-for flowers102 --w 0.8 --w2 0.1 --top-k 3 --views 8 -o "
    "prompt.safetensors\n"
    "  mopd train -d pictures/ --auto --checkpoint run.safetensors -o prompt.safetensors\n"
    "  mopd train -d pictures/ --resume run.safetensors --checkpoint run.safetensors -o "
    "prompt.safetensors\n"};

static json_t *epoch_json(const mopd_epoch *e)
{
    return json_pack("{s:i, s:o, s:f, s:f, s:f, s:f, s:f}", "epoch", (int)e->epoch, "lr",
        cli_json_float((float)e->lr), "loss", e->loss, "ce", e->ce, "mpd", e->mpd, "mps", e->mps, "accuracy",
        e->accuracy);
}

static bool show(const train_job *j)
{
    if (cli_is_json(&j->common)) {
        json_t *epochs = json_array();
        for (size_t i = 0; i < j->n_epochs; i++) json_array_append_new(epochs, epoch_json(j->epochs + i));
        json_t *document = json_pack("{s:o, s:f}", "epochs", epochs, "seconds", j->seconds);
        json_object_set_new(document, "prompt", cli_json_text(j->output));
        cli_print_json(document);
    } else if (!cli_is_csv(&j->common) && !j->common.quiet) {
        uint64_t steps = 0;
        for (size_t i = 0; i < j->n_epochs; i++) steps += j->epochs[i].n_steps;
        printf("\ntraining accuracy %.2f%%, %.2f s", j->accuracy, j->seconds);
        if (steps) printf(" (%.1f ms a step)", 1000 * j->seconds / (double)steps);
        printf(", prompt in %s\n", cli_shown(j->output));
    }
    return cli_flush();
}

/* Saves what was learned, also after Ctrl-C. */
static int finish(train_job *j, int status)
{
    mopd_prompt *prompt = NULL;
    mopd_status st = mopd_prompt_create_trainer(&prompt, j->trainer);
    if (st == MOPD_OK) st = mopd_prompt_save(prompt, j->output);
    int reported = st == MOPD_OK && j->report && status < 0 ? train_report(j, prompt) : -1;
    mopd_prompt_close(prompt);
    if (st != MOPD_OK) return cli_fail_status(st);
    if (!show(j)) return EXIT_FAILED;
    if (status == EXIT_INTERRUPTED) cli_note(&j->common, "interrupted; %s holds what was reached", j->output);
    return status >= 0 ? status : reported >= 0 ? reported : EXIT_DONE;
}

static int run(train_job *j)
{
    int status = cli_check_writable(j->output);
    if (status < 0) status = cli_check_writable(j->checkpoint);
    if (status < 0) status = cli_check_writable(j->report);
    if (status < 0) status = train_open(j);
    if (status < 0) status = train_run(j);
    if (j->trainer && (status < 0 || status == EXIT_INTERRUPTED)) status = finish(j, status);
    train_close(j);
    return status;
}

/* Numbers as the parser reads them, before they go into the options struct. */
typedef struct numbers {
    cli_length length;
    uint64_t shots, seed, batch, top_k, n_context, memory;
    double lr, w, w2, temperature, lambda;
    bool w_given, w2_given, top_k_given;
    const char *method, *context;
    bool no_shuffle, class_context;
} numbers;

/* Methods that learn no prompt: what to type instead. */
static int point_elsewhere(const train_job *j, const char *name)
{
    if (!strcmp(name, "zero-shot"))
        return cli_usage(
            command.name, "--method zero-shot learns nothing: type 'mopd eval -d %s'", j->data.path);
    return cli_usage(command.name,
        "--method %s learns no prompt, it fits a recogniser: type 'mopd fit -d %s -o %s'%s", name,
        j->data.path, j->output, strcmp(name, "fit") ? "; fit is better than gda" : "");
}

static int take_method(train_job *j, const char *name)
{
    if (!name) return -1;
    if (!strcmp(name, "gda") || !strcmp(name, "fit") || !strcmp(name, "zero-shot"))
        return point_elsewhere(j, name);
    if (mopd_method_find(name, &j->options.method) != MOPD_OK)
        return cli_usage(command.name, "%s%s", mopd_last_error(), cli_method_hint(name));
    return -1;
}

static int take_views(train_job *j)
{
    j->views_given = j->views != NULL;
    j->n_views = 1;
    if (!j->views) return -1;
    j->fresh = !strcmp(j->views, "fresh");
    if (j->fresh) return -1;
    char *end;
    unsigned long n = strtoul(j->views, &end, 10);
    if (*j->views < '0' || *j->views > '9' || *end || n > CLI_MOST_VIEWS)
        return cli_usage(
            command.name, "--views '%s' is neither a number up to %d nor 'fresh'", j->views, CLI_MOST_VIEWS);
    j->n_views = n;
    return -1;
}

static int take_numbers(train_job *j, const numbers *n)
{
    mopd_trainer_options *o = &j->options;
    if (n->shots > UINT32_MAX)
        return cli_usage(command.name, "--shots %llu: at most %u", (unsigned long long)n->shots, UINT32_MAX);
    if (n->memory > UINT64_MAX >> 20)
        return cli_usage(command.name, "--memory %llu: at most %llu MB", (unsigned long long)n->memory,
            (unsigned long long)(UINT64_MAX >> 20));
    if (j->automatic && (n->w_given || n->w2_given || n->top_k_given))
        return cli_usage(command.name, "--auto chooses w, w2 and top-k: do not give them beside it");
    j->selection.shots = (uint32_t)n->shots;
    j->selection.seed = o->seed = n->seed;
    if (cli_take_length(o, &n->length, command.name) >= 0) return EXIT_USAGE;
    o->batch = (uint32_t)n->batch;
    o->top_k = (uint32_t)n->top_k;
    o->n_context = (uint32_t)n->n_context;
    o->memory_limit = n->memory << 20;
    o->lr = (float)n->lr;
    o->w = (float)n->w;
    o->w2 = (float)n->w2;
    o->temperature = (float)n->temperature;
    o->lambda = (float)n->lambda;
    if (n->no_shuffle) o->flags |= MOPD_TRAIN_NO_SHUFFLE;
    if (n->class_context) o->flags |= MOPD_TRAIN_CLASS_CONTEXT;
    if (n->context) o->context = *n->context ? n->context : NULL;
    return -1;
}

static int check(train_job *j, const numbers *n)
{
    if (!j->output) return cli_usage(command.name, "no prompt file: give -o PROMPT");
    if (!j->data.path) return cli_usage(command.name, "no data: give -d DATA");
    int status = cli_parse_split(j->split, &j->selection.split, command.name);
    if (status < 0) status = cli_parse_subset(j->subset, &j->selection.subset, command.name);
    if (status < 0) status = take_method(j, n->method);
    if (status < 0) status = take_views(j);
    if (status < 0) status = take_numbers(j, n);
    if (status < 0 && j->automatic && j->fresh)
        status = cli_usage(command.name, "--auto needs features encoded once, not --views fresh");
    if (status < 0) status = cli_prompts_templates(&j->prompts);
    cli_take_templates(&j->options, &j->prompts.templates, n->top_k_given);
    return status;
}

int cmd_train(int argc, char **argv)
{
    train_job j = {.split = "train", .subset = "all"};
    mopd_trainer_options *o = &j.options;
    mopd_selection_init(&j.selection, sizeof j.selection);
    mopd_trainer_options_init(o, sizeof *o);
    mopd_setting memory = {0};
    char memory_help[96];
    cli_setting("memory-limit", &memory);
    snprintf(memory_help, sizeof memory_help, "for the text tower's work (default: %s)", memory.open);
    numbers n = {.shots = CLI_SHOTS,
        .seed = o->seed,
        .batch = o->batch,
        .top_k = o->top_k,
        .lr = (double)o->lr,
        .w = (double)o->w,
        .w2 = (double)o->w2,
        .temperature = (double)o->temperature,
        .lambda = (double)o->lambda};
    const cli_option options[] = {
        CLI_DATA_OPTIONS(j.data),
        {"output", 'o', CLI_OUT, &j.output, "PROMPT", "the prompt file to write", NULL},
        {"split", 0, CLI_TEXT, &j.split, "train|val|test", "pictures to learn from", NULL},
        {"subset", 0, CLI_TEXT, &j.subset, "base|new|all", "which half of the classes", NULL},
        {"shots", 0, CLI_UINT, &n.shots, "N", "pictures a class, drawn by the seed; 0: all", NULL},
        {"seed", 0, CLI_UINT, &n.seed, "N", "of draw, shuffling and random choices", NULL},
        {"method", 0, CLI_TEXT, &n.method, "NAME", NULL, NULL},
        CLI_TEMPLATE_OPTIONS(j.prompts, "a teacher: " CLI_ONE_PROMPT, "teachers"),
        CLI_LENGTH_OPTIONS(n.length),
        {"batch", 0, CLI_UINT, &n.batch, "N", NULL, NULL},
        {"lr", 0, CLI_REAL, &n.lr, "X", NULL, NULL},
        {"w", 0, CLI_REAL, &n.w, "X", NULL, &n.w_given},
        {"w2", 0, CLI_REAL, &n.w2, "X", NULL, &n.w2_given},
        {"top-k", 0, CLI_UINT, &n.top_k, "K", NULL, &n.top_k_given},
        {"temperature", 0, CLI_REAL, &n.temperature, "T", NULL, NULL},
        {"lambda", 0, CLI_REAL, &n.lambda, "X", NULL, NULL},
        {"context", 0, CLI_TEXT, &n.context, "TEXT", NULL, NULL},
        {"n-context", 0, CLI_UINT, &n.n_context, "N", NULL, NULL},
        {"class-position", 0, CLI_CHOICE, &o->class_position, "NAME", NULL, NULL},
        {"class-context", 0, CLI_FLAG, &n.class_context, NULL, NULL, NULL},
        {"views", 0, CLI_TEXT, &j.views, "0|V|fresh",
            "plain, V augmented views cycled, or new ones each epoch (default: 0)", NULL},
        {"no-shuffle", 0, CLI_FLAG, &n.no_shuffle, NULL, "pictures by class, then file name, every epoch",
            NULL},
        {"auto", 0, CLI_FLAG, &j.automatic, NULL,
            "choose w, w2, top-k and length by held-out pictures and pretended new classes", NULL},
        {"checkpoint", 0, CLI_OUT, &j.checkpoint, "FILE", "written after every epoch", NULL},
        {"resume", 0, CLI_IN, &j.resume, "FILE", "go on from a checkpoint of the same training", NULL},
        {"report", 0, CLI_OUT, &j.report, "FILE.html",
            "a page: how good it is, classes, confusions, suspicious labels", NULL},
        {"memory", 0, CLI_UINT, &n.memory, "MB", memory_help, NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, j.data.path);
    if (status < 0) status = check(&j, &n);
    if (status < 0) status = run(&j);
    cli_prompts_free(&j.prompts);
    return status;
}
