/* SPDX-License-Identifier: MIT
 * entities.c - references found at each "&" and looked up by name or number. */
#include "token/entities.h"

#include <string.h>

#include "token/entities_table.h"

#define LONGEST 32 /* characters of a name */
#define N_ENTITIES (sizeof entities / sizeof *entities)

uint32_t mo_entities_windows(uint32_t cp)
{
    static const uint16_t of[32] = {0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,
        0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
        0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178};
    return cp - 0x80 < 32 ? of[cp - 0x80] : cp;
}

static mopd_status push(mo_unicode_cps *out, const uint32_t *cp, size_t n)
{
    mopd_status st = mo_unicode_room(out, n);
    if (st != MOPD_OK) return st;
    memcpy(out->cp + out->n, cp, n * sizeof *cp);
    out->n += n;
    return MOPD_OK;
}

/* The entity of the first n characters; NULL for none. */
static const struct entity *find(const uint32_t *text, size_t n)
{
    char name[LONGEST + 1];
    if (n > LONGEST) return NULL;
    for (size_t i = 0; i < n; i++) {
        if (text[i] >= 0x80) return NULL;
        name[i] = (char)text[i];
    }
    name[n] = 0;
    for (size_t low = 0, high = N_ENTITIES; low < high;) {
        const size_t mid = (low + high) / 2;
        const int order = strcmp(entities[mid].name, name);
        if (!order) return &entities[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* ---- numbers ---- */

static int digit(uint32_t c, uint32_t base)
{
    const uint32_t low = c | 32;
    if (c - '0' < 10) return (int)(c - '0');
    return base == 16 && low - 'a' < 6 ? (int)(low - 'a') + 10 : -1;
}

static bool is_dropped(uint32_t cp)
{
    return (cp >= 1 && cp <= 8) || cp == 0xb || (cp >= 0xe && cp <= 0x1f) || (cp >= 0x7f && cp <= 0x9f) ||
           (cp >= 0xfdd0 && cp <= 0xfdef) || (cp & 0xfffe) == 0xfffe;
}

/* "#233", "#xe9" at text: characters of it, 0 for none.  *n_cp: 1, or 0 where it stands for nothing. */
static size_t number(const uint32_t *text, size_t n, uint32_t *cp, size_t *n_cp)
{
    const bool hex = n > 1 && (text[1] | 32) == 'x';
    const uint32_t base = hex ? 16 : 10;
    size_t at = hex ? 2 : 1;
    uint32_t x = 0;
    if (n < 2 || text[0] != '#' || at >= n || digit(text[at], base) < 0) return 0;
    for (; at < n && digit(text[at], base) >= 0; at++)
        x = x > 0x10ffff ? x : x * base + (uint32_t)digit(text[at], base);
    *n_cp = 1;
    if (x == 0 || x > 0x10ffff || (x >= 0xd800 && x <= 0xdfff))
        *cp = 0xfffd;
    else if (x >= 0x80 && x <= 0x9f)
        *cp = mo_entities_windows(x);
    else if (is_dropped(x))
        *n_cp = 0;
    else
        *cp = x;
    return at;
}

/* ---- html.unescape ---- */

static bool ends_name(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\f' || c == ' ' || c == '<' || c == '&' || c == '#' || c == ';';
}

/* The entity that begins at text, of which *used characters are its name and ";"; NULL for none. */
static const struct entity *named(const uint32_t *text, size_t n, size_t *used)
{
    size_t length = 0;
    while (length < n && length < LONGEST && !ends_name(text[length])) length++;
    const bool closed = length < n && text[length] == ';';
    const struct entity *e = length ? find(text, length) : NULL;
    if (e && (closed || e->bare)) {
        *used = length + closed;
        return e;
    }
    for (size_t k = closed ? length : length - (length > 0); k > 1; k--) {
        e = find(text, k);
        *used = k;
        if (e && e->bare) return e;
    }
    return NULL;
}

/* What stands behind an "&": appended; *used characters of it. */
static mopd_status unescape_one(mo_unicode_cps *out, const uint32_t *text, size_t n, size_t *used)
{
    uint32_t cp = 0;
    size_t n_cp = 0;
    if ((*used = number(text, n, &cp, &n_cp))) {
        *used += *used < n && text[*used] == ';';
        return push(out, &cp, n_cp);
    }
    const struct entity *e = named(text, n, used);
    if (e) return push(out, e->cp, e->cp[1] ? 2 : 1);
    *used = 0;
    return push(out, &(uint32_t){'&'}, 1);
}

mopd_status mo_entities_unescape(mo_unicode_cps *out, const mo_unicode_cps *in)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < in->n && st == MOPD_OK;) {
        size_t used = 0;
        if (in->cp[i] == '&')
            st = unescape_one(out, in->cp + i + 1, in->n - i - 1, &used);
        else
            st = push(out, in->cp + i, 1);
        i += 1 + used;
    }
    return st;
}

/* ---- ftfy's ---- */

static bool is_alnum(uint32_t c)
{
    return c - '0' < 10 || (c | 32) - 'a' < 26;
}

/* Capitals; more than one for what has no single one. */
static mopd_status push_upper(mo_unicode_cps *out, uint32_t cp)
{
    static const struct {
        uint32_t cp, upper[3];
    } several[] = {{0xdf, {'S', 'S'}}, {0x149, {0x2bc, 'N'}}, {0xfb00, {'F', 'F'}}, {0xfb01, {'F', 'I'}},
        {0xfb02, {'F', 'L'}}, {0xfb03, {'F', 'F', 'I'}}, {0xfb04, {'F', 'F', 'L'}}};
    for (size_t i = 0; i < sizeof several / sizeof *several; i++)
        if (several[i].cp == cp) return push(out, several[i].upper, several[i].upper[2] ? 3 : 2);
    return push(out, &(uint32_t){mo_unicode_upper(cp)}, 1);
}

/* A name of capitals and digits, ended by ";", whose small letters are an entity. */
static const struct entity *find_capitals(const uint32_t *text, size_t n)
{
    uint32_t low[LONGEST];
    size_t used;
    if (n > LONGEST || named(text, n + 1, &used)) return NULL;
    for (size_t i = 0; i < n; i++) {
        if (text[i] - 'a' < 26) return NULL;
        low[i] = text[i] - 'A' < 26 ? text[i] + 32 : text[i];
    }
    return find(low, n);
}

/* The same for a reference of n characters before its ";"; *found is false where it is none. */
static mopd_status strict_one(mo_unicode_cps *out, const uint32_t *text, size_t n, bool *found)
{
    uint32_t cp = 0;
    size_t n_cp = 0;
    *found = true;
    if (text[0] == '#') {
        *found = number(text, n, &cp, &n_cp) == n && !(n_cp && cp == ';');
        return *found ? push(out, &cp, n_cp) : MOPD_OK;
    }
    const struct entity *e = find(text, n), *small = e ? NULL : find_capitals(text, n);
    if (e) return push(out, e->cp, e->cp[1] ? 2 : 1);
    *found = small != NULL;
    mopd_status st = small ? push_upper(out, small->cp[0]) : MOPD_OK;
    return st == MOPD_OK && small && small->cp[1] ? push_upper(out, small->cp[1]) : st;
}

/* Characters between "&" and ";" of what is written as a reference; 0 for none. */
static size_t written(const uint32_t *text, size_t n)
{
    const size_t first = n && text[0] == '#';
    size_t at = first;
    while (at < n && at - first < 24 && is_alnum(text[at])) at++;
    return at > first && at < n && text[at] == ';' ? at : 0;
}

mopd_status mo_entities_strict(mo_unicode_cps *out, const mo_unicode_cps *in)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < in->n && st == MOPD_OK; i++) {
        const size_t n = in->cp[i] == '&' ? written(in->cp + i + 1, in->n - i - 1) : 0;
        bool found = false;
        if (n) st = strict_one(out, in->cp + i + 1, n, &found);
        if (found)
            i += n + 1;
        else if (st == MOPD_OK)
            st = push(out, in->cp + i, 1);
    }
    return st;
}
