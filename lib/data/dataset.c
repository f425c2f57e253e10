/* SPDX-License-Identifier: MIT
 * dataset.c - datasets: built in the one order that all have, cut into parts, closed; and files opened by their kind. */
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/path.h"
#include "token/fold.h"

static const char *const split_names[] = {"train", "val", "test"};

const char *mo_dataset_split_name(int32_t split)
{
    return split >= 0 && split < 3 ? split_names[split] : "none";
}

int32_t mo_dataset_split_find(const char *name)
{
    for (int32_t s = 0; s < 3; s++) {
        if (!strcmp(name, split_names[s])) return s;
    }
    return MOPD_SPLIT_NONE;
}

const char *mo_dataset_views_word(bool augmented, bool fixed)
{
    return fixed ? "fixed" : augmented ? "augmented" : "plain";
}

mopd_status mo_dataset_source_create(mo_dataset_source **out, size_t n_rows, bool hashed)
{
    if (n_rows > INT32_MAX) return mo_fail(MOPD_E_UNSUPPORTED, "%zu pictures, at most 2147483647", n_rows);
    mo_dataset_source *s = mo_mem_calloc(1, sizeof *s);
    if (!s) return MOPD_E_NOMEM;
    s->row = mo_mem_calloc(n_rows, sizeof *s->row);
    s->hash = hashed ? mo_mem_calloc(n_rows, sizeof *s->hash) : NULL;
    if (!s->row || (hashed && !s->hash)) {
        mo_mem_free(s->hash);
        mo_mem_free(s->row);
        mo_mem_free(s);
        return MOPD_E_NOMEM;
    }
    for (size_t i = 0; i < n_rows; i++) s->row[i].hash = hashed ? s->hash[i] : "";
    s->n_rows = n_rows;
    atomic_init(&s->users, 1);
    *out = s;
    return MOPD_OK;
}

void mo_dataset_source_release(mo_dataset_source *source)
{
    if (!source || atomic_fetch_sub(&source->users, 1) > 1) return;
    for (size_t i = 0; i < source->n_rows && !source->texts; i++) mo_mem_free(source->row[i].file);
    mo_mem_free(source->texts);
    mo_mem_free(source->hash);
    mo_mem_free(source->row);
    mo_mem_free(source->owned);
    mo_mem_free(source->preprocessing);
    mo_remarks_free(&source->remarks);
    mo_tensors_close(source->file);
    mo_mem_free(source);
}

mopd_status mo_dataset_row_set(mo_dataset_row *row, const char *root, const char *path, int32_t split)
{
    row->split = split;
    row->file = mo_path_join(root, path);
    if (!row->file) return MOPD_E_NOMEM;
    row->path = row->file + strlen(row->file) - strlen(path);
    return MOPD_OK;
}

/* A picture with what it is sorted by: class, file name, path. */
typedef struct sort_key {
    const mo_dataset_listed *listed;
    const char *name, *path;
} sort_key;

static int compare_lines(const sort_key *x, const sort_key *y)
{
    return (x->listed->line > y->listed->line) - (x->listed->line < y->listed->line);
}

static int compare_keys(const void *a, const void *b)
{
    const sort_key *x = a, *y = b;
    int c = strcmp(x->listed->class_name, y->listed->class_name);
    if (!c) c = strcmp(x->name, y->name);
    if (!c) c = strcmp(x->path, y->path);
    return c ? c : compare_lines(x, y);
}

static int compare_paths(const void *a, const void *b)
{
    const sort_key *x = *(const sort_key *const *)a, *y = *(const sort_key *const *)b;
    int c = strcmp(x->path, y->path);
    return c ? c : compare_lines(x, y);
}

/* No path may be listed twice, under whatever class. */
static mopd_status check_unique(const sort_key *key, size_t n, const char *where)
{
    const sort_key **by_path = mo_mem_alloc(n, sizeof *by_path);
    if (!by_path) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n; i++) by_path[i] = key + i;
    qsort(by_path, n, sizeof *by_path, compare_paths);
    mopd_status st = MOPD_OK;
    for (size_t i = 1; i < n && st == MOPD_OK; i++) {
        const mo_dataset_listed *a = by_path[i - 1]->listed, *b = by_path[i]->listed;
        if (strcmp(by_path[i - 1]->path, by_path[i]->path)) continue;
        st = b->line ? mo_fail(MOPD_E_FORMAT,
                           "%s: line %u: '%s' is in line %u already; a picture has one line and one label",
                           where, b->line, by_path[i]->path, a->line)
                     : mo_fail(MOPD_E_FORMAT, "%s: '%s' is there twice", where, by_path[i]->path);
    }
    mo_mem_free(by_path);
    return st;
}

