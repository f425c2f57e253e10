/* SPDX-License-Identifier: MIT
 * train_job.c - a training from data to trainer: features encoded once or afresh each epoch, epochs shown
 * as they end. */
#include "train.h"

#include <stdlib.h>
#include <string.h>

mopd_encode_options train_encode_options(const train_job *j)
{
    mopd_encode_options o;
    mopd_encode_options_init(&o, sizeof o);
    o.seed = j->options.seed;
    return o;
}

/* What views the run sees, given what DATA holds already. */
static int settle_views(train_job *j, mopd_encode_options *o)
{
    mopd_dataset_info info = cli_data_info(j->all);
    if (j->fresh && info.dim)
        return cli_fail("%s: --views fresh encodes pictures anew, but this is a feature store", j->data.path);
    if (!j->views_given && info.augmented) {
        j->n_views = info.n_views;
    } else if (!j->n_views) {
        if (info.augmented)
            return cli_fail(
                "%s: holds %u augmented views, not the plain pictures", j->data.path, info.n_views);
        j->n_views = 1;
    } else if (j->views_given && !j->fresh) {
        o->n_views = (uint32_t)j->n_views;
    }
    return -1;
}

int train_open(train_job *j)
{
    mopd_encode_options o = train_encode_options(j);
    int status = cli_data_open(&j->all, &j->data, "train");
    if (status < 0) status = cli_data_select(&j->part, j->all, &j->selection);
    if (status < 0) status = settle_views(j, &o);
    if (status < 0) status = cli_data_open_encoder(&j->encoder, j->all, &j->common);
    if (status >= 0) return status;
    if (j->fresh) o.n_views = 1; /* those of the first epoch: what cannot be read is found before training */
    status = cli_data_encode(&j->encoded, j->part, NULL, j->encoder, &o, &j->common, &j->data);
    if (status < 0 && !j->fresh && !(j->features = cli_data_features(j->encoded, 0, j->n_views)))
        status = cli_fail_status(MOPD_E_ARG);
    return status;
}

/* -- the run
 * ------------------------------------------------------------------------------------------------ */

static int on_step(void *context, const mopd_step *step)
{
    train_job *j = context;
    cli_progress_update(&j->progress, step->epoch - 1);
    return cli_interrupted();
}

static int on_stop(void *context)
{
    (void)context;
    return cli_interrupted();
}

static void show_epoch(const train_job *j, const mopd_epoch *e)
{
    if (cli_is_json(&j->common)) return;
    bool first = j->n_epochs == 1;
    if (cli_is_csv(&j->common)) {
        if (first) fputs("epoch,lr,loss,ce,mpd,mps,accuracy,seconds\r\n", stdout);
        printf("%u,%.7g,%.9g,%.9g,%.9g,%.9g,%.6g,%.3f\r\n", e->epoch, e->lr, e->loss, e->ce, e->mpd, e->mps,
            e->accuracy, e->seconds);
    } else if (!j->common.quiet) {
        if (first) puts("epoch        lr      loss        ce       mpd       mps  accuracy");
        printf("%5u  %8.3g  %8.4f  %8.4f  %8.4f  %8.4f  %7.2f%%\n", e->epoch, e->lr, e->loss, e->ce, e->mpd,
            e->mps, e->accuracy);
    }
    fflush(stdout);
}

/* Who only reads the first lines (head) has asked for the whole prompt all the same. */
static void check_output(train_job *j)
{
    if (j->unread || !ferror(stdout)) return;
    j->unread = true;
    cli_note(&j->common, "standard output cannot be written; the training goes on, %s will hold all of it",
        j->output);
}

static int on_epoch(void *context, const mopd_epoch *epoch)
{
    train_job *j = context;
    j->epochs[j->n_epochs++] = *epoch;
    j->accuracy = epoch->accuracy;
    if (!cli_is_json(&j->common)) cli_progress_end(&j->progress);
    show_epoch(j, epoch);
    check_output(j);
    cli_progress_update(&j->progress, epoch->epoch);
    return cli_interrupted();
}

static int stop_early(void *context, size_t done, size_t total, const char *bad_path, const char *message)
{
    (void)context, (void)done, (void)total, (void)bad_path, (void)message;
    return cli_interrupted();
}

/* View number epoch - 1 of every picture: E fresh epochs see what --views E encodes at once. */
static mopd_status fresh_views(void *context, uint32_t epoch, float *features)
{
    train_job *j = context;
    if (epoch == 1) return mopd_dataset_gather(j->encoded, 0, 1, features); /* train_open has encoded these */
    mopd_encode_options o = train_encode_options(j);
    mopd_dataset *encoded = NULL;
    o.n_views = 1;
    o.first_view = epoch - 1;
    o.fn = stop_early;
    if (j->data.skip_bad) o.flags |= MOPD_ENCODE_SKIP_BAD;
    mopd_status st = mopd_dataset_encode(&encoded, j->part, NULL, j->encoder, &o);
    if (st == MOPD_OK && cli_data_info(encoded).n_items != cli_data_info(j->encoded).n_items) {
        mopd_dataset_close(encoded);
        cli_fail("%s: pictures changed while training", j->data.path);
        return MOPD_E_MISMATCH;
    }
    if (st == MOPD_OK) st = mopd_dataset_gather(encoded, 0, 1, features);
    mopd_dataset_close(encoded);
    return st;
}

