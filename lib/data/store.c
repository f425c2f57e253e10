/* SPDX-License-Identifier: MIT
 * store.c - an encoded dataset as one safetensors file.
 *
 *     features  n x V x D f32   rows of length 1, in the order of the dataset
 *     labels    n i32           index into classes
 *     split     n i32           -1 none, 0 train, 1 val, 2 test
 *     metadata  mopd.kind "store", mopd.format "1", fingerprint, preprocessing (JSON), views "0" or V, seed,
 *               classes, paths, hashes (JSON arrays of texts); view_kind "fixed" where views are no random crops;
 *               precision "bf16" or "int8" where it was not f32; grey16 "scaled" where it was not cut at 255;
 *               orientation "exif" where pictures were turned;
 *               names (as classes) where labels are no words; labelled "no" where the one class only says that there
 *               are none; roots, root_of (store_roots.c) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/floats.h"
#include "base/labels.h"
#include "base/limits.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/stop.h"
#include "base/utf8.h"
#include "base/view.h"
#include "data/dataset.h"
#include "data/store.h"
#include "format/json.h"
#include "model/encoder.h"

#define STORE_FORMAT 1

static mopd_status check_utf8(const char *text, const char *what)
{
    size_t n = strlen(text), good = mo_utf8_prefix(text, n);
    if (good == n) return MOPD_OK;
    return mo_fail(
        MOPD_E_FORMAT, "%s '%s': byte %zu is not UTF-8, a feature store needs that", what, text, good);
}

typedef enum list_kind { LIST_CLASSES, LIST_NAMES, LIST_PATHS, LIST_HASHES } list_kind;

/* One of the JSON lists as metadata. */
static mopd_status add_list(mo_safetensors_writer *w, const mopd_dataset *d, const char *key, list_kind kind)
{
    mo_buf text = {0};
    mo_jsonw json;
    mopd_status st = MOPD_OK;
    mo_jsonw_init(&json, &text);
    mo_jsonw_array(&json);
    const bool classes = kind == LIST_CLASSES || kind == LIST_NAMES;
    size_t n = classes ? d->n_classes : d->n;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        const mo_dataset_row *row = classes ? NULL : d->source->row + d->row[i];
        const char *item = kind == LIST_CLASSES ? d->name[i]
                           : kind == LIST_NAMES ? d->word[i]
                           : kind == LIST_PATHS ? row->path
                                                : row->hash;
        if (kind != LIST_HASHES) st = check_utf8(item, classes ? "class" : "path");
        mo_jsonw_string(&json, item);
    }
    mo_jsonw_end(&json);
    if (st == MOPD_OK) st = mo_jsonw_done(&json);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, key, text.data);
    mo_buf_free(&text);
    return st;
}

static mopd_status add_number(mo_safetensors_writer *w, const char *key, uint64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)x);
    return mo_safetensors_writer_meta(w, key, text);
}

static mopd_status declare(mo_safetensors_writer *w, const mopd_dataset *d, const char *path)
{
    const mo_dataset_source *s = d->source;
    size_t shape[3] = {d->n, s->n_views, s->dim};
    mopd_status st = mo_safetensors_writer_meta(w, "mopd.kind", "store");
    if (st == MOPD_OK) st = add_number(w, "mopd.format", STORE_FORMAT);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, "fingerprint", s->fingerprint);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, "preprocessing", s->preprocessing);
    if (st == MOPD_OK) st = add_number(w, "views", mo_dataset_several(s) ? s->n_views : 0);
    if (st == MOPD_OK && s->fixed) st = mo_safetensors_writer_meta(w, "view_kind", "fixed");
    if (st == MOPD_OK) st = add_number(w, "seed", s->seed);
    if (st == MOPD_OK && s->precision != MOPD_PRECISION_F32)
        st = mo_safetensors_writer_meta(w, "precision", mo_encoder_precision_name(s->precision));
    if (st == MOPD_OK && s->scaled16) st = mo_safetensors_writer_meta(w, "grey16", "scaled");
    if (st == MOPD_OK && s->upright) st = mo_safetensors_writer_meta(w, "orientation", "exif");
    if (st == MOPD_OK) st = add_list(w, d, "classes", LIST_CLASSES);
    if (st == MOPD_OK && d->word) st = add_list(w, d, "names", LIST_NAMES);
    if (st == MOPD_OK) st = add_list(w, d, "paths", LIST_PATHS);
    if (st == MOPD_OK) st = add_list(w, d, "hashes", LIST_HASHES);
    if (st == MOPD_OK && s->unlabelled) st = mo_safetensors_writer_meta(w, "labelled", "no");
    if (st == MOPD_OK) st = mo_store_roots_declare(w, d, path);
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, "features", MO_F32, 3, shape);
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, "labels", MO_I32, 1, shape);
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, "split", MO_I32, 1, shape);
    return st;
}

