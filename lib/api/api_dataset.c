/* SPDX-License-Identifier: MIT
 * api_dataset.c - include/mopd/dataset.h: datasets and feature stores. */
#include <string.h>

#include "api/api.h"
#include "api/api_image.h"
#include "base/floats.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "math/cluster.h"

/* What a model is to read of the classes. */
static const char *const *words(const mopd_dataset *dataset)
{
    return (const char *const *)(dataset->word ? dataset->word : dataset->name);
}

static const mopd_dataset_options no_options = {sizeof no_options, 0, NULL, NULL};
static const mopd_selection everything = {sizeof everything, MOPD_SPLIT_NONE, MOPD_SUBSET_ALL, 0, 1};
static const mopd_encode_options plain_once = {sizeof plain_once, 0, 0, 0, 1, NULL, NULL, NULL, NULL};

mopd_status mopd_dataset_options_init(mopd_dataset_options *options, size_t struct_size)
{
    MO_API_NEED(options);
    return mo_api_init(__func__, MO_API_mopd_dataset_options, options, struct_size, &no_options);
}

mopd_status mopd_selection_init(mopd_selection *selection, size_t struct_size)
{
    MO_API_NEED(selection);
    return mo_api_init(__func__, MO_API_mopd_selection, selection, struct_size, &everything);
}

mopd_status mopd_encode_options_init(mopd_encode_options *options, size_t struct_size)
{
    MO_API_NEED(options);
    return mo_api_init(__func__, MO_API_mopd_encode_options, options, struct_size, &plain_once);
}

mopd_status mopd_dataset_open(mopd_dataset **out, const char *path, const mopd_dataset_options *options)
{
    mopd_dataset_options o;
    MO_API_NEED_OUT(out);
    MO_API_NEED(path);
    mopd_status st = mo_api_read(__func__, MO_API_mopd_dataset_options, &o, options, &no_options);
    return st == MOPD_OK ? MO_API_OPENING(mo_dataset_open(out, path, &o)) : st;
}

void mopd_dataset_close(mopd_dataset *dataset)
{
    mo_dataset_close(dataset);
}

mopd_status mopd_dataset_get_info(const mopd_dataset *dataset, mopd_dataset_info *info)
{
    MO_API_NEED(dataset);
    MO_API_NEED(info);
    const mo_dataset_source *s = dataset->source;
    mopd_dataset_info i = {.n_classes = (uint32_t)dataset->n_classes, .n_items = dataset->n};
    if (s->features) {
        i.seed = s->seed;
        i.dim = (uint32_t)s->dim;
        i.n_views = (uint32_t)s->n_views;
        i.augmented = s->augmented;
        i.quantized = (uint32_t)s->precision;
        i.upright = s->upright;
        i.scaled16 = s->scaled16;
        i.fixed = s->fixed;
    }
    i.unlabelled = s->unlabelled;
    for (size_t k = 0; k < dataset->n; k++) {
        int32_t split = s->row[dataset->row[k]].split;
        if (split >= 0) i.n_split[split]++;
    }
    return mo_api_give(__func__, MO_API_mopd_dataset_info, info, &i);
}

static mopd_status check_index(const mopd_dataset *dataset, size_t index)
{
    if (index < dataset->n) return MOPD_OK;
    return mo_fail(MOPD_E_ARG, "index %zu of %zu pictures", index, dataset->n);
}

mopd_status mopd_dataset_get_item(const mopd_dataset *dataset, size_t index, mopd_item *item)
{
    MO_API_NEED(dataset);
    MO_API_NEED(item);
    mopd_status st = check_index(dataset, index);
    if (st != MOPD_OK) return st;
    const mo_dataset_row *row = dataset->source->row + dataset->row[index];
    const mopd_item i = {sizeof i, dataset->label[index], row->split, 0, row->path, row->file, row->hash};
    return mo_api_give(__func__, MO_API_mopd_item, item, &i);
}

mopd_status mopd_dataset_open_image(
    mopd_image **out, const mopd_dataset *dataset, size_t index, const mopd_image_options *options)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(dataset);
    mo_image picture;
    mo_image_rules rules;
    mopd_status st = check_index(dataset, index);
    if (st == MOPD_OK) st = mo_api_image_rules(__func__, &rules, options);
    if (st == MOPD_OK) st = mo_picture_open(&picture, dataset, index, &rules);
    return st == MOPD_OK ? mo_api_image_wrap(out, &picture) : st;
}

