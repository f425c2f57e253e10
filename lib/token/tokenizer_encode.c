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
} scratch;

static void scratch_close(scratch *s)
{
    mo_mem_free(s->cps.cp);
    mo_buf_free(&s->norm);
    mo_buf_free(&s->clean);
    mo_mem_free(s->work);
}

static mopd_status tokens_room(mo_tokens *tokens, size_t n)
{
    size_t need;
    if (!mo_add(tokens->n, n, &need))
        return mo_fail(MOPD_E_NOMEM, "out of memory: %zu + %zu ids", tokens->n, n);
    if (need <= tokens->cap) return MOPD_OK;
    size_t cap = tokens->cap < 64 ? 128 : tokens->cap + tokens->cap / 2;
    if (cap < need) cap = need;
    uint32_t *id = mo_mem_realloc(tokens->id, cap, sizeof *id);
    if (!id) return MOPD_E_NOMEM;
    tokens->id = id;
    tokens->cap = cap;
    return MOPD_OK;
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

/* Pairs of a short word: ids in work[0 .. n), ranks of the pairs behind; the lowest rank is sought
 * anew each time. */
static size_t merge_short(const mo_tokenizer *t, uint32_t *id, size_t n)
{
    uint32_t *rank = id + n;
    for (size_t i = 0; i + 1 < n; i++) rank[i] = mo_tokenizer_merge(t, id[i], id[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best]) best = i;
        if (rank[best] == MO_TOKEN_NONE) break;
        id[best] = t->merge[rank[best]].joined;
        n--;
        memmove(id + best + 1, id + best + 2, (n - best - 1) * sizeof *id);
        if (best + 1 < n) memmove(rank + best, rank + best + 1, (n - best - 1) * sizeof *rank);
        if (best) rank[best - 1] = mo_tokenizer_merge(t, id[best - 1], id[best]);
        if (best + 1 < n) rank[best] = mo_tokenizer_merge(t, id[best], id[best + 1]);
    }
    return n;
}

/* A heap of (rank, place), smallest first. */
typedef struct heap {
    uint32_t *item; /* 2 numbers each */
    size_t n;
} heap;

static bool item_less(const uint32_t *a, const uint32_t *b)
{
    return a[0] != b[0] ? a[0] < b[0] : a[1] < b[1];
}

static void item_swap(uint32_t *a, uint32_t *b)
{
    for (int k = 0; k < 2; k++) {
        uint32_t x = a[k];
        a[k] = b[k];
        b[k] = x;
    }
}

static void heap_push(heap *h, uint32_t rank, uint32_t place)
{
    if (rank == MO_TOKEN_NONE) return;
    size_t i = h->n++;
    h->item[2 * i] = rank;
    h->item[2 * i + 1] = place;
    for (; i && item_less(h->item + 2 * i, h->item + (i - 1) / 2 * 2); i = (i - 1) / 2)
        item_swap(h->item + 2 * i, h->item + (i - 1) / 2 * 2);
}

static void heap_pop(heap *h)
{
    h->n--;
    h->item[0] = h->item[2 * h->n];
    h->item[1] = h->item[2 * h->n + 1];
    for (size_t i = 0, child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && item_less(h->item + 2 * child + 2, h->item + 2 * child)) child++;
        if (!item_less(h->item + 2 * child, h->item + 2 * i)) break;
        item_swap(h->item + 2 * i, h->item + 2 * child);
    }
}

/* The same for any length in n log n: a linked list of ids, pairs in a heap, outdated ones skipped when they
 * come up. work: id n, next n, before n, heap 2 x 3n. */
