/* SPDX-License-Identifier: MIT
 * tokenizer_encode.c - a text to ids: added tokens, normalisation, words, byte pairs.
 *
 *     text -> cut at added tokens (raw) -> NFC, white space, lower case -> cut at added tokens (normalised)
 *          -> words by CLIP's expression -> bytes -> pairs merged, lowest rank first, leftmost first
 *
 * Sennrich, Haddow, Birch 2016; byte level as in GPT-2.  Everything is read only but the scratch of the call. */
#include "token/tokenizer.h"

#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "token/clean.h"
#include "token/tokenizer_table.h"
#include "token/unicode.h"

/* Memory of one call, reused from word to word. */
typedef struct scratch {
    mo_unicode_cps cps;
    mo_buf norm, clean;
    uint32_t *work; /* of the merging, n_work numbers */
    size_t n_work;
    mo_pieces_scratch pieces;
} scratch;

static void scratch_close(scratch *s)
{
    mo_mem_free(s->cps.cp);
    mo_buf_free(&s->norm);
    mo_buf_free(&s->clean);
    mo_mem_free(s->work);
    mo_pieces_close(&s->pieces);
}

mopd_status mo_tokenizer_normalize(const char *text, size_t n_bytes, mo_unicode_cps *cps, mo_buf *out)
{
    out->size = 0;
    if (!mo_buf_room(out, n_bytes)) return MOPD_E_NOMEM;
    size_t plain = 0; /* the ASCII beginning */
    while (plain < n_bytes && (unsigned char)text[plain] < 0x80) plain++;
    size_t n = plain;
    if (plain < n_bytes) {
        mopd_status st = mo_unicode_nfc(text, n_bytes, cps);
        if (st != MOPD_OK) return st;
        n = cps->n;
        if (!mo_buf_room(out, 4 * n)) return MOPD_E_NOMEM; /* the one that doubles goes from 2 bytes to 3 */
    }
    bool space = false;
    for (size_t i = 0; i < n; i++) {
        uint32_t cp = plain < n_bytes ? cps->cp[i] : (unsigned char)text[i], low[2];
        if (mo_unicode_class(cp) == MO_U_SPACE) {
            if (!space) out->data[out->size++] = ' ';
            space = true;
            continue;
        }
        space = false;
        size_t n_low = mo_unicode_lower(cp, low);
        for (size_t k = 0; k < n_low; k++) out->size += mo_utf8_put(low[k], out->data + out->size);
    }
    return MOPD_OK;
}

static mopd_status add_word(const mo_tokenizer *t, const char *word, size_t n, scratch *s, mo_tokens *tokens)
{
    size_t need;
    if (n > MO_TOKEN_NONE / 16 || !mo_mul(n, MO_TOKENIZER_WORK, &need))
        return mo_fail(MOPD_E_UNSUPPORTED, "a word of %zu bytes", n);
    if (need > s->n_work) {
        uint32_t *work = mo_mem_realloc(s->work, mo_max(need, 576), sizeof *work);
        if (!work) return MOPD_E_NOMEM;
        s->work = work;
        s->n_work = mo_max(need, 576);
    }
    size_t n_ids = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)word[i];
        uint32_t id = i + 1 < n ? t->symbol[byte] : t->last[byte];
        if (id == MO_TOKEN_NONE) id = t->unknown;
        if (id == MO_TOKEN_NONE)
            return mo_fail(MOPD_E_FORMAT,
                "the vocabulary has no token for byte 0x%02x%s and no unknown token", byte,
                i + 1 < n ? "" : " at the end of a word");
        s->work[n_ids++] = id;
    }
    n_ids = mo_tokenizer_join(t, s->work, n);
    mopd_status st = mo_tokenizer_room(tokens, n_ids);
    if (st != MOPD_OK) return st;
    memcpy(tokens->id + tokens->n, s->work, n_ids * sizeof *s->work);
    tokens->n += n_ids;
    return MOPD_OK;
}

/* Bytes at p that one of CLIP's fixed alternatives matches, 0 when none does. */
static size_t contraction(const char *p, size_t n)
{
    static const char form[7][4] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (size_t i = 0; i < 7 && *p == '\''; i++) {
        size_t k = strlen(form[i]);
        if (k <= n && !memcmp(p, form[i], k)) return k;
    }
    return 0;
}

/* Bytes of a special token written out, which the expression takes whole and the byte level splits
 * again in three. */
