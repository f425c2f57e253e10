/* SPDX-License-Identifier: MIT
 * 10_window.c - the tenth lesson: training behind a window that stays alive, with a button to stop.
 *
 *     cc 10_window.c $(pkg-config --cflags --libs mopd) -pthread -o 10_window
 *     10_window pictures/ prompt.safetensors           the Enter key is the button
 *     10_window pictures/ prompt.safetensors 20        somebody presses it after epoch 20
 *
 * The training runs on a thread of its own.  It never touches the window: it sends news through a pipe, which any
 * event loop can wait for beside its other events, and it asks one atomic flag whether to stop.  Callbacks come on
 * the thread that called, so everything of the library stays there.  A training that was stopped leaves a
 * checkpoint, and the next one goes on from it: the prompt is the same, bit for bit. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mopd/mopd.h>

/* What the window is told.  Smaller than PIPE_BUF, so a write puts it into the pipe whole. */
typedef struct news {
    const char *doing;
    size_t done, total;
    double accuracy; /* in percent, of an epoch */
    mopd_status status;
    char message[300];
} news;

typedef struct job {
    const char *folder, *prompt;
    char *checkpoint;
    atomic_int stop;
    int pipe[2];
} job;

static void tell(job *j, const news *n)
{
    if (write(j->pipe[1], n, sizeof *n) < 0) atomic_store(&j->stop, 1); /* the window is gone */
}

/* ---- the training's thread ---- */

static int asked_to_stop(void *context)
{
    return atomic_load(&((job *)context)->stop);
}

static int on_picture(void *context, size_t done, size_t total, const char *bad_path, const char *message)
{
    (void)bad_path, (void)message;
    tell(context, &(news){.doing = "pictures", .done = done, .total = total});
    return asked_to_stop(context);
}

static int on_teacher(void *context, size_t done, size_t total)
{
    tell(context, &(news){.doing = "teachers", .done = done, .total = total});
    return asked_to_stop(context);
}

static int on_epoch(void *context, const mopd_epoch *e)
{
    tell(
        context, &(news){.doing = "epochs", .done = e->epoch, .total = e->n_epochs, .accuracy = e->accuracy});
    return asked_to_stop(context);
}

static mopd_status load(job *j, const mopd_encoder *encoder, mopd_dataset **data)
{
    mopd_dataset *all = NULL, *few = NULL;
    mopd_selection choice;
    mopd_encode_options how;
    mopd_selection_init(&choice, sizeof choice);
    mopd_encode_options_init(&how, sizeof how);
    choice.split = MOPD_SPLIT_TRAIN;
    choice.shots = 16;
    how.fn = on_picture;
    how.context = j;
    mopd_status st = mopd_dataset_open(&all, j->folder, NULL);
    if (st == MOPD_OK) st = mopd_dataset_select(&few, all, &choice);
    if (st == MOPD_OK) st = mopd_dataset_encode(data, few, NULL, encoder, &how);
    mopd_dataset_close(few);
    mopd_dataset_close(all);
    return st;
}

/* All epochs, or those that a checkpoint leaves.  `stop` is asked within each step too, so that a button is
 * answered at once even with a thousand classes. */
static mopd_status run_epochs(job *j, mopd_trainer *trainer, const mopd_dataset *data)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_run run;
    mopd_run_init(&run, sizeof run);
    mopd_status st = mopd_dataset_get_info(data, &info);
    run.n = info.n_items;
    run.features = mopd_dataset_feature(data, 0, 0);
    run.labels = mopd_dataset_labels(data);
    run.checkpoint = j->checkpoint;
    run.on_epoch = on_epoch;
    run.stop = asked_to_stop;
    run.epoch_context = run.stop_context = j;
    if (st == MOPD_OK && access(j->checkpoint, R_OK) == 0) st = mopd_trainer_resume(trainer, j->checkpoint);
    return st == MOPD_OK ? mopd_trainer_run(trainer, &run) : st;
}

