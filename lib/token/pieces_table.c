/* SPDX-License-Identifier: MIT
 * pieces_table.c - the block of a tokenizer of SentencePiece's kind: put together, checked, and its order of pieces. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/utf8.h"
#include "token/tokenizer_table.h"

#define FORMAT 1
#define HEADER 24
#define PENALTY 10.0 /* of a character that no piece covers, below the lowest score */

enum {
    H_MAGIC,
    H_FORMAT,
    H_BYTES,
    H_IDS,
    H_MERGES,
    H_ADDED,
    H_TEXT,
    H_START,
    H_END,
    H_PAD,
    H_UNKNOWN,
    H_KIND,
    H_FLAGS,
    H_SCORES,
    H_ORDER,
    H_STEPS,
    H_MAP,
    H_KNOWN
};

/* ---- found by text ---- */

static inline const char *text_of(const mo_tokenizer *t, const uint32_t *order, size_t place, size_t *n)
{
    const uint32_t id = order[place];
    *n = t->token[id + 1] - t->token[id];
    return t->text + t->token[id];
}

bool mo_pieces_narrow(const mo_tokenizer *t, size_t depth, unsigned char c, size_t *from, size_t *to)
{
    if (!depth) {
        *from = t->pieces.first[c];
        *to = t->pieces.first[c + 1];
    } else {
        *from = mo_tokenizer_bound(t, text_of, t->pieces.order, depth, c, *from, *to);
        *to = mo_tokenizer_bound(t, text_of, t->pieces.order, depth, c + 1u, *from, *to);
    }
    return *from < *to;
}

uint32_t mo_pieces_find(const mo_tokenizer *t, const char *text, size_t n)
{
    size_t from = 0, to = t->pieces.n_order, n_first;
    for (size_t i = 0; i < n; i++)
        if (!mo_pieces_narrow(t, i, (unsigned char)text[i], &from, &to)) return MO_TOKEN_NONE;
    if (!n) return MO_TOKEN_NONE;
    text_of(t, t->pieces.order, from, &n_first);
    return n_first == n ? t->pieces.order[from] : MO_TOKEN_NONE;
}

/* ---- put together ---- */

static bool is_character(const mo_word *w)
{
    size_t at = 0;
    return w->n_bytes <= 4 && mo_utf8_next(w->text, w->n_bytes, &at) >= 0 && at == w->n_bytes;
}

/* "<0xAB>". */
static bool is_byte(const mo_word *w)
{
    return w->n_bytes == 6 && !memcmp(w->text, "<0x", 3) && w->text[5] == '>';
}

/* Pairs look up characters and bytes alone, unless whole words may be pieces. */
static bool is_ordered(const mo_pieces_parts *parts, const mo_word *w)
{
    if (!w->n_bytes) return false;
    return parts->kind == MO_PIECES_UNIGRAM || parts->flags & MO_PIECES_WHOLE || is_character(w) ||
           is_byte(w);
}

/* order[]; how many. */
static mopd_status add_order(mo_buf *buf, const mo_pieces_parts *parts, size_t *n_order)
{
    const mo_tokenizer_vocab *model = parts->tokens->model;
    mo_word *word = mo_mem_alloc(model->n + 1, sizeof *word);
    mopd_status st = word ? MOPD_OK : MOPD_E_NOMEM;
    *n_order = 0;
    for (size_t i = 0; i < model->n && word; i++)
        if (is_ordered(parts, model->word + i)) word[(*n_order)++] = model->word[i];
    if (st == MOPD_OK && *n_order) qsort(word, *n_order, sizeof *word, mo_tokenizer_by_bytes);
    for (size_t i = 0; i < *n_order && st == MOPD_OK; i++)
        if ((st = mo_stop_check(MO_STOP_ENTRY)) == MOPD_OK)
            st = mo_buf_add(buf, &word[i].id, sizeof word[i].id);
    mo_mem_free(word);
    return st;
}

