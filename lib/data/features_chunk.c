/* SPDX-License-Identifier: MIT
 * features_chunk.c - pictures read, hashed, decoded and preprocessed side by side, some at a time, and encoded
 * in one batch.
 *
 * View v of a picture is drawn from (seed, content hash, v) alone, so its features do not depend on what else
 * is encoded, or when: content that was encoded before is not decoded again.  Items go in order, so the first
 * bad one is named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "data/features.h"
#include "format/image_decode.h"

#define CHUNK_PIXELS ((size_t)64 << 20) /* bytes of prepared pixels at a time, one picture at least */
#define CHUNK_MOST 64

/* What is not in the journal yet is lost when the process is killed: chunks are to take some seconds, whatever the
 * model.  They begin small. */
#define CHUNK_FIRST 4
#define QUICK_SECONDS 4
#define SLOW_SECONDS 15

/* One picture of the current chunk, filled by a worker. */
typedef struct slot {
    const char *file;
    bool plain;                     /* the plain picture is wanted, not several views */
    size_t n_views;                 /* rows of pixels: 1, or V when they differ */
    float *pixels;                  /* n_views x 3 x S x S; NULL: the hash alone is wanted */
    const mo_features_entry *found; /* features of this content that are there already */
    mopd_status st;
    bool cut; /* 16-bit grey above 255 became white */
    char hash[65];
    char message[MO_FAIL_BYTES];
} slot;

typedef struct chunk {
    mo_features_job *job;
    size_t n_most;      /* pictures in a chunk */
    size_t pixels_each; /* floats of one view: 3 x S x S */
    slot *slots;        /* n_most */
    float *pixels;      /* of all slots, one behind the other */
    float *encoded;     /* n_most x V x D */
} chunk;

/* View v of the picture with this content. */
static uint64_t view_seed(uint64_t seed, const char *hash, uint64_t view)
{
    char digits[17] = {0};
    memcpy(digits, hash, 16);
    return mo_rng_mix(mo_rng_mix(seed, strtoull(digits, NULL, 16)), view);
}

static mopd_status prepare(const chunk *c, slot *s)
{
    mo_buf file = {0};
    mo_image picture = {0};
    s->cut = false;
    mopd_status st = mo_image_read(&file, s->file);
    if (st != MOPD_OK) return st;
    mo_sha256_of(s->hash, file.data, file.size);
    s->found = s->pixels ? mo_features_cache_take(&c->job->cache, s->hash, s->plain) : NULL;
    const bool decode = s->pixels && !s->found;
    if (decode) {
        st = mo_image_decode(&picture, file.data, file.size, &c->job->encoder->rules);
        if (st != MOPD_OK) st = mo_fail_at(st, "%s", s->file);
    }
    mo_buf_free(&file);
    const mo_features_job *j = c->job;
    const mo_pixels *settings = &j->encoder->config.pixels;
    for (size_t v = 0; v < s->n_views && decode && st == MOPD_OK; v++) {
        float *out = s->pixels + v * c->pixels_each;
        uint64_t seed = view_seed(j->options->seed, s->hash, j->options->first_view + v);
        st = s->plain || j->fixed ? mo_pixels_fixed(settings, &picture, s->plain ? 0 : v, out)
                                  : mo_pixels_view(settings, &picture, seed, out);
        if (st != MOPD_OK) st = mo_fail_at(st, "%s", s->file);
    }
    s->cut = picture.cut;
    mo_image_free(&picture);
    return st;
}

static void prepare_task(void *context, size_t task)
{
    const chunk *c = context;
    slot *s = c->slots + task;
    s->st = prepare(c, s);
    if (s->st != MOPD_OK) snprintf(s->message, sizeof s->message, "%s", mo_fail_message());
}

/* Tells the caller of item `done` - 1.  A bad picture is left out, or ends the encoding. */
static mopd_status report(mo_features_job *j, const slot *s, size_t done)
{
    const mopd_encode_options *o = j->options;
    size_t total = j->data->n;
    bool bad = s->st != MOPD_OK;
    if (bad && (s->st == MOPD_E_NOMEM || !(o->flags & MOPD_ENCODE_SKIP_BAD)))
        return mo_fail(s->st, "%s", s->message);
    o->counts->n_bad += bad;
    if (!o->fn || !o->fn(o->context, done, total, bad ? s->file : NULL, bad ? s->message : NULL))
        return MOPD_OK;
    j->cancelled = true;
    return mo_fail(MOPD_E_CANCELLED, "cancelled after %zu of %zu pictures", done, total);
}

/* Whether a slot holds pixels that can be encoded. */
static bool has_pixels(const slot *s)
{
    return s->st == MOPD_OK && s->pixels && !s->found;
}

/* The pixels of good pictures, moved together; returns how many views they are. */
static size_t close_gaps(chunk *c, size_t n)
{
    size_t views = 0;
    for (size_t i = 0; i < n; i++) {
        const slot *s = c->slots + i;
        if (!has_pixels(s)) continue;
        memmove(c->pixels + views * c->pixels_each, s->pixels, s->n_views * c->pixels_each * sizeof(float));
        views += s->n_views;
    }
    return views;
}

/* Features of a picture that are there already. */
static void take_found(const mo_features_job *j, const slot *s, float *out)
{
    memcpy(out, s->found->features, j->n_views * j->dim * sizeof *out);
    j->options->counts->n_resumed += s->found->item == SIZE_MAX;
}

