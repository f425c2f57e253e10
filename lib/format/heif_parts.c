/* SPDX-License-Identifier: MIT
 * heif_parts.c - the parts of a HEIF file's primary picture: tiles of a grid, layers of an overlay, alpha.
 *
 *     meta (4 bytes of version and flags):
 *         pitm, the primary item; iinf, the kind of each item (infe)
 *         iref, items that are made of others (dimg) or are the alpha of another (auxl)
 *         iprp: ipco, properties, of which ispe is a size; ipma, which item has which properties
 *         iloc, where each item's bytes are: in the file, or in idat
 *     grid: version, flags, rows - 1, columns - 1, width, height
 *     iovl: version, flags, colour (4 x 2), width, height, for each layer x and y; numbers of 2 bytes, of 4 by flags
 *
 * libheif follows references wherever they lead, so that a file of some hundred bytes could ask for itself without end, or for
 * the same picture millions of times.  Before 1.21 it reads, and with alpha writes, beyond its memory where a layer begins left
 * of or above its canvas (CVE-2025-68431), and leaves what is not covered by a grid's tiles as the memory was. */
#include "format/heif_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "format/heif_boxes.h"

enum { LEAST_PIXELS = 4096 }; /* what a part costs, however small */

typedef mo_heif_span span;

typedef struct reference {
    uint32_t from, to;
    bool alpha;
} reference;

typedef struct size {
    uint32_t item, width, height;
} size;

/* A size, or that its item is alpha, or neither. */
typedef struct property {
    uint32_t width, height;
    bool alpha;
} property;

/* An item that is a picture. */
typedef struct picture {
    uint32_t item;
    bool grid, overlay; /* otherwise it is coded, or another one */
    bool seen;          /* in the list of places */
} picture;

typedef struct parts {
    const char *kind; /* for messages */
    span file, idat;
    uint32_t primary;
    mo_buf refers; /* references, sorted by `from` */
    mo_buf sizes;  /* of items that have one, sorted by item */
    mo_buf more;   /* sizes of grids and overlays, as these say them */
    mo_buf properties;
    mo_buf alphas;   /* numbers of items that are alpha */
    mo_buf pictures; /* sorted by item */
    mo_buf known;    /* of the item whose references begin here: pixels with its parts, 0: not known yet */
    mopd_status st;
} parts;

/* -- what a file says ---------------------------------------------------------------------------------------- */

static void add(parts *p, mo_buf *list, const void *element, size_t n_bytes)
{
    if (p->st == MOPD_OK) p->st = mo_buf_add(list, element, n_bytes);
}

static void fail(parts *p, mopd_status st, uint32_t item, const char *what)
{
    if (p->st == MOPD_OK) p->st = mo_fail(st, "%s: item %u %s", p->kind, (unsigned)item, what);
}

/* An item is made of those it refers to by dimg; the one that an alpha refers to is made with it.  libheif counts the items and
 * takes no notice of how long their box is. */
static void read_references(parts *p, span body)
{
    unsigned flags;
    const size_t each = mo_heif_version(&body, &flags) ? 4 : 2;
    char kind[4];
    span one;
    while (mo_heif_next(&body, kind, &one)) {
        const bool alpha = mo_heif_kind(kind, "auxl");
        const uint32_t item = (uint32_t)mo_heif_take(&one, each);
        const size_t n = (size_t)mo_heif_take(&one, 2);
        if (mo_heif_left(&one) != n * each)
            fail(p, MOPD_E_FORMAT, item, "has references that are more or fewer than their box holds");
        for (size_t i = 0; i < n && p->st == MOPD_OK && (alpha || mo_heif_kind(kind, "dimg")); i++) {
            const uint32_t other = (uint32_t)mo_heif_take(&one, each);
            const reference r = {alpha ? other : item, alpha ? item : other, alpha};
            add(p, &p->refers, &r, sizeof r);
        }
    }
}

static bool is_alpha(span type)
{
    static const char *const types[] = {"urn:mpeg:hevc:2015:auxid:1", "urn:mpeg:avc:2015:auxid:1",
        "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"};
    for (size_t i = 0; i < 3; i++) {
        const size_t n = strlen(types[i]);
        if (mo_heif_left(&type) >= n && !memcmp(type.at, types[i], n)) return true;
    }
    return false;
}

