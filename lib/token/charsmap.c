/* SPDX-License-Identifier: MIT
 * charsmap.c - walks through the trie of a compiled map, each step checked against its end. */
#include "token/charsmap.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/utf8.h"

#define CLUSTER 6              /* bytes from which on a cluster is not looked up whole */
#define LONGEST ((size_t)1024) /* bytes of a rule's two sides; those of NFKC have 33 */

static uint32_t unit_at(const mo_charsmap *map, size_t i)
{
    const unsigned char *p = map->unit + 4 * i;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool is_rule(uint32_t unit)
{
    return unit >> 8 & 1;
}

static size_t step_of(uint32_t unit)
{
    return (size_t)(unit >> 10) << (unit >> 6 & 8);
}

/* The text of a rule ends at a zero or at the end of all. */
static size_t length_of(const mo_charsmap *map, size_t place)
{
    const size_t most = mo_min(map->n_text - place, LONGEST + 1);
    const char *end = memchr(map->text + place, 0, most);
    return end ? (size_t)(end - (map->text + place)) : most;
}

/* The places and lengths of all texts, so that no walk has to look and no character becomes megabytes. */
static mopd_status check_rules(const mo_charsmap *map, const char *name)
{
    for (size_t i = 0; i < map->n_units; i++) {
        const uint32_t unit = unit_at(map, i);
        if (unit >> 31 || !is_rule(unit)) continue; /* bit 31: itself the place of a text */
        const size_t at = i ^ step_of(unit);
        const size_t text = at < map->n_units ? unit_at(map, at) & 0x7fffffff : SIZE_MAX;
        if (text >= map->n_text || ((unsigned char)map->text[text] & 0xc0) == 0x80)
            return mo_fail(MOPD_E_FORMAT, "%s: the rule of unit %zu points outside the texts", name, i);
        if (length_of(map, text) > LONGEST)
            return mo_fail(MOPD_E_UNSUPPORTED,
                "%s: the text of the rule of unit %zu is longer than %zu bytes", name, i, LONGEST);
    }
    return MOPD_OK;
}

mopd_status mo_charsmap_open(mo_charsmap *map, const void *bytes, size_t n_bytes, const char *name)
{
    *map = (mo_charsmap){0};
    if (!n_bytes) return MOPD_OK;
    if (n_bytes < 4) return mo_fail(MOPD_E_FORMAT, "%s: a map of characters of %zu bytes", name, n_bytes);
    const mo_charsmap head = {bytes, 1, NULL, 0};
    const size_t n_trie = unit_at(&head, 0);
    if (n_trie % 4 || n_trie < 4 || n_trie > n_bytes - 4)
        return mo_fail(
            MOPD_E_FORMAT, "%s: a map of characters of %zu bytes with a trie of %zu", name, n_bytes, n_trie);
    map->unit = (const unsigned char *)bytes + 4;
    map->n_units = n_trie / 4;
    map->text = (const char *)bytes + 4 + n_trie;
    map->n_text = n_bytes - 4 - n_trie;
    const size_t good = mo_utf8_prefix(map->text, map->n_text);
    if (good != map->n_text)
        return mo_fail(
            MOPD_E_FORMAT, "%s: the texts of the map of characters are not UTF-8 at byte %zu", name, good);
    return check_rules(map, name);
}

/* The rules that begin text: the shortest, or the longest. */
static size_t find(const mo_charsmap *map, const char *text, size_t n, bool shortest, size_t *place)
{
    size_t length = 0;
    if (!map->n_units) return 0;
    size_t node = step_of(unit_at(map, 0));
    for (size_t i = 0; i < n && i < LONGEST && text[i]; i++) {
        const unsigned char byte = (unsigned char)text[i];
        node ^= byte;
        if (node >= map->n_units) break;
        const uint32_t unit = unit_at(map, node);
        if ((unit & 0x800000ff) != byte) break;
        node ^= step_of(unit);
        if (!is_rule(unit)) continue;
        *place = unit_at(map, node) & 0x7fffffff;
        length = i + 1;
        if (shortest) break;
    }
    return length;
}

size_t mo_charsmap_longest(const mo_charsmap *map, const char *text, size_t n, const char **to, size_t *n_to)
{
    size_t place = 0;
    const size_t length = find(map, text, n, false, &place);
    if (!length) return 0;
    *to = map->text + place;
    *n_to = length_of(map, place);
    return length;
}

/* Appends the text of the shortest rule that begins a part; false when there is none. */
static bool replace(const mo_charsmap *map, const char *part, size_t n, mo_buf *out, mopd_status *st)
{
    size_t place = 0;
    if (!find(map, part, n, true, &place)) return false;
    *st = mo_buf_add(out, map->text + place, length_of(map, place));
    return true;
}

static mopd_status add_characters(const mo_charsmap *map, const char *part, size_t n, mo_buf *out)
{
    mopd_status st = MOPD_OK;
    for (size_t at = 0; at < n && st == MOPD_OK;) {
        const size_t from = at;
        if (mo_utf8_next(part, n, &at) < 0) return mo_fail(MOPD_E_INTERNAL, "a cluster is not UTF-8");
        if (!replace(map, part + from, at - from, out, &st)) st = mo_buf_add(out, part + from, at - from);
    }
    return st;
}

mopd_status mo_charsmap_clusters(const mo_charsmap *map, const char *text, size_t n, mo_buf *out)
{
    mopd_status st = MOPD_OK;
    if (!map->n_units) return mo_buf_add(out, text, n);
    for (size_t at = 0, end; at < n && st == MOPD_OK; at = end) {
        end = at + mo_unicode_cluster(text + at, n - at);
        const bool whole = end - at < CLUSTER && replace(map, text + at, end - at, out, &st);
        if (!whole) st = add_characters(map, text + at, end - at, out);
    }
    return st;
}
