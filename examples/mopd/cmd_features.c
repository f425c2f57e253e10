/* SPDX-License-Identifier: MIT
 * cmd_features.c - mopd features: a data set encoded once into a feature store; extended, kept in step with its
 * folder and withdrawn from later.
 *
 * While pictures are encoded a journal lies beside the store.  Whoever is killed leaves it there, and the same
 * command goes on from it; it is removed once the store is written. */
#include "data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

static const cli_command command = {"features", "-d DATA [options] -o STORE",
    "Encodes a data set once.  The store then stands wherever -d DATA is asked for.",
    "  mopd features -d pictures/ -o pictures.safetensors\n"
    "  mopd features -d pictures/ --views 8 -o augmented.safetensors\n"
    "  mopd features -d photos/ --unlabelled -o photos.safetensors\n"
    "  mopd features -d pictures/ --append -o pictures.safetensors\n"
    "  mopd features -d pictures/ --sync -o pictures.safetensors\n"
    "  mopd features --withdraw train/cat/17.jpg --withdraw-class dog -o pictures.safetensors\n"};

typedef struct job {
    cli_common common;
    cli_data data;
    const char *output;
    char *journal; /* NULL: the output is no file that could be gone on with */
    const char *views_text;
    uint64_t seed;
    uint32_t views;
    bool fixed, append, sync, seed_given;
    cli_list withdraw, withdraw_class;
    mopd_encode_counts counts;
} job;

/* -1, or the exit status: "8", "fixed". */
static int take_views(job *j)
{
    char *end;
    if (!j->views_text) return -1;
    j->fixed = !strcmp(j->views_text, "fixed");
    const unsigned long long n = j->fixed ? MOPD_FIXED_VIEWS : strtoull(j->views_text, &end, 10);
    if (!j->fixed && (*j->views_text < '0' || *j->views_text > '9' || *end || n > UINT32_MAX))
        return cli_usage(
            command.name, "--views '%s' is neither a number up to %u nor 'fixed'", j->views_text, UINT32_MAX);
    j->views = (uint32_t)n;
    return -1;
}

/* Views of a picture as --views asks for them. */
static uint32_t views_of(const mopd_dataset_info *info)
{
    return info->augmented || info->fixed ? info->n_views : 0;
}

/* Views as a store has them. */
static void take_views_of(mopd_encode_options *o, const mopd_dataset_info *info)
{
    o->n_views = views_of(info);
    if (info->fixed) o->flags |= MOPD_ENCODE_FIXED;
}

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
    if (sys_kind_of(j->output) == SYS_NOTHING && errno == ENOENT && !withdraws) return -1;
    mopd_dataset_options options;
    mopd_dataset_options_init(&options, sizeof options);
    options.flags = MOPD_DATASET_READ; /* the file is replaced below */
    mopd_status st = mopd_dataset_open(known, j->output, &options);
    if (st == MOPD_OK && !*mopd_dataset_fingerprint(*known))
        return cli_fail("%s: not a feature store", j->output);
    if (st != MOPD_OK) return cli_fail_status(st);
    st = withdraw(known, j);
    return st == MOPD_OK ? -1 : cli_fail("%s: %s", j->output, mopd_last_error());
}

/* "pictures.safetensors.journal"; none beside a pipe or a device. */
static int name_journal(job *j)
{
    static const char ending[] = ".journal";
    const sys_kind kind = sys_kind_of(j->output);
    if (!strncmp(j->output, "/dev/", 5)) return -1; /* also where it stands for a file */
    if (kind == SYS_PIPE || kind == SYS_DEVICE) return -1;
    const size_t n = strlen(j->output);
    j->journal = cli_alloc(n + sizeof ending, 1);
    memcpy(j->journal, j->output, n);
    memcpy(j->journal + n, ending, sizeof ending);
    return cli_check_writable(j->output);
}

/* What the data is like, where that was not said. */
static void tell_labels(const job *j, const mopd_dataset *data)
{
    const mopd_dataset_info info = cli_data_info(data);
    if (!info.unlabelled || j->data.unlabelled || info.dim) return;
    const bool folder = sys_kind_of(j->data.path) == SYS_FOLDER;
    cli_note(&j->common, "%s: %s: %llu picture%s without labels", j->data.path,
        folder ? "no class folder holds pictures, and no list names labels"
               : "the list has no column 'label'",
        (unsigned long long)info.n_items, info.n_items == 1 ? "" : "s");
}

