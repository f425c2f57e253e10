/* SPDX-License-Identifier: MIT
 * pieces_pairs.c - a word to characters and bytes, and these joined by the merges: SentencePiece's BPE as the
 * tokenizers library runs it.
 *
 * A character that is no token becomes the tokens of its bytes, where all of them exist, else the unknown token: one
 * for several in a row, where the file asks for that.  As there, an unknown token is written before the next
 * character that is one, not before bytes. */
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_table.h"

/* The ids of a word before merging. */
typedef struct symbols {
    const mo_tokenizer *t;
    uint32_t *id;
    size_t n;
    bool unknown; /* one waits to be written */
} symbols;

static mopd_status work_room(mo_pieces_scratch *s, size_t n)
{
    size_t need;
    if (n > MO_TOKEN_NONE / 16 || !mo_mul(n, MO_TOKENIZER_WORK, &need))
        return mo_fail(MOPD_E_UNSUPPORTED, "a word of %zu bytes", n);
    if (need <= s->n_work) return MOPD_OK;
    uint32_t *work = mo_mem_realloc(s->work, mo_max(need, 1024), sizeof *work);
    if (!work) return MOPD_E_NOMEM;
    s->work = work;
    s->n_work = mo_max(need, 1024);
    return MOPD_OK;
}

static void end_unknown(symbols *s)
{
    if (s->unknown) s->id[s->n++] = s->t->unknown;
    s->unknown = false;
}

static bool add_bytes(symbols *s, const char *text, size_t n)
{
    const mo_pieces *p = &s->t->pieces;
    bool all = p->flags & MO_PIECES_BYTES;
    for (size_t i = 0; i < n && all; i++) all = p->byte[(unsigned char)text[i]] != MO_TOKEN_NONE;
    for (size_t i = 0; i < n && all; i++) s->id[s->n++] = p->byte[(unsigned char)text[i]];
    return all;
}

static mopd_status add_character(symbols *s, const char *text, size_t n)
{
    const uint32_t id = mo_pieces_find(s->t, text, n);
    if (id != MO_TOKEN_NONE) {
        end_unknown(s);
        s->id[s->n++] = id;
        return MOPD_OK;
    }
    if (add_bytes(s, text, n)) return MOPD_OK;
    if (s->t->unknown == MO_TOKEN_NONE)
        return mo_fail(MOPD_E_FORMAT, "no token for \"%.*s\" and no unknown token", (int)n, text);
    if (!(s->t->pieces.flags & MO_PIECES_FUSE)) end_unknown(s);
    s->unknown = true;
    return MOPD_OK;
}

mopd_status mo_pieces_pairs(
    const mo_tokenizer *t, const char *word, size_t n, mo_pieces_scratch *s, mo_tokens *tokens)
{
    mopd_status st = work_room(s, n);
    symbols x = {t, s->work, 0, false};
    const uint32_t whole = t->pieces.flags & MO_PIECES_WHOLE ? mo_pieces_find(t, word, n) : MO_TOKEN_NONE;
    for (size_t at = 0, next = 0; at < n && st == MOPD_OK && whole == MO_TOKEN_NONE; at = next) {
        if (mo_utf8_next(word, n, &next) < 0) return mo_fail(MOPD_E_INTERNAL, "a word is not UTF-8");
        st = add_character(&x, word + at, next - at);
    }
    if (st != MOPD_OK || !n) return st;
    end_unknown(&x);
    if (whole != MO_TOKEN_NONE) x.id[x.n++] = whole;
    const size_t n_ids = mo_tokenizer_join(t, x.id, x.n);
    if ((st = mo_tokenizer_room(tokens, n_ids)) != MOPD_OK) return st;
    memcpy(tokens->id + tokens->n, x.id, n_ids * sizeof *x.id);
    tokens->n += n_ids;
    return MOPD_OK;
}
