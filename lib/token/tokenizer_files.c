/* SPDX-License-Identifier: MIT
 * tokenizer_files.c - a tokenizer from tokenizer.json, from vocab.json +
 * merges.txt, from bpe_simple_vocab_16e6.txt.gz.
 *
 * As transformers' CLIPTokenizer does, only vocabulary, merges and added tokens are taken from the files;
 * normaliser, word expression and end-of-word suffix are CLIP's own, whatever a tokenizer.json says beside
 * them.  One that is another kind of model altogether is refused. */
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/path.h"
#include "format/zip.h"
#include "token/tokenizer_scan.h"
#include "token/tokenizer_table.h"

#define MAX_TEXT ((size_t)64 << 20)
#define SIMPLE_NAME "bpe_simple_vocab_16e6.txt.gz"
#define SIMPLE_MERGES (49152 - 256 - 2)

/* What is read from files before the tokenizer is built. */
typedef struct source {
    mo_tokenizer_vocab model, extra;
    mo_merge *merge;
    size_t n_merges, cap_merges;
    mo_tokenizer_specials specials;
    const mo_json *json;
    mo_buf text; /* keeps texts that are in no JSON */
    mo_buf file; /* a tokenizer.json read without a tree */
} source;

static void source_close(source *s)
{
    mo_tokenizer_vocab_close(&s->model);
    mo_tokenizer_vocab_close(&s->extra);
    mo_mem_free(s->merge);
    mo_tokenizer_specials_close(&s->specials);
    mo_json_close(s->json);
    mo_buf_free(&s->text);
    mo_buf_free(&s->file);
}

static mopd_status read_vocab(mo_tokenizer_vocab *vocab, const mo_json *object, const char *path)
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

static mopd_status merges_open(source *s, size_t cap)
{
    s->merge = mo_mem_alloc(cap, sizeof *s->merge);
    s->cap_merges = cap;
    return s->merge ? MOPD_OK : MOPD_E_NOMEM;
}

/* The id of a part of merge k of a file. */
static mopd_status part_id(
    const source *s, const char *text, size_t n, size_t k, const char *path, uint32_t *id)
{
    const mo_word *w = mo_tokenizer_vocab_find(&s->model, text, n);
    if (!w)
        return mo_fail(
            MOPD_E_FORMAT, "%s: merge %zu: \"%.*s\" is not in the vocabulary", path, k, (int)n, text);
    *id = w->id;
    return MOPD_OK;
}

static mopd_status add_merge(
    source *s, const char *a, size_t n_a, const char *b, size_t n_b, const char *path)
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
    return st;
}

/* "a b": two parts with one space between. */
static mopd_status add_merge_text(source *s, const char *text, size_t n, const char *path)
{
    const char *space = memchr(text, ' ', n);
    size_t n_a = space ? (size_t)(space - text) : n, n_b = space ? n - n_a - 1 : 0;
    if (!space || memchr(space + 1, ' ', n_b))
        return mo_fail(MOPD_E_FORMAT, "%s: merge %zu is \"%.*s\", not two parts", path, s->n_merges,
            (int)mo_min(n, 60), text);
    return add_merge(s, text, n_a, space + 1, n_b, path);
}

static mopd_status read_merge_array(source *s, const mo_json *array, const char *path)
{
    mopd_status st = merges_open(s, mo_json_count(array));
    for (size_t i = 0; i < s->cap_merges && st == MOPD_OK; i++) {
        const mo_json *item = mo_json_item(array, i);
        const char *a, *b;
        if (mo_json_as_string(item, &a))
            st = add_merge_text(s, a, strlen(a), path);
        else if (mo_json_count(item) == 2 && mo_json_as_string(mo_json_item(item, 0), &a) &&
                 mo_json_as_string(mo_json_item(item, 1), &b))
            st = add_merge(s, a, strlen(a), b, strlen(b), path);
        else
            st = mo_fail(MOPD_E_FORMAT, "%s: merge %zu is neither \"a b\" nor [\"a\", \"b\"]", path, i);
    }
    return st;
}

/* The line at *at without its end; false at the end of the text. */
static bool next_line(const mo_buf *text, size_t *at, const char **line, size_t *n)
{
    if (*at >= text->size) return false;
    *line = text->data + *at;
    const char *end = memchr(*line, '\n', text->size - *at);
    *n = end ? (size_t)(end - *line) : text->size - *at;
    *at += *n + 1;
    if (end && *n && (*line)[*n - 1] == '\r') --*n;
    return true;
}

static size_t count_lines(const mo_buf *text)
{
    size_t n = 1;
    for (size_t i = 0; i < text->size; i++) n += text->data[i] == '\n';
    return n;
}

