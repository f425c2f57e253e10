/* SPDX-License-Identifier: MIT
 * 13_hot_swap.c - the thirteenth lesson: a service that learns new classes and never stops answering.
 *
 *     cc 13_hot_swap.c $(pkg-config --cflags --libs mopd) -pthread -o 13_hot_swap
 *     13_hot_swap pictures/ <requests        each line a picture's path; an empty line: the folder has changed
 *
 * Four threads answer with the recogniser that is current when they begin.  A change makes a new one beside it: the
 * features of the pictures that are known stay, new pictures are encoded, and fitting takes a second.  Then the
 * pointer is exchanged.  Nothing is changed in place, so nobody waits, and the old version goes when the last
 * thread that answers with it has done so.  A folder that cannot be read changes nothing. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mopd/mopd.h>

enum { THREADS = 4, ROOM = 16 };

typedef struct version {
    mopd_dataset *pictures; /* encoded: what the next version starts from */
    mopd_recognizer *recognizer;
    unsigned number, users; /* users: threads that answer with it, and one while it is current */
} version;

typedef struct service {
    const char *folder;
    mopd_encoder *encoder;
    pthread_mutex_t lock; /* of all below; held for a few instructions, never while the library works */
    pthread_cond_t changed;
    version *current;
    char *request[ROOM]; /* a ring: n from first on */
    size_t first, n;
    int closed;
} service;

/* ---- versions ---- */

static void version_free(version *v)
{
    if (!v) return;
    mopd_recognizer_close(v->recognizer);
    mopd_dataset_close(v->pictures);
    free(v);
}

static version *version_take(service *s)
{
    pthread_mutex_lock(&s->lock);
    version *v = s->current;
    v->users++;
    pthread_mutex_unlock(&s->lock);
    return v;
}

static void version_leave(service *s, version *v)
{
    pthread_mutex_lock(&s->lock);
    int last = v && --v->users == 0;
    pthread_mutex_unlock(&s->lock);
    if (last) version_free(v);
}

/* The features are gathered, because what was known and what is new lie apart. */
static mopd_status fit(version *v, const mopd_encoder *encoder)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_status st = mopd_dataset_get_info(v->pictures, &info);
    if (st != MOPD_OK) return st;
    const size_t n = (size_t)info.n_items;
    float *features = malloc(n * info.dim * sizeof *features);
    st = features ? mopd_dataset_gather(v->pictures, 0, 1, features) : MOPD_E_NOMEM;
    if (st == MOPD_OK)
        st = mopd_recognizer_create(&v->recognizer, encoder, mopd_dataset_class_names(v->pictures),
            info.n_classes, features, mopd_dataset_labels(v->pictures), n, NULL);
    free(features);
    return st;
}

/* What the folder holds now.  SYNC: a picture that is gone is gone from the recogniser too. */
static mopd_status version_make(version *v, const service *s, const version *old)
{
    mopd_dataset *listed = NULL;
    mopd_encode_options how;
    mopd_encode_options_init(&how, sizeof how);
    how.flags = MOPD_ENCODE_SYNC;
    mopd_status st = mopd_dataset_open(&listed, s->folder, NULL);
    if (st == MOPD_OK)
        st = mopd_dataset_encode(&v->pictures, listed, old ? old->pictures : NULL, s->encoder, &how);
    if (st == MOPD_OK) st = fit(v, s->encoder);
    mopd_dataset_close(listed);
    return st;
}

/* The one writer is the thread that reads requests, so it may read `current` without the lock. */
static mopd_status version_renew(service *s)
{
    version *old = s->current, *v = calloc(1, sizeof *v);
    mopd_status st = v ? version_make(v, s, old) : MOPD_E_NOMEM;
    if (st != MOPD_OK) {
        fprintf(stderr, "%s\n", *mopd_last_error() ? mopd_last_error() : mopd_status_text(st));
        version_free(v);
        return st;
    }
    v->number = old ? old->number + 1 : 1;
    v->users = 1;
    pthread_mutex_lock(&s->lock);
    s->current = v;
    pthread_mutex_unlock(&s->lock);
    version_leave(s, old);
    return st;
}

/* ---- requests ---- */

/* The path becomes the service's; it waits while the ring is full. */
static void put(service *s, char *path)
{
    pthread_mutex_lock(&s->lock);
    while (s->n == ROOM) pthread_cond_wait(&s->changed, &s->lock);
    s->request[(s->first + s->n++) % ROOM] = path;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* The next request, to be freed; NULL: there will be none. */
static char *next(service *s)
{
    char *path = NULL;
    pthread_mutex_lock(&s->lock);
    while (s->n == 0 && !s->closed) pthread_cond_wait(&s->changed, &s->lock);
    if (s->n > 0) {
        path = s->request[s->first];
        s->first = (s->first + 1) % ROOM;
        s->n--;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return path;
}

static void answer(service *s, const char *path)
{
    version *v = version_take(s);
    mopd_image *image = NULL;
    float feature[4096]; /* D floats; models have 192 to 1280 */
    mopd_match best;
    mopd_status st = mopd_image_open(&image, path, NULL);
    if (st == MOPD_OK)
        st = mopd_encoder_encode_images(s->encoder, (const mopd_image *const *)&image, 1, feature);
    if (st == MOPD_OK) st = mopd_recognizer_top(v->recognizer, feature, 1, 1, &best);
    if (st == MOPD_OK)
        printf("version %u  %s  %s %.2f\n", v->number, path,
            mopd_recognizer_class_name(v->recognizer, best.index), (double)best.probability);
    else
        fprintf(stderr, "%s\n", mopd_last_error());
    mopd_image_close(image);
    version_leave(s, v);
}

static void *work(void *context)
{
    for (char *path; (path = next(context)); free(path)) answer(context, path);
    return NULL;
}

/* Lines of standard input until its end. */
static void read_requests(service *s)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *path = *line ? strdup(line) : NULL;
        if (path)
            put(s, path);
        else if (!*line)
            version_renew(s);
    }
    pthread_mutex_lock(&s->lock);
    s->closed = 1;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

int main(int argc, char **argv)
{
    if (argc != 2) return fprintf(stderr, "usage: %s PICTURES <REQUESTS\n", argv[0]), 2;
    service s = {.folder = argv[1], .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    pthread_t thread[THREADS];
    size_t n = 0;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* an answer at once, also into a file */
    mopd_status st = mopd_encoder_open(&s.encoder, NULL, NULL);
    if (st != MOPD_OK) fprintf(stderr, "%s\n", mopd_last_error());
    if (st == MOPD_OK) st = version_renew(&s);
    while (st == MOPD_OK && n < THREADS && !pthread_create(&thread[n], NULL, work, &s)) n++;
    if (n > 0)
        read_requests(&s);
    else if (st == MOPD_OK)
        fprintf(stderr, "no thread can be started\n");
    const int served = n > 0;
    while (n > 0) pthread_join(thread[--n], NULL);
    version_leave(&s, s.current);
    mopd_encoder_close(s.encoder);
    return served ? 0 : 1;
}
