/* SPDX-License-Identifier: MIT
 * pieces_encode.c - a text to the words that a model of pieces takes, by the tokenizers library and by SiglipTokenizer.
 *
 *     library   cut at added tokens (raw) -> steps of the normaliser -> cut at added tokens (normalised) -> white space
 *               split -> "\u2581" for blanks, one before each word, cut before each -> the model
 *     Siglip    "\u2581" before the text, none in it -> cut at added tokens -> lower, no punctuation -> the unknown
 *               token's own text before it -> SentencePiece's normalisation, longest rule first, and its model over all
 *               of it at once -> without the pieces of the unknown token's text */
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "token/clean.h"
#include "token/tokenizer_table.h"

#define N_BLANK 3 /* bytes of MO_PIECES_BLANK */

void mo_pieces_close(mo_pieces_scratch *s)
{
    mo_buf_free(&s->a);
    mo_buf_free(&s->b);
    mo_buf_free(&s->word);
    mo_buf_free(&s->prefixed);
    mo_mem_free(s->node);
    mo_mem_free(s->work);
}

static mopd_status add_model(
    const mo_tokenizer *t, const char *word, size_t n, mo_pieces_scratch *s, mo_tokens *tokens)
{
    if (!n) return MOPD_OK;
    return t->pieces.kind == MO_PIECES_UNIGRAM ? mo_pieces_unigram(t, word, n, s, tokens)
                                               : mo_pieces_pairs(t, word, n, s, tokens);
}

static mopd_status push(mo_tokens *tokens, uint32_t id)
{
    mopd_status st = mo_tokenizer_room(tokens, 1);
    if (st == MOPD_OK) tokens->id[tokens->n++] = id;
    return st;
}

static bool is_blank(const char *p, size_t n)
{
    return n >= N_BLANK && !memcmp(p, MO_PIECES_BLANK, N_BLANK);
}

/* ---- the tokenizers library ---- */

/* s->word = a word with "\u2581" for blanks, and one before it. */
static mopd_status blank_word(const mo_tokenizer *t, const char *word, size_t n, mo_pieces_scratch *s)
{
    const bool before = t->pieces.flags & MO_PIECES_BEFORE && *word != ' ' && !is_blank(word, n);
    s->word.size = 0;
    mopd_status st = before ? mo_buf_adds(&s->word, MO_PIECES_BLANK) : MOPD_OK;
    for (size_t at = 0, end; at < n && st == MOPD_OK; at = end) {
        for (end = at; end < n && word[end] != ' ';) end++;
        st = mo_buf_add(&s->word, word + at, end - at);
        if (st == MOPD_OK && end < n) st = mo_buf_adds(&s->word, MO_PIECES_BLANK), end++;
    }
    return st;
}

/* Cut before each "\u2581". */
static mopd_status add_blanked(const mo_tokenizer *t, mo_pieces_scratch *s, mo_tokens *tokens)
{
    const char *p = s->word.data;
    const size_t n = s->word.size;
    mopd_status st = MOPD_OK;
    if (!(t->pieces.flags & MO_PIECES_SPLIT)) return add_model(t, p, n, s, tokens);
    for (size_t at = 0, end; at < n && st == MOPD_OK; at = end) {
        for (end = at + 1; end < n && !is_blank(p + end, n - end);) end++;
        st = add_model(t, p + at, end - at, s, tokens);
    }
    return st;
}

static mopd_status add_word(
    const mo_tokenizer *t, const char *word, size_t n, mo_pieces_scratch *s, mo_tokens *tokens)
{
    if (!n || !(t->pieces.flags & MO_PIECES_METASPACE)) return add_model(t, word, n, s, tokens);
    mopd_status st = blank_word(t, word, n, s);
    return st == MOPD_OK ? add_blanked(t, s, tokens) : st;
}

