/* SPDX-License-Identifier: MIT
 * data.c - data sets opened, cut and encoded for the subcommands. */
#include "data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

int cli_check_writable(const char *path)
{
    const mopd_status st = path ? mopd_file_check(path) : MOPD_OK;
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

/* The folder of --pictures, which nothing else may need to look at. */
static int check_pictures(const cli_data *data)
{
    const sys_kind kind = data->pictures ? sys_kind_of(data->pictures) : SYS_FOLDER;
    if (kind == SYS_NOTHING) return cli_fail("--pictures %s: %s", data->pictures, sys_error_text(errno));
    return kind == SYS_FOLDER ? -1 : cli_fail("--pictures %s: is no folder", data->pictures);
}

/* Reports why data does not open; that --unlabelled takes it, where the command has that and it does. */
static int fail_open(const cli_data *data, mopd_dataset_options options, mopd_status st)
{
    mopd_dataset *taken = NULL;
    if (st != MOPD_E_FORMAT || !data->hint || data->names) return cli_fail_status(st);
    char *message = cli_strdup(mopd_last_error());
    options.flags = MOPD_DATASET_UNLABELLED;
    options.names = NULL;
    const bool takes = mopd_dataset_open(&taken, data->path, &options) == MOPD_OK;
    const int status = cli_fail("%s%s%s", message, takes ? "; " : "", takes ? data->hint : "");
    mopd_dataset_close(taken);
    free(message);
    return status;
}

int cli_data_open(mopd_dataset **out, const cli_data *data, const char *command)
{
    if (!data->path) return cli_usage(command, "no data: give -d DATA");
    int status = check_pictures(data);
    if (status >= 0) return status;
    mopd_dataset_options options;
    mopd_dataset_options_init(&options, sizeof options);
    options.root = data->pictures;
    options.names = data->names;
    if (data->may_lack_labels)
        options.flags = data->unlabelled ? MOPD_DATASET_UNLABELLED : MOPD_DATASET_MAY_LACK_LABELS;
    cli_interrupt_ends(true); /* a folder may be large, and on a slow disk */
    mopd_status st = mopd_dataset_open(out, data->path, &options);
    cli_interrupt_ends(false);
    if (st != MOPD_OK) return fail_open(data, options, st);
    if (data->may_lack_labels || !cli_data_info(*out).unlabelled) {
        cli_remarks_tell(*out, !data->may_lack_labels);
        return -1;
    }
    mopd_dataset_close(*out);
    *out = NULL;
    return cli_fail(
        "%s: the pictures have no labels: mopd %s needs a folder for each class, or a list with a "
        "column 'label'",
        data->path, command);
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
    if (bad_path && w->data->bad) {
        cli_list_add(w->data->bad, message);
    } else if (bad_path) {
        w->data->n_bad++;
        cli_progress_end(&w->progress);
        cli_skipped(message);
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
    if (data->skip_bad || data->bad) o.flags |= MOPD_ENCODE_SKIP_BAD;
    cli_progress_start(&w.progress, common, "encode", (size_t)info.n_items);
    mopd_status st = mopd_dataset_encode(out, from, known, encoder, &o);
    cli_progress_end(&w.progress);
    const bool tells = st == MOPD_OK && !data->bad;
    if (tells) cli_remarks_tell(*out, !data->may_lack_labels);
    if (tells && !data->may_lack_labels)
        cli_remarks_letters(encoder, mopd_dataset_class_names(*out), cli_data_info(*out).n_classes);
    if (data->n_bad && st == MOPD_OK) cli_note(common, "%zu unreadable pictures left out", data->n_bad);
    if (st == MOPD_E_MISMATCH) return cli_fail("%s: %s", data->path, mopd_last_error());
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

int cli_data_open_encoder(mopd_encoder **encoder, const mopd_dataset *store, cli_common *common)
{
    const mopd_dataset_info info = cli_data_info(store);
    const char *its = info.upright ? "exif" : "ignore";
    if (info.dim && common->orientation && strcmp(common->orientation, its) != 0)
        return cli_fail("--orientation %s: the store's pictures were read with %s", common->orientation, its);
    if (info.dim) common->orientation = its;
    return cli_open_encoder(encoder, common, 0);
}

int cli_data_open_encoded(
    mopd_dataset **out, mopd_encoder **encoder, cli_data *data, cli_common *common, const char *command)
{
    mopd_dataset *listed = NULL;
    mopd_encode_options options;
    mopd_encode_options_init(&options, sizeof options);
    int status = cli_data_open(&listed, data, command);
    if (status < 0) status = cli_data_open_encoder(encoder, listed, common);
    if (status < 0) status = cli_data_encode(out, listed, NULL, *encoder, &options, common, data);
    mopd_dataset_close(listed);
    return status;
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
    return cli_choice(command, "split", text, names, 3, split);
}

int cli_parse_subset(const char *text, int32_t *subset, const char *command)
{
    static const char *const names[] = {"all", "base", "new"};
    return cli_choice(command, "subset", text, names, 3, subset);
}
