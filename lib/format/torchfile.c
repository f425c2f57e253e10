/* SPDX-License-Identifier: MIT
 * torchfile.c - the containers of PyTorch: where the pickle is and where each storage lies.
 *
 *     zip:     NAME/data.pkl, NAME/data/KEY (stored), NAME/byteorder
 *     legacy:  pickles of magic, protocol 1001, system, object, keys | per key: int64 numel | elements
 *
 * What TorchScript adds (code/, constants) is left alone. */
#include "format/torchfile.h"

#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/view.h"
#include "format/tensors_inner.h"
#include "format/torchtree.h"
#include "format/zip.h"

/* Of a pickle: inflated, its values take many times its bytes, and so it is measured by the file. */
static size_t pickle_limit(const mo_tensors *t)
{
    return mo_min(mo_limits_size(MO_LIMIT_HEADER), mo_limits_reading(t->n_bytes) / 4);
}

/* A zip archive being read. */
typedef struct archive {
    const mo_tensors *t;
    mo_zip *zip;
    mo_buf root; /* "NAME/" */
    mo_buf name; /* scratch */
} archive;

static mopd_status find_entry(archive *a, const char *folder, const char *name, size_t n_name, size_t *out)
{
    a->name.size = 0;
    mopd_status st = mo_buf_add(&a->name, a->root.data, a->root.size);
    if (st == MOPD_OK) st = mo_buf_adds(&a->name, folder);
    if (st == MOPD_OK) st = mo_buf_add(&a->name, name, n_name);
    if (st == MOPD_OK) *out = mo_zip_find(a->zip, a->name.data);
    return st;
}

static mopd_status place_in_zip(void *ctx, mo_torchtree_storage_run *s)
{
    archive *a = ctx;
    size_t i = 0, n = 0;
    mopd_status st = find_entry(a, "data/", s->key->text, s->key->u.n, &i);
    if (st != MOPD_OK) return st;
    if (i == SIZE_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" is missing", a->t->path, a->name.data);
    if ((st = mo_zip_stored(a->zip, i, &s->data, &n)) != MOPD_OK) return st;
    if (n != s->n_bytes)
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" has %zu bytes, its storage %zu", a->t->path,
            a->name.data, n, s->n_bytes);
    return MOPD_OK;
}

/* The entry NAME/data.pkl; NAME/ becomes the root. */
static mopd_status find_pickle(archive *a, size_t *out)
{
    for (size_t i = 0; i < mo_zip_count(a->zip); i++) {
        const char *name = mo_zip_name(a->zip, i), *slash = strchr(name, '/');
        if (!slash || strcmp(slash + 1, "data.pkl") != 0) continue;
        *out = i;
        return mo_buf_add(&a->root, name, (size_t)(slash + 1 - name));
    }
    return mo_fail(MOPD_E_FORMAT, "%s: a zip archive without data.pkl is no PyTorch file", a->t->path);
}

static mopd_status check_byteorder(archive *a)
{
    size_t i = SIZE_MAX;
    mo_buf text = {0};
    mopd_status st = find_entry(a, "byteorder", "", 0, &i);
    if (st != MOPD_OK || i == SIZE_MAX) return st;
    st = mo_zip_read(a->zip, i, &text, 64);
    if (st == MOPD_OK && strcmp(text.data, "little") != 0)
        st = mo_fail(
            MOPD_E_UNSUPPORTED, "%s: byte order \"%.16s\", only little is read", a->t->path, text.data);
    mo_buf_free(&text);
    return st;
}

static mopd_status read_zip(mo_torchtree_list *list, const mo_tensors *t)
{
    archive a = {.t = t};
    mo_buf text = {0};
    mo_pickle pickle = {0};
    size_t entry = 0;
    mopd_status st = mo_zip_open(&a.zip, t->bytes, t->n_bytes, t->path);
    if (st != MOPD_OK) return st;
    if ((st = find_pickle(&a, &entry)) != MOPD_OK) goto done;
    if ((st = check_byteorder(&a)) != MOPD_OK) goto done;
    if ((st = mo_zip_read(a.zip, entry, &text, pickle_limit(t))) != MOPD_OK) goto done;
    a.name.size = 0;
    if ((st = mo_buf_addf(&a.name, "%s: %s", t->path, mo_zip_name(a.zip, entry))) != MOPD_OK) goto done;
    st = mo_pickle_open(&pickle, text.data, text.size, mo_torchtree_allow, 0, a.name.data);
    if (st != MOPD_OK) goto done;
    mo_torchtree tree = {&pickle, place_in_zip, &a, t->path, t->n_bytes, t->n_bytes};
    st = mo_torchtree_collect(list, &tree);
done:
    mo_pickle_close(&pickle);
    mo_buf_free(&text);
    mo_buf_free(&a.name);
    mo_buf_free(&a.root);
    mo_zip_close(a.zip);
    return st;
}

/* 0x1950a86a20f9469cfc6c */
static const unsigned char magic[10] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

/* A legacy file being read. */
typedef struct legacy {
    const mo_tensors *t;
    size_t at;
    mo_torchtree_storage_run *storages; /* one a key */
    char *texts;                        /* the keys */
    mo_index keys;
} legacy;

