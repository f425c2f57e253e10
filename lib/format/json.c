/* SPDX-License-Identifier: MIT
 * json.c - the JSON tree, over jansson; the only file that knows it.
 *
 * A mo_json is a json_t.  Numbers are parsed in the C locale of this thread alone, whatever the host has
 * set.  An integer beyond 64 bits (tokenizer_config.json's model_max_length) turns all integers of that file
 * into reals, which read back as integers up to 2^53. */
#include "format/json.h"

#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/ints.h"
#include "base/limits.h"
#include "base/os.h"
#include "base/stop.h"
#include "format/json_cost.h"

#define FILE_LIMIT ((size_t)128 << 20)

static json_t *value_of(const mo_json *value)
{
    union {
        const mo_json *in;
        json_t *out;
    } both = {value};
    return both.out;
}

static const mo_json *tree_of(json_t *value)
{
    union {
        json_t *in;
        const mo_json *out;
    } both = {value};
    return both.out;
}

/* A text that jansson takes piece by piece, so that whoever waits can stop it. */
typedef struct source {
    const char *bytes;
    size_t n, at;
    mopd_status st;
} source;

static size_t take_piece(void *out, size_t room, void *context)
{
    source *s = context;
    const size_t n = mo_min(room, s->n - s->at);
    s->st = mo_stop_check(n * MO_STOP_JSON);
    if (s->st != MOPD_OK) return (size_t)-1;
    memcpy(out, s->bytes + s->at, n);
    s->at += n;
    return n;
}

static json_t *load(source *s, json_error_t *error)
{
    json_t *tree = json_load_callback(take_piece, s, JSON_REJECT_DUPLICATES, error);
    if (tree || json_error_code(error) != json_error_numeric_overflow) return tree;
    s->at = 0;
    return json_load_callback(take_piece, s, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, error);
}

/* Memory that ran out.  Jansson says so only of some of its own.  For others it has no text, and of a string that it could
 * not copy it says that it is none: an "invalid token" or no key, though it ends as strings do (what is wrong inside a
 * string has a text of its own). */
static bool ran_out(const json_error_t *error, const char *bytes, size_t n)
{
    if (json_error_code(error) == json_error_out_of_memory || !*error->text) return true;
    const size_t end = error->position > 0 ? (size_t)error->position : 0;
    const bool none =
        !strncmp(error->text, "invalid token", 13) || !strncmp(error->text, "string or '}' expected", 22);
    return none && end > 0 && end <= n && bytes[end - 1] == '"';
}

mopd_status mo_json_parse(const mo_json **root, const void *bytes, size_t n, const char *path)
{
    *root = NULL;
    mopd_status st = mo_limits_check_reading(n, mo_json_cost(bytes, n), path, "its JSON");
    if (st != MOPD_OK) return st;
    mo_os_locale locale;
    if (!mo_os_locale_plain(&locale)) return mo_fail(MOPD_E_NOMEM, "%s: no memory for a locale", path);
    json_error_t error;
    source s = {.bytes = n ? bytes : "", .n = n};
    json_t *tree = load(&s, &error);
    mo_os_locale_back(&locale);
    if (s.st != MOPD_OK) {
        json_decref(tree);
        return s.st;
    }
    if (!tree && ran_out(&error, bytes, n))
        return mo_fail(MOPD_E_NOMEM, "%s: no memory for a JSON text of %zu bytes", path, n);
    if (!tree)
        return mo_fail(
            MOPD_E_FORMAT, "%s: line %d column %d: %s", path, error.line, error.column, error.text);
    *root = tree_of(tree);
    return MOPD_OK;
}

mopd_status mo_json_open(const mo_json **root, const char *path)
{
    *root = NULL;
    mo_buf text = {0};
    mopd_status st = mo_file_read(&text, path, mo_min(FILE_LIMIT, mo_limits_size(MO_LIMIT_TEXT_FILE)));
    if (st == MOPD_OK) st = mo_json_parse(root, text.data, text.size, path);
    mo_buf_free(&text);
    return st;
}

void mo_json_close(const mo_json *root)
{
    json_decref(value_of(root));
}

mo_json_type mo_json_kind(const mo_json *value)
{
    if (!value) return MO_JSON_NONE;
    switch (json_typeof(value_of(value))) {
    case JSON_NULL:
        return MO_JSON_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return MO_JSON_BOOL;
    case JSON_INTEGER:
        return MO_JSON_INT;
    case JSON_REAL:
        return MO_JSON_REAL;
    case JSON_STRING:
        return MO_JSON_STRING;
    case JSON_ARRAY:
        return MO_JSON_ARRAY;
    case JSON_OBJECT:
        return MO_JSON_OBJECT;
    }
    return MO_JSON_NONE;
}

const mo_json *mo_json_get(const mo_json *object, const char *key)
{
    return tree_of(json_object_get(value_of(object), key));
}

const mo_json *mo_json_item(const mo_json *array, size_t i)
{
    return tree_of(json_array_get(value_of(array), i));
}

size_t mo_json_count(const mo_json *value)
{
    json_t *v = value_of(value);
    return json_is_object(v) ? json_object_size(v) : json_array_size(v);
}

void *mo_json_first(const mo_json *object)
{
    return json_object_iter(value_of(object));
}

void *mo_json_next(const mo_json *object, void *it)
{
    return json_object_iter_next(value_of(object), it);
}

const char *mo_json_key(void *it)
{
    return json_object_iter_key(it);
}

const mo_json *mo_json_value(void *it)
{
    return tree_of(json_object_iter_value(it));
}

