/* SPDX-License-Identifier: MIT
 * protobuf.h - the fields of a protocol buffer, one after the other, every length checked.
 *
 *     message = { key = field number x 8 + kind | value }*
 *     kinds: 0 a variable number, 1 eight bytes, 2 a length and so many bytes, 5 four bytes
 *
 * Groups (kinds 3 and 4) are refused: nothing has written them for years. */
#ifndef MO_FORMAT_PROTOBUF_H
#define MO_FORMAT_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

/* What is left of a message; name stands in messages of failure. */
typedef struct mo_protobuf {
    const unsigned char *at, *end, *begin;
    const char *name;
} mo_protobuf;

typedef enum mo_protobuf_kind {
    MO_PROTOBUF_NUMBER = 0,
    MO_PROTOBUF_EIGHT = 1,
    MO_PROTOBUF_BYTES = 2,
    MO_PROTOBUF_FOUR = 5
} mo_protobuf_kind;

/* A field: the number of kinds 0, 1 and 5 (raw bits of the last two), or the bytes of kind 2, which lie in the message. */
typedef struct mo_protobuf_field {
    uint32_t number;
    mo_protobuf_kind kind;
    uint64_t value;
    const unsigned char *bytes;
    size_t n_bytes;
} mo_protobuf_field;

mo_protobuf mo_protobuf_open(const void *bytes, size_t n_bytes, const char *name);

/* The next field; *more is false at the end of the message.  FORMAT names the byte. */
mopd_status mo_protobuf_next(mo_protobuf *p, mo_protobuf_field *field, bool *more);

/* The message that a field of kind 2 holds, and the float of one of kind 5.  FORMAT for another kind. */
mopd_status mo_protobuf_message(mo_protobuf *out, const mo_protobuf *p, const mo_protobuf_field *field);
mopd_status mo_protobuf_float(float *out, const mo_protobuf *p, const mo_protobuf_field *field);
mopd_status mo_protobuf_number(int64_t *out, const mo_protobuf *p, const mo_protobuf_field *field);

#endif