static size_t written_special(const char *p, size_t n)
{
    static const char form[2][16] = {"<|startoftext|>", "<|endoftext|>"};
    for (size_t i = 0; i < 2 && *p == '<'; i++) {
        size_t k = strlen(form[i]);
        if (k <= n && !memcmp(p, form[i], k)) return k;
    }
    return 0;
}

/* Words of normalised text:
 * <|startoftext|> | <|endoftext|> | 's|'t|'re|'ve|'m|'ll|'d | [\p{L}]+ | [\p{N}] | [^\s\p{L}\p{N}]+ */
static mopd_status add_words(const mo_tokenizer *t, const char *p, size_t n, scratch *s, mo_tokens *tokens)
{
    mopd_status st = MOPD_OK;
    for (size_t at = 0, step; at < n && st == MOPD_OK; at += step) {
        const char *word = p + at;
        size_t left = n - at, after = 0;
        int32_t cp = mo_utf8_next(word, left, &after);
        if (cp < 0) return mo_fail(MOPD_E_INTERNAL, "normalised text is not UTF-8");
        mo_uclass class = mo_unicode_class((uint32_t)cp);
        step = after;
        if (class == MO_U_SPACE) continue;
        if ((step = written_special(word, left))) {
            if ((st = add_word(t, word, 2, s, tokens)) == MOPD_OK &&
                (st = add_word(t, word + 2, step - 4, s, tokens)) == MOPD_OK)
                st = add_word(t, word + step - 2, 2, s, tokens);
            continue;
        }
        step = contraction(word, left);
        if (!step) step = class == MO_U_NUMBER ? after : mo_tokenizer_run(word, left, class);
        st = add_word(t, word, step, s, tokens);
    }
    return st;
}

static mopd_status add_text(
    const mo_tokenizer *t, const char *text, size_t n, uint32_t kind, scratch *s, mo_tokens *tokens);

/* The text between added tokens: raw text goes on to normalisation, normalised text to words. */
static mopd_status add_between(
    const mo_tokenizer *t, const char *text, size_t n, uint32_t kind, scratch *s, mo_tokens *tokens)
{
    if (!n) return MOPD_OK;
    if (kind) return add_words(t, text, n, s, tokens);
    mopd_status st = mo_tokenizer_normalize(text, n, &s->cps, &s->norm);
    if (st != MOPD_OK) return st;
    return add_text(t, s->norm.data, s->norm.size, MO_ADDED_NORMALIZED, s, tokens);
}

static mopd_status add_text(
    const mo_tokenizer *t, const char *text, size_t n, uint32_t kind, scratch *s, mo_tokens *tokens)
{
    mo_tokenizer_cut cut = {0};
    size_t done = 0; /* text before it is dealt with */
    mopd_status st = MOPD_OK;
    while (st == MOPD_OK && mo_tokenizer_cut_next(t, text, n, kind, &cut)) {
        if (cut.from > done) st = add_between(t, text + done, cut.from - done, kind, s, tokens);
        if (st == MOPD_OK) st = mo_tokenizer_room(tokens, 1);
        if (st == MOPD_OK) tokens->id[tokens->n++] = cut.id;
        done = cut.to;
    }
    return st == MOPD_OK && done < n ? add_between(t, text + done, n - done, kind, s, tokens) : st;
}

/* A special token written in cleaned text, its id in *id: bytes of it, 0 for none. */
static size_t special_at(const mo_tokenizer *t, const char *p, size_t n, uint32_t *id)
{
    static const char *const forms[2][2] = {
        {"<|startoftext|>", "<|endoftext|>"}, {"<start_of_text>", "<end_of_text>"}};
    const char *const *form = forms[t->cleaning == MO_CLEANING_OPEN_CLIP];
    for (size_t i = 0; i < 2 && *p == '<'; i++) {
        const size_t k = strlen(form[i]);
        if (k > n || memcmp(p, form[i], k) != 0) continue;
        *id = i ? t->end : t->start;
        return k;
    }
    return 0;
}

/* Bytes of 's, whose s may be the long one where case is ignored. */
static size_t long_s(const char *p, size_t n)
{
    return n >= 3 && !memcmp(p, "'\xc5\xbf", 3) ? 3 : 0;
}

/* U+0345, a mark whose capital is a letter: an expression that ignores case has it in no class. */
#define NO_CLASS "\xcd\x85"

