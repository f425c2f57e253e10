/* SPDX-License-Identifier: MIT
 * 03_train.c - the third lesson: learning a prompt from a few pictures of each class.
 *
 *     03_train pictures/ prompt.safetensors        one folder of pictures a class
 *
 * Three steps: list the pictures, encode each once (the image tower never changes, so neither do features),
 * learn.  What is learned are four vectors that stand before the class name where "a photo of a" stood; a
 * gate chooses, picture by picture, which hand-written prompts they are kept close to, so that unseen
 * classes keep working. */
#include <signal.h>
#include <stdio.h>

#include <mopd/mopd.h>

static volatile sig_atomic_t stop;

static void on_interrupt(int number)
{
    stop = number;
}

/* After every epoch: what it did.  Any answer but 0 ends the training; what was reached is kept. */
static int show(void *context, const mopd_epoch *e)
{
    (void)context;
    printf("epoch %2u  loss %.4f  accuracy %.1f %%\n", (unsigned)e->epoch, e->loss, e->accuracy);
    return stop;
}

/* The 16 pictures a class that are learned from, and their features. */
static mopd_status load(mopd_dataset **data, const char *folder, const mopd_encoder *encoder)
{
    mopd_dataset *all = NULL, *few = NULL;
    mopd_selection choice;
    mopd_selection_init(&choice, sizeof choice);
    choice.split = MOPD_SPLIT_TRAIN; /* a folder without splits is its own training part */
    choice.shots = 16;
    mopd_status st = mopd_dataset_open(&all, folder, NULL);
    if (st == MOPD_OK) st = mopd_dataset_select(&few, all, &choice);
    if (st == MOPD_OK) st = mopd_dataset_encode(data, few, NULL, encoder, NULL);
    mopd_dataset_close(few);
    mopd_dataset_close(all);
    return st;
}

static mopd_status learn(const mopd_encoder *encoder, const mopd_dataset *data, const char *path)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_trainer_options options;
    mopd_run run;
    mopd_trainer *trainer = NULL;
    mopd_prompt *prompt = NULL;
    mopd_dataset_get_info(data, &info);
    mopd_trainer_options_init(&options, sizeof options); /* MoPD, as long as it needs, the model's own rate */
    mopd_run_init(&run, sizeof run);
    run.n = info.n_items;
    run.n_views = 1;
    run.features = mopd_dataset_feature(data, 0, 0); /* one view: all rows lie one behind the other */
    run.labels = mopd_dataset_labels(data);
    run.on_epoch = show;

    mopd_status st =
        mopd_trainer_create(&trainer, encoder, mopd_dataset_class_names(data), info.n_classes, &options);
    if (st == MOPD_OK) st = mopd_trainer_run(trainer, &run);
    if (st == MOPD_OK || st == MOPD_E_CANCELLED) st = mopd_prompt_create_trainer(&prompt, trainer);
    if (st == MOPD_OK) st = mopd_prompt_save(prompt, path);
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    return st;
}

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: %s FOLDER PROMPT\n", argv[0]), 2;
    mopd_encoder *encoder = NULL;
    mopd_dataset *data = NULL;
    signal(SIGINT, on_interrupt);
    mopd_status st = mopd_encoder_open(&encoder, NULL, NULL);
    if (st == MOPD_OK) st = load(&data, argv[1], encoder);
    if (st == MOPD_OK) st = learn(encoder, data, argv[2]);
    if (st == MOPD_OK)
        printf("%s\n", argv[2]);
    else
        fprintf(stderr, "%s\n", mopd_last_error());
    mopd_dataset_close(data);
    mopd_encoder_close(encoder);
    return st == MOPD_OK ? 0 : 1;
}
