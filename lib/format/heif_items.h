/* SPDX-License-Identifier: MIT
 * heif_items.h - what a HEIF file says of its items: which are pictures, how large they are, what they are made of. */
#ifndef MO_FORMAT_HEIF_ITEMS_H
#define MO_FORMAT_HEIF_ITEMS_H

#include "base/buf.h"
#include "format/heif_boxes.h"

/* `from` is made of `to`, or has it for alpha or the like. */
typedef struct mo_heif_reference {
    uint32_t from, to;
    bool alpha;
} mo_heif_reference;

typedef struct mo_heif_size {
    uint32_t item, width, height;
} mo_heif_size;

/* An item that is a picture. */
typedef struct mo_heif_picture {
    uint32_t item;
    bool grid, overlay; /* otherwise it is coded, or another one */
    bool seen;          /* in the list of places */
} mo_heif_picture;

/* Start from {.kind = ...}. */
typedef struct mo_heif_items {
    const char *kind; /* for messages */
    mo_heif_span file, idat;
    uint32_t primary;
    mo_buf refers; /* references, sorted by `from` */
    mo_buf sizes;  /* of items that have one, sorted by item */
    mo_buf more;   /* sizes that are not among them yet */
    mo_buf properties;
    mo_buf alphas;   /* numbers of items that are alpha */
    mo_buf pictures; /* sorted by item */
    mopd_status st;  /* the first failure */
} mo_heif_items;

/* Reads all but where items are (iloc); p->st tells whether that went well. */
void mo_heif_items_read(mo_heif_items *p, const void *bytes, size_t n_bytes);
void mo_heif_items_free(mo_heif_items *p);

/* Notes a failure: item number `item` and what is wrong with it. */
void mo_heif_items_fail(mo_heif_items *p, mopd_status st, uint32_t item, const char *what);

/* Calls read for the one box of this name in meta: of several some readers would take the first, others the last, which is FORMAT. */
void mo_heif_items_box(mo_heif_items *p, const char *name, void (*read)(mo_heif_items *p, mo_heif_span body));

/* Another size of an item, which counts from mo_heif_items_sort on, where it is the larger one. */
void mo_heif_items_add_size(mo_heif_items *p, const mo_heif_size *size);
void mo_heif_items_sort(mo_heif_items *p);

/* An item's size, and whether it is a picture, NULL: it is none; whether it is alpha. */
const mo_heif_size *mo_heif_items_size(const mo_heif_items *p, uint32_t item);
mo_heif_picture *mo_heif_items_picture(const mo_heif_items *p, uint32_t item);
bool mo_heif_items_is_alpha(const mo_heif_items *p, uint32_t item);

/* References i to n - 1, sorted; those of an item begin at `first` and go on while mo_heif_items_refers. */
size_t mo_heif_items_n_references(const mo_heif_items *p);
const mo_heif_reference *mo_heif_items_reference(const mo_heif_items *p, size_t i);
size_t mo_heif_items_first(const mo_heif_items *p, uint32_t item);
bool mo_heif_items_refers(const mo_heif_items *p, size_t i, uint32_t item);

static inline uint64_t mo_heif_items_pixels(const mo_heif_size *s)
{
    return (uint64_t)s->width * s->height;
}

#endif
