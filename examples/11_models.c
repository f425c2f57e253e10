/* SPDX-License-Identifier: MIT
 * 11_models.c - the eleventh lesson: many models side by side, and which of them is best for your pictures.
 *
 *     cc 11_models.c $(pkg-config --cflags --libs mopd) -pthread -o 11_models
 *     11_models pictures/ ViT-B-32/ ViT-B-16.pt packed.safetensors
 *
 * Models do not know of each other: each is opened, used and closed on a thread of its own here, all at the same
 * time.  With one thread for each encoder they share the processors out by themselves.  A feature belongs to the
 * model that made it, so each has its own bank and its own features of the same pictures.  Closing an encoder gives
 * back its weights, threads and files; what is kept of it are four numbers. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <mopd/mopd.h>

typedef struct entry {
    const mopd_dataset *pictures; /* listed once, read by all */
    const char *path;             /* of the model */
    mopd_encoder_info model;
    size_t n, n_right;
    mopd_status status;
    char message[300];
    pthread_t thread;
} entry;

/* Zero-shot: how many of n encoded pictures lie nearest to the name of their own class. */
static mopd_status count_right(entry *e, const mopd_dataset *encoded, const mopd_bank *bank)
{
    const int32_t *labels = mopd_dataset_labels(encoded);
    mopd_match best;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; st == MOPD_OK && i < e->n; i++) {
        st = mopd_bank_top(bank, mopd_dataset_feature(encoded, i, 0), 1, 1, &best);
        if (st == MOPD_OK && (int32_t)best.index == labels[i]) e->n_right++;
    }
    return st;
}

static mopd_status measure(entry *e)
{
    mopd_encoder *encoder = NULL;
    mopd_encoder_options options;
    mopd_dataset *encoded = NULL;
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_bank *bank = NULL;
    mopd_encoder_options_init(&options, sizeof options);
    options.n_threads = 1;
    mopd_status st = mopd_encoder_open(&encoder, e->path, &options);
    if (st == MOPD_OK) st = mopd_encoder_get_info(encoder, &e->model);
    if (st == MOPD_OK) st = mopd_dataset_encode(&encoded, e->pictures, NULL, encoder, NULL);
    if (st == MOPD_OK) st = mopd_dataset_get_info(encoded, &info);
    if (st == MOPD_OK)
        st = mopd_bank_create(&bank, encoder, mopd_dataset_class_names(encoded), info.n_classes, NULL, 0);
    mopd_encoder_close(encoder); /* banks and features are copies */
    e->n = (size_t)info.n_items;
    if (st == MOPD_OK) st = count_right(e, encoded, bank);
    mopd_bank_free(bank);
    mopd_dataset_close(encoded);
    return st;
}

static void *work(void *context)
{
    entry *e = context;
    e->status = measure(e);
    if (e->status != MOPD_OK) snprintf(e->message, sizeof e->message, "%s", mopd_last_error());
    return NULL;
}

/* All models at once; those for which there is no thread, afterwards on this one. */
static void measure_all(entry *e, size_t n)
{
    size_t started = 0;
    while (started < n && !pthread_create(&e[started].thread, NULL, work, &e[started])) started++;
    for (size_t i = started; i < n; i++) work(&e[i]);
    for (size_t i = 0; i < started; i++) pthread_join(e[i].thread, NULL);
}

static int print_all(const entry *e, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        if (e[i].status == MOPD_OK)
            printf("%s  D %u, %.1f million parameters, %.1f %% right\n", e[i].path, (unsigned)e[i].model.dim,
                (double)e[i].model.n_parameters / 1e6, 100.0 * (double)e[i].n_right / (double)e[i].n);
        else
            fprintf(stderr, "%s\n", e[i].message);
        if (e[i].status != MOPD_OK) failed = 1;
    }
    return failed;
}

int main(int argc, char **argv)
{
    if (argc < 3) return fprintf(stderr, "usage: %s PICTURES MODEL...\n", argv[0]), 2;
    size_t n = (size_t)argc - 2;
    mopd_dataset *pictures = NULL;
    entry *e = calloc(n, sizeof *e);
    if (!e || mopd_dataset_open(&pictures, argv[1], NULL) != MOPD_OK) {
        fprintf(stderr, "%s\n", e ? mopd_last_error() : "out of memory");
        free(e);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        e[i].pictures = pictures;
        e[i].path = argv[2 + i];
        e[i].model.struct_size = sizeof e[i].model;
    }
    measure_all(e, n);
    int failed = print_all(e, n);
    mopd_dataset_close(pictures);
    free(e);
    return failed;
}
