/* SPDX-License-Identifier: MIT
 * safetensors.c - opens a safetensors file: every rule of the format is checked before a view is handed out.
 *
 * The JSON header is read into a tree, copied into one block (names, entries, metadata) and forgotten.  Data
 * must be covered without gap or overlap, as the reference implementation demands. */
#include "format/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/view.h"
#include "format/index.h"
#include "format/json.h"

#define HEADER_LIMIT 100000000u
#define METADATA "__metadata__"

typedef struct entry {
    const char *name;
    size_t begin, end; /* bytes from the start of the data */
    mo_view view;
} entry;

struct mo_safetensors {
    mo_map map; /* {0} over a caller's bytes */
    const unsigned char *bytes;
    size_t n_bytes;
    size_t data_at; /* 8 + header */
    char *path;
    mo_arena block; /* entries, texts, metadata values */
    entry *entries;
    size_t n_entries;
    const char **meta_value; /* in the order of the file; meta.item[].at leads here */
    mo_index names, meta;
};

static mopd_status read_dtype(mo_dtype *out, const mo_json *info, const char *name, const char *path)
{
    static const mo_dtype all[] = {
        MO_F32, MO_F16, MO_BF16, MO_F64, MO_I64, MO_I32, MO_I16, MO_I8, MO_U8, MO_BOOL};
    static const char *const other[] = {
        "U16", "U32", "U64", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4", "C64"};
    const char *text = NULL;
    if (!mo_json_as_string(mo_json_get(info, "dtype"), &text))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has no dtype", path, name);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(text, mo_dtype_name(all[i])) != 0) continue;
        *out = all[i];
        return MOPD_OK;
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (!strcmp(text, other[i]))
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: tensor \"%s\" has dtype %s", path, name, text);
    return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has the unknown dtype \"%s\"", path, name, text);
}

static bool whole_number(const mo_json *value, size_t *out)
{
    int64_t x;
    if (mo_json_kind(value) != MO_JSON_INT || !mo_json_as_int(value, &x) || x < 0) return false;
    *out = (size_t)x;
    return true;
}

static mopd_status read_shape(mo_view *view, const mo_json *info, const char *name, const char *path)
{
    const mo_json *shape = mo_json_get(info, "shape");
    size_t n_dims = mo_json_count(shape);
    if (mo_json_kind(shape) != MO_JSON_ARRAY)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has no shape", path, name);
    if (n_dims > MO_MAX_DIMS)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: tensor \"%s\" has %zu dimensions, at most %d are read", path,
            name, n_dims, MO_MAX_DIMS);
    view->n_dims = (int)n_dims;
    view->n = 1;
    for (size_t i = 0; i < n_dims; i++) {
        if (!whole_number(mo_json_item(shape, i), &view->shape[i]))
            return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\": dimension %zu is not a size", path, name, i);
        if (!mo_mul(view->n, view->shape[i], &view->n))
            return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\": its shape overflows", path, name);
    }
    return MOPD_OK;
}

static mopd_status read_entry(entry *e, const mo_json *info, const mo_safetensors *st)
{
    size_t data_bytes = st->n_bytes - st->data_at, wanted;
    const mo_json *offsets = mo_json_get(info, "data_offsets");
    if (mo_json_kind(info) != MO_JSON_OBJECT)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" is not described by an object", st->path, e->name);
    mopd_status status = read_dtype(&e->view.dtype, info, e->name, st->path);
    if (status == MOPD_OK) status = read_shape(&e->view, info, e->name, st->path);
    if (status != MOPD_OK) return status;
    if (mo_json_kind(offsets) != MO_JSON_ARRAY || mo_json_count(offsets) != 2 ||
        !whole_number(mo_json_item(offsets, 0), &e->begin) ||
        !whole_number(mo_json_item(offsets, 1), &e->end))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has no pair of data_offsets", st->path, e->name);
    if (e->begin > e->end || e->end > data_bytes)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" lies at bytes %zu to %zu, the data has %zu",
            st->path, e->name, e->begin, e->end, data_bytes);
    if (!mo_mul(e->view.n, mo_dtype_size(e->view.dtype), &wanted))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\": its shape overflows", st->path, e->name);
    if (wanted != e->end - e->begin)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\": its shape makes %zu bytes, its offsets %zu",
            st->path, e->name, wanted, e->end - e->begin);
    e->view.data = st->bytes + st->data_at + e->begin;
    return MOPD_OK;
}

