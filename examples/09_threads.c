/* SPDX-License-Identifier: MIT
 * 09_threads.c - the ninth lesson: a server's threads ask one model at the same time.
 *
 *     cc 09_threads.c $(pkg-config --cflags --libs mopd) -pthread -o 09_threads
 *     09_threads 8 cat dog "cup of coffee" -- *.jpg
 *
 * An encoder and a bank never change, so any number of threads may use them without a lock.  Each thread takes
 * the next picture that nobody has, and writes into that picture's own place.  Where the host has enough threads
 * of its own, the encoder gets one thread: each call then runs on its caller's alone.  What an answer is depends
 * neither on these numbers nor on who was quicker. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mopd/mopd.h>

typedef struct answer {
    mopd_status status;
    mopd_match best;
    char message[300]; /* of a failure: mopd_last_error belongs to the thread that failed */
} answer;

typedef struct server {
    const mopd_encoder *encoder;
    const mopd_bank *bank;
    char **path; /* n pictures */
    answer *answer;
    size_t n;
    atomic_size_t next; /* the first picture that nobody has taken */
} server;

static void classify(const server *s, const char *path, answer *a)
{
    mopd_image *image = NULL;
    float feature[4096]; /* D floats; models have 192 to 1280 */
    a->status = mopd_image_open(&image, path, NULL);
    if (a->status == MOPD_OK)
        a->status = mopd_encoder_encode_images(s->encoder, (const mopd_image *const *)&image, 1, feature);
    if (a->status == MOPD_OK) a->status = mopd_bank_top(s->bank, feature, 1, 1, &a->best);
    if (a->status != MOPD_OK) snprintf(a->message, sizeof a->message, "%s", mopd_last_error());
    mopd_image_close(image);
}

static void *work(void *context)
{
    server *s = context;
    for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->n;) classify(s, s->path[i], &s->answer[i]);
    return NULL;
}

/* Threads that cannot be started are done without: the caller works too. */
static void work_all(server *s, size_t n_threads)
{
    pthread_t thread[64];
    size_t n = 0;
    while (n + 1 < n_threads && !pthread_create(&thread[n], NULL, work, s)) n++;
    work(s);
    while (n > 0) pthread_join(thread[--n], NULL);
}

static mopd_status print_all(const server *s)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < s->n; i++) {
        const answer *a = &s->answer[i];
        if (a->status == MOPD_OK)
            printf("%s  %s %.2f\n", s->path[i], mopd_bank_class_name(s->bank, a->best.index),
                (double)a->best.probability);
        else
            fprintf(stderr, "%s\n", a->message);
        if (a->status != MOPD_OK) st = a->status;
    }
    return st;
}

int main(int argc, char **argv)
{
    size_t n_threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, n_classes = 0;
    while (2 + n_classes < (size_t)argc && strcmp(argv[2 + n_classes], "--") != 0) n_classes++;
    if (n_threads - 1 >= 64 || n_classes == 0 || 3 + n_classes >= (size_t)argc)
        return fprintf(stderr, "usage: %s THREADS CLASS... -- PICTURE...\n", argv[0]), 2;
    mopd_encoder *encoder = NULL;
    mopd_bank *bank = NULL;
    mopd_encoder_options options;
    mopd_encoder_options_init(&options, sizeof options);
    options.n_threads = 1;

    mopd_status st = mopd_encoder_open(&encoder, NULL, &options);
    if (st == MOPD_OK)
        st = mopd_bank_create(&bank, encoder, (const char *const *)argv + 2, n_classes, NULL, 0);
    server s = {
        .encoder = encoder, .bank = bank, .path = argv + 3 + n_classes, .n = (size_t)argc - 3 - n_classes};
    s.answer = calloc(s.n, sizeof *s.answer);
    if (st == MOPD_OK && s.answer) {
        work_all(&s, n_threads);
        st = print_all(&s);
    } else {
        fprintf(stderr, "%s\n", st == MOPD_OK ? "out of memory" : mopd_last_error());
        st = MOPD_E_NOMEM;
    }
    free(s.answer);
    mopd_bank_free(bank);
    mopd_encoder_close(encoder);
    return st == MOPD_OK ? 0 : 1;
}
