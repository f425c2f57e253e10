/* SPDX-License-Identifier: MIT
 * remarks_twice.c - the same picture in two classes or in two splits, told by the hashes of the files. */
#include <string.h>

#include "base/buf.h"
#include "base/lookup.h"
#include "base/stop.h"
#include "data/dataset.h"

enum { SHOWN = 3 };

/* What has been found of one kind. */
typedef struct pairs {
    size_t n;
    mo_buf text; /* the first few */
} pairs;

static const mo_dataset_row *row_of(const mopd_dataset *d, size_t item)
{
    return d->source->row + d->row[item];
}

/* Item i is the same picture as the earlier item `first`. */
static mopd_status add_pair(pairs *p, const mopd_dataset *d, size_t first, size_t i)
{
    if (p->n++ >= SHOWN) return MOPD_OK;
    return mo_buf_addf(&p->text, "%s%s ('%s') and %s ('%s')", p->n > 1 ? "; " : "", row_of(d, first)->path,
        d->name[d->label[first]], row_of(d, i)->path, d->name[d->label[i]]);
}

static mopd_status tell(mopd_dataset *d, const pairs *p, int32_t kind, const char *where)
{
    if (!p->n) return MOPD_OK;
    return mo_remarks_addf(&d->source->remarks, kind, p->n, "%zu %s in two %s: %s%s", p->n,
        p->n == 1 ? "picture is" : "pictures are", where, p->text.data, p->n > SHOWN ? "; and others" : "");
}

/* An item is compared with the first of its content. */
static mopd_status find_pairs(const mopd_dataset *d, mo_lookup *seen, pairs *classes, pairs *splits)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < d->n && st == MOPD_OK; i++) {
        const size_t first = mo_lookup_add(seen, row_of(d, i)->hash, i);
        st = mo_stop_check(MO_STOP_ENTRY);
        if (first == SIZE_MAX || st != MOPD_OK) continue;
        if (d->label[first] != d->label[i]) st = add_pair(classes, d, first, i);
        if (st == MOPD_OK && row_of(d, first)->split != row_of(d, i)->split)
            st = add_pair(splits, d, first, i);
    }
    return st;
}

mopd_status mo_remarks_twice(mopd_dataset *d)
{
    pairs classes = {0}, splits = {0};
    mo_lookup seen = {0};
    if (!d->n || !row_of(d, 0)->hash[0]) return MOPD_OK;
    mopd_status st = mo_lookup_open(&seen, d->n);
    if (st == MOPD_OK) st = find_pairs(d, &seen, &classes, &splits);
    if (st == MOPD_OK) st = tell(d, &classes, MOPD_REMARK_TWO_CLASSES, "classes");
    if (st == MOPD_OK) st = tell(d, &splits, MOPD_REMARK_TWO_SPLITS, "splits");
    mo_buf_free(&classes.text);
    mo_buf_free(&splits.text);
    mo_lookup_close(&seen);
    return st;
}
