/* SPDX-License-Identifier: MIT
 * options.c - one table of options per subcommand drives getopt_long and --help. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool quiet; /* of the options that were parsed */

enum { MAX_OPTIONS = 64, CODE_BASE = 1000, CODE_HELP = 999 };

/* The command's options, then the common ones. */
static size_t join_tables(cli_option *all, const cli_option *own, cli_common *common)
{
    const cli_option shared[] = {
        {"model", 'm', CLI_IN, &common->model, "MODEL",
            "model directory or file (default: the built-in model)", NULL},
        {"format", 0, CLI_TEXT, &common->format, "text|json|csv", "form of the output", NULL},
        {"threads", 0, CLI_UINT, &common->threads, "N", "threads (default: all processors)", NULL},
        {"precision", 0, CLI_TEXT, &common->precision, "f32|bf16|int8|auto", "products of the towers", NULL},
        {"grey16", 0, CLI_TEXT, &common->grey16, "cut|scale",
            "16-bit grey: white above 255, or its whole range", NULL},
        {"orientation", 0, CLI_TEXT, &common->orientation, "exif|ignore",
            "photographs: turned as EXIF says, or as they lie (default: exif; of a store its own)", NULL},
        {"text-cleaning", 0, CLI_TEXT, &common->text_cleaning, "model|clean|as-is",
            "texts: as the model's own users get them, cleaned, or as they are", NULL},
        {"limit", 0, CLI_LIMIT, &common->limits, "NAME=VALUE",
            "what files may be and take, as max_pixels=50M or reading_memory=1Gi", NULL},
        {"quiet", 'q', CLI_FLAG, &common->quiet, NULL, "no progress bars, no remarks", NULL},
        {"help", 'h', CLI_FLAG, NULL, NULL, "this text", NULL},
    };
    size_t n = 0;
    for (; own && own->name; own++) all[n++] = *own;
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) all[n++] = shared[i];
    return n;
}

static void print_help(const cli_command *command, const cli_option *all, size_t n)
{
    printf("Usage: mopd %s %s\n\n%s\n\nOptions:\n", command->name, command->usage, command->summary);
    for (size_t i = 0; i < n; i++) cli_print_option(all + i);
    if (command->examples) printf("\nExamples:\n%s", command->examples);
}

static bool parse_uint(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long x = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || *text == '+' || *text == ' ') return false;
    *out = x;
    return true;
}

static bool parse_real(const char *text, double *out)
{
    char *end;
    errno = 0;
    double x = strtod(text, &end);
    if (errno || end == text || *end || x - x != 0) return false;
    *out = x;
    return true;
}

/* A number within the limits of the library's setting behind an option, if there is one. */
static int check_limits(const cli_command *command, const cli_option *o, double x)
{
    mopd_setting s;
    if (o->help || !cli_setting(o->name, &s) || (x >= s.least && x <= s.most) || (s.open && x == s.preset))
        return -1;
    return cli_usage(command->name, "--%s %.10g: from %.10g to %.10g", o->name, x, s.least, s.most);
}

int cli_choice(const char *command, const char *option, const char *text, const char *const *known, size_t n,
    int32_t *value)
{
    char all[256] = "";
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(text, known[i])) {
            *value = (int32_t)i;
            return -1;
        }
        size_t at = strlen(all);
        snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", known[i]);
    }
    return cli_usage(command, "--%s '%s' is none of %s%s", option, text, all, cli_hint("", text, known, n));
}

static int take_choice(const cli_command *command, const cli_option *o, const char *argument)
{
    mopd_setting s;
    if (!cli_setting(o->name, &s)) return -1;
    return cli_choice(command->name, o->name, argument, s.choices, (size_t)s.most + 1, o->value);
}

/* NAME=VALUE. */
static int take_limit(const cli_command *command, const cli_option *o, const char *argument)
{
    char name[64];
    const char *value = strchr(argument, '=');
    if (!value || value - argument >= (ptrdiff_t)sizeof name)
        return cli_usage(command->name, "--limit '%s' is not NAME=VALUE", argument);
    snprintf(name, sizeof name, "%.*s", (int)(value - argument), argument);
    if (mopd_limits_set(o->value, name, value + 1) == MOPD_OK) return -1;
    return cli_usage(command->name, "--limit: %s", mopd_last_error());
}

