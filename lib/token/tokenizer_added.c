/* SPDX-License-Identifier: MIT
 * tokenizer_added.c - which added tokens a model folder asks for, by transformers' rules (version 5).
 *
 *     tokenizer_config.json has "added_tokens_decoder": those tokens, by id;
 * else those of added_tokens.json and of tokenizer.json's "added_tokens", by id, special_tokens_map.json
 * overriding
 *     the configuration's bos_token, eos_token ...;
 *     then every named token and every extra one that is not among them yet.
 * Of several with one content the last counts.  The ids written beside them are not used: a token takes the
 * id its text has in the vocabulary, or a new one. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/stop.h"
#include "token/tokenizer_table.h"

static const char *const named_keys[] = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};
#define N_NAMED (sizeof named_keys / sizeof *named_keys)

/* A token as a file gives it.  A text alone says nothing of its flags. */
typedef struct given {
    const char *content;
    bool bare; /* a text */
    bool single, lstrip, rstrip, special;
    int normalized; /* -1 not said: as not special */
    int64_t id;
    size_t place; /* in the order of the files */
} given;

typedef struct givens {
    given *item;
    size_t n, cap;
} givens;

static mopd_status givens_add(givens *g, const given *one)
{
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 16;
        given *item = mo_mem_realloc(g->item, cap, sizeof *item);
        if (!item) return MOPD_E_NOMEM;
        g->item = item;
        g->cap = cap;
    }
    g->item[g->n] = *one;
    g->item[g->n].place = g->n;
    g->n++;
    return mo_stop_check(MO_STOP_ENTRY);
}

/* Places of the contents of a list; of equal ones the last counts. */
static mopd_status givens_index(mo_lookup *contents, const givens *g)
{
    mopd_status st = mo_lookup_open(contents, g->n);
    for (size_t i = 0; i < g->n && st == MOPD_OK; i++) mo_lookup_set(contents, g->item[i].content, i);
    return st;
}

/* Reads a text or an object with "content".  force_special: whatever the file says of that. */
static mopd_status read_given(
    given *g, const mo_json *v, bool force_special, const char *path, const char *what)
{
    *g = (given){.normalized = -1, .id = -1};
    if (mo_json_as_string(v, &g->content)) {
        g->bare = true;
        return MOPD_OK;
    }
    bool normalized = false;
    if (mo_json_kind(v) != MO_JSON_OBJECT)
        return mo_fail(MOPD_E_FORMAT, "%s: %s is neither a text nor a token", path, what);
    mopd_status st = mo_json_need_string(v, "content", path, &g->content);
    if (st == MOPD_OK) st = mo_json_may_bool(v, "single_word", path, &g->single);
    if (st == MOPD_OK) st = mo_json_may_bool(v, "lstrip", path, &g->lstrip);
    if (st == MOPD_OK) st = mo_json_may_bool(v, "rstrip", path, &g->rstrip);
    if (st == MOPD_OK) st = mo_json_may_bool(v, "special", path, &g->special);
    if (st == MOPD_OK) st = mo_json_may_bool(v, "normalized", path, &normalized);
    mo_json_type kind = mo_json_kind(mo_json_get(v, "normalized"));
    if (kind == MO_JSON_BOOL) g->normalized = normalized;
    if (force_special) g->special = true;
    return st;
}

