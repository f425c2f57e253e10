/* SPDX-License-Identifier: MIT
 * heif_parts.c - the parts of a HEIF file's primary picture: tiles of a grid, layers of an overlay, alpha.
 *
 *     iloc, within meta: where each item's bytes are, in the file or in idat
 *     grid: version, flags, rows - 1, columns - 1, width, height
 *     iovl: version, flags, colour (4 x 2), width, height, for each layer x and y; numbers of 2 bytes, of 4 by flags
 *
 * libheif follows references wherever they lead, so that a file of some hundred bytes could ask for itself without end, or for
 * the same picture millions of times.  Before 1.21 it reads, and with alpha writes, beyond its memory where a layer begins left
 * of or above its canvas (CVE-2025-68431), and leaves what is not covered by a grid's tiles as the memory was. */
#include "format/heif_parts.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/wide.h"
#include "format/heif_items.h"

enum { LEAST_PIXELS = 4096 }; /* what a part costs, however small */

/* -- grids and overlays -------------------------------------------------------------------------------------- */

static bool negative(uint64_t x, size_t n_bytes)
{
    return x >> (8 * n_bytes - 1);
}

static void read_overlay(mo_heif_items *p, uint32_t item, mo_heif_span data)
{
    mo_heif_take(&data, 1);
    const size_t each = mo_heif_take(&data, 1) & 1 ? 4 : 2;
    mo_heif_take(&data, 8);
    mo_heif_size s = {item, (uint32_t)mo_heif_take(&data, each), 0};
    s.height = (uint32_t)mo_heif_take(&data, each);
    if (s.width) mo_heif_items_add_size(p, &s);
    while (mo_heif_left(&data) >= each)
        if (negative(mo_heif_take(&data, each), each))
            mo_heif_items_fail(
                p, MOPD_E_UNSUPPORTED, item, "has a layer that begins left of or above its canvas");
}

/* Whether tiles of one size, side by side, cover the grid; one whose size is not known is libheif's to refuse. */
static bool covers(const mo_heif_items *p, const mo_heif_size *grid, uint64_t rows, uint64_t columns)
{
    const mo_heif_size *first = NULL;
    for (size_t i = mo_heif_items_first(p, grid->item); mo_heif_items_refers(p, i, grid->item); i++) {
        const mo_heif_reference *r = mo_heif_items_reference(p, i);
        const mo_heif_size *tile = r->alpha ? NULL : mo_heif_items_size(p, r->to);
        if (!tile) continue;
        if (!first) first = tile;
        if (tile->width != first->width || tile->height != first->height) return false;
    }
    return !first || (first->width * columns >= grid->width && first->height * rows >= grid->height);
}

static void read_grid(mo_heif_items *p, uint32_t item, mo_heif_span data)
{
    mo_heif_take(&data, 1);
    const size_t each = mo_heif_take(&data, 1) & 1 ? 4 : 2;
    const uint64_t rows = mo_heif_take(&data, 1) + 1, columns = mo_heif_take(&data, 1) + 1;
    mo_heif_size s = {item, (uint32_t)mo_heif_take(&data, each), 0};
    s.height = (uint32_t)mo_heif_take(&data, each);
    if (!covers(p, &s, rows, columns))
        mo_heif_items_fail(p, MOPD_E_FORMAT, item, "is a grid that its tiles do not cover");
    if (s.width) mo_heif_items_add_size(p, &s);
}

/* libheif asserts that parts are pictures, and takes alpha to be as large as its picture. */
static void check_reference(mo_heif_items *p, const mo_heif_reference *r)
{
    const mo_heif_size *one = mo_heif_items_size(p, r->from), *other = mo_heif_items_size(p, r->to);
    if (!r->alpha && !mo_heif_items_picture(p, r->to))
        mo_heif_items_fail(p, MOPD_E_FORMAT, r->from, "is made of what is no picture");
    if (!r->alpha || !mo_heif_items_is_alpha(p, r->to)) return;
    if (!one || !other || one->width != other->width || one->height != other->height)
        mo_heif_items_fail(p, MOPD_E_FORMAT, r->from, "has an alpha of another size");
}

