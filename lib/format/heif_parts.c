/* SPDX-License-Identifier: MIT
 * heif_parts.c - the parts of a HEIF file's primary picture: tiles of a grid, layers of an overlay, alpha.
 *
 *     box: size (4), kind (4), body; size 1: 8 bytes of size follow; size 0: to the end
 *     meta (4 bytes of version and flags): pitm, the primary item; iref, items that are made of others (dimg) or are the alpha of
 *     another (auxl); iprp: ipco, properties, of which ispe is a size; ipma, which item has which properties
 *
 * libheif 1.15 follows references wherever they lead, so that a file of some hundred bytes could ask for itself without end, or
 * for the same picture millions of times. */
#include "format/heif_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ints.h"

enum { LEAST_PIXELS = 4096 }; /* what a part costs, however small */

typedef struct span {
    const unsigned char *at, *end;
} span;

typedef struct reference {
    uint32_t from, to;
} reference;

typedef struct size {
    uint32_t item;
    uint64_t pixels;
} size;

typedef struct parts {
    uint32_t primary;
    mo_buf refers;     /* references, sorted by `from` */
    mo_buf sizes;      /* of items that have one, sorted by item */
    mo_buf properties; /* pixels of each property, 0: it is no size */
    mo_buf known;      /* of the item whose references begin here: pixels with its parts, 0: not known yet */
    mopd_status st;
} parts;

/* -- boxes --------------------------------------------------------------------------------------------------- */

static size_t left(const span *s)
{
    return (size_t)(s->end - s->at);
}

/* The next n_bytes as a number; 0 where there are none. */
static uint64_t take(span *s, size_t n_bytes)
{
    uint64_t x = 0;
    if (left(s) < n_bytes) {
        s->at = s->end;
        return 0;
    }
    for (size_t i = 0; i < n_bytes; i++) x = x << 8 | *s->at++;
    return x;
}

/* The next box's kind and body; false: there is none. */
static bool next_box(span *in, char kind[4], span *body)
{
    if (left(in) < 8) return false;
    const unsigned char *start = in->at;
    uint64_t n = take(in, 4);
    memcpy(kind, in->at, 4);
    in->at += 4;
    if (n == 1) n = take(in, 8);
    const uint64_t head = (uint64_t)(in->at - start), all = (uint64_t)(in->end - start);
    if (n == 0 || n > all) n = all;
    if (n < head) return false;
    *body = (span){in->at, start + n};
    in->at = body->end;
    return true;
}

static bool is(const char kind[4], const char *name)
{
    return !memcmp(kind, name, 4);
}

/* Version and flags in front of a body; the version. */
static unsigned version_of(span *body, unsigned *flags)
{
    const uint32_t x = (uint32_t)take(body, 4);
    *flags = x & 0xffffff;
    return x >> 24;
}

/* -- what a file says ---------------------------------------------------------------------------------------- */

static void add(parts *p, mo_buf *list, const void *element, size_t n_bytes)
{
    if (p->st == MOPD_OK) p->st = mo_buf_add(list, element, n_bytes);
}

/* An item is made of those it refers to by dimg; the one that an alpha refers to is made with it. */
static void read_references(parts *p, span body)
{
    unsigned flags;
    const size_t each = version_of(&body, &flags) ? 4 : 2;
    char kind[4];
    span one;
    while (next_box(&body, kind, &one)) {
        const bool alpha = is(kind, "auxl");
        const uint32_t item = (uint32_t)take(&one, each);
        const size_t n = mo_min((size_t)take(&one, 2), left(&one) / each);
        for (size_t i = 0; i < n && (alpha || is(kind, "dimg")); i++) {
            const uint32_t other = (uint32_t)take(&one, each);
            const reference r = {alpha ? other : item, alpha ? item : other};
            add(p, &p->refers, &r, sizeof r);
        }
    }
}

static void read_properties(parts *p, span list)
{
    char kind[4];
    span body;
    unsigned flags;
    p->properties.size = 0;
    while (next_box(&list, kind, &body)) {
        uint64_t pixels = 0;
        if (is(kind, "ispe")) {
            version_of(&body, &flags);
            const uint64_t width = take(&body, 4);
            pixels = width * take(&body, 4);
        }
        add(p, &p->properties, &pixels, sizeof pixels);
    }
}

