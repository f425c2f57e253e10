/* SPDX-License-Identifier: MIT
 * features.c - a dataset's pictures through the vision tower, once, joined to what a store holds already.
 *
 * Chunks of pictures are read, hashed, decoded and preprocessed side by side, then encoded in one batch.
 * View v of a picture is drawn from (seed, content hash, v) alone, so its features do not depend on what
 * else is encoded, or when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "data/dataset.h"
#include "format/json.h"
#include "model/encoder.h"
#include "format/image_decode.h"

#define CHUNK_PIXELS ((size_t)64 << 20) /* bytes of prepared pixels at a time, one picture at least */
#define CHUNK_MOST 64
#define MESSAGE_BYTES 512

/* One picture of the current chunk, filled by a worker. */
typedef struct slot {
    const char *file;
    size_t n_views; /* rows of pixels: 1, or V when they differ */
    bool plain;
    float *pixels;
    mopd_status st;
    char hash[65];
    char message[MESSAGE_BYTES];
} slot;

typedef struct job {
    const mopd_dataset *data, *known;
    const mopd_encoder *encoder;
    const mopd_encode_options *options;
    size_t n_views, dim; /* of the result: V at least 1 */
    bool augmented;
    size_t *in_known; /* per item of data: its item in known, SIZE_MAX when it is new */
    float *features;  /* per item of data, n_views x dim; rows of bad ones are void */
    char (*hash)[65]; /* per item of data, "" when bad */
    size_t n_done, n_total;
    bool cancelled;
    size_t pixels_each; /* floats of one picture's view */
    slot *slots;
    float *pixels, *encoded;
    size_t n_slots;
} job;

static const mo_dataset_row *row_of(const mopd_dataset *d, size_t i)
{
    return d->source->row + d->row[i];
}

/* View v of the picture with this content. */
static uint64_t view_seed(uint64_t seed, const char *hash, uint64_t view)
{
    char digits[17] = {0};
    memcpy(digits, hash, 16);
    return mo_rng_mix(mo_rng_mix(seed, strtoull(digits, NULL, 16)), view);
}

static mopd_status prepare(const job *j, slot *s)
{
    mo_map map;
    mo_image picture = {0};
    mo_sha256 sha;
    mopd_status st = mo_map_open(&map, s->file, true);
    if (st != MOPD_OK) return st;
    mo_sha256_init(&sha);
    mo_sha256_add(&sha, map.data, map.size);
    mo_sha256_hex(&sha, s->hash);
    if (s->pixels) {
        st = mo_image_decode(&picture, map.data, map.size, 0);
        if (st != MOPD_OK) st = mo_fail_at(st, "%s", s->file);
    }
    mo_map_close(&map);
    const mo_pixels *settings = &j->encoder->config.pixels;
    for (size_t v = 0; v < s->n_views && s->pixels && st == MOPD_OK; v++) {
        float *out = s->pixels + v * j->pixels_each;
        uint64_t seed = view_seed(j->options->seed, s->hash, j->options->first_view + v);
        st =
            s->plain ? mo_pixels_run(settings, &picture, out) : mo_pixels_view(settings, &picture, seed, out);
        if (st != MOPD_OK) st = mo_fail_at(st, "%s", s->file);
    }
    mo_image_free(&picture);
    return st;
}

static void prepare_task(void *ctx, size_t task)
{
    job *j = ctx;
    slot *s = j->slots + task;
    s->st = prepare(j, s);
    if (s->st != MOPD_OK) snprintf(s->message, sizeof s->message, "%s", mo_fail_message());
}

static bool wants_plain(const job *j, size_t item)
{
    int32_t split = row_of(j->data, item)->split;
    return !j->augmented || split == MOPD_SPLIT_VAL || split == MOPD_SPLIT_TEST;
}

/* A bad picture: told and left out, or the end. */
static mopd_status report(job *j, const slot *s, size_t item)
{
    bool bad = s->st != MOPD_OK;
    if (bad && (s->st == MOPD_E_NOMEM || !(j->options->flags & MOPD_ENCODE_SKIP_BAD)))
        return mo_fail(s->st, "%s", s->message);
    if (bad) j->hash[item][0] = 0;
    j->n_done++;
    if (!j->options->fn) return MOPD_OK;
    if (!j->options->fn(
            j->options->context, j->n_done, j->n_total, bad ? s->file : NULL, bad ? s->message : NULL))
        return MOPD_OK;
    j->cancelled = true;
    return mo_fail(MOPD_E_CANCELLED, "cancelled after %zu of %zu pictures", j->n_done, j->n_total);
}

