/* SPDX-License-Identifier: MIT
 * cmd_encode.c - mopd encode: features of pictures or texts as a .npy file, n x D float32, rows of length 1. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const cli_command command = {"encode", "(--image FILE... | --text TEXT... | --text-file F) -o OUT.npy",
    "Writes features of pictures or texts, n x D float32, rows of length 1.",
    "  mopd encode --image a.jpg b.png -o images.npy\n"
    "  mopd encode --text \"a photo of a cat.\" \"a photo of a dog.\" -o texts.npy\n"};

typedef struct job {
    float *features;
    size_t dim;
    mopd_status failed;
    cli_progress progress;
} job;

static int encoded(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    job *j = context;
    if (status != MOPD_OK) {
        cli_progress_end(&j->progress);
        cli_fail("%s", message);
        j->failed = status;
        return 1;
    }
    memcpy(j->features + index * j->dim, feature, j->dim * sizeof *feature);
    cli_progress_update(&j->progress, index + 1);
    return cli_interrupted();
}

static int encode_images(
    job *j, const cli_common *common, const mopd_encoder *encoder, const cli_list *images)
{
    cli_progress_start(&j->progress, common, "encode", images->n);
    mopd_status st =
        mopd_encoder_encode_files(encoder, (const char *const *)images->item, images->n, encoded, j);
    cli_progress_end(&j->progress);
    if (j->failed) return EXIT_FAILED;
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

static int encode_texts(job *j, const mopd_encoder *encoder, const cli_list *texts)
{
    cli_interrupt_ends(true);
    mopd_status st =
        mopd_encoder_encode_texts(encoder, (const char *const *)texts->item, texts->n, j->features);
    cli_interrupt_ends(false);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

static int report(const cli_common *common, const char *out, size_t n, size_t dim)
{
    if (cli_is_json(common)) {
        cli_print_json(json_pack("{s:s, s:I, s:I}", "path", out, "n", (json_int_t)n, "dim", (json_int_t)dim));
    } else if (!common->quiet) {
        printf("%s: %zu x %zu\n", out, n, dim);
    }
    return cli_flush() ? EXIT_DONE : EXIT_FAILED;
}

static int run(const cli_common *common, const cli_list *images, const cli_list *texts, const char *out)
{
    mopd_encoder *encoder;
    if (!cli_open_encoder(&encoder, common, 0)) return EXIT_FAILED;
    mopd_encoder_info info = {.struct_size = sizeof info};
    mopd_encoder_get_info(encoder, &info);
    size_t shape[2] = {images->n ? images->n : texts->n, info.dim};
    job j = {.dim = info.dim, .features = cli_alloc(shape[0] * shape[1], sizeof(float))};
    int status = images->n ? encode_images(&j, common, encoder, images) : encode_texts(&j, encoder, texts);
    if (status < 0) {
        mopd_status st = mopd_array_save(out, j.features, shape, 2);
        status = st == MOPD_OK ? report(common, out, shape[0], shape[1]) : cli_fail_status(st);
    }
    free(j.features);
    mopd_encoder_close(encoder);
    return status;
}

int cmd_encode(int argc, char **argv)
{
    cli_common common;
    cli_list given_images = {0}, images = {0}, texts = {0};
    const char *text_file = NULL, *out = NULL;
    const cli_option options[] = {
        {"image", 0, CLI_LIST, &given_images, "FILE", "picture or folder; those that follow belong to it",
            NULL},
        {"text", 0, CLI_LIST, &texts, "TEXT", "text; those that follow belong to it", NULL},
        {"text-file", 0, CLI_TEXT, &text_file, "FILE", "texts, one a line", NULL},
        {"output", 'o', CLI_TEXT, &out, "OUT.npy", "where to write", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &common, options, argc, argv, &rest, &n_rest);
    int kinds = (given_images.n > 0) + (texts.n > 0) + (text_file != NULL);
    if (status < 0 && kinds != 1)
        status = cli_usage(command.name, "give one of --image, --text, --text-file");
    if (status < 0 && !out) status = cli_usage(command.name, "no -o OUT.npy");
    if (status < 0 && text_file && n_rest) status = cli_usage(command.name, "'%s' is left over", rest[0]);
    for (size_t i = 0; status < 0 && i < n_rest; i++)
        cli_list_add(given_images.n ? &given_images : &texts, rest[i]);
    if (status < 0 && text_file && !cli_list_file(&texts, text_file)) status = EXIT_FAILED;
    for (size_t i = 0; status < 0 && i < given_images.n; i++) {
        if (!cli_list_pictures(&images, given_images.item[i])) status = EXIT_FAILED;
    }
    if (status < 0 && !images.n && !texts.n) status = cli_fail("%s: no texts", text_file);
    if (status < 0) status = run(&common, &images, &texts, out);
    cli_list_free(&given_images);
    cli_list_free(&images);
    cli_list_free(&texts);
    return status;
}
