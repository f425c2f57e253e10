/* SPDX-License-Identifier: MIT
 * bank_names.c - what class names must be: texts, each another one, also to a model that knows no upper case. */
#include <string.h>

#include "base/lookup.h"
#include "base/utf8.h"
#include "prompt/bank.h"
#include "token/fold.h"

static mopd_status check_name(const char *name, size_t index)
{
    if (!name) return mo_fail(MOPD_E_ARG, "class %zu is NULL", index);
    size_t n = strlen(name);
    if (strspn(name, " \t\r\n_") == n) return mo_fail(MOPD_E_ARG, "class %zu has an empty name", index);
    size_t good = mo_utf8_prefix(name, n);
    if (good != n) return mo_fail(MOPD_E_ARG, "the name of class %zu is not UTF-8 at byte %zu", index, good);
    return MOPD_OK;
}

mopd_status mo_bank_check_names(const char *const *classes, size_t n_classes)
{
    mo_lookup seen = {0};
    if (!classes || !n_classes) return mo_fail(MOPD_E_ARG, "no classes");
    if (n_classes > UINT32_MAX / 4) return mo_fail(MOPD_E_ARG, "%zu classes are too many", n_classes);
    mopd_status st = mo_lookup_open(&seen, n_classes);
    for (size_t c = 0; c < n_classes && st == MOPD_OK; c++) {
        if ((st = check_name(classes[c], c)) != MOPD_OK) break;
        const size_t before = mo_lookup_add(&seen, classes[c], c);
        if (before != SIZE_MAX)
            st = mo_fail(MOPD_E_ARG, "class %zu, \"%.200s\", is class %zu already", c, classes[c], before);
    }
    mo_lookup_close(&seen);
    return st;
}

mopd_status mo_bank_check_words(const char *const *classes, size_t n_classes, size_t same[2])
{
    mopd_status st = MOPD_OK;
    same[0] = same[1] = n_classes;
    if (!classes || !n_classes) return mo_fail(MOPD_E_ARG, "no classes");
    for (size_t c = 0; c < n_classes && st == MOPD_OK; c++) st = check_name(classes[c], c);
    if (st == MOPD_OK) st = mo_fold_find(classes, n_classes, same);
    if (st != MOPD_OK || same[1] == n_classes) return st;
    const char *first = classes[same[0]], *second = classes[same[1]];
    if (!strcmp(first, second))
        return mo_fail(MOPD_E_ARG, "class %zu, \"%.200s\", is class %zu already", same[1], second, same[0]);
    return mo_fail(MOPD_E_ARG,
        "class %zu, \"%.200s\", is the same words to a model as class %zu, \"%.200s\" (upper case, \"_\", "
        "blanks and "
        "ways to write an accent make no difference): give each a name of its own",
        same[1], second, same[0], first);
}