/* Bytes of a run as it ends there, too. */
static size_t cleaned_run(const char *p, size_t n, mo_uclass class)
{
    const size_t run = mo_tokenizer_run(p, n, class);
    for (size_t i = 0; i + 1 < run; i++)
        if (!memcmp(p + i, NO_CLASS, 2)) return i;
    return run;
}

/* Words of cleaned text as OpenAI's tokenizer cuts it. */
static mopd_status add_cleaned(const mo_tokenizer *t, const char *p, size_t n, scratch *s, mo_tokens *tokens)
{
    mopd_status st = MOPD_OK;
    for (size_t at = 0, step; at < n && st == MOPD_OK; at += step) {
        const char *word = p + at;
        size_t left = n - at, after = 0;
        uint32_t id;
        const mo_uclass class = mo_unicode_class((uint32_t)mo_utf8_next(word, left, &after));
        step = after;
        if (class == MO_U_SPACE || (left > 1 && !memcmp(word, NO_CLASS, 2))) continue;
        if ((step = special_at(t, word, left, &id))) {
            if ((st = mo_tokenizer_room(tokens, 1)) == MOPD_OK) tokens->id[tokens->n++] = id;
            continue;
        }
        step = contraction(word, left);
        if (!step) step = long_s(word, left);
        if (!step) step = class == MO_U_NUMBER ? after : cleaned_run(word, left, class);
        st = add_word(t, word, step, s, tokens);
    }
    return st;
}

/* The text as transformers' tokenizer takes it. */
static mopd_status add_plain(const mo_tokenizer *t, const char *text, size_t n, scratch *s, mo_tokens *tokens)
{
    if (t->pieces.kind != MO_PIECES_NONE) return mo_pieces_text(t, text, n, &s->pieces, tokens);
    return add_text(t, text, n, 0, s, tokens);
}

static mopd_status clean(mo_buf *out, mo_cleaning cleaning, const char *text, size_t n)
{
    switch (cleaning) {
    case MO_CLEANING_APOSTROPHES:
        return mo_clean_apostrophes(out, text, n);
    case MO_CLEANING_HF_IN_OPEN_CLIP:
        return mo_clean_text(out, text, n, MO_CLEAN_AS_IS);
    case MO_CLEANING_CANONICAL_IN_OPEN_CLIP:
        return mo_clean_text(out, text, n, MO_CLEAN_CANONICAL);
    default:
        return mo_clean_text(out, text, n, MO_CLEAN_LOWER);
    }
}

/* The text as its tokenizer's users get it. */
static mopd_status add_any(const mo_tokenizer *t, const char *text, size_t n, scratch *s, mo_tokens *tokens)
{
    const mo_cleaning c = t->cleaning;
    const bool curly = c == MO_CLEANING_APOSTROPHES && (memchr(text, 0xe2, n) || memchr(text, 0xca, n));
    const bool own = c == MO_CLEANING_OPENAI || c == MO_CLEANING_OPEN_CLIP;
    if (c == MO_CLEANING_TRANSFORMERS || (c == MO_CLEANING_APOSTROPHES && !curly))
        return add_plain(t, text, n, s, tokens);
    mopd_status st = clean(&s->clean, c, text, n);
    if (st != MOPD_OK) return st;
    if (own && t->pieces.kind == MO_PIECES_NONE)
        return add_cleaned(t, s->clean.data, s->clean.size, s, tokens);
    return add_plain(t, s->clean.data, s->clean.size, s, tokens);
}

mopd_status mo_tokenizer_raw(const mo_tokenizer *t, const char *text, size_t n_bytes, mo_tokens *tokens)
{
    size_t good = mo_utf8_prefix(text, n_bytes);
    if (good != n_bytes)
        return mo_fail(
            MOPD_E_FORMAT, "the text is not UTF-8 at byte %zu (0x%02x)", good, (unsigned char)text[good]);
    scratch s = {0};
    size_t n = tokens->n;
    mopd_status st = add_any(t, text, n_bytes, &s, tokens);
    if (st != MOPD_OK) tokens->n = n;
    scratch_close(&s);
    return st;
}

/* What is said of a text that is too long: how long, and how it begins. */
static mopd_status too_long(
    const mo_tokenizer *t, const char *text, size_t n_bytes, size_t n_ids, size_t limit)
{
    size_t shown = 0;
    while (shown < n_bytes && shown < 60) {
        size_t after = shown;
        mo_utf8_next(text, n_bytes, &after);
        if (after > 60) break;
        shown = after;
    }
    return mo_fail(MOPD_E_ARG, "the text is %zu tokens long with %send, the limit is %zu: \"%.*s\"%s", n_ids,
        mo_tokenizer_has_start(t) ? "start and " : "", limit, (int)shown, text, shown < n_bytes ? "..." : "");
}

