/* SPDX-License-Identifier: MIT
 * bank_names.c - what class names must be: texts, each another one, also to a model that knows no upper case. */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
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
    size_t slots = 16, bytes;
    if (!classes || !n_classes) return mo_fail(MOPD_E_ARG, "no classes");
    if (n_classes > UINT32_MAX / 4) return mo_fail(MOPD_E_ARG, "%zu classes are too many", n_classes);
    while (slots < n_classes * 2) slots *= 2;
    uint32_t *slot = mo_mul(slots, sizeof *slot, &bytes) ? mo_mem_calloc(slots, sizeof *slot) : NULL;
    if (!slot) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    for (size_t c = 0; c < n_classes && (st = check_name(classes[c], c)) == MOPD_OK; c++) {
        size_t i = (size_t)mo_hash_bytes(classes[c], strlen(classes[c])) & (slots - 1);
        while (slot[i] && strcmp(classes[slot[i] - 1], classes[c]) != 0) i = (i + 1) & (slots - 1);
        if (slot[i]) {
            st =
                mo_fail(MOPD_E_ARG, "class %zu, \"%.200s\", is class %u already", c, classes[c], slot[i] - 1);
            break;
        }
        slot[i] = (uint32_t)c + 1;
    }
    mo_mem_free(slot);
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