/* A picture that known holds too must be the same one under the same class. */
static mopd_status check_known(const job *j, size_t item, const char *hash)
{
    const mopd_dataset *k = j->known;
    size_t old = j->in_known[item];
    const mo_dataset_row *row = row_of(k, old), *now = row_of(j->data, item);
    const char *was = k->name[k->label[old]], *is = j->data->name[j->data->label[item]];
    if (strcmp(was, is))
        return mo_fail(MOPD_E_MISMATCH, "%s: known as a picture of '%s', now of '%s'; withdraw it first",
            row->path, was, is);
    if (row->split != now->split)
        return mo_fail(MOPD_E_MISMATCH, "%s: known in split %s, now in %s; withdraw it first", row->path,
            mo_dataset_split_name(row->split), mo_dataset_split_name(now->split));
    if (*hash && strcmp(row->hash, hash))
        return mo_fail(MOPD_E_MISMATCH, "%s: known with content %.12s..., now %.12s...; withdraw it first",
            row->path, row->hash, hash);
    return MOPD_OK;
}

/* features of a chunk's good pictures into their items' rows. */
static mopd_status encode_chunk(job *j, const size_t *items, size_t n)
{
    size_t rows = 0, row = 0, view_bytes = j->dim * sizeof(float);
    for (size_t i = 0; i < n; i++) {
        slot *s = j->slots + i;
        if (s->st != MOPD_OK || !s->pixels) continue;
        size_t bytes = s->n_views * j->pixels_each * sizeof(float);
        memmove(j->pixels + rows * j->pixels_each, s->pixels, bytes);
        rows += s->n_views;
    }
    if (!rows) return MOPD_OK;
    mopd_status st = mo_encoder_pixels(j->encoder, j->pixels, rows, j->encoded);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        const slot *s = j->slots + i;
        if (s->st != MOPD_OK || !s->pixels) continue;
        float *out = j->features + items[i] * j->n_views * j->dim;
        for (size_t v = 0; v < j->n_views; v++) {
            memcpy(out + v * j->dim, j->encoded + (row + (s->plain ? 0 : v)) * j->dim, view_bytes);
        }
        row += s->n_views;
    }
    return st;
}

static mopd_status run_chunk(job *j, const size_t *items, size_t n)
{
    float *next = j->pixels;
    for (size_t i = 0; i < n; i++) {
        slot *s = j->slots + i;
        s->file = row_of(j->data, items[i])->file;
        s->plain = wants_plain(j, items[i]);
        s->n_views = s->plain ? 1 : j->n_views;
        bool fresh = j->in_known[items[i]] == SIZE_MAX;
        s->pixels = fresh ? next : NULL;
        if (fresh) next += s->n_views * j->pixels_each;
    }
    mo_pool_run(j->encoder->pool, n, prepare_task, j);
    mopd_status st = encode_chunk(j, items, n);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        if (j->slots[i].st == MOPD_OK && j->in_known[items[i]] != SIZE_MAX)
            st = check_known(j, items[i], j->slots[i].hash);
        if (st != MOPD_OK) break;
        memcpy(j->hash[items[i]], j->slots[i].hash, sizeof j->hash[0]);
        st = report(j, j->slots + i, items[i]);
    }
    return st;
}

static mopd_status open_slots(job *j)
{
    size_t side = j->encoder->config.image, each, views, floats;
    j->pixels_each = 3 * side * side;
    if (!mo_mul(j->pixels_each * sizeof(float), j->n_views, &each))
        return mo_fail(MOPD_E_ARG, "%zu views are too many", j->n_views);
    j->n_slots = CHUNK_PIXELS / each;
    if (j->n_slots > CHUNK_MOST) j->n_slots = CHUNK_MOST;
    if (!j->n_slots) j->n_slots = 1;
    views = j->n_slots * j->n_views;
    if (!mo_mul(views, j->pixels_each, &floats))
        return mo_fail(MOPD_E_ARG, "%zu views are too many", j->n_views);
    j->slots = mo_mem_calloc(j->n_slots, sizeof *j->slots);
    j->pixels = mo_mem_alloc(floats, sizeof(float));
    j->encoded = mo_mem_alloc(views * j->dim, sizeof(float));
    return j->slots && j->pixels && j->encoded ? MOPD_OK : MOPD_E_NOMEM;
}

/* Reads all items of data: hashes of all, features of the new ones.  Items go in order, so the first bad
 * one is named. */
