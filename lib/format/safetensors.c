/* SPDX-License-Identifier: MIT
 * safetensors.c - opens a safetensors file: every rule of the format is checked before a view is handed out.
 *
 * The JSON header is read into a tree, its names and metadata are copied into one block, and the tree is
 * forgotten.  Data must be covered without gap or overlap, as the reference implementation demands. */
#include "format/foreign.h"
#include "format/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/view.h"
#include "base/wide.h"
#include "format/json.h"
#include "format/json_cost.h"
#include "format/tensors_inner.h"

#define METADATA "__metadata__"

typedef struct entry {
    const char *name;
    size_t begin, end; /* bytes from the start of the data */
    mo_view view;
} entry;

/* A file being read. */
typedef struct header {
    mo_tensors *t;
    const unsigned char *data; /* behind the JSON */
    size_t n_data;
    entry *entries;
    size_t n_entries;
    char *text; /* where the next name goes */
} header;

static mopd_status read_dtype(mo_dtype *out, const mo_json *info, const char *name, const char *path)
{
    static const char *const other[] = {
        "U16", "U32", "U64", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4", "C64"};
    const char *text = NULL;
    if (!mo_json_as_string(mo_json_get(info, "dtype"), &text))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has no dtype", path, name);
    if (mo_dtype_find(out, text)) return MOPD_OK;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (!strcmp(text, other[i]))
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: tensor \"%s\" has dtype %s", path, name, text);
    return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has the unknown dtype \"%s\"", path, name, text);
}

static bool whole_number(const mo_json *value, uint64_t *out)
{
    int64_t x;
    if (mo_json_kind(value) != MO_JSON_INT || !mo_json_as_int(value, &x) || x < 0) return false;
    *out = (uint64_t)x;
    return true;
}

/* The sizes that are not 0 make a product, too: of a tensor without elements they would say anything. */
static mopd_status read_shape(mo_view *view, const mo_json *info, const char *name, const char *path)
{
    size_t bytes = mo_dtype_size(view->dtype);
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
        uint64_t n;
        if (!whole_number(mo_json_item(shape, i), &n))
            return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\": dimension %zu is not a size", path, name, i);
        if (!mo_wide_size(&view->shape[i], n) || !mo_mul(bytes, n ? view->shape[i] : 1, &bytes))
            return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\": its shape overflows", path, name);
        view->n *= view->shape[i];
    }
    return MOPD_OK;
}

static mopd_status read_entry(entry *e, const mo_json *info, const header *h)
{
    const char *path = h->t->path;
    size_t wanted;
    uint64_t begin, end;
    const mo_json *offsets = mo_json_get(info, "data_offsets");
    if (mo_json_kind(info) != MO_JSON_OBJECT)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" is not described by an object", path, e->name);
    mopd_status status = read_dtype(&e->view.dtype, info, e->name, path);
    if (status == MOPD_OK) status = read_shape(&e->view, info, e->name, path);
    if (status != MOPD_OK) return status;
    if (mo_json_kind(offsets) != MO_JSON_ARRAY || mo_json_count(offsets) != 2 ||
        !whole_number(mo_json_item(offsets, 0), &begin) || !whole_number(mo_json_item(offsets, 1), &end))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has no pair of data_offsets", path, e->name);
    if (begin > end || end > h->n_data)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" lies at bytes %llu to %llu, the data has %zu", path,
            e->name, (unsigned long long)begin, (unsigned long long)end, h->n_data);
    e->begin = (size_t)begin;
    e->end = (size_t)end;
    if (!mo_mul(e->view.n, mo_dtype_size(e->view.dtype), &wanted))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\": its shape overflows", path, e->name);
    if (wanted != e->end - e->begin)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\": its shape makes %zu bytes, its offsets %zu", path,
            e->name, wanted, e->end - e->begin);
    e->view.data = h->data + e->begin;
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
static mopd_status check_cover(header *h)
{
    const char *path = h->t->path;
    size_t at = 0;
    qsort(h->entries, h->n_entries, sizeof *h->entries, by_place);
    for (size_t i = 0; i < h->n_entries; i++) {
        const entry *e = &h->entries[i];
        if (e->begin != at)
            return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" starts at byte %zu of the data, %s %zu", path,
                e->name, e->begin,
                e->begin < at ? "overlapping the one before, which ends at" : "a gap after", at);
        at = e->end;
    }
    if (at != h->n_data)
        return mo_fail(
            MOPD_E_FORMAT, "%s: the tensors end at byte %zu of the data, which has %zu", path, at, h->n_data);
    return MOPD_OK;
}

