/* SPDX-License-Identifier: MIT
 * unicode.c - NFC, lower case and character classes; the only file that sees utf8proc.
 *
 * utf8proc knows more characters than the reference's NFC (Unicode 9).  Those it would move or join are
 * "barriers": the reference takes them for plain starters that nothing composes with, so a text may be cut
 * there and each part normalised alone. */
#include "token/unicode.h"

#include <string.h>
#include <utf8proc.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "token/unicode_tables.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* The index of the range of a table that holds cp, COUNT(table) when none does. */
#define FIND(table, cp, found)                                                                               \
    do {                                                                                                     \
        size_t low_ = 0, high_ = COUNT(table);                                                               \
        while (low_ < high_) {                                                                               \
            size_t mid_ = (low_ + high_) / 2;                                                                \
            if ((table)[mid_].last < (cp))                                                                   \
                low_ = mid_ + 1;                                                                             \
            else                                                                                             \
                high_ = mid_;                                                                                \
        }                                                                                                    \
        (found) = low_ < COUNT(table) && (table)[low_].first <= (cp) ? low_ : COUNT(table);                  \
    } while (0)

mo_uclass mo_unicode_class(uint32_t cp)
{
    if (cp < 0x80) {
        if ((cp | 32) - 'a' < 26) return MO_U_LETTER;
        if (cp - '0' < 10) return MO_U_NUMBER;
        return cp == ' ' || cp - 9 < 5 ? MO_U_SPACE : MO_U_OTHER;
    }
    size_t found;
    FIND(class_ranges, cp, found);
    if (found < COUNT(class_ranges)) return class_ranges[found].class;
    switch (utf8proc_category((utf8proc_int32_t)cp)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return MO_U_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return MO_U_NUMBER;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return MO_U_SPACE;
    default:
        return MO_U_OTHER;
    }
}

size_t mo_unicode_lower(uint32_t cp, uint32_t out[2])
{
    out[0] = cp;
    if (cp < 0x80) {
        if (cp - 'A' < 26) out[0] = cp + 32;
        return 1;
    }
    if (cp == 0x130) { /* capital i with dot: the only one that grows */
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    size_t found;
    FIND(lower_ranges, cp, found);
    if (found < COUNT(lower_ranges))
        out[0] = (uint32_t)((int32_t)cp + lower_ranges[found].add);
    else
        out[0] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
    return 1;
}

uint32_t mo_unicode_upper(uint32_t cp)
{
    return (uint32_t)utf8proc_toupper((utf8proc_int32_t)cp);
}

static bool is_among(uint32_t cp, const uint32_t (*range)[2], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cp - range[i][0] <= range[i][1] - range[i][0]) return true;
    return false;
}

mo_ucase mo_unicode_case(uint32_t cp)
{
    static const uint32_t ignored[][2] = {{0x27, 0x27}, {0x2e, 0x2e}, {0x3a, 0x3a}, {0xb7, 0xb7},
        {0x387, 0x387}, {0x55f, 0x55f}, {0x5f4, 0x5f4}, {0x2018, 0x2019}, {0x2024, 0x2024}, {0x2027, 0x2027},
        {0xfe13, 0xfe13}, {0xfe52, 0xfe52}, {0xfe55, 0xfe55}, {0xff07, 0xff07}, {0xff0e, 0xff0e},
        {0xff1a, 0xff1a}};
    static const uint32_t cased[][2] = {{0xaa, 0xaa}, {0xba, 0xba}, {0x2160, 0x217f}, {0x24b6, 0x24e9},
        {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189}};
    if (is_among(cp, ignored, COUNT(ignored))) return MO_U_IGNORABLE;
    if (is_among(cp, cased, COUNT(cased))) return MO_U_CASED;
    switch (utf8proc_category((utf8proc_int32_t)cp)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
        return MO_U_IGNORABLE;
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
        return MO_U_CASED;
    default:
        return MO_U_UNCASED;
    }
}

size_t mo_unicode_cluster(const char *text, size_t n)
{
    size_t at = 0, next;
    utf8proc_int32_t state = 0, before = mo_utf8_next(text, n, &at);
    if (before < 0) return mo_min(n, 1);
    for (; at < n; at = next) {
        next = at;
        const int32_t cp = mo_utf8_next(text, n, &next);
        if (cp < 0 || utf8proc_grapheme_break_stateful(before, cp, &state)) break;
        before = cp;
    }
    return at;
}