static mopd_status dataset_create(mopd_dataset **out, size_t n, size_t n_classes)
{
    mopd_dataset *d = mo_mem_calloc(1, sizeof *d);
    if (!d) return MOPD_E_NOMEM;
    d->n = n;
    d->row = mo_mem_alloc(n, sizeof *d->row);
    d->label = mo_mem_alloc(n, sizeof *d->label);
    d->name = mo_mem_calloc(n_classes, sizeof *d->name);
    if (d->name) d->n_classes = n_classes;
    if (!d->row || !d->label || !d->name) {
        mo_dataset_close(d);
        return MOPD_E_NOMEM;
    }
    *out = d;
    return MOPD_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* names (n + n_extra of them, sorted here) = those that occur and the extra ones, each once; how many. */
static size_t unite_names(const char **names, const sort_key *key, const mo_dataset_listing *l)
{
    size_t n = 0, n_names = 0;
    for (size_t i = 0; i < l->n; i++) {
        const char *name = key[i].listed->class_name;
        if (!i || strcmp(name, key[i - 1].listed->class_name)) names[n++] = name;
    }
    for (size_t i = 0; i < l->n_extra; i++) names[n++] = l->extra[i];
    qsort(names, n, sizeof *names, compare_texts);
    for (size_t i = 0; i < n; i++) {
        if (!i || strcmp(names[i], names[n_names - 1])) names[n_names++] = names[i];
    }
    return n_names;
}

static mopd_status fill_sorted(mopd_dataset *d, const sort_key *key, const char *const *names)
{
    for (size_t c = 0; c < d->n_classes; c++) {
        if (!(d->name[c] = mo_mem_strdup(names[c]))) return MOPD_E_NOMEM;
    }
    size_t c = 0;
    for (size_t i = 0; i < d->n; i++) {
        while (strcmp(key[i].listed->class_name, d->name[c])) c++;
        d->row[i] = key[i].listed->row;
        d->label[i] = (int32_t)c;
    }
    return MOPD_OK;
}

static mopd_status check_memory(const mo_dataset_listing *l, size_t n_names)
{
    if (!l->n_bytes) return MOPD_OK;
    const uint64_t taken = (uint64_t)l->n * MO_DATASET_ROW_BYTES + (uint64_t)n_names * MO_DATASET_CLASS_BYTES;
    return mo_limits_check_reading(l->n_bytes, taken, l->where, "its rows and classes");
}

mopd_status mo_dataset_listing_build(mopd_dataset **out, const mo_dataset_listing *l)
{
    mopd_dataset *d = NULL;
    const char **names = NULL;
    mopd_status st = MOPD_E_NOMEM;
    sort_key *key = mo_mem_alloc(l->n, sizeof *key);
    if (!key) goto done;
    for (size_t i = 0; i < l->n; i++) {
        const char *path = l->source->row[l->listed[i].row].path;
        key[i] = (sort_key){l->listed + i, mo_path_name(path), path};
    }
    qsort(key, l->n, sizeof *key, compare_keys);
    if ((st = check_unique(key, l->n, l->where)) != MOPD_OK) goto done;
    if (!(names = mo_mem_alloc(l->n + l->n_extra, sizeof *names))) st = MOPD_E_NOMEM;
    const size_t n_names = st == MOPD_OK ? unite_names(names, key, l) : 0;
    if (st == MOPD_OK) st = check_memory(l, n_names);
    if (st == MOPD_OK) st = dataset_create(&d, l->n, n_names);
    if (st == MOPD_OK) st = fill_sorted(d, key, names);
done:
    mo_mem_free(names);
    mo_mem_free(key);
    if (d)
        d->source = l->source;
    else
        mo_dataset_source_release(l->source);
    if (st == MOPD_OK) st = mo_remarks_twice(d);
    if (st == MOPD_OK) st = mo_remarks_labels(d);
    if (st != MOPD_OK)
        mo_dataset_close(d);
    else
        *out = d;
    return st;
}

mopd_status mo_dataset_list_add(mo_dataset_list *list, const mo_dataset_list_row *row)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 256;
        mo_dataset_list_row *grown = mo_mem_realloc(list->row, cap, sizeof *grown);
        if (!grown) return MOPD_E_NOMEM;
        list->row = grown;
        list->cap = cap;
    }
    list->row[list->n++] = *row;
    return MOPD_OK;
}

