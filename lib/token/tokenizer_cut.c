/* SPDX-License-Identifier: MIT
 * tokenizer_cut.c - where a text is cut at added tokens, and runs of characters of one class. */
#include <string.h>

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
    const bool *starts = t->starts[kind ? 1 : 0];
    if (!t->any[kind ? 1 : 0]) return false;
    for (size_t at = cut->at; at < n; at++) {
        const mo_added *a = starts[(unsigned char)text[at]] ? pattern_at(t, text + at, n - at, kind) : NULL;
        if (!a) continue;
        *cut = (mo_tokenizer_cut){at + a->n_bytes, at, at + a->n_bytes, a->id};
        if (a->flags & MO_ADDED_LSTRIP) cut->from = mo_tokenizer_space_before(text, at);
        if (a->flags & MO_ADDED_RSTRIP) cut->to += mo_tokenizer_run(text + cut->to, n - cut->to, MO_U_SPACE);
        return true;
    }
    return false;
}