mopd_status mo_unicode_room(mo_unicode_cps *cps, size_t n)
{
    size_t need;
    if (!mo_add(cps->n, n, &need))
        return mo_fail(MOPD_E_NOMEM, "out of memory: %zu + %zu characters", cps->n, n);
    if (need <= cps->cap) return MOPD_OK;
    size_t cap = cps->cap + cps->cap / 2;
    if (cap < need) cap = need;
    uint32_t *cp = mo_mem_realloc(cps->cp, cap, sizeof *cp);
    if (!cp) return MOPD_E_NOMEM;
    cps->cp = cp;
    cps->cap = cap;
    return MOPD_OK;
}

static bool is_barrier(uint32_t cp)
{
    size_t found;
    FIND(barrier_ranges, cp, found);
    return found < COUNT(barrier_ranges);
}

static unsigned ccc(uint32_t cp)
{
    return (unsigned)utf8proc_get_property((utf8proc_int32_t)cp)->combining_class;
}

/* Sorts n marks by combining class, equal ones kept in order; spare has room for n. */
static void sort_marks(uint32_t *mark, size_t n, uint32_t *spare)
{
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++) sorted = ccc(mark[i - 1]) <= ccc(mark[i]);
    if (sorted) return;
    size_t count[257] = {0};
    for (size_t i = 0; i < n; i++) count[ccc(mark[i]) + 1]++;
    for (size_t k = 1; k < 257; k++) count[k] += count[k - 1];
    for (size_t i = 0; i < n; i++) spare[count[ccc(mark[i])]++] = mark[i];
    memcpy(mark, spare, n * sizeof *mark);
}

/* Canonical order and composition of cps[first .. n), already decomposed. */
static mopd_status compose(mo_unicode_cps *cps, size_t first)
{
    size_t n = cps->n - first;
    if (n < 2) return MOPD_OK;
    mopd_status st = mo_unicode_room(cps, n);
    if (st != MOPD_OK) return st;
    uint32_t *cp = cps->cp + first;
    for (size_t i = 0; i < n; i++) {
        size_t start = i;
        while (i < n && ccc(cp[i])) i++;
        if (i - start > 1) sort_marks(cp + start, i - start, cp + n);
    }
    utf8proc_ssize_t left = utf8proc_normalize_utf32(
        (utf8proc_int32_t *)cp, (utf8proc_ssize_t)n, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    cps->n = first + (size_t)left;
    return MOPD_OK;
}

/* Appends the full canonical decomposition of cp: at most 4 code points in Unicode. */
static mopd_status decompose(mo_unicode_cps *cps, uint32_t cp)
{
    mopd_status st = mo_unicode_room(cps, 18);
    if (st != MOPD_OK) return st;
    int last = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, (utf8proc_int32_t *)cps->cp + cps->n,
        18, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &last);
    if (n < 1 || n > 18) return mo_fail(MOPD_E_INTERNAL, "U+%04X does not decompose", (unsigned)cp);
    cps->n += (size_t)n;
    return MOPD_OK;
}

static mopd_status nfc(const char *text, size_t n_bytes, mo_unicode_cps *cps, bool newest)
{
    cps->n = 0;
    mopd_status st = mo_unicode_room(cps, n_bytes + 18);
    size_t first = 0; /* of the part since the last barrier */
    for (size_t at = 0; st == MOPD_OK && at < n_bytes;) {
        int32_t next = mo_utf8_next(text, n_bytes, &at);
        if (next < 0) return mo_fail(MOPD_E_FORMAT, "byte %zu is not UTF-8", at);
        uint32_t cp = (uint32_t)next;
        if (cp >= 0xc0) {
            if (newest || !is_barrier(cp)) {
                st = decompose(cps, cp);
                continue;
            }
            if ((st = compose(cps, first)) != MOPD_OK || (st = mo_unicode_room(cps, 1)) != MOPD_OK) break;
            first = cps->n + 1;
        } else if ((st = mo_unicode_room(cps, 1)) != MOPD_OK) {
            break;
        }
        cps->cp[cps->n++] = cp;
    }
    return st == MOPD_OK ? compose(cps, first) : st;
}

mopd_status mo_unicode_nfc(const char *text, size_t n_bytes, mo_unicode_cps *cps)
{
    return nfc(text, n_bytes, cps, false);
}

mopd_status mo_unicode_nfc_newest(const char *text, size_t n_bytes, mo_unicode_cps *cps)
{
    return nfc(text, n_bytes, cps, true);
}