/* Which item has which properties, counted from 1. */
static void read_sizes(parts *p, span body)
{
    unsigned flags;
    const size_t each = version_of(&body, &flags) ? 4 : 2, wide = flags & 1;
    const uint64_t *pixels = (const uint64_t *)(const void *)p->properties.data;
    const size_t n_pixels = p->properties.size / sizeof *pixels;
    for (uint64_t n = take(&body, 4); n && left(&body); n--) {
        const uint32_t item = (uint32_t)take(&body, each);
        for (uint64_t k = take(&body, 1); k && left(&body); k--) {
            const size_t i = (size_t)take(&body, wide ? 2 : 1) & (wide ? 0x7fff : 0x7f);
            if (!i || i > n_pixels || !pixels[i - 1]) continue;
            const size s = {item, pixels[i - 1]};
            add(p, &p->sizes, &s, sizeof s);
        }
    }
}

/* Properties stand in front of who has them. */
static void read_iprp(parts *p, span body)
{
    char kind[4];
    span inner;
    while (next_box(&body, kind, &inner))
        if (is(kind, "ipco"))
            read_properties(p, inner);
        else if (is(kind, "ipma"))
            read_sizes(p, inner);
}

static void read_meta(parts *p, span body)
{
    char kind[4];
    span inner;
    unsigned flags;
    version_of(&body, &flags);
    while (next_box(&body, kind, &inner))
        if (is(kind, "pitm")) {
            const unsigned version = version_of(&inner, &flags);
            p->primary = (uint32_t)take(&inner, version ? 4 : 2);
        } else if (is(kind, "iref")) {
            read_references(p, inner);
        } else if (is(kind, "iprp")) {
            read_iprp(p, inner);
        }
}

/* -- what it comes to ---------------------------------------------------------------------------------------- */

static int by_from(const void *a, const void *b)
{
    const uint32_t x = ((const reference *)a)->from, y = ((const reference *)b)->from;
    return (x > y) - (x < y);
}

static int by_item(const void *a, const void *b)
{
    const uint32_t x = ((const size *)a)->item, y = ((const size *)b)->item;
    return (x > y) - (x < y);
}

static void sort(parts *p)
{
    if (p->refers.size) qsort(p->refers.data, p->refers.size / sizeof(reference), sizeof(reference), by_from);
    if (p->sizes.size) qsort(p->sizes.data, p->sizes.size / sizeof(size), sizeof(size), by_item);
    const uint64_t none = 0;
    for (size_t i = 0; i < p->refers.size / sizeof(reference); i++) add(p, &p->known, &none, sizeof none);
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

/* An item's own pixels: of several sizes the largest. */
static uint64_t own_pixels(const parts *p, uint32_t item)
{
    const size *sizes = (const size *)(const void *)p->sizes.data;
    const size_t n = p->sizes.size / sizeof *sizes;
    uint64_t most = LEAST_PIXELS;
    for (size_t i = first_of(sizes, n, sizeof *sizes, item); i < n && sizes[i].item == item; i++)
        if (sizes[i].pixels > most) most = sizes[i].pixels;
    return most;
}

/* The pixels of an item with all that it is made of; more than `most`: it is enough to know that.  0: too many levels. */
static uint64_t all_pixels(const parts *p, uint32_t item, uint64_t most, int level)
{
    const reference *refers = (const reference *)(const void *)p->refers.data;
    uint64_t *known = (uint64_t *)(void *)p->known.data;
    const size_t n = p->refers.size / sizeof *refers, first = first_of(refers, n, sizeof *refers, item);
    uint64_t sum = own_pixels(p, item);
    if (level > MO_HEIF_LEVELS) return 0;
    if (first < n && refers[first].from == item && known[first]) return known[first];
    for (size_t i = first; i < n && refers[i].from == item && sum <= most; i++) {
        const uint64_t part = all_pixels(p, refers[i].to, most, level + 1);
        if (!part) return 0;
        sum += mo_min(part, most + 1);
    }
    if (first < n && refers[first].from == item) known[first] = sum;
    return sum;
}

static mopd_status check(parts *p, uint64_t most, const char *kind)
{
    sort(p);
    if (p->st != MOPD_OK) return p->st;
    const uint64_t all = all_pixels(p, p->primary, most, 1);
    if (!all)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: item %u is made of parts of parts, more than %d levels deep",
            kind, (unsigned)p->primary, MO_HEIF_LEVELS);
    if (all <= most) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: its parts, as often as they are needed, are more than %" PRIu64 " pixels", kind, most);
}

mopd_status mo_heif_parts_check(const void *bytes, size_t n_bytes, uint64_t most_pixels, const char *kind)
{
    parts p = {.st = MOPD_OK};
    span file = {bytes, (const unsigned char *)bytes + n_bytes}, body;
    char name[4];
    while (next_box(&file, name, &body))
        if (is(name, "meta")) read_meta(&p, body);
    mopd_status st = check(&p, most_pixels, kind);
    mo_buf_free(&p.refers);
    mo_buf_free(&p.sizes);
    mo_buf_free(&p.properties);
    mo_buf_free(&p.known);
    return st;
}
