/* SPDX-License-Identifier: MIT
 * store_roots.c - where the pictures of a store lie, as two lists in its metadata.
 *
 *     roots    folders that paths start from: below the store's own folder as seen from there, others from the top
 *     root_of  for each picture which of them; only where there are several
 *
 * Neither is there where all paths start from the store's own folder, or nobody knows where they start. */
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"
#include "base/utf8.h"
#include "data/store.h"
#include "format/json.h"

/* A folder as rows have it, and its place among the roots. */
typedef struct spelling {
    const char *text; /* n bytes */
    size_t n, root;
} spelling;

/* What is known while a store is written. */
typedef struct roots {
    char *folder; /* of the store, from the top */
    mo_names names;
    spelling *seen;
    size_t n_seen, cap;
} roots;

/* How the folder is written into the store; "" for its own, and for a name that cannot stand in JSON. */
static mopd_status spell(const roots *r, const char *text, size_t n, char **out)
{
    char *name = mo_mem_strndup(text, n), *real = name ? mo_path_real(name) : NULL;
    *out = real ? mo_path_below(r->folder, real) : NULL;
    if (*out && mo_utf8_prefix(*out, strlen(*out)) != strlen(*out)) **out = 0;
    mo_mem_free(name);
    mo_mem_free(real);
    return *out ? MOPD_OK : MOPD_E_NOMEM;
}

static mopd_status find_name(roots *r, const char *name, size_t *root)
{
    for (*root = 0; *root < r->names.n; ++*root) {
        if (!strcmp(r->names.name[*root], name)) return MOPD_OK;
    }
    return mo_names_add(&r->names, name, strlen(name));
}

static mopd_status add_seen(roots *r, const char *text, size_t n, size_t root)
{
    if (r->n_seen == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 8;
        spelling *grown = mo_mem_realloc(r->seen, cap, sizeof *grown);
        if (!grown) return MOPD_E_NOMEM;
        r->seen = grown;
        r->cap = cap;
    }
    r->seen[r->n_seen++] = (spelling){text, n, root};
    return MOPD_OK;
}

/* The root of a row.  A row that starts from none, or from nobody knows where, has the store's own folder. */
static mopd_status find_root(roots *r, const mo_dataset_row *row, size_t *root)
{
    bool none = row->guessed || mo_path_is_whole(row->path);
    const char *text = none ? r->folder : row->file;
    size_t n = none ? strlen(r->folder) : (size_t)(row->path - row->file);
    for (size_t i = r->n_seen; i-- > 0;) {
        *root = r->seen[i].root;
        if (r->seen[i].n == n && !memcmp(r->seen[i].text, text, n)) return MOPD_OK;
    }
    char *name;
    mopd_status st = spell(r, text, n, &name);
    if (st == MOPD_OK) st = find_name(r, name, root);
    if (st == MOPD_OK) st = add_seen(r, text, n, *root);
    mo_mem_free(name);
    return st;
}

static mopd_status add_roots(mo_safetensors_writer *w, const roots *r)
{
    mo_buf text = {0};
    mo_jsonw json;
    mo_jsonw_init(&json, &text);
    mo_jsonw_strings(&json, r->names.name, r->names.n);
    mopd_status st = mo_jsonw_done(&json);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, "roots", text.data);
    mo_buf_free(&text);
    return st;
}

static mopd_status add_root_of(mo_safetensors_writer *w, const size_t *root, size_t n)
{
    mo_buf text = {0};
    mo_jsonw json;
    mo_jsonw_init(&json, &text);
    mo_jsonw_array(&json);
    for (size_t i = 0; i < n; i++) mo_jsonw_uint(&json, root[i]);
    mo_jsonw_end(&json);
    mopd_status st = mo_jsonw_done(&json);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, "root_of", text.data);
    mo_buf_free(&text);
    return st;
}

mopd_status mo_store_roots_declare(mo_safetensors_writer *w, const mopd_dataset *d, const char *path)
{
    roots r = {0};
    char *folder = mo_path_dir(path);
    size_t *root = mo_mem_alloc(d->n, sizeof *root);
    mopd_status st = folder && root && (r.folder = mo_path_real(folder)) ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t i = 0; i < d->n && st == MOPD_OK; i++)
        st = find_root(&r, d->source->row + d->row[i], root + i);
    bool own = r.names.n == 1 && !*r.names.name[0];
    if (st == MOPD_OK && !own) st = add_roots(w, &r);
    if (st == MOPD_OK && r.names.n > 1) st = add_root_of(w, root, d->n);
    mo_names_free(&r.names);
    mo_mem_free(r.seen);
    mo_mem_free(r.folder);
    mo_mem_free(root);
    mo_mem_free(folder);
    return st;
}

/* The text of a list's item; FORMAT where it is none. */
static mopd_status join_root(mo_names *out, const mo_json *list, size_t i, const mo_store_place *place)
{
    const char *text;
    if (!mo_json_as_string(mo_json_item(list, i), &text))
        return mo_fail(MOPD_E_FORMAT, "%s: metadata 'roots': item %zu is not a text", place->path, i);
    const char *folder =
        *text && !strcmp(place->folder, ".") ? "" : place->folder; /* "photos", not "./photos" */
    char *joined = *text ? mo_path_join(folder, text) : mo_mem_strdup(folder);
    mopd_status st = joined ? mo_names_add(out, joined, strlen(joined)) : MOPD_E_NOMEM;
    mo_mem_free(joined);
    return st;
}

mopd_status mo_store_roots_read(mo_names *out, const mo_json *list, const mo_store_place *place)
{
    mopd_status st = MOPD_OK;
    if (!mo_json_count(list))
        st = mo_fail(MOPD_E_FORMAT, "%s: metadata 'roots' is no list of folders", place->path);
    for (size_t i = 0; i < mo_json_count(list) && st == MOPD_OK; i++) st = join_root(out, list, i, place);
    return st;
}

mopd_status mo_store_roots_pick(
    const mo_names *names, const mo_json *root_of, size_t i, const char *path, const char **root)
{
    int64_t k = 0;
    if (root_of && (!mo_json_as_int(mo_json_item(root_of, i), &k) || k < 0 || (size_t)k >= names->n))
        return mo_fail(
            MOPD_E_FORMAT, "%s: metadata 'root_of': item %zu is none of the %zu roots", path, i, names->n);
    *root = names->name[k];
    return MOPD_OK;
}