static mopd_status learn(job *j, const mopd_encoder *encoder, const mopd_dataset *data)
{
    mopd_encoder *share = NULL; /* the same model, with progress while the teachers are encoded */
    mopd_share_options options;
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_trainer *trainer = NULL;
    mopd_prompt *prompt = NULL;
    mopd_share_options_init(&options, sizeof options);
    options.progress = on_teacher;
    options.context = j;
    mopd_status st = mopd_dataset_get_info(data, &info);
    if (st == MOPD_OK) st = mopd_encoder_share(&share, encoder, &options);
    if (st == MOPD_OK)
        st = mopd_trainer_create(&trainer, share, mopd_dataset_class_names(data), info.n_classes, NULL);
    if (st == MOPD_OK) st = run_epochs(j, trainer, data);
    if (st == MOPD_OK) st = mopd_prompt_create_trainer(&prompt, trainer);
    if (st == MOPD_OK) st = mopd_prompt_save(prompt, j->prompt);
    if (st == MOPD_OK) remove(j->checkpoint);
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    mopd_encoder_close(share); /* a trainer keeps the share that it was made with */
    return st;
}

static void *train(void *context)
{
    job *j = context;
    mopd_encoder *encoder = NULL;
    mopd_dataset *data = NULL;
    news end = {.doing = NULL};
    end.status = mopd_encoder_open(&encoder, NULL, NULL);
    if (end.status == MOPD_OK) end.status = load(j, encoder, &data);
    if (end.status == MOPD_OK) end.status = learn(j, encoder, data);
    if (end.status != MOPD_OK) snprintf(end.message, sizeof end.message, "%s", mopd_last_error());
    mopd_dataset_close(data);
    mopd_encoder_close(encoder);
    tell(j, &end);
    return NULL;
}

/* ---- the window's thread ---- */

static void draw(const news *n)
{
    printf("%s %zu of %zu", n->doing, n->done, n->total);
    if (n->accuracy > 0) printf("  accuracy %.1f %%", n->accuracy);
    putchar('\n');
    fflush(stdout);
}

/* Until the training's last news, which are in *n. */
static void event_loop(job *j, size_t patience, news *n)
{
    struct pollfd event[2] = {{.fd = j->pipe[0], .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    char key;
    for (n->doing = ""; n->doing;) {
        if (poll(event, 2, -1) < 0) continue;
        if (event[1].revents && read(STDIN_FILENO, &key, 1) > 0)
            atomic_store(&j->stop, 1);
        else if (event[1].revents)
            event[1].fd = -1; /* nobody is there to press a key */
        if (!event[0].revents || read(j->pipe[0], n, sizeof *n) != sizeof *n || !n->doing) continue;
        draw(n);
        if (patience && !strcmp(n->doing, "epochs") && n->done >= patience) atomic_store(&j->stop, 1);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) return fprintf(stderr, "usage: %s FOLDER PROMPT [EPOCH]\n", argv[0]), 2;
    job j = {.folder = argv[1], .prompt = argv[2], .checkpoint = malloc(strlen(argv[2]) + 6)};
    news last = {.status = MOPD_E_INTERNAL, .message = "no pipe or no thread"};
    pthread_t thread;
    if (!j.checkpoint || pipe(j.pipe)) return fprintf(stderr, "%s\n", last.message), 1;
    sprintf(j.checkpoint, "%s.part", argv[2]);
    if (!pthread_create(&thread, NULL, train, &j)) {
        event_loop(&j, argc == 4 ? strtoul(argv[3], NULL, 10) : 0, &last);
        pthread_join(thread, NULL);
    }
    if (last.status == MOPD_OK)
        printf("%s\n", j.prompt);
    else if (last.status == MOPD_E_CANCELLED)
        printf("stopped; the same command goes on\n");
    else
        fprintf(stderr, "%s\n", last.message);
    close(j.pipe[0]);
    close(j.pipe[1]);
    free(j.checkpoint);
    return last.status == MOPD_OK ? 0 : last.status == MOPD_E_CANCELLED ? 3 : 1;
}