static mopd_status add_tables(
    mo_buf *buf, const mo_pieces_parts *parts, const char *name, uint32_t head[HEADER])
{
    const mo_tokenizer_parts *tokens = parts->tokens;
    size_t n_left_out = 0, n_order = 0, n_text = 0;
    mopd_status st = mo_buf_add(buf, head, HEADER * sizeof *head);
    if (st == MOPD_OK) st = mo_buf_add(buf, parts->score, parts->n_scores * sizeof *parts->score);
    if (st == MOPD_OK) st = mo_tokenizer_add_merges(buf, tokens, &n_left_out);
    if (st == MOPD_OK) st = add_order(buf, parts, &n_order);
    if (st == MOPD_OK) st = mo_buf_add(buf, parts->step, parts->n_steps * sizeof *parts->step);
    if (st == MOPD_OK) st = mo_tokenizer_add_texts(buf, tokens, head[H_IDS], name, &n_text);
    if (st == MOPD_OK) st = mo_buf_add(buf, parts->map, parts->n_map);
    if (st == MOPD_OK) st = mo_buf_add(buf, "\0\0\0", (4 - parts->n_map % 4) % 4);
    head[H_MERGES] = (uint32_t)(tokens->n_merges - n_left_out);
    head[H_ORDER] = (uint32_t)n_order;
    head[H_TEXT] = (uint32_t)n_text;
    head[H_BYTES] = (uint32_t)buf->size;
    return st;
}

mopd_status mo_pieces_build(mo_tokenizer **out, const mo_pieces_parts *parts, const char *name)
{
    const mo_tokenizer_parts *tokens = parts->tokens;
    const size_t n_ids = mo_tokenizer_count_ids(tokens), most = MO_TOKEN_MAX_IDS;
    mo_buf buf = {0};
    *out = NULL;
    if (n_ids > most || tokens->n_merges > most || tokens->n_added > most || parts->n_map > UINT32_MAX / 8)
        return mo_fail(MOPD_E_FORMAT, "%s: %zu ids, %zu merges, %zu added tokens; at most %zu", name, n_ids,
            tokens->n_merges, tokens->n_added, most);
    uint32_t head[HEADER] = {[H_MAGIC] = MO_PIECES_MAGIC,
        [H_FORMAT] = FORMAT,
        [H_IDS] = (uint32_t)n_ids,
        [H_ADDED] = (uint32_t)tokens->n_added,
        [H_START] = tokens->start,
        [H_END] = tokens->end,
        [H_PAD] = tokens->pad,
        [H_UNKNOWN] = tokens->unknown,
        [H_KIND] = parts->kind,
        [H_FLAGS] = parts->flags,
        [H_SCORES] = (uint32_t)parts->n_scores,
        [H_STEPS] = (uint32_t)parts->n_steps,
        [H_MAP] = (uint32_t)parts->n_map};
    mopd_status st = add_tables(&buf, parts, name, head);
    if (st == MOPD_OK) {
        memcpy(buf.data, head, sizeof head);
        st = mo_pieces_load(out, buf.data, buf.size, name);
    }
    mo_buf_free(&buf);
    return st;
}

/* ---- checked ---- */

/* Bytes of a block with these counts; 0 when one is too large. */
static size_t block_size(const uint32_t *head)
{
    static const int counts[] = {H_IDS, H_MERGES, H_ADDED, H_SCORES, H_ORDER};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (head[counts[i]] > MO_TOKEN_MAX_IDS) return 0;
    if (head[H_STEPS] > MO_PIECES_MOST_STEPS) return 0;
    const uint64_t numbers = HEADER + 2 * (uint64_t)head[H_SCORES] + 3 * (uint64_t)head[H_MERGES] +
                             head[H_ORDER] + head[H_STEPS] + head[H_IDS] + 1 + 4 * (uint64_t)head[H_ADDED];
    const uint64_t n =
        4 * numbers + ((uint64_t)head[H_TEXT] + 3) / 4 * 4 + ((uint64_t)head[H_MAP] + 3) / 4 * 4;
    return n > UINT32_MAX ? 0 : (size_t)n;
}