static mopd_status read_merge_lines(source *s, const mo_buf *text, const char *path)
{
    mopd_status st = merges_open(s, count_lines(text));
    const char *line;
    size_t n;
    for (size_t at = 0; st == MOPD_OK && next_line(text, &at, &line, &n);)
        if (n < 8 || memcmp(line, "#version", 8)) st = add_merge_text(s, line, n, path);
    return st;
}

/* One pass of the tokenizers library's adding: each token takes its old id, the vocabulary's, or the
 * next free one. */
static mopd_status number_tokens(source *s, uint32_t *id)
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

/* Whether a later token has the same content: it replaces this one. */
static bool is_replaced(const mo_tokenizer_specials *sp, size_t i)
{
    for (size_t k = i + 1; k < sp->n; k++)
        if (!strcmp(sp->item[k].content, sp->item[i].content)) return true;
    return false;
}

/* The patterns of the added tokens; normalised texts go to the end of s->text. */
static mopd_status make_patterns(source *s, const uint32_t *id, mo_pattern *out, size_t *n_out)
{
    const mo_tokenizer_specials *sp = &s->specials;
    mo_unicode_cps cps = {0};
    mo_buf one = {0};
    mopd_status st = MOPD_OK;
    size_t from = s->text.size, n = 0;
    for (size_t i = 0; i < sp->n && st == MOPD_OK; i++) {
        if (!*sp->item[i].content || is_replaced(sp, i)) continue;
        mo_pattern *p = out + n++;
        *p = (mo_pattern){sp->item[i].content, strlen(sp->item[i].content), id[i], sp->item[i].flags};
        if (!(p->flags & MO_ADDED_NORMALIZED)) continue;
        st = mo_tokenizer_normalize(p->pattern, p->n_bytes, &cps, &one);
        p->pattern = NULL;
        p->n_bytes = one.size;
        if (st == MOPD_OK) st = mo_buf_add(&s->text, one.data, one.size);
    }
    for (size_t i = 0; i < n && st == MOPD_OK; i++)
        if (!out[i].pattern) {
            out[i].pattern = s->text.data + from;
            from += out[i].n_bytes;
        }
    *n_out = n;
    mo_mem_free(cps.cp);
    mo_buf_free(&one);
    return st;
}

static uint32_t id_of(const source *s, const char *content)
{
    const mo_word *w = content ? mo_tokenizer_vocab_find(&s->model, content, strlen(content)) : NULL;
    if (!w && content) w = mo_tokenizer_vocab_find(&s->extra, content, strlen(content));
    return w ? w->id : MO_TOKEN_NONE;
}

/* Vocabulary and merges are there: added tokens, then the tokenizer.  s->text must not be pointed into by
 * words when patterns are added to it, so the caller has moved it away or reserved room. */
static mopd_status finish(mo_tokenizer **out, source *s, const char *folder, const char *name)
{
    mopd_status st = mo_tokenizer_specials_open(&s->specials, folder, s->json, name);
    if (st != MOPD_OK) return st;
    const mo_tokenizer_specials *sp = &s->specials;
    uint32_t *id = mo_mem_calloc(sp->n + 1, sizeof *id);
    mo_pattern *pattern = id ? mo_mem_alloc(sp->n + 1, sizeof *pattern) : NULL;
    size_t n_patterns = 0;
    if (!pattern) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = number_tokens(s, id);
    mo_buf words = s->text;
    s->text = (mo_buf){0};
    if (st == MOPD_OK) st = make_patterns(s, id, pattern, &n_patterns);
    if (st == MOPD_OK) {
        const mo_word *unknown =
            sp->unknown ? mo_tokenizer_vocab_find(&s->model, sp->unknown, strlen(sp->unknown)) : NULL;
        mo_tokenizer_parts parts = {&s->model, &s->extra, s->merge, s->n_merges, pattern, n_patterns,
            id_of(s, sp->start), id_of(s, sp->end), id_of(s, sp->pad), unknown ? unknown->id : MO_TOKEN_NONE};
        if (!sp->pad) parts.pad = parts.end;
        st = mo_tokenizer_build(out, &parts, name);
    }
    mo_buf_free(&words);
    mo_mem_free(pattern);
    mo_mem_free(id);
    return st;
}

/* Refuses a tokenizer.json that is no CLIP BPE. */
static mopd_status check_model(const mo_json *model, const char *path)
{
    const char *type = "BPE", *suffix = "</w>", *prefix = "";
    mopd_status st = mo_json_may_string(model, "type", path, &type);
    if (st == MOPD_OK) st = mo_json_may_string(model, "end_of_word_suffix", path, &suffix);
    if (st == MOPD_OK) st = mo_json_may_string(model, "continuing_subword_prefix", path, &prefix);
    if (st != MOPD_OK) return st;
    if (strcmp(type, "BPE"))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: a %s tokenizer, CLIP's is BPE", path, type);
    if (strcmp(suffix, "</w>") || *prefix)
        return mo_fail(MOPD_E_UNSUPPORTED,
            "%s: words end in \"%s\" and go on with \"%s\", CLIP's end in \"</w>\"", path, suffix, prefix);
    return MOPD_OK;
}

