/* SPDX-License-Identifier: MIT
 * tensors_handle.c - the handle of an open file of tensors: its bytes, its path, names to views. */
#include "format/tensors_inner.h"

#include <string.h>

#include "base/mem.h"

mopd_status mo_tensors_make(mo_tensors *t, size_t n, size_t n_meta)
{
    t->tensor = mo_mem_calloc(n, sizeof *t->tensor);
    t->meta_value = mo_mem_calloc(n_meta, sizeof *t->meta_value);
    if (!t->tensor || !t->meta_value) return MOPD_E_NOMEM;
    t->n = n;
    mopd_status st = mo_index_open(&t->names, n);
    return st == MOPD_OK ? mo_index_open(&t->meta, n_meta) : st;
}

static mopd_status index_names(mo_tensors *t)
{
    for (size_t i = 0; i < t->n; i++) t->names.item[i] = (mo_index_item){t->tensor[i].name, i};
    const char *twice = mo_index_sort(&t->names);
    mo_index_sort(&t->meta);
    return twice ? mo_fail(MOPD_E_FORMAT, "%s: two tensors are named \"%s\"", t->path, twice) : MOPD_OK;
}

static mopd_status create(mo_tensors **out, const char *path)
{
    *out = NULL;
    mo_tensors *t = mo_mem_calloc(1, sizeof *t);
    if (!t) return MOPD_E_NOMEM;
    t->path = mo_mem_strdup(path);
    if (!t->path) {
        mo_mem_free(t);
        return MOPD_E_NOMEM;
    }
    *out = t;
    return MOPD_OK;
}

static mopd_status finish(mo_tensors **out, mo_tensors_reader reader)
{
    mopd_status st = reader(*out);
    if (st == MOPD_OK) st = index_names(*out);
    if (st == MOPD_OK) return st;
    mo_tensors_close(*out);
    *out = NULL;
    return st;
}

mopd_status mo_tensors_open_bytes(
    mo_tensors **out, const void *bytes, size_t n, const char *path, mo_tensors_reader reader)
{
    mopd_status st = create(out, path);
    if (st != MOPD_OK) return st;
    (*out)->bytes = bytes;
    (*out)->n_bytes = n;
    return finish(out, reader);
}

mopd_status mo_tensors_open_file(mo_tensors **out, const char *path, bool read, mo_tensors_reader reader)
{
    mopd_status st = create(out, path);
    if (st != MOPD_OK) return st;
    mo_tensors *t = *out;
    if ((st = mo_map_open(&t->map, path, read)) != MOPD_OK) {
        mo_tensors_close(t);
        *out = NULL;
        return st;
    }
    t->bytes = t->map.data;
    t->n_bytes = t->map.size;
    return finish(out, reader);
}

void mo_tensors_close(mo_tensors *t)
{
    if (!t) return;
    mo_index_close(&t->meta);
    mo_index_close(&t->names);
    mo_mem_free((void *)t->meta_value);
    mo_mem_free(t->tensor);
    if (t->free_parts) t->free_parts(t->parts);
    mo_map_close(&t->map);
    mo_mem_free(t->path);
    mo_mem_free(t);
}

const char *mo_tensors_path(const mo_tensors *t)
{
    return t->path;
}

size_t mo_tensors_file_bytes(const mo_tensors *t)
{
    return t->n_bytes;
}

bool mo_tensors_same(const mo_tensors *a, const mo_tensors *b)
{
    return mo_map_id_same(&a->map.id, &b->map.id);
}

size_t mo_tensors_count(const mo_tensors *t)
{
    return t->n;
}

const char *mo_tensors_name(const mo_tensors *t, size_t i)
{
    return t->tensor[i].name;
}

const mo_view *mo_tensors_view(const mo_tensors *t, size_t i)
{
    return &t->tensor[i].view;
}

const mo_view *mo_tensors_find(const mo_tensors *t, const char *name)
{
    size_t i = mo_index_find(&t->names, name);
    return i == SIZE_MAX ? NULL : &t->tensor[i].view;
}

mopd_status mo_tensors_need(const mo_tensors *t, const char *name, const mo_view **out)
{
    *out = mo_tensors_find(t, name);
    return *out ? MOPD_OK : mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" is missing", t->path, name);
}

size_t mo_tensors_n_meta(const mo_tensors *t)
{
    return t->meta.n;
}

const char *mo_tensors_meta_key(const mo_tensors *t, size_t i)
{
    return t->meta.item[i].name;
}

const char *mo_tensors_meta_value(const mo_tensors *t, size_t i)
{
    return t->meta_value[t->meta.item[i].at];
}

const char *mo_tensors_meta(const mo_tensors *t, const char *key)
{
    size_t at = mo_index_find(&t->meta, key);
    return at == SIZE_MAX ? NULL : t->meta_value[at];
}

mopd_status mo_tensors_meta_word(bool *said, const mo_tensors *t, const char *key, const char *word)
{
    const char *its = mo_tensors_meta(t, key);
    *said = its && !strcmp(its, word);
    if (!its || *said) return MOPD_OK;
    return mo_fail(
        MOPD_E_FORMAT, "%s: metadata '%s' is '%.20s', not '%s'", mo_tensors_path(t), key, its, word);
}

void mo_tensors_release(const mo_tensors *t, const mo_view *view)
{
    uintptr_t data = (uintptr_t)view->data, file = (uintptr_t)t->bytes;
    if (data >= file && data - file < t->n_bytes) /* not for a copy: it would be wiped */
        mo_map_release(&t->map, view->data, view->n * mo_dtype_size(view->dtype));
}
