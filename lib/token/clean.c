/* SPDX-License-Identifier: MIT
 * clean.c - ftfy's steps on rows of code points, line by line and again until nothing changes, then Python's. */
#include "token/clean.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "token/entities.h"

#define SEGMENT 1000000 /* most characters that ftfy looks at together */

/* The text at work, and room for what comes of it. */
typedef struct rows {
    mo_unicode_cps a, b, was;
    mo_buf utf8;
} rows;

static void rows_free(rows *r)
{
    mo_mem_free(r->a.cp);
    mo_mem_free(r->b.cp);
    mo_mem_free(r->was.cp);
    mo_buf_free(&r->utf8);
}

static void swap(rows *r)
{
    const mo_unicode_cps t = r->a;
    r->a = r->b;
    r->b = t;
    r->b.n = 0;
}

static mopd_status push(mo_unicode_cps *out, uint32_t cp)
{
    mopd_status st = mo_unicode_room(out, 1);
    if (st == MOPD_OK) out->cp[out->n++] = cp;
    return st;
}

static mopd_status push_all(mo_unicode_cps *out, const uint32_t *cp, size_t n)
{
    mopd_status st = mo_unicode_room(out, n);
    if (st != MOPD_OK) return st;
    if (n) memcpy(out->cp + out->n, cp, n * sizeof *cp);
    out->n += n;
    return MOPD_OK;
}

static mopd_status read_utf8(mo_unicode_cps *out, const char *text, size_t n)
{
    mopd_status st = mo_unicode_room(out, n);
    for (size_t at = 0; at < n && st == MOPD_OK;) {
        const int32_t cp = mo_utf8_next(text, n, &at);
        if (cp < 0) return mo_fail(MOPD_E_FORMAT, "byte %zu is not UTF-8", at);
        st = push(out, (uint32_t)cp);
    }
    return st;
}

static mopd_status write_utf8(mo_buf *out, const mo_unicode_cps *in)
{
    out->size = 0;
    if (!mo_buf_room(out, 4 * in->n)) return MOPD_E_NOMEM;
    for (size_t i = 0; i < in->n; i++) out->size += mo_utf8_put(in->cp[i], out->data + out->size);
    return MOPD_OK;
}

/* ---- ftfy's steps ---- */

static const struct {
    uint32_t cp, to[3];
} ligatures[] = {{0x132, {'I', 'J'}}, {0x133, {'i', 'j'}}, {0x149, {0x2bc, 'n'}}, {0x1c4, {'D', 0x17d}},
    {0x1c5, {'D', 0x17e}}, {0x1c6, {'d', 0x17e}}, {0x1c7, {'L', 'J'}}, {0x1c8, {'L', 'j'}},
    {0x1c9, {'l', 'j'}}, {0x1ca, {'N', 'J'}}, {0x1cb, {'N', 'j'}}, {0x1cc, {'n', 'j'}}, {0x1f1, {'D', 'Z'}},
    {0x1f2, {'D', 'z'}}, {0x1f3, {'d', 'z'}}, {0xfb00, {'f', 'f'}}, {0xfb01, {'f', 'i'}},
    {0xfb02, {'f', 'l'}}, {0xfb03, {'f', 'f', 'i'}}, {0xfb04, {'f', 'f', 'l'}}, {0xfb05, {0x17f, 't'}},
    {0xfb06, {'s', 't'}}};

