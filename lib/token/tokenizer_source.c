/* SPDX-License-Identifier: MIT
 * tokenizer_source.c - vocabulary, merges and added tokens as the files write them, by text and by id. */
#include "token/tokenizer_source.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "base/stop.h"

void mo_tokenizer_source_close(mo_tokenizer_source *s)
{
    mo_tokenizer_vocab_close(&s->model);
    mo_tokenizer_vocab_close(&s->extra);
    mo_mem_free(s->score);
    mo_mem_free(s->merge);
    mo_tokenizer_specials_close(&s->specials);
    mo_json_close(s->json);
    mo_mem_free(s->pattern);
    mo_buf_free(&s->text);
    mo_buf_free(&s->patterns);
    mo_buf_free(&s->file);
}

mopd_status mo_tokenizer_source_vocab(mo_tokenizer_vocab *vocab, const mo_json *object, const char *path)
{
    mopd_status st = mo_tokenizer_vocab_open(vocab, mo_json_count(object));
    for (void *it = mo_json_first(object); it && st == MOPD_OK; it = mo_json_next(object, it)) {
        int64_t id;
        const char *key = mo_json_key(it);
        if (!mo_json_as_int(mo_json_value(it), &id) || id < 0 || id >= (int64_t)MO_TOKEN_MAX_IDS)
            return mo_fail(MOPD_E_FORMAT, "%s: the id of \"%s\" is not a number from 0 to %zu", path, key,
                MO_TOKEN_MAX_IDS - 1);
        st = mo_tokenizer_vocab_set(vocab, key, strlen(key), (uint32_t)id);
    }
    return st;
}

mopd_status mo_tokenizer_source_room(mo_tokenizer_source *s, size_t cap)
{
    mopd_status st = mo_tokenizer_vocab_open(&s->model, cap);
    if (st != MOPD_OK) return st;
    s->score = mo_mem_alloc(cap + 1, sizeof *s->score);
    return s->score ? MOPD_OK : MOPD_E_NOMEM;
}

mopd_status mo_tokenizer_source_pieces(mo_tokenizer_source *s, const mo_json *array, const char *path)
{
    const size_t n = mo_json_count(array);
    if (n > MO_TOKEN_MAX_IDS)
        return mo_fail(MOPD_E_FORMAT, "%s: %zu tokens, at most %zu", path, n, MO_TOKEN_MAX_IDS);
    mopd_status st = mo_tokenizer_source_room(s, n);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        const mo_json *item = mo_json_item(array, i);
        const char *text;
        if (mo_json_count(item) != 2 || !mo_json_as_string(mo_json_item(item, 0), &text) ||
            !mo_json_as_number(mo_json_item(item, 1), s->score + i))
            return mo_fail(MOPD_E_FORMAT, "%s: token %zu is not [\"text\", score]", path, i);
        st = mo_tokenizer_vocab_set(&s->model, text, strlen(text), (uint32_t)i);
        if (st == MOPD_OK && s->model.n == i)
            return mo_fail(MOPD_E_FORMAT, "%s: token %zu \"%s\" was there before", path, i, text);
    }
    return st;
}

mopd_status mo_tokenizer_source_scores(mo_tokenizer_source *s, size_t n)
{
    double *score = mo_mem_realloc(s->score, n + 1, sizeof *score);
    if (!score) return MOPD_E_NOMEM;
    for (size_t i = s->model.n; i < n; i++) score[i] = -INFINITY;
    s->score = score;
    return MOPD_OK;
}

mopd_status mo_tokenizer_source_merges(mo_tokenizer_source *s, size_t cap)
{
    s->merge = mo_mem_alloc(cap, sizeof *s->merge);
    s->cap_merges = cap;
    return s->merge ? MOPD_OK : MOPD_E_NOMEM;
}