static int encode(mopd_dataset **out, job *j, const mopd_dataset *known)
{
    mopd_dataset *data = NULL;
    mopd_encoder *encoder = NULL;
    mopd_encode_options options;
    mopd_encode_options_init(&options, sizeof options);
    options.n_views = j->views;
    options.seed = j->seed;
    options.flags = (j->sync ? MOPD_ENCODE_SYNC : 0) | (j->fixed ? MOPD_ENCODE_FIXED : 0);
    options.counts = &j->counts;
    if (known) {
        mopd_dataset_info info = cli_data_info(known);
        if (!j->views_text) take_views_of(&options, &info);
        if (!j->seed_given) options.seed = info.seed;
        if (info.unlabelled) j->data.unlabelled = true;
    }
    if (!j->data.unlabelled) j->data.hint = "--unlabelled takes pictures in whatever folders, without labels";
    int status = cli_data_open(&data, &j->data, command.name);
    if (status < 0) tell_labels(j, data);
    if (status < 0) status = name_journal(j);
    options.journal = j->journal;
    if (status < 0) status = cli_data_open_encoder(&encoder, known ? known : data, &j->common);
    if (status < 0) status = cli_data_encode(out, data, known, encoder, &options, &j->common, &j->data);
    mopd_encoder_close(encoder);
    mopd_dataset_close(data);
    return status;
}