mopd_status mo_dataset_list_trim(mo_dataset_list *list)
{
    mo_dataset_list_row *row = mo_mem_realloc(list->row, list->n, sizeof *row);
    if (!row) return MOPD_E_NOMEM;
    list->row = row;
    list->cap = list->n;
    return MOPD_OK;
}

/* The files of a list in one block, which costs less than a block for each. */
static mopd_status join_files(mo_dataset_source *s, const mo_dataset_list *list, const char *root)
{
    size_t n_bytes = 0, at = 0;
    for (size_t i = 0; i < list->n; i++) n_bytes += mo_path_join_bytes(root, list->row[i].path);
    if (!(s->texts = mo_mem_alloc(n_bytes, 1))) return MOPD_E_NOMEM;
    for (size_t i = 0; i < list->n; i++) {
        const mo_dataset_list_row *from = &list->row[i];
        mo_dataset_row *row = s->row + i;
        row->file = s->texts + at;
        at += mo_path_join_to(row->file, root, from->path);
        row->path = s->texts + at - strlen(from->path) - 1;
        row->split = from->split;
        row->line = from->line;
    }
    return MOPD_OK;
}

mopd_status mo_dataset_list_build(
    mopd_dataset **out, const mo_dataset_list *list, const char *where, const char *root)
{
    mo_dataset_source *source = NULL;
    mo_dataset_listed *listed = mo_mem_calloc(list->n, sizeof *listed);
    if (!listed) return MOPD_E_NOMEM;
    mopd_status st = mo_dataset_source_create(&source, list->n, false);
    for (size_t i = 0; i < list->n; i++)
        listed[i] = (mo_dataset_listed){list->row[i].class_name, (uint32_t)i, list->row[i].line};
    if (st == MOPD_OK) st = join_files(source, list, root);
    if (st == MOPD_OK)
        st = mo_dataset_listing_build(
            out, &(mo_dataset_listing){source, listed, list->n, NULL, 0, where, list->n_bytes});
    else
        mo_dataset_source_release(source);
    mo_mem_free(listed);
    return st;
}

mopd_status mo_dataset_part(
    mopd_dataset **out, const mopd_dataset *from, const size_t *keep, size_t n, const bool *class_kept)
{
    mopd_dataset *d = NULL;
    size_t n_classes = 0;
    int32_t *number = mo_mem_alloc(from->n_classes, sizeof *number);
    if (!number) return MOPD_E_NOMEM;
    for (size_t c = 0; c < from->n_classes; c++) {
        number[c] = (int32_t)n_classes;
        n_classes += !class_kept || class_kept[c];
    }
    mopd_status st = dataset_create(&d, n, n_classes);
    if (st == MOPD_OK && from->word && !(d->word = mo_mem_calloc(n_classes, sizeof *d->word)))
        st = MOPD_E_NOMEM;
    for (size_t c = 0; c < from->n_classes && st == MOPD_OK; c++) {
        if (class_kept && !class_kept[c]) continue;
        if (!(d->name[number[c]] = mo_mem_strdup(from->name[c]))) st = MOPD_E_NOMEM;
        if (from->word && !(d->word[number[c]] = mo_mem_strdup(from->word[c]))) st = MOPD_E_NOMEM;
    }
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        d->row[i] = from->row[keep[i]];
        d->label[i] = number[from->label[keep[i]]];
    }
    mo_mem_free(number);
    if (st != MOPD_OK) {
        mo_dataset_close(d);
        return st;
    }
    atomic_fetch_add(&from->source->users, 1);
    d->source = from->source;
    *out = d;
    return MOPD_OK;
}