/* Features of a picture whose first is at `encoded`; a plain one stands for all its views. */
static mopd_status take_encoded(const mo_features_job *j, const slot *s, const float *encoded, float *out)
{
    for (size_t v = 0; v < j->n_views; v++)
        memcpy(out + v * j->dim, encoded + (s->plain ? 0 : v) * j->dim, j->dim * sizeof *out);
    j->options->counts->n_encoded++;
    return j->journal ? mo_journal_add(j->journal, s->hash, s->plain, out) : MOPD_OK;
}

/* The features of a chunk's good pictures, items first .. first + n - 1. */
static mopd_status encode_chunk(chunk *c, size_t first, size_t n)
{
    mo_features_job *j = c->job;
    size_t views = close_gaps(c, n), at = 0;
    mopd_status st = views ? mo_encoder_pixels(j->encoder, c->pixels, views, c->encoded, NULL) : MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        const slot *s = c->slots + i;
        float *out = j->features + (first + i) * j->n_views * j->dim;
        if (s->st == MOPD_OK && s->pixels && s->found) take_found(j, s, out);
        if (!has_pixels(s)) continue;
        st = take_encoded(j, s, c->encoded + at * j->dim, out);
        at += s->n_views;
    }
    return st == MOPD_OK && j->journal ? mo_journal_flush(j->journal) : st;
}

/* What is wanted of items first .. first + n - 1. */
static void fill_slots(chunk *c, size_t first, size_t n)
{
    const mo_features_job *j = c->job;
    float *next = c->pixels;
    for (size_t i = 0; i < n; i++) {
        slot *s = c->slots + i;
        s->file = mo_features_row(j->data, first + i)->file;
        s->plain = mo_features_is_plain(j->augmented || j->fixed, mo_features_row(j->data, first + i)->split);
        s->n_views = s->plain ? 1 : j->n_views;
        s->pixels = mo_features_is_known(j, first + i) ? NULL : next;
        if (s->pixels) next += s->n_views * c->pixels_each;
    }
}

static mopd_status run_chunk(chunk *c, size_t first, size_t n)
{
    mo_features_job *j = c->job;
    fill_slots(c, first, n);
    mo_pool_run(j->encoder->pool, n, prepare_task, c);
    mopd_status st = encode_chunk(c, first, n);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        const slot *s = c->slots + i;
        size_t item = first + i;
        bool good = s->st == MOPD_OK;
        if (good) st = mo_features_meet(j, item, s->hash);
        if (st != MOPD_OK) break;
        if (good) memcpy(j->hash[item], s->hash, sizeof j->hash[item]);
        if (good && s->cut && !j->n_cut++) j->first_cut = mo_features_row(j->data, item)->path;
        st = report(j, s, item + 1);
    }
    return st;
}

static mopd_status open_chunk(chunk *c, mo_features_job *j)
{
    size_t side = j->encoder->config.image, each, views, floats;
    mopd_status st = mo_encoder_check_picture(j->encoder);
    if (st != MOPD_OK) return st;
    *c = (chunk){.job = j, .pixels_each = 3 * side * side};
    if (!mo_mul(c->pixels_each * sizeof(float), j->n_views, &each))
        return mo_fail(MOPD_E_ARG, "%zu views are too many", j->n_views);
    c->n_most = mo_min(CHUNK_PIXELS / each, CHUNK_MOST);
    if (!c->n_most) c->n_most = 1;
    views = c->n_most * j->n_views;
    if (!mo_mul(views, c->pixels_each, &floats))
        return mo_fail(MOPD_E_ARG, "%zu views are too many", j->n_views);
    c->slots = mo_mem_calloc(c->n_most, sizeof *c->slots);
    c->pixels = mo_mem_alloc(floats, sizeof(float));
    c->encoded = mo_mem_alloc(mo_times(views, j->dim), sizeof(float));
    return c->slots && c->pixels && c->encoded ? MOPD_OK : MOPD_E_NOMEM;
}

static void close_chunk(chunk *c)
{
    mo_mem_free(c->encoded);
    mo_mem_free(c->pixels);
    mo_mem_free(c->slots);
}

/* How many pictures come next.  No feature depends on it. */
static size_t next_step(const chunk *c, size_t step, double seconds)
{
    if (seconds < QUICK_SECONDS) return mo_min(2 * step, c->n_most);
    return seconds > SLOW_SECONDS ? mo_max(step / 2, 1) : step;
}

mopd_status mo_features_read(mo_features_job *j)
{
    size_t n = j->data->n, floats;
    if (!mo_mul(n, j->n_views * j->dim, &floats))
        return mo_fail(MOPD_E_ARG, "%zu views are too many", j->n_views);
    j->features = mo_mem_alloc(floats, sizeof(float));
    j->hash = mo_mem_calloc(n, sizeof *j->hash);
    if (!j->features || !j->hash) return MOPD_E_NOMEM;
    chunk c = {0};
    mopd_status st = open_chunk(&c, j);
    size_t step = j->journal ? mo_min(CHUNK_FIRST, c.n_most) : c.n_most, taken;
    for (size_t first = 0; first < n && st == MOPD_OK; first += taken) {
        const double start = mo_os_clock();
        taken = mo_min(n - first, step);
        st = run_chunk(&c, first, taken);
        if (j->journal) step = next_step(&c, step, mo_os_clock() - start);
    }
    close_chunk(&c);
    return st;
}