static mopd_status add_words(
    const mo_tokenizer *t, const char *p, size_t n, mo_pieces_scratch *s, mo_tokens *tokens)
{
    mopd_status st = MOPD_OK;
    if (!(t->pieces.flags & MO_PIECES_WORDS)) return add_word(t, p, n, s, tokens);
    for (size_t at = 0, end; at < n && st == MOPD_OK; at = end) {
        at += mo_tokenizer_run(p + at, n - at, MO_U_SPACE);
        for (end = at; end < n && !mo_tokenizer_run(p + end, n - end, MO_U_SPACE);)
            if (mo_utf8_next(p, n, &end) < 0) return mo_fail(MOPD_E_INTERNAL, "normalised text is not UTF-8");
        st = add_word(t, p + at, end - at, s, tokens);
    }
    return st;
}

static mopd_status add_text(const mo_tokenizer *t, const char *text, size_t n, uint32_t kind,
    mo_pieces_scratch *s, mo_tokens *tokens);

/* The text between added tokens: raw text goes on to the steps, normalised text to words. */
static mopd_status add_between(
    const mo_tokenizer *t, const char *text, size_t n, uint32_t kind, mo_pieces_scratch *s, mo_tokens *tokens)
{
    if (!n) return MOPD_OK;
    if (kind) return add_words(t, text, n, s, tokens);
    mopd_status st = mo_pieces_normalize(t, text, n, &s->a, &s->b);
    return st == MOPD_OK ? add_text(t, s->a.data, s->a.size, MO_ADDED_NORMALIZED, s, tokens) : st;
}

static mopd_status add_text(
    const mo_tokenizer *t, const char *text, size_t n, uint32_t kind, mo_pieces_scratch *s, mo_tokens *tokens)
{
    mo_tokenizer_cut cut = {0};
    size_t done = 0;
    mopd_status st = MOPD_OK;
    while (st == MOPD_OK && mo_tokenizer_cut_next(t, text, n, kind, &cut)) {
        if (cut.from > done) st = add_between(t, text + done, cut.from - done, kind, s, tokens);
        if (st == MOPD_OK) st = push(tokens, cut.id);
        done = cut.to;
    }
    return st == MOPD_OK && done < n ? add_between(t, text + done, n - done, kind, s, tokens) : st;
}

/* ---- SentencePiece behind SiglipTokenizer ---- */

/* The characters at p by the longest rule, and how many bytes they are. */
static size_t next_rule(const mo_tokenizer *t, const char *p, size_t n, const char **to, size_t *n_to)
{
    const size_t covered = mo_charsmap_longest(&t->pieces.map, p, n, to, n_to);
    if (covered) return covered;
    size_t at = 0;
    if (mo_utf8_next(p, n, &at) < 0) at = 1;
    *to = p;
    *n_to = at;
    return at;
}

static mopd_status add_escaped(mo_buf *out, const char *p, size_t n)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++)
        st = p[i] == ' ' ? mo_buf_adds(out, MO_PIECES_BLANK) : mo_buf_add(out, p + i, 1);
    return st;
}

/* s->word = a text as SentencePiece normalises it. */
static mopd_status squeeze(const mo_tokenizer *t, const char *p, size_t n, mo_pieces_scratch *s)
{
    const bool squeezes = t->pieces.flags & MO_PIECES_SQUEEZE;
    bool after_blank = squeezes;
    size_t at = 0, n_to = 0;
    const char *to = p;
    mo_buf *out = &s->word;
    out->size = 0;
    for (size_t step; squeezes && at < n; at += step)
        if ((step = next_rule(t, p + at, n - at, &to, &n_to)) && (n_to != 1 || *to != ' ')) break;
    mopd_status st =
        at < n && t->pieces.flags & MO_PIECES_PREFIX ? mo_buf_adds(out, MO_PIECES_BLANK) : MOPD_OK;
    while (at < n && st == MOPD_OK) {
        at += next_rule(t, p + at, n - at, &to, &n_to);
        for (; after_blank && n_to && *to == ' '; n_to--) to++;
        st = add_escaped(out, to, n_to);
        if (n_to) after_blank = squeezes && to[n_to - 1] == ' ';
    }
    while (squeezes && out->size >= N_BLANK && is_blank(out->data + out->size - N_BLANK, N_BLANK))
        out->size -= N_BLANK;
    return st;
}