void mo_dataset_close(mopd_dataset *d)
{
    if (!d) return;
    for (size_t c = 0; c < d->n_classes; c++) mo_mem_free(d->name[c]);
    for (size_t c = 0; d->word && c < d->n_classes; c++) mo_mem_free(d->word[c]);
    mo_mem_free(d->name);
    mo_mem_free(d->word);
    mo_remarks_free(&d->remarks);
    mo_mem_free(d->row);
    mo_mem_free(d->label);
    mo_dataset_source_release(d->source);
    mo_mem_free(d);
}

/* The line on which a CSV has a class first, and a picture of it. */
static uint32_t first_line(const mopd_dataset *d, size_t c, const char **path)
{
    uint32_t line = UINT32_MAX;
    for (size_t i = 0; i < d->n; i++) {
        const mo_dataset_row *row = d->source->row + d->row[i];
        if ((size_t)d->label[i] != c || row->line >= line) continue;
        line = row->line;
        *path = row->path;
    }
    return line;
}

mopd_status mo_dataset_check_words(const mopd_dataset *d, const char *where)
{
    size_t same[2];
    const char *path[2] = {"", ""}, *const *words = (const char *const *)(d->word ? d->word : d->name);
    mopd_status st = mo_fold_find(words, d->n_classes, same);
    if (st != MOPD_OK || same[1] == d->n_classes) return st;
    uint32_t line[2] = {first_line(d, same[0], &path[0]), first_line(d, same[1], &path[1])};
    const int later = line[1] > line[0];
    const char *const advice = "write both alike, or give each words of its own (names)";
    if (line[0] && line[0] != UINT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: line %u: '%s' is the same words to a model as '%s' of line %u: %s",
            where, line[later], words[same[later]], words[same[!later]], line[!later], advice);
    return mo_fail(MOPD_E_FORMAT, "%s: classes '%s' (%s) and '%s' (%s) are the same words to a model: %s",
        where, words[same[0]], path[0], words[same[1]], path[1], advice);
}

/* A store begins with the length of its header, 8 bytes of which the last are zero; a list of pictures is text. */
static mopd_status looks_like_store(const char *path, bool *store)
{
    int fd;
    unsigned char head[8];
    size_t n = 0;
    uint64_t size;
    mopd_status st = mo_file_open(&fd, &size, path);
    if (st != MOPD_OK) return st;
    st = mo_file_read_bytes(fd, head, sizeof head, &n, path);
    mo_os_close(fd);
    *store = n == sizeof head && memchr(head, 0, sizeof head);
    return st;
}

static mopd_status open_folder(mopd_dataset **out, const char *path, const mopd_dataset_options *options)
{
    bool unlabelled = options->flags & MOPD_DATASET_UNLABELLED;
    mopd_status st = MOPD_OK;
    if (!unlabelled && (options->flags & MOPD_DATASET_MAY_LACK_LABELS))
        st = mo_unlabelled_tell(path, &unlabelled);
    if (st != MOPD_OK) return st;
    return unlabelled ? mo_unlabelled_open(out, path, options->root)
                      : mo_folder_open(out, path, options->root);
}

static mopd_status open_any(
    mopd_dataset **out, const char *path, const mopd_dataset_options *options, bool *store)
{
    *out = NULL;
    if (mo_file_is_dir(path)) return open_folder(out, path, options);
    mopd_status st = looks_like_store(path, store);
    if (st != MOPD_OK) return st;
    if (*store) return mo_store_open(out, path, options->root, options->flags & MOPD_DATASET_READ);
    return mo_csv_open(out, path, options);
}

mopd_status mo_dataset_open(mopd_dataset **out, const char *path, const mopd_dataset_options *options)
{
    bool store = false;
    mopd_status st = open_any(out, path, options, &store);
    if (st == MOPD_OK) st = mo_outside_tell(*out, !store);
    if (st == MOPD_OK && options->names) st = mo_rename_file(*out, options->names);
    if (st == MOPD_OK && !store) st = mo_dataset_check_words(*out, path);
    if (st == MOPD_OK) return st;
    mo_dataset_close(*out);
    *out = NULL;
    return st;
}
