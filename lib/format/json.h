/* SPDX-License-Identifier: MIT
 * json.h - JSON read into a tree, and written piece by piece.  Numbers do not depend on the host's locale.
 *
 * Reading: mo_json is one value of a read-only tree; values live as long as the root.  Repeated keys, broken
 * UTF-8 and nesting beyond 2048 levels are refused.  Functions that take a value take NULL too and say "not
 * there".  Writing: mo_jsonw remembers its first failure, so calls need no check until mo_jsonw_done. */
#ifndef MO_FORMAT_JSON_H
#define MO_FORMAT_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct mo_json mo_json;

typedef enum mo_json_type {
    MO_JSON_NONE, /* the type of NULL */
    MO_JSON_NULL,
    MO_JSON_BOOL,
    MO_JSON_INT,
    MO_JSON_REAL,
    MO_JSON_STRING,
    MO_JSON_ARRAY,
    MO_JSON_OBJECT
} mo_json_type;

/* Parses n bytes (an object or an array at the top); `path` names them in messages: "path: line 3 column 7:
 * reason" (FORMAT).  Close the root with mo_json_close. */
mopd_status mo_json_parse(const mo_json **root, const void *bytes, size_t n, const char *path);

/* Reads and parses a file of at most 128 MB.  UNSUPPORTED, here and above: as a tree it would take more memory than
 * base/limits.h allows. */
mopd_status mo_json_open(const mo_json **root, const char *path);
void mo_json_close(const mo_json *root);

mo_json_type mo_json_kind(const mo_json *value);

/* The member of an object, the item of an array; NULL when there is none or value is something else. */
const mo_json *mo_json_get(const mo_json *object, const char *key);
const mo_json *mo_json_item(const mo_json *array, size_t i);

/* Items of an array or members of an object; 0 for anything else. */
size_t mo_json_count(const mo_json *value);

/* The members of an object in the file's order:
 *     for (void *it = mo_json_first(o); it; it = mo_json_next(o, it)) ... mo_json_key(it) */
void *mo_json_first(const mo_json *object);
void *mo_json_next(const mo_json *object, void *it);
const char *mo_json_key(void *it);
const mo_json *mo_json_value(void *it);

/* A value; false (and *out untouched) when it is of another type.  A number is an integer or a real. */
bool mo_json_as_string(const mo_json *value, const char **out);
bool mo_json_as_int(const mo_json *value, int64_t *out);
bool mo_json_as_number(const mo_json *value, double *out);
bool mo_json_as_bool(const mo_json *value, bool *out);

/* Bytes of a string, without the final zero; 0 for anything else. */
size_t mo_json_string_bytes(const mo_json *value);

/* Members that must be there.  `key` may go down with dots: "vision_config.hidden_size".  FORMAT names
 * `path`, the key and what is there instead. */
mopd_status mo_json_need(
    const mo_json *object, const char *key, const char *path, mo_json_type type, const mo_json **out);
mopd_status mo_json_need_string(const mo_json *object, const char *key, const char *path, const char **out);
mopd_status mo_json_need_int(const mo_json *object, const char *key, const char *path, int64_t *out);
/* An integer from 1 to 2^31 - 1: a dimension or a count. */
mopd_status mo_json_need_size(const mo_json *object, const char *key, const char *path, size_t *out);
mopd_status mo_json_need_number(const mo_json *object, const char *key, const char *path, double *out);
mopd_status mo_json_need_bool(const mo_json *object, const char *key, const char *path, bool *out);

/* Members that may be missing or null: *out stays as it is then.  FORMAT when something else is there. */
mopd_status mo_json_may_string(const mo_json *object, const char *key, const char *path, const char **out);
mopd_status mo_json_may_int(const mo_json *object, const char *key, const char *path, int64_t *out);
mopd_status mo_json_may_size(const mo_json *object, const char *key, const char *path, size_t *out);
mopd_status mo_json_may_number(const mo_json *object, const char *key, const char *path, double *out);
mopd_status mo_json_may_bool(const mo_json *object, const char *key, const char *path, bool *out);

/* A writer of compact JSON at the end of buf.  At most 63 levels. */
typedef struct mo_jsonw {
    mo_buf *buf;
    uint64_t filled; /* bit i: level i has an item already */
    uint64_t object; /* bit i: level i is an object */
    int depth;
    bool after_key;
    mopd_status st; /* the first failure */
} mo_jsonw;

void mo_jsonw_init(mo_jsonw *w, mo_buf *buf);
void mo_jsonw_object(mo_jsonw *w); /* { */
void mo_jsonw_array(mo_jsonw *w);  /* [ */
void mo_jsonw_end(mo_jsonw *w);    /* } or ] */
void mo_jsonw_key(mo_jsonw *w, const char *key);
/* Text: bytes that are no UTF-8 become U+FFFD.  NULL is written as null. */
void mo_jsonw_string(mo_jsonw *w, const char *text);
void mo_jsonw_strings(mo_jsonw *w, char *const *texts, size_t n); /* a list of them */
void mo_jsonw_string_n(mo_jsonw *w, const char *text, size_t n);
void mo_jsonw_int(mo_jsonw *w, int64_t x);
void mo_jsonw_uint(mo_jsonw *w, uint64_t x);
void mo_jsonw_double(mo_jsonw *w, double x); /* the shortest that reads back the same; not finite: null */
void mo_jsonw_float(mo_jsonw *w, float x);   /* the same for a float */
void mo_jsonw_bool(mo_jsonw *w, bool x);
void mo_jsonw_null(mo_jsonw *w);
void mo_jsonw_raw(mo_jsonw *w, const char *json); /* one value, already JSON */

/* Key and value at once. */
void mo_jsonw_kstring(mo_jsonw *w, const char *key, const char *text);
void mo_jsonw_kint(mo_jsonw *w, const char *key, int64_t x);
void mo_jsonw_kdouble(mo_jsonw *w, const char *key, double x);
void mo_jsonw_kfloat(mo_jsonw *w, const char *key, float x);
void mo_jsonw_kbool(mo_jsonw *w, const char *key, bool x);

/* The first failure (NOMEM), INTERNAL when something was left open or put where it cannot be. */
mopd_status mo_jsonw_done(mo_jsonw *w);

/* The shortest decimal texts that read back the same, with "." in every locale; "nan", "inf", "-inf" too. */
void mo_jsonw_double_text(char text[32], double x);
void mo_jsonw_float_text(char text[32], float x);

#endif
