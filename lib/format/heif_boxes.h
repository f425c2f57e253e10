/* SPDX-License-Identifier: MIT
 * heif_boxes.h - the boxes that a HEIF file consists of, one inside the other.
 *
 *     box: size (4), kind (4), body; size 1: 8 bytes of size follow; size 0: to the end */
#ifndef MO_FORMAT_HEIF_BOXES_H
#define MO_FORMAT_HEIF_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct mo_heif_span {
    const unsigned char *at, *end;
} mo_heif_span;

static inline size_t mo_heif_left(const mo_heif_span *s)
{
    return (size_t)(s->end - s->at);
}

/* The next n_bytes as a number; 0 where there are none. */
static inline uint64_t mo_heif_take(mo_heif_span *s, size_t n_bytes)
{
    uint64_t x = 0;
    if (mo_heif_left(s) < n_bytes) {
        s->at = s->end;
        return 0;
    }
    for (size_t i = 0; i < n_bytes; i++) x = x << 8 | *s->at++;
    return x;
}

/* The next box's kind and body; false: there is none. */
static inline bool mo_heif_next(mo_heif_span *in, char kind[4], mo_heif_span *body)
{
    if (mo_heif_left(in) < 8) return false;
    const unsigned char *start = in->at;
    uint64_t n = mo_heif_take(in, 4);
    memcpy(kind, in->at, 4);
    in->at += 4;
    if (n == 1) n = mo_heif_take(in, 8);
    const uint64_t head = (uint64_t)(in->at - start), all = (uint64_t)(in->end - start);
    if (n == 0 || n > all) n = all;
    if (n < head) return false;
    *body = (mo_heif_span){in->at, start + n};
    in->at = body->end;
    return true;
}

static inline bool mo_heif_kind(const char kind[4], const char *name)
{
    return !memcmp(kind, name, 4);
}

/* Version and flags in front of a body; the version. */
static inline unsigned mo_heif_version(mo_heif_span *body, unsigned *flags)
{
    const uint32_t x = (uint32_t)mo_heif_take(body, 4);
    *flags = x & 0xffffff;
    return x >> 24;
}

#endif