static int by_id(const void *a, const void *b)
{
    const given *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* Sorted by id, of equal ids the last alone. */
static void sort_by_id(givens *g)
{
    size_t n = 0;
    if (g->n) qsort(g->item, g->n, sizeof *g->item, by_id);
    for (size_t i = 0; i < g->n; i++)
        if (i + 1 == g->n || g->item[i + 1].id != g->item[i].id) g->item[n++] = g->item[i];
    g->n = n;
}

/* "added_tokens_decoder": {"49406": {...}}. */
static mopd_status read_decoder(givens *g, const mo_json *decoder, const char *path)
{
    for (void *it = mo_json_first(decoder); it; it = mo_json_next(decoder, it)) {
        given one;
        mopd_status st = read_given(&one, mo_json_value(it), false, path, "an entry of added_tokens_decoder");
        if (st != MOPD_OK) return st;
        char *end;
        one.id = strtoll(mo_json_key(it), &end, 10);
        if (*end || end == mo_json_key(it) || one.bare)
            return mo_fail(MOPD_E_FORMAT, "%s: added_tokens_decoder: \"%s\" is not an id with a token", path,
                mo_json_key(it));
        if ((st = givens_add(g, &one)) != MOPD_OK) return st;
    }
    return MOPD_OK;
}

/* added_tokens.json: {"<new>": 49408}. */
static mopd_status read_list(givens *g, const mo_json *list, const mo_lookup *named, const char *path)
{
    for (void *it = mo_json_first(list); it; it = mo_json_next(list, it)) {
        given one = {.content = mo_json_key(it), .id = -1};
        if (!mo_json_as_int(mo_json_value(it), &one.id))
            return mo_fail(MOPD_E_FORMAT, "%s: \"%s\" has no id", path, one.content);
        one.special = mo_lookup_find(named, one.content) != SIZE_MAX;
        one.normalized = !one.special;
        mopd_status st = givens_add(g, &one);
        if (st != MOPD_OK) return st;
    }
    return MOPD_OK;
}

/* tokenizer.json: "added_tokens": [{"id": 49406, "content": ...}]. */
static mopd_status read_array(givens *g, const mo_json *array, const char *path)
{
    for (size_t i = 0; i < mo_json_count(array); i++) {
        given one;
        mopd_status st = read_given(&one, mo_json_item(array, i), false, path, "an entry of added_tokens");
        if (st != MOPD_OK) return st;
        if (one.bare) return mo_fail(MOPD_E_FORMAT, "%s: added_tokens[%zu] is not an object", path, i);
        if ((st = mo_json_need_int(mo_json_item(array, i), "id", path, &one.id)) != MOPD_OK) return st;
        if ((st = givens_add(g, &one)) != MOPD_OK) return st;
    }
    return MOPD_OK;
}

/* The value of a key: from special_tokens_map.json where it may override, else from the configuration. */
static const mo_json *value_of(const mo_tokenizer_specials *s, bool use_map, const char *key, bool *from_map)
{
    const mo_json *v = use_map ? mo_json_get(s->map, key) : NULL;
    *from_map = v != NULL;
    return v ? v : mo_json_get(s->config, key);
}

/* named[] in order: the seven keys (the class's defaults where the files are silent), other "..._token"
 * texts, extra ones. */
static mopd_status read_named(givens *named, const mo_tokenizer_specials *s, bool use_map, const char *path)
{
    bool from_map;
    mopd_status st;
    for (size_t k = 0; k < N_NAMED; k++) {
        const mo_json *v = value_of(s, use_map, named_keys[k], &from_map);
        given one = {.content = s->defaults[k], .bare = true, .normalized = -1, .id = (int64_t)k};
        if (mo_json_kind(v) == MO_JSON_NULL) continue;
        if (v && (st = read_given(&one, v, from_map, path, named_keys[k])) != MOPD_OK) return st;
        one.id = (int64_t)k;
        if (one.content && (st = givens_add(named, &one)) != MOPD_OK) return st;
    }
    for (void *it = mo_json_first(s->config); it; it = mo_json_next(s->config, it)) {
        const char *key = mo_json_key(it);
        size_t n = strlen(key);
        given one = {.bare = true, .normalized = -1, .id = N_NAMED};
        bool known =
            n < 6 || strcmp(key + n - 6, "_token") || !mo_json_as_string(mo_json_value(it), &one.content);
        for (size_t k = 0; k < N_NAMED && !known; k++) known = !strcmp(key, named_keys[k]);
        if (!known && (st = givens_add(named, &one)) != MOPD_OK) return st;
    }
    const mo_json *extra = value_of(s, use_map, "extra_special_tokens", &from_map);
    if (!extra) extra = value_of(s, use_map, "additional_special_tokens", &from_map);
    if (mo_json_kind(extra) != MO_JSON_ARRAY) return MOPD_OK;
    for (size_t i = 0; i < mo_json_count(extra); i++) {
        given one;
        if ((st = read_given(&one, mo_json_item(extra, i), from_map, path, "an extra special token")) !=
            MOPD_OK)
            return st;
        one.id = N_NAMED;
        if ((st = givens_add(named, &one)) != MOPD_OK) return st;
    }
    return MOPD_OK;
}

static mopd_status add_special(mo_tokenizer_specials *s, const given *g, const char *path)
{
    if (g->single)
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: the added token \"%s\" matches single words only", path, g->content);
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        mo_tokenizer_special *item = mo_mem_realloc(s->item, cap, sizeof *item);
        if (!item) return MOPD_E_NOMEM;
        s->item = item;
        s->cap = cap;
    }
    bool special = g->special || g->bare;
    bool normalized = g->normalized < 0 ? !special : g->normalized != 0;
    s->item[s->n++] = (mo_tokenizer_special){g->content, (g->lstrip ? MO_ADDED_LSTRIP : 0) |
                                                             (g->rstrip ? MO_ADDED_RSTRIP : 0) |
                                                             (normalized ? MO_ADDED_NORMALIZED : 0)};
    return mo_stop_check(MO_STOP_ENTRY);
}

/* A bit for each way in which tokens of one content are told apart. */
static uint32_t flags_bit(const given *g)
{
    if (g->bare) return 1;
    return UINT32_C(2) << ((unsigned)(g->normalized + 1) * 4 + g->lstrip * 2u + g->rstrip);
}

/* Named and extra tokens that are not there yet, neither by their content in the list nor as they are among
 * themselves.  seen: zeros, one for each. */
