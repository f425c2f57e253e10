/* SPDX-License-Identifier: MIT
 * pieces_unigram.c - a word to the pieces whose scores have the largest sum: the unigram model of Kudo, "Subword
 * Regularization", 2018, and its unknown rule.
 *
 *     best[0] = 0,   best[j] = max over pieces w[i..j) of best[i] + score
 *
 * by places from the left; of equal sums the one found first stays.  A character that is no piece by itself may be
 * unknown, at the lowest score less ten.  Unknown characters in a row are one token: the piece of that text, if the
 * vocabulary has it, else its bytes, where there are such tokens, else the unknown token. */
#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_table.h"

static mopd_status node_room(mo_pieces_scratch *s, size_t n)
{
    if (n > SIZE_MAX / sizeof *s->node - 1) return mo_fail(MOPD_E_UNSUPPORTED, "a word of %zu bytes", n);
    if (n + 1 > s->n_node) {
        const size_t cap = mo_max(n + 1, 256);
        mo_pieces_node *node = mo_mem_realloc(s->node, cap, sizeof *node);
        if (!node) return MOPD_E_NOMEM;
        s->node = node;
        s->n_node = cap;
    }
    for (size_t i = 0; i <= n; i++) s->node[i].reached = false;
    s->node[0] = (mo_pieces_node){.reached = true};
    return MOPD_OK;
}

/* A way to `to` over a piece that begins at `from`. */
static void reach(
    const mo_tokenizer *t, mo_pieces_node *node, size_t from, size_t to, uint32_t id, double score)
{
    const bool floats = t->pieces.flags & MO_PIECES_FLOATS;
    const double sum = floats ? (double)((float)score + (float)node[from].score) : score + node[from].score;
    if (node[to].reached && !(sum > node[to].score)) return;
    node[to] = (mo_pieces_node){sum, from, id, true};
}

/* All pieces that begin at `from`; whether one of them is its first character alone. */
static bool reach_pieces(
    const mo_tokenizer *t, mo_pieces_node *node, const char *word, size_t n, size_t from, size_t n_char)
{
    const mo_pieces *p = &t->pieces;
    size_t low = 0, high = p->n_order;
    bool alone = false;
    for (size_t k = 0; from + k < n; k++) {
        if (!mo_pieces_narrow(t, k, (unsigned char)word[from + k], &low, &high)) break;
        const uint32_t id = p->order[low];
        if (t->token[id + 1] - t->token[id] != k + 1 || isinf(p->score[id])) continue;
        reach(t, node, from, from + k + 1, id, p->score[id]);
        alone = alone || k + 1 == n_char;
    }
    return alone;
}

static mopd_status find_best(const mo_tokenizer *t, const char *word, size_t n, mo_pieces_scratch *s)
{
    mopd_status st = node_room(s, n);
    for (size_t from = 0, next; from < n && st == MOPD_OK; from = next) {
        next = from;
        if (mo_utf8_next(word, n, &next) < 0) return mo_fail(MOPD_E_INTERNAL, "a word is not UTF-8");
        if (reach_pieces(t, s->node, word, n, from, next - from)) continue;
        if (t->unknown == MO_TOKEN_NONE)
            return mo_fail(
                MOPD_E_FORMAT, "no piece for \"%.*s\" and no unknown token", (int)(next - from), word + from);
        reach(t, s->node, from, next, t->unknown, t->pieces.unknown_score);
    }
    return st;
}

static mopd_status push(mo_tokens *tokens, uint32_t id)
{
    mopd_status st = mo_tokenizer_room(tokens, 1);
    if (st == MOPD_OK) tokens->id[tokens->n++] = id;
    return st;
}

/* The bytes of a text, last to first as all ids here; false where one has no token. */
static bool push_bytes(const mo_tokenizer *t, const char *text, size_t n, mo_tokens *tokens, mopd_status *st)
{
    const uint32_t *byte = t->pieces.byte;
    for (size_t i = 0; i < n; i++)
        if (byte[(unsigned char)text[i]] == MO_TOKEN_NONE) return false;
    for (size_t i = n; i-- > 0 && *st == MOPD_OK;) *st = push(tokens, byte[(unsigned char)text[i]]);
    return true;
}

static mopd_status push_unknown(const mo_tokenizer *t, const char *text, size_t n, mo_tokens *tokens)
{
    mopd_status st = MOPD_OK;
    const uint32_t id = mo_pieces_find(t, text, n);
    if (id != MO_TOKEN_NONE) return push(tokens, id);
    if (t->pieces.flags & MO_PIECES_BYTES && push_bytes(t, text, n, tokens, &st)) return st;
    return push(tokens, t->unknown);
}

static void turn(uint32_t *id, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        const uint32_t x = id[i];
        id[i] = id[--n];
        id[n] = x;
    }
}

mopd_status mo_pieces_unigram(
    const mo_tokenizer *t, const char *word, size_t n, mo_pieces_scratch *s, mo_tokens *tokens)
{
    const size_t first = tokens->n;
    mopd_status st = find_best(t, word, n, s);
    for (size_t end = n, from; end && st == MOPD_OK; end = from) {
        const uint32_t id = s->node[end].id;
        from = s->node[end].from;
        while (id == t->unknown && from && s->node[from].id == t->unknown) from = s->node[from].from;
        st = id == t->unknown ? push_unknown(t, word + from, end - from, tokens) : push(tokens, id);
    }
    if (st == MOPD_OK) turn(tokens->id + first, tokens->n - first);
    return st;
}