static void show_json(const job *j, const mopd_dataset_info *info, long long added, double seconds)
{
    const mopd_encode_counts *c = &j->counts;
    json_t *document = json_pack("{s:I, s:I, s:I, s:i, s:i, s:i, s:f, s:o}", "pictures",
        (json_int_t)info->n_items, "added", (json_int_t)added, "skipped", (json_int_t)j->data.n_bad,
        "classes", (int)info->n_classes, "views", (int)views_of(info), "dim", (int)info->dim, "seconds",
        seconds, "store", cli_json_text(j->output));
    const struct {
        const char *key;
        uint64_t n;
    } counts[] = {{"encoded", c->n_encoded}, {"resumed", c->n_resumed}, {"moved", c->n_moved},
        {"withdrawn", c->n_withdrawn}, {"gone", c->n_gone}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        json_object_set_new(document, counts[i].key, json_integer((json_int_t)counts[i].n));
    cli_print_json(document);
}

static void show_csv(const job *j, const mopd_dataset_info *info, long long added, double seconds)
{
    const mopd_encode_counts *c = &j->counts;
    printf("pictures,added,skipped,classes,views,dim,seconds,store,encoded,resumed,moved,withdrawn,gone\r\n"
           "%llu,%lld,%zu,%u,%u,%u,%.3f,",
        (unsigned long long)info->n_items, added, j->data.n_bad, info->n_classes, views_of(info), info->dim,
        seconds);
    cli_csv_field(j->output, false);
    printf("%llu,%llu,%llu,%llu,%llu\r\n", (unsigned long long)c->n_encoded, (unsigned long long)c->n_resumed,
        (unsigned long long)c->n_moved, (unsigned long long)c->n_withdrawn, (unsigned long long)c->n_gone);
}

static void show_text(const job *j, const mopd_dataset_info *info, long long added, double seconds)
{
    const mopd_encode_counts *c = &j->counts;
    printf("%s: %llu pictures ", cli_shown(j->output), (unsigned long long)info->n_items);
    if (info->unlabelled)
        printf("without labels");
    else
        printf("of %u classes", info->n_classes);
    printf(" (%+lld", added);
    if (j->sync)
        printf("; %llu moved, %llu withdrawn", (unsigned long long)c->n_moved,
            (unsigned long long)c->n_withdrawn);
    printf("), %u x %u features each, %.1f s\n", info->n_views, info->dim, seconds);
}

/* What is not as the user may think. */
static void show_notes(const job *j)
{
    const mopd_encode_counts *c = &j->counts;
    if (c->n_resumed)
        cli_note(&j->common, "%llu pictures were encoded by a run that did not come to its end",
            (unsigned long long)c->n_resumed);
    if (c->n_gone)
        cli_note(&j->common, "%llu pictures of %s are gone from %s: --sync takes them out%s",
            (unsigned long long)c->n_gone, j->output, j->data.path,
            c->n_moved ? ", and follows those that have moved" : "");
}

static bool show(const job *j, const mopd_dataset *store, uint64_t n_before, double seconds)
{
    const mopd_dataset_info info = cli_data_info(store);
    const long long added = (long long)info.n_items - (long long)n_before;
    show_notes(j);
    if (cli_is_json(&j->common))
        show_json(j, &info, added, seconds);
    else if (cli_is_csv(&j->common))
        show_csv(j, &info, added, seconds);
    else if (!j->common.quiet)
        show_text(j, &info, added, seconds);
    return cli_flush();
}

/* The store is written: what it took to get there goes. */
static int save(const job *j, const mopd_dataset *result, int status)
{
    mopd_status st = mopd_dataset_save(result, j->output);
    if (st != MOPD_OK) return cli_fail_status(st);
    if (status == EXIT_INTERRUPTED)
        cli_note(&j->common, "%s holds what was reached; --append goes on", j->output);
    else if (j->journal)
        sys_remove(j->journal);
    return status;
}

/* What was reached is not written over a store that it does not continue. */
static bool may_replace(const job *j)
{
    return j->append || !j->journal || sys_kind_of(j->output) == SYS_NOTHING;
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
    if (status < 0 || (status == EXIT_INTERRUPTED && store && may_replace(j)))
        status = save(j, result, status);
    else if (status == EXIT_INTERRUPTED)
        cli_note(&j->common, "%s is as it was; the same command goes on", j->output);
    if (status < 0) status = show(j, result, n_before, cli_seconds() - start) ? EXIT_DONE : EXIT_FAILED;
    mopd_dataset_close(store);
    mopd_dataset_close(known);
    return status;
}

int cmd_features(int argc, char **argv)
{
    job j = {.seed = 1, .data.may_lack_labels = true, .counts.struct_size = sizeof j.counts};
    const cli_option options[] = {
        CLI_DATA_OPTIONS(j.data),
        {"output", 'o', CLI_OUT, &j.output, "STORE", "the feature store to write", NULL},
        {"views", 0, CLI_TEXT, &j.views_text, "V|fixed",
            "random crops of each training picture, or the fixed views that mopd fit learns from (default: "
            "0, the "
            "plain one)",
            NULL},
        {"seed", 0, CLI_UINT, &j.seed, "N", "of the augmented views", &j.seed_given},
        {"append", 0, CLI_FLAG, &j.append, NULL, "keep what STORE has, encode what is new", NULL},
        {"sync", 0, CLI_FLAG, &j.sync, NULL,
            "make STORE what DATA is: encode what is new, follow what has moved, withdraw what is gone",
            NULL},
        {"unlabelled", 0, CLI_FLAG, &j.data.unlabelled, NULL,
            "take every picture below DATA, in whatever folders, without labels", NULL},
        {"withdraw", 0, CLI_LIST, &j.withdraw, "PATH", "take a picture out of STORE", NULL},
        {"withdraw-class", 0, CLI_LIST, &j.withdraw_class, "NAME", "take a class out of STORE", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    bool withdraws = j.withdraw.n + j.withdraw_class.n > 0;
    j.append |= j.sync;
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, j.data.path);
    if (status < 0 && !j.output) status = cli_usage(command.name, "no store: give -o STORE");
    if (status < 0 && !j.data.path && !withdraws) status = cli_usage(command.name, "no data: give -d DATA");
    if (status < 0 && j.data.path && withdraws && !j.append)
        status = cli_usage(command.name, "--withdraw beside -d DATA needs --append");
    if (status < 0 && j.sync && !j.data.path) status = cli_usage(command.name, "--sync needs -d DATA");
    if (status < 0) status = take_views(&j);
    if (status < 0) status = run(&j);
    free(j.journal);
    cli_list_free(&j.withdraw);
    cli_list_free(&j.withdraw_class);
    return status;
}