/* NFKC of U+FF5F .. U+FFEF; 0: itself.  U+FFE3 is two characters. */
static const uint16_t widths[] = {0x2985, 0x2986, 0x3002, 0x300c, 0x300d, 0x3001, 0x30fb, 0x30f2, 0x30a1,
    0x30a3, 0x30a5, 0x30a7, 0x30a9, 0x30e3, 0x30e5, 0x30e7, 0x30c3, 0x30fc, 0x30a2, 0x30a4, 0x30a6, 0x30a8,
    0x30aa, 0x30ab, 0x30ad, 0x30af, 0x30b1, 0x30b3, 0x30b5, 0x30b7, 0x30b9, 0x30bb, 0x30bd, 0x30bf, 0x30c1,
    0x30c4, 0x30c6, 0x30c8, 0x30ca, 0x30cb, 0x30cc, 0x30cd, 0x30ce, 0x30cf, 0x30d2, 0x30d5, 0x30d8, 0x30db,
    0x30de, 0x30df, 0x30e0, 0x30e1, 0x30e2, 0x30e4, 0x30e6, 0x30e8, 0x30e9, 0x30ea, 0x30eb, 0x30ec, 0x30ed,
    0x30ef, 0x30f3, 0x3099, 0x309a, 0x1160, 0x1100, 0x1101, 0x11aa, 0x1102, 0x11ac, 0x11ad, 0x1103, 0x1104,
    0x1105, 0x11b0, 0x11b1, 0x11b2, 0x11b3, 0x11b4, 0x11b5, 0x111a, 0x1106, 0x1107, 0x1108, 0x1121, 0x1109,
    0x110a, 0x110b, 0x110c, 0x110d, 0x110e, 0x110f, 0x1110, 0x1111, 0x1112, 0, 0, 0, 0x1161, 0x1162, 0x1163,
    0x1164, 0x1165, 0x1166, 0, 0, 0x1167, 0x1168, 0x1169, 0x116a, 0x116b, 0x116c, 0, 0, 0x116d, 0x116e,
    0x116f, 0x1170, 0x1171, 0x1172, 0, 0, 0x1173, 0x1174, 0x1175, 0, 0, 0, 0xa2, 0xa3, 0xac, 0x20, 0xa6, 0xa5,
    0x20a9, 0, 0x2502, 0x2190, 0x2191, 0x2192, 0x2193, 0x25a0, 0x25cb, 0};

static uint32_t width_of(uint32_t cp)
{
    if (cp == 0x3000) return ' ';
    if (cp - 0xff01 < 0x5e) return cp - 0xfee0;
    const uint32_t at = cp - 0xff5f;
    return at < sizeof widths / sizeof *widths && widths[at] ? widths[at] : cp;
}

static bool is_single_quote(uint32_t cp)
{
    return cp == 0x2bc || cp - 0x2018 < 4;
}

static uint32_t line_end_of(uint32_t cp)
{
    return cp == '\r' || cp == 0x2028 || cp == 0x2029 || cp == 0x85 ? '\n' : cp;
}

static bool is_control(uint32_t cp)
{
    return cp < 9 || cp == 0xb || cp - 0xe < 0x12 || cp == 0x7f || cp - 0x206a < 6 || cp == 0xfeff ||
           cp - 0xfff9 < 4;
}

/* Windows-1252, ligatures, widths, quotes: each of one character. */
static mopd_status replace(mo_unicode_cps *out, uint32_t cp)
{
    cp = mo_entities_windows(cp);
    for (size_t i = 0; i < sizeof ligatures / sizeof *ligatures && cp >= 0x132; i++) {
        if (ligatures[i].cp != cp) continue;
        mopd_status st = replace(out, ligatures[i].to[0]);
        if (st == MOPD_OK) st = push(out, ligatures[i].to[1]);
        return st == MOPD_OK && ligatures[i].to[2] ? push(out, ligatures[i].to[2]) : st;
    }
    if (cp == 0xffe3) {
        mopd_status st = push(out, ' ');
        return st == MOPD_OK ? push(out, 0x304) : st;
    }
    cp = width_of(cp);
    if (is_single_quote(cp)) cp = '\'';
    if (cp - 0x201c < 4) cp = '"';
    return push(out, cp);
}

/* Characters of a terminal's escape sequence at text, 0 for none: ESC [ digits and ";" letter. */
static size_t escape_at(const uint32_t *text, size_t n)
{
    if (n < 3 || text[0] != 0x1b || text[1] != '[') return 0;
    size_t at = 2;
    while (at < n && (text[at] - '0' < 10 || text[at] == ';')) at++;
    return at < n && (text[at] | 32) - 'a' < 26 ? at + 1 : 0;
}