static mopd_status encode_new(job *j)
{
    size_t n = j->data->n, floats;
    if (!mo_mul(n, j->n_views * j->dim, &floats))
        return mo_fail(MOPD_E_ARG, "%zu views are too many", j->n_views);
    j->features = mo_mem_alloc(floats, sizeof(float));
    j->hash = mo_mem_calloc(n, sizeof *j->hash);
    size_t *items = mo_mem_alloc(CHUNK_MOST, sizeof *items);
    mopd_status st = j->features && j->hash && items ? open_slots(j) : MOPD_E_NOMEM;
    j->n_total = n;
    for (size_t first = 0; first < n && st == MOPD_OK; first += j->n_slots) {
        size_t m = n - first < j->n_slots ? n - first : j->n_slots;
        for (size_t i = 0; i < m; i++) items[i] = first + i;
        st = run_chunk(j, items, m);
    }
    mo_mem_free(items);
    return st;
}

/* data is encoded already: its rows are the new features. */
static mopd_status copy_encoded(job *j)
{
    size_t n = j->data->n, each = j->n_views * j->dim;
    j->features = mo_mem_alloc(n * each, sizeof(float));
    j->hash = mo_mem_calloc(n, sizeof *j->hash);
    if (!j->features || !j->hash) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        memcpy(j->features + i * each, mo_dataset_feature(j->data, i, 0), each * sizeof(float));
        memcpy(j->hash[i], row_of(j->data, i)->hash, sizeof j->hash[i]);
        if (j->in_known[i] != SIZE_MAX) st = check_known(j, i, j->hash[i]);
    }
    return st;
}

/* Every class must keep a readable picture. */
static mopd_status check_classes(const job *j)
{
    const mopd_dataset *d = j->data;
    size_t n_listed = 0, n_good = 0;
    for (size_t i = 0; i < d->n; i++) {
        n_listed++;
        n_good += j->hash[i][0] || j->in_known[i] != SIZE_MAX;
        if (i + 1 < d->n && d->label[i + 1] == d->label[i]) continue;
        if (!n_good)
            return mo_fail(MOPD_E_FORMAT, "class '%s': none of its %zu pictures can be read",
                d->name[d->label[i]], n_listed);
        n_listed = n_good = 0;
    }
    return MOPD_OK;
}

static mopd_status describe_pixels(const mo_pixels *p, char **json)
{
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    mo_jsonw_object(&w);
    mo_jsonw_kint(&w, "fit", p->fit);
    mo_jsonw_kint(&w, "filter", p->filter);
    mo_jsonw_kint(&w, "centre", p->centre);
    mo_jsonw_kint(&w, "alpha", p->alpha);
    const struct {
        const char *key;
        uint32_t h, w;
    } sizes[] = {{"resize", p->resize_h, p->resize_w}, {"crop", p->crop_h, p->crop_w}};
    for (size_t i = 0; i < 2; i++) {
        mo_jsonw_key(&w, sizes[i].key);
        mo_jsonw_array(&w);
        mo_jsonw_int(&w, sizes[i].h);
        mo_jsonw_int(&w, sizes[i].w);
        mo_jsonw_end(&w);
    }
    mo_jsonw_kint(&w, "fill", p->fill);
    mo_jsonw_kdouble(&w, "rescale", p->rescale);
    mo_jsonw_kbool(&w, "normalize", p->do_normalize != 0);
    const double *triples[] = {p->mean, p->std};
    for (size_t i = 0; i < 2; i++) {
        mo_jsonw_key(&w, i ? "std" : "mean");
        mo_jsonw_array(&w);
        for (int c = 0; c < 3; c++) mo_jsonw_double(&w, triples[i][c]);
        mo_jsonw_end(&w);
    }
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) *json = mo_buf_take(&text);
    mo_buf_free(&text);
    return st;
}

/* Row `to` of the result: a picture and its features. */
static mopd_status put_row(
    mo_dataset_source *s, size_t to, const mo_dataset_row *from, const char *hash, const float *features)
{
    mo_dataset_row *row = s->row + to;
    size_t each = s->n_views * s->dim;
    row->split = from->split;
    if (!(row->file = mo_mem_strdup(from->file))) return MOPD_E_NOMEM;
    row->path = row->file + (from->path - from->file);
    memcpy(row->hash, hash, sizeof row->hash);
    memmove(s->owned + to * each, features, each * sizeof(float));
    return MOPD_OK;
}