static int take(const cli_command *command, const cli_option *o, const char *argument)
{
    if (o->given) *o->given = true;
    switch (o->kind) {
    case CLI_FLAG:
        *(bool *)o->value = true;
        break;
    case CLI_TEXT:
    case CLI_IN:
    case CLI_OUT:
        *(const char **)o->value = argument;
        break;
    case CLI_LIST:
        cli_list_add(o->value, argument);
        break;
    case CLI_UINT:
        if (!parse_uint(argument, o->value))
            return cli_usage(command->name, "--%s '%s' is %s", o->name, argument,
                errno == ERANGE ? "too large for any number here" : "not a whole number, 0 or more");
        return check_limits(command, o, (double)*(uint64_t *)o->value);
    case CLI_REAL:
        if (!parse_real(argument, o->value))
            return cli_usage(command->name, "--%s '%s' is not a number", o->name, argument);
        return check_limits(command, o, *(double *)o->value);
    case CLI_CHOICE:
        return take_choice(command, o, argument);
    case CLI_LIMIT:
        return take_limit(command, o, argument);
    }
    return -1;
}

static int check_common(const cli_command *command, const cli_common *common)
{
    static const char *const formats[] = {"text", "json", "csv"};
    static const char *const precisions[] = {"f32", "bf16", "int8", "auto"};
    static const char *const greys[] = {"cut", "scale"}, *const ways[] = {"exif", "ignore"};
    static const char *const cleanings[] = {"model", "clean", "as-is"};
    int32_t chosen;
    int status = cli_choice(command->name, "format", common->format, formats, 3, &chosen);
    if (status < 0)
        status = cli_choice(command->name, "precision", common->precision, precisions, 4, &chosen);
    if (status < 0) status = cli_choice(command->name, "grey16", common->grey16, greys, 2, &chosen);
    if (status < 0 && common->orientation)
        status = cli_choice(command->name, "orientation", common->orientation, ways, 2, &chosen);
    if (status < 0)
        status = cli_choice(command->name, "text-cleaning", common->text_cleaning, cleanings, 3, &chosen);
    if (status < 0 && common->threads > 1024)
        status =
            cli_usage(command->name, "--threads %llu: at most 1024", (unsigned long long)common->threads);
    if (status < 0 && mopd_runtime_set_limits(&common->limits) != MOPD_OK)
        status = cli_usage(command->name, "--limit: %s", mopd_last_error());
    return status;
}

/* A long option that is none: those that it may be short for, or the nearest. */
static int refuse_long(const cli_command *command, const char *what, const cli_option *all, size_t n)
{
    char word[64], could[256] = "";
    const char *known[MAX_OPTIONS];
    size_t n_could = 0, at = 0;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(what + 2, "="), what + 2);
    for (size_t i = 0; i < n; i++) {
        known[i] = all[i].name;
        if (strncmp(known[i], word, strlen(word)) != 0 || at + strlen(known[i]) + 8 > sizeof could) continue;
        at += (size_t)snprintf(could + at, sizeof could - at, "%s--%s", n_could++ ? ", " : "", known[i]);
    }
    if (n_could) return cli_usage(command->name, "option '--%s' is ambiguous: it may be %s", word, could);
    return cli_usage(command->name, "unknown option '--%s'%s", word, cli_hint("--", word, known, n));
}

/* What getopt_long refuses, in our words. */
static int refuse(const cli_command *command, int code, char **argv, const cli_option *all, size_t n)
{
    const char *what = argv[optind - 1];
    const bool joined =
        !strncmp(what, "--", 2) && strchr(what, '='); /* which mingw-w64 calls lack of an argument */
    if (code == ':' && !joined) return cli_usage(command->name, "option '%s' needs an argument", what);
    if (optopt && optopt < CODE_HELP) return cli_usage(command->name, "unknown option '-%c'", optopt);
    if (optopt) return cli_usage(command->name, "option '%s' takes no argument", what);
    return refuse_long(command, what, all, n);
}

static void fill_getopt(struct option *longs, char *shorts, const cli_option *all, size_t n)
{
    *shorts++ = ':';
    for (size_t i = 0; i < n; i++) {
        bool argument = all[i].kind != CLI_FLAG;
        longs[i] = (struct option){
            all[i].name, argument ? required_argument : no_argument, NULL, CODE_BASE + (int)i};
        if (!all[i].letter) continue;
        *shorts++ = all[i].letter;
        if (argument) *shorts++ = ':';
    }
    *shorts = 0;
}

static const cli_option *find_option(const cli_option *all, size_t n, int code)
{
    if (code >= CODE_BASE) return all + (code - CODE_BASE);
    for (size_t i = 0; i < n; i++) {
        if (all[i].letter == code) return all + i;
    }
    return NULL;
}

/* Goes over all options once.  take_values false: asked for help, which shows defaults, prints it and returns
 * EXIT_DONE; -1 otherwise. */