static size_t merge_long(const mo_tokenizer *t, uint32_t *id, size_t n)
{
    uint32_t *next = id + n, *before = id + 2 * n, end = (uint32_t)n;
    heap h = {id + 3 * n, 0};
    for (uint32_t i = 0; i < end; i++) {
        next[i] = i + 1;
        before[i] = i ? i - 1 : end;
        if (i + 1 < end) heap_push(&h, mo_tokenizer_merge(t, id[i], id[i + 1]), i);
    }
    while (h.n) {
        uint32_t rank = h.item[0], i = h.item[1], j = next[i];
        heap_pop(&h);
        const mo_merge *m = t->merge + rank;
        if (id[i] != m->left || j >= end || id[j] != m->right) continue; /* a swallowed id is NONE */
        id[i] = m->joined;
        id[j] = MO_TOKEN_NONE;
        next[i] = next[j];
        if (next[i] < end) {
            before[next[i]] = i;
            heap_push(&h, mo_tokenizer_merge(t, id[i], id[next[i]]), i);
        }
        if (before[i] < end) heap_push(&h, mo_tokenizer_merge(t, id[before[i]], id[i]), before[i]);
    }
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (id[i] != MO_TOKEN_NONE) id[left++] = id[i];
    return left;
}

static mopd_status add_word(const mo_tokenizer *t, const char *word, size_t n, scratch *s, mo_tokens *tokens)
{
    size_t need;
    if (n > MO_TOKEN_NONE / 16 || !mo_mul(n, 9, &need))
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
    if (n > 1) n_ids = n <= 32 ? merge_short(t, s->work, n) : merge_long(t, s->work, n);
    mopd_status st = tokens_room(tokens, n_ids);
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

/* Bytes of the run of characters of `class` that starts at p. */
static size_t run_of(const char *p, size_t n, mo_uclass class)
{
    size_t at = 0;
    while (at < n) {
        size_t after = at;
        int32_t cp = mo_utf8_next(p, n, &after);
        if (cp < 0 || mo_unicode_class((uint32_t)cp) != class) break;
        at = after;
    }
    return at;
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
        if (!step) step = class == MO_U_NUMBER ? after : run_of(word, left, class);
        st = add_word(t, word, step, s, tokens);
    }
    return st;
}

/* The longest pattern of the kind at p; NULL when none is there. */
static const mo_added *pattern_at(const mo_tokenizer *t, const char *p, size_t n, uint32_t kind)
{
    const mo_added *best = NULL;
    for (size_t i = 0; i < t->n_added; i++) {
        const mo_added *a = t->added + i;
        if ((a->flags & MO_ADDED_NORMALIZED) != kind || a->n_bytes > n) continue;
        if (best && a->n_bytes <= best->n_bytes) continue;
        if (!memcmp(p, t->text + a->at, a->n_bytes)) best = a;
    }
    return best;
}

/* Where the white space that ends text[0 .. n) begins. */
static size_t space_before(const char *text, size_t n)
{
    while (n) {
        size_t at = n - 1;
        while (at && ((unsigned char)text[at] & 0xc0) == 0x80) at--;
        size_t after = at;
        int32_t cp = mo_utf8_next(text, n, &after);
        if (cp < 0 || mo_unicode_class((uint32_t)cp) != MO_U_SPACE) break;
        n = at;
    }
    return n;
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

/* Cuts text at the leftmost longest added tokens of a kind (0: raw, NORMALIZED). */
static mopd_status add_text(
    const mo_tokenizer *t, const char *text, size_t n, uint32_t kind, scratch *s, mo_tokens *tokens)
{
    const bool *starts = t->starts[kind ? 1 : 0];
    size_t done = 0; /* text before it is dealt with */
    mopd_status st = MOPD_OK;
    if (!t->any[kind ? 1 : 0]) return add_between(t, text, n, kind, s, tokens);
    for (size_t at = 0; at < n;) {
        const mo_added *a = starts[(unsigned char)text[at]] ? pattern_at(t, text + at, n - at, kind) : NULL;
        if (!a) {
            at++;
            continue;
        }
        size_t from = at, to = at + a->n_bytes;
        at = to;
        if (a->flags & MO_ADDED_LSTRIP) from = space_before(text, from);
        if (a->flags & MO_ADDED_RSTRIP) to += run_of(text + to, n - to, MO_U_SPACE);
        if (from > done) st = add_between(t, text + done, from - done, kind, s, tokens);
        if (st == MOPD_OK) st = tokens_room(tokens, 1);
        if (st != MOPD_OK) return st;
        tokens->id[tokens->n++] = a->id;
        done = to;
    }
    return done < n ? add_between(t, text + done, n - done, kind, s, tokens) : MOPD_OK;
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
    const size_t run = run_of(p, n, class);
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
            if ((st = tokens_room(tokens, 1)) == MOPD_OK) tokens->id[tokens->n++] = id;
            continue;
        }
        step = contraction(word, left);
        if (!step) step = long_s(word, left);
        if (!step) step = class == MO_U_NUMBER ? after : cleaned_run(word, left, class);
        st = add_word(t, word, step, s, tokens);
    }
    return st;
}

