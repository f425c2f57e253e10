/* SPDX-License-Identifier: MIT
 * hash.h - 64-bit mixes: one that is the same everywhere, and one for tables whose keys strangers choose. */
#ifndef MO_BASE_HASH_H
#define MO_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a with a final mix: check values and seeds, the same on every machine.  Keys that collide are easily made. */
uint64_t mo_hash_bytes(const void *bytes, size_t n);

/* A number that nobody can foresee: from the system; where it has gathered no chance yet, from the clock, this process
 * and where it lies.  Any thread. */
uint64_t mo_hash_random(void);

/* What a table's places depend on. */
typedef struct mo_hash_key {
    uint64_t k[2];
} mo_hash_key;

/* The key of this process, drawn at random at first use: who writes a file cannot know which of its names will collide.
 * No result may depend on it: it places entries in tables and orders nothing.  Any thread. */
mo_hash_key mo_hash_key_get(void);

/* SipHash-1-3 (Aumasson and Bernstein 2012, with fewer rounds, as tables use it). */
uint64_t mo_hash_keyed(const mo_hash_key *key, const void *bytes, size_t n);

/* The upper half of a product of 128 bits. */
static inline uint64_t mo_hash_upper(uint64_t x, uint64_t y)
{
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)x * y >> 64);
#else
    const uint64_t x0 = (uint32_t)x, x1 = x >> 32, y0 = (uint32_t)y, y1 = y >> 32;
    const uint64_t middle = x1 * y0 + (x0 * y0 >> 32);
    return x1 * y1 + (middle >> 32) + ((x0 * y1 + (uint32_t)middle) >> 32);
#endif
}

/* Two numbers: both halves of a product of 128 bits whose factors nobody else knows. */
static inline uint64_t mo_hash_pair(const mo_hash_key *key, uint32_t a, uint32_t b)
{
    const uint64_t x = ((uint64_t)a << 32 | b) ^ key->k[0], y = key->k[1] | 1;
    return mo_hash_upper(x, y) ^ x * y;
}

#endif