/* model.merges where it lies. */
static bool scan_merges(source *s, mo_tokenizer_scan merges, const char *path, mopd_status *st)
{
    mo_word a, b;
    bool done = false;
    if ((*st = merges_open(s, mo_tokenizer_scan_count(&merges))) != MOPD_OK ||
        !mo_tokenizer_scan_open(&merges))
        return false;
    while (!done) {
        if (!mo_tokenizer_scan_merge(&merges, &a, &b, &done)) return false;
        *st = b.text ? add_merge(s, a.text, a.n_bytes, b.text, b.n_bytes, path)
                     : add_merge_text(s, a.text, a.n_bytes, path);
        if (*st != MOPD_OK) return false;
    }
    return true;
}

/* The quick way: false when the file is written in an unusual way or something is wrong with it; then the
 * tree is asked, unless *st is NOMEM. */
static bool read_scanned(source *s, const char *path, mopd_status *st)
{
    mo_tokenizer_scan vocab, merges;
    mo_buf rest = {0};
    bool good = (*st = mo_file_read(&s->file, path, MAX_TEXT)) == MOPD_OK &&
                mo_tokenizer_scan_find(&s->file, &vocab, &merges, &rest, st) &&
                (*st = mo_json_parse(&s->json, rest.data, rest.size, path)) == MOPD_OK &&
                mo_tokenizer_scan_vocab(vocab, &s->model, st) && scan_merges(s, merges, path, st);
    mo_buf_free(&rest);
    return good;
}

static mopd_status read_tree(source *s, const char *path)
{
    const mo_json *model, *vocab, *merges;
    mopd_status st = mo_json_open(&s->json, path);
    if (st == MOPD_OK) st = mo_json_need(s->json, "model", path, MO_JSON_OBJECT, &model);
    if (st == MOPD_OK) st = check_model(model, path);
    if (st == MOPD_OK) st = mo_json_need(model, "vocab", path, MO_JSON_OBJECT, &vocab);
    if (st == MOPD_OK) st = mo_json_need(model, "merges", path, MO_JSON_ARRAY, &merges);
    if (st == MOPD_OK) st = read_vocab(&s->model, vocab, path);
    return st == MOPD_OK ? read_merge_array(s, merges, path) : st;
}

static mopd_status open_json(mo_tokenizer **out, const char *folder, const char *path)
{
    source s = {0};
    mopd_status st;
    if (read_scanned(&s, path, &st)) {
        st = check_model(mo_json_get(s.json, "model"), path);
    } else if (st != MOPD_E_NOMEM) {
        source_close(&s);
        s = (source){0};
        st = read_tree(&s, path);
    }
    if (st == MOPD_OK) st = finish(out, &s, folder, path);
    source_close(&s);
    return st;
}

static mopd_status read_vocab_tree(mo_tokenizer_vocab *model, const mo_json **root, const char *path)
{
    mo_tokenizer_vocab_close(model);
    mopd_status st = mo_json_open(root, path);
    if (st == MOPD_OK && mo_json_kind(*root) != MO_JSON_OBJECT)
        st = mo_fail(MOPD_E_FORMAT, "%s: not an object", path);
    return st == MOPD_OK ? read_vocab(model, *root, path) : st;
}

static mopd_status open_merges(mo_tokenizer **out, const char *folder, const char *vocab, const char *merges)
{
    source s = {0};
    const mo_json *root = NULL;
    mo_buf text = {0};
    mopd_status st = mo_file_read(&s.file, vocab, MAX_TEXT);
    if (st == MOPD_OK && !mo_tokenizer_scan_vocab(
                             (mo_tokenizer_scan){s.file.data, s.file.data + s.file.size}, &s.model, &st)) {
        if (st != MOPD_E_NOMEM) st = read_vocab_tree(&s.model, &root, vocab);
    }
    if (st == MOPD_OK) st = mo_file_read(&text, merges, MAX_TEXT);
    if (st == MOPD_OK) st = read_merge_lines(&s, &text, merges);
    if (st == MOPD_OK) st = finish(out, &s, folder, vocab);
    source_close(&s);
    mo_json_close(root);
    mo_buf_free(&text);
    return st;
}

/* Appends one word to s->text, which has room, and to the vocabulary under the next id. */
static mopd_status add_simple(source *s, const char *a, size_t n_a, const char *b, size_t n_b, uint32_t id)
{
    char *word = s->text.data + s->text.size;
    memcpy(word, a, n_a);
    memcpy(word + n_a, b, n_b);
    s->text.size += n_a + n_b;
    return mo_tokenizer_vocab_set(&s->model, word, n_a + n_b, id);
}

