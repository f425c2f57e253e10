/* SPDX-License-Identifier: MIT
 * tokenizer_scan.c - a reader of strings, small numbers and brackets; no more JSON than a tokenizer.json needs. */
#include "token/tokenizer_scan.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/utf8.h"

static void skip_space(mo_tokenizer_scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r')) s->at++;
}

/* Steps over c if it comes next. */
static bool take(mo_tokenizer_scan *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

/* Steps over a string; word is what stands between its quotes, escapes and all. */
static bool take_raw(mo_tokenizer_scan *s, mo_word *word)
{
    if (!take(s, '"')) return false;
    word->text = s->at;
    for (; s->at < s->end && *s->at != '"'; s->at++)
        if (*s->at == '\\' && ++s->at == s->end) return false;
    word->n_bytes = (size_t)(s->at - word->text);
    return s->at++ < s->end;
}

/* Four hexadecimal digits. */
static bool hex4(const char *p, const char *end, uint32_t *out)
{
    *out = 0;
    if (end - p < 4) return false;
    for (int i = 0; i < 4; i++) {
        uint32_t digit = (unsigned char)p[i], low = digit | 32;
        if (digit - '0' < 10)
            digit -= '0';
        else if (low - 'a' < 6)
            digit = low - 'a' + 10;
        else
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

/* Steps over a string and writes what it means over it.  No surrogates, no zero. */
static bool take_string(mo_tokenizer_scan *s, mo_word *word)
{
    if (!take(s, '"')) return false;
    char *out = s->at;
    word->text = out;
    while (s->at < s->end && *s->at != '"') {
        unsigned char c = (unsigned char)*s->at;
        if (c < 0x20) return false;
        if (c >= 0x80) {
            size_t n = 0;
            if (mo_utf8_next(s->at, (size_t)(s->end - s->at), &n) < 0) return false;
            memmove(out, s->at, n);
            out += n;
            s->at += n;
        } else if (c != '\\') {
            *out++ = *s->at++;
        } else {
            uint32_t cp;
            if (s->end - s->at < 2) return false;
            char kind = s->at[1];
            s->at += 2;
            if (kind == '"' || kind == '\\' || kind == '/')
                *out++ = kind;
            else if (kind != 'u' || !hex4(s->at, s->end, &cp) || !cp || (cp >= 0xd800 && cp < 0xe000))
                return false;
            else {
                out += mo_utf8_put(cp, out);
                s->at += 4;
            }
        }
    }
    word->n_bytes = (size_t)(out - word->text);
    return s->at++ < s->end;
}

/* A number from 0 to 9999999. */
static bool take_id(mo_tokenizer_scan *s, uint32_t *id)
{
    skip_space(s);
    char *first = s->at;
    for (*id = 0; s->at < s->end && *s->at >= '0' && *s->at <= '9' && s->at - first < 8; s->at++)
        *id = *id * 10 + (uint32_t)(*s->at - '0');
    size_t n = (size_t)(s->at - first);
    return n > 0 && n < 8 && (n == 1 || *first != '0');
}

/* Steps over any value; what it holds is the tree's affair. */
static bool skip_value(mo_tokenizer_scan *s)
{
    size_t depth = 0;
    do {
        mo_word word;
        skip_space(s);
        if (s->at == s->end) return false;
        char c = *s->at;
        if (c == '"') {
            if (!take_raw(s, &word)) return false;
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']') {
            if (!depth--) return false;
        } else if (!depth) {
            while (s->at < s->end && !strchr(",}] \n\t\r", *s->at)) s->at++;
            return true;
        }
        s->at++;
    } while (depth);
    return true;
}

static bool is(const mo_word *word, const char *text)
{
    return word->n_bytes == strlen(text) && !memcmp(word->text, text, word->n_bytes);
}

/* Steps into an object up to the value of a key. */
static bool enter(mo_tokenizer_scan *s, const char *key)
{
    mo_word word;
    if (!take(s, '{')) return false;
    do {
        if (!take_raw(s, &word) || !take(s, ':')) return false;
        if (is(&word, key)) return true;
        if (!skip_value(s)) return false;
    } while (take(s, ','));
    return false;
}

/* Appends the file with empty values in the places of one or two of its own. */
static mopd_status leave_out(
    const mo_buf *file, const mo_tokenizer_scan *vocab, const mo_tokenizer_scan *merges, mo_buf *rest)
{
    const mo_tokenizer_scan *part[2] = {vocab, merges};
    const bool turned = merges && merges->at < vocab->at;
    const char *at = file->data;
    mopd_status st = MOPD_OK;
    if (turned) part[0] = merges, part[1] = vocab;
    for (size_t i = 0; i < 2 && part[i] && st == MOPD_OK; i++) {
        st = mo_buf_add(rest, at, (size_t)(part[i]->at - at));
        if (st == MOPD_OK) st = mo_buf_adds(rest, *part[i]->at == '{' ? "{}" : "[]");
        at = part[i]->end;
    }
    return st == MOPD_OK ? mo_buf_add(rest, at, (size_t)(file->data + file->size - at)) : st;
}

bool mo_tokenizer_scan_find(
    const mo_buf *file, mo_tokenizer_scan *vocab, mo_tokenizer_scan *merges, mo_buf *rest, mopd_status *st)
{
    mo_tokenizer_scan s = {file->data, file->data + file->size};
    *st = MOPD_OK;
    *vocab = *merges = (mo_tokenizer_scan){NULL, NULL};
    if (!file->size || !enter(&s, "model") || !take(&s, '{')) return false;
    do {
        mo_word key;
        if (!take_raw(&s, &key) || !take(&s, ':')) return false;
        skip_space(&s);
        mo_tokenizer_scan value = {s.at, s.end};
        if (!skip_value(&s)) return false;
        value.end = s.at;
        mo_tokenizer_scan *which = is(&key, "vocab") ? vocab : is(&key, "merges") ? merges : NULL;
        if (which && which->at) return false;
        if (which) *which = value;
    } while (take(&s, ','));
    if (!vocab->at || (*vocab->at == '[') != !merges->at) return false;
    if (merges->at && (*vocab->at != '{' || *merges->at != '[')) return false;
    *st = leave_out(file, vocab, merges->at ? merges : NULL, rest);
    return *st == MOPD_OK;
}

bool mo_tokenizer_scan_vocab(mo_tokenizer_scan scan, mo_tokenizer_vocab *vocab, mopd_status *st)
{
    size_t cap = 0;
    for (const char *p = scan.at; p < scan.end && (p = memchr(p, ':', (size_t)(scan.end - p))); p++) cap++;
    if ((*st = mo_tokenizer_vocab_open(vocab, cap)) != MOPD_OK || !take(&scan, '{')) return false;
    do {
        mo_word word;
        if (!take_string(&scan, &word) || !take(&scan, ':') || !take_id(&scan, &word.id)) return false;
        if (word.id >= MO_TOKEN_MAX_IDS) return false;
        size_t n = vocab->n;
        if ((*st = mo_tokenizer_vocab_set(vocab, word.text, word.n_bytes, word.id)) != MOPD_OK ||
            vocab->n == n)
            return false;
    } while (take(&scan, ','));
    if (!take(&scan, '}')) return false;
    skip_space(&scan);
    return scan.at == scan.end;
}

/* digits 2^-exponent / power, rounded once, half to even: 55 bits of the quotient and whether there are more. */
static double rounded(uint64_t quotient, bool rest, int exponent)
{
    for (; quotient >> 54; exponent++) {
        rest = rest || quotient & 1;
        quotient >>= 1;
    }
    const uint64_t half = quotient & 1; /* 54 bits: one more than a double's */
    const bool up = half && (rest || quotient & 2);
    return ldexp((double)((quotient >> 1) + (up ? 1 : 0)), exponent + 1);
}

/* A decimal fraction that a double holds the nearest of: at most 19 digits, as many behind the point as 27.  The digits are
 * divided by a power of ten, some bits of the quotient at a time. */
static double nearest(uint64_t digits, unsigned n_behind)
{
    uint64_t power = 1; /* of five: the twos go into the exponent */
    int exponent = -(int)n_behind;
    if (!digits) return 0;
    for (unsigned i = 0; i < n_behind; i++) power *= 5;
    const unsigned step = (unsigned)mo_min((size_t)__builtin_clzll(power), 9);
    uint64_t quotient = digits / power, rest = digits % power;
    for (; !(quotient >> 54); exponent -= (int)step) {
        quotient = quotient << step | (rest << step) / power;
        rest = (rest << step) % power;
    }
    return rounded(quotient, rest != 0, exponent);
}

/* A number without exponent. */
static bool take_fraction(mo_tokenizer_scan *s, double *out)
{
    uint64_t digits = 0;
    unsigned n_behind = 0, n = 0, n_before = 0;
    const bool below = take(s, '-');
    bool point = false;
    skip_space(s);
    const char first = s->at < s->end ? *s->at : 0;
    for (; s->at < s->end && n < 20 && n_behind < 28; s->at++) {
        if (*s->at == '.' && !point && n_before) {
            point = true;
            continue;
        }
        if (*s->at < '0' || *s->at > '9') break;
        digits = digits * 10 + (uint64_t)(*s->at - '0');
        n += digits ? 1 : 0;
        n_before += point ? 0 : 1;
        n_behind += point ? 1 : 0;
    }
    if (!n_before || n > 19 || n_behind > 27 || point != (n_behind > 0) || (first == '0' && n_before > 1))
        return false;
    *out = below ? -nearest(digits, n_behind) : nearest(digits, n_behind);
    return true;
}

bool mo_tokenizer_scan_pieces(
    mo_tokenizer_scan scan, mo_tokenizer_vocab *vocab, double *score, mopd_status *st)
{
    if (!take(&scan, '[')) return false;
    do {
        mo_word word = {.id = (uint32_t)vocab->n};
        const size_t n = vocab->n;
        if (n == vocab->cap || !take(&scan, '[') || !take_string(&scan, &word) || !take(&scan, ',') ||
            !take_fraction(&scan, score + n) || !take(&scan, ']'))
            return false;
        if ((*st = mo_tokenizer_vocab_set(vocab, word.text, word.n_bytes, word.id)) != MOPD_OK ||
            vocab->n == n)
            return false;
    } while (take(&scan, ','));
    if (!take(&scan, ']')) return false;
    skip_space(&scan);
    return scan.at == scan.end;
}

size_t mo_tokenizer_scan_count(const mo_tokenizer_scan *merges)
{
    size_t quotes = 0;
    for (const char *p = merges->at; p < merges->end && (p = memchr(p, '"', (size_t)(merges->end - p))); p++)
        quotes++;
    return quotes / 2;
}

bool mo_tokenizer_scan_open(mo_tokenizer_scan *merges)
{
    return take(merges, '[');
}

bool mo_tokenizer_scan_merge(mo_tokenizer_scan *merges, mo_word *a, mo_word *b, bool *done)
{
    *done = false;
    *b = (mo_word){NULL, 0, 0};
    if (take(merges, '[')) {
        if (!take_string(merges, a) || !take(merges, ',') || !take_string(merges, b) || !take(merges, ']'))
            return false;
    } else if (!take_string(merges, a)) {
        return false;
    }
    if (take(merges, ',')) return true;
    *done = take(merges, ']') && merges->at == merges->end;
    return *done;
}