/* The text as its tokenizer's users get it. */
static mopd_status add_any(const mo_tokenizer *t, const char *text, size_t n, scratch *s, mo_tokens *tokens)
{
    const mo_cleaning c = t->cleaning;
    mopd_status st = MOPD_OK;
    const bool curly = c == MO_CLEANING_APOSTROPHES && (memchr(text, 0xe2, n) || memchr(text, 0xca, n));
    if (c == MO_CLEANING_TRANSFORMERS || (c == MO_CLEANING_APOSTROPHES && !curly))
        return add_text(t, text, n, 0, s, tokens);
    if (c == MO_CLEANING_APOSTROPHES)
        st = mo_clean_apostrophes(&s->clean, text, n);
    else
        st = mo_clean_text(&s->clean, text, n, c != MO_CLEANING_HF_IN_OPEN_CLIP);
    if (st != MOPD_OK) return st;
    if (c == MO_CLEANING_OPENAI || c == MO_CLEANING_OPEN_CLIP)
        return add_cleaned(t, s->clean.data, s->clean.size, s, tokens);
    return add_text(t, s->clean.data, s->clean.size, 0, s, tokens);
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

mopd_status mo_tokenizer_encode(
    const mo_tokenizer *t, const char *text, size_t n_bytes, size_t limit, bool truncate, mo_tokens *tokens)
{
    size_t n = tokens->n;
    if (limit == 1) return mo_fail(MOPD_E_ARG, "a limit of 1 token has no room for start and end");
    mopd_status st = tokens_room(tokens, 2);
    if (st != MOPD_OK) return st;
    tokens->id[tokens->n++] = t->start;
    if ((st = mo_tokenizer_raw(t, text, n_bytes, tokens)) != MOPD_OK ||
        (st = tokens_room(tokens, 1)) != MOPD_OK) {
        tokens->n = n;
        return st;
    }
    size_t n_ids = tokens->n + 1 - n;
    if (limit && n_ids > limit) {
        tokens->n = n + limit - 1;
        if (!truncate) {
            tokens->n = n;
            size_t shown = 0;
            while (shown < n_bytes && shown < 60) {
                size_t after = shown;
                mo_utf8_next(text, n_bytes, &after);
                if (after > 60) break;
                shown = after;
            }
            return mo_fail(MOPD_E_ARG,
                "the text is %zu tokens long with start and end, the limit is %zu: \"%.*s\"%s", n_ids, limit,
                (int)shown, text, shown < n_bytes ? "..." : "");
        }
    }
    tokens->id[tokens->n++] = t->end;
    return MOPD_OK;
}

void mo_tokenizer_set_cleaning(mo_tokenizer *t, mo_cleaning cleaning)
{
    t->cleaning = cleaning;
}

mo_cleaning mo_tokenizer_cleaning(const mo_tokenizer *t)
{
    return t->cleaning;
}

static const char *const cleanings[] = {
    "transformers", "openai", "open_clip", "huggingface in open_clip", "apostrophes"};
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
