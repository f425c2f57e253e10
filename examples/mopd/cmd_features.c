/* SPDX-License-Identifier: MIT
 * cmd_features.c - mopd features: a data set encoded once into a feature store; extended and
 * withdrawn from later. */
#include "data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_command command = {"features", "-d DATA [options] -o STORE",
    "Encodes a data set once.  The store then stands wherever -d DATA is asked for.",
    "  mopd features -d pictures/ -o pictures.safetensors\n"
    "  mopd features -d pictures/ --views 8 -o augmented.safetensors\n"
    "  mopd features -d pictures/ --append -o pictures.safetensors\n"
    "  mopd features --withdraw train/cat/17.jpg --withdraw-class dog -o pictures.safetensors\n"};

typedef struct job {
    cli_common common;
    cli_data data;
    const char *output;
    uint64_t views, seed;
    bool append, views_given, seed_given;
    cli_list withdraw, withdraw_class;
} job;

/* *store without the pictures and classes that are to go. */
static mopd_status withdraw(mopd_dataset **store, const job *j)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < j->withdraw.n + j->withdraw_class.n && st == MOPD_OK; i++) {
        mopd_dataset *rest;
        bool picture = i < j->withdraw.n;
        st = mopd_dataset_withdraw(&rest, *store, picture ? j->withdraw.item[i] : NULL,
            picture ? NULL : j->withdraw_class.item[i - j->withdraw.n]);
        if (st != MOPD_OK) break;
        mopd_dataset_close(*store);
        *store = rest;
    }
    return st;
}

/* What the store at the output path holds already, NULL when there is none to go on from. */
static int open_known(mopd_dataset **known, const job *j)
{
    bool withdraws = j->withdraw.n + j->withdraw_class.n > 0;
    *known = NULL;
    if (!j->append && !withdraws) return -1;
    if (access(j->output, F_OK) && errno == ENOENT && !withdraws) return -1;
    mopd_dataset_options options;
    mopd_dataset_options_init(&options, sizeof options);
    options.flags = MOPD_DATASET_READ; /* the file is replaced below */
    mopd_status st = mopd_dataset_open(known, j->output, &options);
    if (st == MOPD_OK && !*mopd_dataset_fingerprint(*known))
        return cli_fail("%s: not a feature store", j->output);
    if (st == MOPD_OK) st = withdraw(known, j);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

static int encode(mopd_dataset **out, job *j, const mopd_dataset *known)
{
    mopd_dataset *data = NULL;
    mopd_encoder *encoder = NULL;
    mopd_encode_options options;
    mopd_encode_options_init(&options, sizeof options);
    options.n_views = (uint32_t)j->views;
    options.seed = j->seed;
    if (known) {
        mopd_dataset_info info = cli_data_info(known);
        if (!j->views_given) options.n_views = info.augmented ? info.n_views : 0;
        if (!j->seed_given) options.seed = info.seed;
    }
    int status = cli_data_open(&data, &j->data, command.name);
    if (status < 0 && !cli_open_encoder(&encoder, &j->common, 0)) status = EXIT_FAILED;
    if (status < 0) status = cli_data_encode(out, data, known, encoder, &options, &j->common, &j->data);
    mopd_encoder_close(encoder);
    mopd_dataset_close(data);
    return status;
}

static bool show(const job *j, const mopd_dataset *store, uint64_t n_before, double seconds)
{
    mopd_dataset_info info = cli_data_info(store);
    long long n = (long long)info.n_items, added = n - (long long)n_before;
    if (cli_is_json(&j->common)) {
        cli_print_json(json_pack("{s:I, s:I, s:I, s:i, s:i, s:i, s:f, s:s}", "pictures", (json_int_t)n,
            "added", (json_int_t)added, "skipped", (json_int_t)j->data.n_bad, "classes", (int)info.n_classes,
            "views", (int)(info.augmented ? info.n_views : 0), "dim", (int)info.dim, "seconds", seconds,
            "store", j->output));
    } else if (cli_is_csv(&j->common)) {
        printf("pictures,added,skipped,classes,views,dim,seconds,store\r\n%lld,%lld,%zu,%u,%u,%u,%.3f,", n,
            added, j->data.n_bad, info.n_classes, info.augmented ? info.n_views : 0, info.dim, seconds);
        cli_csv_field(j->output, true);
    } else if (!j->common.quiet) {
        printf("%s: %lld pictures of %u classes (%+lld), %u x %u features each, %.1f s\n", j->output, n,
            info.n_classes, added, info.n_views, info.dim, seconds);
    }
    return cli_flush();
}

static int run(job *j)
{
    mopd_dataset *known = NULL, *store = NULL;
    double start = cli_seconds();
    int status = open_known(&known, j);
    uint64_t n_before = status < 0 && known ? cli_data_info(known).n_items : 0;
    const mopd_dataset *result = known;
    if (status < 0 && j->data.path) {
        status = encode(&store, j, j->append ? known : NULL);
        result = store;
        if (!j->append) n_before = 0;
    }
    if (status < 0 || (status == EXIT_INTERRUPTED && store)) {
        mopd_status st = mopd_dataset_save(result, j->output);
        if (st != MOPD_OK)
            status = cli_fail_status(st);
        else if (status == EXIT_INTERRUPTED)
            cli_note(&j->common, "%s holds what was reached; --append goes on", j->output);
    }
    if (status < 0) status = show(j, result, n_before, cli_seconds() - start) ? EXIT_DONE : EXIT_FAILED;
    mopd_dataset_close(store);
    mopd_dataset_close(known);
    return status;
}

int cmd_features(int argc, char **argv)
{
    job j = {.seed = 1};
    const cli_option options[] = {
        CLI_DATA_OPTIONS(j.data),
        {"output", 'o', CLI_TEXT, &j.output, "STORE", "the feature store to write", NULL},
        {"views", 0, CLI_UINT, &j.views, "V",
            "augmented views of each training picture (default: 0, the plain one)", &j.views_given},
        {"seed", 0, CLI_UINT, &j.seed, "N", "of the augmented views", &j.seed_given},
        {"append", 0, CLI_FLAG, &j.append, NULL, "keep what STORE has, encode what is new", NULL},
        {"withdraw", 0, CLI_LIST, &j.withdraw, "PATH", "take a picture out of STORE", NULL},
        {"withdraw-class", 0, CLI_LIST, &j.withdraw_class, "NAME", "take a class out of STORE", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    bool withdraws = j.withdraw.n + j.withdraw_class.n > 0;
    if (status < 0 && n_rest) status = cli_usage(command.name, "unexpected argument '%s'", rest[0]);
    if (status < 0 && !j.output) status = cli_usage(command.name, "no store: give -o STORE");
    if (status < 0 && !j.data.path && !withdraws) status = cli_usage(command.name, "no data: give -d DATA");
    if (status < 0 && j.data.path && withdraws && !j.append)
        status = cli_usage(command.name, "--withdraw beside -d DATA needs --append");
    if (status < 0 && j.views > UINT32_MAX) status = cli_usage(command.name, "--views: too many");
    if (status < 0) status = run(&j);
    cli_list_free(&j.withdraw);
    cli_list_free(&j.withdraw_class);
    return status;
}