/* The id of a part of merge k of a file. */
static mopd_status part_id(
    const mo_tokenizer_source *s, const char *text, size_t n, size_t k, const char *path, uint32_t *id)
{
    const mo_word *w = mo_tokenizer_vocab_find(&s->model, text, n);
    if (!w)
        return mo_fail(
            MOPD_E_FORMAT, "%s: merge %zu: \"%.*s\" is not in the vocabulary", path, k, (int)n, text);
    *id = w->id;
    return MOPD_OK;
}

mopd_status mo_tokenizer_source_merge(
    mo_tokenizer_source *s, const char *a, size_t n_a, const char *b, size_t n_b, const char *path)
{
    char joined[512], *text = joined;
    size_t k = s->n_merges, n;
    mo_merge *m = s->merge + k;
    if (k == s->cap_merges) return mo_fail(MOPD_E_INTERNAL, "%s: more than %zu merges", path, k);
    if (!mo_add(n_a, n_b, &n)) return mo_fail(MOPD_E_FORMAT, "%s: merge %zu is too long", path, k);
    if (n > sizeof joined && !(text = mo_mem_alloc(n, 1))) return MOPD_E_NOMEM;
    memcpy(text, a, n_a);
    memcpy(text + n_a, b, n_b);
    mopd_status st = part_id(s, a, n_a, k, path, &m->left);
    if (st == MOPD_OK) st = part_id(s, b, n_b, k, path, &m->right);
    if (st == MOPD_OK) st = part_id(s, text, n, k, path, &m->joined);
    if (text != joined) mo_mem_free(text);
    s->n_merges++;
    return st == MOPD_OK ? mo_stop_check(MO_STOP_ENTRY) : st;
}

/* "a b": two parts with one space between. */
mopd_status mo_tokenizer_source_merge_text(
    mo_tokenizer_source *s, const char *text, size_t n, const char *path)
{
    const char *space = memchr(text, ' ', n);
    size_t n_a = space ? (size_t)(space - text) : n, n_b = space ? n - n_a - 1 : 0;
    if (!space || memchr(space + 1, ' ', n_b))
        return mo_fail(MOPD_E_FORMAT, "%s: merge %zu is \"%.*s\", not two parts", path, s->n_merges,
            (int)mo_min(n, 60), text);
    return mo_tokenizer_source_merge(s, text, n_a, space + 1, n_b, path);
}

mopd_status mo_tokenizer_source_merge_array(mo_tokenizer_source *s, const mo_json *array, const char *path)
{
    mopd_status st = mo_tokenizer_source_merges(s, mo_json_count(array));
    for (size_t i = 0; i < s->cap_merges && st == MOPD_OK; i++) {
        const mo_json *item = mo_json_item(array, i);
        const char *a, *b;
        if (mo_json_as_string(item, &a))
            st = mo_tokenizer_source_merge_text(s, a, strlen(a), path);
        else if (mo_json_count(item) == 2 && mo_json_as_string(mo_json_item(item, 0), &a) &&
                 mo_json_as_string(mo_json_item(item, 1), &b))
            st = mo_tokenizer_source_merge(s, a, strlen(a), b, strlen(b), path);
        else
            st = mo_fail(MOPD_E_FORMAT, "%s: merge %zu is neither \"a b\" nor [\"a\", \"b\"]", path, i);
    }
    return st;
}

bool mo_tokenizer_source_scan(
    mo_tokenizer_source *s, mo_tokenizer_scan merges, const char *path, mopd_status *st)
{
    mo_word a, b;
    bool done = false;
    if ((*st = mo_tokenizer_source_merges(s, mo_tokenizer_scan_count(&merges))) != MOPD_OK ||
        !mo_tokenizer_scan_open(&merges))
        return false;
    while (!done) {
        if (!mo_tokenizer_scan_merge(&merges, &a, &b, &done)) return false;
        *st = b.text ? mo_tokenizer_source_merge(s, a.text, a.n_bytes, b.text, b.n_bytes, path)
                     : mo_tokenizer_source_merge_text(s, a.text, a.n_bytes, path);
        if (*st != MOPD_OK) return false;
    }
    return true;
}

/* One pass of the tokenizers library's adding: each token takes its old id, the vocabulary's, or the
 * next free one. */
