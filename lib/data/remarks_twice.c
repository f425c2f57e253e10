/* SPDX-License-Identifier: MIT
 * remarks_twice.c - the same picture in two classes or in two splits, told by the hashes of the files. */
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
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

/* slot: `slots` of them and all 0: item + 1, open addressing.  An item is compared with the first of its content. */
static mopd_status find_pairs(
    const mopd_dataset *d, uint32_t *slot, size_t slots, pairs *classes, pairs *splits)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < d->n && st == MOPD_OK; i++) {
        const char *hash = row_of(d, i)->hash;
        size_t k = (size_t)mo_hash_bytes(hash, strlen(hash)) & (slots - 1);
        while (slot[k] && strcmp(row_of(d, slot[k] - 1)->hash, hash) != 0) k = (k + 1) & (slots - 1);
        if (!slot[k]) {
            slot[k] = (uint32_t)i + 1;
            continue;
        }
        const size_t first = slot[k] - 1;
        if (d->label[first] != d->label[i]) st = add_pair(classes, d, first, i);
        if (st == MOPD_OK && row_of(d, first)->split != row_of(d, i)->split)
            st = add_pair(splits, d, first, i);
    }
    return st;
}

mopd_status mo_remarks_twice(mopd_dataset *d)
{
    pairs classes = {0}, splits = {0};
    size_t slots = 16;
    if (!d->n || !row_of(d, 0)->hash[0]) return MOPD_OK;
    while (slots / 2 < d->n) slots *= 2;
    uint32_t *slot = mo_mem_calloc(slots, sizeof *slot);
    mopd_status st = slot ? find_pairs(d, slot, slots, &classes, &splits) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = tell(d, &classes, MOPD_REMARK_TWO_CLASSES, "classes");
    if (st == MOPD_OK) st = tell(d, &splits, MOPD_REMARK_TWO_SPLITS, "splits");
    mo_buf_free(&classes.text);
    mo_buf_free(&splits.text);
    mo_mem_free(slot);
    return st;
}
