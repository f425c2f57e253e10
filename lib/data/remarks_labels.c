/* SPDX-License-Identifier: MIT
 * remarks_labels.c - labels that a prompt can do nothing with: numbers and ids, and names that are one to a model. */
#include <string.h>

#include "base/mem.h"
#include "base/words.h"
#include "data/dataset.h"
#include "token/fold.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* "class_7", "label 3": a word that every class would have. */
static bool is_counted(const char *label)
{
    static const char *const words[] = {"class", "classe", "cls", "label", "category", "id"};
    size_t n = 0;
    while (is_letter(label[n])) n++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) != n || !mo_words_begins(label, words[i])) continue;
        const char *rest = label + n;
        while (*rest && strchr("_- ", *rest)) rest++;
        return *rest && strspn(rest, "0123456789") == strlen(rest);
    }
    return false;
}

/* No two letters stand together, and there is a digit: "7", "n01440001", "3.5". */
static bool is_id(const char *label)
{
    bool digit = false, word = false;
    for (size_t i = 0; label[i]; i++) {
        digit |= is_digit(label[i]);
        word |= i && is_letter(label[i]) && is_letter(label[i - 1]);
    }
    return digit && !word;
}

static mopd_status tell_ids(mopd_dataset *d)
{
    size_t n = 0, first = 0;
    for (size_t c = 0; c < d->n_classes && !d->word; c++) {
        if (!is_id(d->name[c]) && !is_counted(d->name[c])) continue;
        if (!n++) first = c;
    }
    if (2 * n < d->n_classes || !n) return MOPD_OK;
    return mo_remarks_addf(&d->remarks, MOPD_REMARK_LABELS, n,
        "%zu of %zu classes are called by numbers or ids ('%s'), which tell a text tower nothing: give them "
        "names",
        n, d->n_classes, d->name[first]);
}

static mopd_status tell_same(mopd_dataset *d)
{
    size_t same[2];
    const char *const *names = (const char *const *)(d->word ? d->word : d->name);
    mopd_status st = mo_fold_find(names, d->n_classes, same);
    if (st != MOPD_OK || same[1] == d->n_classes) return st;
    return mo_remarks_addf(&d->remarks, MOPD_REMARK_SAME_CLASSES, 2,
        "classes '%s' and '%s' are the same words to a model: text does not tell them apart", names[same[0]],
        names[same[1]]);
}

mopd_status mo_remarks_labels(mopd_dataset *d)
{
    mo_remarks_free(&d->remarks);
    mopd_status st = tell_ids(d);
    return st == MOPD_OK ? tell_same(d) : st;
}
