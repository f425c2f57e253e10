/* SPDX-License-Identifier: MIT
 * choice.c - a wish, where it came from, and whether it can be granted. */
#include "base/choice.h"

#include <stdlib.h>

#include "base/words.h"

static int32_t wish_of(const mo_choice *c, const char *word)
{
    const int32_t found = mo_words_find(c->words, c->n_words, word);
    return found < 0 ? MO_CHOICE_UNKNOWN : found;
}

static int32_t wish_get(mo_choice *c)
{
    int32_t wish = atomic_load(&c->wish);
    if (wish != MO_CHOICE_UNREAD) return wish;
    const char *word = getenv(c->variable);
    wish = word && *word ? wish_of(c, word) : MO_CHOICE_ANY;
    atomic_store(&c->wish, wish);
    return wish;
}

int32_t mo_choice_get(mo_choice *c)
{
    const int32_t wish = wish_get(c);
    return wish == MO_CHOICE_UNKNOWN ? MO_CHOICE_ANY : wish;
}

static mopd_status need(const mo_choice *c, int32_t wish, const char *word)
{
    if (wish == MO_CHOICE_UNKNOWN) {
        char all[120];
        mo_words_join(c->words, c->n_words, all, sizeof all);
        return mo_fail(MOPD_E_ARG, "%s \"%s\": not one of %s", c->what, word ? word : "", all);
    }
    const char *why = wish < 0 ? NULL : c->lacks(wish);
    return why ? mo_fail(MOPD_E_UNSUPPORTED, "%s %s: %s", c->what, c->words[wish], why) : MOPD_OK;
}

mopd_status mo_choice_set(mo_choice *c, const char *word)
{
    const int32_t wish = word ? wish_of(c, word) : MO_CHOICE_ANY;
    mopd_status st = need(c, wish, word);
    if (st != MOPD_OK) return st;
    atomic_store(&c->wish, wish);
    atomic_store(&c->called, true);
    return MOPD_OK;
}

bool mo_choice_granted(mo_choice *c)
{
    const int32_t wish = wish_get(c);
    if (atomic_load(&c->called) || wish == MO_CHOICE_ANY) return true;
    return wish >= 0 && !c->lacks(wish);
}

mopd_status mo_choice_check(mo_choice *c)
{
    if (mo_choice_granted(c)) return MOPD_OK;
    mopd_status st = need(c, wish_get(c), getenv(c->variable));
    return mo_fail_at(st, "%s in the environment", c->variable);
}
