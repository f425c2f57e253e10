/* SPDX-License-Identifier: MIT
 * fuzz_protobuf.c - bytes as a protocol buffer, each field of bytes as a message in it. */
#include "fuzz.h"
#include "mutate.h"

#include "format/protobuf.h"

enum { DEEPEST = 4 };

static void go_through(mo_protobuf message, int depth);

static void look_at(const mo_protobuf *message, const mo_protobuf_field *field, int depth)
{
    mo_protobuf inner;
    int64_t whole;
    float real;
    FUZZ_MUST(fuzz_good(mo_protobuf_number(&whole, message, field)) == (field->kind == MO_PROTOBUF_NUMBER));
    FUZZ_MUST(fuzz_good(mo_protobuf_float(&real, message, field)) == (field->kind == MO_PROTOBUF_FOUR));
    if (!fuzz_good(mo_protobuf_message(&inner, message, field))) return;
    fuzz_touch(field->bytes, field->n_bytes);
    if (depth < DEEPEST) go_through(inner, depth + 1);
}

static void go_through(mo_protobuf message, int depth)
{
    mo_protobuf_field field;
    bool more = true;
    while (fuzz_good(mo_protobuf_next(&message, &field, &more)) && more) look_at(&message, &field, depth);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    go_through(mo_protobuf_open(data, n, "fuzz"), 0);
}

FUZZ_MUTATES_BYTES
