/* SPDX-License-Identifier: MIT
 * tokenizer_files.c - which file a folder's tokenizer comes from, and CLIP's: from tokenizer.json, from vocab.json +
 * merges.txt, from bpe_simple_vocab_16e6.txt.gz.
 *
 * As transformers' CLIPTokenizer does, only vocabulary, merges and added tokens are taken from the files;
 * normaliser, word expression and end-of-word suffix are CLIP's own, whatever a tokenizer.json says beside
 * them.  What the other kinds take from one is in pieces_json.c; a kind that nobody here knows is refused. */
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "format/zip.h"
#include "token/pieces_files.h"
#include "token/tokenizer_source.h"

#define SIMPLE_NAME "bpe_simple_vocab_16e6.txt.gz"
#define SIMPLE_MERGES (49152 - 256 - 2)

static size_t most_text(void)
{
    return mo_min((size_t)128 << 20, mo_limits_size(MO_LIMIT_TEXT_FILE));
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

static mopd_status read_merge_lines(mo_tokenizer_source *s, const mo_buf *text, const char *path)
{
    mopd_status st = mo_tokenizer_source_merges(s, count_lines(text));
    const char *line;
    size_t n;
    for (size_t at = 0; st == MOPD_OK && next_line(text, &at, &line, &n);)
        if (n < 8 || memcmp(line, "#version", 8)) st = mo_tokenizer_source_merge_text(s, line, n, path);
    return st;
}

static mopd_status normalize(void *cps, const char *text, size_t n_bytes, mo_buf *out)
{
    return mo_tokenizer_normalize(text, n_bytes, cps, out);
}

/* Vocabulary and merges are there: added tokens, then the tokenizer. */
static mopd_status finish(mo_tokenizer **out, mo_tokenizer_source *s, const char *folder, const char *name)
{
    mo_unicode_cps cps = {0};
    mopd_status st =
        mo_tokenizer_specials_open(&s->specials, folder, s->json, name, mo_tokenizer_specials_clip);
    if (st == MOPD_OK) st = mo_tokenizer_source_patterns(s, normalize, &cps);
    if (st == MOPD_OK) {
        const mo_tokenizer_specials *sp = &s->specials;
        const mo_word *unknown =
            sp->unknown ? mo_tokenizer_vocab_find(&s->model, sp->unknown, strlen(sp->unknown)) : NULL;
        mo_tokenizer_parts parts = {&s->model, &s->extra, s->merge, s->n_merges, s->pattern, s->n_patterns,
            mo_tokenizer_source_id(s, sp->start), mo_tokenizer_source_id(s, sp->end),
            mo_tokenizer_source_id(s, sp->pad), unknown ? unknown->id : MO_TOKEN_NONE};
        if (!sp->pad) parts.pad = parts.end;
        st = mo_tokenizer_build(out, &parts, name);
    }
    mo_mem_free(cps.cp);
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

/* The two large values of a tokenizer.json, or the list of pieces. */
static bool read_values(mo_tokenizer_source *s, mo_tokenizer_scan vocab, mo_tokenizer_scan merges,
    const char *path, mopd_status *st)
{
    if (merges.at)
        return mo_tokenizer_scan_vocab(vocab, &s->model, st) && mo_tokenizer_source_scan(s, merges, path, st);
    size_t cap = 0;
    for (const char *p = vocab.at; p < vocab.end && (p = memchr(p, '[', (size_t)(vocab.end - p))); p++) cap++;
    return (*st = mo_tokenizer_source_room(s, cap)) == MOPD_OK &&
           mo_tokenizer_scan_pieces(vocab, &s->model, s->score, st);
}

/* The quick way: false when the file is written in an unusual way or something is wrong with it; then the
 * tree is asked, unless *st is NOMEM. */
static bool read_scanned(mo_tokenizer_source *s, const char *path, mopd_status *st)
{
    mo_tokenizer_scan vocab, merges;
    mo_buf rest = {0};
    bool good = (*st = mo_file_read(&s->file, path, most_text())) == MOPD_OK &&
                mo_tokenizer_scan_find(&s->file, &vocab, &merges, &rest, st) &&
                (*st = mo_json_parse(&s->json, rest.data, rest.size, path)) == MOPD_OK &&
                (mo_pieces_kind_of(mo_json_get(s->json, "model")) == MO_PIECES_UNIGRAM) == !merges.at &&
                read_values(s, vocab, merges, path, st);
    mo_buf_free(&rest);
    return good;
}

static mopd_status read_tree(mo_tokenizer_source *s, const char *path)
{
    const mo_json *model, *vocab, *merges;
    mopd_status st = mo_json_open(&s->json, path);
    if (st == MOPD_OK) st = mo_json_need(s->json, "model", path, MO_JSON_OBJECT, &model);
    if (st != MOPD_OK) return st;
    const mo_pieces_kind kind = mo_pieces_kind_of(model);
    if (kind == MO_PIECES_NONE) st = check_model(model, path);
    const bool list = kind == MO_PIECES_UNIGRAM;
    if (st == MOPD_OK) st = mo_json_need(model, "vocab", path, list ? MO_JSON_ARRAY : MO_JSON_OBJECT, &vocab);
    if (st == MOPD_OK && list) return mo_tokenizer_source_pieces(s, vocab, path);
    if (st == MOPD_OK) st = mo_json_need(model, "merges", path, MO_JSON_ARRAY, &merges);
    if (st == MOPD_OK) st = mo_tokenizer_source_vocab(&s->model, vocab, path);
    return st == MOPD_OK ? mo_tokenizer_source_merge_array(s, merges, path) : st;
}

/* Vocabulary, scores and merges are read: the rest by the kind of model. */
static mopd_status finish_json(
    mo_tokenizer **out, mo_tokenizer_source *s, const char *folder, const char *path)
{
    const mo_json *model = mo_json_get(s->json, "model");
    const mo_pieces_kind kind = mo_pieces_kind_of(model);
    if (kind != MO_PIECES_NONE) return mo_pieces_finish_json(out, s, kind, folder, path);
    mopd_status st = check_model(model, path);
    return st == MOPD_OK ? finish(out, s, folder, path) : st;
}

static mopd_status open_json(mo_tokenizer **out, const char *folder, const char *path)
{
    mo_tokenizer_source s = {0};
    mopd_status st;
    if (!read_scanned(&s, path, &st) && st != MOPD_E_NOMEM) {
        mo_tokenizer_source_close(&s);
        s = (mo_tokenizer_source){0};
        st = read_tree(&s, path);
    }
    if (st == MOPD_OK) st = finish_json(out, &s, folder, path);
    mo_tokenizer_source_close(&s);
    return st;
}

static mopd_status read_vocab_tree(mo_tokenizer_vocab *model, const mo_json **root, const char *path)
{
    mo_tokenizer_vocab_close(model);
    mopd_status st = mo_json_open(root, path);
    if (st == MOPD_OK && mo_json_kind(*root) != MO_JSON_OBJECT)
        st = mo_fail(MOPD_E_FORMAT, "%s: not an object", path);
    return st == MOPD_OK ? mo_tokenizer_source_vocab(model, *root, path) : st;
}

static mopd_status open_merges(mo_tokenizer **out, const char *folder, const char *vocab, const char *merges)
{
    mo_tokenizer_source s = {0};
    const mo_json *root = NULL;
    mo_buf text = {0};
    mopd_status st = mo_file_read(&s.file, vocab, most_text());
    if (st == MOPD_OK && !mo_tokenizer_scan_vocab(
                             (mo_tokenizer_scan){s.file.data, s.file.data + s.file.size}, &s.model, &st)) {
        if (st != MOPD_E_NOMEM) st = read_vocab_tree(&s.model, &root, vocab);
    }
    if (st == MOPD_OK) st = mo_file_read(&text, merges, most_text());
    if (st == MOPD_OK) st = read_merge_lines(&s, &text, merges);
    if (st == MOPD_OK) st = finish(out, &s, folder, vocab);
    mo_tokenizer_source_close(&s);
    mo_json_close(root);
    mo_buf_free(&text);
    return st;
}

/* Appends one word to s->text, which has room, and to the vocabulary under the next id. */
static mopd_status add_simple(
    mo_tokenizer_source *s, const char *a, size_t n_a, const char *b, size_t n_b, uint32_t id)
{
    char *word = s->text.data + s->text.size;
    memcpy(word, a, n_a);
    memcpy(word + n_a, b, n_b);
    s->text.size += n_a + n_b;
    return mo_tokenizer_vocab_set(&s->model, word, n_a + n_b, id);
}

/* Bytes, bytes</w>, merges[1 : 49152-256-2+1] of the lines, start, end: the vocabulary of
 * OpenAI's simple tokenizer. */
static mopd_status read_simple(mo_tokenizer_source *s, const mo_buf *lines, const char *path)
{
    size_t n_lines = count_lines(lines), n, at = 0;
    size_t n_merges = mo_min(n_lines - 1, SIMPLE_MERGES);
    const char *line;
    mopd_status st = mo_tokenizer_source_merges(s, n_merges);
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
        if (st == MOPD_OK) st = mo_tokenizer_source_merge(s, line, n_a, space + 1, n - n_a - 1, path);
    }
    if (st == MOPD_OK) st = add_simple(s, "<|startoftext|>", 15, "", 0, id++);
    if (st == MOPD_OK) st = add_simple(s, "<|endoftext|>", 13, "", 0, id++);
    return st;
}

static mopd_status open_simple(mo_tokenizer **out, const char *folder, const char *path)
{
    mo_tokenizer_source s = {0};
    mo_buf file = {0}, text = {0};
    mopd_status st = mo_file_read(&file, path, most_text());
    if (st == MOPD_OK && file.size > 1 && !memcmp(file.data, "\x1f\x8b", 2)) {
        st = mo_zip_gunzip(
            &text, file.data, file.size, mo_min(most_text(), mo_limits_reading(file.size) / 4), path);
    } else {
        text = file;
        file = (mo_buf){0};
    }
    if (st == MOPD_OK && !text.size) st = mo_fail(MOPD_E_FORMAT, "%s: empty", path);
    if (st == MOPD_OK) st = read_simple(&s, &text, path);
    if (st == MOPD_OK) st = finish(out, &s, folder, path);
    mo_tokenizer_source_close(&s);
    mo_buf_free(&file);
    mo_buf_free(&text);
    return st;
}

mopd_status mo_tokenizer_open_simple(mo_tokenizer **out, const char *path)
{
    *out = NULL;
    return open_simple(out, NULL, path);
}

/* The files of a folder that a tokenizer may come from. */
enum { JSON, SPIECE, VOCAB, MERGES, SIMPLE, N_FILES };
static const char *const file_names[N_FILES] = {
    "tokenizer.json", "spiece.model", "vocab.json", "merges.txt", SIMPLE_NAME};

static mopd_status nothing_there(const char *folder, char *const path[N_FILES])
{
    const bool vocab = mo_file_exists(path[VOCAB]), merges = mo_file_exists(path[MERGES]);
    if (vocab != merges)
        return mo_fail(MOPD_E_IO, "%s: missing (%s is there)", path[vocab ? MERGES : VOCAB],
            file_names[vocab ? VOCAB : MERGES]);
    return mo_fail(MOPD_E_IO,
        "%s: no tokenizer.json, no spiece.model, no vocab.json with merges.txt, no " SIMPLE_NAME, folder);
}

/* A spiece.model is read where its class does so, or where nothing else is there. */
static mopd_status open_folder(mo_tokenizer **out, const char *folder, char *const path[N_FILES])
{
    char class[64] = "";
    const bool json = mo_file_exists(path[JSON]), spiece = mo_file_exists(path[SPIECE]);
    mopd_status st = spiece ? mo_pieces_class(class, folder) : MOPD_OK;
    if (st != MOPD_OK) return st;
    if (spiece && (!json || !strcmp(class, "SiglipTokenizer")))
        return mo_pieces_open_spiece(out, folder, path[SPIECE]);
    if (json) return open_json(out, folder, path[JSON]);
    if (mo_file_exists(path[VOCAB]) && mo_file_exists(path[MERGES]))
        return open_merges(out, folder, path[VOCAB], path[MERGES]);
    if (mo_file_exists(path[SIMPLE])) return open_simple(out, folder, path[SIMPLE]);
    return nothing_there(folder, path);
}

mopd_status mo_tokenizer_open(mo_tokenizer **out, const char *folder)
{
    char *path[N_FILES] = {NULL};
    mopd_status st = MOPD_OK;
    *out = NULL;
    for (size_t i = 0; i < N_FILES && st == MOPD_OK; i++)
        if (!(path[i] = mo_path_join(folder, file_names[i]))) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = open_folder(out, folder, path);
    for (size_t i = 0; i < N_FILES; i++) mo_mem_free(path[i]);
    return st;
}
