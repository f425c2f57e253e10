/* SPDX-License-Identifier: MIT
 * features.c - a dataset's pictures through the vision tower, once, joined to what a store holds already. */
#include "data/features.h"

#include <string.h>

#include "base/mem.h"

/* Instead of mo_features_read where the data is encoded already: its rows are the new features. */
static mopd_status copy_encoded(mo_features_job *j)
{
    size_t n = j->data->n, each = j->n_views * j->dim;
    j->features = mo_mem_alloc(n, each * sizeof(float));
    j->hash = mo_mem_calloc(n, sizeof *j->hash);
    if (!j->features || !j->hash) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        memcpy(j->features + i * each, mo_dataset_feature(j->data, i, 0), each * sizeof(float));
        strcpy(j->hash[i], mo_features_row(j->data, i)->hash);
        st = mo_features_meet(j, i, j->hash[i]);
    }
    return st;
}

/* Every class must keep a readable picture. */
static mopd_status check_classes(const mo_features_job *j)
{
    const mopd_dataset *d = j->data;
    size_t n_listed = 0, n_good = 0;
    for (size_t i = 0; i < d->n; i++) {
        n_listed++;
        n_good += j->hash[i][0] || mo_features_is_known(j, i);
        if (i + 1 < d->n && d->label[i + 1] == d->label[i]) continue;
        if (!n_good)
            return mo_fail(MOPD_E_FORMAT, "class '%s': none of its %zu pictures can be read",
                d->name[d->label[i]], n_listed);
        n_listed = n_good = 0;
    }
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
        if (mo_features_row(d, i)->split != MOPD_SPLIT_NONE) return true;
    }
    return false;
}

/* Picture files were read as they are to be read now. */
static mopd_status check_reading(const mo_features_job *j)
{
    const mo_dataset_source *s = j->before->source, *d = j->data->source->features ? j->data->source : NULL;
    const bool scaled16 = d ? d->scaled16 : j->encoder->rules.scale16;
    const bool upright = d ? d->upright : j->encoder->rules.upright;
    if (s->scaled16 != scaled16)
        return mo_fail(MOPD_E_MISMATCH, "16-bit grey was %s in the store, now it is to be %s",
            s->scaled16 ? "scaled" : "cut at 255", scaled16 ? "scaled" : "cut at 255");
    if (s->upright != upright)
        return mo_fail(MOPD_E_MISMATCH,
            "pictures were %sturned as EXIF says in the store, now they are %sto be",
            s->upright ? "" : "not ", upright ? "" : "not ");
    return MOPD_OK;
}

/* Features of known and of what comes must be of one kind. */
static mopd_status check_join(const mo_features_job *j)
{
    const mo_dataset_source *s = j->before->source;
    if (!s->features) return mo_fail(MOPD_E_STATE, "the known data is not encoded");
    mopd_status st = check_encoder(j->before, j->encoder);
    if (st != MOPD_OK) return st;
    if (s->n_views != j->n_views || s->augmented != j->augmented || s->fixed != j->fixed ||
        j->options->first_view)
        return mo_fail(MOPD_E_MISMATCH, "the store holds %zu %s views a picture, now %zu %s views from %u on",
            s->n_views, mo_dataset_views_word(s->augmented, s->fixed), j->n_views,
            mo_dataset_views_word(j->augmented, j->fixed), j->options->first_view);
    if ((st = check_reading(j)) != MOPD_OK) return st;
    const bool have = j->data->source->features != NULL;
    const int32_t precision = have ? j->data->source->precision : j->encoder->precision;
    if (s->precision != precision)
        return mo_fail(MOPD_E_MISMATCH, "the store's features were made in %s, the new ones are in %s",
            mo_encoder_precision_name(s->precision), mo_encoder_precision_name(precision));
    uint64_t seed = have ? j->data->source->seed : j->options->seed;
    if (s->augmented && s->seed != seed)
        return mo_fail(MOPD_E_MISMATCH, "the store's views have seed %llu, now %llu",
            (unsigned long long)s->seed, (unsigned long long)seed);
    if (!j->known) return MOPD_OK;
    if (has_splits(j->known) != has_splits(j->data))
        return mo_fail(MOPD_E_MISMATCH, "the store has %s splits, the data has %s",
            has_splits(j->known) ? "its" : "no", has_splits(j->data) ? "some" : "none");
    if (s->unlabelled != j->data->source->unlabelled)
        return mo_fail(MOPD_E_MISMATCH, "the store has %s labels, the data has %s",
            s->unlabelled ? "no" : "its", s->unlabelled ? "some" : "none");
    return MOPD_OK;
}

