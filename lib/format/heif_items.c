/* SPDX-License-Identifier: MIT
 * heif_items.c - reads what a HEIF file says of its items.
 *
 *     meta (4 bytes of version and flags):
 *         pitm, the primary item; iinf, the kind of each item (infe)
 *         iref, items that are made of others (dimg) or are the alpha of another (auxl)
 *         iprp: ipco, properties, of which ispe is a size and auxC a kind; ipma, which item has which properties
 *         idat, bytes of items that stand within meta */
#include "format/heif_items.h"

#include <stdlib.h>
#include <string.h>

/* A size, or that its item is alpha, or neither. */
typedef struct property {
    uint32_t width, height;
    bool alpha;
} property;

static void add(mo_heif_items *p, mo_buf *list, const void *element, size_t n_bytes)
{
    if (p->st == MOPD_OK) p->st = mo_buf_add(list, element, n_bytes);
}

void mo_heif_items_fail(mo_heif_items *p, mopd_status st, uint32_t item, const char *what)
{
    if (p->st == MOPD_OK) p->st = mo_fail(st, "%s: item %u %s", p->kind, (unsigned)item, what);
}

/* An item is made of those it refers to by dimg; the one that an alpha refers to is made with it.  libheif counts the items and
 * takes no notice of how long their box is. */
static void read_references(mo_heif_items *p, mo_heif_span body)
{
    unsigned flags;
    const size_t each = mo_heif_version(&body, &flags) ? 4 : 2;
    char kind[4];
    mo_heif_span one;
    while (mo_heif_next(&body, kind, &one)) {
        const bool alpha = mo_heif_kind(kind, "auxl");
        const uint32_t item = (uint32_t)mo_heif_take(&one, each);
        const size_t n = (size_t)mo_heif_take(&one, 2);
        if (mo_heif_left(&one) != n * each)
            mo_heif_items_fail(
                p, MOPD_E_FORMAT, item, "has references that are more or fewer than their box holds");
        for (size_t i = 0; i < n && p->st == MOPD_OK && (alpha || mo_heif_kind(kind, "dimg")); i++) {
            const uint32_t other = (uint32_t)mo_heif_take(&one, each);
            const mo_heif_reference r = {alpha ? other : item, alpha ? item : other, alpha};
            add(p, &p->refers, &r, sizeof r);
        }
    }
}

static bool is_alpha(mo_heif_span type)
{
    static const char *const types[] = {"urn:mpeg:hevc:2015:auxid:1", "urn:mpeg:avc:2015:auxid:1",
        "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"};
    for (size_t i = 0; i < 3; i++) {
        const size_t n = strlen(types[i]);
        if (mo_heif_left(&type) >= n && !memcmp(type.at, types[i], n)) return true;
    }
    return false;
}

static void read_properties(mo_heif_items *p, mo_heif_span list)
{
    char kind[4];
    mo_heif_span body;
    unsigned flags;
    p->properties.size = 0;
    while (mo_heif_next(&list, kind, &body)) {
        property x = {0, 0, false};
        mo_heif_version(&body, &flags);
        x.alpha = mo_heif_kind(kind, "auxC") && is_alpha(body);
        if (mo_heif_kind(kind, "ispe")) {
            x.width = (uint32_t)mo_heif_take(&body, 4);
            x.height = (uint32_t)mo_heif_take(&body, 4);
        }
        add(p, &p->properties, &x, sizeof x);
    }
}

static void give_property(mo_heif_items *p, uint32_t item, const property *x)
{
    const mo_heif_size s = {item, x->width, x->height};
    if (x->width) add(p, &p->sizes, &s, sizeof s);
    if (x->alpha) add(p, &p->alphas, &item, sizeof item);
}