static mopd_status fill_source(const job *j, mo_dataset_source *s, mo_dataset_listed *listed)
{
    const mopd_dataset *k = j->known, *d = j->data;
    size_t at = 0;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; k && i < k->n && st == MOPD_OK; i++, at++) {
        listed[at] = (mo_dataset_listed){k->name[k->label[i]], (uint32_t)at, 0};
        st = put_row(s, at, row_of(k, i), row_of(k, i)->hash, mo_dataset_feature(k, i, 0));
    }
    for (size_t i = 0; i < d->n && st == MOPD_OK; i++) {
        if (!j->hash[i][0] || j->in_known[i] != SIZE_MAX) continue;
        listed[at] = (mo_dataset_listed){d->name[d->label[i]], (uint32_t)at, 0};
        st = put_row(s, at, row_of(d, i), j->hash[i], j->features + i * j->n_views * j->dim);
        at++;
    }
    return st;
}

/* The result: known's pictures and the new good ones.  Without known the features move up in place. */
static mopd_status join(mopd_dataset **out, job *j)
{
    mo_dataset_source *s = NULL;
    mo_dataset_listed *listed = NULL;
    size_t n = j->known ? j->known->n : 0, floats;
    for (size_t i = 0; i < j->data->n; i++) n += j->hash[i][0] && j->in_known[i] == SIZE_MAX;
    mopd_status st = mo_dataset_source_create(&s, n);
    if (st != MOPD_OK) return st;
    s->n_views = j->n_views;
    s->dim = j->dim;
    s->augmented = j->augmented;
    const mo_dataset_source *from = j->known                    ? j->known->source
                                    : j->data->source->features ? j->data->source
                                                                : NULL;
    s->quantized = from ? from->quantized : j->encoder->precision == MOPD_PRECISION_BF16;
    s->seed = from ? from->seed : j->augmented ? j->options->seed : 0;
    memcpy(s->fingerprint, j->encoder->fingerprint, sizeof s->fingerprint);
    if (j->known) {
        s->owned = mo_mul(n, j->n_views * j->dim, &floats) ? mo_mem_alloc(floats, sizeof(float)) : NULL;
    } else {
        s->owned = j->features;
    }
    listed = mo_mem_calloc(n, sizeof *listed);
    st = s->owned && listed ? describe_pixels(&j->encoder->config.pixels, &s->preprocessing) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = fill_source(j, s, listed);
    if (!j->known) j->features = NULL;
    s->features = s->owned;
    size_t n_names = 0;
    const char **names =
        mo_mem_alloc(j->data->n_classes + (j->known ? j->known->n_classes : 0), sizeof *names);
    if (!names) st = MOPD_E_NOMEM;
    for (size_t c = 0; st == MOPD_OK && j->known && c < j->known->n_classes; c++)
        names[n_names++] = j->known->name[c];
    for (size_t c = 0; st == MOPD_OK && !j->cancelled && c < j->data->n_classes; c++)
        names[n_names++] = j->data->name[c];
    if (st == MOPD_OK)
        st = mo_dataset_listing_build(
            out, &(mo_dataset_listing){s, listed, n, names, n_names, "the joined data"});
    else
        mo_dataset_source_release(s);
    mo_mem_free(names);
    mo_mem_free(listed);
    return st;
}

/* -- what is known already
 * ---------------------------------------------------------------------------------- */

typedef struct named {
    const char *path;
    size_t item;
} named;

static int compare_named(const void *a, const void *b)
{
    return strcmp(((const named *)a)->path, ((const named *)b)->path);
}

static mopd_status find_known(job *j)
{
    const mopd_dataset *k = j->known;
    j->in_known = mo_mem_alloc(j->data->n, sizeof *j->in_known);
    named *sorted = mo_mem_alloc(k ? k->n : 0, sizeof *sorted);
    if (!j->in_known || !sorted) {
        mo_mem_free(sorted);
        return MOPD_E_NOMEM;
    }
    for (size_t i = 0; k && i < k->n; i++) sorted[i] = (named){row_of(k, i)->path, i};
    if (k) qsort(sorted, k->n, sizeof *sorted, compare_named);
    for (size_t i = 0; i < j->data->n; i++) {
        named key = {row_of(j->data, i)->path, 0};
        const named *hit = k ? bsearch(&key, sorted, k->n, sizeof *sorted, compare_named) : NULL;
        j->in_known[i] = hit ? hit->item : SIZE_MAX;
    }
    mo_mem_free(sorted);
    return MOPD_OK;
}

