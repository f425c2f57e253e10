/* SPDX-License-Identifier: MIT
 * cli.h - what the subcommands of `mopd` share: options, errors, lists, tables, JSON, progress, Ctrl-C.
 *
 * A subcommand is int run(int argc, char **argv) with argv[0] its own name; it returns the exit status. */
#ifndef MOPD_CLI_H
#define MOPD_CLI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "mopd/mopd.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* What mingw-w64 calls "printf" is without C99. */
#ifdef __MINGW32__
#define CLI_FORMAT(nth, first) __attribute__((format(gnu_printf, nth, first)))
#else
#define CLI_FORMAT(nth, first) __attribute__((format(printf, nth, first)))
#endif

/* -- errors ------------------------------------------------------------------------------------------------- */

/* "mopd: error: ..." on stderr, one line of UTF-8 whatever the names in it are; returns EXIT_FAILED, or EXIT_USAGE for
 * the second. */
int cli_fail(const char *format, ...) CLI_FORMAT(1, 2);
int cli_usage(const char *command, const char *format, ...) CLI_FORMAT(2, 3);

/* The known word that `word` is a slip or a few away from, NULL when there is none; and the same as a part of a message,
 * " (did you mean '--word'?)" with dashes "--", or "", which lasts until the next call. */
const char *cli_nearest(const char *word, const char *const *known, size_t n);
const char *cli_hint(const char *dashes, const char *word, const char *const *known, size_t n);

/* The same for a method's name. */
const char *cli_method_hint(const char *word);

/* "mopd: note: " and a remark on stderr, unless --quiet. */
struct cli_common;
void cli_note(const struct cli_common *common, const char *format, ...) CLI_FORMAT(2, 3);

/* "mopd: skipped: " and why. */
void cli_skipped(const char *message);

/* What all of them do: "mopd: kind: text ending", the text quoted. */
void cli_say(const char *kind, const char *ending, const char *format, va_list args) CLI_FORMAT(3, 0);

/* Reports the library's last error: EXIT_FAILED, or EXIT_INTERRUPTED for MOPD_E_CANCELLED (silent). */
int cli_fail_status(mopd_status status);

/* From now on Ctrl-C (and SIGTERM) only raise a flag, which also stops what is being opened. */
void cli_catch_interrupt(void);

/* True once Ctrl-C was pressed; a second press ends the program at once. */
bool cli_interrupted(void);

/* Around calls that take long, cannot be stopped and have nothing to lose: while set, the first press ends the
 * program at once, and so does one that came before. */
void cli_interrupt_ends(bool ends);

/* -- lists of texts ----------------------------------------------------------------------------------------- */

typedef struct cli_list {
    char **item;
    size_t n;
} cli_list;

/* Memory is short: says so and exits 1.  The command has nothing to lose then. */
void *cli_alloc(size_t n, size_t size);
char *cli_strdup(const char *text);
void cli_list_add(cli_list *list, const char *text);
void cli_list_free(cli_list *list);

/* The first bytes of a regular file, n at most; how many: 0 for what cannot be read and for pipes, which are not waited for. */
size_t cli_file_head(const char *path, void *head, size_t n);

/* Adds "a,b,c" split at commas, spaces around each trimmed; empty parts stay, for the library to refuse. */
void cli_list_split(cli_list *list, const char *text);

/* Adds the non-empty lines of a regular file ("-": standard input) of UTF-8, or all of them; false after reporting
 * what it is instead, or which line holds what no text does. */
bool cli_list_file(cli_list *list, const char *path);
bool cli_list_lines(cli_list *list, const char *path);

/* Adds path, or every picture below it in byte order when it is a folder; false after reporting. */
bool cli_list_pictures(cli_list *list, const char *path);

/* -- options ------------------------------------------------------------------------------------------------ */

/* CLI_IN: a text, the path of a file or folder that is read; CLI_OUT: of a file that is written. */
typedef enum cli_kind {
    CLI_FLAG,
    CLI_TEXT,
    CLI_IN,
    CLI_OUT,
    CLI_LIST,
    CLI_UINT,
    CLI_REAL,
    CLI_CHOICE,
    CLI_LIMIT
} cli_kind;

typedef struct cli_option {
    const char *name; /* long name without "--" */
    char letter;      /* 0: none */
    cli_kind
        kind; /* bool *, const char ** (three times), cli_list *, uint64_t *, double *, int32_t *, mopd_limits * */
    void *value;     /* holds the default before the call */
    const char *arg; /* name of the argument in help */
    const char *
        help; /* one line; NULL: the library's setting of this name says what it does, its default and limits */
    bool *given; /* set when the option was there; may be NULL */
} cli_option;

/* The library's setting of this name, where "top-k" stands for top_k; false when it has none. */
bool cli_setting(const char *name, mopd_setting *setting);