/* Whether the end is written: SiglipTokenizer adds none to ids that have it. */
static bool needs_end(const mo_tokenizer *t, const mo_tokens *tokens, size_t first)
{
    return !(t->pieces.flags & MO_PIECES_SIGLIP) || tokens->n == first || tokens->id[tokens->n - 1] != t->end;
}

/* Appends start and ids. */
static mopd_status add_start(const mo_tokenizer *t, const char *text, size_t n_bytes, mo_tokens *tokens)
{
    mopd_status st = mo_tokenizer_room(tokens, 2);
    if (st != MOPD_OK) return st;
    if (mo_tokenizer_has_start(t)) tokens->id[tokens->n++] = t->start;
    if ((st = mo_tokenizer_raw(t, text, n_bytes, tokens)) == MOPD_OK) st = mo_tokenizer_room(tokens, 1);
    return st;
}

mopd_status mo_tokenizer_encode(
    const mo_tokenizer *t, const char *text, size_t n_bytes, size_t limit, bool truncate, mo_tokens *tokens)
{
    const size_t n = tokens->n;
    if (limit == 1) return mo_fail(MOPD_E_ARG, "a limit of 1 token has no room for start and end");
    mopd_status st = add_start(t, text, n_bytes, tokens);
    if (st == MOPD_OK) {
        const size_t n_ids = tokens->n + (needs_end(t, tokens, n) ? 1 : 0) - n;
        const bool fits = !limit || n_ids <= limit;
        if (!fits && !truncate) st = too_long(t, text, n_bytes, n_ids, limit);
        if (!fits) tokens->n = n + limit - 1;
    }
    if (st != MOPD_OK)
        tokens->n = n;
    else if (needs_end(t, tokens, n))
        tokens->id[tokens->n++] = t->end;
    return st;
}

void mo_tokenizer_set_cleaning(mo_tokenizer *t, mo_cleaning cleaning)
{
    t->cleaning = cleaning;
}

mo_cleaning mo_tokenizer_cleaning(const mo_tokenizer *t)
{
    return t->cleaning;
}

mo_cleaning mo_tokenizer_cleaned(const mo_tokenizer *t)
{
    if (t->pieces.kind == MO_PIECES_NONE) return MO_CLEANING_OPENAI;
    return mo_tokenizer_has_start(t) ? MO_CLEANING_HF_IN_OPEN_CLIP : MO_CLEANING_CANONICAL_IN_OPEN_CLIP;
}

static const char *const cleanings[] = {"transformers", "openai", "open_clip", "huggingface in open_clip",
    "apostrophes", "lower in open_clip", "canonicalize in open_clip"};
#define N_CLEANINGS (sizeof cleanings / sizeof *cleanings)

const char *mo_tokenizer_cleaning_name(mo_cleaning cleaning)
{
    return cleanings[cleaning];
}

bool mo_tokenizer_cleaning_find(mo_cleaning *out, const char *name)
{
    for (size_t i = 0; i < N_CLEANINGS; i++) {
        if (strcmp(name, cleanings[i]) != 0) continue;
        *out = (mo_cleaning)i;
        return true;
    }
    return false;
}

void mo_tokenizer_free(mo_tokenizer *t)
{
    mo_mem_free(t);
}
uint32_t mo_tokenizer_start(const mo_tokenizer *t)
{
    return t->start;
}
bool mo_tokenizer_has_start(const mo_tokenizer *t)
{
    return t->start != MO_TOKEN_NONE;
}
uint32_t mo_tokenizer_end(const mo_tokenizer *t)
{
    return t->end;
}
uint32_t mo_tokenizer_pad(const mo_tokenizer *t)
{
    return t->pad;
}
size_t mo_tokenizer_n_ids(const mo_tokenizer *t)
{
    return t->n_ids;
}

const char *mo_tokenizer_token(const mo_tokenizer *t, uint32_t id, size_t *n_bytes)
{
    *n_bytes = id < t->n_ids ? t->token[id + 1] - t->token[id] : 0;
    return *n_bytes ? t->text + t->token[id] : NULL;
}