static mopd_status add_named(
    mo_tokenizer_specials *s, const givens *listed, givens *named, uint32_t *seen, const char *path)
{
    mo_lookup there = {0}, first = {0};
    mopd_status st = givens_index(&there, listed);
    if (st == MOPD_OK) st = mo_lookup_open(&first, named->n);
    for (size_t i = 0; i < named->n && st == MOPD_OK; i++) {
        given *g = named->item + i;
        const size_t before = mo_lookup_add(&first, g->content, i), own = before == SIZE_MAX ? i : before;
        const uint32_t bit = flags_bit(g);
        const bool known = seen[own] & bit || mo_lookup_find(&there, g->content) != SIZE_MAX;
        seen[own] |= bit;
        if (!g->bare && g->id < (int64_t)N_NAMED) g->special = true;
        if (!known) st = add_special(s, g, path);
    }
    mo_lookup_close(&there);
    mo_lookup_close(&first);
    return st;
}

/* The list in the order of adding: tokens with ids first, then named and extra ones not there yet. */
static mopd_status merge_lists(
    mo_tokenizer_specials *s, givens *listed, givens *named, const mo_lookup *names, const char *path)
{
    uint32_t *seen = mo_mem_calloc(named->n, sizeof *seen);
    mopd_status st = seen ? MOPD_OK : MOPD_E_NOMEM;
    sort_by_id(listed);
    for (size_t i = 0; i < listed->n && st == MOPD_OK; i++) {
        const size_t name = mo_lookup_find(names, listed->item[i].content);
        if (name != SIZE_MAX && named->item[name].id <= (int64_t)N_NAMED) listed->item[i].special = true;
        st = add_special(s, listed->item + i, path);
    }
    if (st == MOPD_OK) st = add_named(s, listed, named, seen, path);
    mo_mem_free(seen);
    return st;
}

static mopd_status open_beside(const mo_json **root, const char *folder, const char *name)
{
    char *path = mo_path_join(folder, name);
    if (!path) return MOPD_E_NOMEM;
    mopd_status st = mo_file_exists(path) ? mo_json_open(root, path) : MOPD_OK;
    if (st == MOPD_OK && *root && mo_json_kind(*root) != MO_JSON_OBJECT)
        st = mo_fail(MOPD_E_FORMAT, "%s: not an object", path);
    mo_mem_free(path);
    return st;
}

void mo_tokenizer_specials_close(mo_tokenizer_specials *s)
{
    mo_mem_free(s->item);
    mo_json_close(s->config);
    mo_json_close(s->map);
    mo_json_close(s->list);
    *s = (mo_tokenizer_specials){0};
}

const char *const mo_tokenizer_specials_clip[7] = {
    "<|startoftext|>", "<|endoftext|>", "<|endoftext|>", NULL, "<|endoftext|>", NULL, NULL};

mopd_status mo_tokenizer_specials_open(mo_tokenizer_specials *s, const char *folder, const mo_json *json,
    const char *json_path, const char *const defaults[7])
{
    *s = (mo_tokenizer_specials){.defaults = defaults};
    givens listed = {0}, named = {0};
    mo_lookup names = {0};
    mopd_status st = MOPD_OK;
    if (folder && (st = open_beside(&s->config, folder, "tokenizer_config.json")) != MOPD_OK) goto done;
    const mo_json *decoder = mo_json_get(s->config, "added_tokens_decoder");
    if (folder && !decoder && (st = open_beside(&s->map, folder, "special_tokens_map.json")) != MOPD_OK)
        goto done;
    if (folder && !decoder && (st = open_beside(&s->list, folder, "added_tokens.json")) != MOPD_OK) goto done;
    const char *place = folder ? folder : json_path;
    if ((st = read_named(&named, s, !decoder, place)) != MOPD_OK) goto done;
    if ((st = givens_index(&names, &named)) != MOPD_OK) goto done;
    if (decoder)
        st = read_decoder(&listed, decoder, place);
    else if ((st = read_list(&listed, s->list, &names, place)) == MOPD_OK)
        st = read_array(&listed, mo_json_get(json, "added_tokens"), json_path);
    if (st != MOPD_OK) goto done;
    for (size_t i = 0; i < named.n; i++) {
        const char **at[] = {&s->start, &s->end, &s->unknown, NULL, &s->pad};
        if (named.item[i].id < 5 && at[named.item[i].id]) *at[named.item[i].id] = named.item[i].content;
    }
    const bool starts = s->start || !defaults[0];
    if (!starts || !s->end)
        st = mo_fail(MOPD_E_FORMAT, "%s: no %s token%s", place, starts ? "end" : "start",
            s->config ? "" : ": tokenizer_config.json, which names it, is not there");
    else
        st = merge_lists(s, &listed, &named, &names, place);
done:
    mo_lookup_close(&names);
    mo_mem_free(listed.item);
    mo_mem_free(named.item);
    if (st != MOPD_OK) mo_tokenizer_specials_close(s);
    return st;
}