/* Prints an option's line of --help: what it does, its default and its limits. */
void cli_print_option(const cli_option *option);

typedef struct cli_common {
    const char *model;     /* NULL: built-in */
    const char *format;    /* "text", "json" or "csv" */
    const char *precision; /* "f32", "bf16", "int8" or "auto" */
    const char *grey16;    /* "cut" or "scale" */
    const char
        *orientation;  /* "exif" or "ignore"; NULL: what the store says that is read, else what follows */
    const char *usual; /* what a recogniser says; NULL: "exif" */
    const char *text_cleaning; /* "model", "clean" or "as-is" */
    uint64_t threads;
    mopd_limits limits; /* of files */
    bool quiet;
} cli_common;

typedef struct cli_command {
    const char *name;
    const char *usage;    /* "[options] IMAGE..." */
    const char *summary;  /* one line, also in the list of commands */
    const char *examples; /* lines, each indented by two */
} cli_command;

/* Parses argv against the command's options (ended by {0}) and the common ones.  Returns -1 to go on, else the
 * exit status.  *rest and *n_rest are the arguments that are no options. */
int cli_parse(const cli_command *command, cli_common *common, const cli_option *options, int argc,
    char **argv, char ***rest, size_t *n_rest);

/* *value = which of the n known words the text of an option is: -1 to go on, else wrong usage that lists them. */
int cli_choice(const char *command, const char *option, const char *text, const char *const *known, size_t n,
    int32_t *value);

/* What the paths of options must be: none is empty; no file is written over one that is read, over another that is
 * written or over a picture.  -1 to go on, else the exit status. */
int cli_check_paths(const char *command, const cli_option *options, size_t n);

/* The file that an option is to write is not the one that is read at `path`: -1, else the exit status. */
int cli_check_apart(const char *option, const char *written, const char *path);

/* Arguments beside the options of a command that takes none: -1 where there are none, else wrong usage.  data: what -d
 * names, NULL where it was not given. */
int cli_no_arguments(const char *command, char **rest, size_t n_rest, const char *data);

/* --quiet was given: no remarks on standard error. */
bool cli_is_quiet(void);

/* "json"/"csv" chosen? */
bool cli_is_json(const cli_common *common);
bool cli_is_csv(const cli_common *common);

/* Opens the model that the common options name: -1, else the exit status after reporting. */
int cli_open_encoder(mopd_encoder **encoder, const cli_common *common, uint32_t flags);

/* Opens a picture as the common options say; one of a data set, where its file is still the one that was encoded. */
mopd_status cli_open_image(mopd_image **image, const cli_common *common, const char *path);
mopd_status cli_open_item(
    mopd_image **image, const cli_common *common, const mopd_dataset *data, size_t index);

/* -- output ------------------------------------------------------------------------------------------------- */

/* Prints a JSON document and a line end on stdout and frees it; numbers carry 9 digits. */
void cli_print_json(json_t *document);

/* A real JSON number that is short for a float: 0.93, not 0.93000000715. */
json_t *cli_json_float(float x);

/* A JSON text.  Bytes that are no UTF-8 become \xe9 in it, and the document's "bytes" has the true ones beside it. */
json_t *cli_json_text(const char *text);
void cli_json_add_bytes(json_t *document);

/* A name or text of others for a line that people read: what a terminal obeys is quoted.  Valid for the next seven calls. */
const char *cli_shown(const char *text);

/* Bytes of the character of UTF-8 that a text begins with; 0: it begins with none. */
size_t cli_utf8_bytes(const char *text);

/* Writes what body prints as the file at path, whole or not at all: -1, else the exit status after reporting. */
int cli_write_file(const char *path, void (*body)(FILE *f, const void *context), const void *context);

/* One field of a CSV line, quoted where RFC 4180 asks for it: printed, or written to a file. */
void cli_csv_field(const char *text, bool last);
void cli_csv_write(FILE *f, const char *text, bool last);

/* A table on stdout: columns separated by two spaces, numbers (cells that start with a digit or minus) to the right. */
typedef struct cli_table cli_table;
cli_table *cli_table_new(size_t n_columns, const char *const *heads);
void cli_table_cell(cli_table *table, const char *format, ...) CLI_FORMAT(2, 3);
void cli_table_print_free(cli_table *table);

/* Flushes stdout; false after reporting that it cannot be written (full disk, closed pipe). */
bool cli_flush(void);

/* -- remarks ------------------------------------------------------------------------------------------------ */

/* What the library remarks on a data set, of each kind once: on standard error unless --quiet, and in the JSON.  labels:
 * somebody is going to use them. */
void cli_remarks_tell(const mopd_dataset *data, bool labels);

/* Words of class names that the model's vocabulary spells letter by letter; once. */
void cli_remarks_letters(const mopd_encoder *encoder, const char *const *names, size_t n);