static void check_pictures(mo_heif_items *p)
{
    const mo_heif_picture *all = (const mo_heif_picture *)(const void *)p->pictures.data;
    for (size_t i = 1; i < p->pictures.size / sizeof *all; i++)
        if (all[i].item == all[i - 1].item)
            mo_heif_items_fail(p, MOPD_E_FORMAT, all[i].item, "is listed twice");
    for (size_t i = 0; i < mo_heif_items_n_references(p); i++)
        check_reference(p, mo_heif_items_reference(p, i));
}

/* One item's bytes: within the file, or within idat. */
static void read_bytes(mo_heif_items *p, uint32_t item, const mo_heif_span *whole, uint64_t start, uint64_t n)
{
    mo_heif_picture *x = mo_heif_items_picture(p, item);
    if (!x || !(x->grid || x->overlay)) return;
    if (x->seen) {
        mo_heif_items_fail(p, MOPD_E_FORMAT, item, "is in two places");
    } else if (start > mo_heif_left(whole) || n > mo_heif_left(whole) - start) {
        mo_heif_items_fail(p, MOPD_E_FORMAT, item, "lies beyond the file's end");
    } else {
        const mo_heif_span data = {whole->at + start, whole->at + start + n};
        (x->grid ? read_grid : read_overlay)(p, item, data);
    }
    x->seen = true;
}

/* Sizes of numbers in iloc that all versions of libheif understand alike. */
typedef struct widths {
    size_t item, method, base, index, offset, length;
} widths;

static bool read_widths(mo_heif_span *body, widths *w)
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

static void read_places(mo_heif_items *p, mo_heif_span body)
{
    widths w;
    if (!read_widths(&body, &w)) {
        mo_heif_items_fail(
            p, MOPD_E_UNSUPPORTED, p->primary, "stands in a list of places (iloc) of an odd kind");
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
            const mo_heif_span *whole = method ? &p->idat : &p->file;
            const uint64_t start = offset > UINT64_MAX - base ? UINT64_MAX : base + offset;
            read_bytes(p, item, whole, start, n_extents == 1 ? length : UINT64_MAX); /* pieces: refused */
        }
    }
}

/* -- what it comes to ---------------------------------------------------------------------------------------- */

typedef struct sum {
    const mo_heif_items *items;
    uint64_t *
        known; /* for each reference that is an item's first: the item's pixels with its parts, 0: not known yet */
    uint64_t most;
} sum;

/* The pixels of an item with all that it is made of; more than `most`: it is enough to know that.  0: too many levels. */
static uint64_t all_pixels(const sum *s, uint32_t item, int level)
{
    const size_t first = mo_heif_items_first(s->items, item);
    uint64_t *known = mo_heif_items_refers(s->items, first, item) ? s->known + first : NULL;
    const mo_heif_size *own = mo_heif_items_size(s->items, item);
    if (level > MO_HEIF_LEVELS) return 0;
    if (known && *known) return *known;
    uint64_t pixels = own ? mo_wide_max(mo_heif_items_pixels(own), LEAST_PIXELS) : LEAST_PIXELS;
    for (size_t i = first; mo_heif_items_refers(s->items, i, item) && pixels <= s->most; i++) {
        const uint64_t part = all_pixels(s, mo_heif_items_reference(s->items, i)->to, level + 1);
        if (!part) return 0;
        pixels += mo_wide_min(part, s->most + 1);
    }
    if (known) *known = pixels;
    return pixels;
}

static mopd_status check_sum(const mo_heif_items *p, uint64_t most)
{
    sum s = {p, mo_mem_calloc(mo_heif_items_n_references(p), sizeof *s.known), most};
    if (!s.known) return MOPD_E_NOMEM;
    const uint64_t all = all_pixels(&s, p->primary, 1);
    mo_mem_free(s.known);
    if (!all)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: item %u is made of parts of parts, more than %d levels deep",
            p->kind, (unsigned)p->primary, MO_HEIF_LEVELS);
    if (all <= most) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: its parts, as often as they are needed, are more than %" PRIu64 " pixels", p->kind, most);
}

mopd_status mo_heif_parts_check(const void *bytes, size_t n_bytes, uint64_t most_pixels, const char *kind)
{
    mo_heif_items p = {.kind = kind};
    mo_heif_items_read(&p, bytes, n_bytes);
    check_pictures(&p);
    mo_heif_items_box(&p, "iloc", read_places);
    mo_heif_items_sort(&p);
    mopd_status st = p.st == MOPD_OK ? check_sum(&p, most_pixels) : p.st;
    mo_heif_items_free(&p);
    return st;
}
