/* SPDX-License-Identifier: MIT
 * features_join.c - pictures that were encoded before and new ones become one dataset. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "data/features.h"
#include "data/dataset.h"
#include "format/json.h"

/* How pictures were made into pixels, as the JSON that stands in a store. */
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
    row->guessed = from->guessed;
    if (!(row->file = mo_mem_strdup(from->file))) return MOPD_E_NOMEM;
    row->path = row->file + (from->path - from->file);
    memcpy(s->hash[to], hash, sizeof s->hash[to]);
    memmove(s->owned + to * each, features, each * sizeof(float));
    return MOPD_OK;
}

/* Whether item i is new and could be read. */
static bool is_added(const mo_features_job *j, size_t i)
{
    return j->hash[i][0] && !mo_features_is_known(j, i);
}

/* The rows of the result: those of `known`, then the new ones. */
static mopd_status fill_source(const mo_features_job *j, mo_dataset_source *s, mo_dataset_listed *listed)
{
    const mopd_dataset *k = j->known, *d = j->data;
    size_t at = 0;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; k && i < k->n && st == MOPD_OK; i++, at++) {
        const bool there = j->in_data[i] != SIZE_MAX; /* then the data knows best where it lies */
        const mo_dataset_row *row = there ? mo_features_row(d, j->in_data[i]) : mo_features_row(k, i);
        listed[at] = (mo_dataset_listed){k->name[k->label[i]], (uint32_t)at, 0};
        st = put_row(s, at, row, mo_features_row(k, i)->hash, mo_dataset_feature(k, i, 0));
    }
    for (size_t i = 0; i < d->n && st == MOPD_OK; i++) {
        if (!is_added(j, i)) continue;
        listed[at] = (mo_dataset_listed){d->name[d->label[i]], (uint32_t)at, 0};
        st = put_row(s, at, mo_features_row(d, i), j->hash[i], j->features + i * j->n_views * j->dim);
        at++;
    }
    return st;
}

/* Where the features are kept, and what they are. */
static mopd_status describe_source(mo_features_job *j, mo_dataset_source *s, size_t n)
{
    const mo_dataset_source *from = j->known                    ? j->known->source
                                    : j->data->source->features ? j->data->source
                                                                : NULL;
    size_t floats;
    s->n_views = j->n_views;
    s->dim = j->dim;
    s->augmented = j->augmented;
    s->fixed = j->fixed;
    s->unlabelled = j->data->source->unlabelled;
    s->precision = from ? from->precision : j->encoder->precision;
    s->scaled16 = from ? from->scaled16 : j->encoder->rules.scale16;
    s->upright = from ? from->upright : j->encoder->rules.upright;
    s->seed = from ? from->seed : j->augmented ? j->options->seed : 0;
    memcpy(s->fingerprint, j->encoder->fingerprint, sizeof s->fingerprint);
    if (!j->known)
        s->owned = j->features;
    else if (mo_mul(n, j->n_views * j->dim, &floats))
        s->owned = mo_mem_alloc(floats, sizeof(float));
    s->features = s->owned;
    mopd_status st = s->owned ? describe_pixels(&j->encoder->config.pixels, &s->preprocessing) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_remarks_copy(&s->remarks, &j->data->source->remarks, MOPD_REMARK_PASSED_OVER);
    if (st == MOPD_OK && j->n_cut)
        st = mo_remarks_addf(&s->remarks, MOPD_REMARK_CUT_WHITE, j->n_cut,
            "%zu %s 16-bit grey, all of which above 255 is read as white: bring them to 8 bits (%s%s)",
            j->n_cut, j->n_cut == 1 ? "picture is" : "pictures are", j->first_cut,
            j->n_cut == 1 ? "" : " and others");
    return st;
}

/* All classes, also those without a picture; of data only when all of it was encoded.  names has room for both. */
static size_t list_classes(const mo_features_job *j, const char **names)
{
    const mopd_dataset *lists[] = {j->known, j->cancelled ? NULL : j->data};
    size_t n = 0;
    for (size_t i = 0; i < 2; i++)
        for (size_t c = 0; lists[i] && c < lists[i]->n_classes; c++) names[n++] = lists[i]->name[c];
    return n;
}

mopd_status mo_features_join(mopd_dataset **out, mo_features_job *j)
{
    mo_dataset_source *s = NULL;
    size_t n = j->known ? j->known->n : 0, n_names = j->data->n_classes;
    for (size_t i = 0; i < j->data->n; i++) n += is_added(j, i);
    if (j->known) n_names += j->known->n_classes;
    mopd_status st = mo_dataset_source_create(&s, n, true);
    if (st != MOPD_OK) return st;
    mo_dataset_listed *listed = mo_mem_calloc(n, sizeof *listed);
    const char **names = mo_mem_alloc(n_names, sizeof *names);
    st = listed && names ? describe_source(j, s, n) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = fill_source(j, s, listed);
    if (!j->known && s->owned) j->features = NULL; /* the source's from here on */
    if (st == MOPD_OK)
        st = mo_dataset_listing_build(
            out, &(mo_dataset_listing){s, listed, n, names, list_classes(j, names), "the joined data", 0});
    else
        mo_dataset_source_release(s);
    if (st == MOPD_OK && (st = mo_rename_inherit(*out, j->data, j->known)) != MOPD_OK) {
        mo_dataset_close(*out);
        *out = NULL;
    }
    mo_mem_free(names);
    mo_mem_free(listed);
    return st;
}
