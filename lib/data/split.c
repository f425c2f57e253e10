/* SPDX-License-Identifier: MIT
 * split.c - parts of a dataset: splits, few-shot draws, base and new classes, what is left without something.
 *
 * The draw takes place over all classes before the base/new cut, so base and all-class runs share pictures. */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"

#define DRAW_PURPOSE UINT64_C(0x73686f7473) /* "shots" */

static bool has_split(const mopd_dataset *d, int32_t split)
{
    for (size_t i = 0; i < d->n; i++) {
        if (d->source->row[d->row[i]].split == split) return true;
    }
    return false;
}

/* keep (d->n long) = the items of a split, ascending; all where the data has none. */
static mopd_status keep_split(const mopd_dataset *d, int32_t split, size_t *keep, size_t *n)
{
    bool splits = has_split(d, 0) || has_split(d, 1) || has_split(d, 2);
    *n = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (split == MOPD_SPLIT_NONE || !splits || d->source->row[d->row[i]].split == split) keep[(*n)++] = i;
    }
    if (*n) return MOPD_OK;
    return mo_fail(MOPD_E_ARG, "no picture in split '%s'; there is%s%s%s", mo_dataset_split_name(split),
        has_split(d, 0) ? " train" : "", has_split(d, 1) ? " val" : "", has_split(d, 2) ? " test" : "");
}

/* Leaves `shots` of the n items at keep, all of one class, in ascending order; how many are left. */
static size_t draw_class(const mopd_dataset *d, size_t *keep, size_t n, uint32_t shots, uint64_t seed)
{
    if (n <= shots) return n;
    const char *name = d->name[d->label[keep[0]]];
    mo_rng rng;
    mo_rng_seed(&rng, mo_rng_mix(mo_rng_mix(seed, DRAW_PURPOSE), mo_hash_bytes(name, strlen(name))));
    /* Knuth's algorithm S: each item in turn, with chance wanted / left. */
    size_t wanted = shots, kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (mo_rng_below(&rng, n - i) >= wanted) continue;
        keep[kept++] = keep[i];
        wanted--;
    }
    return kept;
}

static size_t draw(const mopd_dataset *d, size_t *keep, size_t n, const mopd_selection *selection)
{
    size_t kept = 0;
    for (size_t first = 0; first < n;) {
        size_t last = first;
        while (last < n && d->label[keep[last]] == d->label[keep[first]]) last++;
        size_t left = draw_class(d, keep + first, last - first, selection->shots, selection->seed);
        memmove(keep + kept, keep + first, left * sizeof *keep);
        kept += left;
        first = last;
    }
    return kept;
}

/* chosen[c]: class c is in the subset.  Classes count that have training pictures, any where there is
 * no such split. */
static void cut_classes(const mopd_dataset *d, int32_t subset, bool *chosen)
{
    bool train = has_split(d, MOPD_SPLIT_TRAIN);
    size_t n = 0, at = 0;
    memset(chosen, 0, d->n_classes * sizeof *chosen);
    for (size_t i = 0; i < d->n; i++) {
        if (train && d->source->row[d->row[i]].split != MOPD_SPLIT_TRAIN) continue;
        n += !chosen[d->label[i]];
        chosen[d->label[i]] = true;
    }
    size_t n_base = n - n / 2;
    for (size_t c = 0; c < d->n_classes; c++) {
        if (!chosen[c]) continue;
        chosen[c] = (at++ < n_base) == (subset == MOPD_SUBSET_BASE);
    }
}

static mopd_status check_selection(const mopd_selection *s)
{
    if (s->split < MOPD_SPLIT_NONE || s->split > MOPD_SPLIT_TEST)
        return mo_fail(MOPD_E_ARG, "selection: split is %d, not -1 to 2", (int)s->split);
    if (s->subset < MOPD_SUBSET_ALL || s->subset > MOPD_SUBSET_NEW)
        return mo_fail(MOPD_E_ARG, "selection: subset is %d, not 0 to 2", (int)s->subset);
    return MOPD_OK;
}

mopd_status mo_split_select(mopd_dataset **out, const mopd_dataset *d, const mopd_selection *selection)
{
    mopd_status st = check_selection(selection);
    if (st != MOPD_OK) return st;
    bool cut = selection->subset != MOPD_SUBSET_ALL;
    size_t n = 0, kept = 0;
    size_t *keep = mo_mem_alloc(d->n, sizeof *keep);
    bool *chosen = mo_mem_alloc(d->n_classes, sizeof *chosen);
    st = keep && chosen ? keep_split(d, selection->split, keep, &n) : MOPD_E_NOMEM;
    if (st == MOPD_OK && selection->shots) n = draw(d, keep, n, selection);
    if (st == MOPD_OK && cut) {
        cut_classes(d, selection->subset, chosen);
        for (size_t i = 0; i < n; i++) {
            if (chosen[d->label[keep[i]]]) keep[kept++] = keep[i];
        }
        n = kept;
        if (!n)
            st = mo_fail(MOPD_E_ARG, "no picture of a %s class is left (%zu classes)",
                selection->subset == MOPD_SUBSET_BASE ? "base" : "new", d->n_classes);
    }
    if (st == MOPD_OK) st = mo_dataset_part(out, d, keep, n, cut ? chosen : NULL);
    mo_mem_free(keep);
    mo_mem_free(chosen);
    return st;
}

mopd_status mo_split_pick(
    mopd_dataset **out, const mopd_dataset *d, const size_t *indices, size_t n, bool relabel)
{
    for (size_t i = 0; i < n; i++) {
        if (indices[i] >= d->n) return mo_fail(MOPD_E_ARG, "index %zu of %zu pictures", indices[i], d->n);
        if (i && indices[i] <= indices[i - 1])
            return mo_fail(MOPD_E_ARG, "index %zu behind %zu: not ascending", indices[i], indices[i - 1]);
    }
    if (!relabel) return mo_dataset_part(out, d, indices, n, NULL);
    bool *kept = mo_mem_calloc(d->n_classes, sizeof *kept);
    if (!kept) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n; i++) kept[d->label[indices[i]]] = true;
    mopd_status st = mo_dataset_part(out, d, indices, n, kept);
    mo_mem_free(kept);
    return st;
}

mopd_status mo_split_withdraw(
    mopd_dataset **out, const mopd_dataset *d, const char *path, const char *class_name)
{
    size_t n = 0;
    size_t *keep = mo_mem_alloc(d->n, sizeof *keep);
    if (!keep) return MOPD_E_NOMEM;
    for (size_t i = 0; i < d->n; i++) {
        const int32_t c = d->label[i];
        bool goes = path ? !strcmp(d->source->row[d->row[i]].path, path)
                         : !strcmp(d->name[c], class_name) || (d->word && !strcmp(d->word[c], class_name));
        if (!goes) keep[n++] = i;
    }
    mopd_status st;
    if (n == d->n)
        st = mo_fail(MOPD_E_ARG, "no %s '%s' to withdraw among %zu pictures of %zu classes",
            path ? "picture" : "class", path ? path : class_name, d->n, d->n_classes);
    else if (!n)
        st = mo_fail(MOPD_E_ARG, "without '%s' no picture would be left", path ? path : class_name);
    else
        st = mo_split_pick(out, d, keep, n, true);
    mo_mem_free(keep);
    return st;
}