static int by_place(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Sorts by place and checks that the data is covered once. */
static mopd_status check_cover(mo_safetensors *st)
{
    size_t at = 0;
    qsort(st->entries, st->n_entries, sizeof *st->entries, by_place);
    for (size_t i = 0; i < st->n_entries; i++) {
        const entry *e = &st->entries[i];
        if (e->begin != at)
            return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" starts at byte %zu of the data, %s %zu",
                st->path, e->name, e->begin,
                e->begin < at ? "overlapping the one before, which ends at" : "a gap after", at);
        at = e->end;
    }
    if (at != st->n_bytes - st->data_at)
        return mo_fail(MOPD_E_FORMAT, "%s: the tensors end at byte %zu of the data, which has %zu", st->path,
            at, st->n_bytes - st->data_at);
    return MOPD_OK;
}

static const char *take_text(mo_arena *block, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = mo_arena_take(block, n, 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

static bool is_tensor(void *member)
{
    return strcmp(mo_json_key(member), METADATA) != 0;
}

static mopd_status check_metadata(const mo_json *meta, const char *path)
{
    if (meta && mo_json_kind(meta) != MO_JSON_OBJECT)
        return mo_fail(MOPD_E_FORMAT, "%s: " METADATA " is not an object", path);
    for (void *it = mo_json_first(meta); it; it = mo_json_next(meta, it))
        if (mo_json_kind(mo_json_value(it)) != MO_JSON_STRING)
            return mo_fail(MOPD_E_FORMAT, "%s: metadata \"%s\" is not a string", path, mo_json_key(it));
    return MOPD_OK;
}

/* Takes all that the handle keeps from the block; fills it in the second pass, when the block is there. */
static void keep_header(mo_safetensors *st, const mo_json *root, bool fill)
{
    const mo_json *meta = mo_json_get(root, METADATA);
    size_t i = 0;
    st->entries = mo_arena_take(&st->block, st->n_entries, sizeof *st->entries);
    st->meta_value = mo_arena_take(&st->block, mo_json_count(meta), sizeof *st->meta_value);
    if (fill && st->n_entries) memset(st->entries, 0, st->n_entries * sizeof *st->entries);
    for (void *it = mo_json_first(root); it; it = mo_json_next(root, it)) {
        if (!is_tensor(it)) continue;
        const char *name = take_text(&st->block, mo_json_key(it));
        if (fill) st->entries[i++].name = name;
    }
    i = 0;
    for (void *it = mo_json_first(meta); it; it = mo_json_next(meta, it), i++) {
        const char *text = "", *key = take_text(&st->block, mo_json_key(it));
        mo_json_as_string(mo_json_value(it), &text);
        const char *value = take_text(&st->block, text);
        if (!fill) continue;
        st->meta_value[i] = value;
        st->meta.item[i] = (mo_index_item){key, i};
    }
}

static mopd_status read_header(mo_safetensors *st, const mo_json *root)
{
    const mo_json *meta = mo_json_get(root, METADATA);
    if (mo_json_kind(root) != MO_JSON_OBJECT)
        return mo_fail(MOPD_E_FORMAT, "%s: the header is no object", st->path);
    mopd_status status = check_metadata(meta, st->path);
    if (status != MOPD_OK) return status;
    st->n_entries = mo_json_count(root) - (meta ? 1 : 0);
    keep_header(st, root, false);
    if ((status = mo_arena_open(&st->block)) != MOPD_OK) return status;
    if ((status = mo_index_open(&st->names, st->n_entries)) != MOPD_OK) return status;
    if ((status = mo_index_open(&st->meta, mo_json_count(meta))) != MOPD_OK) return status;
    keep_header(st, root, true);
    for (size_t i = 0; i < st->n_entries; i++) {
        status = read_entry(&st->entries[i], mo_json_get(root, st->entries[i].name), st);
        if (status != MOPD_OK) return status;
    }
    if ((status = check_cover(st)) != MOPD_OK) return status;
    for (size_t i = 0; i < st->n_entries; i++) st->names.item[i] = (mo_index_item){st->entries[i].name, i};
    mo_index_sort(&st->names);
    mo_index_sort(&st->meta);
    return MOPD_OK;
}

static mopd_status read_all(mo_safetensors *st)
{
    uint64_t header = 0;
    if (st->n_bytes < 8)
        return mo_fail(
            MOPD_E_FORMAT, "%s: %zu bytes are too short for a safetensors file", st->path, st->n_bytes);
    for (int i = 7; i >= 0; i--) header = header << 8 | st->bytes[i];
    if (header > HEADER_LIMIT)
        return mo_fail(MOPD_E_FORMAT, "%s: header of %llu bytes, at most %u are allowed", st->path,
            (unsigned long long)header, HEADER_LIMIT);
    if (header > st->n_bytes - 8)
        return mo_fail(MOPD_E_FORMAT, "%s: header of %llu bytes, the file has %zu after its first 8",
            st->path, (unsigned long long)header, st->n_bytes - 8);
    st->data_at = 8 + (size_t)header;
    if (!header || st->bytes[8] != '{')
        return mo_fail(MOPD_E_FORMAT, "%s: the header does not start with {", st->path);
    const mo_json *root = NULL;
    mopd_status status = mo_json_parse(&root, st->bytes + 8, (size_t)header, st->path);
    if (status == MOPD_OK) status = read_header(st, root);
    mo_json_close(root);
    return status;
}

static mopd_status open_handle(mo_safetensors **out, const char *path)
{
    *out = NULL;
    mo_safetensors *st = mo_mem_calloc(1, sizeof *st);
    if (!st) return MOPD_E_NOMEM;
    st->path = mo_mem_strdup(path);
    if (!st->path) {
        mo_mem_free(st);
        return MOPD_E_NOMEM;
    }
    *out = st;
    return MOPD_OK;
}

static mopd_status finish_open(mo_safetensors **out, mopd_status status)
{
    if (status == MOPD_OK) status = read_all(*out);
    if (status != MOPD_OK) {
        mo_safetensors_close(*out);
        *out = NULL;
    }
    return status;
}

mopd_status mo_safetensors_open_bytes(mo_safetensors **out, const void *bytes, size_t n, const char *path)
{
    mopd_status status = open_handle(out, path);
    if (status != MOPD_OK) return status;
    (*out)->bytes = bytes;
    (*out)->n_bytes = n;
    return finish_open(out, MOPD_OK);
}

mopd_status mo_safetensors_open(mo_safetensors **out, const char *path, bool read)
{
    mopd_status status = open_handle(out, path);
    if (status != MOPD_OK) return status;
    mo_safetensors *st = *out;
    status = mo_map_open(&st->map, path, read);
    st->bytes = st->map.data;
    st->n_bytes = st->map.size;
    return finish_open(out, status);
}

void mo_safetensors_close(mo_safetensors *st)
{
    if (!st) return;
    mo_index_close(&st->meta);
    mo_index_close(&st->names);
    mo_arena_close(&st->block);
    mo_map_close(&st->map);
    mo_mem_free(st->path);
    mo_mem_free(st);
}

const char *mo_safetensors_path(const mo_safetensors *st)
{
    return st->path;
}

size_t mo_safetensors_file_bytes(const mo_safetensors *st)
{
    return st->n_bytes;
}

size_t mo_safetensors_count(const mo_safetensors *st)
{
    return st->n_entries;
}

const char *mo_safetensors_name(const mo_safetensors *st, size_t i)
{
    return st->entries[i].name;
}

const mo_view *mo_safetensors_view(const mo_safetensors *st, size_t i)
{
    return &st->entries[i].view;
}

const mo_view *mo_safetensors_find(const mo_safetensors *st, const char *name)
{
    size_t i = mo_index_find(&st->names, name);
    return i == SIZE_MAX ? NULL : &st->entries[i].view;
}

mopd_status mo_safetensors_need(const mo_safetensors *st, const char *name, const mo_view **out)
{
    *out = mo_safetensors_find(st, name);
    return *out ? MOPD_OK : mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" is missing", st->path, name);
}

size_t mo_safetensors_n_meta(const mo_safetensors *st)
{
    return st->meta.n;
}

const char *mo_safetensors_meta_key(const mo_safetensors *st, size_t i)
{
    return st->meta.item[i].name;
}

const char *mo_safetensors_meta_value(const mo_safetensors *st, size_t i)
{
    return st->meta_value[st->meta.item[i].at];
}

const char *mo_safetensors_meta(const mo_safetensors *st, const char *key)
{
    size_t at = mo_index_find(&st->meta, key);
    return at == SIZE_MAX ? NULL : st->meta_value[at];
}

void mo_safetensors_release(const mo_safetensors *st, const mo_view *view)
{
    mo_map_release(&st->map, view->data, view->n * mo_dtype_size(view->dtype));
}
