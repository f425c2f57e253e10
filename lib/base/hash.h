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

/* Two numbers: both halves of a product of 128 bits whose factors nobody else knows. */
static inline uint64_t mo_hash_pair(const mo_hash_key *key, uint32_t a, uint32_t b)
{
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)(((uint64_t)a << 32 | b) ^ key->k[0]) * (key->k[1] | 1);
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

#endif
