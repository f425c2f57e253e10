/* SPDX-License-Identifier: MIT
 * utf8.h - UTF-8 read, written and checked. */
#ifndef MO_BASE_UTF8_H
#define MO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The code point at text[*at], *at moved behind it; -1 when the bytes there are not UTF-8 (as Unicode
 * defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF). */
int32_t mo_utf8_next(const char *text, size_t n_bytes, size_t *at);

/* Writes a code point as UTF-8, 1 to 4 bytes; how many. */
size_t mo_utf8_put(uint32_t cp, char out[4]);

/* Bytes at the start of n bytes that are UTF-8: n when all are, else the position of the first broken character. */
size_t mo_utf8_prefix(const char *text, size_t n);

/* Whether all n bytes are UTF-8. */
bool mo_utf8_valid(const char *text, size_t n);

#endif