static mopd_status write_tensors(mo_safetensors_writer *w, const mopd_dataset *d)
{
    const mo_dataset_source *s = d->source;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < d->n && st == MOPD_OK; i++)
        st = mo_safetensors_writer_floats(w, mo_dataset_feature(d, i, 0), s->n_views * s->dim);
    if (st == MOPD_OK) st = mo_safetensors_writer_write(w, d->label, d->n * sizeof *d->label);
    for (size_t i = 0; i < d->n && st == MOPD_OK; i++)
        st = mo_safetensors_writer_write(w, &s->row[d->row[i]].split, sizeof(int32_t));
    return st;
}

mopd_status mo_store_save(const mopd_dataset *d, const char *path)
{
    mo_safetensors_writer *w = NULL;
    if (!d->source->features) return mo_fail(MOPD_E_STATE, "%s: the pictures are not encoded yet", path);
    mopd_status st = mo_safetensors_writer_create(&w);
    if (st == MOPD_OK) st = declare(w, d, path);
    if (st == MOPD_OK) st = mo_safetensors_writer_begin(w, path);
    if (st == MOPD_OK) st = write_tensors(w, d);
    if (st == MOPD_OK) st = mo_safetensors_writer_commit(w);
    mo_safetensors_writer_free(w);
    return st;
}

/* A store's header, checked piece by piece. */
typedef struct opened {
    mo_tensors *file;
    const char *path;
    const mo_view *features, *labels, *split;
    const mo_json *classes, *paths, *hashes, *roots, *root_of; /* the last two may be missing */
    const char *root; /* that all paths start from, whatever the store says; or NULL */
    mo_names folders; /* those that the store says, or its own */
} opened;

static mopd_status need_meta(const opened *o, const char *key, const char **value)
{
    *value = mo_tensors_meta(o->file, key);
    return *value ? MOPD_OK : mo_fail(MOPD_E_FORMAT, "%s: metadata '%s' is missing", o->path, key);
}

static mopd_status need_number(const opened *o, const char *key, uint64_t most, uint64_t *x)
{
    const char *text;
    char *end;
    mopd_status st = need_meta(o, key, &text);
    if (st != MOPD_OK) return st;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || strlen(text) > 20 || value > most)
        return mo_fail(MOPD_E_FORMAT, "%s: metadata '%s' is '%s', not a number up to %llu", o->path, key,
            text, (unsigned long long)most);
    *x = value;
    return MOPD_OK;
}

/* *list stays NULL where the key is missing. */
static mopd_status may_list(const opened *o, const char *key, const mo_json **list)
{
    const char *text = mo_tensors_meta(o->file, key);
    mopd_status st = text ? mo_json_parse(list, text, strlen(text), o->path) : MOPD_OK;
    if (st != MOPD_OK) return mo_fail_at(st, "metadata '%s'", key);
    if (text && mo_json_kind(*list) != MO_JSON_ARRAY)
        st = mo_fail(MOPD_E_FORMAT, "%s: metadata '%s' is not a list", o->path, key);
    return st;
}

static mopd_status need_list(const opened *o, const char *key, const mo_json **list)
{
    const char *text;
    mopd_status st = need_meta(o, key, &text);
    return st == MOPD_OK ? may_list(o, key, list) : st;
}

static mopd_status need_text(
    const opened *o, const mo_json *list, const char *key, size_t i, const char **text)
{
    if (mo_json_as_string(mo_json_item(list, i), text) && **text) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "%s: metadata '%s': item %zu is not a text", o->path, key, i);
}

static mopd_status check_kind(const opened *o)
{
    const char *kind = mo_tensors_meta(o->file, "mopd.kind");
    uint64_t format;
    if (!kind || strcmp(kind, "store"))
        return mo_fail(MOPD_E_FORMAT, "%s: no feature store, but a safetensors file of kind '%s'", o->path,
            kind ? kind : "unknown");
    mopd_status st = need_number(o, "mopd.format", UINT32_MAX, &format);
    if (st == MOPD_OK && format > STORE_FORMAT)
        st = mo_fail(MOPD_E_VERSION, "%s: store format %llu, this library reads up to %d", o->path,
            (unsigned long long)format, STORE_FORMAT);
    return st;
}

