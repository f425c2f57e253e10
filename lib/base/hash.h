/* SPDX-License-Identifier: MIT
 * hash.h - a 64-bit mix for hash tables. */
#ifndef MO_BASE_HASH_H
#define MO_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a with a final mix: for tables, not for trust. */
uint64_t mo_hash_bytes(const void *bytes, size_t n);

#endif