static int walk(
    const cli_command *command, const cli_option *all, size_t n, bool take_values, int argc, char **argv)
{
    struct option longs[MAX_OPTIONS + 1] = {0};
    char shorts[2 * MAX_OPTIONS + 2];
    fill_getopt(longs, shorts, all, n);
    opterr = 0;
    optind = 1;
    for (int code; optopt = 0, (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const cli_option *o = code == '?' || code == ':' ? NULL : find_option(all, n, code);
        if (!o) return refuse(command, code, argv, all, n);
        bool help = !strcmp(o->name, "help");
        if (help && !take_values) {
            print_help(command, all, n);
            return cli_flush() ? EXIT_DONE : EXIT_FAILED;
        }
        int status = take_values && !help ? take(command, o, optarg) : -1;
        if (status >= 0) return status;
    }
    return -1;
}

int cli_parse(const cli_command *command, cli_common *common, const cli_option *options, int argc,
    char **argv, char ***rest, size_t *n_rest)
{
    *common = (cli_common){.format = "text", .precision = "f32", .grey16 = "cut", .text_cleaning = "model"};
    mopd_limits_init(&common->limits, sizeof common->limits);
    cli_option all[MAX_OPTIONS];
    size_t n = join_tables(all, options, common);
    int status = walk(command, all, n, false, argc, argv);
    if (status < 0) status = walk(command, all, n, true, argc, argv);
    if (status < 0) status = cli_check_paths(command->name, all, n);
    if (status >= 0) return status;
    quiet = common->quiet;
    *rest = argv + optind;
    *n_rest = (size_t)(argc - optind);
    return check_common(command, common);
}

bool cli_is_quiet(void)
{
    return quiet;
}

bool cli_is_json(const cli_common *common)
{
    return !strcmp(common->format, "json");
}

bool cli_is_csv(const cli_common *common)
{
    return !strcmp(common->format, "csv");
}

static bool scales(const cli_common *common)
{
    return !strcmp(common->grey16, "scale");
}

static bool turns(const cli_common *common)
{
    const char *way = common->orientation ? common->orientation : common->usual;
    return !way || !strcmp(way, "exif");
}

static mopd_image_options image_options(const cli_common *common)
{
    mopd_image_options o;
    mopd_image_options_init(&o, sizeof o);
    o.flags = (scales(common) ? MOPD_IMAGE_SCALE_GREY16 : 0) | (turns(common) ? MOPD_IMAGE_UPRIGHT : 0);
    return o;
}

mopd_status cli_open_image(mopd_image **image, const cli_common *common, const char *path)
{
    const mopd_image_options o = image_options(common);
    return mopd_image_open(image, path, &o);
}

mopd_status cli_open_item(
    mopd_image **image, const cli_common *common, const mopd_dataset *data, size_t index)
{
    const mopd_image_options o = image_options(common);
    return mopd_dataset_open_image(image, data, index, &o);
}

static uint32_t cleaning_of(const cli_common *common)
{
    if (!strcmp(common->text_cleaning, "clean")) return MOPD_TEXT_CLEAN;
    return !strcmp(common->text_cleaning, "as-is") ? MOPD_TEXT_AS_IS : 0;
}

/* Weights in panels that are of no use here take the memory and the time that they were made to save. */
static void note_panels(const cli_common *common, const mopd_encoder *encoder)
{
    char *text = NULL;
    if (common->quiet || mopd_encoder_describe(encoder, &text) != MOPD_OK) return;
    json_t *document = json_loads(text, 0, NULL);
    const json_t *panels = json_object_get(document, "panels");
    const char *why = json_string_value(json_object_get(panels, "why"));
    if (why)
        cli_note(common, "%s: its weights lie ready for --precision %s, but are packed in memory: %s",
            common->model, json_string_value(json_object_get(panels, "for")), why);
    json_decref(document);
    mopd_free(text);
}

int cli_open_encoder(mopd_encoder **encoder, const cli_common *common, uint32_t flags)
{
    mopd_encoder_options o;
    mopd_encoder_options_init(&o, sizeof o);
    o.flags = flags | (scales(common) ? MOPD_OPEN_SCALE_GREY16 : 0) |
              (turns(common) ? MOPD_OPEN_UPRIGHT : 0) | cleaning_of(common);
    o.n_threads = (uint32_t)common->threads;
    o.precision = !strcmp(common->precision, "bf16")   ? MOPD_PRECISION_BF16
                  : !strcmp(common->precision, "int8") ? MOPD_PRECISION_INT8
                  : !strcmp(common->precision, "auto") ? MOPD_PRECISION_AUTO
                                                       : MOPD_PRECISION_F32;
    mopd_status st = mopd_encoder_open(encoder, common->model, &o);
    if (st == MOPD_OK && common->model) note_panels(common, *encoder);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}
