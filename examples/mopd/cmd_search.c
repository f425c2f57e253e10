/* SPDX-License-Identifier: MIT
 * cmd_search.c - mopd search: the pictures of a feature store that are nearest to a text or to a picture. */
#include "data.h"

#include <stdlib.h>

static const cli_command command = {"search", "-d STORE (--text TEXT | --image FILE) [options]",
    "Finds the pictures of a feature store that are nearest to a text or to another picture.",
    "  mopd features -d photos/ --unlabelled -o photos.safetensors\n"
    "  mopd search -d photos.safetensors --text \"a boat at sunset\"\n"
    "  mopd search -d photos.safetensors --image boat.jpg --top 3 --format json\n"};

typedef struct job {
    cli_common common;
    cli_data data;
    const char *text, *image;
    uint64_t top;
} job;

typedef struct hit {
    size_t index;
    double cosine;
} hit;

/* The feature of what is looked for. */
static mopd_status encode_query(const job *j, const mopd_encoder *encoder, float *feature)
{
    if (j->text) return mopd_encoder_encode_texts(encoder, &j->text, 1, feature);
    mopd_image *image;
    mopd_status st = cli_open_image(&image, &j->common, j->image);
    if (st != MOPD_OK) return st;
    st = mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, feature);
    mopd_image_close(image);
    return st;
}

static int by_cosine(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    if (x->cosine != y->cosine) return x->cosine > y->cosine ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* All pictures, the nearest first; to be freed. */
static hit *rank(const mopd_dataset *data, const float *query, size_t n, size_t dim)
{
    hit *hits = cli_alloc(n, sizeof *hits);
    for (size_t i = 0; i < n; i++) {
        const float *feature = mopd_dataset_feature(data, i, 0);
        hits[i].index = i;
        for (size_t k = 0; k < dim; k++) hits[i].cosine += (double)query[k] * (double)feature[k];
    }
    qsort(hits, n, sizeof *hits, by_cosine);
    return hits;
}

static void show_json(const mopd_dataset *data, const hit *hits, size_t n)
{
    json_t *results = json_array();
    mopd_item item = {.struct_size = sizeof item};
    for (size_t i = 0; i < n; i++) {
        mopd_dataset_get_item(data, hits[i].index, &item);
        json_array_append_new(
            results, json_pack("{s:o, s:o, s:o}", "path", cli_json_text(item.path), "cosine",
                         cli_json_float((float)hits[i].cosine), "file", cli_json_text(item.file)));
    }
    cli_print_json(json_pack("{s:o}", "results", results));
}

static void show_csv(const mopd_dataset *data, const hit *hits, size_t n)
{
    mopd_item item = {.struct_size = sizeof item};
    fputs("rank,path,cosine,file\r\n", stdout);
    for (size_t i = 0; i < n; i++) {
        mopd_dataset_get_item(data, hits[i].index, &item);
        printf("%zu,", i + 1);
        cli_csv_field(item.path, false);
        printf("%.9g,", hits[i].cosine);
        cli_csv_field(item.file, true);
    }
}

static void show_text(const mopd_dataset *data, const hit *hits, size_t n)
{
    static const char *const heads[] = {"cosine", "picture"};
    cli_table *table = cli_table_new(2, heads);
    mopd_item item = {.struct_size = sizeof item};
    for (size_t i = 0; i < n; i++) {
        mopd_dataset_get_item(data, hits[i].index, &item);
        cli_table_cell(table, "%.4f", hits[i].cosine);
        cli_table_cell(table, "%s", item.file);
    }
    cli_table_print_free(table);
}

static int answer(const job *j, const mopd_encoder *encoder, const mopd_dataset *data)
{
    const mopd_dataset_info info = cli_data_info(data);
    const size_t n = (size_t)info.n_items, most = j->top < n ? (size_t)j->top : n;
    float *query = cli_alloc(info.dim, sizeof *query);
    mopd_status st = encode_query(j, encoder, query);
    if (st != MOPD_OK) {
        free(query);
        return cli_fail_status(st);
    }
    hit *hits = rank(data, query, n, info.dim);
    if (info.augmented)
        cli_note(&j->common, "%s: the features of training pictures are those of random crops", j->data.path);
    if (cli_is_json(&j->common))
        show_json(data, hits, most);
    else if (cli_is_csv(&j->common))
        show_csv(data, hits, most);
    else
        show_text(data, hits, most);
    free(hits);
    free(query);
    return cli_flush() ? EXIT_DONE : EXIT_FAILED;
}

static int run(job *j)
{
    mopd_encoder *encoder = NULL;
    mopd_dataset *data = NULL;
    int status = cli_data_open_encoded(&data, &encoder, &j->data, &j->common, command.name);
    if (status < 0) status = answer(j, encoder, data);
    mopd_dataset_close(data);
    mopd_encoder_close(encoder);
    return status;
}

int cmd_search(int argc, char **argv)
{
    job j = {.top = 10, .data.may_lack_labels = true};
    const cli_option options[] = {
        CLI_DATA_OPTIONS(j.data),
        {"text", 0, CLI_TEXT, &j.text, "TEXT", "what the pictures are to show", NULL},
        {"image", 0, CLI_IN, &j.image, "FILE", "a picture that they are to be like", NULL},
        {"top", 0, CLI_UINT, &j.top, "N", "pictures shown", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, j.data.path);
    if (status < 0 && !j.text == !j.image)
        status = cli_usage(command.name, "give one of --text TEXT and --image FILE");
    if (status < 0 && j.text && !*j.text)
        status = cli_usage(command.name, "--text '': say what the pictures are to show");
    if (status < 0 && !j.top) status = cli_usage(command.name, "--top 0: at least 1");
    return status < 0 ? run(&j) : status;
}