/* The pieces of a text between added tokens. */
static mopd_status add_sentence(
    const mo_tokenizer *t, const char *text, size_t n, mo_pieces_scratch *s, mo_tokens *tokens)
{
    size_t n_unknown;
    const size_t first = tokens->n;
    const char *unknown = mo_tokenizer_token(t, t->unknown, &n_unknown);
    s->prefixed.size = 0;
    mopd_status st = mo_clean_siglip(&s->b, text, n, t->pieces.flags & MO_PIECES_LOWER);
    if (st == MOPD_OK) st = mo_buf_add(&s->prefixed, unknown, n_unknown);
    if (st == MOPD_OK) st = mo_buf_add(&s->prefixed, s->b.data, s->b.size);
    if (st == MOPD_OK) st = squeeze(t, s->prefixed.data, s->prefixed.size, s);
    if (st == MOPD_OK) st = add_model(t, s->word.data, s->word.size, s, tokens);
    const size_t n_prefix = t->pieces.n_prefix;
    if (st != MOPD_OK || tokens->n - first < n_prefix) return st;
    memmove(tokens->id + first, tokens->id + first + n_prefix,
        (tokens->n - first - n_prefix) * sizeof *tokens->id);
    tokens->n -= n_prefix;
    return MOPD_OK;
}

/* s->a = "\u2581", and the text with blanks for every other one. */
static mopd_status begin_siglip(const char *text, size_t n, mo_pieces_scratch *s)
{
    s->a.size = 0;
    mopd_status st = mo_buf_adds(&s->a, MO_PIECES_BLANK);
    for (size_t at = 0, end; at < n && st == MOPD_OK; at = end) {
        for (end = at; end < n && !is_blank(text + end, n - end);) end++;
        st = mo_buf_add(&s->a, text + at, end - at);
        if (st == MOPD_OK && end < n) st = mo_buf_adds(&s->a, " "), end += N_BLANK;
    }
    return st;
}

static mopd_status add_siglip(
    const mo_tokenizer *t, const char *text, size_t n, mo_pieces_scratch *s, mo_tokens *tokens)
{
    mo_tokenizer_cut cut = {0};
    const size_t first = tokens->n;
    const uint32_t blank = mo_pieces_find(t, MO_PIECES_BLANK, N_BLANK);
    size_t done = 0;
    mopd_status st = begin_siglip(text, n, s);
    const char *p = s->a.data;
    while (st == MOPD_OK && mo_tokenizer_cut_next(t, p, s->a.size, 0, &cut)) {
        if (cut.from > done) st = add_sentence(t, p + done, cut.from - done, s, tokens);
        if (!done && tokens->n == first + 1 && tokens->id[first] == blank) tokens->n = first;
        if (st == MOPD_OK) st = push(tokens, cut.id);
        done = cut.to;
    }
    return st == MOPD_OK && done < s->a.size ? add_sentence(t, p + done, s->a.size - done, s, tokens) : st;
}

mopd_status mo_pieces_text(
    const mo_tokenizer *t, const char *text, size_t n, mo_pieces_scratch *s, mo_tokens *tokens)
{
    return t->pieces.flags & MO_PIECES_SIGLIP ? add_siglip(t, text, n, s, tokens)
                                              : add_text(t, text, n, 0, s, tokens);
}

/* How many pieces SentencePiece makes of the unknown token's text, which SiglipTokenizer puts before each text. */
mopd_status mo_pieces_prefix(mo_tokenizer *t)
{
    if (!(t->pieces.flags & MO_PIECES_SIGLIP)) return MOPD_OK;
    mo_pieces_scratch s = {0};
    mo_tokens tokens = {0};
    size_t n;
    const char *unknown = mo_tokenizer_token(t, t->unknown, &n);
    mopd_status st = squeeze(t, unknown ? unknown : "", n, &s);
    if (st == MOPD_OK) st = add_model(t, s.word.data, s.word.size, &s, &tokens);
    t->pieces.n_prefix = tokens.n;
    mo_mem_free(tokens.id);
    mo_pieces_close(&s);
    return st;
}