/* Features that are there already; asked for views, there must be that many. */
static mopd_status pass_through(mopd_dataset **out, const mopd_dataset *d, const mopd_encode_options *options)
{
    const mo_dataset_source *s = d->source;
    const size_t v = options->n_views;
    const bool fixed = options->flags & MOPD_ENCODE_FIXED;
    if (v && (!(fixed ? s->fixed : s->augmented) || v > s->n_views || options->first_view))
        return mo_fail(MOPD_E_MISMATCH,
            "the store holds %zu %s views a picture, %zu %s ones from %u on are needed", s->n_views,
            mo_dataset_views_word(s->augmented, s->fixed), v, mo_dataset_views_word(true, fixed),
            options->first_view);
    size_t *keep = mo_mem_alloc(d->n, sizeof *keep);
    if (!keep) return MOPD_E_NOMEM;
    for (size_t i = 0; i < d->n; i++) keep[i] = i;
    mopd_status st = mo_dataset_part(out, d, keep, d->n, NULL);
    mo_mem_free(keep);
    return st;
}

static void close_job(mo_features_job *j)
{
    mo_journal_close(j->journal);
    mo_features_cache_free(&j->cache);
    mo_mem_free(j->in_data);
    mo_mem_free(j->used);
    mo_mem_free(j->in_before);
    mo_mem_free(j->features);
    mo_mem_free(j->hash);
}

/* The file that keeps what is encoded, and what it holds already. */
static mopd_status open_journal(mo_features_job *j)
{
    const mopd_encode_options *o = j->options;
    if (!o->journal) return MOPD_OK;
    mo_journal_run run = {.seed = j->augmented ? o->seed : 0,
        .dim = (uint32_t)j->dim,
        .n_views = (uint32_t)j->n_views,
        .augmented = j->augmented,
        .fixed = j->fixed,
        .first_view = o->first_view,
        .precision = j->encoder->precision,
        .scaled16 = j->encoder->rules.scale16,
        .upright = j->encoder->rules.upright};
    memcpy(run.fingerprint, j->encoder->fingerprint, sizeof run.fingerprint);
    mopd_status st = mo_journal_open(&j->journal, o->journal, &run);
    return st == MOPD_OK ? mo_journal_list(j->journal, &j->cache) : st;
}

static mopd_status read_pictures(mo_features_job *j)
{
    mopd_status st = open_journal(j);
    if (st == MOPD_OK) mo_features_cache_sort(&j->cache);
    return st == MOPD_OK ? mo_features_read(j) : st;
}

/* A result that replaces the store is whole or none. */
static bool is_worth_keeping(const mo_features_job *j, mopd_status st)
{
    return st == MOPD_OK || (j->cancelled && (j->known || !j->before));
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
    mo_features_job j = {
        .data = d, .before = known, .encoder = encoder, .options = options, .dim = encoder->config.dim};
    j.known = options->flags & MOPD_ENCODE_SYNC ? NULL : known;
    j.fixed = have ? have->fixed : options->flags & MOPD_ENCODE_FIXED;
    j.augmented = have ? have->augmented : options->n_views > 0 && !j.fixed;
    j.n_views = have ? have->n_views : options->n_views ? options->n_views : 1;
    mopd_status st = known ? check_join(&j) : MOPD_OK;
    if (st == MOPD_OK) st = mo_features_find_known(&j);
    if (st == MOPD_OK) st = have ? copy_encoded(&j) : read_pictures(&j);
    if (st == MOPD_OK) st = check_classes(&j);
    if (st == MOPD_OK) st = mo_features_miss(&j);
    if (is_worth_keeping(&j, st)) {
        mopd_status joined = mo_features_join(out, &j);
        if (joined != MOPD_OK) st = joined;
    }
    close_job(&j);
    return st;
}