/* The pickle at the present place; moves behind it. */
static mopd_status next_pickle(legacy *l, mo_pickle *out)
{
    const mo_tensors *t = l->t;
    mopd_status st =
        mo_pickle_open(out, t->bytes + l->at, t->n_bytes - l->at, mo_torchtree_allow, l->at, t->path);
    if (st == MOPD_OK) l->at += out->n_bytes;
    return st;
}

static mopd_status check_magic(legacy *l)
{
    mo_pickle p;
    mopd_status st = next_pickle(l, &p);
    if (st == MOPD_E_NOMEM) return st;
    const mo_pnode *root = st == MOPD_OK ? &p.nodes[p.root] : NULL;
    if (!root || root->kind != MO_P_BIG || root->u.n != sizeof magic ||
        memcmp(root->text, magic, sizeof magic) != 0)
        st = mo_fail(MOPD_E_FORMAT,
            "%s: starts neither as a zip archive nor as a legacy PyTorch file, and is no safetensors file",
            l->t->path);
    mo_pickle_close(&p);
    return st;
}

static mopd_status check_protocol(legacy *l)
{
    mo_pickle p;
    mopd_status st = next_pickle(l, &p);
    if (st != MOPD_OK) return st;
    const mo_pnode *root = &p.nodes[p.root];
    if (root->kind != MO_P_INT || root->u.i != 1001)
        st = mo_fail(MOPD_E_FORMAT, "%s: a legacy PyTorch file whose protocol is not 1001", l->t->path);
    mo_pickle_close(&p);
    return st;
}

static mopd_status check_system(legacy *l)
{
    mo_pickle p;
    mopd_status st = next_pickle(l, &p);
    if (st != MOPD_OK) return st;
    const mo_pnode *root = &p.nodes[p.root];
    bool little = false;
    for (uint32_t c = root->first; root->kind == MO_P_DICT && c != MO_P_NIL;
         c = p.cells[p.cells[c].next].next) {
        const mo_pnode *value = &p.nodes[p.cells[p.cells[c].next].node];
        if (mo_pickle_is_text(&p.nodes[p.cells[c].node], "little_endian"))
            little = value->kind == MO_P_BOOL && value->u.i;
    }
    if (!little) st = mo_fail(MOPD_E_UNSUPPORTED, "%s: it does not say that it is little endian", l->t->path);
    mo_pickle_close(&p);
    return st;
}

/* Copies the list of keys into an index. */
static mopd_status keep_keys(legacy *l, const mo_pickle *p)
{
    const mo_pnode *root = &p->nodes[p->root];
    size_t n = 0, i = 0;
    if (root->kind != MO_P_LIST) return mo_fail(MOPD_E_FORMAT, "%s: no list of storage keys", l->t->path);
    for (uint32_t c = root->first; c != MO_P_NIL; c = p->cells[c].next) {
        const mo_pnode *key = &p->nodes[p->cells[c].node];
        if (key->kind != MO_P_TEXT || memchr(key->text, 0, key->u.n) || !mo_add(n, key->u.n + 1, &n))
            return mo_fail(MOPD_E_FORMAT, "%s: a storage key is no text", l->t->path);
    }
    mopd_status st = mo_limits_check(MO_LIMIT_HEADER, n, l->t->path, "bytes of storage keys");
    if (st != MOPD_OK) return st;
    l->texts = mo_mem_alloc(n, 1);
    l->storages = mo_mem_calloc(root->n_items, sizeof *l->storages);
    if (!l->texts || !l->storages) return MOPD_E_NOMEM;
    if ((st = mo_index_open(&l->keys, root->n_items)) != MOPD_OK) return st;
    char *text = l->texts;
    for (uint32_t c = root->first; c != MO_P_NIL; c = p->cells[c].next, i++) {
        const mo_pnode *key = &p->nodes[p->cells[c].node];
        memcpy(text, key->text, key->u.n);
        text[key->u.n] = 0;
        l->keys.item[i] = (mo_index_item){text, i};
        text += key->u.n + 1;
    }
    const char *twice = mo_index_sort(&l->keys);
    return twice ? mo_fail(MOPD_E_FORMAT, "%s: storage key \"%s\" is there twice", l->t->path, twice)
                 : MOPD_OK;
}

static mopd_status find_key(const legacy *l, const mo_pnode *key, size_t *out)
{
    char *text = mo_mem_strndup(key->text, key->u.n);
    if (!text) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    *out = mo_index_find(&l->keys, text);
    if (*out == SIZE_MAX) st = mo_fail(MOPD_E_FORMAT, "%s: storage \"%s\" is missing", l->t->path, text);
    mo_mem_free(text);
    return st;
}

