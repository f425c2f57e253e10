/* SPDX-License-Identifier: MIT
 * 06_train_mpi.c - the sixth lesson: one training on many processes or machines, over MPI.
 *
 *     mpicc 06_train_mpi.c $(pkg-config --cflags --libs mopd) -o 06_train_mpi
 *     mpirun -n 2 06_train_mpi pictures/ prompt.safetensors       a folder, a CSV or a feature store
 *
 * Two things cost time: encoding pictures, once, and the text tower, in every step.  Pictures are shared out
 * here, and their features added up, each rank's rows being zero where others encode.  Classes are shared
 * out by the trainer: it asks for sums over all ranks, and each rank then holds the same prompt, the one a
 * single process learns.
 *
 * A rank that fails on its own must not leave the others waiting: inside the trainer they are told, elsewhere
 * MPI_Abort ends them. */
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mopd/mopd.h>

typedef struct world {
    int rank, ranks;
} world;

/* Each value becomes its sum over all ranks.  MPI promises the same result to all. */
static mopd_status add_up(void *context, double *values, size_t n)
{
    (void)context;
    for (size_t at = 0, part; at < n; at += part) { /* MPI counts in int */
        part = n - at < INT_MAX ? n - at : INT_MAX;
        if (MPI_Allreduce(MPI_IN_PLACE, values + at, (int)part, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD) !=
            MPI_SUCCESS)
            return MOPD_E_IO;
    }
    return MOPD_OK;
}

/* The 16 pictures a class that are learned from. */
static mopd_status open_pictures(mopd_dataset **few, const char *path)
{
    mopd_dataset *all = NULL;
    mopd_selection choice;
    mopd_selection_init(&choice, sizeof choice);
    choice.split = MOPD_SPLIT_TRAIN;
    choice.shots = 16;
    mopd_status st = mopd_dataset_open(&all, path, NULL);
    if (st == MOPD_OK) st = mopd_dataset_select(few, all, &choice);
    mopd_dataset_close(all);
    return st;
}

/* features, n x dim: rows rank, rank + ranks, rank + 2 ranks ... are encoded here; the other rows are 0. */
static mopd_status encode_share(const world *w, const mopd_encoder *encoder, const mopd_dataset *data,
    size_t n, size_t dim, float *features)
{
    mopd_dataset *part = NULL, *encoded = NULL;
    size_t *own = malloc(n * sizeof *own), n_own = 0;
    if (!own) return MOPD_E_NOMEM;
    for (size_t i = (size_t)w->rank; i < n; i += (size_t)w->ranks) own[n_own++] = i;
    mopd_status st = n_own ? mopd_dataset_pick(&part, data, own, n_own, 0) : MOPD_OK;
    if (st == MOPD_OK && n_own) st = mopd_dataset_encode(&encoded, part, NULL, encoder, NULL);
    for (size_t i = 0; i < n_own && st == MOPD_OK; i++)
        memcpy(features + own[i] * dim, mopd_dataset_feature(encoded, i, 0), dim * sizeof *features);
    mopd_dataset_close(encoded);
    mopd_dataset_close(part);
    free(own);
    return st;
}

/* Rank 0 tells what an epoch did. */
static int show(void *context, const mopd_epoch *e)
{
    const world *w = context;
    if (!w->rank)
        printf("epoch %2u  loss %.4f  accuracy %.1f %%  %.2f steps/s\n", (unsigned)e->epoch, e->loss,
            e->accuracy, (double)e->n_steps / e->seconds);
    return 0;
}

static mopd_status learn(
    world *w, const mopd_encoder *encoder, const mopd_dataset *data, const float *features, const char *path)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_trainer_options options;
    mopd_run run;
    mopd_trainer *trainer = NULL;
    mopd_prompt *prompt = NULL;
    mopd_dataset_get_info(data, &info);
    mopd_trainer_options_init(&options, sizeof options);
    options.rank = (uint32_t)w->rank;
    options.ranks = (uint32_t)w->ranks;
    options.reduce = add_up;
    mopd_run_init(&run, sizeof run);
    run.n = info.n_items;
    run.features = features; /* the same on all ranks, to the bit: they were added up */
    run.labels = mopd_dataset_labels(data);
    run.on_epoch = show;
    run.epoch_context = w;

    mopd_status st =
        mopd_trainer_create(&trainer, encoder, mopd_dataset_class_names(data), info.n_classes, &options);
    if (st == MOPD_OK) st = mopd_trainer_run(trainer, &run);
    if (st == MOPD_OK && !w->rank) st = mopd_prompt_create_trainer(&prompt, trainer);
    if (st == MOPD_OK && !w->rank) st = mopd_prompt_save(prompt, path); /* all hold the same: one writes */
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    return st;
}

static mopd_status work(world *w, const mopd_encoder *encoder, const mopd_dataset *data, const char *path)
{
    mopd_encoder_info model = {.struct_size = sizeof model};
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_encoder_get_info(encoder, &model);
    mopd_dataset_get_info(data, &info);
    size_t n = info.n_items, dim = model.dim;
    float *features = calloc(n, dim * sizeof *features);
    if (!features) return MOPD_E_NOMEM;
    double start = MPI_Wtime();
    mopd_status st = encode_share(w, encoder, data, n, dim, features);
    if (st == MOPD_OK) {
        for (size_t i = 0; i < n; i++)
            MPI_Allreduce(MPI_IN_PLACE, features + i * dim, (int)dim, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        if (!w->rank)
            printf("%d processes, %u classes, %zu pictures, %.1f pictures/s\n", w->ranks,
                (unsigned)info.n_classes, n, (double)n / (MPI_Wtime() - start));
        st = learn(w, encoder, data, features, path);
    }
    free(features);
    return st;
}

int main(int argc, char **argv)
{
    world w;
    int provided;
    mopd_encoder *encoder = NULL; /* has as many threads as mpirun gave processors to this process */
    mopd_dataset *data = NULL;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided); /* callbacks come on the calling thread */
    MPI_Comm_rank(MPI_COMM_WORLD, &w.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &w.ranks);
    if (argc != 3) {
        if (!w.rank) fprintf(stderr, "usage: mpirun -n N %s DATA PROMPT\n", argv[0]);
        MPI_Finalize();
        return 2;
    }
    mopd_status st = mopd_encoder_open(&encoder, NULL, NULL);
    if (st == MOPD_OK) st = open_pictures(&data, argv[1]);
    if (st == MOPD_OK) st = work(&w, encoder, data, argv[2]);
    if (st != MOPD_OK) {
        fprintf(stderr, "rank %d of %d: %s\n", w.rank, w.ranks,
            *mopd_last_error() ? mopd_last_error() : mopd_status_text(st));
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    if (!w.rank) printf("%s\n", argv[2]);
    mopd_dataset_close(data);
    mopd_encoder_close(encoder);
    MPI_Finalize();
    return 0;
}