/* Which item has which properties, counted from 1. */
static void read_sizes(mo_heif_items *p, mo_heif_span body)
{
    unsigned flags;
    const size_t each = mo_heif_version(&body, &flags) ? 4 : 2, wide = flags & 1;
    const property *properties = (const property *)(const void *)p->properties.data;
    const size_t n_properties = p->properties.size / sizeof *properties;
    for (uint64_t n = mo_heif_take(&body, 4); n && mo_heif_left(&body); n--) {
        const uint32_t item = (uint32_t)mo_heif_take(&body, each);
        for (uint64_t k = mo_heif_take(&body, 1); k && mo_heif_left(&body); k--) {
            const size_t i = (size_t)mo_heif_take(&body, wide ? 2 : 1) & (wide ? 0x7fff : 0x7f);
            if (i && i <= n_properties) give_property(p, item, properties + i - 1);
        }
    }
}

/* Properties stand in front of who has them. */
static void read_iprp(mo_heif_items *p, mo_heif_span body)
{
    char kind[4];
    mo_heif_span inner;
    while (mo_heif_next(&body, kind, &inner))
        if (mo_heif_kind(kind, "ipco"))
            read_properties(p, inner);
        else if (mo_heif_kind(kind, "ipma"))
            read_sizes(p, inner);
}

static void read_kinds(mo_heif_items *p, mo_heif_span body)
{
    static const char *const kinds[] = {"grid", "iovl", "iden", "hvc1", "av01", "vvc1"};
    char kind[4];
    mo_heif_span one;
    unsigned flags;
    mo_heif_take(&body, mo_heif_version(&body, &flags) ? 4 : 2);
    while (mo_heif_next(&body, kind, &one)) {
        const unsigned version = mo_heif_version(&one, &flags);
        if (!mo_heif_kind(kind, "infe") || version < 2) continue;
        const uint32_t item = (uint32_t)mo_heif_take(&one, version == 2 ? 2 : 4);
        mo_heif_take(&one, 2);
        for (size_t i = 0; i < 6 && mo_heif_left(&one) >= 4; i++) {
            const mo_heif_picture x = {item, i == 0, i == 1, false};
            if (mo_heif_kind((const char *)one.at, kinds[i])) add(p, &p->pictures, &x, sizeof x);
        }
    }
}

static void read_primary(mo_heif_items *p, mo_heif_span body)
{
    unsigned flags;
    const unsigned version = mo_heif_version(&body, &flags);
    p->primary = (uint32_t)mo_heif_take(&body, version ? 4 : 2);
}

static void read_idat(mo_heif_items *p, mo_heif_span body)
{
    p->idat = body;
}

/* -- looking up ---------------------------------------------------------------------------------------------- */

/* References, sizes and pictures all begin with the number of an item. */
static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Of several sizes of an item the largest stays. */
static void drop_smaller(mo_heif_items *p)
{
    mo_heif_size *all = (mo_heif_size *)(void *)p->sizes.data;
    size_t kept = 0;
    for (size_t i = 0; i < p->sizes.size / sizeof *all; i++) {
        if (kept && all[kept - 1].item == all[i].item) {
            if (mo_heif_items_pixels(all + i) > mo_heif_items_pixels(all + kept - 1)) all[kept - 1] = all[i];
        } else {
            all[kept++] = all[i];
        }
    }
    p->sizes.size = kept * sizeof *all;
}

void mo_heif_items_sort(mo_heif_items *p)
{
    if (p->more.size) add(p, &p->sizes, p->more.data, p->more.size);
    p->more.size = 0;
    if (p->refers.size)
        qsort(
            p->refers.data, p->refers.size / sizeof(mo_heif_reference), sizeof(mo_heif_reference), by_number);
    if (p->sizes.size)
        qsort(p->sizes.data, p->sizes.size / sizeof(mo_heif_size), sizeof(mo_heif_size), by_number);
    if (p->pictures.size)
        qsort(
            p->pictures.data, p->pictures.size / sizeof(mo_heif_picture), sizeof(mo_heif_picture), by_number);
    if (p->alphas.size) qsort(p->alphas.data, p->alphas.size / sizeof(uint32_t), sizeof(uint32_t), by_number);
    drop_smaller(p);
}

