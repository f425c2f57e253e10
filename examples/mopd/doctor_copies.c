/* SPDX-License-Identifier: MIT
 * doctor_copies.c - pictures that are there twice: files of the same bytes, and pictures that differ in size, quality or
 * format only.  For the latter the pictures have to be at hand: a feature tells what is shown, not whether it is the same. */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

#define NEAR 0.98 /* correlation of copies in 24 x 24 grey */

enum { MOST_PAIRS = 20000 };

typedef struct hashed {
    const char *hash;
    size_t index;
} hashed;

static int by_hash(const void *a, const void *b)
{
    const hashed *x = a, *y = b;
    const int order = strcmp(x->hash, y->hash);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void add(doctor *d, const doctor_copy *copy)
{
    if ((d->n_copies & (d->n_copies - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
        doctor_copy *more = realloc(d->copy, (d->n_copies ? 2 * d->n_copies : 1) * sizeof *more);
        if (!more) exit(cli_fail("out of memory: a list of %zu pairs", d->n_copies));
        d->copy = more;
    }
    d->copy[d->n_copies++] = *copy;
}

/* Each further picture of the same bytes with the first one. */
static void find_exact(doctor *d)
{
    hashed *list = cli_alloc(d->n, sizeof *list);
    for (size_t i = 0; i < d->n; i++) list[i] = (hashed){doctor_item(d, i).hash, i};
    qsort(list, d->n, sizeof *list, by_hash);
    for (size_t i = 0, first = 0; i < d->n; i++) {
        if (strcmp(list[i].hash, list[first].hash) != 0) first = i;
        if (i == first || !*list[i].hash) continue;
        add(d, &(doctor_copy){list[first].index, list[i].index, 1, true});
    }
    d->n_exact = d->n_copies;
    free(list);
}

static bool same_bytes(const doctor *d, const mopd_pair *pair)
{
    const char *hash = doctor_item(d, (size_t)pair->first).hash;
    return *hash && !strcmp(hash, doctor_item(d, (size_t)pair->second).hash);
}

/* Pictures that were not at hand have a signature of zeros, which is like no other. */
static mopd_status find_near(doctor *d)
{
    size_t n = MOST_PAIRS;
    mopd_pair *pair = cli_alloc(n, sizeof *pair);
    mopd_status st = mopd_pairs_find(d->signature, d->n, MOPD_IMAGE_SIGNATURE, NEAR, pair, &n);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        if (same_bytes(d, pair + i)) continue;
        add(d, &(doctor_copy){(size_t)pair[i].first, (size_t)pair[i].second, pair[i].cosine, false});
    }
    free(pair);
    return st;
}

int doctor_copies(doctor *d)
{
    find_exact(d);
    cli_interrupt_ends(true);
    mopd_status st = find_near(d);
    cli_interrupt_ends(false);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}
