/* SPDX-License-Identifier: MIT
 * fold.c - class names as a model reads them.
 *
 * "Cup" and "cup", "ice_cream" and "ice  cream", NFC and NFD, "A320" and "A 320" are the same tokens: text goes
 * through NFC and lower case and is cut into runs of letters, single digits and runs of other characters, and what
 * blanks stood between them is forgotten. */
#include "token/fold.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/utf8.h"

static mopd_status add_character(mo_buf *out, uint32_t cp)
{
    uint32_t low[2];
    char bytes[8];
    size_t n = 0;
    for (size_t k = 0, n_low = mo_unicode_lower(cp, low); k < n_low; k++) n += mo_utf8_put(low[k], bytes + n);
    return mo_buf_add(out, bytes, n);
}

static mopd_status fold_words(const mo_unicode_cps *cps, mo_buf *out)
{
    mo_uclass before = MO_U_SPACE;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < cps->n && st == MOPD_OK; i++) {
        uint32_t cp = cps->cp[i];
        mo_uclass class = cp == '_' ? MO_U_SPACE : mo_unicode_class(cp);
        bool ends = before != MO_U_SPACE && (class != before || class == MO_U_NUMBER);
        if (ends) st = mo_buf_add(out, "", 1);
        if (st == MOPD_OK && class != MO_U_SPACE) st = add_character(out, cp);
        before = class;
    }
    return st == MOPD_OK && before != MO_U_SPACE ? mo_buf_add(out, "", 1) : st;
}

mopd_status mo_fold_name(const char *name, mo_unicode_cps *cps, mo_buf *out)
{
    size_t n = strlen(name);
    if (!mo_utf8_valid(name, n)) return mo_buf_add(out, name, n + 1);
    mopd_status st = mo_unicode_nfc(name, n, cps);
    return st == MOPD_OK ? fold_words(cps, out) : st;
}

/* The words of all names in one text: those of name i are text[at[i]] .. text[at[i + 1]]. */
typedef struct folded {
    mo_buf text;
    size_t *at; /* n + 1 */
} folded;

static mopd_status fold_all(folded *f, const char *const *names, size_t n)
{
    mo_unicode_cps cps = {0};
    mopd_status st = MOPD_OK;
    *f = (folded){.at = mo_mem_alloc(n + 1, sizeof *f->at)};
    if (!f->at) return MOPD_E_NOMEM;
    st = mo_buf_add(&f->text, "", 1); /* so that there is a text, also of names without a word */
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        f->at[i] = f->text.size;
        st = mo_stop_check(MO_STOP_ENTRY);
        if (st == MOPD_OK) st = mo_fold_name(names[i], &cps, &f->text);
    }
    f->at[n] = f->text.size;
    mo_mem_free(cps.cp);
    return st;
}

/* Whether name a of f and name b of g have the same words. */
static bool are_same(const folded *f, size_t a, const folded *g, size_t b)
{
    size_t n = f->at[a + 1] - f->at[a];
    return n == g->at[b + 1] - g->at[b] && !memcmp(f->text.data + f->at[a], g->text.data + g->at[b], n);
}

/* Names of a list by their words: name + 1 in each slot, 0 for a free one, open addressing. */
typedef struct table {
    size_t *slot, mask;
    mo_hash_key key;
} table;

static mopd_status table_open(table *t, size_t n)
{
    size_t slots = 16;
    while (slots / 2 < n) slots *= 2;
    *t = (table){mo_mem_calloc(slots, sizeof *t->slot), slots - 1, mo_hash_key_get()};
    return t->slot ? MOPD_OK : MOPD_E_NOMEM;
}

/* The slot of the first name of f with the words of name i of g, or the free one where it would go. */
static size_t *table_slot(const table *t, const folded *f, const folded *g, size_t i)
{
    size_t k = (size_t)mo_hash_keyed(&t->key, g->text.data + g->at[i], g->at[i + 1] - g->at[i]) & t->mask;
    while (t->slot[k] && !are_same(f, t->slot[k] - 1, g, i)) k = (k + 1) & t->mask;
    return t->slot + k;
}

static void find_same(table *t, const folded *f, size_t n, size_t same[2])
{
    for (size_t i = 0; i < n; i++) {
        size_t *slot = table_slot(t, f, f, i);
        if (*slot) {
            same[0] = *slot - 1;
            same[1] = i;
            return;
        }
        *slot = i + 1;
    }
}

mopd_status mo_fold_find(const char *const *names, size_t n, size_t same[2])
{
    folded f = {0};
    table t;
    same[0] = same[1] = n;
    mopd_status st = table_open(&t, n);
    if (st == MOPD_OK) st = fold_all(&f, names, n);
    if (st == MOPD_OK) find_same(&t, &f, n, same);
    mo_mem_free(f.at);
    mo_buf_free(&f.text);
    mo_mem_free(t.slot);
    return st;
}

mopd_status mo_fold_among(
    const char *const *names, size_t n, const char *const *list, size_t n_list, bool *among)
{
    folded f = {0}, g = {0};
    table t;
    mopd_status st = table_open(&t, n_list);
    if (st == MOPD_OK) st = fold_all(&f, names, n);
    if (st == MOPD_OK) st = fold_all(&g, list, n_list);
    for (size_t k = 0; k < n_list && st == MOPD_OK; k++) *table_slot(&t, &g, &g, k) = k + 1;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) among[i] = *table_slot(&t, &g, &f, i) != 0;
    mo_mem_free(t.slot);
    mo_mem_free(f.at);
    mo_mem_free(g.at);
    mo_buf_free(&f.text);
    mo_buf_free(&g.text);
    return st;
}