static mopd_status number_tokens(mo_tokenizer_source *s, uint32_t *id)
{
    const mo_tokenizer_specials *sp = &s->specials;
    int64_t top = -1;
    mopd_status st = mo_tokenizer_vocab_open(&s->extra, sp->n);
    for (size_t i = 0; i < sp->n && st == MOPD_OK; i++) {
        const char *content = sp->item[i].content;
        size_t n = strlen(content);
        const mo_word *w = mo_tokenizer_vocab_find(&s->model, content, n);
        if (!w) w = mo_tokenizer_vocab_find(&s->extra, content, n);
        if (!n) continue;
        id[i] = w ? w->id : (uint32_t)(top >= (int64_t)s->model.n ? top + 1 : (int64_t)s->model.n);
        if (!w) st = mo_tokenizer_vocab_set(&s->extra, content, n, id[i]);
        if ((int64_t)id[i] > top) top = id[i];
    }
    return st;
}

/* Places of the tokens that count: of equal contents the last one, which replaces those before. */
static mopd_status index_contents(mo_lookup *last, const mo_tokenizer_specials *sp)
{
    mopd_status st = mo_lookup_open(last, sp->n);
    for (size_t i = 0; i < sp->n && st == MOPD_OK; i++) mo_lookup_set(last, sp->item[i].content, i);
    return st;
}

/* The pattern of one added token; what is normalised goes to s->patterns and is pointed to later. */
static mopd_status make_pattern(
    mo_tokenizer_source *s, mo_pattern *p, mo_tokenizer_norm_fn norm, void *context, mo_buf *one)
{
    if (!(p->flags & MO_ADDED_NORMALIZED)) return MOPD_OK;
    mopd_status st = mo_stop_check(MO_STOP_ENTRY);
    if (st == MOPD_OK) st = norm(context, p->pattern, p->n_bytes, one);
    p->pattern = NULL;
    p->n_bytes = one->size;
    return st == MOPD_OK ? mo_buf_add(&s->patterns, one->data, one->size) : st;
}

static mopd_status make_patterns(
    mo_tokenizer_source *s, const uint32_t *id, mo_tokenizer_norm_fn norm, void *context)
{
    const mo_tokenizer_specials *sp = &s->specials;
    mo_buf one = {0};
    mo_lookup last;
    mopd_status st = index_contents(&last, sp);
    size_t from = 0;
    for (size_t i = 0; i < sp->n && st == MOPD_OK; i++) {
        const char *content = sp->item[i].content;
        if (!*content || mo_lookup_find(&last, content) != i) continue;
        mo_pattern *p = s->pattern + s->n_patterns++;
        *p = (mo_pattern){content, strlen(content), id[i], sp->item[i].flags};
        st = make_pattern(s, p, norm, context, &one);
    }
    for (size_t i = 0; i < s->n_patterns && st == MOPD_OK; i++)
        if (!s->pattern[i].pattern) {
            s->pattern[i].pattern = s->patterns.data + from;
            from += s->pattern[i].n_bytes;
        }
    mo_lookup_close(&last);
    mo_buf_free(&one);
    return st;
}

mopd_status mo_tokenizer_source_patterns(mo_tokenizer_source *s, mo_tokenizer_norm_fn norm, void *context)
{
    uint32_t *id = mo_mem_calloc(s->specials.n + 1, sizeof *id);
    s->pattern = id ? mo_mem_alloc(s->specials.n + 1, sizeof *s->pattern) : NULL;
    mopd_status st = s->pattern ? number_tokens(s, id) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = make_patterns(s, id, norm, context);
    mo_mem_free(id);
    return st;
}

uint32_t mo_tokenizer_source_id(const mo_tokenizer_source *s, const char *content)
{
    const mo_word *w = content ? mo_tokenizer_vocab_find(&s->model, content, strlen(content)) : NULL;
    if (!w && content) w = mo_tokenizer_vocab_find(&s->extra, content, strlen(content));
    return w ? w->id : MO_TOKEN_NONE;
}
