/* SPDX-License-Identifier: MIT
 * fuzz_json.c - bytes as JSON; what parses is written by the library's writer and must parse again. */
#include "fuzz.h"

#include <string.h>

#include "format/json.h"

/* Asks a value for everything; what is handed out is what it is. */
static void ask(const mo_json *value)
{
    int64_t whole;
    double real;
    bool flag;
    if (mo_json_as_int(value, &whole)) {
        FUZZ_MUST(mo_json_as_number(value, &real));
        FUZZ_MUST(mo_json_kind(value) == MO_JSON_INT || real == (double)whole);
    }
    if (mo_json_as_bool(value, &flag)) FUZZ_MUST(mo_json_kind(value) == MO_JSON_BOOL);
}

/* The writer nests to 63 levels; deeper values are written as null. */
static void copy(mo_jsonw *w, const mo_json *value, int depth);

static void copy_object(mo_jsonw *w, const mo_json *object, int depth)
{
    mo_jsonw_object(w);
    for (void *it = mo_json_first(object); it; it = mo_json_next(object, it)) {
        FUZZ_MUST(mo_json_get(object, mo_json_key(it)) == mo_json_value(it));
        mo_jsonw_key(w, mo_json_key(it));
        copy(w, mo_json_value(it), depth + 1);
    }
    mo_jsonw_end(w);
}

static void copy_array(mo_jsonw *w, const mo_json *array, int depth)
{
    mo_jsonw_array(w);
    for (size_t i = 0; i < mo_json_count(array); i++) copy(w, mo_json_item(array, i), depth + 1);
    mo_jsonw_end(w);
}

static void copy(mo_jsonw *w, const mo_json *value, int depth)
{
    mo_json_type kind = depth < 60 ? mo_json_kind(value) : MO_JSON_NULL;
    const char *text;
    int64_t whole;
    double real;
    bool flag;
    ask(value);
    if (kind == MO_JSON_OBJECT)
        copy_object(w, value, depth);
    else if (kind == MO_JSON_ARRAY)
        copy_array(w, value, depth);
    else if (kind == MO_JSON_STRING && mo_json_as_string(value, &text))
        mo_jsonw_string_n(w, text, mo_json_string_bytes(value));
    else if (kind == MO_JSON_INT && mo_json_as_int(value, &whole))
        mo_jsonw_int(w, whole);
    else if (kind == MO_JSON_REAL && mo_json_as_number(value, &real))
        mo_jsonw_double(w, real);
    else if (kind == MO_JSON_BOOL && mo_json_as_bool(value, &flag))
        mo_jsonw_bool(w, flag);
    else
        mo_jsonw_null(w);
}

/* A name may be any bytes but zero: what is written of it is JSON. */
static void write_bytes(const uint8_t *data, size_t n)
{
    const uint8_t *zero = n ? memchr(data, 0, n) : NULL;
    const mo_json *root = NULL;
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    mo_jsonw_array(&w);
    mo_jsonw_string_n(&w, (const char *)data, zero ? (size_t)(zero - data) : n);
    mo_jsonw_end(&w);
    FUZZ_MUST(mo_jsonw_done(&w) == MOPD_OK);
    FUZZ_MUST(mo_json_parse(&root, text.data, text.size, "written") == MOPD_OK);
    FUZZ_MUST(mo_json_kind(mo_json_item(root, 0)) == MO_JSON_STRING);
    mo_json_close(root);
    mo_buf_free(&text);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    write_bytes(data, n);
    const mo_json *root = NULL, *again = NULL;
    if (!FUZZ_READ(mo_json_parse(&root, data, n, "fuzz"), root)) return;
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    copy(&w, root, 0);
    FUZZ_MUST(mo_jsonw_done(&w) == MOPD_OK);
    FUZZ_MUST(mo_json_parse(&again, text.data, text.size, "again") == MOPD_OK);
    FUZZ_MUST(mo_json_count(again) == mo_json_count(root));
    mo_json_close(again);
    mo_buf_free(&text);
    mo_json_close(root);
}