/* Line ends, then escape sequences and control characters left out, in place. */
static void drop(mo_unicode_cps *x)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++) {
        if (x->cp[i] == '\r' && i + 1 < x->n && x->cp[i + 1] == '\n') continue;
        x->cp[n++] = line_end_of(x->cp[i]);
    }
    x->n = n;
    n = 0;
    for (size_t i = 0; i < x->n;) {
        const size_t escape = escape_at(x->cp + i, x->n - i);
        if (!escape) x->cp[n++] = x->cp[i];
        i += escape ? escape : 1;
    }
    x->n = n;
    n = 0;
    for (size_t i = 0; i < x->n; i++)
        if (!is_control(x->cp[i])) x->cp[n++] = x->cp[i];
    x->n = n;
}

/* One turn of all steps on r->a. */
static mopd_status fix_once(rows *r, bool entities)
{
    mopd_status st = MOPD_OK;
    r->b.n = 0;
    if (entities) {
        if ((st = mo_entities_strict(&r->b, &r->a)) != MOPD_OK) return st;
        swap(r);
    }
    for (size_t i = 0; i < r->a.n && st == MOPD_OK; i++) st = replace(&r->b, r->a.cp[i]);
    if (st != MOPD_OK) return st;
    swap(r);
    drop(&r->a);
    if ((st = write_utf8(&r->utf8, &r->a)) != MOPD_OK) return st;
    return mo_unicode_nfc_newest(r->utf8.data, r->utf8.size, &r->a);
}

/* r->a as ftfy leaves one line. */
static mopd_status fix_segment(rows *r, bool entities)
{
    for (;;) {
        r->was.n = 0;
        mopd_status st = push_all(&r->was, r->a.cp, r->a.n);
        if (st == MOPD_OK) st = fix_once(r, entities);
        if (st != MOPD_OK) return st;
        if (r->a.n == r->was.n && !memcmp(r->a.cp, r->was.cp, r->a.n * sizeof *r->a.cp)) return MOPD_OK;
    }
}

/* Appends the fixed text to out.  From a line with "<" on, entities are left to html.unescape. */
static mopd_status fix_text(mo_unicode_cps *out, const mo_unicode_cps *in, rows *r)
{
    bool entities = true;
    mopd_status st = MOPD_OK;
    for (size_t at = 0, end; at < in->n && st == MOPD_OK; at = end) {
        for (end = at + 1; end < in->n && in->cp[end - 1] != '\n' && end - at < SEGMENT; end++) continue;
        for (size_t i = at; i < end; i++)
            if (in->cp[i] == '<') entities = false;
        r->a.n = 0;
        if ((st = push_all(&r->a, in->cp + at, end - at)) == MOPD_OK) st = fix_segment(r, entities);
        if (st == MOPD_OK) st = push_all(out, r->a.cp, r->a.n);
    }
    return st;
}

/* ---- Python's steps ---- */

static bool is_space(uint32_t cp)
{
    return mo_unicode_class(cp) == MO_U_SPACE || cp - 0x1c < 4;
}

/* One blank for each run of white space, none at the ends, in place. */
static void join_words(mo_unicode_cps *x)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++) {
        const bool space = is_space(x->cp[i]);
        if (!space)
            x->cp[n++] = x->cp[i];
        else if (n && x->cp[n - 1] != ' ')
            x->cp[n++] = ' ';
    }
    x->n = n && x->cp[n - 1] == ' ' ? n - 1 : n;
}

/* Whether a cased letter is the next that counts, forwards or backwards. */
static bool cased_next(const mo_unicode_cps *x, size_t i, bool forwards)
{
    for (;;) {
        if (forwards ? i + 1 >= x->n : i == 0) return false;
        i = forwards ? i + 1 : i - 1;
        const mo_ucase kind = mo_unicode_case(x->cp[i]);
        if (kind != MO_U_IGNORABLE) return kind == MO_U_CASED;
    }
}