static void read_properties(parts *p, span list)
{
    char kind[4];
    span body;
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

static void give_property(parts *p, uint32_t item, const property *x)
{
    const size s = {item, x->width, x->height};
    if (x->width) add(p, &p->sizes, &s, sizeof s);
    if (x->alpha) add(p, &p->alphas, &item, sizeof item);
}

/* Which item has which properties, counted from 1. */
static void read_sizes(parts *p, span body)
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
static void read_iprp(parts *p, span body)
{
    char kind[4];
    span inner;
    while (mo_heif_next(&body, kind, &inner))
        if (mo_heif_kind(kind, "ipco"))
            read_properties(p, inner);
        else if (mo_heif_kind(kind, "ipma"))
            read_sizes(p, inner);
}

static void read_kinds(parts *p, span body)
{
    static const char *const kinds[] = {"grid", "iovl", "iden", "hvc1", "av01", "vvc1"};
    char kind[4];
    span one;
    unsigned flags;
    mo_heif_take(&body, mo_heif_version(&body, &flags) ? 4 : 2);
    while (mo_heif_next(&body, kind, &one)) {
        const unsigned version = mo_heif_version(&one, &flags);
        if (!mo_heif_kind(kind, "infe") || version < 2) continue;
        const uint32_t item = (uint32_t)mo_heif_take(&one, version == 2 ? 2 : 4);
        mo_heif_take(&one, 2);
        for (size_t i = 0; i < 6 && mo_heif_left(&one) >= 4; i++) {
            const picture x = {item, i == 0, i == 1, false};
            if (mo_heif_kind((const char *)one.at, kinds[i])) add(p, &p->pictures, &x, sizeof x);
        }
    }
}

static void read_primary(parts *p, span body)
{
    unsigned flags;
    const unsigned version = mo_heif_version(&body, &flags);
    p->primary = (uint32_t)mo_heif_take(&body, version ? 4 : 2);
}

static void read_idat(parts *p, span body)
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

static void sort(parts *p)
{
    if (p->refers.size)
        qsort(p->refers.data, p->refers.size / sizeof(reference), sizeof(reference), by_number);
    if (p->sizes.size) qsort(p->sizes.data, p->sizes.size / sizeof(size), sizeof(size), by_number);
    if (p->pictures.size)
        qsort(p->pictures.data, p->pictures.size / sizeof(picture), sizeof(picture), by_number);
    if (p->alphas.size) qsort(p->alphas.data, p->alphas.size / sizeof(uint32_t), sizeof(uint32_t), by_number);
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

static size_t n_references(const parts *p)
{
    return p->refers.size / sizeof(reference);
}

static const reference *reference_at(const parts *p, size_t i)
{
    return (const reference *)(const void *)p->refers.data + i;
}

/* Where an item's references begin; the number of all references where it has none. */
static size_t references_of(const parts *p, uint32_t item)
{
    const size_t n = n_references(p), at = first_of(p->refers.data, n, sizeof(reference), item);
    return at < n && reference_at(p, at)->from == item ? at : n;
}

static bool refers(const parts *p, size_t i, uint32_t item)
{
    return i < n_references(p) && reference_at(p, i)->from == item;
}

/* NULL: it has none. */
static const size *size_of(const parts *p, uint32_t item)
{
    const size *all = (const size *)(const void *)p->sizes.data;
    const size_t n = p->sizes.size / sizeof *all, at = first_of(all, n, sizeof *all, item);
    return at < n && all[at].item == item ? all + at : NULL;
}

static uint64_t pixels_of(const size *s)
{
    return (uint64_t)s->width * s->height;
}

/* Of several sizes of an item the largest stays. */
static void drop_smaller(parts *p)
{
    size *all = (size *)(void *)p->sizes.data;
    size_t kept = 0;
    for (size_t i = 0; i < p->sizes.size / sizeof *all; i++) {
        if (kept && all[kept - 1].item == all[i].item) {
            if (pixels_of(all + i) > pixels_of(all + kept - 1)) all[kept - 1] = all[i];
        } else {
            all[kept++] = all[i];
        }
    }
    p->sizes.size = kept * sizeof *all;
}

/* -- grids and overlays -------------------------------------------------------------------------------------- */

static bool negative(uint64_t x, size_t n_bytes)
{
    return x >> (8 * n_bytes - 1);
}

static void read_overlay(parts *p, uint32_t item, span data)
{
    mo_heif_take(&data, 1);
    const size_t each = mo_heif_take(&data, 1) & 1 ? 4 : 2;
    mo_heif_take(&data, 8);
    size s = {item, (uint32_t)mo_heif_take(&data, each), 0};
    s.height = (uint32_t)mo_heif_take(&data, each);
    if (s.width) add(p, &p->more, &s, sizeof s);
    while (mo_heif_left(&data) >= each)
        if (negative(mo_heif_take(&data, each), each))
            fail(p, MOPD_E_UNSUPPORTED, item, "has a layer that begins left of or above its canvas");
}

/* Whether tiles of one size, side by side, cover the grid; one whose size is not known is libheif's to refuse. */
static bool covers(const parts *p, const size *grid, uint64_t rows, uint64_t columns)
{
    const size *first = NULL;
    for (size_t i = references_of(p, grid->item); refers(p, i, grid->item); i++) {
        const reference *r = reference_at(p, i);
        const size *tile = r->alpha ? NULL : size_of(p, r->to);
        if (!tile) continue;
        if (!first) first = tile;
        if (tile->width != first->width || tile->height != first->height) return false;
    }
    return !first || (first->width * columns >= grid->width && first->height * rows >= grid->height);
}

static void read_grid(parts *p, uint32_t item, span data)
{
    mo_heif_take(&data, 1);
    const size_t each = mo_heif_take(&data, 1) & 1 ? 4 : 2;
    const uint64_t rows = mo_heif_take(&data, 1) + 1, columns = mo_heif_take(&data, 1) + 1;
    size s = {item, (uint32_t)mo_heif_take(&data, each), 0};
    s.height = (uint32_t)mo_heif_take(&data, each);
    if (!covers(p, &s, rows, columns)) fail(p, MOPD_E_FORMAT, item, "is a grid that its tiles do not cover");
    if (s.width) add(p, &p->more, &s, sizeof s);
}

/* NULL: the item is no picture. */
static picture *find_picture(const parts *p, uint32_t item)
{
    picture *all = (picture *)(void *)p->pictures.data;
    const size_t n = p->pictures.size / sizeof *all, at = first_of(all, n, sizeof *all, item);
    return at < n && all[at].item == item ? all + at : NULL;
}

static bool has_alpha_mark(const parts *p, uint32_t item)
{
    const uint32_t *all = (const uint32_t *)(const void *)p->alphas.data;
    const size_t n = p->alphas.size / sizeof *all, at = first_of(all, n, sizeof *all, item);
    return at < n && all[at] == item;
}

/* libheif asserts that parts are pictures, and takes alpha to be as large as its picture. */
static void check_reference(parts *p, const reference *r)
{
    const size *one = size_of(p, r->from), *other = size_of(p, r->to);
    if (!r->alpha && !find_picture(p, r->to))
        fail(p, MOPD_E_FORMAT, r->from, "is made of what is no picture");
    if (!r->alpha || !has_alpha_mark(p, r->to)) return;
    if (!one || !other || one->width != other->width || one->height != other->height)
        fail(p, MOPD_E_FORMAT, r->from, "has an alpha of another size");
}

static void check_pictures(parts *p)
{
    const picture *all = (const picture *)(const void *)p->pictures.data;
    for (size_t i = 1; i < p->pictures.size / sizeof *all; i++)
        if (all[i].item == all[i - 1].item) fail(p, MOPD_E_FORMAT, all[i].item, "is listed twice");
    for (size_t i = 0; i < n_references(p); i++) check_reference(p, reference_at(p, i));
}

/* One item's bytes: within the file, or within idat. */
static void read_bytes(parts *p, uint32_t item, const span *whole, uint64_t start, uint64_t n)
{
    picture *x = find_picture(p, item);
    if (!x || !(x->grid || x->overlay)) return;
    if (x->seen) {
        fail(p, MOPD_E_FORMAT, item, "is in two places");
    } else if (start > mo_heif_left(whole) || n > mo_heif_left(whole) - start) {
        fail(p, MOPD_E_FORMAT, item, "lies beyond the file's end");
    } else {
        const span data = {whole->at + start, whole->at + start + n};
        (x->grid ? read_grid : read_overlay)(p, item, data);
    }
    x->seen = true;
}

/* Sizes of numbers in iloc that all versions of libheif understand alike. */
typedef struct widths {
    size_t item, method, base, index, offset, length;
} widths;

static bool read_widths(span *body, widths *w)
{
    unsigned flags;
    const unsigned version = mo_heif_version(body, &flags);
    const unsigned x = (unsigned)mo_heif_take(body, 2);
    *w = (widths){
        version < 2 ? 2 : 4, version ? 2 : 0, x >> 4 & 15, version ? x & 15 : 0, x >> 12, x >> 8 & 15};
    if (version == 1 && w->index) return false;
    const size_t each[] = {w->base, w->index, w->offset, w->length};
    for (size_t i = 0; i < 4; i++)
        if (each[i] != 0 && each[i] != 4 && each[i] != 8) return false;
    return true;
}

static void read_places(parts *p, span body)
{
    widths w;
    if (!read_widths(&body, &w)) {
        fail(p, MOPD_E_UNSUPPORTED, p->primary, "stands in a list of places (iloc) of an odd kind");
        return;
    }
    for (uint64_t n = mo_heif_take(&body, w.item); n && mo_heif_left(&body) && p->st == MOPD_OK; n--) {
        const uint32_t item = (uint32_t)mo_heif_take(&body, w.item);
        const uint64_t method = mo_heif_take(&body, w.method) & 15;
        mo_heif_take(&body, 2);
        const uint64_t base = mo_heif_take(&body, w.base), n_extents = mo_heif_take(&body, 2);
        for (uint64_t k = 0; k < n_extents && mo_heif_left(&body); k++) {
            mo_heif_take(&body, w.index);
            const uint64_t offset = mo_heif_take(&body, w.offset), length = mo_heif_take(&body, w.length);
            const span *whole = method ? &p->idat : &p->file;
            const uint64_t start = offset > UINT64_MAX - base ? UINT64_MAX : base + offset;
            read_bytes(p, item, whole, start, n_extents == 1 ? length : UINT64_MAX); /* pieces: refused */
        }
    }
}

/* -- what it comes to ---------------------------------------------------------------------------------------- */

/* The pixels of an item with all that it is made of; more than `most`: it is enough to know that.  0: too many levels. */
static uint64_t all_pixels(const parts *p, uint32_t item, uint64_t most, int level)
{
    const size_t first = references_of(p, item);
    uint64_t *known = refers(p, first, item) ? (uint64_t *)(void *)p->known.data + first : NULL;
    const size *own = size_of(p, item);
    if (level > MO_HEIF_LEVELS) return 0;
    if (known && *known) return *known;
    uint64_t sum = own ? mo_max(pixels_of(own), LEAST_PIXELS) : LEAST_PIXELS;
    for (size_t i = first; refers(p, i, item) && sum <= most; i++) {
        const uint64_t part = all_pixels(p, reference_at(p, i)->to, most, level + 1);
        if (!part) return 0;
        sum += mo_min(part, most + 1);
    }
    if (known) *known = sum;
    return sum;
}

static void check_sum(parts *p, uint64_t most)
{
    const uint64_t none = 0;
    for (size_t i = 0; i < n_references(p); i++) add(p, &p->known, &none, sizeof none);
    if (p->st != MOPD_OK) return;
    const uint64_t all = all_pixels(p, p->primary, most, 1);
    if (!all)
        p->st = mo_fail(MOPD_E_UNSUPPORTED, "%s: item %u is made of parts of parts, more than %d levels deep",
            p->kind, (unsigned)p->primary, MO_HEIF_LEVELS);
    else if (all > most)
        p->st = mo_fail(MOPD_E_UNSUPPORTED,
            "%s: its parts, as often as they are needed, are more than %" PRIu64 " pixels", p->kind, most);
}

/* The one box of this name in meta: of several some readers would take the first, others the last. */
static void read_box(parts *p, const char *name, void (*read)(parts *p, span body))
{
    char kind[4];
    unsigned flags, n = 0;
    span file = p->file, meta, body;
    while (mo_heif_next(&file, kind, &meta)) {
        if (!mo_heif_kind(kind, "meta")) continue;
        mo_heif_version(&meta, &flags);
        while (mo_heif_next(&meta, kind, &body))
            if (mo_heif_kind(kind, name) && n++ == 0) read(p, body);
    }
    if (n > 1 && p->st == MOPD_OK) p->st = mo_fail(MOPD_E_FORMAT, "%s: %u boxes %s", p->kind, n, name);
}

mopd_status mo_heif_parts_check(const void *bytes, size_t n_bytes, uint64_t most_pixels, const char *kind)
{
    const unsigned char *start = bytes, *end = start + n_bytes;
    parts p = {.kind = kind, .file = {start, end}, .idat = {end, end}, .st = MOPD_OK};
    read_box(&p, "pitm", read_primary);
    read_box(&p, "idat", read_idat);
    read_box(&p, "iinf", read_kinds);
    read_box(&p, "iref", read_references);
    read_box(&p, "iprp", read_iprp);
    sort(&p);
    drop_smaller(&p);
    check_pictures(&p);
    read_box(&p, "iloc", read_places);
    if (p.more.size) add(&p, &p.sizes, p.more.data, p.more.size);
    sort(&p);
    drop_smaller(&p);
    if (p.st == MOPD_OK) check_sum(&p, most_pixels);
    mo_buf_free(&p.refers);
    mo_buf_free(&p.sizes);
    mo_buf_free(&p.more);
    mo_buf_free(&p.properties);
    mo_buf_free(&p.alphas);
    mo_buf_free(&p.pictures);
    mo_buf_free(&p.known);
    return p.st;
}