bool mo_json_as_string(const mo_json *value, const char **out)
{
    const char *text = json_string_value(value_of(value));
    if (text) *out = text;
    return text != NULL;
}

size_t mo_json_string_bytes(const mo_json *value)
{
    return json_string_length(value_of(value));
}

bool mo_json_as_int(const mo_json *value, int64_t *out)
{
    json_t *v = value_of(value);
    if (json_is_integer(v)) {
        *out = (int64_t)json_integer_value(v);
        return true;
    }
    if (!json_is_real(v)) return false;
    double x = json_real_value(v);
    if (!(x >= -9007199254740992.0 && x <= 9007199254740992.0) || (double)(int64_t)x < x ||
        (double)(int64_t)x > x)
        return false;
    *out = (int64_t)x;
    return true;
}

bool mo_json_as_number(const mo_json *value, double *out)
{
    json_t *v = value_of(value);
    if (!json_is_number(v)) return false;
    *out = json_number_value(v);
    return true;
}

bool mo_json_as_bool(const mo_json *value, bool *out)
{
    json_t *v = value_of(value);
    if (!json_is_boolean(v)) return false;
    *out = json_is_true(v);
    return true;
}

static const char *type_text(mo_json_type type)
{
    switch (type) {
    case MO_JSON_NONE:
        return "missing";
    case MO_JSON_NULL:
        return "null";
    case MO_JSON_BOOL:
        return "true or false";
    case MO_JSON_INT:
        return "an integer";
    case MO_JSON_REAL:
        return "a number";
    case MO_JSON_STRING:
        return "a string";
    case MO_JSON_ARRAY:
        return "an array";
    case MO_JSON_OBJECT:
        return "an object";
    }
    return "unknown";
}

/* "a.b.c": the member c of the member b of the member a. */
static const mo_json *descend(const mo_json *object, const char *key)
{
    json_t *v = value_of(object);
    for (const char *dot; v && (dot = strchr(key, '.')); key = dot + 1)
        v = json_object_getn(v, key, (size_t)(dot - key));
    return tree_of(json_object_get(v, key));
}

static bool is_there(const mo_json *value)
{
    mo_json_type type = mo_json_kind(value);
    return type != MO_JSON_NONE && type != MO_JSON_NULL;
}

static mopd_status wrong(const mo_json *value, const char *key, const char *path, const char *wanted)
{
    mo_json_type type = mo_json_kind(value);
    if (type == MO_JSON_NONE) return mo_fail(MOPD_E_FORMAT, "%s: key \"%s\" is missing", path, key);
    return mo_fail(MOPD_E_FORMAT, "%s: key \"%s\" is %s, not %s", path, key, type_text(type), wanted);
}

mopd_status mo_json_need(
    const mo_json *object, const char *key, const char *path, mo_json_type type, const mo_json **out)
{
    const mo_json *value = descend(object, key);
    if (mo_json_kind(value) != type) return wrong(value, key, path, type_text(type));
    *out = value;
    return MOPD_OK;
}

mopd_status mo_json_need_string(const mo_json *object, const char *key, const char *path, const char **out)
{
    const mo_json *value = descend(object, key);
    return mo_json_as_string(value, out) ? MOPD_OK : wrong(value, key, path, "a string");
}

mopd_status mo_json_need_int(const mo_json *object, const char *key, const char *path, int64_t *out)
{
    const mo_json *value = descend(object, key);
    return mo_json_as_int(value, out) ? MOPD_OK : wrong(value, key, path, "an integer");
}

mopd_status mo_json_need_size(const mo_json *object, const char *key, const char *path, size_t *out)
{
    int64_t x = 0;
    mopd_status st = mo_json_need_int(object, key, path, &x);
    if (st != MOPD_OK) return st;
    if (x < 1 || x > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: key \"%s\" is %lld, not a size from 1 to %d", path, key,
            (long long)x, INT32_MAX);
    *out = (size_t)x;
    return MOPD_OK;
}

mopd_status mo_json_need_number(const mo_json *object, const char *key, const char *path, double *out)
{
    const mo_json *value = descend(object, key);
    return mo_json_as_number(value, out) ? MOPD_OK : wrong(value, key, path, "a number");
}

mopd_status mo_json_need_bool(const mo_json *object, const char *key, const char *path, bool *out)
{
    const mo_json *value = descend(object, key);
    return mo_json_as_bool(value, out) ? MOPD_OK : wrong(value, key, path, "true or false");
}

mopd_status mo_json_may_string(const mo_json *object, const char *key, const char *path, const char **out)
{
    return is_there(descend(object, key)) ? mo_json_need_string(object, key, path, out) : MOPD_OK;
}

mopd_status mo_json_may_int(const mo_json *object, const char *key, const char *path, int64_t *out)
{
    return is_there(descend(object, key)) ? mo_json_need_int(object, key, path, out) : MOPD_OK;
}

mopd_status mo_json_may_size(const mo_json *object, const char *key, const char *path, size_t *out)
{
    return is_there(descend(object, key)) ? mo_json_need_size(object, key, path, out) : MOPD_OK;
}

mopd_status mo_json_may_number(const mo_json *object, const char *key, const char *path, double *out)
{
    return is_there(descend(object, key)) ? mo_json_need_number(object, key, path, out) : MOPD_OK;
}

mopd_status mo_json_may_bool(const mo_json *object, const char *key, const char *path, bool *out)
{
    return is_there(descend(object, key)) ? mo_json_need_bool(object, key, path, out) : MOPD_OK;
}
