/* SPDX-License-Identifier: MIT
 * jsonw.c - JSON written to a growing text, and numbers as their shortest exact texts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "format/json.h"

#define MAX_DEPTH 63

void mo_jsonw_init(mo_jsonw *w, mo_buf *buf)
{
    memset(w, 0, sizeof *w);
    w->buf = buf;
}

static void add(mo_jsonw *w, const char *bytes, size_t n)
{
    if (w->st == MOPD_OK) w->st = mo_buf_add(w->buf, bytes, n);
}

static uint64_t level_bit(const mo_jsonw *w)
{
    return UINT64_C(1) << w->depth;
}

static void misplaced(mo_jsonw *w, const char *what)
{
    if (w->st == MOPD_OK) w->st = mo_fail(MOPD_E_INTERNAL, "JSON: %s at level %d", what, w->depth);
}

/* Writes the comma that a new item needs, or notes that it cannot stand here. */
static void before_item(mo_jsonw *w, bool is_key)
{
    bool in_object = w->object & level_bit(w);
    if (is_key ? !in_object || w->after_key : in_object && !w->after_key) {
        misplaced(w, is_key ? "a key outside an object" : "a value without a key");
        return;
    }
    if (!w->after_key && (w->filled & level_bit(w))) {
        if (w->depth)
            add(w, ",", 1);
        else
            misplaced(w, "a second value");
    }
    w->filled |= level_bit(w);
    w->after_key = is_key;
}

static void open_level(mo_jsonw *w, bool is_object)
{
    before_item(w, false);
    if (w->depth == MAX_DEPTH) {
        misplaced(w, "too deep");
        return;
    }
    w->depth++;
    w->filled &= ~level_bit(w);
    w->object &= ~level_bit(w);
    if (is_object) w->object |= level_bit(w);
    add(w, is_object ? "{" : "[", 1);
}

void mo_jsonw_object(mo_jsonw *w)
{
    open_level(w, true);
}

void mo_jsonw_array(mo_jsonw *w)
{
    open_level(w, false);
}

void mo_jsonw_end(mo_jsonw *w)
{
    if (w->depth == 0 || w->after_key) {
        misplaced(w, "an end that closes nothing");
        return;
    }
    add(w, w->object & level_bit(w) ? "}" : "]", 1);
    w->depth--;
}

static void add_escaped(mo_jsonw *w, unsigned char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    char text[8];
    const char *at = c ? strchr(from, c) : NULL;
    int n =
        at ? snprintf(text, sizeof text, "\\%c", to[at - from]) : snprintf(text, sizeof text, "\\u%04x", c);
    add(w, text, (size_t)n);
}

static void add_string(mo_jsonw *w, const char *text, size_t n)
{
    add(w, "\"", 1);
    size_t plain = 0; /* start of what goes out as it is */
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)text[i];
        size_t after = i;
        size_t length = mo_utf8_next(text, n, &after) < 0 ? 0 : after - i;
        if (length && c >= 0x20 && c != '"' && c != '\\') {
            i += length;
            continue;
        }
        add(w, text + plain, i - plain);
        if (length)
            add_escaped(w, c);
        else
            add(w, "\xef\xbf\xbd", 3);
        plain = ++i;
    }
    add(w, text + plain, n - plain);
    add(w, "\"", 1);
}

void mo_jsonw_key(mo_jsonw *w, const char *key)
{
    before_item(w, true);
    add_string(w, key, strlen(key));
    add(w, ":", 1);
}

void mo_jsonw_string_n(mo_jsonw *w, const char *text, size_t n)
{
    before_item(w, false);
    add_string(w, text, n);
}

void mo_jsonw_string(mo_jsonw *w, const char *text)
{
    if (text)
        mo_jsonw_string_n(w, text, strlen(text));
    else
        mo_jsonw_null(w);
}

void mo_jsonw_strings(mo_jsonw *w, char *const *texts, size_t n)
{
    mo_jsonw_array(w);
    for (size_t i = 0; i < n; i++) mo_jsonw_string(w, texts[i]);
    mo_jsonw_end(w);
}

void mo_jsonw_raw(mo_jsonw *w, const char *json)
{
    before_item(w, false);
    add(w, json, strlen(json));
}

void mo_jsonw_int(mo_jsonw *w, int64_t x)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)x);
    mo_jsonw_raw(w, text);
}

void mo_jsonw_uint(mo_jsonw *w, uint64_t x)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)x);
    mo_jsonw_raw(w, text);
}

/* Texts come out in this thread's locale; what is no digit, sign or exponent is its decimal point. */
static void plain_point(char *text)
{
    char *start = text + strcspn(text, "0123456789");
    start += strspn(start, "0123456789");
    size_t n = strcspn(start, "0123456789e");
    if (!n) return;
    *start = '.';
    memmove(start + 1, start + n, strlen(start + n) + 1);
}

void mo_jsonw_double_text(char text[32], double x)
{
    if (isnan(x) || isinf(x)) {
        strcpy(text, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, x);
        double back = strtod(text, NULL);
        if (!(back < x || back > x)) break;
    }
    plain_point(text);
}

void mo_jsonw_float_text(char text[32], float x)
{
    if (isnan(x) || isinf(x)) {
        mo_jsonw_double_text(text, (double)x);
        return;
    }
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, 32, "%.*g", digits, (double)x);
        float back = strtof(text, NULL);
        if (!(back < x || back > x)) break;
    }
    plain_point(text);
}

void mo_jsonw_double(mo_jsonw *w, double x)
{
    char text[32] = "null";
    if (!isnan(x) && !isinf(x)) mo_jsonw_double_text(text, x);
    mo_jsonw_raw(w, text);
}

void mo_jsonw_float(mo_jsonw *w, float x)
{
    char text[32] = "null";
    if (!isnan(x) && !isinf(x)) mo_jsonw_float_text(text, x);
    mo_jsonw_raw(w, text);
}

void mo_jsonw_bool(mo_jsonw *w, bool x)
{
    mo_jsonw_raw(w, x ? "true" : "false");
}

void mo_jsonw_null(mo_jsonw *w)
{
    mo_jsonw_raw(w, "null");
}

void mo_jsonw_kstring(mo_jsonw *w, const char *key, const char *text)
{
    mo_jsonw_key(w, key);
    mo_jsonw_string(w, text);
}

void mo_jsonw_kint(mo_jsonw *w, const char *key, int64_t x)
{
    mo_jsonw_key(w, key);
    mo_jsonw_int(w, x);
}

void mo_jsonw_kdouble(mo_jsonw *w, const char *key, double x)
{
    mo_jsonw_key(w, key);
    mo_jsonw_double(w, x);
}

void mo_jsonw_kfloat(mo_jsonw *w, const char *key, float x)
{
    mo_jsonw_key(w, key);
    mo_jsonw_float(w, x);
}

void mo_jsonw_kbool(mo_jsonw *w, const char *key, bool x)
{
    mo_jsonw_key(w, key);
    mo_jsonw_bool(w, x);
}

mopd_status mo_jsonw_done(mo_jsonw *w)
{
    if (w->st == MOPD_OK && (w->depth || !(w->filled & 1))) misplaced(w, "not finished");
    return w->st;
}