/* What the object says of its storages, in the order of their keys. */
static mopd_status describe_storages(legacy *l, const mo_torchtree *tree)
{
    const mo_pickle *p = tree->pickle;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        mo_torchtree_storage_run s, *kept;
        size_t at = 0;
        if (p->nodes[i].kind != MO_P_STORAGE) continue;
        mopd_status st = mo_stop_check(MO_STOP_ENTRY);
        if (st == MOPD_OK) st = mo_torchtree_storage(&s, tree, &p->nodes[i]);
        if (st == MOPD_OK) st = find_key(l, s.key, &at);
        if (st != MOPD_OK) return st;
        kept = &l->storages[at];
        if (kept->key && (kept->dtype != s.dtype || kept->numel != s.numel))
            return mo_fail(MOPD_E_FORMAT, "%s: storage \"%.*s\" is described in two ways", l->t->path,
                (int)s.key->u.n, s.key->text);
        *kept = s;
    }
    return MOPD_OK;
}

/* Finds the elements of each storage behind the pickles. */
static mopd_status place_storages(legacy *l)
{
    const mo_tensors *t = l->t;
    for (size_t i = 0; i < l->keys.n; i++) {
        mo_torchtree_storage_run *s = &l->storages[i];
        uint64_t numel = 0;
        if (!s->key)
            return mo_fail(MOPD_E_FORMAT, "%s: no tensor uses storage %zu of %zu", t->path, i, l->keys.n);
        if (t->n_bytes - l->at < 8)
            return mo_fail(MOPD_E_FORMAT, "%s: cut short at byte %zu, before storage %zu of %zu", t->path,
                l->at, i, l->keys.n);
        for (size_t k = 8; k > 0; k--) numel = numel << 8 | t->bytes[l->at + k - 1];
        if (numel != s->numel)
            return mo_fail(MOPD_E_FORMAT,
                "%s: byte %zu: storage \"%.*s\" has %llu elements, its tensors say %zu", t->path, l->at,
                (int)s->key->u.n, s->key->text, (unsigned long long)numel, s->numel);
        l->at += 8;
        if (s->n_bytes > t->n_bytes - l->at)
            return mo_fail(MOPD_E_FORMAT,
                "%s: storage \"%.*s\" has %zu bytes from byte %zu on, the file ends at %zu", t->path,
                (int)s->key->u.n, s->key->text, s->n_bytes, l->at, t->n_bytes);
        s->data = t->bytes + l->at;
        l->at += s->n_bytes;
    }
    return MOPD_OK;
}

static mopd_status place_in_legacy(void *ctx, mo_torchtree_storage_run *s)
{
    const legacy *l = ctx;
    size_t i = 0;
    mopd_status st = find_key(l, s->key, &i);
    if (st == MOPD_OK) s->data = l->storages[i].data;
    return st;
}

static mopd_status read_legacy(mo_torchtree_list *list, const mo_tensors *t)
{
    legacy l = {.t = t};
    mo_pickle object = {0}, keys = {0};
    mo_torchtree tree = {&object, place_in_legacy, &l, t->path, t->n_bytes, t->n_bytes};
    mopd_status st = check_magic(&l);
    if (st == MOPD_OK) st = check_protocol(&l);
    if (st == MOPD_OK) st = check_system(&l);
    if (st == MOPD_OK) st = next_pickle(&l, &object);
    if (st == MOPD_OK) st = next_pickle(&l, &keys);
    if (st == MOPD_OK) st = keep_keys(&l, &keys);
    if (st == MOPD_OK) st = describe_storages(&l, &tree);
    if (st == MOPD_OK) st = place_storages(&l);
    if (st == MOPD_OK) st = mo_torchtree_collect(list, &tree);
    mo_index_close(&l.keys);
    mo_mem_free(l.storages);
    mo_mem_free(l.texts);
    mo_pickle_close(&keys);
    mo_pickle_close(&object);
    return st;
}

static void free_list(void *parts)
{
    mo_torchtree_free_list(parts);
    mo_mem_free(parts);
}

mopd_status mo_torchfile_read(mo_tensors *t)
{
    mo_torchtree_list *list = mo_mem_calloc(1, sizeof *list);
    if (!list) return MOPD_E_NOMEM;
    t->parts = list;
    t->free_parts = free_list;
    mopd_status st = mo_zip_is(t->bytes, t->n_bytes) ? read_zip(list, t) : read_legacy(list, t);
    if (st == MOPD_OK) st = mo_tensors_make(t, list->n, 0);
    for (size_t i = 0; i < list->n && st == MOPD_OK; i++)
        t->tensor[i] = (mo_tensor){list->tensor[i].name, list->tensor[i].view};
    return st;
}

mopd_status mo_torchfile_open_bytes(mo_tensors **out, const void *bytes, size_t n, const char *path)
{
    return mo_tensors_open_bytes(out, bytes, n, path, mo_torchfile_read);
}

mopd_status mo_torchfile_open(mo_tensors **out, const char *path, bool read)
{
    return mo_tensors_open_file(out, path, read, mo_torchfile_read);
}

bool mo_torchfile_is(const void *bytes, size_t n)
{
    static const unsigned char start[4] = {
        0x80, 2, 0x8a, sizeof magic}; /* protocol 2, a whole number of ten bytes */
    return mo_zip_is(bytes, n) ||
           (n >= sizeof start + sizeof magic && !memcmp(bytes, start, sizeof start) &&
               !memcmp((const unsigned char *)bytes + sizeof start, magic, sizeof magic));
}
