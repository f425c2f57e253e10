/* SPDX-License-Identifier: MIT
 * encoder_files.c - picture files through the tower: some threads decode ahead while the caller's encodes.
 *
 *     decoders   take the next file, as long as it is less than two batches ahead of what was handed out; fill its slot
 *     caller     waits for the next batch of slots, encodes them, hands the results out in order, frees the slots
 *
 * Without a thread to be had the caller decodes itself. */
#include <fenv.h>
#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/os_thread.h"
#include "layer/l2.h"
#include "model/encoder.h"
#include "format/image_decode.h"

enum { MOST_BATCH = 16, MAX_DECODERS = 16 };

typedef struct slot {
    bool done, cut; /* cut: 16-bit grey above 255 became white */
    mopd_status st;
    char message[MO_FAIL_BYTES];
} slot;

typedef struct stream {
    const mopd_encoder *encoder;
    const char *const *paths;
    size_t n;
    size_t batch; /* fewer than MOST_BATCH where pictures are so large that they would take too much memory */
    float *pixels; /* 2 batch x floats */
    size_t floats;
    slot *slots; /* 2 batch */
    mo_os_mutex lock;
    mo_os_cond filled, freed;
    size_t next, limit; /* the next file to decode; files from here on must wait */
    bool stop;
} stream;

/* Where file i is decoded to. */
static size_t slot_of(const stream *s, size_t i)
{
    return i % (2 * s->batch);
}

static void decode(stream *s, size_t i)
{
    slot *to = &s->slots[slot_of(s, i)];
    float *pixels = s->pixels + slot_of(s, i) * s->floats;
    mo_image picture = {0};
    mopd_status st = s->paths[i] ? mo_image_decode_file(&picture, s->paths[i], &s->encoder->rules)
                                 : mo_fail(MOPD_E_ARG, "the path is NULL");
    if (st == MOPD_OK) {
        st = mo_pixels_run(&s->encoder->config.pixels, &picture, pixels);
        if (st != MOPD_OK) mo_fail_at(st, "%s", s->paths[i]);
    }
    to->cut = picture.cut;
    mo_image_free(&picture);
    if (st != MOPD_OK) {
        memset(pixels, 0, s->floats * sizeof *pixels);
        strcpy(to->message, mo_fail_message());
    }
    to->st = st;
}

static void *decoder(void *ctx)
{
    stream *s = ctx;
    fesetenv(FE_DFL_ENV);
    mo_os_mutex_lock(&s->lock);
    for (;;) {
        while (!s->stop && s->next < s->n && s->next >= s->limit) mo_os_cond_wait(&s->freed, &s->lock);
        if (s->stop || s->next >= s->n) break;
        size_t i = s->next++;
        mo_os_mutex_unlock(&s->lock);
        decode(s, i);
        mo_os_mutex_lock(&s->lock);
        s->slots[slot_of(s, i)].done = true;
        mo_os_cond_wake_one(&s->filled);
    }
    mo_os_mutex_unlock(&s->lock);
    return NULL;
}

/* Waits until files first .. first+n-1 are decoded, or decodes them when nobody does. */
static void wait_for(stream *s, size_t first, size_t n, size_t n_decoders)
{
    for (size_t i = first; i < first + n; i++) {
        if (n_decoders == 0) {
            decode(s, i);
            continue;
        }
        mo_os_mutex_lock(&s->lock);
        while (!s->slots[slot_of(s, i)].done) mo_os_cond_wait(&s->filled, &s->lock);
        s->slots[slot_of(s, i)].done = false;
        mo_os_mutex_unlock(&s->lock);
    }
}

static void give_back(stream *s, size_t n)
{
    mo_os_mutex_lock(&s->lock);
    s->limit += n;
    mo_os_cond_wake_all(&s->freed);
    mo_os_mutex_unlock(&s->lock);
}

/* Hands one result to the caller; its feature is normalised here. */
static int hand_out(const stream *s, size_t i, float *feature, mopd_encoded_fn fn, void *context)
{
    const slot *from = &s->slots[slot_of(s, i)];
    size_t dim = s->encoder->config.dim;
    float norm;
    if (from->st != MOPD_OK) return fn(context, i, from->st, from->message, NULL);
    mo_l2_fwd(feature, feature, &norm, 1, dim);
    if (!(norm > 0) || !isfinite(norm))
        return fn(context, i, MOPD_E_NUMERIC, "the feature is zero or not finite", NULL);
    return fn(context, i, MOPD_OK,
        from->cut ? "16-bit grey, all of which above 255 is read as white: bring it to 8 bits" : "", feature);
}

static mopd_status run(stream *s, size_t n_decoders, float *features, mopd_encoded_fn fn, void *context)
{
    size_t dim = s->encoder->config.dim;
    for (size_t first = 0; first < s->n; first += s->batch) {
        size_t n = mo_min(s->n - first, s->batch);
        wait_for(s, first, n, n_decoders);
        mopd_status st =
            mo_encoder_pixels_raw(s->encoder, s->pixels + slot_of(s, first) * s->floats, n, features);
        if (st != MOPD_OK) return st;
        for (size_t i = 0; i < n; i++)
            if (hand_out(s, first + i, features + i * dim, fn, context))
                return mo_fail(
                    MOPD_E_CANCELLED, "stopped by the caller after %zu of %zu pictures", first + i + 1, s->n);
        give_back(s, n);
    }
    return MOPD_OK;
}

static mopd_status stream_open(stream *s)
{
    size_t side = s->encoder->config.image;
    mopd_status st = mo_encoder_check_picture(s->encoder);
    if (st != MOPD_OK) return st;
    s->floats = 3 * side * side;
    s->batch = mo_encoder_at_once(s->encoder, MOST_BATCH, 2);
    s->limit = 2 * s->batch;
    s->pixels = mo_mem_alloc(s->limit * s->floats, sizeof *s->pixels);
    s->slots = mo_mem_calloc(s->limit, sizeof *s->slots);
    return s->pixels && s->slots ? MOPD_OK : MOPD_E_NOMEM;
}

mopd_status mo_encoder_files(
    const mopd_encoder *encoder, const char *const *paths, size_t n, mopd_encoded_fn fn, void *context)
{
    stream s = {.encoder = encoder, .paths = paths, .n = n};
    mo_os_thread thread[MAX_DECODERS];
    size_t wanted = mo_pool_threads(encoder->pool), n_threads = 0;
    float *features = mo_mem_alloc(MOST_BATCH * (size_t)encoder->config.dim, sizeof *features);
    mopd_status st = features ? stream_open(&s) : MOPD_E_NOMEM;
    if (st != MOPD_OK) goto done;
    mo_os_mutex_init(&s.lock);
    mo_os_cond_init(&s.filled);
    mo_os_cond_init(&s.freed);
    if (wanted > MAX_DECODERS) wanted = MAX_DECODERS;
    if (wanted > n) wanted = n;
    while (n_threads < wanted && n > 1 && !mo_os_thread_start(&thread[n_threads], decoder, &s)) n_threads++;
    st = run(&s, n_threads, features, fn, context);
    mo_os_mutex_lock(&s.lock);
    s.stop = true;
    mo_os_cond_wake_all(&s.freed);
    mo_os_mutex_unlock(&s.lock);
    for (size_t i = 0; i < n_threads; i++) mo_os_thread_join(thread[i]);
    mo_os_cond_end(&s.freed);
    mo_os_cond_end(&s.filled);
    mo_os_mutex_end(&s.lock);
done:
    mo_mem_free(s.slots);
    mo_mem_free(s.pixels);
    mo_mem_free(features);
    return st;
}