mopd_status mopd_dataset_get_remark(const mopd_dataset *dataset, size_t index, mopd_remark *remark)
{
    MO_API_NEED(dataset);
    MO_API_NEED(remark);
    const mo_remarks *files = &dataset->source->remarks, *labels = &dataset->remarks;
    if (index >= files->n + labels->n)
        return mo_fail(MOPD_E_ARG, "index %zu of %zu remarks", index, files->n + labels->n);
    const mo_remarks_item *item = index < files->n ? files->item + index : labels->item + (index - files->n);
    const mopd_remark r = {sizeof r, item->kind, item->n, item->text};
    return mo_api_give(__func__, MO_API_mopd_remark, remark, &r);
}

const char *mopd_dataset_class_name(const mopd_dataset *dataset, size_t index)
{
    return dataset && index < dataset->n_classes ? words(dataset)[index] : NULL;
}

const char *mopd_dataset_label_name(const mopd_dataset *dataset, size_t index)
{
    return dataset && index < dataset->n_classes ? dataset->name[index] : NULL;
}

const char *const *mopd_dataset_class_names(const mopd_dataset *dataset)
{
    return dataset ? words(dataset) : NULL;
}

mopd_status mopd_dataset_with_names(
    mopd_dataset **out, const mopd_dataset *dataset, const char *const *names, size_t n)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(dataset);
    MO_API_NEED_LIST(names, n);
    size_t *keep = mo_mem_alloc(dataset->n, sizeof *keep);
    if (!keep) return MOPD_E_NOMEM;
    for (size_t i = 0; i < dataset->n; i++) keep[i] = i;
    mopd_status st = mo_dataset_part(out, dataset, keep, dataset->n, NULL);
    mo_mem_free(keep);
    if (st == MOPD_OK && (st = mo_rename_list(*out, names, n)) != MOPD_OK) {
        mo_dataset_close(*out);
        *out = NULL;
    }
    return st;
}

const int32_t *mopd_dataset_labels(const mopd_dataset *dataset)
{
    return dataset ? dataset->label : NULL;
}

const char *mopd_dataset_fingerprint(const mopd_dataset *dataset)
{
    return dataset ? dataset->source->fingerprint : "";
}

const float *mopd_dataset_feature(const mopd_dataset *dataset, size_t index, size_t view)
{
    if (!dataset || !dataset->source->features || index >= dataset->n || view >= dataset->source->n_views)
        return NULL;
    return mo_dataset_feature(dataset, index, view);
}

mopd_status mopd_dataset_gather(
    const mopd_dataset *dataset, size_t first_view, size_t n_views, float *features)
{
    MO_API_NEED(dataset);
    MO_API_NEED(features);
    const mo_dataset_source *s = dataset->source;
    if (!s->features) return mo_fail(MOPD_E_STATE, "the pictures are not encoded yet");
    if (!n_views || first_view >= s->n_views || n_views > s->n_views - first_view)
        return mo_fail(MOPD_E_ARG, "views %zu to %zu of %zu", first_view, first_view + n_views, s->n_views);
    size_t each = n_views * s->dim;
    for (size_t i = 0; i < dataset->n; i++)
        memcpy(features + i * each, mo_dataset_feature(dataset, i, first_view), each * sizeof(float));
    return MOPD_OK;
}

mopd_status mopd_dataset_select(
    mopd_dataset **out, const mopd_dataset *dataset, const mopd_selection *selection)
{
    mopd_selection s;
    MO_API_NEED_OUT(out);
    MO_API_NEED(dataset);
    mopd_status st = mo_api_read(__func__, MO_API_mopd_selection, &s, selection, &everything);
    return st == MOPD_OK ? mo_split_select(out, dataset, &s) : st;
}

mopd_status mopd_dataset_pick(
    mopd_dataset **out, const mopd_dataset *dataset, const size_t *indices, size_t n, uint32_t flags)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(dataset);
    MO_API_NEED_SOME(n);
    MO_API_NEED_LIST(indices, n);
    mopd_status st = mo_api_check_flags(__func__, flags, MOPD_PICK_RELABEL);
    return st == MOPD_OK ? mo_split_pick(out, dataset, indices, n, flags & MOPD_PICK_RELABEL) : st;
}