/* Points into the block behind the struct. */
static void place(mo_tokenizer *t, const uint32_t *p)
{
    mo_pieces *s = &t->pieces;
    t->n_ids = p[H_IDS], t->n_merges = p[H_MERGES], t->n_added = p[H_ADDED], t->n_text = p[H_TEXT];
    t->start = p[H_START], t->end = p[H_END], t->pad = p[H_PAD], t->unknown = p[H_UNKNOWN];
    s->kind = (mo_pieces_kind)p[H_KIND], s->flags = p[H_FLAGS];
    s->n_scores = p[H_SCORES], s->n_order = p[H_ORDER], s->n_steps = p[H_STEPS];
    s->score = (const double *)(const void *)(p + HEADER);
    t->merge = (const mo_merge *)(p + HEADER + 2 * s->n_scores);
    s->order = (const uint32_t *)(t->merge + t->n_merges);
    s->step = s->order + s->n_order;
    t->token = s->step + s->n_steps;
    t->added = (const mo_added *)(t->token + t->n_ids + 1);
    t->text = (const char *)(t->added + t->n_added);
}

static bool is_id(uint32_t id, size_t n_ids, bool none_too)
{
    return id < n_ids || (none_too && id == MO_TOKEN_NONE);
}

static mopd_status check_head(const mo_tokenizer *t, const char *name)
{
    const mo_pieces *s = &t->pieces;
    const bool unigram = s->kind == MO_PIECES_UNIGRAM;
    if ((!unigram && s->kind != MO_PIECES_PAIRS) || s->flags & ~MO_PIECES_FLAGS ||
        s->n_scores != (unigram ? t->n_ids : 0) || (s->flags & MO_PIECES_SIGLIP && !unigram))
        return mo_fail(MOPD_E_FORMAT, "%s: a tokenizer of kind %d with flags %u and %zu scores", name,
            (int)s->kind, s->flags, s->n_scores);
    if (!is_id(t->start, t->n_ids, true) || !is_id(t->end, t->n_ids, false) ||
        !is_id(t->pad, t->n_ids, true) || !is_id(t->unknown, t->n_ids, !(s->flags & MO_PIECES_SIGLIP)))
        return mo_fail(MOPD_E_FORMAT, "%s: the id of a special token is beyond %zu", name, t->n_ids);
    for (size_t i = 0; i < s->n_steps; i++)
        if (!s->step[i] || s->step[i] >= MO_PIECES_STEPS)
            return mo_fail(MOPD_E_FORMAT, "%s: step %zu of the normalisation is %u", name, i, s->step[i]);
    return MOPD_OK;
}

/* SiglipTokenizer puts the unknown token's text before each text. */
static mopd_status check_unknown(const mo_tokenizer *t, const char *name)
{
    size_t n = 0;
    if (t->pieces.flags & MO_PIECES_SIGLIP) mo_tokenizer_token(t, t->unknown, &n);
    if (n <= MO_TOKEN_LONGEST) return MOPD_OK;
    return mo_fail(
        MOPD_E_UNSUPPORTED, "%s: the unknown token has %zu bytes, at most %d", name, n, MO_TOKEN_LONGEST);
}

/* Scores are numbers; the lowest of them sets the unknown's. */
static mopd_status check_scores(mo_tokenizer *t, const char *name)
{
    mo_pieces *s = &t->pieces;
    double lowest = INFINITY;
    for (size_t i = 0; i < s->n_scores; i++) {
        if (isnan(s->score[i]) || s->score[i] > 1e30 || (s->score[i] < -1e30 && !isinf(s->score[i])))
            return mo_fail(MOPD_E_FORMAT, "%s: the score of token %zu is %g", name, i, s->score[i]);
        if (!isinf(s->score[i]) && s->score[i] < lowest) lowest = s->score[i];
    }
    if (isinf(lowest)) lowest = 0;
    s->unknown_score =
        s->flags & MO_PIECES_FLOATS ? (double)((float)lowest - (float)PENALTY) : lowest - PENALTY;
    return MOPD_OK;
}