static mopd_status check_encoder(const mopd_dataset *d, const mopd_encoder *encoder)
{
    const mo_dataset_source *s = d->source;
    if (encoder && (strcmp(s->fingerprint, encoder->fingerprint) || s->dim != encoder->config.dim))
        return mo_fail(MOPD_E_MISMATCH, "the features were made by encoder %s, this one is %s",
            s->fingerprint, encoder->fingerprint);
    return MOPD_OK;
}

static bool has_splits(const mopd_dataset *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (row_of(d, i)->split != MOPD_SPLIT_NONE) return true;
    }
    return false;
}

/* Features of known and of what comes must be of one kind. */
static mopd_status check_join(const job *j)
{
    const mo_dataset_source *s = j->known->source;
    if (!s->features) return mo_fail(MOPD_E_STATE, "the known data is not encoded");
    mopd_status st = check_encoder(j->known, j->encoder);
    if (st != MOPD_OK) return st;
    if (s->n_views != j->n_views || s->augmented != j->augmented || j->options->first_view)
        return mo_fail(MOPD_E_MISMATCH, "the store holds %zu %s views a picture, now %zu %s views from %u on",
            s->n_views, s->augmented ? "augmented" : "plain", j->n_views,
            j->augmented ? "augmented" : "plain", j->options->first_view);
    const bool have = j->data->source->features != NULL;
    const bool quantized = have ? j->data->source->quantized : j->encoder->precision == MOPD_PRECISION_BF16;
    if (s->quantized != quantized)
        return mo_fail(MOPD_E_MISMATCH, "the store's features were made in %s, the new ones are in %s",
            s->quantized ? "bf16" : "f32", quantized ? "bf16" : "f32");
    uint64_t seed = have ? j->data->source->seed : j->options->seed;
    if (s->augmented && s->seed != seed)
        return mo_fail(MOPD_E_MISMATCH, "the store's views have seed %llu, now %llu",
            (unsigned long long)s->seed, (unsigned long long)seed);
    if (has_splits(j->known) != has_splits(j->data))
        return mo_fail(MOPD_E_MISMATCH, "the store has %s splits, the data has %s",
            has_splits(j->known) ? "its" : "no", has_splits(j->data) ? "some" : "none");
    return MOPD_OK;
}

/* Features that are there already; asked for views, there must be that many. */
static mopd_status pass_through(mopd_dataset **out, const mopd_dataset *d, const mopd_encode_options *options)
{
    const mo_dataset_source *s = d->source;
    size_t v = options->n_views;
    if (v && (!s->augmented || v > s->n_views || options->first_view))
        return mo_fail(MOPD_E_MISMATCH,
            "the store holds %zu %s views a picture, %zu augmented ones from %u on are needed", s->n_views,
            s->augmented ? "augmented" : "plain", v, options->first_view);
    size_t *keep = mo_mem_alloc(d->n, sizeof *keep);
    if (!keep) return MOPD_E_NOMEM;
    for (size_t i = 0; i < d->n; i++) keep[i] = i;
    mopd_status st = mo_dataset_part(out, d, keep, d->n, NULL);
    mo_mem_free(keep);
    return st;
}

static void job_close(job *j)
{
    mo_mem_free(j->in_known);
    mo_mem_free(j->features);
    mo_mem_free(j->hash);
    mo_mem_free(j->slots);
    mo_mem_free(j->pixels);
    mo_mem_free(j->encoded);
}

mopd_status mo_features_encode(mopd_dataset **out, const mopd_dataset *d, const mopd_dataset *known,
    const mopd_encoder *encoder, const mopd_encode_options *options)
{
    const mo_dataset_source *have = d->source->features ? d->source : NULL;
    if (have) {
        mopd_status st = check_encoder(d, encoder);
        if (st != MOPD_OK) return st;
        if (!known) return pass_through(out, d, options);
    }
    job j = {.data = d, .known = known, .encoder = encoder, .options = options, .dim = encoder->config.dim};
    j.augmented = have ? have->augmented : options->n_views > 0;
    j.n_views = have ? have->n_views : options->n_views ? options->n_views : 1;
    mopd_status st = known ? check_join(&j) : MOPD_OK;
    if (st == MOPD_OK) st = find_known(&j);
    if (st == MOPD_OK) st = have ? copy_encoded(&j) : encode_new(&j);
    if (st == MOPD_OK) st = check_classes(&j);
    if (st == MOPD_OK || j.cancelled) {
        mopd_status joined = join(out, &j);
        if (joined != MOPD_OK) st = joined;
    }
    job_close(&j);
    return st;
}
