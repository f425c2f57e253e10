/* SPDX-License-Identifier: MIT
 * protobuf.c - keys, variable numbers and lengths of a protocol buffer. */
#include "format/protobuf.h"

#include <string.h>

#include "base/stop.h"

mo_protobuf mo_protobuf_open(const void *bytes, size_t n_bytes, const char *name)
{
    const unsigned char *p = n_bytes ? bytes : (const unsigned char *)"";
    return (mo_protobuf){p, p + n_bytes, p, name};
}

static mopd_status broken(const mo_protobuf *p, const char *what)
{
    return mo_fail(MOPD_E_FORMAT, "%s: byte %zu of a message: %s", p->name, (size_t)(p->at - p->begin), what);
}

/* Seven bits a byte, the lowest first; ten bytes at most. */
static bool take_number(mo_protobuf *p, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; p->at < p->end && shift < 64; shift += 7) {
        const unsigned char byte = *p->at++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return shift < 63 || byte < 2;
    }
    return false;
}

static bool take_fixed(mo_protobuf *p, size_t n, uint64_t *out)
{
    if ((size_t)(p->end - p->at) < n) return false;
    *out = 0;
    for (size_t i = 0; i < n; i++) *out |= (uint64_t)p->at[i] << 8 * i;
    p->at += n;
    return true;
}

static bool take_bytes(mo_protobuf *p, mo_protobuf_field *field)
{
    if (!take_number(p, &field->value) || field->value > (size_t)(p->end - p->at)) return false;
    field->bytes = p->at;
    field->n_bytes = (size_t)field->value;
    p->at += field->n_bytes;
    return true;
}

mopd_status mo_protobuf_next(mo_protobuf *p, mo_protobuf_field *field, bool *more)
{
    uint64_t key;
    *field = (mo_protobuf_field){0};
    *more = p->at < p->end;
    mopd_status st = mo_stop_check(sizeof key);
    if (!*more || st != MOPD_OK) return st;
    if (!take_number(p, &key)) return broken(p, "a key does not end");
    if (key >> 3 == 0 || key >> 3 > (UINT32_MAX >> 3)) return broken(p, "no field has such a number");
    field->number = (uint32_t)(key >> 3);
    field->kind = (mo_protobuf_kind)(key & 7);
    switch (key & 7) {
    case MO_PROTOBUF_NUMBER:
        return take_number(p, &field->value) ? MOPD_OK : broken(p, "a number does not end");
    case MO_PROTOBUF_EIGHT:
        return take_fixed(p, 8, &field->value) ? MOPD_OK : broken(p, "eight bytes do not follow");
    case MO_PROTOBUF_FOUR:
        return take_fixed(p, 4, &field->value) ? MOPD_OK : broken(p, "four bytes do not follow");
    case MO_PROTOBUF_BYTES:
        return take_bytes(p, field) ? MOPD_OK : broken(p, "a length reaches beyond the message");
    default:
        return broken(p, "a kind of field that is not read");
    }
}

static mopd_status other_kind(const mo_protobuf *p, const mo_protobuf_field *field, const char *what)
{
    return mo_fail(
        MOPD_E_FORMAT, "%s: field %u is of kind %d, %s", p->name, field->number, (int)field->kind, what);
}

mopd_status mo_protobuf_message(mo_protobuf *out, const mo_protobuf *p, const mo_protobuf_field *field)
{
    if (field->kind != MO_PROTOBUF_BYTES) return other_kind(p, field, "not a message or a text");
    *out = mo_protobuf_open(field->bytes, field->n_bytes, p->name);
    return MOPD_OK;
}

mopd_status mo_protobuf_float(float *out, const mo_protobuf *p, const mo_protobuf_field *field)
{
    const uint32_t bits = (uint32_t)field->value;
    if (field->kind != MO_PROTOBUF_FOUR) return other_kind(p, field, "not a float");
    memcpy(out, &bits, sizeof *out);
    return MOPD_OK;
}

mopd_status mo_protobuf_number(int64_t *out, const mo_protobuf *p, const mo_protobuf_field *field)
{
    if (field->kind != MO_PROTOBUF_NUMBER) return other_kind(p, field, "not a number");
    *out = (int64_t)field->value;
    return MOPD_OK;
}
