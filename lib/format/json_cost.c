/* SPDX-License-Identifier: MIT
 * json_cost.c - counts brackets, commas, colons and texts, in one pass without any memory.
 *
 * The numbers below are what jansson and malloc take of it with 64-bit pointers, lists at their largest while they grow. */
#include "format/json_cost.h"

#include <stdbool.h>

#define DEEPEST 2048 /* beyond, a tree is refused */

enum {
    OBJECT = 224, /* and its first table */
    ARRAY = 128,
    ITEM = 24 + 32,    /* of an array: its place, and a number there */
    MEMBER = 128 + 32, /* of an object: its place, and a number there; the key on top */
    TEXT = 200         /* in the tree and as a name that is kept; twice its bytes on top */
};

typedef struct scan {
    const unsigned char *at, *end;
    uint64_t cost;
    size_t depth;
    uint8_t object[DEEPEST / 8 + 1]; /* a bit for each level */
} scan;

static bool in_object(const scan *s)
{
    return s->depth && s->object[(s->depth - 1) / 8] >> (s->depth - 1) % 8 & 1;
}

static void enter(scan *s, bool object)
{
    const uint8_t bit = (uint8_t)(1u << s->depth % 8);
    s->cost += object ? OBJECT + MEMBER : ARRAY + ITEM;
    if (object)
        s->object[s->depth / 8] |= bit;
    else
        s->object[s->depth / 8] &= (uint8_t)~bit;
    s->depth++;
}

static void skip_blanks(scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r')) s->at++;
}

/* Behind the quote that opens a text: a key is counted with its member. */
static void take_text(scan *s)
{
    const unsigned char *from = s->at;
    while (s->at < s->end && *s->at != '"') s->at += *s->at == '\\' && s->at + 1 < s->end ? 2 : 1;
    const uint64_t n = (uint64_t)(s->at - from);
    if (s->at < s->end) s->at++;
    skip_blanks(s);
    const bool key = in_object(s) && s->at < s->end && *s->at == ':';
    s->cost += key ? n : TEXT + 2 * n;
}

uint64_t mo_json_cost(const void *bytes, size_t n)
{
    scan s = {.at = bytes, .end = n ? (const unsigned char *)bytes + n : bytes};
    while (s.at < s.end && s.depth <= DEEPEST) {
        const unsigned char c = *s.at++;
        if (c == '"')
            take_text(&s);
        else if (c == '{' || c == '[')
            enter(&s, c == '{');
        else if ((c == '}' || c == ']') && s.depth)
            s.depth--;
        else if (c == ',')
            s.cost += in_object(&s) ? MEMBER : ITEM;
    }
    return s.cost;
}
