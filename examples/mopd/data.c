/* SPDX-License-Identifier: MIT
 * data.c - data sets opened, cut and encoded for the subcommands; predictions counted. */
#include "data.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS_AT_ONCE = 256 };

void cli_note(const cli_common *common, const char *format, ...)
{
    if (common->quiet) return;
    va_list args;
    va_start(args, format);
    fputs("mopd: note: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

json_t *cli_json_text(const char *text)
{
    json_t *json = json_string(text);
    if (json) return json;
    char *plain = cli_strdup(text);
    for (char *p = plain; *p; p++) *p = (unsigned char)*p < 128 ? *p : '?';
    json = json_string(plain);
    free(plain);
    return json;
}

int cli_check_writable(const char *path)
{
    struct stat info;
    if (!path) return -1;
    if (!stat(path, &info) && S_ISDIR(info.st_mode))
        return cli_fail("%s: is a folder, cannot write there", path);
    char *folder = cli_strdup(path), *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = 0;
    int status = -1;
    if (access(slash ? folder : ".", W_OK | X_OK))
        status = cli_fail("%s: cannot write there: %s", path, strerror(errno));
    free(folder);
    return status;
}

int cli_data_open(mopd_dataset **out, const cli_data *data, const char *command)
{
    if (!data->path) return cli_usage(command, "no data: give -d DATA");
    mopd_dataset_options options;
    mopd_dataset_options_init(&options, sizeof options);
    options.root = data->pictures;
    mopd_status st = mopd_dataset_open(out, data->path, &options);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

int cli_data_select(mopd_dataset **out, const mopd_dataset *from, const mopd_selection *selection)
{
    mopd_status st = mopd_dataset_select(out, from, selection);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

typedef struct watcher {
    const cli_common *common;
    cli_data *data;
    cli_progress progress;
} watcher;

static int watch(void *context, size_t done, size_t total, const char *bad_path, const char *message)
{
    watcher *w = context;
    (void)total;
    if (bad_path) {
        w->data->n_bad++;
        cli_progress_end(&w->progress);
        fprintf(stderr, "mopd: skipped: %s\n", message);
    }
    cli_progress_update(&w->progress, done);
    return cli_interrupted();
}

int cli_data_encode(mopd_dataset **out, const mopd_dataset *from, const mopd_dataset *known,
    const mopd_encoder *encoder, const mopd_encode_options *options, const cli_common *common, cli_data *data)
{
    watcher w = {.common = common, .data = data};
    mopd_encode_options o = *options;
    mopd_dataset_info info = cli_data_info(from);
    o.fn = watch;
    o.context = &w;
    if (data->skip_bad) o.flags |= MOPD_ENCODE_SKIP_BAD;
    cli_progress_start(&w.progress, common, "encode", (size_t)info.n_items);
    mopd_status st = mopd_dataset_encode(out, from, known, encoder, &o);
    cli_progress_end(&w.progress);
    if (data->n_bad && st == MOPD_OK) cli_note(common, "%zu unreadable pictures left out", data->n_bad);
    if (st == MOPD_E_MISMATCH) return cli_fail("%s: %s", data->path, mopd_last_error());
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

mopd_dataset_info cli_data_info(const mopd_dataset *data)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_dataset_get_info(data, &info);
    return info;
}

float *cli_data_features(const mopd_dataset *data, size_t first, size_t n)
{
    mopd_dataset_info info = cli_data_info(data);
    float *features = cli_alloc((size_t)info.n_items * n, info.dim * sizeof(float));
    if (mopd_dataset_gather(data, first, n, features) == MOPD_OK) return features;
    free(features);
    return NULL;
}

int cli_parse_split(const char *text, int32_t *split, const char *command)
{
    static const char *const names[] = {"train", "val", "test"};
    for (int32_t i = 0; i < 3; i++) {
        if (strcmp(text, names[i])) continue;
        *split = i;
        return -1;
    }
    return cli_usage(command, "--split '%s' is none of train, val, test", text);
}

int cli_parse_subset(const char *text, int32_t *subset, const char *command)
{
    static const char *const names[] = {"all", "base", "new"};
    for (int32_t i = 0; i < 3; i++) {
        if (strcmp(text, names[i])) continue;
        *subset = i;
        return -1;
    }
    return cli_usage(command, "--subset '%s' is none of base, new, all", text);
}

mopd_status cli_bank_logits(const void *bank, const float *features, size_t n, float *logits)
{
    return mopd_bank_logits(bank, features, n, logits);
}

mopd_status cli_gda_logits(const void *gda, const float *features, size_t n, float *logits)
{
    return mopd_gda_logits(gda, features, n, logits);
}

static int32_t largest(const float *row, size_t n)
{
    size_t best = 0;
    for (size_t c = 1; c < n; c++) best = row[c] > row[best] ? c : best;
    return (int32_t)best;
}

mopd_status cli_score_run(cli_score *score, cli_logits_fn logits, const void *context,
    const cli_samples *samples, int32_t *predicted)
{
    size_t c = samples->n_classes;
    float *block = cli_alloc(ROWS_AT_ONCE * c, sizeof *block);
    *score = (cli_score){.n_classes = c, .metrics.struct_size = sizeof score->metrics};
    score->confusion = cli_alloc(c * c, sizeof *score->confusion);
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < samples->n && st == MOPD_OK; i += ROWS_AT_ONCE) {
        size_t n = samples->n - i < ROWS_AT_ONCE ? samples->n - i : ROWS_AT_ONCE;
        st = logits(context, samples->features + i * samples->dim, n, block);
        if (st == MOPD_OK) st = mopd_confusion_add(score->confusion, c, block, samples->labels + i, n);
        for (size_t k = 0; st == MOPD_OK && predicted && k < n; k++)
            predicted[i + k] = largest(block + k * c, c);
    }
    free(block);
    return st == MOPD_OK ? mopd_confusion_get_metrics(score->confusion, c, &score->metrics) : st;
}

uint64_t cli_score_class(const cli_score *score, size_t c, uint64_t *correct)
{
    const uint32_t *row = score->confusion + c * score->n_classes;
    uint64_t n = 0;
    for (size_t k = 0; k < score->n_classes; k++) n += row[k];
    *correct = row[c];
    return n;
}

void cli_score_free(cli_score *score)
{
    free(score->confusion);
    score->confusion = NULL;
}

static int compare_pairs(const void *a, const void *b)
{
    const cli_pair *x = a, *y = b;
    if (x->n != y->n) return x->n > y->n ? -1 : 1;
    if (x->is != y->is) return x->is < y->is ? -1 : 1;
    return (x->said > y->said) - (x->said < y->said);
}

cli_pair *cli_score_pairs(const cli_score *score, size_t most, size_t *n)
{
    size_t c = score->n_classes, n_all = 0;
    for (size_t i = 0; i < c * c; i++) n_all += i / c != i % c && score->confusion[i];
    cli_pair *pair = cli_alloc(n_all, sizeof *pair);
    size_t at = 0;
    for (size_t i = 0; i < c * c; i++) {
        if (i / c != i % c && score->confusion[i]) pair[at++] = (cli_pair){i / c, i % c, score->confusion[i]};
    }
    qsort(pair, n_all, sizeof *pair, compare_pairs);
    *n = n_all < most ? n_all : most;
    return pair;
}