static mopd_status check_shapes(opened *o)
{
    mopd_status st = mo_tensors_need(o->file, "features", &o->features);
    if (st == MOPD_OK) st = mo_tensors_need(o->file, "labels", &o->labels);
    if (st == MOPD_OK) st = mo_tensors_need(o->file, "split", &o->split);
    if (st != MOPD_OK) return st;
    const mo_view *f = o->features;
    if (f->dtype != MO_F32 || f->n_dims != 3 || !f->n)
        return mo_fail(MOPD_E_FORMAT,
            "%s: 'features' is %s with %d dimensions and %zu elements, not F32 n x V x D", o->path,
            mo_dtype_name(f->dtype), f->n_dims, f->n);
    const mo_view *flat[2] = {o->labels, o->split};
    for (int i = 0; i < 2; i++) {
        if (flat[i]->dtype != MO_I32 || flat[i]->n_dims != 1 || flat[i]->n != f->shape[0])
            return mo_fail(MOPD_E_FORMAT, "%s: '%s' has %zu elements of %s, features %zu rows", o->path,
                i ? "split" : "labels", flat[i]->n, mo_dtype_name(flat[i]->dtype), f->shape[0]);
    }
    return MOPD_OK;
}

static mopd_status check_lists(opened *o)
{
    mopd_status st = need_list(o, "classes", &o->classes);
    if (st == MOPD_OK) st = need_list(o, "paths", &o->paths);
    if (st == MOPD_OK) st = need_list(o, "hashes", &o->hashes);
    if (st == MOPD_OK) st = may_list(o, "roots", &o->roots);
    if (st == MOPD_OK) st = may_list(o, "root_of", &o->root_of);
    if (st != MOPD_OK) return st;
    size_t n = o->features->shape[0];
    if (mo_json_count(o->paths) != n || mo_json_count(o->hashes) != n)
        return mo_fail(MOPD_E_FORMAT, "%s: %zu paths and %zu hashes for %zu rows of features", o->path,
            mo_json_count(o->paths), mo_json_count(o->hashes), n);
    if (o->root_of && (!o->roots || mo_json_count(o->root_of) != n))
        return mo_fail(MOPD_E_FORMAT, "%s: %zu numbers of roots for %zu rows of features", o->path,
            mo_json_count(o->root_of), n);
    return MOPD_OK;
}

/* The folders that paths start from. */
static mopd_status read_folders(opened *o)
{
    char *folder = mo_path_dir(o->path);
    if (!folder) return MOPD_E_NOMEM;
    mopd_status st = o->roots ? mo_store_roots_read(&o->folders, o->roots, &(mo_store_place){o->path, folder})
                              : mo_names_add(&o->folders, folder, strlen(folder));
    mo_mem_free(folder);
    return st;
}

static int32_t read_i32(const mo_view *view, size_t i)
{
    int32_t x;
    memcpy(&x, (const unsigned char *)view->data + i * sizeof x, sizeof x);
    return x;
}

/* Row i of the source and its label. */
static mopd_status read_row(const opened *o, size_t i, mo_dataset_source *s, int32_t *class_of)
{
    mo_dataset_row *row = s->row + i;
    const char *path, *hash, *root;
    size_t n_classes = mo_json_count(o->classes);
    int32_t label = read_i32(o->labels, i), split = read_i32(o->split, i);
    if (!mo_labels_in_range(label, n_classes))
        return mo_fail(MOPD_E_FORMAT, "%s: label %d of row %zu, there are %zu classes", o->path, (int)label,
            i, n_classes);
    if (split < MOPD_SPLIT_NONE || split > MOPD_SPLIT_TEST)
        return mo_fail(MOPD_E_FORMAT, "%s: split %d of row %zu, not -1 to 2", o->path, (int)split, i);
    mopd_status st = mo_stop_check(MO_STOP_ENTRY);
    if (st == MOPD_OK) st = need_text(o, o->paths, "paths", i, &path);
    if (st == MOPD_OK) st = need_text(o, o->hashes, "hashes", i, &hash);
    if (st == MOPD_OK && strlen(hash) != 64)
        st = mo_fail(MOPD_E_FORMAT, "%s: hash %zu has %zu digits, not 64", o->path, i, strlen(hash));
    if (st == MOPD_OK) st = mo_store_roots_pick(&o->folders, o->root_of, i, o->path, &root);
    if (st == MOPD_OK) st = mo_dataset_row_set(row, o->root ? o->root : root, path, split);
    if (st != MOPD_OK) return st;
    row->guessed = !o->root && !o->roots;
    memcpy(s->hash[i], hash, sizeof s->hash[i]);
    *class_of = label;
    return MOPD_OK;
}