static bool is_tensor(void *member)
{
    return strcmp(mo_json_key(member), METADATA) != 0;
}

/* Lists and objects among the texts are trees later on: together they take no more than one header does. */
static mopd_status check_metadata(const mo_json *meta, size_t n_header, const char *path)
{
    uint64_t cost = 0;
    if (meta && mo_json_kind(meta) != MO_JSON_OBJECT)
        return mo_fail(MOPD_E_FORMAT, "%s: " METADATA " is not an object", path);
    for (void *it = mo_json_first(meta); it; it = mo_json_next(meta, it)) {
        const char *text;
        if (!mo_json_as_string(mo_json_value(it), &text))
            return mo_fail(MOPD_E_FORMAT, "%s: metadata \"%s\" is not a string", path, mo_json_key(it));
        if (*text == '[' || *text == '{') cost += mo_json_cost(text, strlen(text));
    }
    return mo_limits_check_reading(n_header, cost, path, "the JSON in its metadata");
}

static const char *text_of(const mo_json *value)
{
    const char *text = "";
    mo_json_as_string(value, &text);
    return text;
}

/* Bytes of all names, keys and values with their ends. */
static size_t count_texts(const mo_json *root)
{
    const mo_json *meta = mo_json_get(root, METADATA);
    size_t n = 0;
    for (void *it = mo_json_first(root); it; it = mo_json_next(root, it))
        if (is_tensor(it)) n += strlen(mo_json_key(it)) + 1;
    for (void *it = mo_json_first(meta); it; it = mo_json_next(meta, it))
        n += strlen(mo_json_key(it)) + strlen(text_of(mo_json_value(it))) + 2;
    return n;
}

static const char *keep(header *h, const char *text)
{
    size_t n = strlen(text) + 1;
    const char *kept = memcpy(h->text, text, n);
    h->text += n;
    return kept;
}

/* Copies what the handle keeps of the JSON. */
static mopd_status keep_texts(header *h, const mo_json *root)
{
    const mo_json *meta = mo_json_get(root, METADATA);
    mo_tensors *t = h->t;
    size_t i = 0;
    if (!(h->text = mo_mem_alloc(count_texts(root), 1))) return MOPD_E_NOMEM;
    t->parts = h->text;
    t->free_parts = mo_mem_free;
    for (void *it = mo_json_first(root); it; it = mo_json_next(root, it))
        if (is_tensor(it)) h->entries[i++].name = keep(h, mo_json_key(it));
    i = 0;
    for (void *it = mo_json_first(meta); it; it = mo_json_next(meta, it), i++) {
        t->meta.item[i] = (mo_index_item){keep(h, mo_json_key(it)), i};
        t->meta_value[i] = keep(h, text_of(mo_json_value(it)));
    }
    return MOPD_OK;
}