/* A remark of mopd_encoder_encode_files on a picture that it could read; "" and all but the first are nothing. */
void cli_remarks_file(const char *path, const char *message);

/* Tells what the walk through one of several folders passed over. */
void cli_remarks_passed(const mopd_dataset *data);

/* Something may not be read in a folder that was walked: told, and the exit status is not 0. */
bool cli_remarks_left_out(void);

/* "remarks" of what was told, if anything was. */
void cli_remarks_add(json_t *document);

/* -- progress ----------------------------------------------------------------------------------------------- */

/* A bar on stderr when it is a terminal, a line every few seconds when it is none; nothing with --quiet.  total 0: a
 * count without an end.  MOPD_PROGRESS in the environment: seconds between the lines, 0 for none. */
typedef struct cli_progress {
    const char *label;
    size_t total;
    bool shown;
    double lines; /* seconds between two, 0: none */
    double start, drawn;
    struct {
        double seconds;
        size_t done;
    } mark[2]; /* where the speed is measured from, and where it will be next */
} cli_progress;

void cli_progress_start(cli_progress *progress, const cli_common *common, const char *label, size_t total);
void cli_progress_update(cli_progress *progress, size_t done);
void cli_progress_end(cli_progress *progress);

/* Seconds of a clock that only runs forward. */
double cli_seconds(void);

/* -- classes and templates, shared by several commands ------------------------------------------------------ */

typedef struct cli_prompts {
    const char *classes;       /* --classes "a,b" */
    const char *class_file;    /* --class-file */
    cli_list templates;        /* --template, repeated */
    const char *template_file; /* --template-file */
    const char *templates_for; /* --templates-for */
    cli_list class_list;       /* filled by cli_prompts_read */
} cli_prompts;

/* Gathers class names (giving none is wrong usage) or templates: -1 to go on, else the exit status. */
int cli_prompts_classes(cli_prompts *prompts, const char *command);
int cli_prompts_templates(cli_prompts *prompts);
void cli_prompts_free(cli_prompts *prompts);

/* The options of templates, into a cli_prompts; what one of them is, and what many are called. */
#define CLI_ONE_PROMPT "prompt with {} for the class"
#define CLI_TEMPLATE_OPTIONS(prompts, one, many)                                                             \
    {"template", 0, CLI_LIST, &(prompts).templates, "TEXT", one, NULL},                                      \
        {"template-file", 0, CLI_IN, &(prompts).template_file, "FILE", many ", one a line", NULL},           \
    {                                                                                                        \
        "templates-for", 0, CLI_TEXT, &(prompts).templates_for, "NAME",                                      \
            "the twelve " many " of a task: imagenet, dtd ...", NULL                                         \
    }

/* -- learned prompts, shared by several commands ------------------------------------------------------------- */

/* How long a prompt is learned: by --epochs or by --steps. */
typedef struct cli_length {
    uint64_t epochs, steps;
    bool epochs_given, steps_given;
} cli_length;

#define CLI_LENGTH_OPTIONS(length)                                                                           \
    {"epochs", 0, CLI_UINT, &(length).epochs, "N", NULL, &(length).epochs_given},                            \
    {                                                                                                        \
        "steps", 0, CLI_UINT, &(length).steps, "N", NULL, &(length).steps_given                              \
    }

/* Into the options of a training: -1 to go on, else EXIT_USAGE. */
int cli_take_length(mopd_trainer_options *options, const cli_length *length, const char *command);

/* The templates into the same options.  Nobody who gives one template has to know how many the method keeps: with fewer
 * templates than that, all are kept, unless --top-k was given. */
void cli_take_templates(mopd_trainer_options *options, const cli_list *templates, bool top_k_given);

/* A remark on what --auto chose; whose: "seed 1: "; length: the epochs too. */
void cli_note_chosen(
    const cli_common *common, const char *whose, const mopd_trainer_options *options, bool length);

/* How far classes that a learned prompt was not trained on take its context. */
#define CLI_UNSEEN 0.5
#define CLI_UNSEEN_HELP "how far classes that were not trained on take the learned context, 0 to 1"

/* -1 for a share from 0 to 1, else EXIT_USAGE. */
int cli_check_unseen(double share, const char *command);

/* -- the subcommands ---------------------------------------------------------------------------------------- */

int cmd_bench(int argc, char **argv);
int cmd_bench_new(int argc, char **argv);
int cmd_bench_shots(int argc, char **argv);
int cmd_classify(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_encode(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_features(int argc, char **argv);
int cmd_fit(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_models(int argc, char **argv);
int cmd_pack(int argc, char **argv);
int cmd_preprocess(int argc, char **argv);
int cmd_search(int argc, char **argv);
int cmd_suggest(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);
int cmd_train(int argc, char **argv);

#endif