static mopd_status lower_text(mo_unicode_cps *out, const mo_unicode_cps *in)
{
    mopd_status st = mo_unicode_room(out, in->n);
    for (size_t i = 0; i < in->n && st == MOPD_OK; i++) {
        uint32_t low[2];
        size_t n = mo_unicode_lower(in->cp[i], low);
        if (in->cp[i] == 0x3a3 && cased_next(in, i, false) && !cased_next(in, i, true)) low[0] = 0x3c2;
        st = push_all(out, low, n);
    }
    return st;
}

/* Characters of Python's string.punctuation left out, in place. */
static void drop_punctuation(mo_unicode_cps *x)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        if (x->cp[i] <= ' ' || x->cp[i] >= 0x7f || mo_unicode_class(x->cp[i]) != MO_U_OTHER)
            x->cp[n++] = x->cp[i];
    x->n = n;
}

static void blank_low_lines(mo_unicode_cps *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->cp[i] == '_') x->cp[i] = ' ';
}

/* ftfy and html.unescape, which all of open_clip's cleanings begin with; from x into x, with y as room. */
static mopd_status clean_basic(mo_unicode_cps *x, mo_unicode_cps *y)
{
    rows r = {0};
    mopd_status st = fix_text(y, x, &r);
    x->n = 0;
    if (st == MOPD_OK) st = mo_entities_unescape(x, y);
    y->n = 0;
    if (st == MOPD_OK) st = mo_entities_unescape(y, x);
    rows_free(&r);
    const mo_unicode_cps t = *x;
    *x = *y;
    *y = t;
    return st;
}

/* x in lower case, with y as room. */
static mopd_status clean_case(mo_unicode_cps *x, mo_unicode_cps *y)
{
    y->n = 0;
    const mopd_status st = lower_text(y, x);
    const mo_unicode_cps t = *x;
    *x = *y;
    *y = t;
    return st;
}

mopd_status mo_clean_text(mo_buf *out, const char *text, size_t n_bytes, mo_clean_case to)
{
    mo_unicode_cps x = {0}, y = {0};
    mopd_status st = read_utf8(&x, text, n_bytes);
    if (st == MOPD_OK) st = clean_basic(&x, &y);
    if (to == MO_CLEAN_CANONICAL) {
        blank_low_lines(&x);
        drop_punctuation(&x);
    } else {
        join_words(&x);
    }
    if (st == MOPD_OK && to != MO_CLEAN_AS_IS) st = clean_case(&x, &y);
    if (to == MO_CLEAN_CANONICAL) join_words(&x);
    if (st == MOPD_OK) st = write_utf8(out, &x);
    mo_mem_free(x.cp);
    mo_mem_free(y.cp);
    return st;
}

mopd_status mo_clean_siglip(mo_buf *out, const char *text, size_t n_bytes, bool lower)
{
    mo_unicode_cps x = {0}, y = {0};
    mopd_status st = read_utf8(&x, text, n_bytes);
    if (st == MOPD_OK && lower) st = clean_case(&x, &y);
    drop_punctuation(&x);
    join_words(&x);
    if (st == MOPD_OK) st = write_utf8(out, &x);
    mo_mem_free(x.cp);
    mo_mem_free(y.cp);
    return st;
}

mopd_status mo_clean_apostrophes(mo_buf *out, const char *text, size_t n_bytes)
{
    out->size = 0;
    if (!mo_buf_room(out, n_bytes)) return MOPD_E_NOMEM;
    for (size_t at = 0; at < n_bytes;) {
        const size_t from = at;
        const int32_t cp = mo_utf8_next(text, n_bytes, &at);
        if (cp < 0) return mo_fail(MOPD_E_FORMAT, "byte %zu is not UTF-8", at);
        if (is_single_quote((uint32_t)cp)) {
            out->data[out->size++] = '\'';
        } else {
            memcpy(out->data + out->size, text + from, at - from);
            out->size += at - from;
        }
    }
    return MOPD_OK;
}