static mopd_run run_of(train_job *j)
{
    mopd_run run;
    mopd_run_init(&run, sizeof run);
    run.n = cli_data_info(j->encoded).n_items;
    run.labels = mopd_dataset_labels(j->encoded);
    run.n_views = j->fresh ? 1 : j->n_views;
    run.features = j->features;
    run.views = j->fresh ? fresh_views : NULL;
    run.views_context = j;
    run.on_step = on_step;
    run.step_context = j;
    run.stop = on_stop;
    return run;
}

static mopd_status choose(train_job *j, char **tried)
{
    mopd_run run = run_of(j);
    size_t n_classes = cli_data_info(j->encoded).n_classes;
    const bool open = !j->options.epochs && !j->options.steps;
    cli_progress_start(&j->progress, &j->common, "choose", 0);
    mopd_status st = mopd_trainer_options_choose(
        &j->options, j->encoder, mopd_dataset_class_names(j->encoded), n_classes, &run, tried);
    cli_progress_end(&j->progress);
    if (st == MOPD_OK) cli_note_chosen(&j->common, "", &j->options, open);
    return st;
}

/* Which pictures, by label and content: a run that is resumed must have the same. */
static mopd_status note_pictures(train_job *j)
{
    char text[64];
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    size_t n = 0;
    mopd_item item = {.struct_size = sizeof item};
    for (; mopd_dataset_get_item(j->encoded, n, &item) == MOPD_OK; n++) {
        char line[128];
        snprintf(line, sizeof line, "%ld %.64s\n", (long)item.label, item.hash);
        for (const char *c = line; *c; c++) h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    }
    snprintf(text, sizeof text, "%zu %016llx", n, (unsigned long long)h);
    return mopd_trainer_note(j->trainer, MOPD_NOTE_PICTURES, text);
}

/* What was trained on goes into the prompt file; no path of this machine does. */
static mopd_status add_notes(train_job *j, const char *tried)
{
    mopd_dataset_info info = cli_data_info(j->encoded);
    char text[256];
    snprintf(text, sizeof text,
        "{\"pictures\":%llu,\"classes\":%u,\"subset\":\"%s\",\"shots\":%u,\"seed\":%llu,\"views\":\"%s\","
        "\"skipped\":%zu}",
        (unsigned long long)info.n_items, info.n_classes, j->subset, j->selection.shots,
        (unsigned long long)j->selection.seed, j->views ? j->views : "0", j->data.n_bad);
    mopd_status st = mopd_trainer_note(j->trainer, "data", text);
    if (st == MOPD_OK) st = note_pictures(j);
    if (st == MOPD_OK && info.upright) st = mopd_trainer_note(j->trainer, "orientation", "exif");
    if (st == MOPD_OK && tried) st = mopd_trainer_note(j->trainer, "auto", tried);
    return st;
}

/* Training accuracy of what was learned, on the first view; with fresh views that of the last epoch stays. */
static mopd_status measure(train_job *j)
{
    if (j->fresh) return MOPD_OK;
    mopd_bank *bank = NULL;
    cli_score score = {0};
    mopd_dataset_info info = cli_data_info(j->encoded);
    float *features = cli_data_features(j->encoded, 0, 1);
    cli_samples samples = {
        features, mopd_dataset_labels(j->encoded), (size_t)info.n_items, info.dim, info.n_classes};
    mopd_status st = mopd_bank_create_trainer(&bank, j->trainer, NULL, 0);
    if (st == MOPD_OK) st = cli_score_run(&score, cli_bank_logits, bank, &samples, NULL);
    if (st == MOPD_OK) j->accuracy = score.metrics.accuracy;
    cli_score_free(&score);
    mopd_bank_free(bank);
    free(features);
    return st;
}

int train_run(train_job *j)
{
    char *tried = NULL;
    double start = cli_seconds();
    size_t n_classes = cli_data_info(j->encoded).n_classes;
    cli_interrupt_ends(true);
    mopd_status st = j->automatic ? choose(j, &tried) : MOPD_OK;
    if (st == MOPD_OK)
        st = mopd_trainer_create(
            &j->trainer, j->encoder, mopd_dataset_class_names(j->encoded), n_classes, &j->options);
    cli_interrupt_ends(false);
    if (st == MOPD_OK) st = add_notes(j, tried);
    if (st == MOPD_OK && j->resume) st = mopd_trainer_resume(j->trainer, j->resume);
    mopd_free(tried);
    if (st != MOPD_OK) return cli_fail_status(st);
    mopd_run run = run_of(j);
    run.on_epoch = on_epoch;
    run.epoch_context = j;
    run.checkpoint = j->checkpoint;
    const uint32_t n_epochs = mopd_trainer_n_epochs(j->trainer, run.n);
    j->epochs = cli_alloc(n_epochs, sizeof *j->epochs);
    cli_progress_start(&j->progress, &j->common, "train", n_epochs);
    st = mopd_trainer_run(j->trainer, &run);
    cli_progress_end(&j->progress);
    j->seconds = cli_seconds() - start;
    if (st == MOPD_OK) st = measure(j);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

void train_close(train_job *j)
{
    mopd_trainer_free(j->trainer);
    mopd_dataset_close(j->encoded);
    mopd_dataset_close(j->part);
    mopd_dataset_close(j->all);
    mopd_encoder_close(j->encoder);
    free(j->features);
    free(j->epochs);
}