static mopd_status read_precision(int32_t *out, const mo_tensors *file)
{
    const char *word = mo_tensors_meta(file, "precision");
    *out = MOPD_PRECISION_F32;
    if (!word || mo_encoder_precision_find(out, word)) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "%s: metadata 'precision' is '%.20s', not 'bf16' or 'int8'",
        mo_tensors_path(file), word);
}

static mopd_status read_source(const opened *o, mo_dataset_source *s)
{
    const char *fingerprint, *preprocessing;
    uint64_t views;
    mopd_status st = need_number(o, "views", UINT32_MAX, &views);
    if (st == MOPD_OK) st = need_number(o, "seed", UINT64_MAX, &s->seed);
    if (st == MOPD_OK) st = need_meta(o, "fingerprint", &fingerprint);
    if (st == MOPD_OK) st = need_meta(o, "preprocessing", &preprocessing);
    if (st != MOPD_OK) return st;
    s->n_views = o->features->shape[1];
    s->dim = o->features->shape[2];
    const char *labelled = mo_tensors_meta(o->file, "labelled");
    s->unlabelled = labelled && !strcmp(labelled, "no");
    if (labelled && (!s->unlabelled || mo_json_count(o->classes) != 1))
        return mo_fail(MOPD_E_FORMAT, "%s: metadata 'labelled' is '%s' with %zu classes, not 'no' with one",
            o->path, labelled, mo_json_count(o->classes));
    if ((st = read_precision(&s->precision, o->file)) != MOPD_OK) return st;
    if ((st = mo_tensors_meta_word(&s->scaled16, o->file, "grey16", "scaled")) != MOPD_OK) return st;
    if ((st = mo_tensors_meta_word(&s->upright, o->file, "orientation", "exif")) != MOPD_OK) return st;
    if ((st = mo_tensors_meta_word(&s->fixed, o->file, "view_kind", "fixed")) != MOPD_OK) return st;
    s->augmented = views > 0 && !s->fixed;
    if ((views ? views : 1) != s->n_views || (s->fixed && !views))
        return mo_fail(MOPD_E_FORMAT, "%s: metadata 'views' is %llu, features have %zu", o->path,
            (unsigned long long)views, s->n_views);
    if (strlen(fingerprint) != 64)
        return mo_fail(
            MOPD_E_FORMAT, "%s: the fingerprint has %zu digits, not 64", o->path, strlen(fingerprint));
    memcpy(s->fingerprint, fingerprint, sizeof s->fingerprint);
    return (s->preprocessing = mo_mem_strdup(preprocessing)) ? MOPD_OK : MOPD_E_NOMEM;
}

static mopd_status check_features(const opened *o, const float *x)
{
    const size_t n_row = o->features->n / o->features->shape[0];
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < o->features->shape[0] && st == MOPD_OK; i++) {
        st = mo_stop_check(n_row * sizeof *x);
        if (st == MOPD_OK && !mo_floats_finite(x + i * n_row, n_row))
            st = mo_fail(MOPD_E_FORMAT, "%s: a feature of row %zu is not finite", o->path, i);
    }
    return st;
}

/* Features where they lie in the file when that is aligned, else a copy. */
static mopd_status take_features(opened *o, mo_dataset_source *s)
{
    const mo_view *f = o->features;
    if ((uintptr_t)f->data % _Alignof(float) == 0) {
        s->features = f->data;
    } else {
        if (!(s->owned = mo_mem_alloc(f->n, sizeof(float)))) return MOPD_E_NOMEM;
        memcpy(s->owned, f->data, f->n * sizeof(float));
        s->features = s->owned;
    }
    mopd_status st = check_features(o, s->features);
    if (st != MOPD_OK) return st;
    s->file = o->file;
    o->file = NULL;
    return MOPD_OK;
}