/* Pieces in strict order; where those that begin with each byte are. */
static mopd_status check_order(mo_tokenizer *t, const char *name)
{
    mo_pieces *s = &t->pieces;
    mo_word before = {0};
    unsigned next = 0;
    for (size_t i = 0; i < s->n_order; i++) {
        const uint32_t id = s->order[i];
        if (id >= t->n_ids)
            return mo_fail(MOPD_E_FORMAT, "%s: id %u of %zu in the order", name, id, t->n_ids);
        mo_word word = {t->text + t->token[id], t->token[id + 1] - t->token[id], id};
        if (!word.n_bytes || (i && mo_tokenizer_by_bytes(&before, &word) >= 0) ||
            !mo_utf8_valid(word.text, word.n_bytes))
            return mo_fail(
                MOPD_E_FORMAT, "%s: token %u is out of order, there before, or not UTF-8", name, id);
        if (word.n_bytes > MO_TOKEN_LONGEST)
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: token %u has %zu bytes, at most %d are looked for", name,
                id, word.n_bytes, MO_TOKEN_LONGEST);
        while (next <= (unsigned char)word.text[0]) s->first[next++] = (uint32_t)i;
        before = word;
    }
    while (next <= 256) s->first[next++] = (uint32_t)s->n_order;
    return MOPD_OK;
}

static void find_bytes(mo_tokenizer *t)
{
    static const char digit[] = "0123456789ABCDEF";
    for (unsigned c = 0; c < 256; c++) {
        const char text[] = {'<', '0', 'x', digit[c >> 4], digit[c & 15], '>'};
        t->pieces.byte[c] = mo_pieces_find(t, text, sizeof text);
    }
}

static mopd_status check(mo_tokenizer *t, const char *name)
{
    mopd_status st = check_head(t, name);
    if (st == MOPD_OK) st = mo_tokenizer_check_texts(t, name);
    if (st == MOPD_OK) st = check_unknown(t, name);
    if (st == MOPD_OK) st = check_scores(t, name);
    if (st == MOPD_OK) st = check_order(t, name);
    if (st == MOPD_OK) st = mo_tokenizer_check_added(t, name);
    if (st == MOPD_OK) st = mo_tokenizer_index_merges(t, name);
    if (st != MOPD_OK) return st;
    find_bytes(t);
    return mo_pieces_prefix(t);
}

static mopd_status check_sizes(const void *bytes, size_t n_bytes, const char *name, uint32_t head[HEADER])
{
    if (n_bytes < HEADER * sizeof *head)
        return mo_fail(MOPD_E_FORMAT, "%s: a vocabulary of %zu bytes", name, n_bytes);
    memcpy(head, bytes, HEADER * sizeof *head);
    if (head[H_FORMAT] > FORMAT)
        return mo_fail(
            MOPD_E_VERSION, "%s: vocabulary format %u, known up to %d", name, head[H_FORMAT], FORMAT);
    bool good = head[H_FORMAT] == FORMAT && head[H_BYTES] == n_bytes && block_size(head) == n_bytes;
    for (int i = H_KNOWN; i < HEADER && good; i++) good = !head[i];
    if (good) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "%s: a vocabulary block of %zu bytes says %u and holds %zu", name, n_bytes,
        head[H_BYTES], block_size(head));
}

mopd_status mo_pieces_load(mo_tokenizer **out, const void *bytes, size_t n_bytes, const char *name)
{
    uint32_t head[HEADER];
    *out = NULL;
    mopd_status st = check_sizes(bytes, n_bytes, name, head);
    if (st != MOPD_OK) return st;
    mo_tokenizer *t = mo_tokenizer_of_block(bytes, n_bytes, head[H_MERGES], head[H_ADDED]);
    if (!t) return MOPD_E_NOMEM;
    place(t, t->block);
    const size_t n_map = head[H_MAP], behind = mo_round_up(n_map, 4);
    st = mo_charsmap_open(&t->pieces.map, (const char *)t->block + n_bytes - behind, n_map, name);
    if (st == MOPD_OK) st = check(t, name);
    if (st == MOPD_OK)
        *out = t;
    else
        mo_tokenizer_free(t);
    return st;
}
