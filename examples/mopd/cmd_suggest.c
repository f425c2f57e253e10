/* SPDX-License-Identifier: MIT
 * cmd_suggest.c - mopd suggest: which pictures of a pool to label next.
 *
 * While less than three pictures a class are labelled, pictures that stand for many others help most: one from the middle of each
 * of as many clusters as are asked for.  From three on those help that the recogniser is least sure of: of a few times as many, the
 * ones where the likeliest two classes are nearest, spread by the same clusters. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

static const cli_command command = {"suggest", "-d POOL -n N [options]",
    "Tells which pictures to label next, so that few labels bring much.",
    "  mopd suggest -d photos/ -n 40\n"
    "  mopd suggest -d photos.safetensors -r birds.safetensors -n 20 --format json\n"};

enum { ENOUGH = 3, TIMES = 4 }; /* pictures a class; candidates for each picture that is asked for */

typedef struct job {
    cli_common common;
    cli_data data;
    const char *recognizer;
    uint64_t n, seed;
} job;

/* What is suggested: numbers of pictures. */
typedef struct advice {
    size_t *picture, n;
    bool margin; /* why */
} advice;

typedef struct unsure {
    size_t index;
    float margin;
} unsure;

static int least_sure_first(const void *a, const void *b)
{
    const unsure *x = a, *y = b;
    if (x->margin < y->margin || y->margin < x->margin) return x->margin < y->margin ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The pictures by how near their likeliest two classes are; to be freed, NULL on failure. */
static unsure *rank(const mopd_recognizer *recognizer, const float *features, size_t n)
{
    mopd_match *best = cli_alloc(2 * n, sizeof *best);
    unsure *list = cli_alloc(n, sizeof *list);
    if (mopd_recognizer_top(recognizer, features, n, 2, best) != MOPD_OK) {
        free(list);
        list = NULL;
    }
    for (size_t i = 0; list && i < n; i++) list[i] = (unsure){i, best[2 * i].logit - best[2 * i + 1].logit};
    if (list) qsort(list, n, sizeof *list, least_sure_first);
    free(best);
    return list;
}

/* Spread over the least sure ones, in the order of their margin's clusters. */
static mopd_status by_margin(
    advice *a, const mopd_recognizer *recognizer, const float *features, const size_t shape[2], uint64_t seed)
{
    const size_t dim = shape[1], most = TIMES * a->n < shape[0] ? TIMES * a->n : shape[0];
    unsure *list = rank(recognizer, features, shape[0]);
    if (!list) return MOPD_E_NOMEM;
    float *rows = cli_alloc(most, dim * sizeof *rows);
    for (size_t i = 0; i < most; i++)
        memcpy(rows + i * dim, features + list[i].index * dim, dim * sizeof *rows);
    mopd_status st = mopd_clusters_choose(rows, most, dim, a->n, seed, a->picture);
    for (size_t k = 0; k < a->n && st == MOPD_OK; k++) a->picture[k] = list[a->picture[k]].index;
    a->margin = true;
    free(rows);
    free(list);
    return st;
}

/* Has the recogniser seen enough of each class to say what it is unsure of? */
static mopd_status is_ready(const mopd_recognizer *recognizer, bool *ready)
{
    mopd_recognizer_info info = {.struct_size = sizeof info};
    mopd_status st = mopd_recognizer_get_info(recognizer, &info);
    *ready = info.n_classes > 1 && info.n_pictures >= ENOUGH * info.n_classes;
    return st;
}

static mopd_status advise(
    advice *a, const job *j, const mopd_encoder *encoder, const float *features, const size_t shape[2])
{
    mopd_recognizer *recognizer = NULL;
    bool ready = false;
    mopd_status st = MOPD_OK;
    if (j->recognizer) st = mopd_recognizer_open(&recognizer, j->recognizer, encoder);
    if (st == MOPD_OK && recognizer) st = is_ready(recognizer, &ready);
    if (st == MOPD_OK && ready) st = by_margin(a, recognizer, features, shape, j->seed);
    if (st == MOPD_OK && !ready)
        st = mopd_clusters_choose(features, shape[0], shape[1], a->n, j->seed, a->picture);
    mopd_recognizer_close(recognizer);
    return st;
}

static void show(const job *j, const advice *a, const mopd_dataset *data)
{
    const char *why = a->margin ? "margin" : "cluster";
    mopd_item item = {.struct_size = sizeof item};
    json_t *list = json_array();
    if (cli_is_csv(&j->common)) fputs("path,why\r\n", stdout);
    for (size_t i = 0; i < a->n; i++) {
        if (mopd_dataset_get_item(data, a->picture[i], &item) != MOPD_OK) continue;
        if (cli_is_json(&j->common)) {
            json_array_append_new(
                list, json_pack("{s:o, s:s}", "path", cli_json_text(item.path), "why", why));
        } else if (cli_is_csv(&j->common)) {
            cli_csv_field(item.path, false);
            cli_csv_field(why, true);
        } else {
            puts(cli_shown(item.path));
        }
    }
    if (cli_is_json(&j->common))
        cli_print_json(json_pack("{s:o}", "suggest", list));
    else
        json_decref(list);
}

static int answer(job *j, const mopd_encoder *encoder, const mopd_dataset *data)
{
    const mopd_dataset_info info = cli_data_info(data);
    const size_t shape[2] = {(size_t)info.n_items, info.dim};
    advice a = {.n = j->n < info.n_items ? (size_t)j->n : shape[0]};
    float *features = cli_data_features(data, 0, 1);
    if (!features) return cli_fail_status(MOPD_E_ARG);
    if (a.n < j->n) cli_note(&j->common, "%s has %zu pictures: all are suggested", j->data.path, a.n);
    a.picture = cli_alloc(a.n, sizeof *a.picture);
    cli_interrupt_ends(true);
    mopd_status st = advise(&a, j, encoder, features, shape);
    cli_interrupt_ends(false);
    if (st == MOPD_OK) show(j, &a, data);
    free(a.picture);
    free(features);
    if (st != MOPD_OK) return cli_fail_status(st);
    return cli_flush() ? EXIT_DONE : EXIT_FAILED;
}

static int run(job *j)
{
    mopd_encoder *encoder = NULL;
    mopd_dataset *data = NULL;
    cli_recognizer_reading(&j->common, j->recognizer);
    int status = cli_data_open_encoded(&data, &encoder, &j->data, &j->common, command.name);
    if (status < 0) status = answer(j, encoder, data);
    mopd_dataset_close(data);
    mopd_encoder_close(encoder);
    return status;
}

int cmd_suggest(int argc, char **argv)
{
    job j = {.seed = 1, .data.may_lack_labels = true};
    const cli_option options[] = {
        CLI_DATA_OPTIONS(j.data),
        {"number", 'n', CLI_UINT, &j.n, "N", "how many pictures you want to label", NULL},
        {"recognizer", 'r', CLI_IN, &j.recognizer, "RECOGNIZER",
            "fitted to what is labelled so far (mopd fit): from three pictures a class on it says what it is "
            "unsure of",
            NULL},
        {"seed", 0, CLI_UINT, &j.seed, "N", "of the clusters", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, j.data.path);
    if (status < 0 && !j.n) status = cli_usage(command.name, "how many pictures? give -n N");
    if (status < 0) status = run(&j);
    return status;
}