static mopd_status check_memory(const opened *o, size_t n)
{
    size_t n_root = o->root ? strlen(o->root) : 0;
    for (size_t i = 0; i < o->folders.n && !o->root; i++)
        if (strlen(o->folders.name[i]) > n_root) n_root = strlen(o->folders.name[i]);
    return mo_limits_check_reading(mo_tensors_file_bytes(o->file),
        (uint64_t)n * (MO_DATASET_STORED_BYTES + n_root), o->path, "its rows");
}

static mopd_status read_store(mopd_dataset **out, opened *o)
{
    mo_dataset_source *source = NULL;
    mo_dataset_listed *listed = NULL;
    const char **names = NULL;
    mopd_status st = check_kind(o);
    if (st == MOPD_OK) st = check_shapes(o);
    if (st == MOPD_OK) st = check_lists(o);
    if (st == MOPD_OK) st = read_folders(o);
    if (st != MOPD_OK) return st;
    const size_t n = o->features->shape[0], n_classes = mo_json_count(o->classes);
    const size_t n_bytes = mo_tensors_file_bytes(o->file);
    if ((st = check_memory(o, n)) != MOPD_OK) return st;
    st = mo_dataset_source_create(&source, n, true);
    if (st == MOPD_OK && !(listed = mo_mem_calloc(n, sizeof *listed))) st = MOPD_E_NOMEM;
    if (st == MOPD_OK && !(names = mo_mem_alloc(n_classes, sizeof *names))) st = MOPD_E_NOMEM;
    for (size_t c = 0; c < n_classes && st == MOPD_OK; c++)
        st = need_text(o, o->classes, "classes", c, names + c);
    if (st == MOPD_OK) st = read_source(o, source);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        int32_t label = 0;
        if ((st = read_row(o, i, source, &label)) != MOPD_OK) break;
        listed[i] = (mo_dataset_listed){names[label], (uint32_t)i, 0};
    }
    if (st == MOPD_OK) st = take_features(o, source);
    if (st == MOPD_OK)
        st = mo_dataset_listing_build(
            out, &(mo_dataset_listing){source, listed, n, names, n_classes, o->path, n_bytes});
    else
        mo_dataset_source_release(source);
    mo_mem_free(listed);
    mo_mem_free(names);
    return st;
}

/* Names beside the labels, where a store has some: in the order of its classes. */
static mopd_status read_names(mopd_dataset *d, const opened *o)
{
    const char *text = mo_tensors_meta(d->source->file, "names"), *label, *name;
    const mo_json *list = NULL;
    if (!text) return MOPD_OK;
    mopd_status st = mo_json_parse(&list, text, strlen(text), o->path);
    if (st != MOPD_OK) return mo_fail_at(st, "metadata 'names'");
    char **words = mo_mem_calloc(d->n_classes, sizeof *words);
    mo_lookup classes = {0};
    if (!words) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_lookup_names(&classes, (const char *const *)d->name, d->n_classes);
    if (st == MOPD_OK &&
        (mo_json_kind(list) != MO_JSON_ARRAY || mo_json_count(list) != mo_json_count(o->classes) ||
            mo_json_count(list) != d->n_classes))
        st = mo_fail(MOPD_E_FORMAT, "%s: metadata 'names' is no list of %zu names", o->path, d->n_classes);
    for (size_t i = 0; i < d->n_classes && st == MOPD_OK; i++) {
        st = mo_stop_check(MO_STOP_ENTRY);
        if (st == MOPD_OK) st = need_text(o, o->classes, "classes", i, &label);
        if (st == MOPD_OK) st = need_text(o, list, "names", i, &name);
        const size_t c = st == MOPD_OK ? mo_lookup_find(&classes, label) : 0;
        if (st == MOPD_OK && !(words[c] = mo_mem_strdup(name))) st = MOPD_E_NOMEM;
    }
    mo_lookup_close(&classes);
    mo_json_close(list);
    return mo_rename_take(d, words, st);
}

mopd_status mo_store_open(mopd_dataset **out, const char *path, const char *root, bool read)
{
    opened o = {.path = path, .root = root};
    mopd_status st = mo_safetensors_open(&o.file, path, read);
    if (st == MOPD_OK) st = read_store(out, &o);
    if (st == MOPD_OK && (st = read_names(*out, &o)) != MOPD_OK) {
        mo_dataset_close(*out);
        *out = NULL;
    }
    const mo_json *lists[] = {o.classes, o.paths, o.hashes, o.roots, o.root_of};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) mo_json_close(lists[i]);
    mo_names_free(&o.folders);
    mo_tensors_close(o.file);
    return st;
}