static mopd_status read_entries(header *h, const mo_json *root)
{
    mopd_status st;
    if (!(h->entries = mo_mem_calloc(h->n_entries, sizeof *h->entries))) return MOPD_E_NOMEM;
    if ((st = keep_texts(h, root)) != MOPD_OK) return st;
    for (size_t i = 0; i < h->n_entries; i++) {
        if ((st = mo_stop_check(MO_STOP_ENTRY)) != MOPD_OK) return st;
        st = read_entry(&h->entries[i], mo_json_get(root, h->entries[i].name), h);
        if (st != MOPD_OK) return st;
    }
    if ((st = check_cover(h)) != MOPD_OK) return st;
    for (size_t i = 0; i < h->n_entries; i++)
        h->t->tensor[i] = (mo_tensor){h->entries[i].name, h->entries[i].view};
    return MOPD_OK;
}

static mopd_status read_header(header *h, const mo_json *root)
{
    const mo_json *meta = mo_json_get(root, METADATA);
    if (mo_json_kind(root) != MO_JSON_OBJECT)
        return mo_fail(MOPD_E_FORMAT, "%s: the header is no object", h->t->path);
    mopd_status st = check_metadata(meta, (size_t)(h->data - h->t->bytes), h->t->path);
    if (st != MOPD_OK) return st;
    h->n_entries = mo_json_count(root) - (meta ? 1 : 0);
    if ((st = mo_limits_check(MO_LIMIT_TENSORS, h->n_entries, h->t->path, "tensors")) != MOPD_OK) return st;
    if ((st = mo_tensors_make(h->t, h->n_entries, mo_json_count(meta))) != MOPD_OK) return st;
    st = read_entries(h, root);
    mo_mem_free(h->entries);
    return st;
}

/* n = bytes of the header; where the file has not so many, what it is instead. */
static mopd_status read_length(uint64_t *n, const mo_tensors *t)
{
    const uint64_t usual = mo_limits_preset(MO_LIMIT_HEADER);
    *n = 0;
    for (int i = 7; i >= 0 && t->n_bytes >= 8; i--) *n = *n << 8 | t->bytes[i];
    if (t->n_bytes >= 8 && *n <= t->n_bytes - 8) return MOPD_OK;
    mopd_status st = mo_foreign_weights(t->bytes, t->n_bytes, t->path);
    if (st != MOPD_OK) return st;
    if (t->n_bytes < 8)
        return mo_fail(
            MOPD_E_FORMAT, "%s: %zu bytes are too short for a safetensors file", t->path, t->n_bytes);
    if (*n > usual)
        return mo_fail(MOPD_E_FORMAT,
            "%s: header of %llu bytes, at most %llu are allowed: no safetensors file", t->path,
            (unsigned long long)*n, (unsigned long long)usual);
    return mo_fail(MOPD_E_FORMAT, "%s: header of %llu bytes, the file has %zu after its first 8", t->path,
        (unsigned long long)*n, t->n_bytes - 8);
}

mopd_status mo_safetensors_read(mo_tensors *t)
{
    uint64_t n;
    mopd_status st = read_length(&n, t);
    if (st != MOPD_OK) return st;
    if ((st = mo_limits_check(MO_LIMIT_HEADER, n, t->path, "bytes of header")) != MOPD_OK) return st;
    if (!n || t->bytes[8] != '{')
        return mo_fail(MOPD_E_FORMAT, "%s: the header does not start with {", t->path);
    header h = {.t = t, .data = t->bytes + 8 + n, .n_data = t->n_bytes - 8 - (size_t)n};
    const mo_json *root = NULL;
    st = mo_json_parse(&root, t->bytes + 8, (size_t)n, t->path);
    if (st == MOPD_OK) st = read_header(&h, root);
    mo_json_close(root);
    return st;
}

mopd_status mo_safetensors_open_bytes(mo_tensors **out, const void *bytes, size_t n, const char *path)
{
    return mo_tensors_open_bytes(out, bytes, n, path, mo_safetensors_read);
}

mopd_status mo_safetensors_open(mo_tensors **out, const char *path, bool read)
{
    return mo_tensors_open_file(out, path, read, mo_safetensors_read);
}

bool mo_safetensors_is(const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    return n > 8 && b[8] == '{' && !b[4] && !b[5] && !b[6] && !b[7];
}