mopd_status mopd_dataset_leave_out(mopd_dataset **out, const mopd_dataset *dataset, size_t index)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(dataset);
    mopd_status st = check_index(dataset, index);
    if (st != MOPD_OK) return st;
    size_t *keep = mo_mem_alloc(dataset->n, sizeof *keep);
    if (!keep) return MOPD_E_NOMEM;
    for (size_t i = 0, n = 0; i < dataset->n; i++) {
        if (i != index) keep[n++] = i;
    }
    st = mo_dataset_part(out, dataset, keep, dataset->n - 1, NULL);
    mo_mem_free(keep);
    return st;
}

mopd_status mopd_dataset_withdraw(
    mopd_dataset **out, const mopd_dataset *dataset, const char *path, const char *class_name)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(dataset);
    if (!path && !class_name)
        return mo_fail(MOPD_E_ARG, "%s: neither path nor class_name is given", __func__);
    if (path && class_name)
        return mo_fail(MOPD_E_ARG, "%s: both path and class_name are given, one at a time goes", __func__);
    return mo_split_withdraw(out, dataset, path, class_name);
}

/* The fixed views are so many and no more, and asked for from the first on. */
static mopd_status check_fixed(const mopd_encode_options *o)
{
    if (!(o->flags & MOPD_ENCODE_FIXED)) return MOPD_OK;
    if (o->n_views < 1 || o->n_views > MOPD_FIXED_VIEWS)
        return mo_fail(MOPD_E_ARG,
            "mopd_encode_options: n_views is %u, of the fixed ones 1 to %d are possible",
            (unsigned)o->n_views, MOPD_FIXED_VIEWS);
    if (!o->first_view) return MOPD_OK;
    return mo_fail(MOPD_E_ARG, "mopd_encode_options: first_view is %u, fixed views begin with 0",
        (unsigned)o->first_view);
}

mopd_status mopd_dataset_encode(mopd_dataset **out, const mopd_dataset *dataset, const mopd_dataset *known,
    const mopd_encoder *encoder, const mopd_encode_options *options)
{
    mopd_encode_options o;
    MO_API_NEED_OUT(out);
    MO_API_NEED(dataset);
    if (!dataset->source->features || known) MO_API_NEED(encoder);
    mopd_status st = mo_api_read(__func__, MO_API_mopd_encode_options, &o, options, &plain_once);
    if (st == MOPD_OK) st = check_fixed(&o);
    mopd_encode_counts counts = {sizeof counts, 0, 0, 0, 0, 0, 0, 0, 0}, *wanted = o.counts;
    if (st == MOPD_OK && wanted)
        st = mo_api_check_size(__func__, MO_API_mopd_encode_counts, wanted->struct_size);
    if (st != MOPD_OK) return st;
    o.counts = &counts;
    st = mo_features_encode(out, dataset, known, encoder, &o);
    if (wanted) mo_api_give(__func__, MO_API_mopd_encode_counts, wanted, &counts);
    return st;
}

mopd_status mopd_dataset_save(const mopd_dataset *dataset, const char *path)
{
    MO_API_NEED(dataset);
    MO_API_NEED(path);
    return mo_store_save(dataset, path);
}

mopd_status mopd_clusters_choose(
    const float *rows, size_t n, size_t dim, size_t n_clusters, uint64_t seed, size_t *chosen)
{
    MO_API_NEED(rows);
    MO_API_NEED_SOME(dim);
    MO_API_NEED_ROWS(rows, n, dim);
    MO_API_NEED_SOME(n_clusters);
    MO_API_NEED(chosen);
    if (n_clusters > n) return mo_fail(MOPD_E_ARG, "%s: %zu clusters of %zu rows", __func__, n_clusters, n);
    for (size_t i = 0; i < n; i++)
        if (!mo_floats_finite(rows + i * dim, dim))
            return mo_fail(MOPD_E_NUMERIC, "%s: row %zu is not finite", __func__, i);
    return mo_cluster_choose(chosen, rows, (const size_t[2]){n, dim}, n_clusters, seed);
}
