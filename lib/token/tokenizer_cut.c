/* SPDX-License-Identifier: MIT
 * tokenizer_cut.c - where a text is cut at added tokens, and runs of characters of one class. */
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_table.h"

size_t mo_tokenizer_run(const char *p, size_t n, mo_uclass class)
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

int mo_tokenizer_by_bytes(const void *a, const void *b)
{
    const mo_word *x = a, *y = b;
    const int order = memcmp(x->text, y->text, mo_min(x->n_bytes, y->n_bytes));
    return order ? order : x->n_bytes < y->n_bytes ? -1 : x->n_bytes > y->n_bytes;
}

/* The same, of equal ones the first added first. */
static int by_pattern(const void *a, const void *b)
{
    const int order = mo_tokenizer_by_bytes(a, b);
    const uint32_t x = ((const mo_word *)a)->id, y = ((const mo_word *)b)->id;
    return order ? order : (x > y) - (x < y);
}

/* word: the patterns of a kind, 0 or 1. */
static void sort_kind(mo_tokenizer *t, mo_word *word, size_t kind)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_added; i++) {
        const mo_added *a = t->added + i;
        if ((a->flags & MO_ADDED_NORMALIZED ? 1 : 0) != kind) continue;
        word[n++] = (mo_word){t->text + a->at, a->n_bytes, (uint32_t)i};
        t->starts[kind][(unsigned char)t->text[a->at]] = true;
    }
    if (n) qsort(word, n, sizeof *word, by_pattern);
    for (size_t i = 0; i < n; i++) t->pattern[kind][i] = word[i].id;
    t->n_pattern[kind] = n;
}

mopd_status mo_tokenizer_sort_added(mo_tokenizer *t)
{
    mo_word *word = mo_mem_alloc(t->n_added, sizeof *word);
    if (!word) return MOPD_E_NOMEM;
    sort_kind(t, word, 0);
    t->pattern[1] = t->pattern[0] + t->n_pattern[0];
    sort_kind(t, word, 1);
    mo_mem_free(word);
    return MOPD_OK;
}

static inline const char *pattern_text(const mo_tokenizer *t, const uint32_t *order, size_t place, size_t *n)
{
    const mo_added *a = t->added + order[place];
    *n = a->n_bytes;
    return t->text + a->at;
}

/* The longest pattern of a kind, 0 or 1, at p; NULL when none is there. */
static const mo_added *pattern_at(const mo_tokenizer *t, const char *p, size_t n, size_t kind)
{
    const mo_added *best = NULL;
    const uint32_t *order = t->pattern[kind];
    size_t from = 0, to = t->n_pattern[kind];
    for (size_t i = 0; i < n; i++) {
        const unsigned c = (unsigned char)p[i];
        from = mo_tokenizer_bound(t, pattern_text, order, i, c, from, to);
        to = mo_tokenizer_bound(t, pattern_text, order, i, c + 1, from, to);
        if (from == to) break;
        if (t->added[order[from]].n_bytes == i + 1) best = t->added + order[from];
    }
    return best;
}

size_t mo_tokenizer_space_before(const char *text, size_t n)
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

bool mo_tokenizer_cut_next(
    const mo_tokenizer *t, const char *text, size_t n, uint32_t kind, mo_tokenizer_cut *cut)
{
    const size_t which = kind ? 1 : 0;
    const bool *starts = t->starts[which];
    if (!t->n_pattern[which]) return false;
    for (size_t at = cut->at; at < n; at++) {
        const mo_added *a = starts[(unsigned char)text[at]] ? pattern_at(t, text + at, n - at, which) : NULL;
        if (!a) continue;
        *cut = (mo_tokenizer_cut){at + a->n_bytes, at, at + a->n_bytes, a->id};
        if (a->flags & MO_ADDED_LSTRIP) cut->from = mo_tokenizer_space_before(text, at);
        if (a->flags & MO_ADDED_RSTRIP) cut->to += mo_tokenizer_run(text + cut->to, n - cut->to, MO_U_SPACE);
        return true;
    }
    return false;
}
