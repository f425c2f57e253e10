/* SPDX-License-Identifier: MIT
 * pictures.c - files and folders, or a data set whose features may be there already. */
#include "pictures.h"

#include <stdlib.h>
#include <string.h>

#include "sys.h"

/* Whether a file begins as a store does: the length of a header in 8 bytes, the last of which are zero, and a brace. */
static bool is_store(const char *path)
{
    unsigned char head[9];
    return cli_file_head(path, head, sizeof head) == sizeof head && !memcmp(head + 4, "\0\0\0\0{", 5);
}

static void list_files(cli_list *files, const mopd_dataset *data)
{
    mopd_item item = {.struct_size = sizeof item};
    for (size_t i = 0; mopd_dataset_get_item(data, i, &item) == MOPD_OK; i++) cli_list_add(files, item.file);
}

/* The end of a path and of a folder's name come before any byte. */
static int order_of(unsigned char c)
{
    return c == '/' ? 1 : c ? c + 1 : 0;
}

/* Paths in the order in which one walks. */
static int by_name(const void *a, const void *b)
{
    const unsigned char *x = *(const unsigned char *const *)a, *y = *(const unsigned char *const *)b;
    while (*x && *x == *y) x++, y++;
    return order_of(*x) - order_of(*y);
}

static bool list_folder(cli_list *files, const char *path)
{
    const size_t before = files->n;
    mopd_dataset *data = NULL;
    mopd_dataset_options options;
    mopd_dataset_options_init(&options, sizeof options);
    options.flags = MOPD_DATASET_UNLABELLED;
    cli_interrupt_ends(true); /* it may be large, and on a slow disk */
    const mopd_status st = mopd_dataset_open(&data, path, &options);
    cli_interrupt_ends(false);
    if (st != MOPD_OK) return cli_fail_status(st), false;
    list_files(files, data);
    qsort(files->item + before, files->n - before, sizeof *files->item, by_name);
    cli_remarks_passed(data);
    mopd_dataset_close(data);
    return true;
}

static void add_file(void *list, const char *path)
{
    cli_list_add(list, path);
}

bool cli_list_pictures(cli_list *list, const char *path)
{
    const size_t before = list->n;
    if (sys_kind_of(path) == SYS_FOLDER) return list_folder(list, path);
    if (sys_each_match(path, add_file, list))
        qsort(list->item + before, list->n - before, sizeof *list->item, by_name);
    else
        cli_list_add(list, path); /* what cannot be read is reported when its turn comes */
    return true;
}

int cli_pictures_open(
    cli_pictures *pictures, cli_data *data, char **arguments, size_t n_arguments, const char *command)
{
    if (data->path && n_arguments)
        return cli_usage(command, "'%s' beside -d %s: name pictures or data", arguments[0], data->path);
    if (n_arguments == 1 && is_store(arguments[0])) data->path = arguments[0];
    if (!data->path && !n_arguments) return cli_usage(command, "no pictures");
    data->may_lack_labels = true;
    if (!data->path && (data->names || data->pictures))
        return cli_usage(command, "--%s goes with -d DATA", data->names ? "names" : "pictures");
    if (data->path) {
        int status = cli_data_open(&pictures->data, data, command);
        if (status < 0) list_files(&pictures->files, pictures->data);
        return status;
    }
    for (size_t i = 0; i < n_arguments; i++) {
        if (!cli_list_pictures(&pictures->files, arguments[i])) return EXIT_FAILED;
    }
    return -1;
}

int cli_pictures_ready(
    cli_pictures *pictures, cli_data *data, const mopd_encoder *encoder, const cli_common *common)
{
    if (!pictures->data) return -1;
    mopd_dataset *encoded = NULL;
    mopd_encode_options options;
    mopd_encode_options_init(&options, sizeof options);
    int status = cli_data_encode(&encoded, pictures->data, NULL, encoder, &options, common, data);
    if (status < 0) {
        cli_list_free(&pictures->files);
        list_files(&pictures->files, encoded);
        mopd_dataset_close(pictures->data);
        pictures->data = encoded;
    } else {
        mopd_dataset_close(encoded);
    }
    if (status < 0 && cli_data_info(pictures->data).augmented)
        cli_note(common, "%s: the features of training pictures are those of random crops", data->path);
    return status;
}

mopd_status cli_pictures_each(
    const cli_pictures *pictures, const mopd_encoder *encoder, mopd_encoded_fn fn, void *context)
{
    const cli_list *files = &pictures->files;
    if (!pictures->data)
        return mopd_encoder_encode_files(encoder, (const char *const *)files->item, files->n, fn, context);
    for (size_t i = 0; i < files->n; i++) {
        if (fn(context, i, MOPD_OK, NULL, mopd_dataset_feature(pictures->data, i, 0)))
            return MOPD_E_CANCELLED;
    }
    return MOPD_OK;
}

void cli_pictures_close(cli_pictures *pictures)
{
    mopd_dataset_close(pictures->data);
    cli_list_free(&pictures->files);
    pictures->data = NULL;
}