/* The first of n sorted elements, each beginning with a number, whose number is not below `number`. */
static size_t first_of(const void *elements, size_t n, size_t each, uint32_t number)
{
    size_t low = 0;
    for (size_t high = n; low < high;) {
        const size_t middle = low + (high - low) / 2;
        uint32_t there;
        memcpy(&there, (const char *)elements + middle * each, sizeof there);
        if (there < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t mo_heif_items_n_references(const mo_heif_items *p)
{
    return p->refers.size / sizeof(mo_heif_reference);
}

const mo_heif_reference *mo_heif_items_reference(const mo_heif_items *p, size_t i)
{
    return (const mo_heif_reference *)(const void *)p->refers.data + i;
}

/* Where an item's references begin; the number of all references where it has none. */
size_t mo_heif_items_first(const mo_heif_items *p, uint32_t item)
{
    const size_t n = mo_heif_items_n_references(p),
                 at = first_of(p->refers.data, n, sizeof(mo_heif_reference), item);
    return at < n && mo_heif_items_reference(p, at)->from == item ? at : n;
}

bool mo_heif_items_refers(const mo_heif_items *p, size_t i, uint32_t item)
{
    return i < mo_heif_items_n_references(p) && mo_heif_items_reference(p, i)->from == item;
}

/* NULL: it has none. */
const mo_heif_size *mo_heif_items_size(const mo_heif_items *p, uint32_t item)
{
    const mo_heif_size *all = (const mo_heif_size *)(const void *)p->sizes.data;
    const size_t n = p->sizes.size / sizeof *all, at = first_of(all, n, sizeof *all, item);
    return at < n && all[at].item == item ? all + at : NULL;
}

/* NULL: the item is no picture. */
mo_heif_picture *mo_heif_items_picture(const mo_heif_items *p, uint32_t item)
{
    mo_heif_picture *all = (mo_heif_picture *)(void *)p->pictures.data;
    const size_t n = p->pictures.size / sizeof *all, at = first_of(all, n, sizeof *all, item);
    return at < n && all[at].item == item ? all + at : NULL;
}

bool mo_heif_items_is_alpha(const mo_heif_items *p, uint32_t item)
{
    const uint32_t *all = (const uint32_t *)(const void *)p->alphas.data;
    const size_t n = p->alphas.size / sizeof *all, at = first_of(all, n, sizeof *all, item);
    return at < n && all[at] == item;
}

void mo_heif_items_add_size(mo_heif_items *p, const mo_heif_size *size)
{
    add(p, &p->more, size, sizeof *size);
}

/* The one box of this name in meta: of several some readers would take the first, others the last. */
void mo_heif_items_box(mo_heif_items *p, const char *name, void (*read)(mo_heif_items *p, mo_heif_span body))
{
    char kind[4];
    unsigned flags, n = 0;
    mo_heif_span file = p->file, meta, body;
    while (mo_heif_next(&file, kind, &meta)) {
        if (!mo_heif_kind(kind, "meta")) continue;
        mo_heif_version(&meta, &flags);
        while (mo_heif_next(&meta, kind, &body))
            if (mo_heif_kind(kind, name) && n++ == 0) read(p, body);
    }
    if (n > 1 && p->st == MOPD_OK) p->st = mo_fail(MOPD_E_FORMAT, "%s: %u boxes %s", p->kind, n, name);
}

void mo_heif_items_read(mo_heif_items *p, const void *bytes, size_t n_bytes)
{
    p->file = (mo_heif_span){bytes, (const unsigned char *)bytes + n_bytes};
    p->idat = (mo_heif_span){p->file.end, p->file.end};
    mo_heif_items_box(p, "pitm", read_primary);
    mo_heif_items_box(p, "idat", read_idat);
    mo_heif_items_box(p, "iinf", read_kinds);
    mo_heif_items_box(p, "iref", read_references);
    mo_heif_items_box(p, "iprp", read_iprp);
    mo_heif_items_sort(p);
}

void mo_heif_items_free(mo_heif_items *p)
{
    mo_buf_free(&p->refers);
    mo_buf_free(&p->sizes);
    mo_buf_free(&p->more);
    mo_buf_free(&p->properties);
    mo_buf_free(&p->alphas);
    mo_buf_free(&p->pictures);
}