/* Bytes, bytes</w>, merges[1 : 49152-256-2+1] of the lines, start, end: the vocabulary of
 * OpenAI's simple tokenizer. */
static mopd_status read_simple(source *s, const mo_buf *lines, const char *path)
{
    size_t n_lines = count_lines(lines), n, at = 0;
    size_t n_merges = mo_min(n_lines - 1, SIMPLE_MERGES);
    const char *line;
    mopd_status st = merges_open(s, n_merges);
    if (st == MOPD_OK) st = mo_tokenizer_vocab_open(&s->model, n_merges + 514);
    if (st == MOPD_OK && !mo_buf_room(&s->text, lines->size + 512 * 8 + 64)) st = MOPD_E_NOMEM;
    uint32_t id = 0;
    for (unsigned pass = 0; pass < 2 && st == MOPD_OK; pass++) /* "!" to "~", "¡" to "ÿ", then the rest */
        for (unsigned k = 0; k < 512 && st == MOPD_OK; k++) {
            unsigned char byte = (unsigned char)k;
            char symbol[4];
            size_t n_symbol = mo_tokenizer_byte_symbol(byte, symbol);
            bool shifted = (unsigned char)symbol[0] >= 0xc4; /* U+0100 on */
            if (shifted != (k >= 256)) continue;
            st = add_simple(s, symbol, n_symbol, "</w>", pass ? 4 : 0, id++);
        }
    next_line(lines, &at, &line, &n); /* the header */
    while (st == MOPD_OK && s->n_merges < n_merges && next_line(lines, &at, &line, &n)) {
        const char *space = memchr(line, ' ', n);
        size_t n_a = space ? (size_t)(space - line) : 0;
        if (!n_a || n_a + 1 == n || memchr(space + 1, ' ', n - n_a - 1))
            return mo_fail(MOPD_E_FORMAT, "%s: line %zu is \"%.*s\", not two parts", path, s->n_merges + 2,
                (int)mo_min(n, 60), line);
        st = add_simple(s, line, n_a, space + 1, n - n_a - 1, id++);
        if (st == MOPD_OK) st = add_merge(s, line, n_a, space + 1, n - n_a - 1, path);
    }
    if (st == MOPD_OK) st = add_simple(s, "<|startoftext|>", 15, "", 0, id++);
    if (st == MOPD_OK) st = add_simple(s, "<|endoftext|>", 13, "", 0, id++);
    return st;
}

static mopd_status open_simple(mo_tokenizer **out, const char *folder, const char *path)
{
    source s = {0};
    mo_buf file = {0}, text = {0};
    mopd_status st = mo_file_read(&file, path, MAX_TEXT);
    if (st == MOPD_OK && file.size > 1 && !memcmp(file.data, "\x1f\x8b", 2)) {
        st = mo_zip_gunzip(&text, file.data, file.size, MAX_TEXT, path);
    } else {
        text = file;
        file = (mo_buf){0};
    }
    if (st == MOPD_OK && !text.size) st = mo_fail(MOPD_E_FORMAT, "%s: empty", path);
    if (st == MOPD_OK) st = read_simple(&s, &text, path);
    if (st == MOPD_OK) st = finish(out, &s, folder, path);
    source_close(&s);
    mo_buf_free(&file);
    mo_buf_free(&text);
    return st;
}

mopd_status mo_tokenizer_open_simple(mo_tokenizer **out, const char *path)
{
    *out = NULL;
    return open_simple(out, NULL, path);
}

mopd_status mo_tokenizer_open(mo_tokenizer **out, const char *folder)
{
    *out = NULL;
    char *json = mo_path_join(folder, "tokenizer.json"), *vocab = mo_path_join(folder, "vocab.json");
    char *merges = mo_path_join(folder, "merges.txt"), *simple = mo_path_join(folder, SIMPLE_NAME);
    mopd_status st;
    if (!json || !vocab || !merges || !simple)
        st = MOPD_E_NOMEM;
    else if (mo_file_exists(json))
        st = open_json(out, folder, json);
    else if (mo_file_exists(vocab) && mo_file_exists(merges))
        st = open_merges(out, folder, vocab, merges);
    else if (mo_file_exists(simple))
        st = open_simple(out, folder, simple);
    else if (mo_file_exists(vocab) != mo_file_exists(merges))
        st = mo_fail(MOPD_E_IO, "%s: missing (%s is there)", mo_file_exists(vocab) ? merges : vocab,
            mo_file_exists(vocab) ? "vocab.json" : "merges.txt");
    else
        st = mo_fail(
            MOPD_E_IO, "%s: no tokenizer.json, no vocab.json with merges.txt, no " SIMPLE_NAME, folder);
    mo_mem_free(simple);
    mo_mem_free(merges);
    mo_mem_free(vocab);
    mo_mem_free(json);
    return st;
}
