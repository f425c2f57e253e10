/* SPDX-License-Identifier: MIT
 * features_known.c - what has become of the pictures that were encoded before: there still, moved, changed, gone.
 *
 * A picture is known by its path.  One whose path is new is looked up by its content: it may have moved. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/features.h"

/* An item of `before` by its path. */
typedef struct named {
    const char *path;
    size_t item;
} named;

static int compare_named(const void *a, const void *b)
{
    return strcmp(((const named *)a)->path, ((const named *)b)->path);
}

/* What is encoded already, by path and by content. */
static mopd_status list_before(mo_features_job *j, named *sorted)
{
    const mopd_dataset *k = j->before;
    const bool several = mo_dataset_several(k->source);
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < k->n && st == MOPD_OK; i++) {
        const mo_dataset_row *row = mo_features_row(k, i);
        sorted[i] = (named){row->path, i};
        st = mo_features_cache_add(&j->cache, &(mo_features_entry){row->hash, mo_dataset_feature(k, i, 0), i,
                                                  mo_features_is_plain(several, row->split)});
    }
    if (st == MOPD_OK) qsort(sorted, k->n, sizeof *sorted, compare_named);
    return st;
}

mopd_status mo_features_find_known(mo_features_job *j)
{
    const size_t n = j->before ? j->before->n : 0;
    j->in_before = mo_mem_alloc(j->data->n, sizeof *j->in_before);
    j->in_data = mo_mem_alloc(n, sizeof *j->in_data);
    j->used = mo_mem_calloc(n, sizeof *j->used);
    named *sorted = mo_mem_alloc(n, sizeof *sorted);
    mopd_status st = j->in_before && j->in_data && j->used && sorted ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) j->in_data[i] = SIZE_MAX;
    if (st == MOPD_OK && n) st = list_before(j, sorted);
    for (size_t i = 0; i < j->data->n && st == MOPD_OK; i++) {
        named key = {mo_features_row(j->data, i)->path, 0};
        const named *hit = n ? bsearch(&key, sorted, n, sizeof *sorted, compare_named) : NULL;
        j->in_before[i] = hit ? hit->item : SIZE_MAX;
        if (hit) j->in_data[hit->item] = i;
    }
    mo_features_cache_sort(&j->cache);
    mo_mem_free(sorted);
    return st;
}

static const char *class_of(const mopd_dataset *d, size_t item)
{
    return d->name[d->label[item]];
}

/* The item is known by its path: it must be what it was. */
static mopd_status check_known(const mo_features_job *j, size_t item, const char *hash)
{
    const mopd_dataset *k = j->known;
    size_t old = j->in_before[item];
    const mo_dataset_row *row = mo_features_row(k, old), *now = mo_features_row(j->data, item);
    const char *was = class_of(k, old), *is = class_of(j->data, item);
    if (strcmp(was, is))
        return mo_fail(MOPD_E_MISMATCH,
            "%s: known as a picture of '%s', now of '%s'; withdraw it first, or sync", row->path, was, is);
    if (row->split != now->split)
        return mo_fail(MOPD_E_MISMATCH, "%s: known in split %s, now in %s; withdraw it first, or sync",
            row->path, mo_dataset_split_name(row->split), mo_dataset_split_name(now->split));
    if (strcmp(row->hash, hash))
        return mo_fail(MOPD_E_MISMATCH,
            "%s: known with content %.12s..., now %.12s...; withdraw it first, or sync", row->path, row->hash,
            hash);
    return MOPD_OK;
}

/* A known picture that neither the data lists nor the disk has.  Where its folder is a guess, the data decides. */
static bool is_gone(const mo_features_job *j, size_t old)
{
    const mo_dataset_row *row = mo_features_row(j->before, old);
    return j->in_data[old] == SIZE_MAX && (row->guessed || !mo_file_exists(row->file));
}

/* The item has a path of its own and the content of n known pictures.  Where those are gone it has moved: not to
 * another class or split while the old one stays. */
static mopd_status check_moved(const mo_features_job *j, size_t item, const mo_features_entry *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_gone(j, e[i].item)) return MOPD_OK;
    }
    const mopd_dataset *k = j->before;
    const mo_dataset_row *row = mo_features_row(k, e->item), *now = mo_features_row(j->data, item);
    const char *was = class_of(k, e->item), *is = class_of(j->data, item);
    if (strcmp(was, is))
        return mo_fail(MOPD_E_MISMATCH,
            "%s: moved here from %s, and from class '%s' to '%s'; withdraw %s, or sync", now->path, row->path,
            was, is, row->path);
    if (row->split != now->split)
        return mo_fail(MOPD_E_MISMATCH,
            "%s: moved here from %s, and from split %s to %s; withdraw %s, or sync", now->path, row->path,
            mo_dataset_split_name(row->split), mo_dataset_split_name(now->split), row->path);
    return MOPD_OK;
}

/* Which of n known pictures of its content the item is: that in its place, else one that nobody else is. */
static size_t choose(const mo_features_job *j, size_t item, const mo_features_entry *e, size_t n)
{
    size_t chosen = e->item;
    for (size_t i = n; i-- > 0;) {
        if (!j->used[e[i].item]) chosen = e[i].item;
    }
    for (size_t i = 0; i < n; i++) {
        if (e[i].item == j->in_before[item]) chosen = e[i].item;
    }
    return chosen;
}

static bool is_in_its_place(const mo_features_job *j, size_t item, size_t old)
{
    return old == j->in_before[item] && !strcmp(class_of(j->before, old), class_of(j->data, item)) &&
           mo_features_row(j->before, old)->split == mo_features_row(j->data, item)->split;
}

mopd_status mo_features_meet(mo_features_job *j, size_t item, const char *hash)
{
    mopd_encode_counts *counts = j->options->counts;
    size_t n = 0;
    if (mo_features_is_known(j, item)) {
        counts->n_known++;
        return check_known(j, item, hash);
    }
    const mo_features_entry *e = mo_features_cache_find(&j->cache, hash, &n);
    while (n && e[n - 1].item == SIZE_MAX) n--; /* of the journal */
    if (!n) return MOPD_OK;
    size_t old = choose(j, item, e, n);
    j->used[old] = true;
    if (is_in_its_place(j, item, old))
        counts->n_known++;
    else
        counts->n_moved++;
    return j->known ? check_moved(j, item, e, n) : MOPD_OK;
}

mopd_status mo_features_miss(mo_features_job *j)
{
    mopd_encode_counts *counts = j->options->counts;
    const size_t n = j->before ? j->before->n : 0;
    for (size_t i = 0; i < n; i++) {
        if (j->known)
            counts->n_gone += is_gone(j, i);
        else
            counts->n_withdrawn += !j->used[i];
    }
    if (!n || counts->n_withdrawn < n) return MOPD_OK;
    return mo_fail(MOPD_E_MISMATCH,
        "none of the %zu known pictures is in the data: is it what they are from? Make a new store of it", n);
}
